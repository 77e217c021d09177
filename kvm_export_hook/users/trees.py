# SPDX-License-Identifier: MIT
"""The trees that are searched for users: what is asked of one, and the working tree. The rim."""

from __future__ import annotations

import os

from kvm_export_hook.sources.locate import walk
from kvm_export_hook.sources.process import GitError, ask_git
from kvm_export_hook.sources.worktree import read_file
from kvm_export_hook.users.outside import CANARY, GREP, PART_OF_KERNEL, SPARSE, list_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Protocol

    class Tree(Protocol):
        """A kernel tree, of which each path is spelt from its top."""

        def read(self, path: bytes) -> bytes | None:
            """Read a file whole; None if it cannot be read."""

        def list_names(self, directory: bytes) -> list[bytes]:
            """List the names in DIRECTORY, sorted; empty if it cannot be listed."""

        def walk(self, directory: bytes, miss: Callable[[bytes], None]) -> list[bytes]:
            """List the C files below DIRECTORY; call MISS with each path that is not read."""

        def find_obstacle(self) -> str | None:
            """Find why users outside KVM cannot be known, a reason of ``outside``, or None.

            Raises GitError.
            """

        def list_candidates(self, patterns: Collection[bytes]) -> set[bytes]:
            """List the files outside KVM that hold one of PATTERNS. Raises GitError."""


# A header or source may be a link: nothing is judged or written here.
FOLLOW_LINKS = 0
SPARSE_CHECKOUT = (b"config", b"--type=bool", b"--get", b"core.sparseCheckout")


class WorkingTree:
    """The files on disk, at ``top``; empty: the working directory."""

    def __init__(self, top: bytes) -> None:
        self.top = top

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
        said = ask_git(*SPARSE_CHECKOUT, directory=self.top)
        return SPARSE if said == b"true\n" else None

    def list_candidates(self, patterns: Collection[bytes]) -> set[bytes]:
        """List the files outside KVM that hold one of PATTERNS. Raises GitError.

        Where git does not track the tree, which shows by the missing canary, it
        searches the directory instead.
        """
        for options in (), (b"--no-index",):
            arguments = (*GREP, *options, *list_arguments(patterns))
            output = ask_git(*arguments, directory=self.top) or b""
            found = set(output.split(b"\0")[:-1])
            if CANARY in found:
                return found - {CANARY}
        raise GitError("cannot search this tree")
