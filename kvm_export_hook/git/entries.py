# SPDX-License-Identifier: MIT
"""How git lists files, whatever the user's settings: raw diffs and the index. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The options of every diff: raw, whatever the user's settings.
RAW = (
    b"--raw",
    b"-z",
    b"--no-abbrev",
    b"--no-renames",
    b"--no-relative",
    b"--no-ext-diff",
    b"--no-textconv",
    b"--ignore-submodules=none",
    b"-O/dev/null",
)

# A merge is compared with each parent, whatever log.diffMerges says.
LOG = (
    b"-c",
    b"log.diffMerges=separate",
    b"log",
    b"-m",
    b"--full-history",
    b"--root",
    b"--reverse",
    b"--topo-order",
    b"--encoding=UTF-8",
    b"--no-color",
    b"--no-notes",
    b"--no-show-signature",
    b"--no-mailmap",
    b"--no-decorate",
    b"--format=tformat:%H%n%P%n%s",
    b"--stdin",
)

# Before a path: from the top of the repository, and no pattern.
TOP_LITERAL = b":(top,literal)"
LS_FILES = (b"ls-files", b"-s", b"-z", b"--full-name")

LINK, SUBMODULE = b"120000", b"160000"
# What to say of an entry with such a mode.
REFUSED_MODES = {
    LINK: "is a symbolic link, which is not followed: put its target in its place",
    SUBMODULE: "is a submodule, whose files are not checked here: run the hook in it",
}
UNMERGED_MESSAGE = "is unmerged: resolve the conflict, then git add the file"


class Entry:
    """A file that differs: its name, its modes and ids on both sides, and the status letter.

    An id of zeros: the file is not there, or, in a working tree, not hashed.
    """

    __slots__ = ("name", "new_id", "new_mode", "old_id", "old_mode", "status")

    def __init__(self, fields: bytes, name: bytes) -> None:
        self.name = name
        old_mode, new_mode, self.old_id, self.new_id, status = fields.lstrip(b"\n:").split(b" ")
        self.old_mode, self.new_mode, self.status = old_mode, new_mode, status[:1]

    @property
    def is_gone(self) -> bool:
        """Whether the new side has no such file."""
        return self.status == b"D"

    @property
    def was_file(self) -> bool:
        """Whether the old side has such a file, and no symbolic link or submodule."""
        return self.old_mode.startswith(b"100")


def parse_raw(fields: Iterable[bytes], prefix: bytes) -> Iterator[Entry]:
    """Yield the entries of a raw diff, given the FIELDS between its NULs; cut off PREFIX."""
    fields = iter(fields)
    for field in fields:
        if field:
            yield Entry(field, next(fields)[len(prefix) :])


def parse_index(listed: bytes, prefix: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield the mode, id and name of each file that ``ls-files -s`` LISTED; cut off PREFIX."""
    for line in listed.split(b"\0")[:-1]:
        fields, _, path = line.partition(b"\t")
        mode, id_, _ = fields.split(b" ")
        yield mode, id_, path[len(prefix) :]
