# SPDX-License-Identifier: MIT
"""Patches: a diff, a mail or an mbox to the new side of each hunk, and which lines it adds.

The diff is parsed by unidiff, a file at a time. What unidiff passes over in
silence is an error here: a combined diff, a hunk's header that cannot be read,
lines behind the end of a hunk, no hunk at all.
"""

from __future__ import annotations

import io
import os
import re
import sys

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

from kvm_export_hook.sources import Input, Origin
from kvm_export_hook.sources.git_names import unquoted
from kvm_export_hook.sources.mail import contents, mails
from kvm_export_hook.sources.scope import is_in_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from unidiff.patch import Hunk as UniHunk
    from unidiff.patch import PatchedFile

    from kvm_export_hook.rules.judge import Finding
    from kvm_export_hook.rules.tree import Facts

    Complain = Callable[[bytes, OSError], object]

# Where the diff of a mail begins, and that of each file. No line inside a hunk
# begins with a letter or with @.
DIFF = re.compile(rb"(?m)^(?:diff -|Index: |--- [^\n]*\n\+\+\+ )")
FILE = re.compile(rb"(?m)^diff -")
NAMES = re.compile(rb"(?m)^--- [^\n]*\n\+\+\+ ")
# Output of git that may well have no diff.
OF_GIT = re.compile(rb"(?:commit|tag|tree) |Submodule ")

COMBINED = re.compile(rb"(?m)^(?:diff --(?:cc|combined) |@@@)")
BROKEN_HUNK = re.compile(
    rb"(?m)^@@(?! -[0-9]{1,9}(?:,[0-9]{1,9})? \+[0-9]{1,9}(?:,[0-9]{1,9})? @@)"
)
# What unidiff would match in time squared; no line of a hunk begins so.
LONG_REMARK = re.compile(rb"(?m)^[A-Za-z][^\n]{9000}")
NEEDS_NO_HUNK = re.compile(
    rb"(?m)^(?:new file|deleted file|old|new) mode |^(?:rename|copy) |^(?:GIT binary|Binary files) "
)
SYMLINK = re.compile(rb"(?m)^(?:new file mode 120000|index [0-9a-f.]+ 120000)$")

# The prefixes that git puts before the names of both sides, by any setting.
PREFIX = re.compile(rb"[abciow12]/")
# A date behind a name, with blanks where a tab belongs.
DATE = re.compile(rb"(?<!\s)\s+[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:. +-]*$")
NULL = b"/dev/null"

LONGEST_SHOWN = 200
LONGEST_NAME = 5000  # with a date, and more than any file has (PATH_MAX)

# How the new side of a hunk shows that it begins in a comment.
COMMENT_LINE = re.compile(rb"\s*\*(?:[\s/]|$)")


