# SPDX-License-Identifier: MIT
"""One patch to the texts of both of its states, where git reads it in the same way."""

from __future__ import annotations

import os

from kvm_export_hook.rules.scan import STEM, find_suspects
from kvm_export_hook.rules.tree import FACT_FILES
from kvm_export_hook.sources.diff import JOINED_LINES, DiffError, find_files
from kvm_export_hook.sources.patch_names import (
    COPIED,
    INSTEAD,
    IS_COPY,
    MOVED_IN,
    NAMING_KVM,
    find_names,
    find_old_names,
    find_refusal,
    is_wanted,
    may_be_moved,
)
from kvm_export_hook.sources.scope import is_in_scope
from kvm_export_hook.sources.states import Text
from kvm_export_hook.sources.worktree import read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kvm_export_hook.sources.diff import File
    from kvm_export_hook.sources.numstat import Record, Records
    from kvm_export_hook.sources.scratch import Scratch
    from kvm_export_hook.sources.series import Edits, Series

NOT_UNDERSTOOD = "git and this hook read the patch differently"


class Reading:
    """What is read of a patch: ``old`` and ``new``, the texts in scope of its two states.

    ``edits``: what it does to the fact files. ``names_kvm``: it names a
    file in scope. REFUSE takes the reason why a file cannot be judged, and its name.
    """

    def __init__(
        self,
        patch: bytes,
        scratch: Scratch,
        series: Series,
        refuse: Callable[[str, bytes], object],
    ) -> None:
        self.old: list[Text] = []
        self.new: list[Text] = []
        self.edits: Edits = []
        self.names_kvm = False
        self._unended: set[bytes] = set()
        self._said: set[str] = set()
        self._patch = patch
        self._scratch = scratch
        self._series = series
        self._refuse = refuse
        self._old_names: list[bytes] = []
        self._options: tuple[bytes, ...] = ()

    def read(self, records: Records, *options: bytes) -> None:
        """Read the patch, which git reads as RECORDS by OPTIONS. Raises DiffError."""
        self._options = options
        names = find_names(self._scratch, self._patch, records, *options)
        self.names_kvm = any(map(is_in_scope, names))
        if not (any(map(is_wanted, names)) or NAMING_KVM.search(self._patch)):
            return
        index = -1
        for index, file in enumerate(find_files(self._patch, self._complain)):
            if index < len(names) and is_wanted(names[index]):
                reason = self._read_file(file, records[index], names[index], index)
                if reason:
                    self._refuse(reason, names[index])
            else:
                file.pass_hunks()
        if index + 1 != len(records):
            raise DiffError(NOT_UNDERSTOOD)

    def _complain(self, error: DiffError) -> None:
        """Complain of what stands between the files."""
        reason = str(error)
        if reason not in self._said:  # the first place of each is enough, and soon found
            self._said.add(reason)
            self._refuse(error.locate(self._patch), b"")

    def _read_file(self, file: File, record: Record, name: bytes, index: int) -> str:
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
                raise DiffError(JOINED_LINES, hunk.header)
            if hunk.is_unended:
                self._unended.add(name)
            added += hunk.added
            removed += hunk.removed
            if name in FACT_FILES or self._patch.find(STEM, hunk.start, hunk.end) >= 0:
                from kvm_export_hook.sources import sides

                before, after = sides.read_sides(self._patch, hunk)
                edits.append((before, after))
                before, after = sides.open_comments(before, after)
                old.append(Text(old_name, old_name, before.text, before.first_line))
                new.append(Text(name, name, after.text, after.first_line))
        if reason or record.added is None:
            return reason
        if (added, removed) != (record.added, record.removed):
            return NOT_UNDERSTOOD + INSTEAD
        if is_in_scope(name):
            self.old += old
            self.new += new
        elif name in FACT_FILES:
            self.edits.append((name, edits))
        return ""

    def _find_old_name(self, index: int) -> bytes:
        """Find the name that the file of this INDEX had. Raises DiffError."""
        if not self._old_names:
            self._old_names = find_old_names(self._scratch, self._patch, *self._options)
        return self._old_names[index]

    def _find_move(self, header: bytes, name: bytes, old_name: bytes) -> str:
        """Return why a file that was OLD_NAME cannot be judged as NAME, or ""."""
        if old_name == name:
            return ""
        if not is_in_scope(old_name):
            return MOVED_IN % os.fsdecode(old_name)
        if not COPIED.search(header):
            return ""
        try:
            text = read_file(os.path.join(self._series.top, old_name))
        except OSError:
            return IS_COPY % os.fsdecode(old_name)
        suspects = find_suspects(text, self._series.facts.allowlist)
        return IS_COPY % os.fsdecode(old_name) if suspects else ""
