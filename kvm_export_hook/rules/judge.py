# SPDX-License-Identifier: MIT
"""The verdicts: decides which suspects are findings. Pure.

No other module knows the verdicts. In a tree whose Makefile has the make check,
every word on which its grep fails the build is a finding: ``find_broken_rule``
shows that a clean hook means a passing make check.
"""

from __future__ import annotations

from kvm_export_hook.rules import policy
from kvm_export_hook.rules.fit import holds_name
from kvm_export_hook.rules.glance import find_places
from kvm_export_hook.rules.place import CODE, DIRECTIVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.rules.place import Place
    from kvm_export_hook.rules.scan import Word, Words

FORBIDDEN_MACRO = "forbidden-macro"
NOT_ALLOWLISTED = "not-allowlisted"
EXPORT_ALIAS = "export-alias"
SPLIT_EXPORT = "split-export"
EXPORT_MENTION = "export-mention"


class Finding:
    """One unwanted export.

    ``rule``: the id of the rule that it breaks. ``offset``: of the macro in the
    text, in bytes. ``end``: the offset after its call, or after the macro where
    no call was read. ``line``: 1-based; ``line_start``: its offset. ``symbol``:
    the call's first argument, or None. ``kind``: of the place. ``replacement``:
    the macro to use instead, or None where a person must decide.
    ``build_fails``: whether the make check fails on it, if grep reads the text.
    """

    __slots__ = (
        "build_fails",
        "end",
        "is_allowlisted",
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
        is_allowlisted: bool,
        build_fails: bool,
        replacement: bytes | None,
    ) -> None:
        self.rule = rule
        self.offset, self.macro = word
        self.kind, self.symbol, self.end = place.kind, place.argument, place.end
        self.line = line
        self.line_start = line_start
        self.is_allowlisted = is_allowlisted
        self.build_fails = build_fails
        self.replacement = replacement

    @property
    def column(self) -> int:
        """The macro's first byte in its line, 1-based."""
        return self.offset - self.line_start + 1

    def last_line(self, text: bytes) -> int:
        """Return the line of TEXT, 1-based, on which the call ends."""
        return self.line + text.count(b"\n", self.offset, self.end)


def judge(text: bytes, suspects: Words, facts: Facts, first_line: int = 1) -> Iterator[Finding]:
    """Yield the findings among the SUSPECTS of TEXT, in order.

    FACTS are those of the tree, fitted to the name of the file; FIRST_LINE is the
    number of the first line of TEXT.
    """
    line, line_start, passed = first_line, 0, 0
    checked_line, is_name_missing = -1, False
    for place, word in zip(find_places(text, suspects), suspects, strict=True):
        start, macro = word
        line += text.count(b"\n", passed, start)
        line_start = max(line_start, text.rfind(b"\n", passed, start) + 1)
        passed = start
        if checked_line != line and facts.has_check:
            is_name_missing = not holds_name(read_line(text, line_start), facts)
            checked_line = line
        build_fails = facts.has_check and policy.MACROS[macro].is_grepped and is_name_missing
        is_allowlisted = place.argument in facts.allowlist
        if is_allowlisted and build_fails:
            # An unknown check may permit the symbol in a way of its own.
            build_fails = not holds_symbol(text, start, place)
        rule = find_broken_rule(macro, place, is_allowlisted, build_fails)
        if rule:
            replacement = find_replacement(rule, macro, is_allowlisted, build_fails)
            if replacement and follows_splice(text, start):
                replacement = None
            flags = is_allowlisted, build_fails and not facts.has_passed
            yield Finding(rule, word, place, line, line_start, *flags, replacement)


def read_line(text: bytes, line_start: int) -> bytes:
    """Return the line that begins at LINE_START, up to its LF."""
    end = text.find(b"\n", line_start)
    return text[line_start : end if end >= 0 else len(text)]


def follows_splice(text: bytes, start: int) -> bool:
    """Whether a line splice ends right before START: gcc may read one longer word there.

    gcc permits blanks between the backslash and the end of its line.
    """
    before = text[max(start - 2, 0) : start]
    if before[-1:] not in (b"\n", b"\r"):
        return False
    end = start - (2 if before == b"\r\n" else 1)
    while end and text[end - 1] in b" \t\v\f":
        end -= 1
    return end > 0 and text[end - 1] in b"\\"


def holds_symbol(text: bytes, start: int, place: Place) -> bool:
    """Whether the symbol of the call that begins at START of TEXT is on the same line."""
    newline = text.find(b"\n", start, place.end)
    end = newline if newline >= 0 else place.end
    return text.find(place.argument or b"", start, end) >= 0


def find_broken_rule(
    macro: bytes, place: Place, is_allowlisted: bool, build_fails: bool
) -> str | None:
    """Return the rule that a suspect breaks; None for a good export or a harmless mention.

    BUILD_FAILS says whether the make check of the tree fails on the word.
    """
    permitted = policy.MACROS[macro].permitted
    if permitted == policy.ALWAYS:
        return None
    if place.kind == DIRECTIVE or (place.kind == CODE and place.argument is None):
        return EXPORT_ALIAS
    if place.kind != CODE:
        return EXPORT_MENTION if build_fails else None
    if permitted == policy.NEVER:
        return FORBIDDEN_MACRO
    if not is_allowlisted:
        return NOT_ALLOWLISTED
    return SPLIT_EXPORT if build_fails else None


def find_replacement(
    rule: str, macro: bytes, is_allowlisted: bool, build_fails: bool
) -> bytes | None:
    """Return the macro to use instead, or None where a person must decide."""
    if rule not in (FORBIDDEN_MACRO, NOT_ALLOWLISTED) or not policy.MACROS[macro].is_rewritable:
        return None
    if not is_allowlisted:
        return policy.INTERNAL
    return None if build_fails else policy.GPL
