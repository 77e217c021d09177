# SPDX-License-Identifier: MIT
"""Patches as a source: what each mail or diff adds, after those before it.

A patch that git can apply here is checked as the commit would be. Of any other patch only
the hunks are read, and a note says so.
"""

from __future__ import annotations

import os

from kvm_export_hook.changes.state import Change, State
from kvm_export_hook.git.compare import choose_old_facts
from kvm_export_hook.git.process import GitError, RefusalError
from kvm_export_hook.patch.mail import DIFF_PATTERN, MAKE_AGAIN, may_matter, read_mails
from kvm_export_hook.patch.patch_names import (
    ELSEWHERE_MESSAGE,
    TORN_MESSAGE,
    may_name_kvm,
    read_names,
)
from kvm_export_hook.patch.streams import open_patch
from kvm_export_hook.patch.whole import WholeTree
from kvm_export_hook.run import describe_fault
from kvm_export_hook.values import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
    from typing import Any, BinaryIO

    from kvm_export_hook.changes.state import ReadTexts
    from kvm_export_hook.patch.apply import Base
    from kvm_export_hook.patch.mail import Mail
    from kvm_export_hook.patch.patch_names import PatchNames
    from kvm_export_hook.patch.scratch import Scratch
    from kvm_export_hook.patch.series import Series
    from kvm_export_hook.run import Complain, Note

    # Finds something in changes; the first argument reads their texts.
    Find = Callable[[ReadTexts, Iterable[Change]], Iterable[Any]]

NO_DIFF_MESSAGE = "has no diff that git can read: expected a diff, or a mail with one in plain text"
COLORED_MESSAGE = "has terminal colours in its diff: make it again with --no-color"
JOINED_MESSAGE = "; format=flowed may have joined its lines: send it without format=flowed"
IS_EMPTY_MESSAGE = "nothing checked: the patch is empty"
INTERDIFF_MESSAGE = "not checked: the interdiff of a cover letter, which does not apply here"
HUNKS_ALONE_MESSAGE = "does not apply here: only its hunks were read"


