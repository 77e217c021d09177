# SPDX-License-Identifier: MIT
"""The files and hunks of a patch that git cannot apply here, found as ``git apply`` does. Pure.

Git lists the names of the same files in the same order. Lines that git ignores, but that may
be meant as part of the diff, are an error here.
"""

from __future__ import annotations

import re

from kvm_export_hook.patch.mail import MAKE_AGAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # A side of a hunk: its bytes, and the number of its first line, 1-based.
    Side = tuple[bytes, int]

HUNK_PATTERN = re.compile(
    rb"@@ -([0-9]{1,9})(?:,([0-9]{1,9}))? \+([0-9]{1,9})(?:,([0-9]{1,9}))? @@[^\n]*\n"
)
# Where something of a diff begins, outside of hunks.
START_PATTERN = re.compile(rb"(?m)^(?:diff --(?:git|cc|combined) |--- [^\n]*\n\+\+\+ |@@ -|\+)")
# The lines that git reads in the header of a file, in any order.
HEADER_LINE_PATTERN = re.compile(
    rb"(?:---|\+\+\+|(?:old|new|deleted file|new file) mode|copy (?:from|to)"
    rb"|rename (?:from|to|old|new)|similarity index|dissimilarity index|index) [^\n]*\n"
)
# A header with such a line is complete without a hunk.
NEEDS_NO_HUNK_PATTERN = re.compile(
    rb"(?m)^(?:(?:old|new|deleted file|new file) mode|copy|rename|similarity index) "
)
SIGNATURE_PATTERN = re.compile(rb"(?m)^(?:-- ?|_{20,})\r?$")
BINARY_PATTERN = re.compile(rb"GIT binary patch\n|Binary files ")
# Stands in a header that may name KVM: in plain letters, or as a quoted byte.
KVM_NAME_PATTERN = re.compile(rb"kvm|\\[0-7]{3}")

# What is removed from the lines of a hunk to make its old side, and its new side.
NOT_OLD_PATTERN = re.compile(rb"(?m)^(?:[+\\][^\n]*\n|[ -])")
NOT_NEW_PATTERN = re.compile(rb"(?m)^(?:[-\\][^\n]*\n|[ +])")
PIECE_BYTES = 1 << 16

NO_HUNK_MESSAGE = "the header of a file has no hunk after it"
NO_NAMES_MESSAGE = "a hunk has no file names before it"
SHORT_MESSAGE = "the hunk is shorter than its header says"
BROKEN_HUNK_MESSAGE = "the header of the hunk cannot be read"
COMBINED_MESSAGE = "this is the combined diff of a merge, which git cannot apply"
JOINED_LINES_MESSAGE = '"\\ No newline at end of file" is inside a hunk, so git would join lines'
EXTRA_LINES_MESSAGE = "the added lines after the hunk belong to no hunk"


class DiffError(Exception):
    """A patch that cannot be read: what is wrong, and at which ``offset`` in bytes."""

    def __init__(self, reason: str, offset: int | None = None) -> None:
        super().__init__(reason)
        self.offset = offset

    def locate(self, patch: bytes) -> str:
        """Say in which line of PATCH what is wrong, and what to do."""
        if self.offset is None:
            return f"{self}: {MAKE_AGAIN}"
        line = patch.count(b"\n", 0, self.offset) + 1
        return f"line {line} of the diff: {self}: {MAKE_AGAIN}"


class Hunk:
    """A hunk: the place of its lines in the patch, and what its header says.

    ``start``, ``end``: offsets of its lines in bytes. ``old_start``,
    ``new_start``: the numbers of their first lines, 1-based. ``added``,
    ``removed``: how many lines. ``is_unended``: the last line of the new side has no line
    end, so the next line would be joined to it.
    """

    __slots__ = (
        "added",
        "end",
        "header",
        "is_unended",
        "new_start",
        "old_start",
        "removed",
        "start",
    )

    def __init__(self, text: bytes, header: re.Match[bytes]) -> None:
        old_start, old_count, new_start, new_count = header.groups()
        self.header = header.start()
        self.start = header.end()
        self.old_start, self.new_start = int(old_start), int(new_start)
        self.added = self.removed = 0
        old = 1 if old_count is None else int(old_count)
        new = 1 if new_count is None else int(new_count)
        self.end = self._measure(text, old, new)

    def _measure(self, text: bytes, old: int, new: int) -> int:
        """Count the OLD and the NEW lines of the two sides; return the offset after them."""
        position = self.start
        find = text.find
        kind = last = b""
        self.is_unended = False
        while old or new:
            last, kind = kind, text[position : position + 1]
            if kind == b"+":
                self.added += 1
                new -= 1
            elif kind == b"-":
                self.removed += 1
                old -= 1
            elif kind in (b" ", b"\n"):
                old -= 1
                new -= 1
            elif kind != b"\\":
                raise DiffError(SHORT_MESSAGE, self.header)
            # git removes the line end even if the side continues.
            elif (old and last != b"+") or (new and last != b"-"):
                raise DiffError(JOINED_LINES_MESSAGE, position)
            else:
                self.is_unended |= not new
            if old < 0 or new < 0:
                raise DiffError("the hunk is longer than its header says", self.header)
            position = find(b"\n", position) + 1
        if text.startswith(b"\\ ", position):
            self.is_unended |= kind != b"-"
            position = find(b"\n", position) + 1
        return position


