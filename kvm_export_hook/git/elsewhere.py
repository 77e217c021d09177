# SPDX-License-Identifier: MIT
"""Looks for changes of a kernel elsewhere in the repository, if the one to check is not there."""

from __future__ import annotations

import os

from kvm_export_hook.git.entries import RAW, Entry, parse_raw
from kvm_export_hook.git.process import read_fields
from kvm_export_hook.rules.scope import KVM_DIRECTORIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kvm_export_hook.git.repository import Repository

# Documentation/virt/kvm has no C.
ANY_KERNEL_PATHSPECS = [b":(top,glob)**/" + name + b"/**/*.[chCH]" for name in KVM_DIRECTORIES]
OTHER_KERNEL_MESSAGE = "is not in the kernel that is checked: name its tree with --srctree={}"


def refuse_staged_elsewhere(repository: Repository, head: bytes) -> None:
    """Complain of what the index changes of HEAD in another kernel of the repository."""
    command = (b"diff-index", b"--cached", *RAW, b"--diff-filter=d", head)
    listed = repository.run(*command, *name_others(repository))
    for entry in list(parse_raw(listed.split(b"\0"), b""))[:1]:
        refuse_other(repository, entry.name)


def refuse_commits_elsewhere(
    repository: Repository, ids: Iterable[bytes], options: Sequence[bytes] = ()
) -> None:
    """Complain of what the commits of the range IDS change in another kernel of the repository.

    OPTIONS are more arguments for ``git log``. The complaint names the first change.
    """
    found: Entry | None = None
    commit = header = b""
    arguments = (b"--diff-filter=d", *options, *name_others(repository))
    with repository.start_log(ids, *arguments) as git:
        fields = read_fields(git.output)
        for field in fields:
            if not field.startswith((b"\n:", b":")):
                header = field
            elif found is None:
                found = Entry(field, next(fields))
                commit = header.lstrip(b"\n").partition(b"\n")[0]
            else:
                next(fields)
    if found:
        refuse_other(repository, found.name, commit)


def name_others(repository: Repository) -> list[bytes]:
    """Make the arguments that select the C files of all kernels but the one that is checked."""
    own = [b":(top,exclude,literal)" + path for path in repository.kvm_directories]
    return [b"--", *ANY_KERNEL_PATHSPECS, *own]


def refuse_other(repository: Repository, path: bytes, commit: bytes = b"") -> None:
    """Complain of the file at PATH, in COMMIT or else in the index."""
    kernel = os.fsdecode(find_kernel_around(path))
    repository.refuse_path(path, b"", OTHER_KERNEL_MESSAGE.format(kernel), commit)


def find_kernel_around(path: bytes) -> bytes:
    """Find the top of the kernel that the C file at PATH belongs to."""
    rooted = b"/" + path
    ends = [rooted.find(b"/" + name + b"/") for name in KVM_DIRECTORIES]
    return rooted[1 : min(end for end in ends if end >= 0)] or b"."
