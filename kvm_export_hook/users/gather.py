# SPDX-License-Identifier: MIT
"""Gathers what the search needs of a tree: Makefiles, headers and sources of KVM.

Files that are missing or cannot be read are listed: no symbol may be called unused because a
part of KVM was not searched.
"""

from __future__ import annotations

import os
from itertools import chain

from kvm_export_hook.rules.scan import EXPORT_STEM
from kvm_export_hook.users.closure import find_leading_bodies
from kvm_export_hook.users.exported import find_exported_names
from kvm_export_hook.users.headers import Header
from kvm_export_hook.users.macros import Macros
from kvm_export_hook.users.makefiles import Makefile
from kvm_export_hook.users.uses import Uses, find_uses
from kvm_export_hook.users.words import KVM_STEM, WantedNames, hide_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set

    from kvm_export_hook.users.closure import Bodies
    from kvm_export_hook.users.macros import Paster
    from kvm_export_hook.users.searched import SearchedTree

# The KVM directories whose Makefiles build modules beside kvm.ko; every other
# architecture has that one alone.
MODULE_DIRECTORIES = (b"arch/powerpc/kvm", b"arch/x86/kvm")
COMMON_DIRECTORY = b"virt/kvm"
# Headers in these two are public: files outside KVM include them, too.
COMMON_HEADERS = b"include/linux"
DEVICE_HEADERS = b"include/kvm"
OWN_HEADERS = b"include/asm"
ARCHITECTURES = b"arch"

HOST_HEADER = b"kvm_host.h"
SOURCE_SUFFIXES = (b".c", b".S")


class Gatherer:
    """Reads the files of KVM in TREE. ``missing``: those that are not here.

    ``unclear``: what was not understood, as ``path:line: text``.
    """

    def __init__(self, tree: SearchedTree) -> None:
        self._tree = tree
        self.missing: set[bytes] = set()
        self.unclear: list[bytes] = []
        self.makefiles: dict[bytes, Makefile] = {}
        for directory in MODULE_DIRECTORIES:
            self._read_makefile(directory)
        self._headers: dict[bytes, list[Header]] = {}
        for directory in self.makefiles:
            for each in list_header_directories(directory):
                self._read_headers(each, must_exist=True)
        self._public = self._read_public_headers()
        self.macros = Macros(
            macro for headers in self._headers.values() for each in headers for macro in each.macros
        )

    def find_bodies(self, symbols: Set[bytes], directory: bytes | None = None) -> Bodies:
        """Find what leads to SYMBOLS in the headers that the modules of a KVM DIRECTORY include.

        None: in the public headers, which files outside KVM include.
        """
        directories = self._public if directory is None else list_header_directories(directory)
        headers = [header for each in directories for header in self._headers[each]]
        return find_leading_bodies(headers, self.macros, symbols)

    def find_uses(
        self, name: bytes, names: WantedNames, pasters: Sequence[Paster]
    ) -> tuple[bytes, Uses]:
        """Find which of NAMES the source of the object NAME uses; the first result is its path."""
        for path in (name + suffix for suffix in SOURCE_SUFFIXES):
            data = self._tree.read(path)
            if data is not None:
                return path, find_uses(data, names, pasters)
        self.missing.add(name + SOURCE_SUFFIXES[0])
        return name, Uses({})

    def find_provided(self, symbols: Set[bytes]) -> set[bytes]:
        """Find which of SYMBOLS a source of KVM exports, or a header of KVM defines."""
        exported: set[bytes] = set()
        for directory in (COMMON_DIRECTORY, *MODULE_DIRECTORIES) if symbols else ():
            for path in self._tree.walk(directory, self.missing.add):
                data = self._tree.read(path) or b""
                if EXPORT_STEM in data:
                    exported |= find_exported_names(hide_text(data, keeps_lines=False))
        names = WantedNames(symbols)
        headers = chain.from_iterable(self._headers.values())
        return exported.union(*(find_uses(each.code, names).defined for each in headers)) & symbols

    def _read_makefile(self, directory: bytes) -> None:
        """Read the Makefile of a KVM directory."""
        path = directory + b"/Makefile"
        text = self._tree.read(path)
        if text is None:
            self.missing.add(path if self._tree.list_names(directory) else directory)
            return
        makefile = self.makefiles[directory] = Makefile(path, text, self._tree.read)
        self.missing.update(makefile.missing)
        self.unclear += makefile.unclear

    def _read_public_headers(self) -> list[bytes]:
        """Read the public headers of every architecture; return the directories of all."""
        directories = list_public_directories(self._tree.list_names(ARCHITECTURES))
        for each in directories:
            self._read_headers(each, must_exist=False)
        return directories

    def _read_headers(self, directory: bytes, must_exist: bool) -> None:
        """Read the headers of KVM in DIRECTORY, once."""
        if directory not in self._headers:
            headers = self._headers[directory] = []
            for path in self._list_headers(directory, must_exist):
                data = self._tree.read(path)
                if data is None:
                    self.missing.add(path)
                else:
                    headers.append(Header(path, data))

    def _list_headers(self, directory: bytes, must_exist: bool) -> list[bytes]:
        """List all headers below DIRECTORY if it is KVM's own, else those in it named kvm*."""
        if directory.endswith(b"/kvm"):
            paths = self._tree.walk(directory, self.missing.add)
        else:
            found = self._tree.list_names(directory)
            if must_exist and HOST_HEADER not in found:
                self.missing.add(directory + b"/" + HOST_HEADER)
            paths = [directory + b"/" + name for name in found if name.startswith(KVM_STEM)]
        return [path for path in paths if path.endswith(b".h")]


def list_public_directories(architectures: Iterable[bytes]) -> list[bytes]:
    """List where the public headers are, given the names of all ARCHITECTURES."""
    own_headers = (b"/".join((ARCHITECTURES, name, OWN_HEADERS)) for name in architectures)
    return [COMMON_HEADERS, DEVICE_HEADERS, *own_headers]


def list_header_directories(directory: bytes) -> tuple[bytes, ...]:
    """List where the headers are that the modules of a KVM DIRECTORY include."""
    own_headers = os.path.dirname(directory) + b"/" + OWN_HEADERS
    return COMMON_DIRECTORY, COMMON_HEADERS, DEVICE_HEADERS, directory, own_headers
