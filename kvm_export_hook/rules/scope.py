# SPDX-License-Identifier: MIT
"""Which paths are C sources of KVM, by their names alone. Pure.

A path is in scope when it lies in one of the KVM directories of its kernel tree.
The names that git gives to a hook start at the top of the tree (``virt/kvm/x.c``),
so the name alone shows it.
"""

from __future__ import annotations

from posixpath import basename, normpath

# The only place that says where KVM is, and which two files hold the facts of a tree. All
# patterns, messages and lists of names are made from these, except .pre-commit-hooks.yaml.
# The make check reads each of these directories; ``fit`` relies on that.
KVM_DIRECTORIES = (b"arch/x86/kvm", b"virt/kvm")
KVM_TYPES = b"include/linux/kvm_types.h"
MAKEFILE = b"arch/x86/kvm/Makefile"

FACT_FILES = (KVM_TYPES, MAKEFILE)
FROM_THE_TOP = tuple(directory + b"/" for directory in KVM_DIRECTORIES)
KVM_SHOWN = b" or ".join(reversed(KVM_DIRECTORIES)).decode()

# What to say of a link in the place of a file or directory in scope.
LINK_REFUSED = "is a symbolic link, which is not followed: name the file that it points to"

# What the make check reads, by --include='*.[ch]'. Identify tags these as C, and also .C
# and .H; a test compares this with identify's table.
C_SUFFIXES = (b".c", b".h")


def is_named_from_the_top(path: bytes) -> bool:
    """Whether PATH is in scope as a name from the top of the tree, in git's spelling."""
    return path.startswith(FROM_THE_TOP) and b"/." not in path and b"//" not in path and is_c(path)


def is_in_scope(name: bytes) -> bool:
    """Whether the file NAME, from the top of its tree and in any spelling, is in scope."""
    return is_source(normpath(name))


def is_source(name: bytes) -> bool:
    """Whether the file NAME, from the top of its tree and in git's spelling, is in scope."""
    return name.startswith(FROM_THE_TOP) and is_c(name)


def is_c(path: bytes) -> bool:
    """Whether PATH has the ending of a C file; ``.C`` alone is a hidden file without one."""
    if is_grepped(path):
        return True
    return path.lower().endswith(C_SUFFIXES) and bool(path[path.rfind(b"/") + 1 : -2].strip(b"."))


def is_grepped(path: bytes) -> bool:
    """Whether the make check reads a file with this name: ``x.c`` and ``.c``, not ``x.C``."""
    return path.endswith(C_SUFFIXES)


def is_c_to_identify(path: bytes) -> bool:
    """Whether identify tags a file with this name as C: for names that are typed by hand."""
    if is_c(path):
        return True
    from identify.extensions import EXTENSIONS

    _stem, dot, extension = basename(path).lstrip(b".").rpartition(b".")
    return bool(dot) and "c" in EXTENSIONS.get(extension.decode("ascii", "replace").lower(), ())


def list_scoped_names(name: bytes, is_directory: bool) -> list[bytes]:
    """List what is in scope of a file or directory NAME of a kernel tree."""
    if (name + b"/" * is_directory).startswith(FROM_THE_TOP):
        return [name] if is_directory or is_c_to_identify(name) else []
    if not is_directory:
        return []
    return [kvm for kvm in KVM_DIRECTORIES if name == b"." or is_below(kvm, name)]


def list_down_to(path: bytes) -> list[bytes]:
    """List the directories above PATH, the topmost first, and then PATH itself."""
    parts = path.split(b"/")
    return [b"/".join(parts[: count + 1]) for count in range(len(parts))]


def is_below(path: bytes, directory: bytes) -> bool:
    """Whether PATH is DIRECTORY or below it; every relative path is below an empty one."""
    if not directory:
        return not path.startswith(b"/")
    return path == directory or path.startswith(directory.rstrip(b"/") + b"/")
