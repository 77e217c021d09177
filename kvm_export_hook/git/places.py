# SPDX-License-Identifier: MIT
"""What stands in the places of the KVM directories and above them: directories, or what hides C."""

from __future__ import annotations

from kvm_export_hook.git.entries import KINDS, LS_FILES, parse_index
from kvm_export_hook.git.trees import DIRECTORY_MODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kvm_export_hook.git.repository import Repository

IN_PLACE_MESSAGE = "is a file in the place of a directory of the kernel: put that there"


def check_places(repository: Repository, commits: Sequence[bytes]) -> bool:
    """Return whether one of COMMITS, or other trees, has a KVM directory.

    Complains of what each has in the place of one, or above it. Raises GitError.
    """
    roots = repository.trees.find_roots(commits)
    places = repository.trees.follow(dict.fromkeys(roots), repository.list_places())
    directories: dict[bytes, bytes] = {}
    for commit, root in zip(commits, roots, strict=True):
        here = [(*entry, path) for path, entry in places[root].items()]
        kvm = {
            id_: path
            for mode, id_, path in here
            if mode == DIRECTORY_MODE and path in repository.kvm_directories
        }
        directories.update(kvm)
        refuse_places(repository, here, bool(kvm), commit)
    # A name with a slash is refused where it is read.
    for _ in repository.trees.list_files(list(directories.items())):
        pass
    return bool(directories)


def check_index(repository: Repository, has_kvm: bool) -> None:
    """Complain of what the index has in the place of a KVM directory, or above it.

    HAS_KVM: whether there is a KVM directory in the index or in HEAD.
    """
    # A pattern matches the name itself and, unlike a name, nothing below it.
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
    """Complain of those of ENTRIES, which stand in places of directories, that are none.

    Each is its mode, its id and its path. A plain file hides nothing: where no
    directory of KVM is, as HAS_KVM says, it is no part of a kernel.
    """
    for mode, id_, path in entries:
        if mode in KINDS:
            repository.refuse_path(path, id_, KINDS[mode], commit)
        elif has_kvm and mode != DIRECTORY_MODE:
            repository.refuse_path(path, id_, IN_PLACE_MESSAGE, commit)
