# SPDX-License-Identifier: MIT
"""Reads the texts of both states from a patch, and checks that git reads it in the same way."""

from __future__ import annotations

import os
import re

from kvm_export_hook.files.worktree import read_file
from kvm_export_hook.git.entries import REFUSED_MODES
from kvm_export_hook.patch.diff import (
    JOINED_LINES_MESSAGE,
    DiffError,
    read_sides,
    split_patch,
)
from kvm_export_hook.patch.patch_names import MOVED_PATTERN, is_wanted
from kvm_export_hook.rules.scan import EXPORT_STEM, find_suspects
from kvm_export_hook.rules.scope import FACT_FILES, is_in_scope
from kvm_export_hook.values import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kvm_export_hook.patch.diff import PatchedFile, Side
    from kvm_export_hook.patch.patch_names import PatchNames, Record
    from kvm_export_hook.patch.series import Edits, Series

# A mode, and how git reads one: a number in base 8, whatever is around it.
MODE_PATTERN = re.compile(rb"(?m)^(?:(?:old|new|new file) mode|index [^\s]+) ([^\n]*)")
OCTAL_PATTERN = re.compile(rb"[\s+]*(?:0{1,99}(?=[1-7]))?([0-7]{1,9})(?:\s|\Z)")
DELETED_PATTERN = re.compile(rb"(?m)^deleted file mode ")
COPIED_PATTERN = re.compile(rb"(?m)^copy ")
SIDES_PATTERN = re.compile(rb"(?m)^(?:---|\+\+\+) ([^\n]*)\n")
NULL = b"/dev/null"

INSTEAD = ": check it with --staged or --commits"
BINARY_MESSAGE = "is a binary patch, which shows no lines" + INSTEAD
MOVED_IN_MESSAGE = (
    "is renamed or copied into KVM from %s, and the patch does not show its lines" + INSTEAD
)
IS_COPY_MESSAGE = "is a copy of %s, which may have unwanted exports" + INSTEAD
OTHER_KIND_MESSAGE = "becomes something other than a plain file" + INSTEAD
NOT_UNDERSTOOD_MESSAGE = "git and this hook read the patch differently"

# A line inside a comment. A line of a product may also begin with an asterisk.
COMMENT_LINE_PATTERN = re.compile(rb"\s*\*(?:[\s/]|$)")
COMMENT_START = b"/*\n"


class Reading:
    """What was read from a patch: ``old`` and ``new`` are the texts in scope of its two states.

    ``edits``: what it does to the fact files. NAMES are those of the patch. REFUSE is called
    with the reason why a file cannot be judged, and its name.
    """

    def __init__(
        self,
        patch: bytes,
        names: PatchNames,
        series: Series,
        refuse: Callable[[str, bytes], object],
    ) -> None:
        self.old: list[Text] = []
        self.new: list[Text] = []
        self.edits: Edits = []
        self._unended: set[bytes] = set()
        self._said: set[str] = set()
        self._patch = patch
        self._series = series
        self._refuse = refuse
        self._names = names
        self._old_names: list[bytes] = []

    def read(self) -> None:
        """Read the patch. Raises OSError if it cannot be read."""
        try:
            self._read_files()
        except DiffError as error:
            raise OSError(None, error.locate(self._patch)) from None

    def _read_files(self) -> None:
        """Read the files of the patch. Raises DiffError."""
        names, records = self._names.new, self._names.records
        index = -1
        for index, file in enumerate(split_patch(self._patch, self._complain)):
            if index < len(names) and is_wanted(names[index]):
                reason = self._read_file(file, records[index], names[index], index)
                if reason:
                    self._refuse(reason, names[index])
            else:
                file.pass_hunks()
        if index + 1 != len(records):
            raise DiffError(NOT_UNDERSTOOD_MESSAGE)

    def _complain(self, error: DiffError) -> None:
        """Complain of what is between the files."""
        reason = str(error)
        if reason not in self._said:  # the first place is enough, and quickly found
            self._said.add(reason)
            self._refuse(error.locate(self._patch), b"")

    def _read_file(self, file: PatchedFile, record: Record, name: bytes, index: int) -> str:
        """Read the hunks of FILE; return why it cannot be judged, or ""."""
        old_name = name
        reason = find_refusal(name, file.header, record)
        if is_in_scope(name) and may_be_moved(file.header):
            old_name = self._find_old_name(index)
            reason = reason or self._find_move(file.header, name, old_name)
        added = removed = 0
        old, new, edits = [], [], []
        for hunk in file.read_hunks():
            # If the last line has no end, git appends a hunk that begins without context to it.
            if name in self._unended and self._patch.startswith(b"+", hunk.start):
                raise DiffError(JOINED_LINES_MESSAGE, hunk.header)
            if hunk.is_unended:
                self._unended.add(name)
            added += hunk.added
            removed += hunk.removed
            if name in FACT_FILES or self._patch.find(EXPORT_STEM, hunk.start, hunk.end) >= 0:
                before, after = read_sides(self._patch, hunk)
                edits.append((before, after))
                before, after = open_comments(before, after)
                old.append(make_text(old_name, before))
                new.append(make_text(name, after))
        if reason or record.added is None:
            return reason
        if (added, removed) != (record.added, record.removed):
            return NOT_UNDERSTOOD_MESSAGE + INSTEAD
        if is_in_scope(name):
            self.old += old
            self.new += new
        elif name in FACT_FILES:
            self.edits.append((name, edits))
        return ""

    def _find_old_name(self, index: int) -> bytes:
        """Find the name that the file of this INDEX had. Raises GitError."""
        if not self._old_names:
            self._old_names = self._names.find_old()
        return self._old_names[index]

    def _find_move(self, header: bytes, name: bytes, old_name: bytes) -> str:
        """Return why a file that was OLD_NAME cannot be judged as NAME, or ""."""
        if old_name == name:
            return ""
        if not is_in_scope(old_name):
            return MOVED_IN_MESSAGE % os.fsdecode(old_name)
        if not COPIED_PATTERN.search(header):
            return ""
        try:
            text = read_file(os.path.join(self._series.top, old_name))
        except OSError:
            return IS_COPY_MESSAGE % os.fsdecode(old_name)
        suspects = find_suspects(text, self._series.facts.listed)
        return IS_COPY_MESSAGE % os.fsdecode(old_name) if suspects else ""


