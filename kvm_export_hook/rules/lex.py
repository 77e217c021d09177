# SPDX-License-Identifier: MIT
"""The lexer: what surrounds a word of C, where it does not show at a glance. Pure.

Reads the text as the C preprocessor does: line splices go first, then comments
and literals are told from code, then directives. Any input takes linear time:
what lies before a word is passed in bounded runs of tokens, each once.
Not read: raw strings, trigraphs, and what ``#if`` leaves out.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import accumulate, islice

from kvm_export_hook.rules.place import CODE, COMMENT, DIRECTIVE, LITERAL, LONGEST_SYMBOL, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kvm_export_hook.rules.place import Word

# gcc takes a NUL for white space, blanks for part of a splice, and passes over
# a byte order mark.
BLANKS = rb"[ \t\v\f\r\0]"
SPACE = b" \t\v\f\r\0\n"
SPLICES = re.compile(rb"(?:\\" + BLANKS + rb"*\n){1,999}")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Code and whole tokens; group 1 ends where the last line of code begins. The
# counts bound what re keeps to go back (some 100 bytes a round): a token that
# is not whole before a given end, or has too many escapes, ends the run. Most
# literals have none, and are told first.
RUN = re.compile(
    rb"""(?sx) (?:
        [^"'/\n]+ | (\n+) | /(?![*/])
      | /\*.*?\*/
      | //[^\n]*(?=\n)
      | "[^"\\\n]*(?:"|(?=\n))
      | '[^'\\\n]*(?:'|(?=\n))
      | "[^"\\\n]*(?:\\[^\n][^"\\\n]*){0,99}(?:"|\\?(?=\n))
      | '[^'\\\n]*(?:\\[^\n][^'\\\n]*){0,99}(?:'|\\?(?=\n))
    ){0,999}"""
)
CODE_RUN = re.compile(rb"""(?:[^"'/]+|/(?![*/])){0,999}""")
LITERAL_RUN = {
    b'"': re.compile(rb'(?:[^"\\\n]+|\\[^\n]|\\(?=\n)){0,999}'),
    b"'": re.compile(rb"(?:[^'\\\n]+|\\[^\n]|\\(?=\n)){0,999}"),
}
SIMPLE_CALL = re.compile(rb"\(([A-Za-z0-9_]+)\)")
PARENTHESIS = re.compile(rb"[()]")
MARGIN_RUN = re.compile(rb"(?s)(?:" + BLANKS + rb"+|/\*.*?\*/){0,999}")

# A call that takes more bytes of code than about this is none: it bounds the search.
LONGEST_CALL = 2 * LONGEST_SYMBOL
# And one with more parentheses than these.
MOST_PARENTHESES = 64


def places(data: bytes, words: Sequence[Word]) -> Iterator[Place]:
    """Yield the place of each of WORDS, which are in the order of DATA."""
    starts = [start for start, _ in words]
    if not SPLICES.search(data):
        yield from text_places(data, starts, words)
        return
    bounds = [0, *starts, len(data)]
    pieces = [SPLICES.sub(b"", data[a:b]) for a, b in zip(bounds, bounds[1:])]
    offsets = list(accumulate(map(len, pieces[:-1])))  # of the words in the text
    for place, offset in zip(text_places(b"".join(pieces), offsets, words), offsets):
        # The call ends in the piece behind its word, or behind one in a comment.
        last = bisect_left(offsets, place.end, lo=bisect_left(offsets, offset) + 1) - 1
        piece = data[bounds[last + 1] : bounds[last + 2]]
        place.end = bounds[last + 1] + spliced_length(piece, place.end - offsets[last])
        yield place


def text_places(text: bytes, offsets: Sequence[int], words: Sequence[Word]) -> Iterator[Place]:
    """Yield the places of WORDS, which are at OFFSETS in spliced TEXT; they end in TEXT."""
    told = list(kinds(text, offsets))
    # No call goes on over the next word of the code.
    stop, stops = len(text), [0] * len(offsets)
    for index in range(len(offsets) - 1, -1, -1):
        stops[index] = stop
        if told[index] in (CODE, DIRECTIVE):
            stop = offsets[index]
    for kind, offset, stop, (_, word) in zip(told, offsets, stops, words):
        end = offset + len(word)
        yield Place(kind, *call(text, end, stop)) if kind == CODE else Place(kind, None, end)


def spliced_length(piece: bytes, length: int) -> int:
    """Tell how many bytes of PIECE, with its splices, the first LENGTH bytes without them take."""
    behind = 0
    for splices in SPLICES.finditer(piece):
        text = splices.start() - behind
        if text >= length:
            break
        length -= text
        behind = splices.end()
    return behind + length


def kinds(text: bytes, offsets: Sequence[int]) -> Iterator[str]:
    """Yield the kind of place of each of OFFSETS, which are in order."""
    pos = line = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
    kind = CODE
    directive, directive_line = False, -1
    for offset in offsets:
        while pos < offset:
            end, line = run_end(text, pos, offset, line)
            if end == pos:
                kind, end = token_at(text, pos)
            pos = end
        if pos > offset:  # inside the last token
            yield kind
            continue
        if directive_line != line:
            directive, directive_line = is_directive(text, line), line
        yield DIRECTIVE if directive else CODE


def run_end(text: bytes, pos: int, limit: int, line: int) -> tuple[int, int]:
    """Pass a run of code and tokens; tell its end, and where the line there begins."""
    run = RUN.match(text, pos, limit)
    assert run  # it matches nothing, too
    return run.end(), max(line, run.end(1))


def token_at(text: bytes, start: int) -> tuple[str, int]:
    """Tell the kind and the end of the comment or literal that starts at START."""
    mark = text[start : start + 2]
    if mark == b"/*":
        end = text.find(b"*/", start + 2)
        return COMMENT, end + 2 if end >= 0 else len(text)
    if mark == b"//":
        end = text.find(b"\n", start)
        return COMMENT, end if end >= 0 else len(text)
    end = pass_runs(LITERAL_RUN[mark[:1]], text, start + 1)
    return LITERAL, end + (text[end : end + 1] == mark[:1])


def pass_runs(run: re.Pattern[bytes], text: bytes, pos: int) -> int:
    """Pass as many runs as there are from POS on; tell the end of the last."""
    while (match := run.match(text, pos)) and match.end() > pos:
        pos = match.end()
    return pos


def is_directive(text: bytes, line: int) -> bool:
    """Whether the line of code that begins at LINE is a directive."""
    return text.startswith((b"#", b"%:"), pass_runs(MARGIN_RUN, text, line))


def call(text: bytes, after: int, stop: int) -> tuple[bytes | None, int]:
    """Read the call of the macro that ends at AFTER: its first argument and its end.

    Without a call that ends before STOP: None, and AFTER.
    """
    simple = SIMPLE_CALL.match(text, after)
    if simple:
        return simple[1], simple.end()
    if text.find(b")", after, stop) < 0:
        return None, after
    flat, origins = flat_code(text, after, stop)
    opened = len(flat) - len(flat.lstrip(SPACE))
    if not flat.startswith(b"(", opened):
        return None, after
    depth, argument_end, behind = 0, -1, opened
    for mark in islice(PARENTHESIS.finditer(flat, opened), MOST_PARENTHESES):
        if depth == 1 and argument_end < 0:
            argument_end = flat.find(b",", behind, mark.start())
        depth += 1 if mark[0] == b"(" else -1
        behind = mark.end()
        if depth == 0:
            argument = flat[opened + 1 : mark.start() if argument_end < 0 else argument_end]
            start, origin = max(piece for piece in origins if piece[0] < behind)
            return argument.strip(SPACE), origin + behind - start
    return None, after


def flat_code(text: bytes, pos: int, stop: int) -> tuple[bytes, list[tuple[int, int]]]:
    """Copy the code from POS to STOP, each comment as a space and each literal as ``""``.

    Goes no further than about LONGEST_CALL. The second result tells which
    offset of the copy comes from which of TEXT, for each stretch.
    """
    flat = b""
    origins = []
    while len(flat) < LONGEST_CALL and pos < stop:
        run = CODE_RUN.match(text, pos, min(stop, pos + LONGEST_CALL))
        assert run  # it matches nothing, too
        origins.append((len(flat), pos))
        flat += run[0]
        if run.end() > pos:
            pos = run.end()
        else:
            kind, pos = token_at(text, pos)
            flat += b" " if kind == COMMENT else b'""'
    return flat, origins
