# SPDX-License-Identifier: MIT
"""The macros of KVM's headers, and what their calls make: functions, classes, pasted names. Pure.

Only calls that make a name are expanded: the outermost ones, and those that paste names
with ``##``. For all other macros, ``closure`` follows what they name.
"""

from __future__ import annotations

import re
from itertools import chain

from kvm_export_hook.users.statements import pass_parentheses, split_arguments
from kvm_export_hook.users.words import WORD_PATTERN, find_offsets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Set

# Begins with a line end: re finds that faster than the start of a line.
DIRECTIVE_PATTERN = re.compile(rb"\n[ \t]*#[ \t]*(?:define[ \t]+(\w+)(\([^()\n]*\))?)?([^\n]*)")
SPLICE = b"\\\n"
CALL_PATTERN = re.compile(rb"\b(\w+)[ \t\n]*\(")
OPEN_PATTERN = re.compile(rb"\s*\(")
PASTE_PATTERN = re.compile(rb"\s*##\s*")
PASTED_PATTERN = re.compile(rb"\w+(?:\s*##\s*\w+)+")

# All of KVM's headers stay far below both.
DEEPEST_CALL = 16
LONGEST_EXPANSION = 1 << 21


class MacroDefinition:
    """A macro: its parameters, None if it has no parentheses, and its body on one line."""

    __slots__ = ("body", "name", "parameters")

    def __init__(self, name: bytes, listed: bytes | None, body: bytes) -> None:
        self.name = name
        self.body = body
        self.parameters: list[bytes] | None = None
        if listed is not None:
            names = split_arguments(listed[1:-1])
            self.parameters = [name.rstrip(b". ") or b"__VA_ARGS__" for name in names]

    def substitute(self, arguments: list[bytes]) -> bytes:
        """Return the body with ARGUMENTS for the parameters, and its names pasted."""
        parameters = self.parameters or []
        last = len(parameters) - 1
        if len(arguments) > len(parameters) > 0:
            arguments = [*arguments[:last], b",".join(arguments[last:])]
        values = dict(zip(parameters, arguments, strict=False))  # a call may have too few
        filled = WORD_PATTERN.sub(lambda word: values.get(word[0], word[0]), self.body)
        return PASTE_PATTERN.sub(b"", filled)

    def list_pasted(self) -> Iterator[list[bytes]]:
        """Yield for each name that the body pastes those parts that are not parameters."""
        for pasted in PASTED_PATTERN.findall(self.body):
            parts = PASTE_PATTERN.split(pasted)
            yield [part for part in parts if part not in (self.parameters or ())]


def read_macros(code: bytes) -> Iterator[MacroDefinition]:
    """Yield the macros that CODE, without comments and splices, and after a line end, defines."""
    for directive in DIRECTIVE_PATTERN.finditer(code):
        if directive[1]:
            yield MacroDefinition(directive[1], directive[2], directive[3])


# Macros of the kernel: how a static call or tracepoint becomes the name that is linked.
KERNEL_MACROS = [
    *(
        MacroDefinition(name, b"(name, ...)", b"__SCT__##name __VA_ARGS__")
        for name in (
            b"static_call",
            b"static_call_cond",
            b"static_call_mod",
            b"static_call_query",
            b"static_call_update",
            b"STATIC_CALL_KEY",
            b"STATIC_CALL_TRAMP",
        )
    ),
    MacroDefinition(b"tracepoint_enabled", b"(name)", b"__tracepoint_##name"),
]


class Macros:
    """The macros that take arguments, and their calls.

    ``is_whole``: whether every call was expanded to its end.
    """

    def __init__(self, macros: Iterable[MacroDefinition]) -> None:
        self._definitions: dict[bytes, list[MacroDefinition]] = {}
        for macro in chain(KERNEL_MACROS, macros):
            if macro.parameters is not None:
                self._definitions.setdefault(macro.name, []).append(macro)
        self._left = LONGEST_EXPANSION
        self.is_whole = True
        # The macros that paste names, also by another macro, and the parts of these names.
        self.pasting = self._find_pasting()

    def __contains__(self, name: bytes) -> bool:
        """Whether NAME is a macro that takes arguments."""
        return name in self._definitions

    def _find_pasting(self) -> dict[bytes, list[list[bytes]]]:
        """Find the macros that paste names, over any number of steps."""
        pasting = {
            name: pasted
            for name, macros in self._definitions.items()
            if (pasted := [each for macro in macros for each in macro.list_pasted()])
        }
        callers: dict[bytes, set[bytes]] = {}
        for name, macros in self._definitions.items():
            for macro in macros:
                for word in WORD_PATTERN.findall(macro.body):
                    callers.setdefault(word, set()).add(name)
        pending = list(pasting)
        for name in pending:  # which grows
            for caller in sorted(callers.get(name, ())):
                if caller not in pasting:
                    pasting[caller] = pasting[name]
                    pending.append(caller)
        return pasting

    def choose(self, names: Collection[bytes]) -> list[Paster]:
        """Choose the macros that may paste one of NAMES, by a quick check of the parts."""
        joined = b" ".join(names)
        return [
            Paster(macro, self)
            for macro, pasted in self.pasting.items()
            if any(all(part in joined for part in parts) for parts in pasted)
        ]

    def expand_names(self, code: bytes, words: Set[bytes]) -> bytes:
        """Expand the calls in CODE of macros that paste names. WORDS: all words of CODE."""
        found = [Paster(name, self) for name in sorted(self.pasting.keys() & words)]
        return b" ".join(made for each in found for _, made in each.find_calls(code))

    def expand(self, name: bytes, listed: bytes, active: Set[bytes] = frozenset()) -> bytes:
        """Expand a call of the macro NAME with the LISTED arguments.

        ACTIVE: the macros that are being expanded; calls of these stay as they are.
        """
        if len(active) >= DEEPEST_CALL or self._left <= 0:
            self.is_whole = False
            return b""
        arguments = split_arguments(listed)
        bodies = [macro.substitute(arguments) for macro in self._definitions[name]]
        made = b"\n".join(bodies)
        self._left -= len(made)
        return self.expand_all(made, active | {name})

    def expand_all(self, code: bytes, active: Set[bytes] = frozenset()) -> bytes:
        """Return CODE with each call of a macro expanded, except the ACTIVE ones."""
        pieces: list[bytes] = []
        done = 0
        for call in CALL_PATTERN.finditer(code):
            name = call[1]
            if call.start() >= done and name in self and name not in active:
                end = pass_parentheses(code, call.end() - 1)
                pieces += (
                    code[done : call.start()],
                    self.expand(name, code[call.end() : end - 1], active),
                )
                done = end
        pieces.append(code[done:])
        return b"".join(pieces)


class Paster:
    """One of MACROS that pastes names: its name, and its calls."""

    __slots__ = ("_macros", "name")

    def __init__(self, name: bytes, macros: Macros) -> None:
        self.name = name
        self._macros = macros

    def find_calls(self, code: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the offset of each call of the macro in CODE, and what it expands to."""
        done = 0
        for start in find_offsets(code, self.name):
            opened = OPEN_PATTERN.match(code, start + len(self.name))
            if opened and start >= done:
                done = pass_parentheses(code, opened.end() - 1)
                yield start, self._macros.expand(self.name, code[opened.end() : done - 1])
