# SPDX-License-Identifier: MIT
"""Finds what is in scope of a path: the kernel tree around it, and the files it stands for.

Needed for paths whose names alone do not show that. Paths and trees below the working
directory come out relative to it, others absolute; the empty path is the working
directory itself.
"""

from __future__ import annotations

import os

from kvm_export_hook.files.look import is_absent, is_directory
from kvm_export_hook.rules.scope import (
    FACT_FILES,
    KVM_DIRECTORIES,
    KVM_SHOWN,
    is_below,
    list_scoped_names,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.files.walk import Root
    from kvm_export_hook.run import Complain

NO_TREE_MESSAGE = f"is not a kernel tree (no C source in {KVM_SHOWN}): name the top of one"
FROM_HERE_MESSAGE = "no such file in this directory: name it as {}"
NO_PATH_MESSAGE = "check the name; for a commit or a range, use --commits"
OUTSIDE_SRCTREE_MESSAGE = "is not in the kernel tree that --srctree names: leave out --srctree"


def find_tree(srctree: bytes | None) -> bytes:
    """Return SRCTREE, or else the tree around the working directory, or else that directory."""
    if srctree is not None:
        return srctree
    here = os.getcwdb()
    return make_relative(find_nearest_tree(here, {}) or here, here)


def find_roots(paths: Iterable[bytes], srctree: bytes | None, complain: Complain) -> Iterator[Root]:
    """Yield what is in scope of PATHS: files, directories to walk, and fact files."""
    try:
        here = os.getcwdb()
    except OSError:
        complain(b".", OSError(None, "the working directory is gone: change to another"))
        return
    known: dict[bytes, bytes | None] = {}
    if srctree is None:
        default = find_nearest_tree(here, known)
    else:
        default = make_absolute(srctree, here)
        if not is_tree(default):
            complain(srctree, explain_no_tree(default))
            return
    for path in paths or [default or here]:
        full = make_absolute(path, here)
        try:
            os.lstat(full if path else path)
            top = find_nearest_tree(full, known) if srctree is None else default
            if top is not None:
                yield from find_in_tree(full, top, here)
        except OSError as error:
            complain(path, explain_absence(path, error))


def explain_no_tree(path: bytes) -> OSError:
    """Return the error that says why PATH, which is absolute, is not a kernel tree."""
    try:
        os.stat(path)
    except OSError as error:
        return error
    return OSError(None, NO_TREE_MESSAGE)


def explain_absence(path: bytes, error: OSError) -> OSError:
    """Return ERROR, or a better one if PATH is a name from the top of the tree, or a revision."""
    if not isinstance(error, FileNotFoundError) or not path or os.path.isabs(path):
        return error
    here = os.getcwdb()
    top = find_nearest_tree(here, {})
    if top is None or not os.path.lexists(os.path.join(top, path)):
        may_be_revision = b"/" not in path or b".." in path
        return OSError(None, f"{error.strerror}: {NO_PATH_MESSAGE}") if may_be_revision else error
    from kvm_export_hook.escape import make_printable

    name = make_printable(os.path.relpath(os.path.join(top, path), here))
    return OSError(None, FROM_HERE_MESSAGE.format(name))


def find_in_tree(full: bytes, top: bytes, here: bytes) -> Iterator[Root]:
    """Yield what is in scope of the absolute path FULL in the tree at TOP, as named from HERE.

    Raises OSError for a path outside of that tree, and for one that cannot be looked at.
    """
    if not is_below(full, top):
        raise OSError(None, OUTSIDE_SRCTREE_MESSAGE)
    is_walk = is_directory(full)
    name = os.path.relpath(full, top)
    for each in [name] if name in FACT_FILES else list_scoped_names(name, is_walk):
        path = make_relative(os.path.join(top, each), here)
        yield path, is_walk, make_relative(top, here), each, True


def make_absolute(path: bytes, here: bytes) -> bytes:
    """Make PATH absolute, without ``.`` and ``..``; links before a ``..`` are followed."""
    full = os.path.join(here, path)
    if b".." in path.split(b"/"):
        # After a symbolic link, .. is not the directory before it in the name.
        head, name = os.path.split(full)
        full = os.path.join(os.path.realpath(head), name)
    return b"/" + os.path.normpath(full).lstrip(b"/")


def make_relative(full: bytes, here: bytes) -> bytes:
    """Make the absolute path FULL relative to the directory HERE, if it lies below it."""
    if full == here:
        return b""
    return full[len(here.rstrip(b"/")) + 1 :] if is_below(full, here) else full


def find_nearest_tree(path: bytes, known: dict[bytes, bytes | None]) -> bytes | None:
    """Return the kernel tree that the absolute PATH belongs to, or None.

    This is the nearest directory upwards that is a tree, unless it lies in a KVM
    directory of a tree above it. KNOWN remembers the answers.
    """
    passed = []
    while path not in known:
        passed.append(path)
        above = os.path.dirname(path)
        if above == path:
            break
        path = above
    found = known.get(path)
    for path in reversed(passed):
        if not (found is not None and is_in_kvm(path, found)) and is_tree(path):
            found = path
        known[path] = found
    return found


def is_in_kvm(path: bytes, top: bytes) -> bool:
    """Whether PATH is one of the KVM directories of the tree at TOP, or lies in one."""
    return any(is_below(path, os.path.join(top, name)) for name in KVM_DIRECTORIES)


def is_tree(directory: bytes) -> bool:
    """Whether DIRECTORY holds C source directly in one of its KVM directories.

    ``Documentation`` has a ``virt/kvm`` too, and a build directory has an
    ``arch/x86/kvm`` with the generated kvm-asm-offsets.h and kvm.mod.c. A directory
    that cannot be listed counts: the walk reports it.
    """
    for kvm in KVM_DIRECTORIES:
        try:
            with os.scandir(os.path.join(directory, kvm)) as entries:
                for entry in entries:
                    if entry.name.endswith(b".c") and not entry.name.endswith(b".mod.c"):
                        return True
        except OSError as error:
            if not is_absent(error):
                return True
    return False
