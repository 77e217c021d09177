# SPDX-License-Identifier: MIT
"""The outermost statements of C: functions, declarations, tables and calls of macros. Pure.

Reads code without comments, strings and directives. A brace that begins a line counts
as an outermost one, as everywhere in the kernel: two branches of an ``#if`` may open
more braces than they close. Any input takes linear time.
"""

from __future__ import annotations

import re

CALL, FUNCTION, OTHER = "call", "function", "other"

MARK_PATTERN = re.compile(rb"[;{(]")
BRACE_PATTERN = re.compile(rb"[{}]")
PARENTHESES_PATTERN = re.compile(rb"[()]|\n\{|\n\}(?!\s*\))")
PLAIN_PATTERN = re.compile(rb"\([^(){}]*\)")
NOT_BLANK_PATTERN = re.compile(rb"\S")
CALLED_PATTERN = re.compile(rb"\b(\w+)\b\s*\(")
LONE_WORD_PATTERN = re.compile(rb"\s*(\w+)\s*\Z")
# These come before the name of a function, with parentheses of their own.
ATTRIBUTES = frozenset((b"__attribute__", b"__aligned", b"__printf", b"__section"))

PARAMETER_PATTERN = re.compile(rb"(\w+)\s*(?:\[[^\[\]]*\]\s*){0,9}\Z")
POINTER_PATTERN = re.compile(rb"\(\s*\*[\s*]*(?:(?:const|volatile)\s+)?(\w+)")
VARIABLE_PATTERN = re.compile(rb"\b(?!__)(\w+)\s*(?:\[[^\[\]]*\]\s*){0,9}(?:__\w+\s*){0,9}\Z")

# A declaration begins with a word and a name, unless it has one of NOT_DECLARING.
DECLARED_PATTERN = re.compile(rb"((?:\w+[\s*]+){0,9}\w+[\s*]+)(\w+)\s*(?=[(\[,:]|\Z)")
STORAGE = frozenset((b"static", b"inline", b"const", b"volatile", b"register"))
NOT_DECLARING = frozenset(
    (b"return", b"else", b"case", b"goto", b"do", b"if", b"while", b"for", b"default", b"sizeof")
)
ALWAYS_DECLARING = frozenset((b"extern", b"typedef", b"struct", b"union", b"enum"))


class Statement:
    """One outermost statement: offsets of its start, of its body, and after its end.

    The body is what follows the name of a macro, the head of a function, or the
    ``=`` of a table; elsewhere it is empty, and begins at the end.
    """

    __slots__ = ("body", "end", "kind", "start")

    def __init__(self, kind: str, start: int, body: int, end: int) -> None:
        self.kind = kind
        self.start = start
        self.body = body
        self.end = end


def find_statements(code: bytes) -> list[Statement]:
    """List the outermost statements of CODE, in order."""
    return StatementReader(code).found


class StatementReader:
    """Reads the outermost statements of CODE into the list ``found``."""

    def __init__(self, code: bytes) -> None:
        self._code = code
        self.found: list[Statement] = []
        self._pos = self._start = 0
        self._is_new = True  # no parenthesis yet
        self._brace = -1  # the first of the statement, if it begins no function
        # A call of a macro, whose block may follow.
        self._call: Statement | None = None
        while mark := MARK_PATTERN.search(code, self._pos):
            self._pos = mark.end()
            if self._is_new:
                first = NOT_BLANK_PATTERN.search(code, self._start)
                assert first  # the mark itself, at the latest
                self._start = first.start()
            if self._call and (mark[0] != b"{" or self._start < mark.start()):
                self._call = None
            if mark[0] == b"(":
                self._pass_parentheses(mark.start())
            elif mark[0] == b"{":
                self._pass_block(mark.start())
            else:
                self._end(mark.start())

    def _begin(self, start: int) -> None:
        """Begin a statement at START."""
        self._pos = self._start = start
        self._is_new = True
        self._brace = -1

    def _pass_parentheses(self, at: int) -> None:
        """Pass the parentheses that open AT; they may belong to a call."""
        self._pos = pass_parentheses(self._code, at)
        if self._is_new and is_call(self._code[self._start : at]):
            self._call = Statement(CALL, self._start, at, self._pos)
            self.found.append(self._call)
            self._begin(self._pos)
        self._is_new = self._start == self._pos

    def _pass_block(self, at: int) -> None:
        """Pass the block that opens AT: of a call, of a function, or in another statement."""
        self._pos, is_whole = pass_block(self._code, at)
        if not is_whole:
            self._begin(self._pos)
            self._start = self._code.rfind(b";", at, self._pos) + 1 or at + 1
        elif self._call:
            self._call.end = self._pos
            self._begin(self._pos)
        elif self._brace < 0 and is_head(self._code[self._start : at]):
            self.found.append(Statement(FUNCTION, self._start, at, self._pos))
            self._begin(self._pos)
        else:
            self._brace = at if self._brace < 0 else self._brace
            self._is_new = False

    def _end(self, at: int) -> None:
        """End a statement AT its semicolon."""
        if self._start < at:
            self.found.append(make_statement(self._code, self._start, at, self._brace))
        self._begin(at + 1)


