# SPDX-License-Identifier: MIT
"""The words of C that can name a symbol; a header's macros and inline functions. Pure.

Left out: comments, strings, ``#include`` lines, members (``.x`` and ``->x``)
and tags (``struct x``). Unlike the lexer of the rules, which explains a few
words, this reads all the words of KVM: one regular expression passes over them.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    Definition = tuple[bytes, frozenset[bytes]]  # its name, and the words of its body

# What is open at the end of the file takes the rest, so that no end is looked
# for twice; the counts bound what re keeps to go back.
HIDDEN = rb"""
      /(?: \*(?:.*?\*/|.*) | /[^\n]* )
    | "[^"\\\n]*(?:\\.[^"\\\n]*){0,999}"?
    | '[^'\\\n]*(?:\\.[^'\\\n]*){0,999}'?
    | \#[ \t]*include\b[^\n]*"""
TAG = rb"(?:struct|union|enum)\s+\w+"
MEMBER = rb"(?:->|(?<!\.)\.(?!\.))\s*\w+"

HIDDEN_TEXT = re.compile(rb"(?sx)" + HIDDEN)
# Group 1 is a word that counts. The most frequent come first.
TOKEN = re.compile(rb"(?sx)" + TAG + rb"|(\w+)|" + MEMBER + rb"|" + HIDDEN)
CODE_TOKEN = re.compile(TAG + rb"|(\w+)|" + MEMBER)

EXPORT = re.compile(rb"\bEXPORT_\w+\s*\(\s*(\w+)")
DIRECTIVE = re.compile(rb"(?m)^[ \t]*#[ \t]*(?:define[ \t]+(\w+))?([^\n]*)")
BRACE = re.compile(rb"[{}]")
FUNCTION = re.compile(rb"\b(\w+)\b\s*\(")
# One finding leads to some ten names, all exports to hundreds.
FEW_NAMES = 32
# Stand before the name of a function, with parentheses of their own.
ATTRIBUTES = frozenset((b"__attribute__", b"__aligned", b"__printf", b"__section"))


def find_first_lines(data: bytes, names: Collection[bytes]) -> dict[bytes, int]:
    """Find the line, 1-based, where the code of DATA first names each of NAMES, in its order."""
    found: dict[bytes, int] = {}
    line, counted = 1, 0
    for token in TOKEN.finditer(data):
        word = token[1]
        if word in names and word not in found:
            line += data.count(b"\n", counted, token.start())
            counted = token.start()
            found[word] = line
    return found


def find_exported_names(data: bytes) -> set[bytes]:
    """Find what the code of DATA exports itself: the argument of each ``EXPORT_*`` macro."""
    return set(EXPORT.findall(HIDDEN_TEXT.sub(b" ", data))) if EXPORT.search(data) else set()


def may_name(data: bytes, names: Collection[bytes]) -> bool:
    """Whether DATA may name one of NAMES: a quick look, for as many as a finding leads to."""
    return len(names) > FEW_NAMES or any(name in data for name in names)


class Header:
    """A header; its definitions are read when they are asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.definitions: list[Definition] | None = None

    def read_definitions(self) -> list[Definition]:
        """Return the macros and the inline functions, with the words of their bodies."""
        if self.definitions is None:
            self.definitions = list(find_definitions(self.data))
        return self.definitions


def find_definitions(header: bytes) -> Iterator[Definition]:
    """Yield the macros and the inline functions of a HEADER, with the words of their bodies."""
    code = HIDDEN_TEXT.sub(b" ", header.replace(b"\\\n", b" "))
    for directive in DIRECTIVE.finditer(code):
        if directive[1]:
            yield directive[1], find_words(directive[2])
    for name, body in find_functions(DIRECTIVE.sub(b"", code)):
        yield name, find_words(body)


def find_words(code: bytes) -> frozenset[bytes]:
    """Return the words of CODE that count; it has no comments and strings left."""
    return frozenset({token[1] for token in CODE_TOKEN.finditer(code) if token[1]})


def find_functions(code: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the body of each function of CODE, which has no directives left.

    A brace that begins a line is one of the outermost, as in all of the kernel:
    two branches of an ``#if`` may have opened more than they close.
    """
    depth = start = end = 0
    for brace in BRACE.finditer(code):
        at = brace.start()
        begins_line = at == 0 or code[at - 1] == 0x0A
        if brace[0] == b"{":
            if begins_line or depth == 0:
                depth, start = 0, at
            depth += 1
        elif depth:
            depth = 0 if begins_line else depth - 1
            if depth == 0:
                name = read_function_name(code[code.rfind(b";", end, start) + 1 or end : start])
                end = at + 1
                if name:
                    yield name, code[start:at]


def read_function_name(head: bytes) -> bytes | None:
    """Return the function whose definition begins with HEAD, None for anything else."""
    if b"(" in head and not head.rstrip().endswith(b"="):
        for candidate in FUNCTION.finditer(head):
            if candidate[1] not in ATTRIBUTES:
                return candidate[1]
    return None
