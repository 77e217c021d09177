# SPDX-License-Identifier: MIT
"""The tree of a commit, searched for users like the working tree. Does I/O.

To make it takes three git processes: two list files, one reads them. One more searches outside
KVM, and each directory that is listed later takes another.
"""

from __future__ import annotations

from kvm_export_hook.git.objects import Objects, get_content
from kvm_export_hook.git.process import GitError, ask_git, run_git
from kvm_export_hook.users.gather import (
    ARCHITECTURES,
    COMMON_DIRECTORY,
    DEVICE_HEADERS,
    MODULE_DIRECTORIES,
    list_public_directories,
)
from kvm_export_hook.users.outside import CANARY, GREP, PART_OF_KERNEL, list_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

LS_TREE = (b"ls-tree", b"-z", b"--full-tree")
REGULAR = b"100"
# Pathspecs are from the top of the tree, wherever git runs.
MAGIC = b":("
TOP_MAGIC = b":(top,"


class CommitTree:
    """The kernel in the tree of COMMIT, below PREFIX (empty, or with a slash at its end).

    COMMIT may be any tree. DIRECTORY and ENVIRONMENT: where to run git. Raises
    GitError, also if there is no such tree.
    """

    def __init__(
        self,
        commit: bytes,
        prefix: bytes = b"",
        directory: bytes = b"",
        environment: dict[bytes, bytes] | None = None,
    ) -> None:
        self._directory = directory
        self._environment = environment
        self._objects = Objects(directory, environment)
        (found,) = self._objects.find([commit + b":" + prefix])
        if found is None or found.type != b"tree":
            self.close()
            raise GitError("the commit has no such directory")
        self._id = found.id
        self._names: dict[bytes, list[bytes]] = {}
        self._texts: dict[bytes, bytes | None] = {}
        self._files = sorted(self._list_files())
        self._read_all(path for path in self._files if is_kvm(path))

    def close(self) -> None:
        """End git. Raises GitError if it failed."""
        self._objects.close()

    def read(self, path: bytes) -> bytes | None:
        """Read a file whole; None if it cannot be read. Raises GitError."""
        if path not in self._texts:
            self._read_all([path])
        return self._texts[path]

    def list_names(self, directory: bytes) -> list[bytes]:
        """List the names in DIRECTORY, sorted; empty if there is none. Raises GitError."""
        if directory not in self._names:
            command = (*LS_TREE, b"--name-only", self._id, b"--", directory + b"/")
            listed = self._run(*command).split(b"\0")[:-1]
            self._names[directory] = sorted(path.rpartition(b"/")[2] for path in listed)
        return self._names[directory]

    def walk(self, directory: bytes, miss: Callable[[bytes], None]) -> list[bytes]:
        """List the C files below DIRECTORY, one of KVM's; call MISS with each that is a link."""
        found = []
        for path in self._files:
            if path.startswith(directory + b"/") and path.endswith((b".c", b".h")):
                if self._texts[path] is None:
                    miss(path)
                else:
                    found.append(path)
        return found

    def find_obstacle(self) -> str | None:
        """Find why users outside KVM cannot be known, or None. Raises GitError."""
        directory, _, name = CANARY.rpartition(b"/")
        return None if name in self.list_names(directory) else PART_OF_KERNEL

    def list_candidates(self, patterns: Collection[bytes]) -> set[bytes]:
        """List the files outside KVM that hold one of PATTERNS, and read them. Raises GitError."""
        listed = list_arguments(patterns)
        end = listed.index(b"--")
        paths = [put_at_top(path) for path in listed[end + 1 :]]
        search = (*GREP, b"--full-name", *listed[:end], self._id, b"--", *paths)
        output = ask_git(*search, directory=self._directory, environment=self._environment) or b""
        start = len(self._id) + 1
        found = {path[start:] for path in output.split(b"\0")[:-1]}
        if CANARY not in found:
            raise GitError("cannot search this tree")
        self._read_all(sorted(found))
        return found - {CANARY}

    def _run(self, *arguments: bytes) -> bytes:
        """Run git; return what it prints. Raises GitError."""
        return run_git(*arguments, directory=self._directory, environment=self._environment)

    def _list_files(self) -> Iterator[bytes]:
        """Yield the files in the directories where KVM has some; remember their names."""
        public = list_public_directories(self.list_names(ARCHITECTURES))
        directories = [*MODULE_DIRECTORIES, COMMON_DIRECTORY, *public]
        self._names.update((directory, []) for directory in directories)
        command = (*LS_TREE, b"-r", self._id, b"--", *(each + b"/" for each in directories))
        for line in self._run(*command).split(b"\0")[:-1]:
            mode, _, path = line.partition(b"\t")
            directory, _, name = path.rpartition(b"/")
            self._names.setdefault(directory, []).append(name)
            if not mode.startswith(REGULAR):
                self._texts[path] = None
            yield path

    def _read_all(self, paths: Iterable[bytes]) -> None:
        """Read PATHS at once. Raises GitError."""
        wanted = [path for path in paths if path not in self._texts]
        names = (self._id + b":" + path for path in wanted if b"\n" not in path)
        found = self._objects.read(names)
        for path in wanted:
            self._texts[path] = None if b"\n" in path else get_content(next(found))


def is_kvm(path: bytes) -> bool:
    """Whether PATH, in a directory where KVM has files, is one of them."""
    directories = (*MODULE_DIRECTORIES, COMMON_DIRECTORY, DEVICE_HEADERS)
    return path.startswith(tuple(each + b"/" for each in directories)) or b"/kvm" in path


def put_at_top(path: bytes) -> bytes:
    """Make the pathspec PATH one from the top of the tree."""
    if path.startswith(MAGIC):
        return TOP_MAGIC + path[len(MAGIC) :]
    return b":(top)" + path
