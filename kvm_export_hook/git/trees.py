# SPDX-License-Identifier: MIT
"""The files below the KVM directories of trees; what two trees share is read once."""

from __future__ import annotations

import os

from kvm_export_hook.git.process import GitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kvm_export_hook.git.objects import Object, Objects

    # An entry of a tree: its mode, its id in hexadecimal, and its name.
    TreeEntry = tuple[bytes, bytes, bytes]
    # What a tree has at a path: the mode and the id.
    TreePlace = tuple[bytes, bytes]

DIRECTORY_MODE = b"40000"
NOTHING_THERE: TreePlace = (b"", b"")
SLASH_MESSAGE = "as one name, with a slash in it, which git never writes: run git fsck"
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

    def find_roots(self, names: Sequence[bytes]) -> list[bytes]:
        """Find the id of the tree of each of NAMES, commits or trees. Raises GitError."""
        found = self._objects.read_all(names)
        return [
            each.content[5 : 5 + len(each.id)] if each.type == b"commit" else each.id
            for each in found
        ]

    def follow(
        self, roots: Iterable[bytes], paths: Sequence[bytes]
    ) -> dict[bytes, dict[bytes, TreePlace]]:
        """Find what each of ROOTS, ids of trees, has at PATHS; what it does not have is left out.

        A path comes after those above it. Raises GitError.
        """
        places: dict[bytes, dict[bytes, TreePlace]] = {root: {} for root in roots}
        inside: dict[bytes, dict[bytes, bytes]] = {}
        for path in paths:
            above, name = os.path.split(path)
            inside.setdefault(above, {})[name] = path
        for above, wanted in inside.items():
            tops = [
                (found.get(above, NOTHING_THERE) if above else (DIRECTORY_MODE, root), found)
                for root, found in places.items()
            ]
            ids = dict.fromkeys(id_ for (mode, id_), _ in tops if mode == DIRECTORY_MODE)
            entries: dict[bytes, dict[bytes, TreePlace]] = {
                tree.id: {
                    wanted[name]: (mode, id_)
                    for mode, id_, name in parse_tree(tree)
                    if name in wanted
                }
                for tree in self._objects.read_all(ids)
            }
            for (_, id_), found in tops:
                found.update(entries.get(id_, {}))
        return places

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
    """Yield the entries of TREE: the mode, a blank, the name, a NUL, the bytes of the id.

    Raises GitError for a name with a slash: git checks it out as if it were a
    path, and shows no commit that brings it.
    """
    content, position, length = tree.content, 0, len(tree.id) // 2
    while position < len(content):
        blank = content.index(b" ", position)
        end = content.index(b"\0", blank)
        name = content[blank + 1 : end]
        if b"/" in name:
            raise GitError(f"tree {tree.id.decode()} has {os.fsdecode(name)!r} {SLASH_MESSAGE}")
        id_ = content[end + 1 : end + 1 + length].hex().encode()
        yield content[position:blank].lstrip(b"0"), id_, name
        position = end + 1 + length
