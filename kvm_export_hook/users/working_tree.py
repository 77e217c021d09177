# SPDX-License-Identifier: MIT
"""The working tree, to be searched for users. The rim."""

from __future__ import annotations

import os

from kvm_export_hook.files.walk import walk
from kvm_export_hook.files.worktree import read_file
from kvm_export_hook.git.discover import find_repository
from kvm_export_hook.git.process import GitError, ask_git, forget_repository
from kvm_export_hook.users.outside import CANARY, GREP, PART_OF_KERNEL, SPARSE, list_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

# A header or source may be a link: nothing is judged or written here.
FOLLOW_LINKS = 0
SPARSE_CHECKOUT = (b"config", b"--type=bool", b"--get", b"core.sparseCheckout")


class WorkingTree:
    """The files on disk, at ``top``; empty: the working directory."""

    def __init__(self, top: bytes) -> None:
        self.top = top

    def close(self) -> None:
        """Do nothing: each file is closed once it is read."""

    def read(self, path: bytes) -> bytes | None:
        """Read a file whole; None if it cannot be read."""
        try:
            return read_file(os.path.join(self.top, path), FOLLOW_LINKS)
        except OSError:
            return None

    def list_names(self, directory: bytes) -> list[bytes]:
        """List the names in DIRECTORY, sorted; empty if it cannot be listed."""
        try:
            return sorted(os.listdir(os.path.join(self.top, directory)))
        except OSError:
            return []

    def walk(self, directory: bytes, miss: Callable[[bytes], None]) -> list[bytes]:
        """List the C files below DIRECTORY; call MISS with each path that is not read."""
        start = len(os.path.join(self.top, b""))
        found = walk(os.path.join(self.top, directory), lambda path, _: miss(path[start:]))
        return [path[start:] for path in found]

    def find_obstacle(self) -> str | None:
        """Find why users outside KVM cannot be known, or None. Raises GitError."""
        if not os.path.isfile(os.path.join(self.top, CANARY)):
            return PART_OF_KERNEL
        _, top = find_repository(os.path.realpath(self.top or b"."))
        if top is None:
            return None
        said = ask_git(*SPARSE_CHECKOUT, directory=top, environment=forget_repository())
        return SPARSE if said == b"true\n" else None

    def list_candidates(self, patterns: Collection[bytes]) -> set[bytes]:
        """List the files outside KVM that hold one of PATTERNS. Raises GitError.

        If git does not track the tree, it does not find the canary: then it searches the
        directory instead.
        """
        tree = os.path.realpath(self.top or b".")
        _, top = find_repository(tree)
        found: set[bytes] = set()
        if top is not None:
            prefix = os.path.join(os.path.relpath(tree, top), b"").removeprefix(b"./")
            found = search(top, prefix, patterns)
        found = found or search(tree, b"", patterns, b"--no-index")
        if not found:
            raise GitError("cannot search this tree")
        return found - {CANARY}


def search(
    directory: bytes, prefix: bytes, patterns: Collection[bytes], *options: bytes
) -> set[bytes]:
    """Search for PATTERNS below PREFIX in DIRECTORY; return the files of the tree.

    The canary is among them, or the result is empty. With --no-index, git must not use any
    repository, not even one in DIRECTORY.
    """
    listed = list_arguments(patterns)
    start = listed.index(b"--") + 1
    paths = [put_below(prefix, path) for path in listed[start:]]
    environment = forget_repository()
    if options:
        environment[b"GIT_DIR"] = os.fsencode(os.devnull)
    command = (*GREP, *options, *listed[:start], *paths)
    output = ask_git(*command, directory=directory, environment=environment) or b""
    found = {path[len(prefix) :] for path in output.split(b"\0")[:-1]}
    return found if CANARY in found else set()


def put_below(prefix: bytes, path: bytes) -> bytes:
    """Make the pathspec PATH one below the directory PREFIX, which may have any bytes."""
    magic, end, rest = path.rpartition(b")") if path.startswith(b":(") else (b":(glob", b")", path)
    return magic + end + b"".join(b"\\%c" % byte for byte in prefix) + rest
