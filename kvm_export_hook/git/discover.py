# SPDX-License-Identifier: MIT
"""Finds the top of the git repository around a directory, mostly without asking git.

Git is run at that top. In a subdirectory, it would take a directory with ``HEAD``,
``objects`` and ``refs`` for a bare repository, and obey its configuration; anybody can
commit such a directory. ``--git-dir`` is no alternative: it switches off git's own
check of who owns the repository.
"""

from __future__ import annotations

import os

from kvm_export_hook.files.locate import find_nearest_tree
from kvm_export_hook.files.look import exists, is_directory
from kvm_export_hook.git.process import GitError, ask_git, forget_repository
from kvm_export_hook.rules.scope import is_below

GIT_DIRECTORY_MESSAGE = (
    "the working directory is a git directory inside another repository: set GIT_DIR to it, or"
    " change to the top of that repository"
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeGuard

    from kvm_export_hook.values import Text


def find_kernel(srctree: bytes | None) -> tuple[bytes, bytes, bytes | None]:
    """Find the kernel that SRCTREE names, or else the one around the working directory.

    Returns where to run git (empty: here), the path of the kernel from the top
    of the repository (empty, or with a slash at its end), and the top of the
    working tree if there is one. The kernel need not be on this disk: a
    repository may be bare, a checkout sparse. Raises GitError if that path cannot
    be known, and OSError for what cannot be looked at.
    """
    try:
        here = os.getcwdb()
    except FileNotFoundError as error:
        raise GitError("the working directory is gone: change to another") from error
    kernel = find_nearest_tree(here, {}) if srctree is None else os.path.join(here, srctree)
    start = kernel if srctree is not None and kernel and is_directory(kernel) else here
    if is_repository_set():
        directory, top = b"", find_worktree(here)
        if is_another_repository(inner := find_top(os.path.realpath(start)), top):
            directory = top = inner
    else:
        directory, top = find_repository(os.path.realpath(start))
    if top is None:
        # In a bare repository there is only what was named.
        return directory, make_prefix(srctree or b"."), None
    if kernel is None or not is_directory(kernel):
        refuse_git_directory(here, top)
    if kernel is None:
        return directory, b"", top
    path = os.path.relpath(os.path.realpath(kernel), os.path.realpath(top))
    if path == b".." or path.startswith(b"../"):
        if srctree is None:
            return directory, b"", top
        os.stat(kernel)  # which raises OSError if it is nowhere at all
        raise GitError("the --srctree directory is not in this repository: run this in its own")
    return directory, make_prefix(path), top


def refuse_git_directory(here: bytes, top: bytes) -> None:
    """Raise GitError if the directory HERE is, or is in, a git directory below TOP.

    An honest bare repository looks the same as one that somebody has committed.
    """
    inner = None if is_repository_set() else find_upwards(here, is_repository)
    if inner is not None and is_below(inner, os.path.realpath(top)):
        raise GitError(GIT_DIRECTORY_MESSAGE)


def find_repository(directory: bytes) -> tuple[bytes, bytes | None]:
    """Find the repository around the absolute DIRECTORY: where to run git, and its working tree.

    The second is None for a bare repository, which counts only if no working tree is
    around it. If there is neither, git is run at DIRECTORY, and says so. Raises OSError
    for what cannot be looked at.
    """
    top = find_top(directory)
    if top is not None:
        return top, top
    return find_upwards(directory, is_repository) or directory, None


def make_prefix(path: bytes) -> bytes:
    """Make a prefix of names of a relative PATH. Raises GitError for one that git cannot read."""
    path = os.path.normpath(path)
    if b"\n" in path:
        raise GitError("git cannot read a path that contains a newline: rename the directory")
    return b"" if path == b"." else path + b"/"


def is_repository_set() -> bool:
    """Whether the environment names the repository, as git does for its hooks."""
    return b"GIT_DIR" in os.environb


def find_worktree(directory: bytes) -> bytes | None:
    """Return the top of the working tree that git uses in DIRECTORY; None if it has none.

    Git cannot simply be asked: in the hook of a linked worktree it sets only GIT_DIR, and
    then takes any current directory for the top. But GIT_DIR may also name a repository
    elsewhere, whose configuration names the working tree: then git is asked.
    """
    worktree = os.environb.get(b"GIT_WORK_TREE")
    if worktree:
        return os.path.abspath(worktree)
    top = find_top(directory)
    if not is_repository_set() or (top is not None and is_named_by_git_dir(top)):
        return top
    said = ask_git(b"rev-parse", b"--show-toplevel", directory=directory)
    return said[:-1] if said else None


def is_named_by_git_dir(top: bytes) -> bool:
    """Whether GIT_DIR names the repository of the working tree at TOP."""
    try:
        return os.path.samefile(find_git_directory(top), os.environb[b"GIT_DIR"])
    except OSError:
        return False


def find_git_directory(top: bytes) -> bytes:
    """Return the path of the git directory of the working tree at TOP. Raises OSError."""
    path = os.path.join(top, b".git")
    if not os.path.isfile(path):
        return path
    with open(path, "rb") as file:
        return os.path.join(top, file.read().rstrip(b"\n").removeprefix(b"gitdir: "))


def is_another_repository(inner: bytes | None, top: bytes | None) -> TypeGuard[bytes]:
    """Whether INNER is the top of another repository than the one that GIT_DIR names.

    A submodule is, in the hook of its superproject, whose working tree is at TOP.
    """
    if inner is None:
        return False
    if top is not None and inner != (outer := os.path.realpath(top)) and is_below(inner, outer):
        return True
    modules = os.path.join(os.path.realpath(os.environb[b"GIT_DIR"]), b"modules")
    return is_below(os.path.realpath(find_git_directory(inner)), modules)


def find_environment(directory: bytes) -> dict[bytes, bytes] | None:
    """Choose the variables for git, run in DIRECTORY; None: those of this process.

    In the hook of another repository, such as the superproject, git would otherwise read
    the index of that one.
    """
    if is_repository_set():
        return forget_repository() if directory else None
    index = os.environb.get(b"GIT_INDEX_FILE")
    if index and is_index_of_another(os.path.join(directory, index), directory):
        return forget_repository()
    return None


def is_index_of_another(index: bytes, top: bytes) -> bool:
    """Whether the path INDEX leads nowhere, or into another repository than the one at TOP."""
    directory = os.path.dirname(index)
    if not is_directory(directory):
        return True
    own = find_git_directory(top)
    return is_repository(directory) and is_directory(own) and not os.path.samefile(directory, own)


def find_top(directory: bytes) -> bytes | None:
    """Return the top of the working tree around the absolute DIRECTORY, or None.

    The top has a ``.git``: a directory, or a file in a linked worktree or a submodule. Like
    git, this ignores a directory of that name that is not a repository. Raises OSError
    for what cannot be looked at.
    """
    return find_upwards(directory, has_repository)


def find_upwards(directory: bytes, is_wanted: Callable[[bytes], bool]) -> bytes | None:
    """Return the nearest directory from the absolute DIRECTORY upwards that IS_WANTED, or None."""
    while not is_wanted(directory):
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above
    return directory


def has_repository(directory: bytes) -> bool:
    """Whether DIRECTORY is the top of a working tree. Raises OSError."""
    path = os.path.join(directory, b".git")
    return exists(path) and (not is_directory(path) or is_repository(path))


def is_repository(directory: bytes) -> bool:
    """Whether git takes DIRECTORY for a repository: it has what every repository has.

    The git directory of a linked worktree has a ``commondir`` instead. Raises OSError.
    """
    if not exists(os.path.join(directory, b"HEAD")):
        return False
    return exists(os.path.join(directory, b"commondir")) or all(
        is_directory(os.path.join(directory, name)) for name in (b"objects", b"refs")
    )


def name_in_repository(text: Text) -> bytes:
    """Return the path of TEXT from the top of its repository, or else of its kernel tree."""
    if text.top is None:
        return text.path
    kernel = os.path.abspath(text.top or b".")
    top = find_top(kernel)
    if top is None:
        return text.name
    return os.path.relpath(os.path.join(kernel, text.name), top)
