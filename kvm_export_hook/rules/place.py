# SPDX-License-Identifier: MIT
"""Where a word of C stands: code, directive, comment or literal; and its call. Pure.

The export that everybody writes, ``MACRO(symbol)`` on a line of its own, shows
at a glance, by a handful of finds. The lexer is for the others: it costs 5 ms
more (``re``), where a bare start of Python takes 9.
"""

from __future__ import annotations

from itertools import islice

from kvm_export_hook.rules.scan import begins_plain_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Word = tuple[int, bytes]  # its offset in the file, and the word

CODE = "code"
DIRECTIVE = "directive"
COMMENT = "comment"
LITERAL = "string"

# No symbol of the kernel has a longer name (KSYM_NAME_LEN).
LONGEST_SYMBOL = 512


class Place:
    """Where a word stands.

    ``kind``: CODE, DIRECTIVE, COMMENT or LITERAL. ``argument``: the first
    argument of the call that the word begins in code, None without a call.
    ``end``: the offset after that call, or after the word.
    """

    __slots__ = ("argument", "end", "kind")

    def __init__(self, kind: str, argument: bytes | None, end: int) -> None:
        self.kind = kind
        self.argument = argument
        self.end = end


def places(data: bytes, words: Sequence[Word]) -> Iterator[Place]:
    """Yield the place of each of WORDS, which are in the order of DATA."""
    count = 0
    for place in plain_places(data, words):
        if place is None:
            break
        yield place
        count += 1
    else:
        return
    from kvm_export_hook.rules import lex

    yield from islice(lex.places(data, words), count, None)


def plain_places(data: bytes, words: Sequence[Word]) -> Iterator[Place | None]:
    """Yield the places that show at a glance, and None for the others.

    A word that begins a line is in code unless a block comment is open there:
    all else that could hide it ends with the line before, if not at a lone CR
    before that. The ``/*`` of an open comment has no ``*/`` between it and the word.
    """
    opened = closed = -1
    previous = 0
    has_spliced_opener = b"/\\" in data  # which would not be found
    for start, word in words:
        opened = max(opened, data.rfind(b"/*", previous, start))
        closed = max(closed, data.rfind(b"*/", previous, start))
        previous = start
        in_comment = opened >= 0 and closed <= opened + 1  # "/*/" does not close
        if in_comment or has_spliced_opener or not begins_plain_line(data, start):
            yield None
        else:
            yield read_plain_call(data, start + len(word))


def read_plain_call(data: bytes, after: int) -> Place | None:
    """Read the ``(symbol)`` that starts at AFTER."""
    close = data.find(b")", after, after + LONGEST_SYMBOL)
    opener, symbol = data[after : after + 1], data[after + 1 : max(close, after)]
    if opener == b"(" and symbol.replace(b"_", b"a").isalnum():
        return Place(CODE, symbol, close + 1)
    return None
