# SPDX-License-Identifier: MIT
"""The facts of a tree while the patches of a series change them.

The new sides of a patch are judged by the facts after it, the old sides by those before.
"""

from __future__ import annotations

import os
import re

from kvm_export_hook.files.worktree import read_file
from kvm_export_hook.rules.scope import FACT_FILES, MAKEFILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.patch.diff import Side
    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.run import ReadFacts

    # Both sides of each hunk of a file.
    Hunks = list[tuple[Side, Side]]
    # What a patch does to the fact files: the name of each, and its hunks.
    Edits = list[tuple[bytes, Hunks]]

# A comment, or a name of the list.
LISTED_NAME_PATTERN = re.compile(rb"#[^\n]*|(?<!\S)-e[ \t]*([A-Za-z_][A-Za-z0-9_]*)")


class Series:
    """The facts of the tree at ``top``, which change from patch to patch."""

    def __init__(self, top: bytes, facts: Facts, read_facts: ReadFacts) -> None:
        self.top = top
        self.facts = facts
        self._read_facts = read_facts
        self._contents: list[bytes | None] | None = None
        self._followed = facts
        self._added: set[bytes] = set()

    def follow(self, facts: Facts, contents: list[bytes | None]) -> None:
        """Continue with FACTS, read from CONTENTS of the fact files, if they are new."""
        if facts != self._followed:
            self._followed = self.facts = facts
            self._contents = contents

    def apply(self, edits: Edits) -> Facts:
        """Apply EDITS; return the new facts, which are used from now on.

        If hunks do not fit the tree's Makefile, the names that they add are still permitted.
        """
        if not edits:
            return self.facts
        if self._contents is None:
            self._contents = [read_or_none(os.path.join(self.top, name)) for name in FACT_FILES]
        for name, hunks in edits:
            at = FACT_FILES.index(name)
            self._contents[at], count = apply_hunks(self._contents[at], hunks)
            for (old, _), (new, _) in hunks[count:] if name == MAKEFILE else ():
                added = set(LISTED_NAME_PATTERN.findall(new))
                self._added |= added - set(LISTED_NAME_PATTERN.findall(old)) - {b""}
        self.facts = self._read_facts(*self._contents).copy(self._added)
        return self.facts


def apply_hunks(content: bytes | None, hunks: Hunks) -> tuple[bytes | None, int]:
    """Replace in CONTENT the old side of each of HUNKS by the new one; stop if one does not fit.

    Returns the result, and how many fit. Each hunk is looked for after the previous one, so
    CONTENT is read once, however many there are.
    """
    text = content or b""
    result = bytearray()
    count = position = lines = 0  # hunks that are made, bytes of TEXT passed, lines of the result
    for (old, _), (new, first_line) in hunks:
        if old:
            start = text.find(old, position)
        else:
            start = pass_lines(text, position, first_line - 1 - lines)
        if start < 0:
            break
        kept = text[position:start]
        result += kept + new
        lines += kept.count(b"\n") + new.count(b"\n")
        position = start + len(old)
        count += 1
    return bytes(result + text[position:]) if count else content, count


def pass_lines(text: bytes, start: int, count: int) -> int:
    """Return the offset after COUNT lines of TEXT from START on; -1 if it has fewer."""
    for _ in range(count):
        start = text.find(b"\n", start) + 1
        if not start:
            return -1
    return start if count >= 0 else -1


def read_or_none(path: bytes) -> bytes | None:
    """Read a file; None if it cannot be read, which was reported before."""
    try:
        return read_file(path, 0)
    except OSError:
        return None
