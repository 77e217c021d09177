# SPDX-License-Identifier: MIT
"""What a header of KVM defines: macros, inline functions, classes, guards and tables. Pure."""

from __future__ import annotations

from kvm_export_hook.users.macros import DIRECTIVE_PATTERN, SPLICE, read_macros
from kvm_export_hook.users.statements import (
    CALL,
    FUNCTION,
    find_statements,
    read_function,
    read_parameters,
    read_variable,
    split_arguments,
)
from kvm_export_hook.users.words import WORD_PATTERN, find_words, hide_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.users.macros import Macros
    from kvm_export_hook.users.statements import Statement

# The functions that TRACE_EVENT() makes are in the module that has CREATE_TRACE_POINTS.
EVENT = b"EVENT"


class Definition:
    """A name and its body. ``words``: what that may name, pasted names too."""

    __slots__ = ("_body", "_head", "_own", "_pasted", "name", "words")

    def __init__(
        self, name: bytes, body: bytes, macros: Macros, own: Iterable[bytes] = (), head: bytes = b""
    ) -> None:
        """OWN: words of BODY that are not uses, like the parameters in the HEAD of a function."""
        self.name = name
        self._body = body
        self._own = own
        self._head = head
        self.words = set(WORD_PATTERN.findall(body))
        made = macros.expand_names(body, self.words)
        self._pasted = find_words(made) if made else set()
        self.words |= self._pasted

    def read_words(self) -> set[bytes]:
        """Return the words that can name a symbol."""
        parameters = read_parameters(self._head) if self._head else set()
        return find_words(self._body).difference(self._own, parameters) | self._pasted


class Header:
    """A header: its path, its code without comments, and its macros.

    Its definitions are read when they are asked for.
    """

    def __init__(self, path: bytes, data: bytes) -> None:
        self.path = path
        self.code = b"\n" + hide_text(data.replace(SPLICE, b" "), keeps_lines=False)
        self.macros = list(read_macros(self.code))
        self._definitions: list[Definition] | None = None

    def read_definitions(self, macros: Macros) -> list[Definition]:
        """Return what it defines, given the MACROS of all headers."""
        if self._definitions is None:
            self._definitions = list(self._find_definitions(macros))
        return self._definitions

    def _find_definitions(self, macros: Macros) -> Iterator[Definition]:
        """Yield what it defines."""
        for macro in self.macros:
            yield Definition(macro.name, macro.body, macros, macro.parameters or ())
        code = DIRECTIVE_PATTERN.sub(b"", self.code)
        statements = find_statements(code)
        if any(is_call_of(macros, code, each) for each in statements):
            code = expand_outermost(code, statements, macros)
            statements = find_statements(code)
        for statement in statements:
            definition = read_definition(code, statement, macros)
            if definition:
                yield definition


def is_call_of(macros: Macros, code: bytes, statement: Statement) -> bool:
    """Whether STATEMENT calls one of MACROS."""
    return statement.kind == CALL and code[statement.start : statement.body].strip() in macros


def expand_outermost(code: bytes, statements: list[Statement], macros: Macros) -> bytes:
    """Return CODE in which those of its STATEMENTS that call one of MACROS are expanded."""
    pieces: list[bytes] = []
    done = 0
    for each in statements:
        if is_call_of(macros, code, each):
            pieces += code[done : each.start], macros.expand_all(code[each.start : each.end])
            done = each.end
    pieces.append(code[done:])
    return b"".join(pieces)


def read_definition(code: bytes, statement: Statement, macros: Macros) -> Definition | None:
    """Read what STATEMENT of CODE defines; None if it only declares."""
    head = code[statement.start : statement.body]
    body = code[statement.body : statement.end]
    if statement.kind == CALL:
        first = WORD_PATTERN.search(split_arguments(body.partition(b"(")[2])[0])
        if EVENT in head or not first:
            return None
        return Definition(first[0], body, macros, (first[0],))
    if statement.kind == FUNCTION:
        name = read_function(head)
        if name and name in macros:
            head = macros.expand_all(head)
            name = read_function(head)
        return Definition(name, body, macros, head=head) if name else None
    name = read_variable(head.rstrip(b"= \t\n")) if body else None
    return Definition(name, body, macros) if name else None
