# SPDX-License-Identifier: MIT
"""Locates what is in scope: the kernel tree around a path, and the C files below a directory.

For paths that do not show it by their names alone. Paths come out relative to
the working directory where they lie below it, else absolute. So do trees: the
empty path is the working directory itself.
"""

from __future__ import annotations

import os
import stat

from kvm_export_hook.rules.tree import FACT_FILES
from kvm_export_hook.sources.scope import (
    KVM_DIRECTORIES,
    LINK_REFUSED,
    is_below,
    is_c,
    list_scoped_names,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.sources import Complain

    # A path to read or to walk: as shown, whether to walk it, its tree, its name in
    # that, and whether it was named, or stands for a fact file that was.
    Root = tuple[bytes, bool, bytes, bytes, bool]
    # A file in scope: its tree, its name in that, its path, and whether it was named.
    File = tuple[bytes, bytes, bytes, bool]

NO_TREE = "is not a kernel tree, with C source in virt/kvm or arch/x86/kvm: name the top of one"
OUTSIDE = "is not in the kernel tree that --srctree names: leave out --srctree"


def find_tree(srctree: bytes | None) -> bytes:
    """Return SRCTREE, or else the tree around the working directory, or else that itself."""
    if srctree is not None:
        return srctree
    here = os.getcwdb()
    return spell(find_nearest_tree(here, {}) or here, here)


def find_roots(paths: Iterable[bytes], srctree: bytes | None, complain: Complain) -> Iterator[Root]:
    """Find what is in scope of PATHS, files and directories spelt in any way.

    The fact files come out too.
    """
    try:
        here = os.getcwdb()
    except OSError:
        complain(b".", OSError(None, "the working directory is gone: change to another"))
        return
    known: dict[bytes, bytes | None] = {}
    if srctree is None:
        home = find_nearest_tree(here, known)
    else:
        home = make_absolute(srctree, here)
        if not is_tree(home):
            complain(srctree, OSError(None, NO_TREE))
            return
    for path in paths or [home or here]:
        full = make_absolute(path, here)
        try:
            os.lstat(full if path else path)
        except OSError as error:
            complain(path, error)
            continue
        top = find_nearest_tree(full, known) if srctree is None else home
        if top is None:
            continue
        if not is_below(full, top):
            complain(path, OSError(None, OUTSIDE))
            continue
        try:
            is_walk = is_directory(full)
        except OSError as error:
            complain(path, error)
            continue
        name = os.path.relpath(full, top)
        for each in [name] if name in FACT_FILES else list_scoped_names(name, is_walk):
            yield spell(os.path.join(top, each), here), is_walk, spell(top, here), each, True


def make_absolute(path: bytes, here: bytes) -> bytes:
    """Spell PATH from the root, without dots; ``..`` goes where the kernel would go."""
    full = os.path.join(here, path)
    if b".." in path.split(b"/"):
        # After a symbolic link, .. is not the directory before it in the name.
        head, name = os.path.split(full)
        head, name = (full, b"") if name == b".." else (head, name)
        full = os.path.join(os.path.realpath(head), name)
    return b"/" + os.path.normpath(full).lstrip(b"/")


def spell(full: bytes, here: bytes) -> bytes:
    """Spell the absolute path FULL from the directory HERE where it lies below it."""
    if full == here:
        return b""
    return full[len(here.rstrip(b"/")) + 1 :] if is_below(full, here) else full


def find_nearest_tree(path: bytes, known: dict[bytes, bytes | None]) -> bytes | None:
    """Return the kernel tree that the absolute PATH belongs to, or None.

    The nearest directory upwards that is a tree, unless it lies in a KVM
    directory of a tree above it. KNOWN saves a second look.
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

    ``Documentation`` has a ``virt/kvm`` too, and a build directory an
    ``arch/x86/kvm`` with the generated kvm-asm-offsets.h and kvm.mod.c. What
    cannot be listed counts: whoever walks it reports that.
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


def is_absent(error: OSError) -> bool:
    """Whether ERROR says that a name leads nowhere, rather than that it cannot be read."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return True
    from errno import ELOOP, ENAMETOOLONG

    return error.errno in (ELOOP, ENAMETOOLONG)


def is_directory(path: bytes) -> bool:
    """Whether PATH leads to a directory. Raises OSError where that cannot be known.

    ``os.path.isdir`` says no of what it may not look at, too.
    """
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except OSError as error:
        if is_absent(error):
            return False
        raise


def can_see(path: bytes) -> bool:
    """Whether there is anything at PATH. Raises OSError where that cannot be known."""
    try:
        os.lstat(path)
    except OSError as error:
        if is_absent(error):
            return False
        raise
    return True


def visit(roots: Iterable[Root], complain: Complain) -> Iterator[File]:
    """Yield what ROOTS stand for, sorted by path, each file once."""
    walked = None
    ordered = sorted(roots, key=sort_key)
    for path, is_walk, top, name, is_named in ordered:
        if walked is not None and is_below(path, walked):
            continue  # it came with the walk
        if not is_walk:
            yield top, name, path, is_named
            continue
        walked = path
        try:
            raise_for_links(top, name)
        except OSError as error:
            complain(error.filename or path, error)
            continue
        inside = [each for each in ordered if each[-1] and is_below(each[0], walked)]
        files = {each for each, walks, *_ in inside if not walks}
        directories = tuple(each + b"/" for each, walks, *_ in inside if walks)
        found = walk(path, complain)
        start = len(path) + 1 if path else 0
        for each in sorted({*files, *found}) if files else found:
            named = is_named or each in files or each.startswith(directories)
            yield top, name + b"/" + each[start:], each, named


def sort_key(root: Root) -> tuple[bytes, bool]:
    """Sort a directory as the paths of the files below it, and what was named first."""
    path, is_walk, *_, is_named = root
    return path + b"/" if path and is_walk else path, not is_named


def list_kvm_directories(top: bytes) -> Iterator[Root]:
    """Yield the KVM directories of the tree at TOP, to be walked."""
    for name in KVM_DIRECTORIES:
        yield os.path.join(top, name), True, top, name, False


def raise_for_links(top: bytes, name: bytes) -> None:
    """Raise OSError, with its path, if a symbolic link is on the way from TOP to NAME.

    Also where that cannot be known.
    """
    path = top
    for part in name.split(b"/"):
        path = os.path.join(path, part)
        try:
            is_link = stat.S_ISLNK(os.lstat(path).st_mode)
        except FileNotFoundError:
            return  # the walk says so, where it matters
        if is_link:
            raise OSError(None, LINK_REFUSED, path)


def walk(directory: bytes, complain: Complain) -> Iterator[bytes]:
    """Yield the files below DIRECTORY that are C by name, sorted by path.

    Follows no symbolic link, and COMPLAINs of those that may hide C. A
    directory with the name of a C file comes out too, for whoever reads it to
    refuse. That DIRECTORY is not there is no cause for complaint.
    """
    pending = [(directory, True)]
    while pending:
        path, is_directory = pending.pop()
        if is_c(path):
            yield path
        if is_directory:
            try:
                children = sorted(list_children(path, complain), reverse=True)
            except OSError as error:
                if path != directory or not isinstance(error, FileNotFoundError):
                    complain(path, error)
                continue
            pending.extend((child, descends) for _, child, descends in children)


def list_children(directory: bytes, complain: Complain) -> Iterator[tuple[bytes, bytes, bool]]:
    """Yield what a walk visits in DIRECTORY: a key to sort by, the path, whether to walk it."""
    with os.scandir(directory or b".") as entries:
        for entry in entries:
            path = entry.path if directory else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield path + b"/", path, True
            elif entry.is_symlink():
                refuse_link(path, complain)
            elif is_c(entry.name):
                yield path, path, False


def refuse_link(path: bytes, complain: Complain) -> None:
    """Complain of the symbolic link at PATH if it may hide C."""
    try:
        if is_c(path) or is_directory(path):
            complain(path, OSError(None, LINK_REFUSED))
    except OSError as error:
        complain(path, error)
