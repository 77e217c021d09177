# SPDX-License-Identifier: MIT
"""A hunk to its two sides, as texts that can be judged. Pure."""

from __future__ import annotations

import re

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

from kvm_export_hook.patch.diff import DiffError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kvm_export_hook.patch.diff import Hunk

# What goes, of the lines of a hunk, to make its old and its new side.
NOT_OLD_PATTERN = re.compile(rb"(?m)^(?:[+\\][^\n]*\n|[ -])")
NOT_NEW_PATTERN = re.compile(rb"(?m)^(?:[-\\][^\n]*\n|[ +])")
PIECE_BYTES = 1 << 16

# A line that goes on with a comment; a product goes on with an asterisk, too.
COMMENT_LINE_PATTERN = re.compile(rb"\s*\*(?:[\s/]|$)")
COMMENT_START = b"/*\n"


class Side:
    """A side of a hunk: its ``text``, and the number of the text's first line, 1-based."""

    __slots__ = ("first_line", "text")

    def __init__(self, text: bytes, first_line: int) -> None:
        self.text = text
        self.first_line = first_line


def read_sides(text: bytes, hunk: Hunk) -> tuple[Side, Side]:
    """Read the old and the new side of HUNK of the patch TEXT. Raises DiffError."""
    check_hunk(text, hunk)
    old = Side(remove(NOT_OLD_PATTERN, text, hunk), hunk.old_start)
    new = Side(remove(NOT_NEW_PATTERN, text, hunk), hunk.new_start)
    return old, new


def open_comments(old: Side, new: Side) -> tuple[Side, Side]:
    """Begin both sides of a hunk of C with a comment, if either shows that it is in one."""
    if old.first_line <= 1 or new.first_line <= 1:
        return old, new  # nothing comes before the first line
    if not (begins_in_comment(old.text) or begins_in_comment(new.text)):
        return old, new
    return (
        Side(COMMENT_START + old.text, old.first_line - 1),
        Side(COMMENT_START + new.text, new.first_line - 1),
    )


def check_hunk(text: bytes, hunk: Hunk) -> None:
    """Have unidiff count the lines of HUNK. Raises DiffError where it counts differently."""
    try:
        (file,) = PatchSet(yield_lines(text, hunk), metadata_only=True)
        (found,) = file
    except (UnidiffParseError, ValueError) as error:
        reason = str(error).partition(":")[0]
        raise DiffError(f"the hunk cannot be read: {reason}", hunk.header) from None
    if (found.added, found.removed) != (hunk.added, hunk.removed):
        raise DiffError("the lines of the hunk can be counted in two ways", hunk.header)


def yield_lines(text: bytes, hunk: Hunk) -> Iterator[str]:
    """Yield the lines of HUNK, a character a byte, after names for its file."""
    yield from ("--- a\n", "+++ b\n")
    position = hunk.header
    while position < hunk.end:
        end = text.index(b"\n", position) + 1
        yield text[position:end].decode("latin-1")
        position = end


def remove(pattern: re.Pattern[bytes], text: bytes, hunk: Hunk) -> bytes:
    """Remove what PATTERN finds from the lines of HUNK, in bounded memory."""
    side = bytearray()
    position = hunk.start
    while position < hunk.end:
        end = hunk.end
        if position + PIECE_BYTES < end:
            end = text.index(b"\n", position + PIECE_BYTES) + 1
        side += pattern.sub(b"", text[position:end])
        position = end
    return bytes(side)


def begins_in_comment(side: bytes) -> bool:
    """Whether SIDE goes on with a block comment that began before it.

    All its lines up to the end of that comment begin with an asterisk. A
    product does so, too, but no comment ends after it.
    """
    has_line = False
    for match in re.finditer(rb"[^\n]*\n?", side):
        line = match[0].strip()
        if not line:
            continue
        if not (line.startswith(b"*") if has_line else COMMENT_LINE_PATTERN.match(line)):
            return False
        has_line = True
        closed, opened = line.find(b"*/"), line.find(b"/*")
        if closed >= 0:
            return opened < 0 or closed < opened + 1
        if opened >= 0:
            return False
    return has_line
