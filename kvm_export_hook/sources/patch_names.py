# SPDX-License-Identifier: MIT
"""Which files a patch names, as git reads it, and what of them no patch can show."""

from __future__ import annotations

import os
import re

from kvm_export_hook.rules.tree import FACT_FILES
from kvm_export_hook.sources.diff import DiffError
from kvm_export_hook.sources.git import ABOVE, KINDS
from kvm_export_hook.sources.mail import NAMING
from kvm_export_hook.sources.numstat import list_alone
from kvm_export_hook.sources.process import GitError
from kvm_export_hook.sources.scope import FROM_THE_TOP, KVM_DIRECTORIES, is_in_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.sources.numstat import Record, Records
    from kvm_export_hook.sources.scratch import Scratch

# What, if it is no directory, hides the files in scope.
PLACES = (*ABOVE, *KVM_DIRECTORIES)

# A line that names one in scope, or may.
NAMING_KVM = re.compile(
    NAMING.pattern + rb"(?:(?=[^\n]*\.[chCH])[^\n]*?(?:virt|x86)/[/.]*kvm/|[^\n]*?\\[0-7])"
)
# What git, by default, makes of a name without a/ and b/ before it.
LESS = re.compile(rb"(?:kvm|x86/kvm)/.*\.[chCH]$|linux/kvm_types\.h$|x86/kvm/Makefile$")

# A mode, and what git takes for one: a number in base 8, whatever stands around it.
MODE = re.compile(rb"(?m)^(?:(?:old|new|new file) mode|index [^\s]+) ([^\n]*)")
OCTAL = re.compile(rb"[\s+]*(?:0{1,99}(?=[1-7]))?([0-7]{1,9})(?:\s|\Z)")
DELETED = re.compile(rb"(?m)^deleted file mode ")
MOVED = re.compile(rb"(?m)^(?:rename|copy) ")
COPIED = re.compile(rb"(?m)^copy ")
SIDES = re.compile(rb"(?m)^(?:---|\+\+\+) ([^\n]*)\n")
NULL = b"/dev/null"
# Names are from the top of the tree, with no directory before them.
WHOLE = b"-p0"

INSTEAD = ": judge it with --staged or --commits"
BINARY = "is a binary patch, which shows no lines" + INSTEAD
MOVED_IN = "is renamed or copied into KVM from %s, and the patch does not show its lines" + INSTEAD
IS_COPY = "is a copy of %s, which may have unwanted exports" + INSTEAD
OTHER_KIND = "becomes something other than a plain file" + INSTEAD


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
        if is_wanted(rest) and rest not in PLACES:
            names[index] = rest
        elif LESS.match(name):
            whole = whole or list_or_raise(scratch, patch, *options, WHOLE)
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
    return name.startswith(FROM_THE_TOP) or name in FACT_FILES or name in PLACES


def may_name_kvm(patch: bytes) -> bool:
    """Whether a PATCH that git refuses may name a file in scope, or names none at all."""
    return bool(NAMING_KVM.search(patch)) or not NAMING.search(patch)


def find_refusal(name: bytes, header: bytes, record: Record) -> str:
    """Return why what a patch makes of the file NAME cannot be judged, or "".

    HEADER is what git reads of it before its hunks.
    """
    for text in MODE.findall(header):
        mode = OCTAL.match(text)
        if mode is None or not mode[1].startswith(b"100"):
            return KINDS.get(mode[1] if mode else b"", OTHER_KIND)
    is_binary = record.added is None and (is_in_scope(name) or name in FACT_FILES)
    return BINARY if is_binary and not DELETED.search(header) else ""


def may_be_moved(header: bytes) -> bool:
    """Whether HEADER may name two files, the one before and the one after."""
    if not header.startswith(b"diff --git "):
        return False
    sides = {each.partition(b"\t")[0].strip() for each in SIDES.findall(header)} - {NULL}
    rests = {each.partition(b"/")[2] for each in sides}
    # git may read names whole: then the first directory counts, too.
    is_whole = any(each.startswith(b'"') or is_wanted(os.path.normpath(each)) for each in sides)
    return bool(MOVED.search(header)) or len(sides if is_whole else rests) > 1