def make_text(name: bytes, side: Side) -> Text:
    """Make the text of a SIDE of a hunk of the file NAME. Its bytes are its id."""
    content, first_line = side
    return Text(name, name, content, first_line=first_line)


def find_refusal(name: bytes, header: bytes, record: Record) -> str:
    """Return why the file NAME cannot be judged after a patch, or "".

    HEADER is what git reads before its hunks.
    """
    for text in MODE_PATTERN.findall(header):
        mode = OCTAL_PATTERN.match(text)
        if mode is None or not mode[1].startswith(b"100"):
            return REFUSED_MODES.get(mode[1] if mode else b"", OTHER_KIND_MESSAGE)
    is_binary = record.added is None and (is_in_scope(name) or name in FACT_FILES)
    return BINARY_MESSAGE if is_binary and not DELETED_PATTERN.search(header) else ""


def may_be_moved(header: bytes) -> bool:
    """Whether HEADER may name two files, the one before and the one after."""
    if not header.startswith(b"diff --git "):
        return False
    sides = {each.partition(b"\t")[0].strip() for each in SIDES_PATTERN.findall(header)} - {NULL}
    rests = {each.partition(b"/")[2] for each in sides}
    # git may not cut off the first directory: then it counts, too.
    is_whole = any(each.startswith(b'"') or is_wanted(os.path.normpath(each)) for each in sides)
    return bool(MOVED_PATTERN.search(header)) or len(sides if is_whole else rests) > 1


def open_comments(old: Side, new: Side) -> tuple[Side, Side]:
    """Put the start of a comment before both sides of a hunk if either begins inside one."""
    (before, old_line), (after, new_line) = old, new
    if old_line <= 1 or new_line <= 1:
        return old, new  # nothing comes before the first line
    if not (begins_in_comment(before) or begins_in_comment(after)):
        return old, new
    return (COMMENT_START + before, old_line - 1), (COMMENT_START + after, new_line - 1)


def begins_in_comment(side: bytes) -> bool:
    """Whether SIDE begins inside a block comment.

    Then all its lines up to the end of the comment begin with an asterisk. The lines of a
    product may do so, too, but no comment ends after them.
    """
    has_line = False
    for match in re.finditer(rb"[^\n]*\n?", side):
        line = match[0].strip()
        if not line:
            continue
        if not (line.startswith(b"*") if has_line else COMMENT_LINE_PATTERN.match(line)):
            return False
        has_line = True
        closed, opened = line.find(b"*/"), line.find(b"/*")
        if closed >= 0:
            return opened < 0 or closed < opened
        if opened >= 0:
            return False
    return has_line
