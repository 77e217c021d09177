# SPDX-License-Identifier: MIT
"""Walks directories for files that are C by name. Follows no symbolic link."""

from __future__ import annotations

import os
import stat

from kvm_export_hook.files.look import is_directory
from kvm_export_hook.rules.scope import KVM_DIRECTORIES, LINK_REFUSED, is_below, is_c

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.run import Complain

    # A path to read or to walk: as shown, whether to walk it, its tree, its name in that
    # tree, and whether the user named it, and not a fact file of its tree.
    Root = tuple[bytes, bool, bytes, bytes, bool]
    # A file in scope: its tree, its name in that tree, its path, and whether it was named.
    SourceFile = tuple[bytes, bytes, bytes, bool]


def visit(roots: Iterable[Root], complain: Complain) -> Iterator[SourceFile]:
    """Yield the files of ROOTS, sorted by path, each once."""
    walked = None
    ordered = sorted(roots, key=sort_key)
    for path, is_walk, top, name, is_named in ordered:
        if walked is not None and is_below(path, walked):
            continue  # the walk has yielded it
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
    """Sort a directory like the files below it; of equal paths, a named one comes first."""
    path, is_walk, *_, is_named = root
    return path + b"/" if path and is_walk else path, not is_named


def list_kvm_directories(top: bytes) -> Iterator[Root]:
    """Yield the KVM directories of the tree at TOP, to be walked."""
    for name in KVM_DIRECTORIES:
        yield os.path.join(top, name), True, top, name, False


def raise_for_links(top: bytes, name: bytes) -> None:
    """Raise OSError, with its path, if there is or may be a symbolic link between TOP and NAME."""
    path = top
    for part in name.split(b"/"):
        path = os.path.join(path, part)
        try:
            is_link = stat.S_ISLNK(os.lstat(path).st_mode)
        except FileNotFoundError:
            return  # the walk reports it
        if is_link:
            raise OSError(None, LINK_REFUSED, path)


def walk(directory: bytes, complain: Complain) -> Iterator[bytes]:
    """Yield the files below DIRECTORY that are C by name, sorted by path.

    Follows no symbolic link, and COMPLAINs of those that may hide C. Also yields a
    directory with the name of a C file: its reader refuses it. DIRECTORY itself may
    be missing.
    """
    pending = [(directory, True)]
    while pending:
        path, descends = pending.pop()
        if is_c(path):
            yield path
        if descends:
            try:
                children = sorted(list_children(path, complain), reverse=True)
            except OSError as error:
                if path != directory or not isinstance(error, FileNotFoundError):
                    complain(path, error)
                continue
            pending.extend((child, walks) for _, child, walks in children)


def list_children(directory: bytes, complain: Complain) -> Iterator[tuple[bytes, bytes, bool]]:
    """Yield what a walk visits in DIRECTORY: a key to sort by, the path, whether it is walked."""
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
