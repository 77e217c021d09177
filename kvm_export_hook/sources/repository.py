# SPDX-License-Identifier: MIT
"""Where the git repository around a directory begins, mostly without asking git."""

from __future__ import annotations

import os

from kvm_export_hook.sources.locate import find_nearest_tree
from kvm_export_hook.sources.process import GitError, ask_git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.sources import Input


def find_kernel(srctree: bytes | None) -> tuple[bytes, bytes, bytes | None]:
    """Find the kernel that SRCTREE names, or else the one around the working directory.

    Returns where to run git (empty: here), the path of the kernel from the top
    of the repository (empty, or with a slash at its end), and the top of the
    working tree if there is one. The kernel need not be on this disk: a
    repository may be bare, a checkout sparse. Raises GitError where that path
    cannot be known.
    """
    try:
        here = os.getcwdb()
    except OSError as error:
        raise GitError("the working directory is gone: change to another") from error
    kernel = find_nearest_tree(here, {})
    start = b""
    if srctree is not None:
        kernel = os.path.join(here, srctree)
        start = kernel if os.path.isdir(kernel) and not is_repository_set() else b""
    top = find_worktree(start or here)
    if top is None:
        return start, make_prefix(srctree or b"."), None
    if kernel is None:
        return start, b"", top
    path = os.path.relpath(os.path.realpath(kernel), os.path.realpath(top))
    if path == b".." or path.startswith(b"../"):
        if srctree is None:
            return start, b"", top
        raise GitError("the --srctree directory is not in this repository: run this in its own")
    return start, make_prefix(path), top


def make_prefix(path: bytes) -> bytes:
    """Spell a relative PATH as a prefix of names. Raises GitError for what git cannot be asked."""
    path = os.path.normpath(path)
    if b"\n" in path:
        raise GitError("git cannot read a path that contains a newline: rename the directory")
    return b"" if path == b"." else path + b"/"


def is_repository_set() -> bool:
    """Whether the environment names the repository, as git does for its hooks."""
    return b"GIT_DIR" in os.environb


def find_worktree(directory: bytes) -> bytes | None:
    """Return the top of the working tree that git uses in DIRECTORY, or None: it has none.

    GIT_DIR does not say: in the hook of a linked worktree git sets it alone,
    and after a change of directory takes that for the top. The index is still
    that of the whole. But GIT_DIR may be of a repository that lies elsewhere,
    and whose configuration names the working tree.
    """
    worktree = os.environb.get(b"GIT_WORK_TREE")
    if worktree:
        return os.path.abspath(worktree)
    top = find_top(directory)
    if not is_repository_set() or (top is not None and is_set_to(top)):
        return top
    said = ask_git(b"rev-parse", b"--show-toplevel", directory=directory)
    return said[:-1] if said else None


def is_set_to(top: bytes) -> bool:
    """Whether the repository that the environment names is the one of the working tree at TOP."""
    path = os.path.join(top, b".git")
    try:
        if os.path.isfile(path):
            with open(path, "rb") as file:
                path = os.path.join(top, file.read().rstrip(b"\n").removeprefix(b"gitdir: "))
        return os.path.samefile(path, os.environb[b"GIT_DIR"])
    except OSError:
        return False


def find_top(directory: bytes) -> bytes | None:
    """Return the top of the working tree around the absolute DIRECTORY, or None.

    It is where ``.git`` is: a directory, or a file in a linked worktree or a
    submodule. Like git, this passes over a directory of that name that is no
    repository.
    """
    while not has_repository(directory):
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above
    return directory


def has_repository(directory: bytes) -> bool:
    """Whether DIRECTORY is the top of a working tree."""
    path = os.path.join(directory, b".git")
    return os.path.isfile(path) or os.path.lexists(os.path.join(path, b"HEAD"))


def name_in_repository(input_: Input) -> bytes:
    """Spell the path of INPUT_ from the top of its repository, or else of its kernel tree."""
    if input_.top is None:
        return input_.path
    kernel = os.path.abspath(input_.top or b".")
    top = find_top(kernel)
    if top is None:
        return input_.name
    return os.path.relpath(os.path.join(kernel, input_.name), top)
