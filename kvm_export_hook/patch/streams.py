# SPDX-License-Identifier: MIT
"""Sorts and opens the files of patches."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO


def open_patch(name: str) -> BinaryIO:
    """Open a patch, which may come from a pipe; ``-`` is stdin. Raises OSError."""
    if name != "-":
        try:
            return open(name, "rb")
        except IsADirectoryError:
            raise OSError(None, "is a directory: name the files in it, in their order") from None
    if sys.stdin is None:
        raise OSError(None, "is closed: name a file")
    return open(sys.stdin.fileno(), "rb", closefd=False)


def sort_by_series(names: Sequence[str]) -> Sequence[str]:
    """Sort the files NAMES if pre-commit gives them: its order means nothing.

    They are sorted by quilt's file ``series`` beside them, or else by name. Without
    pre-commit, they are in the order of the series.
    """
    if b"PRE_COMMIT" not in os.environb:
        return names
    places: dict[str, int] = {}
    for directory in {os.path.dirname(name) for name in names}:
        try:
            with open(
                os.path.join(directory, "series"), encoding="utf-8", errors="replace"
            ) as file:
                listed = [line.split()[0] for line in file if line.strip()]
        except OSError:
            continue
        for name in listed:
            places.setdefault(os.path.join(directory, name), len(places))
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))
