# SPDX-License-Identifier: MIT
"""What ``git apply`` reads of patches: the files of each, and how many lines it adds and removes.

One git reads several patches, separated by random names that no patch can hold.
"""

from __future__ import annotations

import os
import re

from kvm_export_hook.git.process import GitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kvm_export_hook.patch.scratch import Scratch

    Records = list["Record"]

NUMSTAT = (b"apply", b"--numstat", b"-z", b"--whitespace=nowarn")
# Neither is part of the patch before or after it, whatever these are.
MARKER = b"%(name)s\ndiff --git a/%(name)s b/%(name)s\nold mode 100644\nnew mode 100755\n%(name)s\n"
# A name without a directory, which makes git read all names after it differently.
NAME_WITHOUT_DIRECTORY_PATTERN = re.compile(rb'(?m)^(?:---|\+\+\+) (?:[^/\s]*\s|")')


class Record:
    """A file of a patch: its ``name``, as git reads it, and how many lines change.

    ``added``, ``removed``: None for a binary patch.
    """

    __slots__ = ("added", "name", "removed")

    def __init__(self, field: bytes) -> None:
        added, removed, self.name = field.split(b"\t", 2)
        self.added = int(added) if added != b"-" else None
        self.removed = int(removed) if removed != b"-" else None


def list_patched_files(
    scratch: Scratch, patches: Sequence[bytes], options: Sequence[bytes] = ()
) -> list[Records | GitError]:
    """List the files of each of PATCHES, whose last lines are ended, in order.

    For a patch that git refuses, the error says why. OPTIONS are more for git.
    """
    if len(patches) > 1 and not any(map(NAME_WITHOUT_DIRECTORY_PATTERN.search, patches)):
        try:
            return list(list_together(scratch, patches))
        except GitError:
            pass  # one of them is broken
    return [list_alone(scratch, patch, options) for patch in patches]


def list_alone(scratch: Scratch, patch: bytes, options: Sequence[bytes] = ()) -> Records | GitError:
    """List the files of PATCH, or say why git refuses it."""
    try:
        return parse_numstat(scratch.run(*NUMSTAT, *options, stdin=patch))
    except GitError as error:
        return error


def list_together(scratch: Scratch, patches: Sequence[bytes]) -> list[Records]:
    """List the files of each of PATCHES by one git. Raises GitError."""
    name = os.urandom(16).hex().encode()
    marker = MARKER % {b"name": name}
    output = scratch.run(*NUMSTAT, stdin=marker.join([b"", *patches]))
    _, *listed = output.split(b"0\t0\t" + name + b"\0")
    if len(listed) != len(patches):
        raise GitError("git apply failed: its output cannot be read")
    return [parse_numstat(each) for each in listed]


def parse_numstat(output: bytes) -> Records:
    """Parse what git prints."""
    return [Record(field) for field in output.split(b"\0")[:-1]]
