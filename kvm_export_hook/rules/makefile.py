# SPDX-License-Identifier: MIT
"""Reads the logical lines of a Makefile whose make check differs in its bytes. Pure."""

from __future__ import annotations

from kvm_export_hook.rules.policy import CHECK_WORDS, MOST_LINES
from kvm_export_hook.rules.scan import ONLY_WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

UTF_8_MARK = b"\xef\xbb\xbf"


def read_logical_lines(makefile: bytes) -> bytes:
    """Read the logical lines of MAKEFILE, with an LF before the first and after each.

    As for make, a line may end with CRLF, and a backslash joins the next line. Comments
    and empty lines are dropped, and a run of blanks becomes one space. A TAB at the start
    of a line stays: it may be a recipe. Comments stay if there is a NUL, which make
    treats in its own way, or if there are very many lines.
    """
    text = b"\n" + makefile.removeprefix(UTF_8_MARK).replace(b"\r\n", b"\n") + b"\n"
    # An escaped backslash joins nothing.
    text = text.replace(b"\\\\", b"\\\0").replace(b"\\\n", b" ").replace(b"\\\0", b"\\\\")
    text = text.replace(b"\n\t", b"\n\v").replace(b"\t", b" ")
    text = squeeze(text, b" ").replace(b"\n ", b"\n")
    text = text.replace(b"\n\v ", b"\n\v").replace(b"\n\v", b"\n\t")
    text = squeeze(text, b"\n")
    if b"\0" in makefile or text.count(b"\n") > MOST_LINES:
        return text
    return b"\n".join([b"", *drop_comments(text.split(b"\n")), b""])


def squeeze(text: bytes, byte: bytes) -> bytes:
    """Replace each run of BYTE in TEXT by a single one."""
    while byte * 2 in text:
        text = text.replace(byte * 2, byte)
    return text


def drop_comments(lines: list[bytes]) -> Iterator[bytes]:
    """Yield LINES without comments and without blanks at their ends; skip empty ones.

    An assignment keeps the blank at its end: for make it is part of the value.
    """
    is_in_define = False
    for line in lines:
        at = line.find(b"#")
        if at >= 0 and is_comment(line, at, is_in_define):
            line = line[:at]
        if line.endswith(b" ") and not is_assignment(line):
            line = line[:-1]
        if line.startswith(b"define "):
            is_in_define = True
        elif line.startswith(b"endef"):
            is_in_define = False
        if line not in (b"", b"\t"):
            yield line


def is_comment(line: bytes, at: int, is_in_define: bool) -> bool:
    """Whether a comment begins AT the first ``#`` of LINE; False if versions of make differ.

    In a recipe and in a ``define``, a comment is text, in which make expands references.
    """
    before = line[:at]
    if before[-1:] not in (b"", b" ", b"\t"):
        return False
    if line.startswith(b"\t") and at > 1:
        return False
    if (is_in_define or line.startswith(b"\t")) and b"$" in line[at:]:
        return False
    return before.count(b"(") == before.count(b")") and before.count(b"{") == before.count(b"}")


def is_assignment(line: bytes) -> bool:
    """Whether LINE may assign a variable. The check has no computed names."""
    name, equals, _ = line.partition(b"=")
    return bool(equals) and b"(" not in name


def find_check_words(lines: bytes) -> tuple[set[bytes], list[bytes]]:
    """Find the words of the check's lines in LINES, and the names after ``-e`` in them.

    The check's lines are those that have a word of it. Very many lines count as one.
    """
    many = [lines] if lines.count(b"\n") > MOST_LINES else lines.split(b"\n")
    text = b"\n".join(line for line in many if any(word in line for word in CHECK_WORDS))
    words = {word for word in set(text.translate(ONLY_WORDS).split()) if not word[:1].isdigit()}
    parts = text.split()
    names = [name for option, name in zip(parts, parts[1:], strict=False) if option == b"-e"]
    return words, [name for name in names if name in words]
