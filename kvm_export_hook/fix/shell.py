# SPDX-License-Identifier: MIT
"""Quotes the words of a command for a shell. Pure.

Each report ends with such a command, so this does not import ``re``.
"""

from __future__ import annotations

LETTERS_AND_DIGITS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
# What a shell does not change; nor ~, except at the start.
TAKEN_AS_IT_IS = LETTERS_AND_DIGITS | frozenset(b"_./,:@%+=-")
# These need not become octal numbers in what printf %b reads.
NEVER_A_NUMBER = LETTERS_AND_DIGITS | frozenset(b"_./,-")
# What CI services take for a command.
COMMAND_MARKS = (b"::", b"##[")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def join_words(words: Iterable[bytes]) -> str:
    """Write WORDS for a shell."""
    return " ".join(map(quote_for_shell, words))


def quote_for_shell(word: bytes) -> str:
    """Write WORD so that any shell reads it, in characters that can be shown.

    WORD ends with no newline.
    """
    if any(mark in word for mark in COMMAND_MARKS) or not all(32 <= byte < 127 for byte in word):
        octal = (chr(byte) if byte in NEVER_A_NUMBER else rf"\0{byte:03o}" for byte in word)
        return f"\"$(printf %b '{''.join(octal)}')\""
    rest = word[:1] + word[1:].replace(b"~", b"")
    if word and TAKEN_AS_IT_IS.issuperset(rest) and b":~" not in word and b"=~" not in word:
        return word.decode()
    return "'" + word.decode().replace("'", "'\\''") + "'"
