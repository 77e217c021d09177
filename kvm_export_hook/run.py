# SPDX-License-Identifier: MIT
"""A run of the command: its exit status, notes, errors and streams.

The exit status is decided here. It begins as CLEAN; ``read_all`` raises it for a finding,
``fail`` for what could not be checked. Only ``cli`` also sets it, for a wrong command line.
"""

from __future__ import annotations

import os
import sys

from kvm_export_hook.options import PROGRAM
from kvm_export_hook.rules import facts
from kvm_export_hook.rules.scope import KVM_SHOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TextIO, TypeVar

    from kvm_export_hook.options import Options
    from kvm_export_hook.rules.facts import Facts

    T = TypeVar("T")
    # Reads the facts of a tree from its KVM_TYPES and its MAKEFILE; None: not there.
    ReadFacts = Callable[[bytes | None, bytes | None], Facts]
    # Takes a path that could not be checked, and why.
    Complain = Callable[[bytes, OSError], object]
    # Takes a tree (its path, empty for the working directory) whose facts have a note.
    Note = Callable[[bytes, str], object]

CLEAN, FOUND, TROUBLE = 0, 1, 2

# The path of the tree at the working directory. A note about it says "this tree".
HERE = b"."

NO_MEMORY = "needs more memory than this machine has"
NO_THREAD = "can't start new thread"  # as Python says it, in a RuntimeError
# For a bug of ours.
PLEASE_REPORT = "please report this, with the input"

NOTHING_CHECKED = (
    f"nothing checked: found no C source below {KVM_SHOWN}; a kernel elsewhere must be named"
)

WHAT_TO_DO = {
    FileNotFoundError: "check the name",
    IsADirectoryError: "expected a file",
    PermissionError: "make it readable",
}


def describe_fault(error: Exception) -> str:
    """Describe an unexpected ERROR."""
    if isinstance(error, MemoryError):
        return NO_MEMORY
    # Too many open files or threads: not a bug of ours.
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if str(error) == NO_THREAD:
        return NO_THREAD
    if isinstance(error, ImportError):
        return f"cannot load a part of this program: {error}"
    return f"internal error: {type(error).__name__}: {error}: {PLEASE_REPORT}"


class Output:
    """A stream to print to, which may be closed. After a failure, nothing more is printed."""

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> None:
        """Print TEXT in the encoding of the stream."""
        if self.stream:
            self.write_bytes(text.encode(self.stream.encoding, "backslashreplace"))

    def write_bytes(self, data: bytes) -> None:
        """Print DATA; an unbuffered stream may take it in several parts."""
        try:
            while self.stream and data:
                data = data[self.stream.buffer.write(data) :]
        except OSError as error:
            self.fail(error)

    def flush(self) -> None:
        """Print what the stream has buffered."""
        try:
            if self.stream:
                self.stream.flush()
        except OSError as error:
            self.fail(error)

    def fail(self, error: OSError) -> None:
        """Print nothing more, because of ERROR."""
        self.stream, self.failure = None, error


class Run:
    """A run of the command, with everything that it says apart from the findings.

    ``has_met_anything``: whether there was a text to check, or an error or note.
    ``errors``: the path of what could not be checked, and why; the path is empty if
    that is the whole run. ``notes``: the path of a tree and a remark on it; the path
    is empty for a remark on the run. ``prints_notes``: whether notes also go to
    stderr; errors always do. ``users``: the ``ResultUsers`` that look up who uses a
    symbol, if that is asked for.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.out, self.err = Output(sys.stdout), Output(sys.stderr)
        self.status = CLEAN
        self.has_met_anything = False
        self.errors: list[tuple[bytes, str]] = []
        self.notes: list[tuple[bytes, str]] = []
        self.prints_notes = True
        self.users: Any = None

    @property
    def srctree(self) -> bytes | None:
        """The kernel tree that was named, if one was."""
        return None if self.options.srctree is None else os.fsencode(self.options.srctree)

    def read_facts(self, kvm_types: bytes | None, makefile: bytes | None) -> Facts:
        """Read the facts of a tree from its two files, by the options --allow and --force."""
        allow = map(os.fsencode, self.options.allow)
        return facts.read_facts(kvm_types, makefile, allow, self.options.force)

    def read_all(self, results: Iterator[T], status: int) -> Iterator[T]:
        """Yield RESULTS, each of which makes the exit status at least STATUS.

        At the end, note if there was nothing to check. After an unexpected error the report
        still goes on: it must contain the error.
        """
        fault = ""
        try:
            for result in results:
                self.status = max(self.status, status)
                yield result
        except Exception as error:  # noqa: BLE001
            fault = describe_fault(error)
        if fault:
            self.give_up(fault)
        self.note_if_nothing()

    def complain(self, path: bytes, error: OSError) -> None:
        """Report what could not be checked, and why."""
        what = (error.strerror or str(error), WHAT_TO_DO.get(type(error), ""))
        self.fail(path or b"''", ": ".join(filter(None, what)))

    def give_up(self, reason: str) -> None:
        """Report why nothing more can be checked."""
        self.fail(b"", reason)

    def fail(self, path: bytes, reason: str) -> None:
        """Record and print the REASON why PATH, or if it is empty the whole run, is not checked."""
        self.status = TROUBLE
        self.has_met_anything = True
        self.errors.append((path, reason))
        self.say("error", path, reason)

    def note(self, path: bytes, remark: str) -> None:
        """Record and print a REMARK on the tree at PATH, or if it is empty on the whole run."""
        self.has_met_anything = True
        self.notes.append((path, remark))
        if self.prints_notes and not self.options.quiet:
            self.say("", b"" if path == HERE else path, remark)

    def note_if_nothing(self, remark: str = NOTHING_CHECKED) -> None:
        """Make a note if there was nothing to check."""
        if not self.has_met_anything:
            self.note(b"", remark)

    def say(self, kind: str, subject: bytes, *remarks: str) -> None:
        """Print a line to stderr; SUBJECT and REMARKS are made safe for a terminal."""
        from kvm_export_hook.escape import disarm, make_printable

        said = (remark.encode("utf-8", "surrogateescape") for remark in remarks)
        parts = (PROGRAM, kind, *map(make_printable, (subject, *said)))
        self.err.write(disarm(": ".join(part for part in parts if part)) + "\n")
        self.err.flush()
