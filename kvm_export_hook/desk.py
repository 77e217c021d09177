# SPDX-License-Identifier: MIT
"""Where a run reports to, for ``cli``: its exit status, and all that is printed."""

from __future__ import annotations

import os
import sys

from kvm_export_hook.options import PROGRAM
from kvm_export_hook.rules import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from kvm_export_hook.options import Options
    from kvm_export_hook.rules.tree import Facts

CLEAN, FOUND, TROUBLE = 0, 1, 2

WHAT_TO_DO = {
    FileNotFoundError: "check the name",
    IsADirectoryError: "expected a file",
    PermissionError: "make it readable",
}


class Output:
    """A stream to print to, which may be closed. Once it takes no more, nothing is printed."""

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> None:
        """Print TEXT in the encoding of the stream."""
        if self.stream:
            self.write_bytes(text.encode(self.stream.encoding, "backslashreplace"))

    def write_bytes(self, data: bytes) -> None:
        """Print DATA, also where the stream has no buffer and takes only a part."""
        try:
            while self.stream and data:
                data = data[self.stream.buffer.write(data) :]
        except OSError as error:
            self.fail(error)

    def flush(self) -> None:
        """Print what the stream still holds."""
        try:
            if self.stream:
                self.stream.flush()
        except OSError as error:
            self.fail(error)

    def fail(self, error: OSError) -> None:
        """Let what the stream still holds go nowhere, so that Python's exit does not stumble."""
        assert self.stream
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stream.fileno())
        os.close(nowhere)
        self.stream, self.failure = None, error


class Desk:
    """Where a run reports to: its exit status, what it says on stderr, its notes."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.out, self.err = Output(sys.stdout), Output(sys.stderr)
        self.status = CLEAN
        self.has_met_anything = False  # a text to judge, or a reason not to
        self.notes: list[tuple[bytes, str]] = []

    @property
    def srctree(self) -> bytes | None:
        """The kernel tree that was named, if one was."""
        return None if self.options.srctree is None else os.fsencode(self.options.srctree)

    def learn(self, kvm_types: bytes | None, makefile: bytes | None) -> Facts:
        """Learn the facts of a tree, with the wishes of the command line."""
        allow = map(os.fsencode, self.options.allow)
        return tree.learn(kvm_types, makefile, allow, self.options.force)

    def complain(self, path: bytes, error: OSError) -> None:
        """Say what could not be judged, and why."""
        self.status = TROUBLE
        self.has_met_anything = True
        what = error.strerror or str(error)
        self.say("error", path or b"''", what, WHAT_TO_DO.get(type(error), ""))

    def give_up(self, reason: str) -> None:
        """Say why nothing more can be judged."""
        self.status = TROUBLE
        self.has_met_anything = True
        self.say("error", os.fsencode(reason))

    def note(self, path: bytes, remark: str) -> None:
        """Say something of the tree at PATH, or of the whole run where PATH is empty."""
        self.has_met_anything = True
        self.notes.append((path, remark))
        if self.options.quiet:
            return
        if self.options.format != "text":
            from kvm_export_hook.report.formats import FORMATS

            if not FORMATS[self.options.format].notes_on_stderr:
                return
        self.say("", path, remark)

    def say(self, kind: str, subject: bytes, *remarks: str) -> None:
        """Print a line to stderr; no byte of SUBJECT drives a terminal."""
        from kvm_export_hook.escape import disarm, make_printable

        parts = (PROGRAM, kind, make_printable(subject), *remarks)
        self.err.write(disarm(": ".join(part for part in parts if part)) + "\n")
        self.err.flush()
