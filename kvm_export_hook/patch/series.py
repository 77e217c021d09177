# SPDX-License-Identifier: MIT
"""The facts of a tree, as the patches of a series leave them: what one adds to its list holds.

A patch is judged by the facts that it makes itself, and by those before it on
its old sides.
"""

from __future__ import annotations

import os
import re

from kvm_export_hook.files.worktree import read_file
from kvm_export_hook.rules.facts import FACT_FILES, MAKEFILE, Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.patch.sides import Side
    from kvm_export_hook.run import ReadFacts

    # What a patch does to the fact files: the name of each, and both sides of its hunks.
    Edits = list[tuple[bytes, Side, Side]]

# A comment, or a name of the list.
LISTED_NAME_PATTERN = re.compile(rb"#[^\n]*|(?<!\S)-e[ \t]*([A-Za-z_][A-Za-z0-9_]*)")


class Series:
    """The facts of the tree at ``top``, which change from patch to patch."""

    def __init__(self, top: bytes, facts: Facts, read_facts: ReadFacts) -> None:
        self.top = top
        self.facts = facts
        self._read_facts = read_facts
        self._contents: list[bytes | None] | None = None
        self._added: set[bytes] = set()

    def apply(self, edits: Edits) -> Facts:
        """Make EDITS; return the facts that result, which hold from now on.

        A hunk of the Makefile that does not fit the tree's own still permits
        the names that it adds.
        """
        if not edits:
            return self.facts
        if self._contents is None:
            self._contents = [read_or_none(os.path.join(self.top, name)) for name in FACT_FILES]
        for name, old, new in edits:
            at = FACT_FILES.index(name)
            content = replace(self._contents[at], old, new)
            if content is not None:
                self._contents[at] = content
            elif name == MAKEFILE:
                added = set(LISTED_NAME_PATTERN.findall(new.text)) - set(
                    LISTED_NAME_PATTERN.findall(old.text)
                )
                self._added |= added - {b""}
        facts = self._read_facts(*self._contents)
        allowlist = facts.allowlist | self._added
        self.facts = Facts(
            facts.lacks_macro, facts.has_check, allowlist, facts.list_source, facts.note
        )
        return self.facts


def replace(content: bytes | None, old: Side, new: Side) -> bytes | None:
    """Replace the OLD side of a hunk by the NEW one; None if CONTENT does not have it."""
    if content is None:
        return None if old.text else new.text
    at = content.find(old.text) if old.text else find_line(content, new.first_line - 1)
    return None if at < 0 else content[:at] + new.text + content[at + len(old.text) :]


def find_line(content: bytes, count: int) -> int:
    """Find where in CONTENT its first COUNT lines end: an offset, or -1."""
    at = 0
    for _ in range(count):
        at = content.find(b"\n", at) + 1
        if not at:
            return -1
    return at


def read_or_none(path: bytes) -> bytes | None:
    """Read a file that need not be there. What else is wrong has been said before."""
    try:
        return read_file(path, 0)
    except OSError:
        return None