class Hunk:
    """The new side of a hunk: its file, its lines, and which of them are added.

    ``origin``: the mail that it is from, where there are several.
    ``first_line``: the number of the first line of ``text`` in the new file.
    """

    __slots__ = ("added", "first_line", "origin", "path", "text")

    def __init__(
        self, origin: Origin | None, path: bytes, text: bytes, first_line: int, added: set[int]
    ) -> None:
        self.origin = origin
        self.path = path
        self.text = text
        self.first_line = first_line
        self.added = added

    def make_input(self, facts: Facts) -> Input:
        """Make the value that is judged."""
        path = os.path.normpath(self.path)
        return Input(facts, path, path, self.text, None, self.first_line, self.origin)

    def added_of(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Yield those of the FINDINGS here whose macro or call lies on an added line."""
        for finding in findings:
            lines = range(finding.line, finding.last_line(self.text) + 1)
            if any(line in self.added for line in lines):
                yield finding


def open_patch(name: str) -> BinaryIO:
    """Open a patch, which may come from a pipe; ``-`` is stdin."""
    if name != "-":
        return open(name, "rb")
    if sys.stdin is None:
        raise OSError(None, "is closed")
    return open(sys.stdin.fileno(), "rb", closefd=False)


def hunks(stream: Iterable[bytes], name: bytes, complain: Complain) -> Iterator[Hunk]:
    """Yield the hunks of the patch with the lines of STREAM, one mail at a time in memory.

    COMPLAIN is told of what cannot be read, with NAME and the place in it.
    """
    is_first = True
    for text, is_last in mails(stream):
        several = not (is_first and is_last)
        is_first = False
        try:
            subject, plain, html = contents(text)
        except RecursionError:
            complain(name, OSError(None, "cannot be read: parts in parts without end"))
            continue
        place = name + b": " + subject.encode() if subject else name
        # HTML tells again, in its own words, what the plain text tells.
        origin = Origin(None, subject) if several and subject is not None else None
        bodies = list(filter(DIFF.search, plain)) or list(filter(DIFF.search, html))
        if subject is None and not bodies and text.strip() and not OF_GIT.match(text):
            complain(place, OSError(None, "holds no diff"))
        for body in bodies:
            for section in sections(body):
                for path, hunk in parsed(section, place, complain):
                    yield new_side(origin, path, hunk)


def sections(body: bytes) -> Iterator[bytes]:
    """Yield the part of BODY for each file, less what stands before the first."""
    first = DIFF.search(body)
    assert first
    starts = [match.start() for match in FILE.finditer(body, first.end())]
    bounds = [first.start(), *starts, len(body)]
    for start, end in zip(bounds, bounds[1:]):
        section = body[start:end]
        if not section.endswith(b"\n"):
            section += b"\n"
        # A mail may come with the line ends of the network.
        header = section.partition(b"\n")[0]
        yield section.replace(b"\r\n", b"\n") if header.endswith(b"\r") else section


def parsed(section: bytes, place: bytes, complain: Complain) -> Iterator[tuple[bytes, UniHunk]]:
    """Yield the hunks of a file's SECTION that can be judged, each with the file's name."""
    header, diff = section, b""
    names = NAMES.search(section)
    if names:
        header, diff = section[: names.start()], section[names.start() :]
    at = [section.partition(b"\n")[0][:LONGEST_SHOWN]]  # the header lines that were read last
    try:
        refuse_what_unidiff_skips(section, bool(names))
        files = PatchSet(noting_headers(diff, at))
        refuse_remains(diff, files)
    except (UnidiffParseError, ValueError) as error:
        reason = str(error).partition(":")[0]
        complain(b": ".join([place, *at]), OSError(None, f"cannot be read: {reason}"))
        return
    for file in files:
        name = name_of(file, header)
        if name != NULL and not SYMLINK.search(header):
            for hunk in file:
                yield name, hunk
        header = b""  # a plain diff behind it has none


def noting_headers(section: bytes, at: list[bytes]) -> Iterator[str]:
    """Yield the lines of SECTION, a character a byte; keep in AT the last headers."""
    for line in io.BytesIO(section):
        if line.startswith(b"@@"):
            at[1:] = [line[:LONGEST_SHOWN].strip()]
        elif line.startswith(b"+++ "):
            at[:] = [line[:LONGEST_SHOWN].strip()]
        yield line.decode("latin-1")


def refuse_what_unidiff_skips(section: bytes, has_names: bool) -> None:
    """Raise for what unidiff would take for remarks."""
    if COMBINED.search(section):
        raise UnidiffParseError("it is the combined diff of a merge")
    if BROKEN_HUNK.search(section):
        raise UnidiffParseError("it has a broken hunk header")
    if LONG_REMARK.search(section):
        raise UnidiffParseError("it has a line too long for what it is")
    if not has_names and not NEEDS_NO_HUNK.search(section):
        raise UnidiffParseError("no hunk follows")


def refuse_remains(diff: bytes, files: Iterable[PatchedFile]) -> None:
    """Raise where a file has no hunk, or lines are left behind a hunk."""
    lines = diff.split(b"\n")
    for file in files:
        if not file:
            raise UnidiffParseError("no hunk follows")
        for hunk in file:
            end = max((line.diff_line_no or 0 for line in hunk), default=hunk.target_start)
            if are_left(lines[end : end + 3]):
                raise UnidiffParseError(f"lines are left behind the hunk of {hunk.target_start}")


def are_left(lines: list[bytes]) -> bool:
    """Whether LINES, those behind a hunk, look as if they belonged to it."""
    first, second, *_ = [line for line in lines if not line.startswith(b"\\")] + [b"", b""]
    if first in (b"-- ", b"--") or first.startswith(b"--- "):  # a signature, a file
        return False
    return first[:1] in (b"+", b"-", b" ", b"\t") or (not first and second[:1] == b"+")


def name_of(file: PatchedFile, header: bytes) -> bytes:
    """Read the name of the new side, from the top of the tree."""
    source, target = (
        unquoted(DATE.sub(b"", name.encode("latin-1")[:LONGEST_NAME]))
        for name in (file.source_file, file.target_file)
    )
    if target == NULL or PREFIX.match(target):
        return target if target == NULL else target[2:]
    told = header.partition(b"\n")[0].split(b" ")
    if source == NULL and told[:2] == [b"diff", b"--git"] and len(told) == 4:
        source = told[2]
    # old/virt/kvm/x.c and new/virt/kvm/x.c; linux.orig/virt/kvm/x.c and linux/virt/kvm/x.c
    top, _, name = target.partition(b"/")
    old_top, _, old_name = source.partition(b"/")
    if name == old_name and top != old_top:
        return name
    if not header.startswith(b"diff --git"):
        return name_in_scope(source, target)
    return target


def name_in_scope(source: bytes, target: bytes) -> bytes:
    """Find the name that is in scope below the directories of a diff that is not git's.

    As patch -p1 would; or below directories that lie elsewhere.
    """
    for name in (target, source):
        parts = name.split(b"/")
        depth = 2 if parts[0] not in (b"", b"..") else len(parts)
        for cut in range(min(depth, len(parts))):
            if is_in_scope(b"/".join(parts[cut:])):
                return b"/".join(parts[cut:])
    return target


def new_side(origin: Origin | None, path: bytes, hunk: UniHunk) -> Hunk:
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
    return Hunk(origin, path, b"".join(text), first_line, added)


def begins_in_comment(lines: list[bytes]) -> bool:
    """Whether LINES of a hunk go on with a block comment, by the asterisk before any code.

    A product goes on with an asterisk too, but not to the end of a comment.
    """
    begun = [line.lstrip() for line in lines if line.strip()]
    if not begun or not COMMENT_LINE.match(begun[0]):
        return False
    text = b"".join(begun)
    closed, opened = text.find(b"*/"), text.find(b"/*")
    if closed >= 0:
        return opened < 0 or closed < opened + 1
    return all(line.startswith(b"*") for line in begun)