class Patches:
    """The patches of streams, each checked after those before it, in SCRATCH.

    OPEN_TREE opens the tree to apply them to, if there is one, and the facts to use
    otherwise. It is called for the first patch that matters. ``is_empty``: the last stream
    was empty. ``names_kvm``: a patch named a file in scope. ``whole``: all patches so far.
    """

    def __init__(
        self,
        scratch: Scratch,
        open_tree: Callable[[], tuple[Base | None, Series]],
        find: Find,
        complain: Complain,
        note: Note,
    ) -> None:
        self.is_empty = True
        self.names_kvm = False
        self.whole = WholeTree(scratch)
        self._scratch = scratch
        self._open_tree = open_tree
        self._tree: tuple[Base | None, Series] | None = None
        self._find = find
        self._complain = complain
        self._note = note
        self._has_hunks_alone = False
        self._place = b""
        self._file: bytes | None = None

    def find_in(self, name: str, is_alone: bool) -> Iterator[Any]:
        """Yield what is found in the patches of the file NAME; IS_ALONE: there is no other file."""
        shown = b"standard input" if name == "-" else os.fsencode(name)
        self._file = None if is_alone else shown
        self.is_empty = True
        try:
            with open_patch(name) as stream:
                yield from self.find(shown, stream)
        except OSError as error:
            self._complain(shown, self._scratch.blame(error))
        else:
            if self.is_empty:
                self._note(shown, IS_EMPTY_MESSAGE)

    def find(self, shown: bytes, stream: BinaryIO) -> Iterator[Any]:
        """Yield what is found in the patches of STREAM; SHOWN is its name. Raises OSError."""
        for mail in read_mails(stream, self._scratch):
            self.is_empty = False
            subject = b"" if mail.subject is None else mail.subject.encode()
            self._place = b": ".join(filter(None, [shown, subject]))
            if mail.patch is None:
                self._refuse(f"{mail.reason}: {MAKE_AGAIN}")
            elif mail.lacks_diff:
                self._refuse(COLORED_MESSAGE if mail.is_colored else NO_DIFF_MESSAGE)
            elif DIFF_PATTERN.search(mail.patch):
                if may_matter(mail.patch):
                    yield from self._check_patch(mail, mail.patch)
                else:
                    self.whole.keep(mail.patch)

    def make_tree(self) -> bytes | None:
        """Write the tree after all patches; return its id in the scratch repository.

        None if not all apply. Raises GitError.
        """
        base, _ = self._get_tree()
        if base is None or self._has_hunks_alone:
            return None
        return base.make_tree()

    def close(self) -> None:
        """End git, if it runs. Raises GitError if it failed."""
        base, _ = self._tree or (None, None)
        if base:
            base.repository.objects.close()

    def _get_tree(self) -> tuple[Base | None, Series]:
        """Return what patches are applied to; opened once."""
        self._tree = self._tree or self._open_tree()
        return self._tree

    def _check_patch(self, mail: Mail, patch: bytes) -> list[Any]:
        """Find what there is in the PATCH of MAIL.

        Complains of what cannot be checked, when its memory is free again.
        """
        try:
            return self._find_in_patch(mail, patch)
        except OSError as error:
            reason = str(self._scratch.blame(error).strerror)
        except Exception as error:  # noqa: BLE001
            # The mails after it are still checked.
            reason = describe_fault(error)
        self._refuse(reason)
        return []

    def _find_in_patch(self, mail: Mail, patch: bytes) -> list[Any]:
        """Find what there is in the PATCH of MAIL. Raises OSError."""
        try:
            names = read_names(self._scratch, patch)
        except GitError as error:
            if not isinstance(error, RefusalError) or may_name_kvm(patch):
                from kvm_export_hook.patch.diff import explain

                self._refuse(explain(patch, error.reason) + JOINED_MESSAGE * mail.is_flowed)
            return []
        if not names.wanted:
            self._pass_over(mail, patch, names)
            return []
        if names.are_torn:
            self._refuse(TORN_MESSAGE)
        self.names_kvm |= names.are_in_scope
        origin = self._make_origin(mail)
        base, _ = self._get_tree()
        change = None
        if base:
            base.repository.complain = self._complain_here
            change = base.apply(patch, names, origin, only_here=mail.is_interdiff)
        if mail.is_interdiff and not change:
            self._note(self._place, INTERDIFF_MESSAGE)
            return []
        self.whole.keep(patch, names.options)
        if base and change:
            return list(self._find(base.repository.read_texts, [change]))
        return list(self._find(yield_texts, [self._read_hunks(patch, names, origin)]))

    def _pass_over(self, mail: Mail, patch: bytes, names: PatchNames) -> None:
        """Keep the PATCH of MAIL, which has no wanted NAMES."""
        if names.are_elsewhere:
            self._refuse(ELSEWHERE_MESSAGE)
        if not mail.is_interdiff:
            self.whole.keep(patch)

    def _make_origin(self, mail: Mail) -> Origin | None:
        """Make the origin that names MAIL, and its file if there are several, in a report."""
        if mail.subject is None and self._file is None:
            return None
        is_alone = mail.is_alone and self._file is None
        return Origin(None, mail.subject or "", is_alone, self._file)

    def _read_hunks(self, patch: bytes, names: PatchNames, origin: Origin | None) -> Change:
        """Make a change of the hunks of PATCH; later patches are judged by its facts, too."""
        from kvm_export_hook.patch.reading import Reading

        self._has_hunks_alone = True
        base, series = self._get_tree()
        if base:
            series.follow(base.facts, base.read_fact_files())
        if series.facts.is_enforced:
            self._note(self._place, HUNKS_ALONE_MESSAGE)
        reading = Reading(patch, names, series, self._refuse)
        reading.read()
        before = series.facts
        facts = series.apply(reading.edits)
        if facts.note and facts.note != before.note:
            self._note(self._place, facts.note)
        old = State(choose_old_facts(facts, before), reading.old, before)
        return Change(origin, State(facts, reading.new), [old])

    def _refuse(self, reason: str, name: bytes = b"") -> None:
        """Complain of the mail, or of the file NAME in it, where the tree enforces the rule."""
        _, series = self._get_tree()
        if series.facts.is_enforced:
            self._complain_here(name, OSError(None, reason))

    def _complain_here(self, name: bytes, error: OSError) -> None:
        """Complain of the file NAME of the mail, or of the mail."""
        self._complain(b": ".join(filter(None, [self._place, name])), error)


def yield_texts(ids: Sequence[Hashable]) -> Iterator[tuple[Hashable, bytes]]:
    """Yield the texts of IDS: each text is its own id."""
    for id_ in ids:
        assert isinstance(id_, bytes)
        yield id_, id_
