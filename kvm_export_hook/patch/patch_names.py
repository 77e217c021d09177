# SPDX-License-Identifier: MIT
"""Finds which files a patch names, as git reads them."""

from __future__ import annotations

import os
import re

from kvm_export_hook.git.process import RefusalError
from kvm_export_hook.patch.mail import NAMING_PATTERN
from kvm_export_hook.rules.scope import (
    FACT_FILES,
    FROM_THE_TOP,
    KVM_DIRECTORIES,
    is_in_scope,
    list_down_to,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.patch.scratch import Scratch

# A link or a file here would hide KVM's files.
MAY_HIDE_KVM = {place for path in KVM_DIRECTORIES for place in list_down_to(path)}

# A line that may name a file in scope. Few patches need this: it is compiled where it is used.
SPELT_PATTERN = b"|".join(KVM_DIRECTORIES).replace(b"/", b"/[/.]*")
NAMING_KVM_PATTERN = rb"%s(?:(?=[^\n]*\.[chCH])[^\n]*?(?:%s)/|[^\n]*?\\[0-7])" % (
    NAMING_PATTERN,
    SPELT_PATTERN,
)
# How many directories git cuts off the names, in the order of the attempts: first as many as
# git am does.
MORE_CUT_OFF: tuple[tuple[bytes, ...], ...] = ((b"-p2",), (b"-p3",))
WAYS_TO_READ = ((), (b"-p1",), (b"-p0",), *MORE_CUT_OFF)
NUMSTAT = (b"apply", b"--numstat", b"-z", b"--whitespace=nowarn")

LIKE_KVM_PATTERN = rb"/(?:%s)/(?s:.*)\.[chCH]\Z" % b"|".join(KVM_DIRECTORIES)

MOVED_PATTERN = re.compile(rb"(?m)^(?:rename|copy) ")
ELSEWHERE_MESSAGE = (
    "names files of KVM below an unknown directory: make the patch at the top of the kernel"
)
TORN_MESSAGE = (
    "has names that do not all begin at the same directory: make the patch at the top of the"
    " kernel, with a/ and b/ before the names"
)


class Record:
    """A file of a patch: its ``name``, as git reads it, and the numbers of changed lines.

    ``added``, ``removed``: None for a binary patch.
    """

    __slots__ = ("added", "name", "removed")

    def __init__(self, field: bytes) -> None:
        added, removed, self.name = field.split(b"\t", 2)
        self.added = int(added) if added != b"-" else None
        self.removed = int(removed) if removed != b"-" else None


class PatchNames:
    """The names of the files of a patch, from the top of the kernel, and how git is to read them.

    ``options``: for git, how many directories to cut off. ``records``: what git says about
    each file. ``new``: their names after the patch, in the same order. ``are_torn``: some
    files of KVM are named in another way than the others.
    """

    def __init__(
        self, scratch: Scratch, patch: bytes, options: tuple[bytes, ...], records: list[Record]
    ) -> None:
        self.options = options
        self.records = records
        self.new = [os.path.normpath(record.name) for record in records]
        self._scratch = scratch
        self._patch = patch
        self._moves: list[tuple[bytes, bytes]] | None = None
        self.are_torn = False

    @property
    def moves(self) -> list[tuple[bytes, bytes]]:
        """The old and the new name of each file that is renamed or copied. Raises GitError."""
        if self._moves is None:
            has_moves = MOVED_PATTERN.search(self._patch)
            pairs = zip(self.find_old(), self.new, strict=True) if has_moves else ()
            self._moves = [(old, new) for old, new in pairs if old != new]
        return self._moves

    def find_old(self) -> list[bytes]:
        """Find the names before the patch, in the same order. Raises GitError."""
        # With -R, the last is first.
        undone = list_records(self._scratch, self._patch, *self.options, b"-R")
        return [os.path.normpath(record.name) for record in reversed(undone)]

    @property
    def are_in_scope(self) -> bool:
        """Whether any of them is one of KVM's C files."""
        return any(map(is_in_scope, self.new))

    @property
    def are_elsewhere(self) -> bool:
        """Whether any of them ends like the name of one of KVM's C files."""
        return any(re.search(LIKE_KVM_PATTERN, name) for name in self.new)

    @property
    def wanted(self) -> set[int]:
        """Which files may matter, by their positions in the patch.

        None if git cuts off more than git am does, and all that is left then is what may
        hide KVM: ``scripts/virt`` is not part of KVM.
        """
        wanted_moves = {new for old, new in self.moves if is_wanted(old)}
        places = {
            place for place, name in enumerate(self.new) if is_wanted(name) or name in wanted_moves
        }
        if self.options in MORE_CUT_OFF and MAY_HIDE_KVM.issuperset(
            self.new[each] for each in places
        ):
            return set()
        return places


def read_names(scratch: Scratch, patch: bytes) -> PatchNames:
    """Read the names of PATCH in the first way by which one is wanted, or else as git am does.

    If the patch renames or copies, in the way by which most are wanted: git cuts one
    directory less off these names than off the others. Raises GitError if git cannot read
    the patch.
    """
    readings: list[PatchNames] = []
    error: RefusalError | None = None
    has_moves = MOVED_PATTERN.search(patch)
    for options in WAYS_TO_READ:
        try:
            names = PatchNames(scratch, patch, options, list_records(scratch, patch, *options))
        except RefusalError as refused:
            error = error or refused
            continue
        readings.append(names)
        if len(names.wanted) >= (len(names.new) if has_moves else 1):
            return names
    if not readings:
        assert error
        raise error
    best = max(readings, key=lambda names: len(names.wanted))
    is_more_elsewhere = any(names.wanted - best.wanted for names in readings)
    best.are_torn = bool(best.wanted) and (is_more_elsewhere or best.are_elsewhere)
    return best


def list_records(scratch: Scratch, patch: bytes, *options: bytes) -> list[Record]:
    """List the files of PATCH, as git reads them by OPTIONS. Raises GitError."""
    output = scratch.run(*NUMSTAT, *options, stdin=patch)
    return [Record(field) for field in output.split(b"\0")[:-1]]


def is_wanted(name: bytes) -> bool:
    """Whether NAME is in a KVM directory, in the place of one or above it, or a fact file."""
    return name.startswith(FROM_THE_TOP) or name in FACT_FILES or name in MAY_HIDE_KVM


def may_name_kvm(patch: bytes) -> bool:
    """Whether a PATCH that git refuses may name a file in scope, or names none at all."""
    return bool(re.search(NAMING_KVM_PATTERN, patch)) or not re.search(NAMING_PATTERN, patch)
