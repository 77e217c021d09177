# SPDX-License-Identifier: MIT
"""Objects of a git repository, by name, in the order asked for: ``git cat-file --batch``."""

from __future__ import annotations

from kvm_export_hook.git.process import Git, GitError, run_git

LONGEST_PATH = 4096

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import BinaryIO

    # The type of an object (blob, tree, commit, tag) and its content.
    Object = tuple[bytes, bytes]


def read_objects(names: Iterable[bytes], directory: bytes = b"") -> Generator[Object | None]:
    """Yield the objects of NAMES (ids, or what ``git rev-parse`` reads), None for one not there.

    One at a time in memory. NAMES are free of newlines. Raises GitError.
    """
    listed = b"".join(name + b"\n" for name in names)
    if not listed:
        return
    with Git(b"cat-file", b"--batch", b"--buffer", directory=directory, stdin=listed) as git:
        for _ in range(listed.count(b"\n")):
            yield read_object(git.output)


def find_objects(
    names: Iterable[bytes], directory: bytes = b""
) -> list[tuple[bytes, bytes] | None]:
    """Find the id and the type of the object that each of NAMES names; None: it is not here.

    Raises GitError.
    """
    listed = b"".join(name.replace(b"\n", b" ") + b"\n" for name in names)
    command = (b"cat-file", b"--batch-check", b"--buffer")
    lines = run_git(*command, directory=directory, stdin=listed).splitlines()
    return [
        (words[0], words[1]) if len(words) == 3 and words[2].isdigit() else None
        for words in (line.rsplit(b" ", 2) for line in lines)
    ]


def find_commits(revs: Iterable[bytes], directory: bytes = b"") -> list[bytes | None]:
    """Find the id of the commit that each of REVS names; None: it is none, or not here.

    Raises GitError.
    """
    found = find_objects([rev + b"^{commit}" for rev in revs], directory)
    return [each[0] if each else None for each in found]


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
    return fields[1], content


def get_content(found: Object | None) -> bytes | None:
    """Return the content of an object that is a blob, else None."""
    return found[1] if found and found[0] == b"blob" else None


def is_link_target(content: bytes) -> bool:
    """Whether CONTENT, of a fact file, is the target of a symbolic link, as git gives it."""
    return 0 < len(content) < LONGEST_PATH and not set(b"\n\t =(") & set(content)
