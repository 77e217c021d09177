# SPDX-License-Identifier: MIT
"""A hunk to its two sides, as texts that can be judged. Pure."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.patch.diff import Hunk

    Side = tuple[bytes, int]

# What goes, of the lines of a hunk, to make its old and its new side.
NOT_OLD_PATTERN = re.compile(rb"(?m)^(?:[+\\][^\n]*\n|[ -])")
NOT_NEW_PATTERN = re.compile(rb"(?m)^(?:[-\\][^\n]*\n|[ +])")
PIECE_BYTES = 1 << 16

# A line that goes on with a comment; a product goes on with an asterisk, too.
COMMENT_LINE_PATTERN = re.compile(rb"\s*\*(?:[\s/]|$)")
COMMENT_START = b"/*\n"


def read_sides(text: bytes, hunk: Hunk) -> tuple[Side, Side]:
    """Read the old and the new side of HUNK of the patch TEXT.

    A side is its bytes, and the number of its first line, 1-based.
    """
    old = remove(NOT_OLD_PATTERN, text, hunk), hunk.old_start
    new = remove(NOT_NEW_PATTERN, text, hunk), hunk.new_start
    return old, new


def open_comments(old: Side, new: Side) -> tuple[Side, Side]:
    """Begin both sides of a hunk of C with a comment, if either shows that it is in one."""
    (before, old_line), (after, new_line) = old, new
    if old_line <= 1 or new_line <= 1:
        return old, new  # nothing comes before the first line
    if not (begins_in_comment(before) or begins_in_comment(after)):
        return old, new
    return (COMMENT_START + before, old_line - 1), (COMMENT_START + after, new_line - 1)


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
