# SPDX-License-Identifier: MIT
"""What a module uses through macros and inline functions: the closure over their bodies. Pure.

A module uses what its sources name, and what the macros and inline functions name that
these lead to. Each name is visited once, so the time is linear.
"""

from __future__ import annotations

from itertools import chain

from kvm_export_hook.users.exported import list_made_names
from kvm_export_hook.users.words import may_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set

    from kvm_export_hook.users.headers import Definition, Header
    from kvm_export_hook.users.macros import Macros

    Symbols = Set[bytes]
    Bodies = Mapping[bytes, list[bytes]]  # of each macro or inline function: what it names
    Namers = Mapping[bytes, bytes | None]  # of each name: what names it, None for a start


def find_leading_bodies(headers: Iterable[Header], macros: Macros, symbols: Symbols) -> Bodies:
    """Find in HEADERS what leads to SYMBOLS, over any number of steps.

    A header is parsed only if it may name something that leads there, or calls one of
    MACROS that may paste such a name. First all words of a body count; then, of the few
    bodies that remain, only the words that can name a symbol.
    """
    made = list(list_made_names(symbols))
    names = symbols | {name for name, _ in made}
    left = list(headers)
    read: list[Definition] = []
    while True:
        wanted = names | {paster.name for paster in macros.choose(names)}
        found = [header for header in left if may_name(header.code, wanted)]
        if not found:
            break
        left = [header for header in left if header not in found]
        for header in found:
            read += header.read_definitions(macros)
        guessed = chain(made, ((each.name, each.words) for each in read))
        names |= keep_leading_bodies(guessed, symbols).keys()
    counted = ((each.name, each.read_words()) for each in read if each.name in names)
    return keep_leading_bodies(chain(made, counted), symbols)


def keep_leading_bodies(
    definitions: Iterable[tuple[bytes, Set[bytes]]], symbols: Symbols
) -> Bodies:
    """Keep of DEFINITIONS, which are names with their words, those that lead to SYMBOLS.

    The words are sorted, so that of two ways the same one is always shown.
    """
    bodies: dict[bytes, set[bytes]] = {}
    for name, words in definitions:
        bodies.setdefault(name, set()).update(words)
    pending = sorted(symbols)
    passed = set(pending)
    targets = passed | bodies.keys()
    namers: dict[bytes, list[bytes]] = {}
    for name, body in bodies.items():
        for word in body & targets:
            namers.setdefault(word, []).append(name)
    leading: dict[bytes, list[bytes]] = {}
    for word in pending:  # which grows
        for name in namers.get(word, ()):
            leading.setdefault(name, []).append(word)
            if name not in passed:
                passed.add(name)
                pending.append(name)
    return {name: sorted(words) for name, words in leading.items()}


def reach(starts: Iterable[bytes], bodies: Bodies) -> Namers:
    """Find what the names STARTS lead to over BODIES, in as few steps as possible."""
    namers: dict[bytes, bytes | None] = dict.fromkeys(starts)
    pending = list(namers)
    for name in pending:  # which grows
        for word in bodies.get(name, ()):
            if word not in namers:
                namers[word] = name
                pending.append(word)
    return namers


def trace_chain(name: bytes, namers: Namers) -> tuple[bytes, ...]:
    """Return the names that lead to NAME, the start first; empty if NAME is a start."""
    through = []
    namer = namers[name]
    while namer is not None:
        through.append(namer)
        namer = namers[namer]
    return tuple(reversed(through))
