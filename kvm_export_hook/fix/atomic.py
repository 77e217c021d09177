# SPDX-License-Identifier: MIT
"""Writes files safely: at any moment a file is complete, either old or new.

The new content is written and synced beside the file under another name, then
renamed over it. If the file has several hard links, the other names keep the
old content, as after ``git checkout`` or patch(1).
"""

from __future__ import annotations

import errno
import os
import signal
import stat
from contextlib import contextmanager, suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

READ_NO_LINK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
WRITE_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW

# Signals that end a program; blocked while there are two files.
BLOCKED_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)

ACL = "system.posix_acl_access"
# A file is not replaced if an attribute that begins with these cannot be kept. Others, the labels
# of security modules, are kept if possible; the system sets most of them itself.
KEPT = ("system.", "user.")


def replace_file(path: bytes, old: bytes, new: bytes) -> None:
    """Make NEW the content of the file at PATH, if it still is OLD.

    Keeps owner, mode, ACL and extended attributes, and never lets anybody use
    the file who could not before. A signal that ends the program takes effect
    after the write, so no second file is left; SIGKILL may leave
    ``.kvm-export-hook.*``. A file that somebody else changes is not replaced,
    except in the instant between its last comparison with OLD and the rename.
    Raises OSError, and the file is as it was.
    """
    with hold_signals():
        directory, name = os.path.split(path)
        folder = os.open(directory or b".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            write_and_rename(folder, name, old, new)
        finally:
            os.close(folder)


@contextmanager
def hold_signals() -> Iterator[None]:
    """Let a signal that ends the program take effect after what is done in this context."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def write_and_rename(folder: int, name: bytes, old: bytes, new: bytes) -> None:
    """Replace the file NAME of the open directory FOLDER."""
    temporary = b".kvm-export-hook." + os.urandom(8).hex().encode()
    copy = os.open(temporary, WRITE_NEW, 0o600, dir_fd=folder)
    try:
        with open(copy, "wb") as file:
            file.write(new)
            file.flush()
            copy_attributes(folder, name, copy)
            os.fsync(copy)
        if read_again(folder, name) != old:
            raise OSError(None, "it was changed in the meantime: run the command again")
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    with suppress(OSError):  # the file is replaced, even if a crash of the machine may undo it
        os.fsync(folder)


def read_again(folder: int, name: bytes) -> bytes:
    """Read the file NAME of the open directory FOLDER, which is no symbolic link."""
    with open(os.open(name, READ_NO_LINK, dir_fd=folder), "rb") as file:
        return file.read()


def copy_attributes(folder: int, name: bytes, copy: int) -> None:
    """Give the open file COPY the owner, attributes and mode of NAME in FOLDER.

    The mode comes last: until then only the owner may use COPY, not even users whom an ACL
    inherited from the directory names.
    """
    original = os.open(name, READ_NO_LINK, dir_fd=folder)
    try:
        status = os.fstat(original)
        copy_owner(status, copy)
        copy_extended(read_extended(original), copy)
        os.fchmod(copy, stat.S_IMODE(status.st_mode))
    finally:
        os.close(original)


def copy_owner(status: os.stat_result, copy: int) -> None:
    """Give the open file COPY the owner and group of STATUS."""
    owner = status.st_uid, status.st_gid
    current = os.fstat(copy)
    if owner != (current.st_uid, current.st_gid):
        try:
            os.fchown(copy, *owner)
        except PermissionError:
            reason = "its owner and group {}:{} cannot be kept: edit it by hand".format(*owner)
            raise OSError(None, reason) from None


def copy_extended(wanted: dict[str, bytes], copy: int) -> None:
    """Give the open file COPY the WANTED extended attributes, and no other ACL."""
    if ACL not in wanted and ACL in read_extended(copy):
        os.removexattr(copy, ACL)
    for name, value in wanted.items():
        try:
            os.setxattr(copy, name, value)
        except OSError as error:
            if name.startswith(KEPT):
                reason = f"its attribute {name} cannot be kept: {error.strerror}: edit it by hand"
                raise OSError(None, reason) from None


def read_extended(file: int) -> dict[str, bytes]:
    """Read the extended attributes of an open FILE."""
    try:
        names = os.listxattr(file)
    except OSError as error:
        names = names_without_support(error)
    return {name: os.getxattr(file, name) for name in names}


def names_without_support(error: OSError) -> list[str]:
    """Return no names where ERROR says that a file system has none. Raises it otherwise."""
    if error.errno != errno.ENOTSUP:
        raise error
    return []
