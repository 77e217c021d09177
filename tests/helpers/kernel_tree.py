# SPDX-License-Identifier: MIT
"""Small kernels for the tests of --users: a base, the changes of a test, and who uses a symbol."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kvm_export_hook.users.lookup import Users, find_users
from kvm_export_hook.users.working_tree import WorkingTree
from tests.helpers.support import write

BASE = {
    "drivers/Makefile": "obj-y += vfio/\n",
    "include/linux/kvm_host.h": "",
    "arch/x86/include/asm/kvm_host.h": "",
    "arch/powerpc/include/asm/kvm_host.h": "",
    "virt/kvm/kvm_main.c": "EXPORT_SYMBOL_GPL(kvm_foo);\n",
    "virt/kvm/Makefile.kvm": "KVM ?= ../../../virt/kvm\nkvm-y := $(KVM)/kvm_main.o\n",
    "arch/x86/kvm/Makefile": """\
include $(srctree)/virt/kvm/Makefile.kvm
kvm-y += x86.o
kvm-intel-y += vmx/vmx.o
kvm-amd-y += svm/svm.o
obj-$(CONFIG_KVM_X86) += kvm.o
obj-$(CONFIG_KVM_INTEL) += kvm-intel.o
obj-$(CONFIG_KVM_AMD) += kvm-amd.o
""",
    "arch/x86/kvm/x86.c": "",
    "arch/x86/kvm/vmx/vmx.c": "",
    "arch/x86/kvm/svm/svm.c": "",
    "arch/powerpc/kvm/Makefile": """\
include $(srctree)/virt/kvm/Makefile.kvm
kvm-y += book3s.o
kvm-hv-y += book3s_hv.o
obj-$(CONFIG_KVM_BOOK3S_64) += kvm.o
obj-$(CONFIG_KVM_BOOK3S_64_HV) += kvm-hv.o
""",
    "arch/powerpc/kvm/book3s.c": "",
    "arch/powerpc/kvm/book3s_hv.c": "",
}


def make_kernel(top: Path, changes: Mapping[str, str | None]) -> Path:
    """Write the base with CHANGES: what a file holds, or None for one that is not there.

    A change that begins with ``+`` goes after what the base holds.
    """
    for name, text in {**BASE, **changes}.items():
        if text is not None:
            text = BASE[name] + text[1:] if text.startswith("+") else text
            write(top / name, text.encode())
    return top


def look_up(top: Path, *symbols: bytes) -> Users:
    """Find who uses SYMBOLS, by default kvm_foo, in the tree at TOP."""
    return find_users(WorkingTree(bytes(top)), symbols or [b"kvm_foo"])


def spell_uses(users: Users, symbol: bytes = b"kvm_foo") -> list[str]:
    """Write each use of SYMBOL as ``module path:line``, and the chain that leads to it."""
    return [
        " < ".join(
            [f"{(use.module or b'-').decode()} {use.path.decode()}:{use.line}"]
            + [name.decode() for name in use.through]
        )
        for use in users.uses[symbol]
    ]
