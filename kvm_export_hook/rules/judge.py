# SPDX-License-Identifier: MIT
"""The rules: a suspect and its surroundings to a finding, or to nothing. Pure.

The only module that knows the verdicts. In a tree whose Makefile has the make
check, every word that its grep fails the build on is a finding: that a clean
hook means a passing make check can be read off ``rule_broken``.
"""

from __future__ import annotations

from kvm_export_hook.rules import policy
from kvm_export_hook.rules.place import CODE, DIRECTIVE, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kvm_export_hook.rules.place import Place, Word

FORBIDDEN_MACRO = "forbidden-macro"
NOT_ALLOWLISTED = "not-allowlisted"
EXPORT_ALIAS = "export-alias"
SPLIT_EXPORT = "split-export"
EXPORT_MENTION = "export-mention"


class Finding:
    """One unwanted export.

    ``offset``: of the macro in the file. ``end``: behind its call, or behind
    the macro where no call was read. ``line``: 1-based; ``line_start``: its
    offset. ``symbol``: the call's first argument, or None. ``kind``: of the
    place. ``replacement``: the macro that puts it right, or None where that
    takes a person.
    """

    __slots__ = (
        "allowlisted",
        "end",
        "kind",
        "line",
        "line_start",
        "macro",
        "offset",
        "replacement",
        "rule",
        "symbol",
    )

    def __init__(
        self,
        rule: str,
        word: Word,
        place: Place,
        line: int,
        line_start: int,
        allowlisted: bool,
        replacement: bytes | None,
    ) -> None:
        self.rule = rule
        self.offset, self.macro = word
        self.kind, self.symbol, self.end = place.kind, place.argument, place.end
        self.line = line
        self.line_start = line_start
        self.allowlisted = allowlisted
        self.replacement = replacement

    @property
    def column(self) -> int:
        """The macro's first byte in its line, 1-based."""
        return self.offset - self.line_start + 1


class File:
    """A file that was judged: its path, the top of its tree, its content and its findings.

    ``name``: its path from the top, where ``path`` is not on this disk.
    ``subject``: of the mail that it is from, where there are several.
    ``has_macro``: whether the tree has EXPORT_SYMBOL_FOR_KVM_INTERNAL.
    ``is_rewritten``: whether a fix was written to it; None where none was asked for.
    """

    __slots__ = ("data", "findings", "has_macro", "is_rewritten", "name", "path", "subject", "top")

    def __init__(
        self, path: bytes, top: bytes, data: bytes, findings: Iterable[Finding], has_macro: bool
    ) -> None:
        self.path = path
        self.top = top
        self.data = data
        self.findings = findings
        self.has_macro = has_macro
        self.is_rewritten: bool | None = None
        self.subject: str | None = None
        self.name: bytes | None = None


def judge(
    data: bytes,
    suspects: Sequence[Word],
    allowlist: frozenset[bytes],
    has_check: bool,
    first_line: int = 1,
) -> Iterator[Finding]:
    """Yield the findings among the SUSPECTS of DATA, in order.

    ALLOWLIST is the one in force; HAS_CHECK tells whether the tree has the
    make check; FIRST_LINE is the number of the first line of DATA.
    """
    line, line_start, behind = first_line, 0, 0
    checked_line, names_missing = -1, False
    for place, word in zip(places(data, suspects), suspects):
        start, macro = word
        line += data.count(b"\n", behind, start)
        line_start = max(line_start, data.rfind(b"\n", behind, start) + 1)
        behind = start
        if checked_line != line and has_check:
            names_missing, checked_line = not names_any(data, line_start, allowlist), line
        build_fails = has_check and macro in policy.GREPPED and names_missing
        allowlisted = place.argument in allowlist
        rule = rule_broken(macro, place, allowlisted, build_fails)
        if rule:
            replacement = replacement_for(rule, macro, allowlisted, build_fails)
            yield Finding(rule, word, place, line, line_start, allowlisted, replacement)


def names_any(data: bytes, line_start: int, allowlist: frozenset[bytes]) -> bool:
    """Whether the line that begins at LINE_START holds a name of ALLOWLIST, even in a longer word.

    So reads the ``grep -v`` of the make check.
    """
    end = data.find(b"\n", line_start)
    line = data[line_start : end if end >= 0 else len(data)]
    return any(name in line for name in allowlist)


def rule_broken(macro: bytes, place: Place, allowlisted: bool, build_fails: bool) -> str | None:
    """Name the rule that a suspect breaks; None for a good export or a harmless mention.

    BUILD_FAILS tells whether the make check of the tree finds the word.
    """
    if policy.MACROS[macro] == policy.ALWAYS:
        return None
    if place.kind == DIRECTIVE or (place.kind == CODE and place.argument is None):
        return EXPORT_ALIAS
    if place.kind != CODE:
        return EXPORT_MENTION if build_fails else None
    if policy.MACROS[macro] == policy.NEVER:
        return FORBIDDEN_MACRO
    if not allowlisted:
        return NOT_ALLOWLISTED
    return SPLIT_EXPORT if build_fails else None


def replacement_for(rule: str, macro: bytes, allowlisted: bool, build_fails: bool) -> bytes | None:
    """Name the macro that puts an export right without a person's judgement.

    Macros with a namespace or a section have users whom a rewrite would cut off.
    """
    if rule not in (FORBIDDEN_MACRO, NOT_ALLOWLISTED) or macro not in policy.GREPPED:
        return None
    if not allowlisted:
        return policy.INTERNAL
    return None if build_fails else policy.GPL
