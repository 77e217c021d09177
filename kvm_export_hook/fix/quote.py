# SPDX-License-Identifier: MIT
"""Quotes the names of files in patches, if needed, as git does. Pure."""

from __future__ import annotations

import re

# The bytes that git does not write as an octal number.
LETTERS = {
    b"\a": b"a",
    b"\b": b"b",
    b"\f": b"f",
    b"\n": b"n",
    b"\r": b"r",
    b"\t": b"t",
    b"\v": b"v",
    b'"': b'"',
    b"\\": b"\\",
}

SPECIAL_PATTERN = re.compile(rb'[^ -~]|["\\]')


def quote_name(name: bytes) -> bytes:
    """Quote NAME if it has special bytes."""
    escaped = SPECIAL_PATTERN.sub(escape_byte, name)
    return name if escaped == name else b'"%s"' % escaped


def escape_byte(match: re.Match[bytes]) -> bytes:
    """Write the byte of MATCH as a letter or as three octal digits, after a backslash."""
    return b"\\" + (LETTERS.get(match[0]) or b"%03o" % ord(match[0]))
