# SPDX-License-Identifier: MIT
"""Which files a patch names, as git reads it, and what of them no patch can show."""

from __future__ import annotations

import os
import re

from kvm_export_hook.git.entries import KINDS
from kvm_export_hook.git.process import GitError
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

# What, if it is no directory, hides the files in scope.
MAY_HIDE_KVM = {place for path in KVM_DIRECTORIES for place in list_down_to(path)}

# A line that names one in scope, or may.
SPELT_PATTERN = b"|".join(KVM_DIRECTORIES).replace(b"/", b"/[/.]*")
NAMING_KVM_PATTERN = re.compile(
    rb"%s(?:(?=[^\n]*\.[chCH])[^\n]*?(?:%s)/|[^\n]*?\\[0-7])"
    % (NAMING_PATTERN.pattern, SPELT_PATTERN)
)
# How much of the names git takes off, in the order in which it is tried: what it takes off
# by itself, as git am does, then so many directories.
WAYS_TO_READ: tuple[tuple[bytes, ...], ...] = ((), (b"-p1",), (b"-p0",), (b"-p2",), (b"-p3",))
NUMSTAT = (b"apply", b"--numstat", b"-z", b"--whitespace=nowarn")

LIKE_KVM_PATTERN = re.compile(rb"/(?:%s)/(?s:.*)\.[chCH]\Z" % b"|".join(KVM_DIRECTORIES))

# A mode, and what git takes for one: a number in base 8, whatever stands around it.
MODE_PATTERN = re.compile(rb"(?m)^(?:(?:old|new|new file) mode|index [^\s]+) ([^\n]*)")
OCTAL_PATTERN = re.compile(rb"[\s+]*(?:0{1,99}(?=[1-7]))?([0-7]{1,9})(?:\s|\Z)")
DELETED_PATTERN = re.compile(rb"(?m)^deleted file mode ")
MOVED_PATTERN = re.compile(rb"(?m)^(?:rename|copy) ")
COPIED_PATTERN = re.compile(rb"(?m)^copy ")
SIDES_PATTERN = re.compile(rb"(?m)^(?:---|\+\+\+) ([^\n]*)\n")
NULL = b"/dev/null"
ELSEWHERE_MESSAGE = (
    "names files of KVM below a directory that is not known: make the patch at the top of the"
    " kernel"
)
INSTEAD = ": judge it with --staged or --commits"
BINARY_MESSAGE = "is a binary patch, which shows no lines" + INSTEAD
MOVED_IN_MESSAGE = (
    "is renamed or copied into KVM from %s, and the patch does not show its lines" + INSTEAD
)
IS_COPY_MESSAGE = "is a copy of %s, which may have unwanted exports" + INSTEAD
OTHER_KIND_MESSAGE = "becomes something other than a plain file" + INSTEAD


class Record:
    """A file of a patch: its ``name``, as git reads it, and how many lines change.

    ``added``, ``removed``: None for a binary patch.
    """

    __slots__ = ("added", "name", "removed")

    def __init__(self, field: bytes) -> None:
        added, removed, self.name = field.split(b"\t", 2)
        self.added = int(added) if added != b"-" else None
        self.removed = int(removed) if removed != b"-" else None


class PatchNames:
    """The names of the files of a patch, from the top of the kernel, and how git is to read them.

    ``options``: for git, how much of each name to take off. ``records``: what git
    says of each file. ``new``: their names after the patch, in the same order.
    ``moves``: some may be other files before it.
    """

    def __init__(
        self, scratch: Scratch, patch: bytes, options: tuple[bytes, ...], records: list[Record]
    ) -> None:
        self.options = options
        self.records = records
        self.new = [os.path.normpath(record.name) for record in records]
        self.moves = bool(MOVED_PATTERN.search(patch))
        self._scratch = scratch
        self._patch = patch

    def find_old(self) -> list[bytes]:
        """Find the names before the patch, in the same order. Raises GitError."""
        return self.find_old_by_undoing() if self.moves else self.new

    def find_old_by_undoing(self) -> list[bytes]:
        """Find them where the header of a file may name two, too. Raises GitError."""
        # With -R, the last is first.
        undone = list_records(self._scratch, self._patch, *self.options, b"-R")
        return [os.path.normpath(record.name) for record in reversed(undone)]

    @property
    def are_in_scope(self) -> bool:
        """Whether any of them is one of KVM's C files."""
        return any(map(is_in_scope, self.new))

    @property
    def are_elsewhere(self) -> bool:
        """Whether any of them ends as one of KVM's C files does."""
        return any(map(LIKE_KVM_PATTERN.search, self.new))

    @property
    def are_wanted(self) -> bool:
        """Whether any of them may matter."""
        return any(map(is_wanted, self.new)) or (
            self.moves and any(map(is_wanted, self.find_old()))
        )


def read_names(scratch: Scratch, patch: bytes) -> PatchNames:
    """Read the names of PATCH in the first way by which one is in scope, or else as git am does.

    Raises GitError where git cannot read the patch.
    """
    first: PatchNames | None = None
    error: GitError | None = None
    for options in WAYS_TO_READ:
        try:
            names = PatchNames(scratch, patch, options, list_records(scratch, patch, *options))
        except GitError as refused:
            if not refused.refusal:
                raise
            error = error or refused
            continue
        if names.are_wanted:
            return names
        first = first or names
    if first is None:
        assert error
        raise error
    return first


def list_records(scratch: Scratch, patch: bytes, *options: bytes) -> list[Record]:
    """List the files of PATCH, as git reads them by OPTIONS. Raises GitError."""
    output = scratch.run(*NUMSTAT, *options, stdin=patch)
    return [Record(field) for field in output.split(b"\0")[:-1]]


def is_wanted(name: bytes) -> bool:
    """Whether NAME is in a KVM directory or in the place of one, or is that of a fact file."""
    return name.startswith(FROM_THE_TOP) or name in FACT_FILES or name in MAY_HIDE_KVM


def may_name_kvm(patch: bytes) -> bool:
    """Whether a PATCH that git refuses may name a file in scope, or names none at all."""
    return bool(NAMING_KVM_PATTERN.search(patch)) or not NAMING_PATTERN.search(patch)


def find_refusal(name: bytes, header: bytes, record: Record) -> str:
    """Return why what a patch makes of the file NAME cannot be judged, or "".

    HEADER is what git reads of it before its hunks.
    """
    for text in MODE_PATTERN.findall(header):
        mode = OCTAL_PATTERN.match(text)
        if mode is None or not mode[1].startswith(b"100"):
            return KINDS.get(mode[1] if mode else b"", OTHER_KIND_MESSAGE)
    is_binary = record.added is None and (is_in_scope(name) or name in FACT_FILES)
    return BINARY_MESSAGE if is_binary and not DELETED_PATTERN.search(header) else ""


def may_be_moved(header: bytes) -> bool:
    """Whether HEADER may name two files, the one before and the one after."""
    if not header.startswith(b"diff --git "):
        return False
    sides = {each.partition(b"\t")[0].strip() for each in SIDES_PATTERN.findall(header)} - {NULL}
    rests = {each.partition(b"/")[2] for each in sides}
    # git may read names whole: then the first directory counts, too.
    is_whole = any(each.startswith(b'"') or is_wanted(os.path.normpath(each)) for each in sides)
    return bool(MOVED_PATTERN.search(header)) or len(sides if is_whole else rests) > 1
