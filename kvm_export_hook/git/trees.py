# SPDX-License-Identifier: MIT
"""Lists the files below the KVM directories of trees; what two trees share is read once."""

from __future__ import annotations

import os

from kvm_export_hook.git.process import GitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kvm_export_hook.git.objects import Object, Objects

    # An entry of a tree: its mode, its id in hexadecimal, and its name.
    TreeEntry = tuple[bytes, bytes, bytes]
    # What a tree has at a path: the mode and the id.
    TreePlace = tuple[bytes, bytes]

DIRECTORY_MODE = b"40000"
NOTHING_THERE: TreePlace = (b"", b"")
SLASH_MESSAGE = "as one name, with a slash in it, which git never writes: run git fsck"


class TreeReader:
    """Lists the files of trees, which it reads from OBJECTS, without a git process for each."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[bytes, list[TreeEntry]] = {}

    def list_files(self, directories: Sequence[tuple[bytes, bytes]]) -> Iterator[TreeEntry]:
        """Yield the mode, the id and the path of each file below DIRECTORIES.

        Each of DIRECTORIES is its name as git reads it, and the path to put before the
        names of its files. Anything that is not a directory has no files. Raises GitError.
        """
        found = self._objects.find_paths(name for name, _ in directories)
        pairs = zip(found, directories, strict=True)
        tops = [(each, path + b"/") for each, (_, path) in pairs if each and each.type == b"tree"]
        return self._walk(tops)

    def follow(
        self, names: Sequence[bytes], paths: Sequence[bytes]
    ) -> list[dict[bytes, TreePlace]]:
        """Find what each of NAMES, commits or trees, has at PATHS; skip what is not there.

        In PATHS, a path comes after those above it. Raises GitError.
        """
        inside: dict[bytes, dict[bytes, bytes]] = {}
        for path in paths:
            above, name = os.path.split(path)
            inside.setdefault(above, {})[name] = path
        roots = self._objects.read_all(name + b"^{tree}" for name in names)
        places = [choose_entries(root, inside[b""]) for root in roots]
        for above, wanted in inside.items():
            tops = [found.get(above, NOTHING_THERE) if above else NOTHING_THERE for found in places]
            ids = dict.fromkeys(id_ for mode, id_ in tops if mode == DIRECTORY_MODE)
            found_in = {
                tree.id: choose_entries(tree, wanted) for tree in self._objects.read_all(ids)
            }
            for (_, id_), found in zip(tops, places, strict=True):
                found.update(found_in.get(id_, {}))
        return places

    def check_names(self, ids: Iterable[bytes]) -> None:
        """Raise GitError for a name with a slash in the trees IDS, or below them."""
        passed: set[bytes] = set()
        while ids := [id_ for id_ in dict.fromkeys(ids) if id_ not in passed]:
            passed.update(ids)
            below: list[bytes] = []
            for tree in self._objects.read_all(ids):
                if DIRECTORY_MODE + b" " in tree.content or may_have_slash(tree.content):
                    entries = parse_tree(tree)
                    below += [id_ for mode, id_, _ in entries if mode == DIRECTORY_MODE]
            ids = below

    def _walk(self, level: list[tuple[Object, bytes]]) -> Iterator[TreeEntry]:
        """Yield the files below the directories of LEVEL, each with the path of its parent."""
        known, needed = self._known, {}
        here = [(found.id, path) for found, path in level]
        for found, _ in level:
            self._remember(found)
        while here:
            below = []
            for id_, path in here:
                needed[id_] = known[id_]
                for mode, child, name in known[id_]:
                    if mode == DIRECTORY_MODE:
                        below.append((child, path + name + b"/"))
                    else:
                        yield mode, child, path + name
            unknown = list(dict.fromkeys(id_ for id_, _ in below if id_ not in known))
            for directory in self._objects.read_all(unknown):
                self._remember(directory)
            here = below
        self._known = needed  # the next tree shares most; to keep all would fill the memory

    def _remember(self, directory: Object) -> None:
        """Remember the entries of a DIRECTORY."""
        if directory.id not in self._known:
            self._known[directory.id] = list(parse_tree(directory))


def parse_tree(tree: Object) -> Iterator[TreeEntry]:
    """Yield the entries of TREE, which are stored as mode, blank, name, NUL, bytes of the id.

    Raises GitError for a name with a slash: git checks it out as if it were a path, and
    lists no commit that adds it.
    """
    content, position, length = tree.content, 0, len(tree.id) // 2
    while position < len(content):
        end = content.index(b"\0", position)
        mode, _, name = content[position:end].partition(b" ")
        if b"/" in name:
            raise GitError(f"tree {tree.id.decode()} has {os.fsdecode(name)!r} {SLASH_MESSAGE}")
        position = end + 1 + length
        yield mode.lstrip(b"0"), content[end + 1 : position].hex().encode(), name


def choose_entries(tree: Object, wanted: Mapping[bytes, bytes]) -> dict[bytes, TreePlace]:
    """Choose the entries of TREE whose names are WANTED; return them by the path of each name.

    A push of thousands of tags has thousands of trees, so they are parsed only if needed.
    """
    content, length = tree.content, len(tree.id) // 2
    if may_have_slash(content):
        list(parse_tree(tree))
    chosen = {}
    for name, shown in wanted.items():
        start = content.find(b" %s\0" % name)
        if start >= 0:
            mode = content[max(start - 6, 0) : start]
            end = start + len(name) + 2
            is_directory = mode.endswith(DIRECTORY_MODE)  # which is one digit shorter
            id_ = content[end : end + length].hex().encode()
            chosen[shown] = (DIRECTORY_MODE if is_directory else mode, id_)
    return chosen


def may_have_slash(content: bytes) -> bool:
    """Whether a name in the CONTENT of a tree may have a slash; ids may have that byte, too.

    Between a name and the NUL before it are its mode, of five or six digits, and a blank.
    """
    at = content.find(b"/")
    while at >= 0:
        *before, _ = content[content.rfind(b"\0", 0, at) + 1 : at].split(b" ")
        if any(len(part) >= 5 and part[-5:].isdigit() for part in before):
            return True
        at = content.find(b"/", at + 1)
    return False
