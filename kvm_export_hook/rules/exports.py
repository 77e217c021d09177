# SPDX-License-Identifier: MIT
"""Finds every export of a file, with its verdict, for ``--list``. Pure."""

from __future__ import annotations

import re

from kvm_export_hook.rules import policy
from kvm_export_hook.rules.glance import find_places
from kvm_export_hook.rules.judge import judge
from kvm_export_hook.rules.scan import WORD_BYTES, find_suspects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.rules.scan import Word

# It begins with plain bytes: re finds these ten times as fast as a lookbehind.
EXPORT_PATTERN = re.compile(rb"EXPORT_[A-Za-z0-9_]+")
UNDERSCORE = 0x5F

INTERNAL_EXPORT, ALLOWLISTED_EXPORT, UNWANTED_EXPORT, OTHER_EXPORT = (
    "internal",
    "allowlisted",
    "unwanted",
    "other",
)


class Export:
    """One export: its macro and symbol, its path and the top of its tree, its line, its verdict.

    The top is None where that tree is not on this disk.
    """

    __slots__ = ("line", "macro", "path", "symbol", "top", "verdict")

    def __init__(
        self, macro: bytes, symbol: bytes, path: bytes, top: bytes | None, line: int, verdict: str
    ) -> None:
        self.macro = macro
        self.symbol = symbol
        self.path = path
        self.top = top
        self.line = line
        self.verdict = verdict

    def move_to(self, path: bytes, top: bytes | None) -> Export:
        """Return the same export at PATH, in the tree at TOP."""
        return Export(self.macro, self.symbol, path, top, self.line, self.verdict)


def find_exports(
    text: bytes, facts: Facts, path: bytes, top: bytes | None, first_line: int = 1
) -> Iterator[Export]:
    """Yield the calls of every EXPORT_* macro in the code of TEXT, in order.

    FACTS are those of its tree at TOP; PATH is its path in the report; FIRST_LINE
    is the number of its first line.
    """
    suspects = find_suspects(text, facts.listed)
    unwanted = {finding.offset for finding in judge(text, suspects, facts)}
    words = list(find_export_words(text))
    judged = [word for word in words if word[1] in policy.MACROS]
    # The calls of these are read as ``judge`` reads them: up to the next macro of the table.
    place_of = dict(zip((start for start, _ in judged), find_places(text, judged), strict=True))
    line, passed = first_line, 0
    for place, (start, macro) in zip(find_places(text, words), words, strict=True):
        place = place_of.get(start, place)
        line += text.count(b"\n", passed, start)
        passed = start
        if place.argument is not None:
            verdict = UNWANTED_EXPORT if start in unwanted else name_verdict(macro)
            yield Export(macro, place.argument, path, top, line, verdict)


def find_export_words(text: bytes) -> Iterator[Word]:
    """Yield the offset and the bytes of each word EXPORT_..., also with underscores before it."""
    for match in EXPORT_PATTERN.finditer(text):
        start = match.start()
        while start and text[start - 1] == UNDERSCORE:
            start -= 1
        if not start or text[start - 1] not in WORD_BYTES:
            yield start, text[start : match.end()]


def name_verdict(macro: bytes) -> str:
    """Name the verdict on an export by MACRO that is not unwanted."""
    if macro not in policy.MACROS:
        return OTHER_EXPORT
    return (
        INTERNAL_EXPORT if policy.MACROS[macro].permitted == policy.ALWAYS else ALLOWLISTED_EXPORT
    )
