# SPDX-License-Identifier: MIT
"""Where a word of C stands: code, directive, comment or literal; and its call. No logic."""

from __future__ import annotations

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
