# SPDX-License-Identifier: MIT
"""The working tree as a source: the facts of its trees, and the files, read safely.

The names that git gives to a hook need no search; ``locate`` finds all others. The
empty path is the working directory.
"""

from __future__ import annotations

import os
import stat

from kvm_export_hook.rules.scope import (
    FACT_FILES,
    KVM_TYPES,
    LINK_REFUSED,
    MAKEFILE,
    is_named_from_the_top,
)
from kvm_export_hook.run import NO_MEMORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.files.walk import SourceFile
    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.run import Complain, Note, ReadFacts
    from kvm_export_hook.values import Text

# Also opens a FIFO without a writer, and does not take over a terminal.
READ_WITHOUT_WAITING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY

# More bytes than any file of KVM has.
KEPT_MEMORY = 1 << 20


def read_files(
    paths: Iterable[bytes], srctree: bytes | None, trees: KnownTrees, complain: Complain
) -> Iterator[tuple[SourceFile, bytes, Facts]]:
    """Yield the files in scope of PATHS, sorted by path, each once, where the rule is enforced.

    Each comes with its bytes, and the facts of its tree. Without PATHS: all files of
    SRCTREE, by default the tree around the working directory. COMPLAIN is called for
    each path that could not be read.
    """
    # Once a block of this size was freed, glibc keeps freed memory for the next text: to
    # get new pages costs more than to scan them.
    bytes(KEPT_MEMORY)
    for file in find_source_files(paths, srctree, trees, complain):
        top, _, path, _ = file
        facts = trees.read_facts(top)
        if facts.is_enforced:
            try:
                content = read_file(path)
            except OSError as error:
                from kvm_export_hook.files.locate import explain_absence

                complain(path, explain_absence(path, error))
                continue
            yield file, content, facts
            del content  # the next one is read into its memory


def make_file_text(file: SourceFile) -> Text:
    """Make the text of FILE; only needed once something was found in it."""
    from kvm_export_hook.values import Text

    top, name, path, is_named = file
    return Text(name, path, top=top, is_named=is_named)


class KnownTrees:
    """The facts of each tree so far, read once."""

    def __init__(self, read_facts: ReadFacts, complain: Complain, note: Note) -> None:
        self._read_facts = read_facts
        self._complain = complain
        self._note = note
        self.facts: dict[bytes, Facts] = {}

    def read_facts(self, top: bytes) -> Facts:
        """Return the facts of the tree at TOP; report their note once."""
        facts = self.facts.get(top)
        if facts is None:
            facts = self.facts[top] = self._read_facts(
                self._read(os.path.join(top, KVM_TYPES)),
                self._read(os.path.join(top, MAKEFILE)),
            )
            if facts.note:
                self._note(top or b".", facts.note)
        return facts

    def _read(self, path: bytes) -> bytes | None:
        """Read a file that need not be there."""
        try:
            return read_file(path, 0)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self._complain(path, error)
            return None


def find_source_files(
    paths: Iterable[bytes], srctree: bytes | None, trees: KnownTrees, complain: Complain
) -> Iterator[SourceFile]:
    """Yield every file in scope, sorted by path, each once.

    A fact file among PATHS stands for the whole tree if that has the make check:
    the rule may have changed for all files.
    """
    names = set()
    others = []
    for path in paths:
        if srctree is None and is_named_from_the_top(path):
            names.add(path)
        else:
            others.append(path)
    if names and not others:
        for name in sorted(names):
            yield b"", name, name, True
        return
    from kvm_export_hook.files import locate, walk

    roots = {(name, False, b"", name, True) for name in names}
    for root in locate.find_roots(others, srctree, complain):
        _, _, top, name, _ = root
        if name not in FACT_FILES:
            roots.add(root)
        elif trees.read_facts(top).has_check:
            roots.update(walk.list_kvm_directories(top))
    yield from walk.visit(roots, complain)


def read_file(path: bytes, flags: int = os.O_NOFOLLOW) -> bytes:
    """Read a whole regular file, opened with FLAGS; by default, refuse a symbolic link.

    Raises OSError for anything else, and never waits.
    """
    try:
        descriptor = os.open(path, READ_WITHOUT_WAITING | flags)
    except OSError as error:
        if flags and os.path.islink(path):
            raise OSError(None, LINK_REFUSED) from error
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise explain_kind(status.st_mode)
        data = os.read(descriptor, status.st_size + 1)
        # There may be more, if the file grows or is larger than 2 GB.
        while len(data) != status.st_size and (more := os.read(descriptor, len(data) + 1)):
            data += more
        return data
    except MemoryError:
        raise OSError(None, NO_MEMORY) from None
    finally:
        os.close(descriptor)


def explain_kind(mode: int) -> OSError:
    """Return the error for a file of this MODE, which is not a regular file."""
    if stat.S_ISDIR(mode):
        from errno import EISDIR

        return IsADirectoryError(EISDIR, os.strerror(EISDIR))
    kind = "FIFO" if stat.S_ISFIFO(mode) else "device"
    return OSError(None, f"is a {kind}, not a regular file: name a source file")
