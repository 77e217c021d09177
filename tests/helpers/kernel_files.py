# SPDX-License-Identifier: MIT
"""Real kernels, for the kernel suite and the benchmark: which files of one the hook reads.

``copy_kernel`` copies these; ``write_check`` cuts the make check out, for real make to run.
"""

from __future__ import annotations

import shutil
from pathlib import Path

HEADER = Path("include/linux/kvm_types.h")
MAKEFILE = Path("arch/x86/kvm/Makefile")
KBUILD = Path("scripts/Kbuild.include")
DIRECTORIES = ("virt/kvm", "arch/x86/kvm")

MACRO = "#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol) EXPORT_SYMBOL_GPL(symbol)\n"

# Where the make check begins in the Makefile, which goes on to its end; and what
# the build sets before it reads that Makefile.
CHECK = "\nifdef CONFIG_KVM_X86\n"
DRIVER = """\
CONFIG_KVM_X86 := y
srctree := .
include scripts/Kbuild.include
include $(CHECK)
all: ; @:
"""


def copy_kernel(source: Path, target: Path) -> Path:
    """Copy what is read of a kernel; return the TARGET."""
    for name in DIRECTORIES:
        shutil.copytree(source / name, target / name, symlinks=True)
    for file in (HEADER, KBUILD):
        if (source / file).exists():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / file, target / file)
    return target


def write_check(tree: Path, scratch: Path) -> list[str] | None:
    """Write to SCRATCH what evaluates the check of TREE as the build would; return how to run it.

    None for a tree without the check.
    """
    _, found, check = (tree / MAKEFILE).read_text().partition(CHECK)
    if not found:
        return None
    part, driver = scratch / "check.mk", scratch / "driver.mk"
    part.write_text(found + check)
    driver.write_text(DRIVER)
    return ["make", "--no-print-directory", "-f", str(driver), f"CHECK={part}"]
