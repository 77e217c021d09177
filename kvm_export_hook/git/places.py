# SPDX-License-Identifier: MIT
"""Checks that KVM's directories, and those above, are directories: anything else hides C files."""

from __future__ import annotations

from kvm_export_hook.git.entries import LS_FILES, REFUSED_MODES, parse_index
from kvm_export_hook.git.trees import DIRECTORY_MODE
from kvm_export_hook.rules.scope import KVM_DIRECTORIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kvm_export_hook.git.repository import Repository

IN_PLACE_MESSAGE = "is a file where the kernel has a directory: restore the directory"


def check_places(repository: Repository, commits: Sequence[bytes]) -> bool:
    """Return whether one of COMMITS, which may be any trees, has a KVM directory.

    Complains of anything else in the place of one, or above it. Raises GitError.
    """
    kvm = repository.kvm_directories
    places = repository.trees.follow(commits, repository.list_places())
    directories: set[bytes] = set()
    for commit, found in zip(commits, places, strict=True):
        here = [(mode, id_, path) for path, (mode, id_) in found.items()]
        trees = [id_ for mode, id_, path in here if mode == DIRECTORY_MODE and path in kvm]
        directories.update(trees)
        if any(mode != DIRECTORY_MODE for mode, _, _ in here):
            refuse_places(repository, here, bool(trees), commit)
    repository.trees.check_names(directories)
    return bool(directories)


def check_each(repository: Repository, commits: Sequence[bytes]) -> list[bool]:
    """Return for each of COMMITS whether it has a KVM directory.

    Complains of anything else in the place of a missing one, or above it. Raises GitError.
    """
    names = [name for commit in commits for name in repository.name_directories(commit)]
    found = iter([each and each.type == b"tree" for each in repository.objects.find_paths(names)])
    have = [[bool(next(found)) for _ in KVM_DIRECTORIES] for _ in commits]
    lacking = [commit for commit, has in zip(commits, have, strict=True) if not all(has)]
    if lacking:
        check_places(repository, lacking)
    return [any(has) for has in have]


def check_index(repository: Repository, has_kvm: bool) -> None:
    """Complain of anything else that the index has in the place of a KVM directory, or above it.

    HAS_KVM: whether there is a KVM directory in the index or in HEAD.
    """
    # Unlike a name, a pattern does not match what is below it.
    patterns = [b"".join(b"\\%c" % byte for byte in path) for path in repository.list_places()]
    specs = [b":(top,glob)" + pattern for pattern in patterns]
    listed = repository.run(*LS_FILES, b"--", *specs)
    refuse_places(repository, parse_index(listed, b""), has_kvm)


def refuse_places(
    repository: Repository,
    entries: Iterable[tuple[bytes, bytes, bytes]],
    has_kvm: bool,
    commit: bytes = b"",
) -> None:
    """Complain of those of ENTRIES that are not directories, where directories should be.

    An entry is its mode, id and path. A plain file counts only if there is a KVM
    directory, as HAS_KVM says: without one, this is not a kernel.
    """
    for mode, id_, path in entries:
        if mode in REFUSED_MODES:
            repository.refuse_path(path, id_, REFUSED_MODES[mode], commit)
        elif has_kvm and mode != DIRECTORY_MODE:
            repository.refuse_path(path, id_, IN_PLACE_MESSAGE, commit)
