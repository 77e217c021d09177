# SPDX-License-Identifier: MIT
"""Bytes to what can be shown: no byte of a file reaches a terminal as a command. Pure."""

from __future__ import annotations


def printable(raw: bytes) -> str:
    """Decode RAW for display: what no terminal should be sent stands escaped."""
    text = raw.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
