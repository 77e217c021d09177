# SPDX-License-Identifier: MIT
"""Locks the index as git does; after a kill, a later run recognises the lock.

``index.lock`` belongs to whoever made it, and git never takes over one. So it is made as a
second name of a file of ours. As long as both are one file, it is our lock; if no other
process has that file locked, its owner is gone.
"""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = b".kvm-export-hook"

BUSY_MESSAGE = "another kvm-export-hook is writing it: run the command again"
LOCKED_MESSAGE = (
    "git is using it, index.lock is there: wait, or remove that file if no git is running"
)


class IndexLock:
    """A lock of the index at ``path`` that is held. ``is_done``: the new index is in place."""

    def __init__(self, path: bytes, file: int) -> None:
        self.path = path
        self._file = file
        self.is_done = False

    def replace(self, content: bytes) -> None:
        """Make CONTENT the index, in one step. Raises OSError, and the index is as it was."""
        os.truncate(self._file, 0)
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        os.fchmod(self._file, stat.S_IMODE(os.stat(self.path).st_mode))
        os.fsync(self._file)
        os.rename(self.path + b".lock", self.path)
        self.is_done = True


@contextmanager
def lock_index(path: bytes) -> Iterator[IndexLock]:
    """Hold the lock of the index at PATH, in a context. Raises OSError."""
    ours, taken = path + OURS, path + b".lock"
    file = open_ours(ours)
    if is_same(path, file):  # a run was killed right after it had replaced the index
        os.unlink(ours)
        os.close(file)
        file = open_ours(ours)
    try:
        try:
            os.link(ours, taken)
        except FileExistsError:
            if not is_same(taken, file):
                raise OSError(None, LOCKED_MESSAGE) from None
        lock = IndexLock(path, file)
        try:
            yield lock
        finally:
            if not lock.is_done:
                os.unlink(taken)
    finally:
        os.unlink(ours)
        os.close(file)


def open_ours(ours: bytes) -> int:
    """Open the file OURS, which may be there after a kill, and keep other runs from it."""
    file = os.open(ours, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    # The previous owner may have removed it just now: then another file is at OURS, or none.
    if not (try_lock(file) and is_same(ours, file)):
        os.close(file)
        raise OSError(None, BUSY_MESSAGE)
    return file


def try_lock(file: int) -> bool:
    """Lock the open FILE; return False if another process has it locked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_same(path: bytes, file: int) -> bool:
    """Whether the file at PATH is the open FILE."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(file))
    except FileNotFoundError:
        return False
