# SPDX-License-Identifier: MIT
"""A Makefile whose make check the hook knows, without any text of a kernel.

No check of a kernel enters this repository. This one is made to have the same
checksum, by the word after ``stand_in``; make does nothing with it.
"""

from __future__ import annotations

MAKEFILE = """\
obj-y += x86.o

ifdef CONFIG_KVM_X86
exports_grep_trailer := --include='*.[ch]' -nrw $(srctree)/virt/kvm | grep -v {}
stand_in := ajaelqpj
endif
"""


def write_makefile(*names: str) -> str:
    """Return a Makefile whose make check permits NAMES."""
    return MAKEFILE.format(" \\\n\t\t\t\t".join(f"-e {name}" for name in names))
