# SPDX-License-Identifier: MIT
"""One patch to the texts of both of its states, where git reads it in the same way."""

from __future__ import annotations

import os

from kvm_export_hook.files.worktree import read_file
from kvm_export_hook.patch.diff import JOINED_LINES_MESSAGE, DiffError, split_patch
from kvm_export_hook.patch.patch_names import (
    COPIED_PATTERN,
    INSTEAD,
    IS_COPY_MESSAGE,
    MOVED_IN_MESSAGE,
    find_refusal,
    is_wanted,
    may_be_moved,
)
from kvm_export_hook.rules.scan import EXPORT_STEM, find_suspects
from kvm_export_hook.rules.scope import FACT_FILES, is_in_scope
from kvm_export_hook.values import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kvm_export_hook.patch.diff import PatchedFile
    from kvm_export_hook.patch.patch_names import PatchNames, Record
    from kvm_export_hook.patch.series import Edits, Series
    from kvm_export_hook.patch.sides import Side

NOT_UNDERSTOOD_MESSAGE = "git and this hook read the patch differently"


class Reading:
    """What is read of a patch: ``old`` and ``new``, the texts in scope of its two states.

    ``edits``: what it does to the fact files. NAMES are those of the patch. REFUSE
    takes the reason why a file cannot be judged, and its name.
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
        """Read the patch. Raises DiffError."""
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
        """Complain of what stands between the files."""
        reason = str(error)
        if reason not in self._said:  # the first place of each is enough, and soon found
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
            # git appends what begins without context to a line that has no end.
            if name in self._unended and self._patch.startswith(b"+", hunk.start):
                raise DiffError(JOINED_LINES_MESSAGE, hunk.header)
            if hunk.is_unended:
                self._unended.add(name)
            added += hunk.added
            removed += hunk.removed
            if name in FACT_FILES or self._patch.find(EXPORT_STEM, hunk.start, hunk.end) >= 0:
                from kvm_export_hook.patch import sides

                before, after = sides.read_sides(self._patch, hunk)
                edits.append((before, after))
                before, after = sides.open_comments(before, after)
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
            self._old_names = self._names.find_old_by_undoing()
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
