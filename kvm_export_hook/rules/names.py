# SPDX-License-Identifier: MIT
"""Looks for the names of a list in lines, also inside longer words, as ``grep -v`` does. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Longer names are looked for one by one: a list has few. No symbol is longer than 512 bytes.
LONGEST_NAME = 4096


class Names:
    """The names of a list, prepared once for all the lines in which they are looked for."""

    __slots__ = ("_beginnings", "_longest", "_many", "_others", "_shortest")

    def __init__(self, names: Iterable[bytes]) -> None:
        kept: list[bytes] = []
        for name in sorted(names):
            # A line that has a name also has every name that this one begins with.
            if not kept or not name.startswith(kept[-1]):
                kept.append(name)
        self._others = [name for name in kept if len(name) > LONGEST_NAME]
        self._many = [name for name in kept if len(name) <= LONGEST_NAME]
        self._longest = max(map(len, self._many), default=0)
        self._shortest = min(map(len, self._many), default=0)
        self._beginnings = {name[: self._shortest] for name in self._many}

    def are_in(self, line: bytes) -> bool:
        """Whether LINE holds one of the names, in time proportional to its length."""
        if len(line) > LONGEST_NAME and any(name in line for name in self._others):
            return True
        return bool(self._many) and self._are_many_in(line)

    def _are_many_in(self, line: bytes) -> bool:
        """Whether LINE has one of the sorted names, none of which begins with another.

        So only one can be at a position: the last that does not sort after the text there.
        """
        from bisect import bisect

        names, beginnings = self._many, self._beginnings
        shortest, longest = self._shortest, self._longest
        for start in range(len(line) - shortest + 1):
            if line[start : start + shortest] in beginnings:
                part = line[start : start + longest]
                if part.startswith(names[bisect(names, part) - 1]):
                    return True
        return False
