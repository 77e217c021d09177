# SPDX-License-Identifier: MIT
"""The inventory of ``--list``: every export of a tree, and what becomes of it. Pure."""

from __future__ import annotations

import re

from kvm_export_hook.rules import policy
from kvm_export_hook.rules.judge import judge
from kvm_export_hook.rules.place import CODE, places
from kvm_export_hook.rules.scan import suspects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kvm_export_hook.rules.tree import Tree

EXPORT = re.compile(rb"(?<![A-Za-z0-9_])_*EXPORT_[A-Za-z0-9_]+")

INTERNAL, ALLOWLISTED, UNWANTED, OTHER = "internal", "allowlisted", "unwanted", "other"


class Export:
    """One export: its macro and symbol, its path and line, and the verdict on it."""

    __slots__ = ("line", "macro", "path", "symbol", "verdict")

    def __init__(self, macro: bytes, symbol: bytes, path: bytes, line: int, verdict: str) -> None:
        self.macro = macro
        self.symbol = symbol
        self.path = path
        self.line = line
        self.verdict = verdict


def exports(path: bytes, data: bytes, rule: Tree) -> Iterator[Export]:
    """Yield the calls of every EXPORT_* macro in the code of DATA, in order."""
    unwanted = {
        finding.offset
        for finding in judge(data, suspects(data, rule.allowlist), rule.allowlist, rule.has_check)
    }
    words = [(match.start(), match[0]) for match in EXPORT.finditer(data)]
    judged = [word for word in words if word[1] in policy.MACROS]
    # Calls of these are read as the check reads them: up to the next of these.
    place_of = dict(zip((start for start, _ in judged), places(data, judged)))
    line, behind = 1, 0
    for place, (start, macro) in zip(places(data, words), words):
        place = place_of.get(start, place)
        line += data.count(b"\n", behind, start)
        behind = start
        if place.kind == CODE and place.argument is not None:
            verdict = UNWANTED if start in unwanted else verdict_on(macro)
            yield Export(macro, place.argument, path, line, verdict)


def verdict_on(macro: bytes) -> str:
    """Say what an export that nothing is wrong with is."""
    if macro == policy.INTERNAL:
        return INTERNAL
    return ALLOWLISTED if macro in policy.MACROS else OTHER
