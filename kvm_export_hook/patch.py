# SPDX-License-Identifier: MIT
"""Patches: a diff, a mail or an mbox to the new side of each hunk, and which lines it adds.

The mail is parsed by the standard library, the diff by unidiff, a file at a
time. What unidiff passes over in silence is an error here: a combined diff, a
hunk's header that cannot be read, lines behind the end of a hunk, no hunk.
"""

from __future__ import annotations

import io
import re
from contextlib import suppress
from email import message_from_bytes
from email.header import decode_header, make_header

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from email.message import Message

    from unidiff.patch import Hunk as UniHunk
    from unidiff.patch import PatchedFile

    from kvm_export_hook.judge import Finding

    Complain = Callable[[bytes, OSError], object]

# What git mailsplit takes for the line between the mails of an mbox: it has a
# time and a year; and git mailinfo for the line where a mail's diff begins.
SEPARATOR = re.compile(rb"From .*[0-9]:[0-9][0-9].* [0-9]{4}")
DIFF = re.compile(rb"(?m)^(?:diff -|Index: |--- [^\s])")
HEADER = re.compile(rb"[!-9;-~]+:")

# No line inside a hunk begins with a letter or with @.
FILE = re.compile(rb"(?m)^diff -")
COMBINED = re.compile(rb"(?m)^(?:diff --(?:cc|combined) |@@@)")
BROKEN_HUNK = re.compile(rb"(?m)^@@(?! -[0-9]+(?:,[0-9]+)? \+[0-9]+(?:,[0-9]+)? @@)")
NEEDS_HUNK = re.compile(rb"(?m)^(?:--- |\+\+\+ )")
NEEDS_NO_HUNK = re.compile(
    rb"(?m)^(?:new file|deleted file|old|new) mode |^(?:rename|copy) |^(?:GIT binary|Binary files) "
)

# The prefixes that git puts before the names of both sides, by any setting.
PREFIX = re.compile(rb"[abciow12]/")
# A byte of a name that git quotes: "a/\303\251.c".
ESCAPE = re.compile(rb'\\([0-7]{3}|[abfnrtv"\\])')
ESCAPED = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
    b'"': b'"',
    b"\\": b"\\",
}

NULL = "/dev/null"
SYMLINK = "120000"

# How the new side of a hunk shows that it begins in a comment.
COMMENT_LINE = re.compile(rb"\s*\*(?:[\s/]|$)")