class PatchedFile:
    """What a patch does to one file: the lines of its ``header``, and its hunks."""

    __slots__ = ("_text", "end", "has_hunks", "header")

    def __init__(self, text: bytes, start: int, end: int) -> None:
        self._text = text
        self.header = text[start:end]
        self.end = end
        self.has_hunks = False

    def read_hunks(self) -> Iterator[Hunk]:
        """Yield the hunks, once; ``end`` is where they end. Raises DiffError."""
        while self._text.startswith(b"@@ -", self.end):
            header = HUNK_PATTERN.match(self._text, self.end)
            if header is None:
                raise DiffError(BROKEN_HUNK_MESSAGE, self.end)
            hunk = Hunk(self._text, header)
            self.has_hunks = True
            self.end = hunk.end
            yield hunk

    def pass_hunks(self) -> None:
        """Read the hunks only to find their end. Raises DiffError."""
        for _ in self.read_hunks():
            pass


def explain(patch: bytes, reason: str) -> str:
    """Say what is wrong with PATCH, which git refuses for REASON."""
    found: list[DiffError] = []
    try:
        for file in split_patch(patch, found.append):
            file.pass_hunks()
    except DiffError as broken:
        found.append(broken)
    return found[0].locate(patch) if found else f"{reason}: {MAKE_AGAIN}"


def split_patch(text: bytes, complain: Callable[[DiffError], object]) -> Iterator[PatchedFile]:
    """Yield the files of the patch TEXT, which ends with a newline.

    The hunks of each must be read before the next one. COMPLAIN is called for anything
    between them that cannot be judged.
    """
    position, hunks_end, is_after_hunk, said = 0, 0, False, ""
    while match := START_PATTERN.search(text, position):
        start = match.start()
        position = text.index(b"\n", start) + 1
        if match[0] == b"+":
            # In a signature, or the footer of a list, a line may be a telephone number.
            if is_after_hunk and not SIGNATURE_PATTERN.search(text, hunks_end, start):
                complain(DiffError(EXTRA_LINES_MESSAGE, start))
            is_after_hunk = False  # once is enough
            continue
        file, reason = read_header(text, match)
        if file:
            yield file
            position = hunks_end = file.end
            reason = NO_HUNK_MESSAGE if is_cut_off(text, file) else ""
        is_after_hunk = file is not None and file.has_hunks
        if reason not in ("", said):
            complain(DiffError(reason, start))
        said = reason


def read_header(text: bytes, match: re.Match[bytes]) -> tuple[PatchedFile | None, str]:
    """Read the header that MATCH begins; if git sees none there, return what is wrong."""
    start, after = match.start(), text.index(b"\n", match.end() - 1) + 1
    if match[0] == b"@@ -":
        return None, NO_NAMES_MESSAGE
    if match[0] == b"diff --git ":
        end = find_header_end(text, after)
        if end > after:
            return PatchedFile(text, start, end), ""
    elif match[0].startswith(b"--- ") and text.startswith(b"@@ -", after):
        return PatchedFile(text, start, after), ""
    if not KVM_NAME_PATTERN.search(text, start, after):
        return None, ""
    is_combined = match[0].startswith(b"diff --c") or text.startswith(b"@@@", after)
    return None, COMBINED_MESSAGE if is_combined else NO_HUNK_MESSAGE


def find_header_end(text: bytes, position: int) -> int:
    """Find the end of the lines of a header, which may begin at POSITION."""
    while line := HEADER_LINE_PATTERN.match(text, position):
        position = line.end()
        if text.startswith(b"@@ -", position):
            break
    return position


def is_cut_off(text: bytes, file: PatchedFile) -> bool:
    """Whether FILE, if it matches KVM_NAME_PATTERN, lacks a hunk that it should have."""
    if file.has_hunks or not KVM_NAME_PATTERN.search(file.header):
        return False
    return not (NEEDS_NO_HUNK_PATTERN.search(file.header) or BINARY_PATTERN.match(text, file.end))


def read_sides(text: bytes, hunk: Hunk) -> tuple[Side, Side]:
    """Read the old and the new side of HUNK of the patch TEXT."""
    old = remove(NOT_OLD_PATTERN, text, hunk), hunk.old_start
    new = remove(NOT_NEW_PATTERN, text, hunk), hunk.new_start
    return old, new


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
