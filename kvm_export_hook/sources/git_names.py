# SPDX-License-Identifier: MIT
"""Names of files in patches, quoted as git does it where they may be mistaken. Pure."""

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
BYTES = {letter: byte for byte, letter in LETTERS.items()}

SPECIAL = re.compile(rb'[^ -~]|["\\]')
ESCAPE = re.compile(rb'\\([0-7]{3}|[abfnrtv"\\])')


def quoted(name: bytes) -> bytes:
    """Quote NAME, if it has bytes that call for it."""
    escaped = SPECIAL.sub(lambda match: b"\\" + (LETTERS.get(match[0]) or octal(match[0])), name)
    return name if escaped == name else b'"%s"' % escaped


def octal(byte: bytes) -> bytes:
    """Write a byte as three octal digits."""
    return b"%03o" % ord(byte)


def unquoted(name: bytes) -> bytes:
    """Read a NAME that may be quoted."""
    if not (name.startswith(b'"') and name.endswith(b'"')):
        return name
    return ESCAPE.sub(
        lambda match: BYTES.get(match[1]) or bytes([int(match[1], 8) & 0xFF]), name[1:-1]
    )
