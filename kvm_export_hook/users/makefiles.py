# SPDX-License-Identifier: MIT
"""The Makefile of a KVM directory to its modules and their objects. Pure.

All assignments count, whatever the configuration: ``kvm-intel-$(CONFIG_X)``,
``kvm-intel-y`` and ``kvm-intel-m`` are one list. A construct that is not understood and could
change a list is reported: a function of make, a subdirectory, an unknown variable.
"""

from __future__ import annotations

import re
from posixpath import join, normpath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Read = Callable[[bytes], bytes | None]

MAKE_COMMENT_PATTERN = re.compile(rb"(?<!\\)#.*")
CONDITIONALS = (b"ifdef", b"ifndef", b"ifeq", b"ifneq", b"else", b"endif")
INCLUDES = (b"include", b"-include", b"sinclude")
MODIFIERS = (b"export", b"override")
# A line that is skipped must not name objects.
OBJECTS_PATTERN = re.compile(rb"\bobj-|-objs\b|\.o\b")

# The condition at the end of a name: kvm-intel-y, kvm-intel-$(CONFIG_X).
CONDITION_PATTERN = re.compile(rb"-(?:y|m|\$[({][^(){}]*[)}])\Z")
IF_ANY = b"-?"
BUILT_IN = b"obj-y"
REFERENCE_PATTERN = re.compile(rb"\$[({]([^$(){}]*)[)}]")
# KVM's own Makefiles stay far below these: the depth of nested references, the length of a
# chain of variables, and the bytes that all references of a Makefile expand to.
DEEPEST_REFERENCE = 8
LONGEST_CHAIN = 100
MOST_EXPANDED = 1 << 20


class Module:
    """A module: its name, and its objects, from the top of the tree and without ``.o``."""

    __slots__ = ("name", "objects")

    def __init__(self, name: bytes, objects: list[bytes]) -> None:
        self.name = name
        self.objects = objects


