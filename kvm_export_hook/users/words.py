# SPDX-License-Identifier: MIT
"""The words of C that can name a symbol. Pure.

Left out: comments, strings, ``#include`` lines, members (``.x`` and ``->x``)
and tags (``struct x``). The strings of ``asm`` stay: they name symbols. Unlike
the lexer of the rules, which explains a few words, this reads all the words of
KVM: a few regular expressions pass over them.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# What is open at the end of the file takes the rest, so that no end is looked
# for twice; the counts bound what re keeps to go back.
HIDDEN = rb"""
      /(?: \*(?:.*?\*/|.*) | /[^\n]* )
    | "[^"\\\n]*(?:\\.[^"\\\n]*){0,999}"?
    | '[^'\\\n]*(?:\\.[^'\\\n]*){0,999}'?
    | \#[ \t]*include\b[^\n]*"""
HIDDEN_PATTERN = re.compile(rb"(?sx)" + HIDDEN)
ASM = rb"asm(?:__|_volatile_goto|_inline)?\b(?:\s|volatile|__volatile__|goto|inline){0,9}\("
ASM_PATTERN = re.compile(ASM)
ASM_OR_HIDDEN_PATTERN = re.compile(rb"(?sx)(" + ASM + rb") | [();] |" + HIDDEN)
# A dot alone is the assembler's own place, and no member follows it.
NOT_ASSEMBLER_PATTERN = re.compile(rb'(?s)\\.|"|\.(?!\w)')

WORD_PATTERN = re.compile(rb"\w+")
# Group 1 is a word that counts. The most frequent come first.
CODE_WORD_PATTERN = re.compile(rb"(?:struct|union|enum)\s+\w+|(\w+)|(?:->|(?<!\.)\.(?!\.))\s*\w+")
BEFORE_TAG_OR_MEMBER_PATTERN = re.compile(rb"(?:\b(?:struct|union|enum)\s+|->\s*|(?<!\.)\.\s*)\Z")
# So many bytes before a word show what it is.
LONGEST_MARGIN = 32
WORD_BYTES = frozenset(b"0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

# One finding leads to some ten names, all exports to hundreds.
FEW_NAMES = 32


def may_name(data: bytes, names: Collection[bytes]) -> bool:
    """Whether DATA may name one of NAMES: a quick look, for as many as a finding leads to."""
    return len(names) > FEW_NAMES or any(name in data for name in names)


def hide_text(data: bytes, keeps_lines: bool) -> bytes:
    """Return DATA with a space for each comment, string and ``#include``.

    Where it KEEPS_LINES, with as many line ends as there were.
    """
    if ASM_PATTERN.search(data):
        return ASM_OR_HIDDEN_PATTERN.sub(AsmReader(keeps_lines).hide, data)
    return HIDDEN_PATTERN.sub(keep_line_ends if keeps_lines else b" ", data)


def keep_line_ends(hidden: re.Match[bytes]) -> bytes:
    """Return the line ends of HIDDEN text, or a space."""
    return b"\n" * hidden[0].count(b"\n") or b" "


class AsmReader:
    """Hides text as ``hide_text`` does, but for what the strings of ``asm(...)`` name."""

    def __init__(self, keeps_lines: bool) -> None:
        self._keeps_lines = keeps_lines
        self._depth = 0

    def hide(self, found: re.Match[bytes]) -> bytes:
        """Return what stands for the FOUND text: itself, if it is no comment or string."""
        text = found[0]
        if found[1] or text == b"(":
            self._depth += self._depth > 0 or found[1] is not None
        elif text == b")":
            self._depth -= self._depth > 0
        elif text == b";":  # outside a string it ends any asm
            self._depth = 0
        elif self._depth and text.startswith(b'"'):
            return NOT_ASSEMBLER_PATTERN.sub(b" ", text)
        else:
            return keep_line_ends(found) if self._keeps_lines else b" "
        return text


def find_words(code: bytes) -> set[bytes]:
    """Return the words of CODE that count; it has no comments and strings left."""
    return {token[1] for token in CODE_WORD_PATTERN.finditer(code) if token[1]}


def find_offsets(code: bytes, name: bytes) -> Iterator[int]:
    """Yield where CODE, without comments and strings, has NAME as a word that counts."""
    end = 0
    while (start := code.find(name, end)) >= 0:
        end = start + len(name)
        if start and code[start - 1] in WORD_BYTES:
            continue
        if end < len(code) and code[end] in WORD_BYTES:
            continue
        margin = code[max(0, start - LONGEST_MARGIN) : start]
        if not BEFORE_TAG_OR_MEMBER_PATTERN.search(margin):
            yield start
