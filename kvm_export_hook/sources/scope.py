# SPDX-License-Identifier: MIT
"""Which paths are C sources of KVM; walks directories; opens and reads files safely.

A path is in scope when it lies in one of the two KVM directories of the kernel
tree that it belongs to. The names that git gives to a hook, ``virt/kvm/x.c``
from the top of the tree, show that without a look at the disk.

Paths come out relative to the working directory where they lie below it, else
absolute. So do trees: the empty path is the working directory itself.
"""

from __future__ import annotations

import os
import stat

from identify.extensions import EXTENSIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Complain = Callable[[bytes, OSError], object]
    Root = tuple[bytes, bool, bytes]  # a path, whether to walk it, its tree

KVM_DIRECTORIES = (b"arch/x86/kvm", b"virt/kvm")
C_EXTENSIONS = frozenset(name.encode() for name, tags in EXTENSIONS.items() if "c" in tags)

# Opens a FIFO without a writer, too, and makes no terminal the process's own.
READ_WITHOUT_WAITING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY

FROM_THE_TOP = tuple(directory + b"/" for directory in KVM_DIRECTORIES)


def targets(
    paths: Iterable[bytes], srctree: bytes | None, complain: Complain
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the tree and the path of every file in scope, sorted by path, each once.

    Without PATHS: of all files of SRCTREE, by default the tree around the
    working directory. COMPLAIN is told of each path that could not be read.
    """
    roots: set[Root] = set()
    others = []
    for path in paths:
        if srctree is None and is_named_from_the_top(path):
            roots.add((path, False, b""))
        else:
            others.append(path)
    if others or not roots:
        roots.update(resolved(others, srctree, complain))
    walked = None
    for path, walks, tree in sorted(roots, key=lambda root: root[0] and root[0] + b"/" * root[1]):
        if walked is not None and is_below(path, walked):
            continue  # it came with the walk
        if not walks:
            yield tree, path
            continue
        walked = path
        named = [name for name, is_walk, _ in roots if not is_walk and is_below(name, walked)]
        found = walk(path, complain)
        for name in sorted({*named, *found}) if named else found:
            yield tree, name


def is_named_from_the_top(path: bytes) -> bool:
    """Whether the name alone, as git gives it, shows that PATH is in scope."""
    return path.startswith(FROM_THE_TOP) and b"/." not in path and b"//" not in path and is_c(path)


def is_in_scope(name: bytes) -> bool:
    """Whether a file of this NAME from the top of its tree is in scope."""
    name = os.path.normpath(name)
    return name.startswith(FROM_THE_TOP) and is_c(name)


def tree_around(srctree: bytes | None) -> bytes:
    """Find SRCTREE, or else the tree around the working directory, or else that itself."""
    if srctree is not None:
        return srctree
    here = os.getcwdb()
    return shown(nearest_tree(here, {}) or here, here)


def resolved(paths: Iterable[bytes], srctree: bytes | None, complain: Complain) -> Iterator[Root]:
    """Find what is in scope of PATHS, files and directories spelt in any way."""
    try:
        here = os.getcwdb()
    except OSError:
        complain(b".", OSError(None, "the working directory is gone: change to another"))
        return
    known: dict[bytes, bytes | None] = {}
    if srctree is None:
        home = nearest_tree(here, known)
    else:
        home = absolute(srctree, here)
        if not is_tree(home):
            reason = "no kernel tree: it has no C source below virt/kvm or arch/x86/kvm"
            complain(srctree, OSError(None, reason))
            return
    for path in paths or [home or here]:
        full = absolute(path, here)
        try:
            os.lstat(full if path else path)
        except OSError as error:
            complain(path, error)
            continue
        walks = os.path.isdir(full)
        tree = home
        if walks and is_tree(full):
            tree = full
        elif home is None or not is_below(full, home):
            tree = nearest_tree(full, known)
        if tree is not None:
            for name in scoped_names(os.path.relpath(full, tree), walks):
                yield shown(os.path.join(tree, name), here), walks, shown(tree, here)


def absolute(path: bytes, here: bytes) -> bytes:
    """Spell PATH from the root, without dots; ``..`` goes where the kernel would go."""
    full = os.path.join(here, path)
    if b".." in path.split(b"/"):
        # Behind a symbolic link, .. is not the directory before it in the name.
        head, name = os.path.split(full)
        head, name = (full, b"") if name == b".." else (head, name)
        full = os.path.join(os.path.realpath(head), name)
    return b"/" + os.path.normpath(full).lstrip(b"/")


def shown(full: bytes, here: bytes) -> bytes:
    """Spell the absolute path FULL from the directory HERE where it lies below it."""
    if full == here:
        return b""
    return full[len(here.rstrip(b"/")) + 1 :] if is_below(full, here) else full


def name_in_tree(path: bytes, top: bytes) -> bytes:
    """Spell PATH from the TOP of its tree, as git does."""
    return os.path.relpath(path, top or b".")


def is_below(path: bytes, directory: bytes) -> bool:
    """Whether PATH is DIRECTORY or lies below it; below the empty one lies what is relative."""
    if not directory:
        return not path.startswith(b"/")
    return path == directory or path.startswith(directory.rstrip(b"/") + b"/")


def nearest_tree(directory: bytes, known: dict[bytes, bytes | None]) -> bytes | None:
    """Find the nearest kernel tree around DIRECTORY, or None; KNOWN saves a second look."""
    passed = []
    while directory not in known:
        passed.append(directory)
        if is_tree(directory):
            known[directory] = directory
        elif os.path.dirname(directory) == directory:
            known[directory] = None
        else:
            directory = os.path.dirname(directory)
    known.update(dict.fromkeys(passed, known[directory]))
    return known[directory]


def is_tree(directory: bytes) -> bool:
    """Whether DIRECTORY holds source of KVM.

    ``Documentation`` has a ``virt/kvm`` too, and a build directory an
    ``arch/x86/kvm`` with the generated kvm-asm-offsets.h and kvm.mod.c.
    """
    return any(
        path.endswith(b".c") and not path.endswith(b".mod.c")
        for name in KVM_DIRECTORIES
        for path in walk(os.path.join(directory, name), lambda *_: None)
    )


def scoped_names(name: bytes, is_directory: bool) -> list[bytes]:
    """Name what is in scope of a file or directory NAME of a kernel tree."""
    if (name + b"/" * is_directory).startswith(FROM_THE_TOP):
        return [name] if is_directory or is_c(name) else []
    if not is_directory:
        return []
    return [kvm for kvm in KVM_DIRECTORIES if name == b"." or is_below(kvm, name)]


def is_c(path: bytes) -> bool:
    """Whether identify tags a file of this name as C."""
    _stem, dot, extension = os.path.basename(path).lstrip(b".").rpartition(b".")
    return extension.lower() in C_EXTENSIONS if dot else False


def walk(directory: bytes, complain: Complain) -> Iterator[bytes]:
    """Yield the files below DIRECTORY that are C by name, sorted by path.

    Follows no symbolic link. A directory with the name of a C file comes out
    too, for whoever reads it to refuse. COMPLAIN is told of what cannot be
    listed; that DIRECTORY is not there is no cause.
    """
    pending = [(directory, True)]
    while pending:
        path, is_directory = pending.pop()
        if is_c(path):
            yield path
        if not is_directory:
            continue
        entries = []
        try:
            with os.scandir(path or b".") as listing:
                for entry in listing:
                    child = os.path.join(path, entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        entries.append((child + b"/", child, True))
                    elif is_c(entry.name) and not entry.is_symlink():
                        entries.append((child, child, False))
        except OSError as error:
            if path != directory or not isinstance(error, FileNotFoundError):
                complain(path, error)
        entries.sort(reverse=True)
        pending.extend((child, descends) for _, child, descends in entries)


def read(path: bytes) -> bytes:
    """Read a regular file whole. Raises OSError for anything else, and never waits."""
    descriptor = os.open(path, READ_WITHOUT_WAITING)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise not_a_file(status.st_mode)
        data = os.read(descriptor, status.st_size + 1)
        # That may not be all, of a file that grows or of more than 2 GB.
        while len(data) != status.st_size and (more := os.read(descriptor, len(data) + 1)):
            data += more
        return data
    except MemoryError:
        raise OSError(None, "is too large for this machine's memory") from None
    finally:
        os.close(descriptor)


def not_a_file(mode: int) -> OSError:
    """Say what it is that has this MODE."""
    if stat.S_ISDIR(mode):
        from errno import EISDIR

        return IsADirectoryError(EISDIR, os.strerror(EISDIR))
    kind = "FIFO" if stat.S_ISFIFO(mode) else "device"
    return OSError(None, f"is a {kind}, not a regular file: name a source file")