class Makefile:
    """The contents of one Makefile and those that it includes.

    ``modules``: in its order. ``missing``: the included files that are not
    here. ``unclear``: what was not understood, each as ``path:line: text``.
    """

    def __init__(self, path: bytes, text: bytes, read: Read) -> None:
        """Read TEXT, that of the file at PATH; READ returns an included file, or None."""
        self.directory = path.rpartition(b"/")[0]
        self.missing: list[bytes] = []
        self._remarks: dict[bytes, None] = {}
        self._read = read
        self._included = {path}
        # By name, with any condition as IF_ANY: the place of each assignment, and its value.
        self._assigned: dict[bytes, list[tuple[bytes, bytes]]] = {}
        self._expanded: dict[bytes, bytes] = {}
        self._room = MOST_EXPANDED
        self._chain = 0
        self._take_in(path, text)
        self.modules = list(self._find_modules())
        self.unclear = list(self._remarks)

    def _take_in(self, path: bytes, text: bytes) -> None:
        """Read the assignments of TEXT, the file at PATH, and of the files that it includes."""
        in_definition = in_rule = False
        for number, line in join_make_lines(text):
            place = b"%s:%d" % (path, number)
            keyword = line.split(None, 1)[0]
            if in_definition or keyword == b"define":
                in_definition = keyword != b"endef"
                self._pass_over(place, line)
            elif keyword in CONDITIONALS or (in_rule and line.startswith(b"\t")):
                continue  # a recipe names no objects to link
            elif keyword in INCLUDES:
                self._include(place, line.split(None, 1)[1:], keyword == b"include")
            elif assignment := read_assignment(line):
                self._assign(place, *assignment)
                in_rule = False
            elif b":" in line:
                in_rule = True
            else:
                self._pass_over(place, line)

    def _pass_over(self, place: bytes, line: bytes) -> None:
        """Leave out a line; report it if it could name objects."""
        if OBJECTS_PATTERN.search(line):
            self._report(place, line)

    def _report(self, place: bytes, text: bytes) -> None:
        """Report what was not understood, once."""
        self._remarks[place + b": " + b" ".join(text.split())] = None

    def _include(self, place: bytes, names: list[bytes], must_exist: bool) -> None:
        """Read the files NAMES, each once."""
        for name in self._expand(place, b"".join(names)).split():
            path = normpath(name)
            if path in self._included:
                continue
            self._included.add(path)
            text = self._read(path)
            if text is not None:
                self._take_in(path, text)
            elif must_exist:
                self.missing.append(path)

    def _assign(self, place: bytes, name: bytes, value: bytes) -> None:
        """Add VALUE to the variable NAME."""
        key = make_key(name)
        if b"$" in key:
            self._pass_over(place, name + b" = " + value)
        else:
            self._assigned.setdefault(key, []).append((place, value))

    def _find_modules(self) -> Iterator[Module]:
        """Yield the modules, without what is built in."""
        for name in self._list_objects(b"obj" + IF_ANY):
            stem = name[len(self.directory) + 1 :]
            lists = [key for key in (stem + b"-objs", stem + IF_ANY) if key in self._assigned]
            yield Module(name.rpartition(b"/")[2], self._list_objects(*lists) if lists else [name])

    def _list_objects(self, *keys: bytes) -> list[bytes]:
        """List the objects that the variables KEYS hold, each once."""
        found: dict[bytes, None] = {}
        for key in keys:
            for place, value in self._assigned.get(key, ()):
                for word in self._expand(place, value).split():
                    if word.endswith(b".o"):
                        found[normpath(join(self.directory, word[:-2]))] = None
                    else:
                        self._report(place, word)
        return list(found)

    def _expand(self, place: bytes, value: bytes) -> bytes:
        """Expand the references of VALUE, from the inside out; empty where that is unclear."""
        expanded = value
        for _ in range(DEEPEST_REFERENCE):
            if b"$" not in expanded:
                return expanded
            expanded = self._expand_innermost(place, expanded)
            if self._room < 0:
                break
        self._report(place, value)
        return b""

    def _expand_innermost(self, place: bytes, value: bytes) -> bytes:
        """Expand the innermost references of VALUE, while there is room."""
        expanded = bytearray()
        end = 0
        for reference in REFERENCE_PATTERN.finditer(value):
            found = self._look_up(place, reference)
            self._room -= len(found)
            if self._room < 0:
                break
            expanded += value[end : reference.start()] + found
            end = reference.end()
        return bytes(expanded + value[end:])

    def _look_up(self, place: bytes, reference: re.Match[bytes]) -> bytes:
        """Return the value of a REFERENCE to a variable; empty, and reported, if it is unclear."""
        if reference[1] in (b"src", b"obj"):
            return self.directory
        if reference[1] == b"srctree":
            return b"."
        key = make_key(reference[1])
        if key not in self._expanded:
            assigned = self._assigned.get(key)
            if assigned is None and not key.endswith(IF_ANY):
                self._report(place, reference[0])
            self._expanded[key] = b""  # for a reference to itself
            self._chain += 1
            if self._chain > LONGEST_CHAIN:
                self._report(place, reference[0])
                assigned = None
            values = [self._expand(at, value) for at, value in assigned or ()]
            self._expanded[key] = b" ".join(values)
            self._chain -= 1
        return self._expanded[key]


def make_key(name: bytes) -> bytes:
    """Return NAME with IF_ANY for a condition at its end: any condition may hold."""
    return name if name == BUILT_IN else CONDITION_PATTERN.sub(IF_ANY, name)


def read_assignment(line: bytes) -> tuple[bytes, bytes] | None:
    """Read the name and the value that LINE assigns or adds; None if it is no assignment."""
    name, sign, value = line.partition(b"=")
    words = name.rstrip(b":+?!").split()[::-1]
    while words and words[-1] in MODIFIERS:
        words.pop()
    if not sign or len(words) != 1 or b":" in words[0]:
        return None
    # The output of a command, after !=, is as unknown as that of $(shell).
    return words[0], b"$(shell)" if name.endswith(b"!") else value.strip()


def join_make_lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a Makefile, each with the 1-based number of its start.

    Without comments and empty lines; lines that a backslash continues are joined.
    """
    pieces: list[bytes] = []
    for number, line in enumerate((text + b"\n").split(b"\n"), 1):
        line = line.rstrip(b"\r")
        if line.endswith(b"\\"):
            pieces.append(line[:-1])
            continue
        pieces.append(line)
        joined = MAKE_COMMENT_PATTERN.sub(b"", b" ".join(pieces))
        if joined.strip():
            yield number - len(pieces) + 1, joined
        pieces = []
