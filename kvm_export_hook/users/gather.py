# SPDX-License-Identifier: MIT
"""Reads what the search needs of a tree: Makefiles, headers and sources of KVM. The rim.

What is not here, or cannot be read, goes on a list: no symbol may be said to
have no user because a part of KVM was not looked at.
"""

from __future__ import annotations

import os

from kvm_export_hook.files.walk import walk
from kvm_export_hook.files.worktree import read_file
from kvm_export_hook.users.makefiles import Makefile
from kvm_export_hook.users.words import Header, find_exported_names, find_first_lines, may_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# The KVM directories whose Makefiles build modules beside kvm.ko; every other
# architecture has that one alone.
MODULE_DIRECTORIES = (b"arch/powerpc/kvm", b"arch/x86/kvm")
COMMON_DIRECTORY = b"virt/kvm"
COMMON_HEADERS = b"include/linux"
HOST_HEADER = b"kvm_host.h"
SOURCE_SUFFIXES = (b".c", b".S")
# A header or source may be a link: nothing is judged or written here.
FOLLOW_LINKS = 0


class Gatherer:
    """Reads files of the tree at ``srctree``, each once; ``missing``: those that are not here."""

    def __init__(self, srctree: bytes) -> None:
        self.srctree = srctree
        self.missing: set[bytes] = set()
        self._headers: dict[bytes, list[Header]] = {}

    def read_makefile(self, directory: bytes) -> Makefile | None:
        """Read the Makefile of a KVM directory; None, and on the list, if it is not here."""
        path = directory + b"/Makefile"
        text = self._read(path)
        if text is None:
            is_here = os.path.isdir(os.path.join(self.srctree, directory))
            self.missing.add(path if is_here else directory)
            return None
        makefile = Makefile(path, text, self._read)
        self.missing.update(makefile.missing)
        return makefile

    def read_headers(self, directory: bytes) -> list[Header]:
        """Read the headers of KVM that the modules of a KVM DIRECTORY include."""
        own_headers = os.path.dirname(directory) + b"/include/asm"
        directories = (COMMON_DIRECTORY, COMMON_HEADERS, directory, own_headers)
        for each in directories:
            if each not in self._headers:
                self._headers[each] = list(self._read_headers_in(each))
        return [header for each in directories for header in self._headers[each]]

    def find_names(self, name: bytes, names: Collection[bytes]) -> tuple[bytes, dict[bytes, int]]:
        """Find which of NAMES the source of the object NAME names, and where, 1-based.

        Without those that it exports itself. The first result is its path.
        """
        for path in (name + suffix for suffix in SOURCE_SUFFIXES):
            data = self._read(path)
            if data is not None:
                found = find_first_lines(data, names) if may_name(data, names) else {}
                for exported in find_exported_names(data):
                    found.pop(exported, None)
                return path, found
        self.missing.add(name + SOURCE_SUFFIXES[0])
        return name, {}

    def _read_headers_in(self, directory: bytes) -> Iterator[Header]:
        """Yield the headers of KVM in DIRECTORY, a KVM directory with all below it."""
        if os.path.basename(directory) == b"kvm":
            found = walk(self._full(directory), self._miss)
            paths = [self._name(path) for path in found]
        else:
            paths = self._find_host_headers(directory)
        for path in paths:
            if path.endswith(b".h"):
                data = self._read(path)
                if data is None:
                    self.missing.add(path)
                else:
                    yield Header(data)

    def _find_host_headers(self, directory: bytes) -> list[bytes]:
        """Find the headers that are KVM's by their names, without those in subdirectories."""
        try:
            found = sorted(os.listdir(self._full(directory)))
        except OSError:
            found = []
        if HOST_HEADER not in found:
            self.missing.add(directory + b"/" + HOST_HEADER)
        return [directory + b"/" + name for name in found if name.startswith(b"kvm")]

    def _miss(self, path: bytes, _error: OSError) -> None:
        """Put what cannot be listed on the list."""
        self.missing.add(self._name(path))

    def _read(self, path: bytes) -> bytes | None:
        """Read a file of the tree; None if it cannot be read."""
        try:
            return read_file(self._full(path), FOLLOW_LINKS)
        except OSError:
            return None

    def _full(self, path: bytes) -> bytes:
        """Spell a PATH of the tree from the working directory."""
        return os.path.join(self.srctree, path)

    def _name(self, path: bytes) -> bytes:
        """Spell a PATH from the top of the tree, which began as one."""
        return path[len(self._full(b"")) :]
