# SPDX-License-Identifier: MIT
"""Finds the places of words that are easy to see, and asks the lexer for the others. Pure.

The export that everybody writes, ``MACRO(symbol)`` on a line of its own, takes a
few finds. The lexer imports ``re``, which takes 5 ms; a bare start of Python takes 9.
"""

from __future__ import annotations

from itertools import islice

from kvm_export_hook.rules.place import CODE, LONGEST_SYMBOL, Place
from kvm_export_hook.rules.scan import begins_plain_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kvm_export_hook.rules.scan import Words

# At most this many are looked at one by one. The kernel's files have fewer.
FEW_BACKSLASHES = 1000


def find_places(text: bytes, words: Words) -> Iterator[Place]:
    """Yield the place of each of WORDS, which are in the order of TEXT."""
    count = 0
    for place in find_plain_places(text, words):
        if place is None:
            break
        yield place
        count += 1
    else:
        return
    from kvm_export_hook.rules import lex

    yield from islice(lex.lex_places(text, words), count, None)


def find_plain_places(text: bytes, words: Words) -> Iterator[Place | None]:
    """Yield the places that are easy to see, and None for the others.

    A word that begins a line is in code unless a block comment is open there:
    strings, // comments and directives end with the previous line. A block comment
    is open if there is no ``*/`` between its ``/*`` and the word.
    """
    opened = closed = -1
    previous = 0
    may_miss_opener = has_spliced_slash(text)
    for start, word in words:
        opened = max(opened, text.rfind(b"/*", previous, start))
        closed = max(closed, text.rfind(b"*/", previous, start))
        previous = start
        in_comment = opened >= 0 and closed <= opened + 1  # "/*/" does not close
        if in_comment or may_miss_opener or not begins_plain_line(text, start):
            yield None
        else:
            yield read_plain_call(text, start + len(word))


def has_spliced_slash(text: bytes) -> bool:
    """Whether a splice may divide a ``/*`` of TEXT, so that find() does not find it.

    A few searches for one byte are much faster than one search for two.
    """
    at = text.find(b"\\", 1)
    for _ in range(FEW_BACKSLASHES):
        if at < 0 or text.startswith(b"/", at - 1):
            return at >= 0
        at = text.find(b"\\", at + 1)
    return at >= 0 and text.find(b"/\\", at - 1) >= 0


def read_plain_call(text: bytes, after: int) -> Place | None:
    """Read the ``(symbol)`` that starts at AFTER."""
    close = text.find(b")", after, after + LONGEST_SYMBOL)
    opener, symbol = text[after : after + 1], text[after + 1 : max(close, after)]
    if opener == b"(" and symbol.replace(b"_", b"a").isalnum():
        return Place(CODE, symbol, close + 1)
    return None