def make_statement(code: bytes, start: int, end: int, brace: int) -> Statement:
    """Make the statement from START to END, whose first BRACE, if not -1, begins no function."""
    sign = code.find(b"=", start, brace if brace >= 0 else end)
    return Statement(OTHER, start, sign + 1 if sign >= 0 else end, end)


def pass_parentheses(code: bytes, start: int) -> int:
    """Return where the parentheses that open at START end, at the latest with their function."""
    plain = PLAIN_PATTERN.match(code, start)
    if plain:
        return plain.end()
    depth = 0
    for mark in PARENTHESES_PATTERN.finditer(code, start):
        if mark[0] not in (b"(", b")"):
            return mark.start()
        depth += 1 if mark[0] == b"(" else -1
        if depth == 0:
            return mark.end()
    return len(code)


def pass_block(code: bytes, start: int) -> tuple[int, bool]:
    """Return where the block that opens at START ends, and whether it does end.

    If not, the first result is where the next outermost block opens.
    """
    depth = 0
    for brace in BRACE_PATTERN.finditer(code, start):
        at = brace.start()
        begins_line = at > 0 and code[at - 1] == 0x0A
        if brace[0] == b"{":
            if begins_line and at > start:
                return at, False
            depth += 1
        else:
            depth = 0 if begins_line else depth - 1
            if depth == 0:
                return at + 1, True
    return len(code), False


def is_call(head: bytes) -> bool:
    """Whether HEAD, before a parenthesis, is the name of a macro alone."""
    word = LONE_WORD_PATTERN.match(head)
    return word is not None and word[1] not in ATTRIBUTES


def is_head(head: bytes) -> bool:
    """Whether HEAD, before a brace, is that of a function."""
    return b"(" in head and b"=" not in head


def read_function(head: bytes) -> bytes | None:
    """Return the name of the function whose definition begins with HEAD."""
    called = find_called(head)
    return called[1] if called else None


def read_parameters(head: bytes) -> set[bytes]:
    """Return the names of the parameters of that function."""
    called = find_called(head)
    if not called:
        return set()
    listed = head[called.end() : pass_parentheses(head, called.end() - 1) - 1]
    names = set(POINTER_PATTERN.findall(listed))
    for parameter in split_arguments(listed):
        if b"(" not in parameter and (found := PARAMETER_PATTERN.search(parameter)):
            names.add(found[1])
    return names


def find_called(head: bytes) -> re.Match[bytes] | None:
    """Find the name and the parenthesis after it in HEAD, of a function."""
    for called in CALLED_PATTERN.finditer(head):
        if called[1] not in ATTRIBUTES:
            return called
    return None


def read_variable(head: bytes) -> bytes | None:
    """Return the variable that a declaration initialises, given the HEAD before the ``=``."""
    declarator = head.partition(b"__attribute__")[0]
    found = POINTER_PATTERN.search(declarator) or VARIABLE_PATTERN.search(declarator)
    return found[1] if found else None


def split_arguments(listed: bytes) -> list[bytes]:
    """Split what is between the parentheses of a call, at the commas of the call itself."""
    pieces = []
    depth = start = 0
    for mark in re.finditer(rb"[(){}\[\],]", listed):
        if mark[0] == b",":
            if depth == 0:
                pieces.append(listed[start : mark.start()].strip())
                start = mark.end()
        else:
            depth += 1 if mark[0] in b"({[" else -1
    pieces.append(listed[start:].strip())
    return pieces


def is_declaration(statement: bytes) -> bool:
    """Whether STATEMENT, which is not a function, only declares what it names."""
    if b"=" in statement:
        return False
    words = set(statement.partition(b"(")[0].split())
    if words & NOT_DECLARING:
        return False
    if words & ALWAYS_DECLARING:
        return True
    declared = DECLARED_PATTERN.match(statement)
    if not declared or declared[2].isupper():
        return False
    types = set(declared[1].replace(b"*", b" ").split())
    return bool(types - STORAGE)
