# SPDX-License-Identifier: MIT
"""Reads the objects of a git repository by name, all from one ``git cat-file --batch``."""

from __future__ import annotations

import os

from kvm_export_hook.git.entries import SUBMODULE
from kvm_export_hook.git.process import Git, GitError

LONGEST_PATH = 4096
NOT_HERE_MESSAGE = (
    "cannot be read from the repository: run git fsck, or fetch it if the clone is partial"
)
# At most this many bytes of names are asked for at once: any pipe holds them, so nobody waits.
MOST_ASKED = 4096

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO


class Object:
    """An object: its ``id``, its ``type`` (blob, tree, commit, tag) and its ``content``."""

    __slots__ = ("content", "id", "type")

    def __init__(self, id_: bytes, type_: bytes, content: bytes) -> None:
        self.id = id_
        self.type = type_
        self.content = content


class Objects:
    """The objects of the repository in DIRECTORY. Git is started when it is first asked."""

    def __init__(
        self, directory: bytes = b"", environment: dict[bytes, bytes] | None = None
    ) -> None:
        self._directory = directory
        self._environment = environment
        self._git: Git | None = None
        self._unread = 0

    def read(self, names: Iterable[bytes]) -> Iterator[Object | None]:
        """Yield the objects of NAMES, ids or what ``git rev-parse`` reads; None if missing.

        Only one is in memory at a time. The next call skips those that were not taken. A
        name must not have a newline. Raises GitError.
        """
        for group in group_names(names):
            while self._unread:
                self._take()
            self._ask(group)
            for _ in group:
                yield self._take()

    def find(self, names: Iterable[bytes]) -> list[Object | None]:
        """Return the objects of NAMES, which may have any bytes; all are in memory at once."""
        return list(self.read(name.replace(b"\n", b" ") for name in names))

    def find_paths(self, names: Iterable[bytes]) -> list[Object | None]:
        """Return the objects of NAMES, ids or ``TREE:PATH``; None if missing, or a submodule.

        Raises GitError for one that exists and cannot be read: git also calls that missing.
        """
        wanted = list(names)
        found = self.find(wanted)
        for name, each in zip(wanted, found, strict=True):
            if each is None:
                self._check_absence(name)
        return found

    def _check_absence(self, name: bytes) -> None:
        """Raise GitError unless NAME, TREE:PATH, is really missing in its directory."""
        tree, _, path = name.partition(b":")
        while path:
            path, _, base = path.rpartition(b"/")
            (above,) = self.find([tree + b":" + path])
            if above:
                mode, entry, _ = above.content.partition(b" %s\0" % base)
                if above.type == b"tree" and entry and not mode.endswith(SUBMODULE):
                    break
                return
        if tree.strip(b"0"):
            raise GitError(f"object {os.fsdecode(name)!r} {NOT_HERE_MESSAGE}")

    def read_all(self, names: Iterable[bytes]) -> Iterator[Object]:
        """Yield the objects of NAMES. Raises GitError for a missing one."""
        wanted = list(names)
        for found, name in zip(self.read(wanted), wanted, strict=True):
            if found is None:
                raise GitError(f"object {name.decode()} {NOT_HERE_MESSAGE}")
            yield found

    def find_commits(self, revs: Iterable[bytes]) -> list[bytes | None]:
        """Find the id of the commit that each of REVS names; None if missing, or no commit."""
        found = self.find(rev + b"^{commit}" for rev in revs)
        return [each.id if each else None for each in found]

    def close(self) -> None:
        """Let git end. Raises GitError if it failed.

        A git that is still writing fails because of the closed pipe: that is ignored.
        """
        git, unread, self._git, self._unread = self._git, self._unread, None, 0
        if git:
            git.may_fail = unread > 0
            git.__exit__(None, None, None)

    def _ask(self, names: Sequence[bytes]) -> None:
        """Ask git for NAMES, and start it if need be."""
        if self._git is None:
            self._git = Git(
                *(b"cat-file", b"--batch"),
                directory=self._directory,
                stdin=None,
                environment=self._environment,
            )
        self._unread = len(names)
        self._git.ask(b"".join(name + b"\n" for name in names))

    def _take(self) -> Object | None:
        """Take the next object that was asked for."""
        git = self._git
        assert git
        self._unread -= 1
        try:
            return read_object(git.output)
        except GitError as error:
            self._git, self._unread = None, 0
            git.__exit__(type(error), error, None)  # raises a better error if git failed
            raise


def group_names(names: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield NAMES in groups, each to be asked for at once."""
    group: list[bytes] = []
    size = 0
    for name in names:
        size += len(name) + 1
        if group and size > MOST_ASKED:
            yield group
            group, size = [], len(name) + 1
        group.append(name)
    if group:
        yield group


def read_object(stream: BinaryIO) -> Object | None:
    """Read the next object of STREAM: ``ID TYPE SIZE``, the content, a newline."""
    header = stream.readline()
    fields = header.split()
    if len(fields) != 3 or not fields[2].isdigit() or not header.endswith(b"\n"):
        if header.endswith((b" missing\n", b" ambiguous\n", b" submodule\n")):
            return None
        raise GitError("git cat-file failed: its output cannot be read")
    size = int(fields[2])
    content = stream.read(size)
    if len(content) != size or stream.read(1) != b"\n":
        raise GitError("git cat-file failed: its output ends too early")
    return Object(fields[0], fields[1], content)


def get_content(found: Object | None) -> bytes | None:
    """Return the content of a blob; None for anything else."""
    return found.content if found and found.type == b"blob" else None


def is_link_target(content: bytes) -> bool:
    """Whether CONTENT, of a fact file, is the target of a symbolic link, as git stores it."""
    return 0 < len(content) < LONGEST_PATH and not set(b"\n\t =(") & set(content)
