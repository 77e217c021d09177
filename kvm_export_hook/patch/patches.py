# SPDX-License-Identifier: MIT
"""Patches as a source: what each mail of an mbox adds, or a diff. What git applies is judged.

Git says which mails there are, what their patches are, which files these name
and how many lines they change: reading.py reads the hunks, and both must agree.
"""

from __future__ import annotations

import sys

from kvm_export_hook.changes.state import Change, State
from kvm_export_hook.git.compare import choose_old_facts
from kvm_export_hook.git.process import GitError
from kvm_export_hook.patch.diff import MAKE_AGAIN, DiffError, split_patch
from kvm_export_hook.patch.mail import DIFF_PATTERN, may_matter, read_mails
from kvm_export_hook.patch.numstat import list_alone, list_patched_files
from kvm_export_hook.patch.patch_names import WHOLE_NAMES_OPTION, may_name_kvm
from kvm_export_hook.patch.reading import Reading
from kvm_export_hook.patch.scratch import Scratch
from kvm_export_hook.run import NO_MEMORY, PLEASE_REPORT
from kvm_export_hook.values import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from kvm_export_hook.patch.mail import Mail
    from kvm_export_hook.patch.numstat import Records
    from kvm_export_hook.patch.series import Series
    from kvm_export_hook.run import Complain
    from kvm_export_hook.values import Result

    # Finds what a change adds.
    Find = Callable[[Change], Iterable[Result]]

# How much of an mbox one git reads.
BATCH_BYTES, BATCH_MAILS = 1 << 18, 50

NO_DIFF_MESSAGE = "has no diff that git can read: expected a diff, or a mail with one in plain text"
JOINED_MESSAGE = "; format=flowed may have joined its lines: send it without format=flowed"
IS_EMPTY_MESSAGE = "nothing checked: the patch is empty"


def open_patch(name: str) -> BinaryIO:
    """Open a patch, which may come from a pipe; ``-`` is stdin. Raises OSError."""
    if name != "-":
        return open(name, "rb")
    if sys.stdin is None:
        raise OSError(None, "is closed: name a file")
    return open(sys.stdin.fileno(), "rb", closefd=False)


class Patches:
    """The patches that a stream holds, each judged after those before it.

    ``shown``: what to call the stream. ``series``: the tree that they are for.
    ``is_empty``: it held nothing. ``names_kvm``: it named a file in scope.
    """

    def __init__(self, shown: bytes, series: Series, find: Find, complain: Complain) -> None:
        self.shown = shown
        self.series = series
        self.is_empty = True
        self.names_kvm = False
        self._find = find
        self._complain = complain

    def find(self, stream: BinaryIO) -> Iterator[Result]:
        """Yield what the patches of STREAM add. Raises OSError."""
        with Scratch() as scratch:
            for batch in make_batches(self._read(stream, scratch)):
                listed = list_patched_files(scratch, [patch for _, patch in batch])
                for (mail, patch), records in zip(batch, listed, strict=True):
                    yield from self._check_patch(mail, patch, records, scratch)

    def _read(self, stream: BinaryIO, scratch: Scratch) -> Iterator[tuple[Mail, bytes]]:
        """Yield the mails whose patches may name a file of KVM; complain of the unreadable."""
        for mail in read_mails(stream, scratch):
            self.is_empty = False
            if mail.patch is None:
                self._refuse(mail, f"{mail.reason}: {MAKE_AGAIN}")
            elif mail.lacks_diff:
                self._refuse(mail, NO_DIFF_MESSAGE)
            elif DIFF_PATTERN.search(mail.patch) and may_matter(mail.patch):
                yield mail, mail.patch

    def _check_patch(
        self, mail: Mail, patch: bytes, records: Records | GitError, scratch: Scratch
    ) -> list[Result]:
        """Judge what the PATCH of MAIL adds, which git reads as RECORDS.

        Complains of what cannot be judged, once the memory that it took is free.
        """
        try:
            return self._find_added(mail, patch, records, scratch)
        except MemoryError:
            reason = NO_MEMORY
        except DiffError as error:
            reason = error.locate(patch)
        except Exception as error:  # noqa: BLE001
            # The mails after it are judged all the same.
            reason = f"internal error: {type(error).__name__}: {error}: {PLEASE_REPORT}"
        self._refuse(mail, reason)
        return []

    def _find_added(
        self, mail: Mail, patch: bytes, records: Records | GitError, scratch: Scratch
    ) -> list[Result]:
        """Find what the PATCH of MAIL adds, which git reads as RECORDS. Raises DiffError."""
        options: tuple[bytes, ...] = ()
        if isinstance(records, GitError):
            if not may_name_kvm(patch):
                return []
            # Names without a directory before them may stop git, too.
            options, refused, records = (
                (WHOLE_NAMES_OPTION,),
                records,
                list_alone(scratch, patch, (WHOLE_NAMES_OPTION,)),
            )
            if isinstance(records, GitError):
                self._refuse(mail, explain(patch, refused) + JOINED_MESSAGE * mail.is_flowed)
                return []
        reading = Reading(
            patch, scratch, self.series, lambda why, name: self._refuse(mail, why, name)
        )
        reading.read(records, *options)
        self.names_kvm |= reading.names_kvm
        return list(self._find(self._make_change(mail, reading)))

    def _make_change(self, mail: Mail, reading: Reading) -> Change:
        """Make the change of MAIL; its edits of the tree's facts hold from now on."""
        before = self.series.facts
        facts = self.series.apply(reading.edits)
        return Change(
            None if mail.subject is None else Origin(None, mail.subject, mail.is_alone),
            State(facts, reading.new),
            [State(choose_old_facts(facts, before), reading.old)],
        )

    def _refuse(self, mail: Mail, reason: str, name: bytes = b"") -> None:
        """Complain of MAIL, or of the file NAME in it, where the tree enforces the rule."""
        if self.series.facts.is_enforced:
            subject = b"" if mail.subject is None else mail.subject.encode()
            self._complain(
                b": ".join(filter(None, [self.shown, subject, name])), OSError(None, reason)
            )


def explain(patch: bytes, error: GitError) -> str:
    """Say what is wrong with PATCH, which git refuses for ERROR."""
    found: list[DiffError] = []
    try:
        for file in split_patch(patch, found.append):
            file.pass_hunks()
    except DiffError as broken:
        found.append(broken)
    return found[0].locate(patch) if found else f"{error.reason}: {MAKE_AGAIN}"


def make_batches(mails: Iterable[tuple[Mail, bytes]]) -> Iterator[list[tuple[Mail, bytes]]]:
    """Yield MAILS in lists, each of which one git may read."""
    batch: list[tuple[Mail, bytes]] = []
    size = 0
    for mail, patch in mails:
        batch.append((mail, patch))
        size += len(patch)
        if size > BATCH_BYTES or len(batch) >= BATCH_MAILS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def yield_texts(ids: Sequence[Hashable]) -> Iterator[tuple[Hashable, bytes]]:
    """Yield the texts of IDS, which are their own ids."""
    for id_ in ids:
        assert isinstance(id_, bytes)
        yield id_, id_
