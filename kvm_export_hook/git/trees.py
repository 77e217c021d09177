# SPDX-License-Identifier: MIT
"""The files below the KVM directories of trees; what two trees share is read once."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kvm_export_hook.git.objects import Object, Objects

    # An entry of a tree: its mode, its id in hexadecimal, and its name.
    TreeEntry = tuple[bytes, bytes, bytes]

DIRECTORY_MODE = b"40000"
# So many directories are remembered; KVM has about ten.
MOST_REMEMBERED = 1000


class TreeReader:
    """Lists the files of trees, which it reads from OBJECTS: no git runs for each."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[bytes, list[TreeEntry]] = {}

    def list_files(self, directories: Sequence[tuple[bytes, bytes]]) -> Iterator[TreeEntry]:
        """Yield what is below DIRECTORIES: the mode, the id and the path of each file.

        Each of DIRECTORIES is its name as git reads it, and the path to begin with;
        what is no directory has nothing below it. Raises GitError.
        """
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        found = self._objects.find(name for name, _ in directories)
        pairs = zip(found, directories, strict=True)
        tops = [(each, path + b"/") for each, (_, path) in pairs if each and each.type == b"tree"]
        return self._walk(tops)

    def _walk(self, level: list[tuple[Object, bytes]]) -> Iterator[TreeEntry]:
        """Yield the files below the directories of LEVEL, each with the path of its parent."""
        known = self._known
        here = [(found.id, path) for found, path in level]
        for found, _ in level:
            self._remember(found)
        while here:
            below = []
            for id_, path in here:
                for mode, child, name in known[id_]:
                    if mode == DIRECTORY_MODE:
                        below.append((child, path + name + b"/"))
                    else:
                        yield mode, child, path + name
            unknown = list(dict.fromkeys(id_ for id_, _ in below if id_ not in known))
            for directory in self._objects.read_all(unknown):
                self._remember(directory)
            here = below

    def _remember(self, directory: Object) -> None:
        """Remember the entries of a DIRECTORY."""
        if directory.id not in self._known:
            self._known[directory.id] = list(parse_tree(directory))


def parse_tree(tree: Object) -> Iterator[TreeEntry]:
    """Yield the entries of TREE: the mode, a blank, the name, a NUL, the bytes of the id."""
    content, position, length = tree.content, 0, len(tree.id) // 2
    while position < len(content):
        blank = content.index(b" ", position)
        end = content.index(b"\0", blank)
        id_ = content[end + 1 : end + 1 + length].hex().encode()
        yield content[position:blank], id_, content[blank + 1 : end]
        position = end + 1 + length
