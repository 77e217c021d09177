# SPDX-License-Identifier: MIT
"""Finds where a source uses a name. A declaration or a parameter is not a use. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right

from kvm_export_hook.users.exported import find_exported_names
from kvm_export_hook.users.statements import (
    FUNCTION,
    OTHER,
    find_statements,
    is_declaration,
    read_function,
    read_parameters,
)
from kvm_export_hook.users.words import LONGEST_MARGIN, find_offsets, find_words, hide_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from kvm_export_hook.users.macros import Paster
    from kvm_export_hook.users.words import WantedNames

# The roles of a name in a source.
USE, DEFINITION, OTHER_NAME = "use", "definition", "other name"

DEFINE_PATTERN = re.compile(rb"#[ \t]*define[ \t]+\Z")
DIRECTIVE_LINES_PATTERN = re.compile(rb"\n[ \t]*#[^\n\\]*(?:\\(?:.|\n)[^\n\\]*){0,9999}")


class Uses:
    """The names that a source uses, of those that were asked for.

    ``lines``: the first line of each, 1-based, in the order of the source. ``defined``:
    those that it also defines; ``exported``: all names that it exports.
    """

    __slots__ = ("defined", "exported", "lines")

    def __init__(
        self,
        lines: dict[bytes, int],
        defined: Set[bytes] = frozenset(),
        exported: Set[bytes] = frozenset(),
    ) -> None:
        self.lines = lines
        self.defined = defined
        self.exported = exported


def find_uses(data: bytes, names: WantedNames, pasters: Sequence[Paster] = ()) -> Uses:
    """Find which of NAMES the source DATA uses, itself or by a call of PASTERS, and where."""
    present = names.find_in(data)
    called = [paster for paster in pasters if paster.name in data]
    if not called and not present:
        return Uses({})
    code = hide_text(data, keeps_lines=True)
    offsets, defined = find_named(code, present)
    for paster in called:
        for start, made in paster.find_calls(code):
            for word in find_words(made) & names.all:
                offsets[word] = min(start, offsets.get(word, start))
    ordered = sorted(offsets.items(), key=lambda use: (use[1], use[0]))
    lines = {name: code.count(b"\n", 0, at) + 1 for name, at in ordered}
    return Uses(lines, defined, find_exported_names(code))


def find_named(code: bytes, names: Set[bytes]) -> tuple[dict[bytes, int], set[bytes]]:
    """Find where CODE, without comments and strings, first uses each of NAMES.

    The second result: those that it defines.
    """
    offsets: dict[bytes, int] = {}
    defined: set[bytes] = set()
    outline = Outline(code)
    for name in names:
        for at in find_offsets(code, name):
            role = outline.find_role(name, at)
            if role == DEFINITION:
                defined.add(name)
            elif role == USE:
                offsets.setdefault(name, at)
    return offsets, defined


def blank_directive(found: re.Match[bytes]) -> bytes:
    """Return as many bytes as a directive has, with the line end before it."""
    return b"\n".ljust(len(found[0]))


class Outline:
    """The outermost statements of a source, to look up what a word of it is."""

    def __init__(self, code: bytes) -> None:
        self._code = code
        self._plain = DIRECTIVE_LINES_PATTERN.sub(blank_directive, b"\n" + code)[1:]
        self._statements = find_statements(self._plain)
        self._starts = [each.start for each in self._statements]
        # Of each statement that was looked at: the function, and its parameters.
        self._functions: dict[int, tuple[bytes | None, set[bytes]]] = {}
        self._declarations: dict[int, bool] = {}

    def find_role(self, name: bytes, at: int) -> str:
        """Find the role of NAME at the offset AT: used, defined, or the name of something else."""
        if DEFINE_PATTERN.search(self._code, max(0, at - LONGEST_MARGIN), at):
            return DEFINITION
        index = bisect_right(self._starts, at) - 1
        if index < 0 or at >= self._statements[index].end:
            return USE
        each = self._statements[index]
        if each.kind == FUNCTION:
            if index not in self._functions:
                head = self._plain[each.start : each.body]
                self._functions[index] = read_function(head), read_parameters(head)
            function, parameters = self._functions[index]
            if name == function and at < each.body:
                return DEFINITION
            return OTHER_NAME if name in parameters else USE
        if index not in self._declarations:
            statement = self._plain[each.start : each.end]
            self._declarations[index] = each.kind == OTHER and is_declaration(statement)
        return OTHER_NAME if self._declarations[index] else USE
