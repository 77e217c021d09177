# SPDX-License-Identifier: MIT
"""The words of C that can name a symbol. Pure.

Not counted are comments, strings, ``#include`` lines, members (``.x`` and ``->x``) and tags
(``struct x``). The strings of ``asm`` count: they name symbols. The lexer of the rules
explains a few words; this reads all words of KVM, by a few regular expressions.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Set

# Anything that is open at the end of the file hides the rest, so that no end is looked for
# twice. The counts bound the memory that re needs for backtracking.
HIDDEN = rb"""
      /(?: \*(?:[^*]*\*+(?:[^/*][^*]*\*+){0,99}/ | .*?\*/ | .*) | /[^\n]* )
    | "[^"\\\n]*(?:\\.[^"\\\n]*){0,999}"?
    | '[^'\\\n]*(?:\\.[^'\\\n]*){0,999}'?
    | \#[ \t]*include\b[^\n]*"""
HIDDEN_PATTERN = re.compile(rb"(?sx)" + HIDDEN)

ASM = rb"asm(?:__|_volatile_goto|_inline)?\b(?:\s|volatile|__volatile__|goto|inline){0,9}\("
# The text between the parentheses of asm, which may contain others.
PLAIN_TEXT = rb'[^()"/;]*'
STRING = rb'"[^"\\\n]*(?:\\.[^"\\\n]*){0,999}"'
INNERMOST = rb"%b(?:(?:%b|/\*.*?\*/|/)%b){0,999}" % (PLAIN_TEXT, STRING, PLAIN_TEXT)
INNER = rb"%b(?:(?:%b|/\*.*?\*/|/|\(%b\))%b){0,999}"
for _ in range(3):
    INNERMOST = INNER % (PLAIN_TEXT, STRING, INNERMOST, PLAIN_TEXT)
ASM_PATTERN = re.compile(ASM)
ASM_OR_HIDDEN_PATTERN = re.compile(rb"(?sx)(" + ASM + INNERMOST + rb"\)) |" + HIDDEN)
# Removed from asm: comments, escapes, quotes, and a lone dot, which no member follows.
NOT_ASSEMBLER_PATTERN = re.compile(rb'(?s)/\*.*?\*/|\\.|"|\.(?!\w)')

WORD_PATTERN = re.compile(rb"\w+")
# Group 1 is a word that counts. The most frequent come first.
CODE_WORD_PATTERN = re.compile(rb"(?:struct|union|enum)\s+\w+|(\w+)|(?:->|(?<!\.)\.(?!\.))\s*\w+")
BEFORE_TAG_OR_MEMBER_PATTERN = re.compile(rb"(?:\b(?:struct|union|enum)\s+|->\s*|(?<!\.)\.\s*)\Z")
# This many bytes before a word show what it is.
LONGEST_MARGIN = 32
NAME_BYTES = frozenset(b"0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

# Most names of KVM have this, and few others.
KVM_STEM = b"kvm"
STEMMED_PATTERN = re.compile(rb"kvm\w*")
# One finding leads to about ten names, all exports to hundreds.
FEW_WORDS = 32


def may_name(data: bytes, names: Collection[bytes]) -> bool:
    """Whether DATA may name one of NAMES: a quick look, for as many as a finding leads to."""
    return len(names) > FEW_WORDS or any(name in data for name in names)


class WantedNames:
    """Names to look for in many files: ``all`` is their set."""

    def __init__(self, names: Set[bytes]) -> None:
        self.all = names
        self._others = [name for name in names if KVM_STEM not in name]

    def find_in(self, data: bytes) -> set[bytes]:
        """Find which of them DATA may use: a quick look at its bytes."""
        if len(self.all) <= FEW_WORDS:
            return {name for name in self.all if name in data}
        found = {name for name in self._others if name in data}
        for word in STEMMED_PATTERN.finditer(data):
            start = word.start()
            while start and data[start - 1] in NAME_BYTES:
                start -= 1
            found.add(data[start : word.end()])
        return found & self.all


def hide_text(data: bytes, keeps_lines: bool) -> bytes:
    """Return DATA with a space for each comment, string and ``#include``.

    If it KEEPS_LINES, with their line ends instead. The strings of ``asm`` are kept.
    """
    blank: bytes | Callable[[re.Match[bytes]], bytes] = keep_lines if keeps_lines else b" "

    def hide(found: re.Match[bytes]) -> bytes:
        if found[1]:
            return NOT_ASSEMBLER_PATTERN.sub(blank, found[1])
        return keep_lines(found) if keeps_lines else b" "

    if ASM_PATTERN.search(data):
        return ASM_OR_HIDDEN_PATTERN.sub(hide, data)
    return HIDDEN_PATTERN.sub(blank, data)


def keep_lines(hidden: re.Match[bytes]) -> bytes:
    """Return the line ends of HIDDEN text, or a space."""
    return b"\n" * hidden[0].count(b"\n") or b" "


def find_words(code: bytes) -> set[bytes]:
    """Return the words of CODE that count; it has no comments and strings left."""
    return {token[1] for token in CODE_WORD_PATTERN.finditer(code) if token[1]}


def find_offsets(code: bytes, name: bytes) -> Iterator[int]:
    """Yield where CODE, without comments and strings, has NAME as a word that counts."""
    end = 0
    while (start := code.find(name, end)) >= 0:
        end = start + len(name)
        if start and code[start - 1] in NAME_BYTES:
            continue
        if end < len(code) and code[end] in NAME_BYTES:
            continue
        margin = code[max(0, start - LONGEST_MARGIN) : start]
        if not BEFORE_TAG_OR_MEMBER_PATTERN.search(margin):
            yield start