class Hunk:
    """The new side of a hunk: its file, its lines, and which of them are added.

    ``subject``: of the mail that it is from, where there are several.
    ``first_line``: the number of the first line of ``text`` in the new file.
    """

    __slots__ = ("added", "first_line", "path", "subject", "text")

    def __init__(
        self, subject: str | None, path: bytes, text: bytes, first_line: int, added: set[int]
    ) -> None:
        self.subject = subject
        self.path = path
        self.text = text
        self.first_line = first_line
        self.added = added

    def added_of(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Yield those of the FINDINGS here whose macro or call lies on an added line."""
        for finding in findings:
            last = finding.line + self.text.count(b"\n", finding.offset, finding.end)
            if any(line in self.added for line in range(finding.line, last + 1)):
                yield finding


def hunks(stream: Iterable[bytes], name: bytes, complain: Complain) -> Iterator[Hunk]:
    """Yield the hunks of the patch with the lines of STREAM, one mail at a time in memory.

    COMPLAIN is told of what cannot be read, with NAME and the place in it.
    """
    is_first = True
    for text, is_last in mails(stream):
        several = not (is_first and is_last)
        is_first = False
        subject, bodies = contents(text)
        place = name + b": " + subject.encode("utf-8", "surrogateescape") if subject else name
        if subject is None and text.strip() and not DIFF.search(text):
            complain(place, OSError(None, "holds no diff"))
        for body in bodies:
            for section in sections(body):
                for path, hunk in parsed(section, place, complain):
                    yield new_side(subject if several else None, path, hunk)


def mails(stream: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield the mails of an mbox, or all else whole, and whether it is the last one."""
    lines: list[bytes] = []
    for line in stream:
        if lines and line.startswith(b"From ") and SEPARATOR.match(line):
            yield b"".join(lines), False
            lines = []
        lines.append(line)
    yield b"".join(lines), True


def contents(text: bytes) -> tuple[str | None, list[bytes]]:
    """Tell the subject of a mail, and its decoded text parts; a plain diff has none but itself."""
    if DIFF.match(text) or not (SEPARATOR.match(text) or HEADER.match(text)):
        return None, [text]
    mail = message_from_bytes(text)
    parts = (part for part in mail.walk() if part.get_content_type() != "text/html")
    bodies = (part.get_payload(decode=True) for part in parts if not part.is_multipart())
    return subject_of(mail), [body for body in bodies if isinstance(body, bytes)]


def subject_of(mail: Message) -> str:
    """Read the subject of MAIL, on one line."""
    fields = (value for name, value in mail.raw_items() if name.lower() == "subject")
    raw = str(next(fields, "(no subject)")).encode("ascii", "surrogateescape")
    subject = raw.decode("utf-8", "backslashreplace")
    with suppress(LookupError, ValueError):  # of an encoding that is unknown, or not so
        subject = str(make_header(decode_header(subject)))
    return " ".join(subject.split())


def sections(body: bytes) -> Iterator[bytes]:
    """Yield the part of BODY for each file, less what stands before the first."""
    first = DIFF.search(body)
    if not first:
        return
    starts = [match.start() for match in FILE.finditer(body, first.end())]
    bounds = [first.start(), *starts, len(body)]
    for start, end in zip(bounds, bounds[1:]):
        section = body[start:end]
        header = section.partition(b"\n")[0]
        # A mail may come with the line ends of the network.
        yield section.replace(b"\r\n", b"\n") if header.endswith(b"\r") else section


def parsed(section: bytes, place: bytes, complain: Complain) -> Iterator[tuple[bytes, UniHunk]]:
    """Yield the hunks of a file's SECTION that can be judged, each with the file's name."""
    at = [section.partition(b"\n")[0]]  # the header lines that were read last
    try:
        refuse_what_unidiff_skips(section)
        files = PatchSet(noting_headers(section, at))
        refuse_remains(section, files)
    except UnidiffParseError as error:
        reason = str(error).partition(":")[0]
        complain(b": ".join([place, *at]), OSError(None, f"cannot be read: {reason}"))
        return
    for file in files:
        if file.target_file != NULL and file.target_mode != SYMLINK:
            for hunk in file:
                yield name_of(file), hunk


def noting_headers(section: bytes, at: list[bytes]) -> Iterator[str]:
    """Yield the lines of SECTION, a character a byte; keep in AT the last headers."""
    for line in io.BytesIO(section):
        if line.startswith(b"@@"):
            at[1:] = [line.strip()]
        elif line.startswith((b"diff ", b"+++ ")):
            at[:] = [line.strip()]
        yield line.decode("latin-1")


def refuse_what_unidiff_skips(section: bytes) -> None:
    """Raise for what unidiff takes for remarks."""
    if COMBINED.search(section):
        raise UnidiffParseError("it is the combined diff of a merge")
    if BROKEN_HUNK.search(section):
        raise UnidiffParseError("it has a broken hunk header")


def refuse_remains(section: bytes, files: Iterable[PatchedFile]) -> None:
    """Raise where unidiff found no hunk, or lines are left behind one."""
    has_hunks = False
    lines = section.split(b"\n")
    for file in files:
        for hunk in file:
            has_hunks = True
            end = max(line.diff_line_no or 0 for line in hunk)
            end += lines[end].startswith(b"\\")
            # "--" begins a mail's signature, or the next file's header.
            if lines[end][:1] in (b"+", b"-", b" ") and lines[end][:2] != b"--":
                raise UnidiffParseError(f"lines are left behind the hunk of {hunk.target_start}")
    needs = NEEDS_HUNK.search(section) or not NEEDS_NO_HUNK.search(section)
    if needs and not has_hunks:
        raise UnidiffParseError("no hunk follows")


def name_of(file: PatchedFile) -> bytes:
    """Read the name of the new side, without quotes and prefix."""
    source, target = unquoted(file.source_file), unquoted(file.target_file)
    if PREFIX.match(target):
        return target[2:]
    # linux.orig/virt/kvm/x.c and linux/virt/kvm/x.c
    top, _, name = target.partition(b"/")
    old_top, _, old_name = source.partition(b"/")
    return name if name == old_name and top != old_top else target


def unquoted(name: str) -> bytes:
    """Read a NAME as git writes it, which quotes what may be mistaken."""
    raw = name.encode("latin-1")
    if not (raw.startswith(b'"') and raw.endswith(b'"')):
        return raw
    return ESCAPE.sub(
        lambda match: ESCAPED.get(match[1]) or bytes([int(match[1], 8) & 0xFF]), raw[1:-1]
    )


def new_side(subject: str | None, path: bytes, hunk: UniHunk) -> Hunk:
    """Put the kept and the added lines of HUNK together."""
    text = []
    added = set()
    for line in hunk:
        if line.target_line_no is not None:
            text.append(line.value.encode("latin-1"))
            if line.is_added:
                added.add(line.target_line_no)
    first_line = hunk.target_start
    if begins_in_comment(text):
        text.insert(0, b"/*\n")
        first_line -= 1
    return Hunk(subject, path, b"".join(text), first_line, added)


def begins_in_comment(lines: Iterable[bytes]) -> bool:
    """Whether LINES of a hunk go on with a block comment, by the asterisk before any code."""
    first = next((line for line in lines if line.strip()), b"")
    return bool(COMMENT_LINE.match(first))
