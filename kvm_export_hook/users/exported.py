# SPDX-License-Identifier: MIT
"""What an export macro exports: the name that is linked, and the names in other sources. Pure."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

EXPORT_CALL_PATTERN = re.compile(rb"(EXPORT_\w+)\s*\(\s*(\w+)")

# What macros with these beginnings put before their argument.
TRACEPOINT, STATIC_CALL = b"__tracepoint_", b"__SCT__"
PREFIXES = {
    b"EXPORT_SYMBOL": b"",
    b"EXPORT_PER_CPU_SYMBOL": b"",
    b"EXPORT_TRACEPOINT_SYMBOL": TRACEPOINT,
    b"EXPORT_STATIC_CALL": STATIC_CALL,
}
# The names that TRACE_EVENT(name, ...) makes. They lead to the tracepoint.
TRACEPOINT_NAMES = (
    b"trace_%b",
    b"trace_%b_enabled",
    b"trace_%b_rcuidle",
    b"trace_call__%b",
    b"register_trace_%b",
    b"register_trace_prio_%b",
    b"unregister_trace_%b",
    b"__traceiter_%b",
    b"__SCK__tp_func_%b",
    b"__SCT__tp_func_%b",
)


def is_name(symbol: bytes) -> bool:
    """Whether SYMBOL has only the characters of a name of C."""
    return symbol.replace(b"_", b"a").isalnum() and symbol.isascii()


def name_linked(macro: bytes, symbol: bytes) -> bytes | None:
    """Return the name that MACRO(SYMBOL) exports to the linker; None: it is not known."""
    for start, prefix in PREFIXES.items():
        if macro.lstrip(b"_").startswith(start) and is_name(symbol):
            return prefix + symbol
    return None


def find_exported_names(code: bytes) -> set[bytes]:
    """Find the names that CODE, without comments and strings, exports to the linker."""
    linked = (name_linked(macro, symbol) for macro, symbol in EXPORT_CALL_PATTERN.findall(code))
    return {name for name in linked if name}


def list_made_names(symbols: Collection[bytes]) -> Iterator[tuple[bytes, set[bytes]]]:
    """Yield other names by which sources use SYMBOLS, each with the symbol it leads to."""
    for symbol in symbols:
        if symbol.startswith(TRACEPOINT):
            for name in TRACEPOINT_NAMES:
                yield name % symbol[len(TRACEPOINT) :], {symbol}
