# SPDX-License-Identifier: MIT
"""The lexer: says whether a word of C is in code, where ``glance`` cannot tell. Pure.

It reads the text as the C preprocessor does: first it removes line splices, then
it separates comments and literals from code, then directives. LF, CRLF and a lone
CR each end a line, as for gcc; the line numbers of findings count only LF, as
grep, git and editors do. Any input takes linear time and little memory: the text
before a word is read once, in runs of a bounded number of tokens. It knows neither
raw strings nor trigraphs, nor which code ``#if`` leaves out.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from itertools import islice

from kvm_export_hook.rules.place import CODE, COMMENT, DIRECTIVE, LITERAL, LONGEST_SYMBOL, Place
from kvm_export_hook.rules.scan import find_macros

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kvm_export_hook.rules.scan import Words

# gcc reads a NUL as white space, permits blanks in a splice, and ignores a byte order mark.
BLANKS = rb"[ \t\v\f\0]"
SPACE = b" \t\v\f\0\n"
SPLICES_PATTERN = re.compile(rb"(?:\\" + BLANKS + rb"*(?:\n|\r\n?)){1,999}")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Splices are removed from about this many bytes at a time: re.sub keeps a list of
# what is between them, about 60 bytes for each.
SPLICED_BYTES = 10_000

# Code and whole tokens; group 1 ends where the last line of code begins. The counts
# bound the memory in which re keeps the way back (about 100 bytes a round). A token
# that is not whole before a given end, or has too many escapes, ends the run. Literals
# without escapes are the most frequent, and so come first.
RUN_PATTERN = re.compile(
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
CODE_RUN_PATTERN = re.compile(rb"""(?:[^"'/]+|/(?![*/])){0,999}""")
LITERAL_RUN_PATTERNS = {
    0x22: re.compile(rb'(?:[^"\\\n]+|\\[^\n]|\\(?=\n)){0,999}'),
    0x27: re.compile(rb"(?:[^'\\\n]+|\\[^\n]|\\(?=\n)){0,999}"),
}
SIMPLE_CALL_PATTERN = re.compile(rb"\(([A-Za-z0-9_]+)\)")
PARENTHESIS_PATTERN = re.compile(rb"[()]")
MARGIN_RUN_PATTERN = re.compile(rb"(?s)(?:" + BLANKS + rb"+|/\*.*?\*/){0,999}")

# A call that is longer, or has more parentheses, is not read as a call.
LONGEST_CALL = 2 * LONGEST_SYMBOL
MOST_PARENTHESES = 64


def lex_places(data: bytes, words: Words) -> Iterator[Place]:
    """Yield the place of each of WORDS, which are in the order of DATA."""
    text, offsets = splice_lines(data, words)
    for kind, offset, (start, word) in zip(find_kinds(text, offsets), offsets, words, strict=True):
        after = offset + len(word)
        argument, end = read_call(text, after, offsets) if kind == CODE else (None, after)
        yield Place(kind, argument, start + measure_source(data, start, end - offset))


def has_in_code(data: bytes, macro: bytes) -> bool:
    """Whether MACRO, which is in the table, is in the code or in a directive of DATA."""
    text = b"".join(remove_splices(data, 0, len(data)))
    words = [word for word in find_macros(text) if word[1] == macro]
    return any(place.kind in (CODE, DIRECTIVE) for place in lex_places(text, words))


def splice_lines(data: bytes, words: Words) -> tuple[bytearray, array[int]]:
    """Copy DATA without line splices, with an LF for each CR; return where WORDS are in it.

    A CRLF becomes two LFs, after the splices are removed: the rest ignores empty lines.
    """
    text = bytearray()
    offsets = array("q")
    pos = 0
    for start, _ in words:
        for piece in remove_splices(data, pos, start):
            text += piece
        offsets.append(len(text))
        pos = start
    for piece in remove_splices(data, pos, len(data)):
        text += piece
    return text, offsets


def remove_splices(data: bytes, pos: int, end: int) -> Iterator[bytes]:
    """Yield DATA from POS to END as ``splice_lines`` copies it, a chunk at a time.

    A chunk may end at the start of a word or at a backslash: no splice crosses one.
    """
    while pos < end:
        cut = data.find(b"\\", pos + SPLICED_BYTES, end)
        cut = cut if cut >= 0 else end
        yield SPLICES_PATTERN.sub(b"", data[pos:cut]).replace(b"\r", b"\n")
        pos = cut


def measure_source(data: bytes, start: int, length: int) -> int:
    """Return how many bytes of DATA, from START on, become LENGTH bytes without splices."""
    pos = start
    # The stretch from POS on is at least LENGTH bytes long.
    while (backslash := data.rfind(b"\\", pos, pos + length)) >= 0:
        length -= sum(map(len, remove_splices(data, pos, backslash)))
        splices = SPLICES_PATTERN.match(data, backslash)
        if splices:
            pos = splices.end()
        else:
            pos = backslash + 1
            length -= 1
    return pos + length - start


def find_kinds(text: bytearray, offsets: Iterable[int]) -> Iterator[str]:
    """Yield for each of OFFSETS, which are in order, the kind of place that it is in."""
    pos = line = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
    kind = CODE
    directive, directive_line = False, -1
    for offset in offsets:
        while pos < offset:
            end, line = pass_run(text, pos, offset, line)
            if end == pos:
                kind, end = read_token(text, pos)
            pos = end
        if pos > offset:  # inside the last token
            yield kind
            continue
        if directive_line != line:
            directive, directive_line = is_directive(text, line), line
        yield DIRECTIVE if directive else CODE


def pass_run(text: bytearray, pos: int, limit: int, line: int) -> tuple[int, int]:
    """Pass a run of code and tokens; return its end, and where the line there begins."""
    run = RUN_PATTERN.match(text, pos, limit)
    assert run  # it matches nothing, too
    return run.end(), max(line, run.end(1))


def read_token(text: bytearray, start: int) -> tuple[str, int]:
    """Return the kind and the end of the comment or literal that starts at START."""
    if text.startswith(b"/*", start):
        end = text.find(b"*/", start + 2)
        return COMMENT, end + 2 if end >= 0 else len(text)
    if text.startswith(b"//", start):
        end = text.find(b"\n", start)
        return COMMENT, end if end >= 0 else len(text)
    end = pass_runs(LITERAL_RUN_PATTERNS[text[start]], text, start + 1)
    return LITERAL, end + text.startswith((b'"', b"'"), end)


def pass_runs(run: re.Pattern[bytes], text: bytearray, pos: int) -> int:
    """Pass as many runs as there are from POS on; return the end of the last."""
    while (match := run.match(text, pos)) and match.end() > pos:
        pos = match.end()
    return pos


def is_directive(text: bytearray, line: int) -> bool:
    """Whether the line of code that begins at LINE is a directive."""
    return text.startswith((b"#", b"%:"), pass_runs(MARGIN_RUN_PATTERN, text, line))


def read_call(text: bytearray, after: int, offsets: Sequence[int]) -> tuple[bytes | None, int]:
    """Read the call of the macro that ends at AFTER; return its first argument and its end.

    A call ends at the next of the words, which are at OFFSETS, in code. Without a
    call, this returns None and AFTER.
    """
    simple = SIMPLE_CALL_PATTERN.match(text, after)
    if simple:
        return simple[1], simple.end()
    flat, origins = flatten_code(text, after, offsets)
    opened = len(flat) - len(flat.lstrip(SPACE))
    if not flat.startswith(b"(", opened):
        return None, after
    depth, argument_end, pos = 0, -1, opened
    for mark in islice(PARENTHESIS_PATTERN.finditer(flat, opened), MOST_PARENTHESES):
        if depth == 1 and argument_end < 0:
            argument_end = flat.find(b",", pos, mark.start())
        depth += 1 if mark[0] == b"(" else -1
        pos = mark.end()
        if depth == 0:
            argument = flat[opened + 1 : mark.start() if argument_end < 0 else argument_end]
            start, origin = max(piece for piece in origins if piece[0] < pos)
            return argument.strip(SPACE), origin + pos - start
    return None, after


def flatten_code(
    text: bytearray, pos: int, offsets: Sequence[int]
) -> tuple[bytes, list[tuple[int, int]]]:
    """Copy the code from POS on, each comment as a space and each literal as ``""``.

    Ends at the first of OFFSETS that is in code, or after about LONGEST_CALL bytes.
    The second result lists pieces: the offset of each in the copy, and in TEXT.
    """
    flat = b""
    origins = []
    index = bisect_left(offsets, pos)
    while len(flat) < LONGEST_CALL and pos < len(text):
        index = bisect_left(offsets, pos, index)
        stop = offsets[index] if index < len(offsets) else len(text)
        run = CODE_RUN_PATTERN.match(text, pos, min(stop, pos + LONGEST_CALL))
        assert run  # it matches nothing, too
        origins.append((len(flat), pos))
        flat += run[0]
        pos = run.end()
        if pos == stop:
            break
        if run[0]:
            continue
        kind, pos = read_token(text, pos)
        flat += b" " if kind == COMMENT else b'""'
    return flat, origins
