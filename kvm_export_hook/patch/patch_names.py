# SPDX-License-Identifier: MIT
"""Which files a patch names, as git reads it, and what of them no patch can show."""

from __future__ import annotations

import os
import re

from kvm_export_hook.git.entries import KINDS
from kvm_export_hook.git.process import GitError
from kvm_export_hook.git.repository import ABOVE_KVM
from kvm_export_hook.patch.diff import DiffError
from kvm_export_hook.patch.mail import NAMING_PATTERN
from kvm_export_hook.patch.numstat import list_alone
from kvm_export_hook.rules.facts import FACT_FILES
from kvm_export_hook.rules.scope import FROM_THE_TOP, KVM_DIRECTORIES, is_in_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.patch.numstat import Record, Records
    from kvm_export_hook.patch.scratch import Scratch

# What, if it is no directory, hides the files in scope.
MAY_HIDE_KVM = (*ABOVE_KVM, *KVM_DIRECTORIES)

# A line that names one in scope, or may.
NAMING_KVM_PATTERN = re.compile(
    NAMING_PATTERN.pattern + rb"(?:(?=[^\n]*\.[chCH])[^\n]*?(?:virt|x86)/[/.]*kvm/|[^\n]*?\\[0-7])"
)
# What git, by default, makes of a name without a/ and b/ before it.
SHORTENED_NAME_PATTERN = re.compile(
    rb"(?:kvm|x86/kvm)/.*\.[chCH]$|linux/kvm_types\.h$|x86/kvm/Makefile$"
)

# A mode, and what git takes for one: a number in base 8, whatever stands around it.
MODE_PATTERN = re.compile(rb"(?m)^(?:(?:old|new|new file) mode|index [^\s]+) ([^\n]*)")
OCTAL_PATTERN = re.compile(rb"[\s+]*(?:0{1,99}(?=[1-7]))?([0-7]{1,9})(?:\s|\Z)")
DELETED_PATTERN = re.compile(rb"(?m)^deleted file mode ")
MOVED_PATTERN = re.compile(rb"(?m)^(?:rename|copy) ")
COPIED_PATTERN = re.compile(rb"(?m)^copy ")
SIDES_PATTERN = re.compile(rb"(?m)^(?:---|\+\+\+) ([^\n]*)\n")
NULL = b"/dev/null"
# Names are from the top of the tree, with no directory before them.
WHOLE_NAMES_OPTION = b"-p0"

INSTEAD = ": judge it with --staged or --commits"
BINARY_MESSAGE = "is a binary patch, which shows no lines" + INSTEAD
MOVED_IN_MESSAGE = (
    "is renamed or copied into KVM from %s, and the patch does not show its lines" + INSTEAD
)
IS_COPY_MESSAGE = "is a copy of %s, which may have unwanted exports" + INSTEAD
OTHER_KIND_MESSAGE = "becomes something other than a plain file" + INSTEAD


def find_names(scratch: Scratch, patch: bytes, records: Records, *options: bytes) -> list[bytes]:
    """Find the names of RECORDS, those of PATCH, from the top of the tree.

    OPTIONS are those that git was given. Mails come with and without a
    directory before the names: one with which or without which a name is in
    scope is read so. Raises DiffError.
    """
    names = [os.path.normpath(record.name) for record in records]
    whole: Records | None = None
    for index, name in enumerate(names):
        if is_wanted(name):
            continue
        rest = name.partition(b"/")[2]
        if is_wanted(rest) and rest not in MAY_HIDE_KVM:
            names[index] = rest
        elif SHORTENED_NAME_PATTERN.match(name):
            whole = whole or list_or_raise(scratch, patch, *options, WHOLE_NAMES_OPTION)
            other = os.path.normpath(whole[index].name)
            names[index] = other if is_wanted(other) else name
    return names


def find_old_names(scratch: Scratch, patch: bytes, *options: bytes) -> list[bytes]:
    """Find the names that the files of PATCH had before it. Raises DiffError."""
    undo = (*options, b"-R")
    return find_names(scratch, patch, list_or_raise(scratch, patch, *undo), *undo)[::-1]


def list_or_raise(scratch: Scratch, patch: bytes, *options: bytes) -> Records:
    """List the files of PATCH, in git's order: with -R, the last is first. Raises DiffError."""
    records = list_alone(scratch, patch, options)
    if isinstance(records, GitError):
        raise DiffError(records.reason)
    return records


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
