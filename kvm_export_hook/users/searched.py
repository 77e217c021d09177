# SPDX-License-Identifier: MIT
"""The interface of a tree that is searched for users: the working tree, or that of a commit."""

from __future__ import annotations

from typing import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection


class SearchedTree(Protocol):
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

    def close(self) -> None:
        """Close what was opened. Raises GitError."""

    def list_candidates(self, patterns: Collection[bytes]) -> set[bytes]:
        """List the files outside KVM that hold one of PATTERNS. Raises GitError."""
