# SPDX-License-Identifier: MIT
"""Makes bytes safe to print: none may control a terminal or a CI service. Pure."""

from __future__ import annotations


def make_printable(raw: bytes) -> str:
    """Decode RAW for display; escape what might control a terminal."""
    text = raw.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def disarm(text: str) -> str:
    """Escape what CI services would take for a command: ``::x`` and ``##[``.

    GitHub Actions reads ``::command::`` at the start of a line of output, after
    any blanks, and related services read ``##[command]`` anywhere.
    """
    if "##[" in text:
        text = text.replace("##[", r"#\x23[")
    if "::" not in text:
        return text
    return "".join(map(disarm_line, text.splitlines(keepends=True)))


def disarm_line(line: str) -> str:
    """Escape the first colon of a LINE that begins with two."""
    rest = line.lstrip()
    if not rest.startswith("::"):
        return line
    return line[: len(line) - len(rest)] + r"\x3a" + rest[1:]
