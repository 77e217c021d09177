# SPDX-License-Identifier: MIT
"""The command: wires source, rules and report together. Only this module prints.

A clean commit is the normal case, and pays only for itself: what a suspect or
an option needs is imported where the suspect or the option is met.
"""

from __future__ import annotations

import os
import sys

from kvm_export_hook.options import PROGRAM, Options, UsageError, read_options
from kvm_export_hook.rules import scan, tree
from kvm_export_hook.sources import NO_MEMORY, PLEASE_REPORT, worktree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import NoReturn, TextIO, TypeVar

    from kvm_export_hook.reporting import Printer
    from kvm_export_hook.rules.judge import Result
    from kvm_export_hook.rules.tree import Facts
    from kvm_export_hook.sources import Input

    T = TypeVar("T")

CLEAN, FOUND, TROUBLE = 0, 1, 2

NOTHING_CHECKED = "nothing checked: found no C source below virt/kvm or arch/x86/kvm"

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

    def note_if_nothing(self) -> None:
        """Say so if there was nothing to judge."""
        if not self.has_met_anything:
            self.note(b"", NOTHING_CHECKED)

    def say(self, kind: str, subject: bytes, *remarks: str) -> None:
        """Print a line to stderr; nothing of SUBJECT and REMARKS drives a terminal."""
        from kvm_export_hook.escape import disarm, make_printable

        said = (remark.encode("utf-8", "surrogateescape") for remark in remarks)
        parts = (PROGRAM, kind, *map(make_printable, (subject, *said)))
        self.err.write(disarm(": ".join(part for part in parts if part)) + "\n")
        self.err.flush()


def start() -> NoReturn:
    """Run the command as a process, and end it without freeing what the kernel frees at once.

    That saves a quarter of a bare start of Python. ``main`` has flushed all output.
    """
    os._exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command on ARGV, by default the process's own; return its exit status."""
    desk = Desk(Options())
    fault = ""
    try:
        arguments = sys.argv[1:] if argv is None else argv
        if read_options(arguments, desk.options) or parse(arguments, desk):
            run(desk)
    except KeyboardInterrupt:
        desk.status = TROUBLE
    except UsageError as error:
        desk.status = TROUBLE
        desk.say("error", os.fsencode(str(error)), "see --help")
    except Exception as error:  # noqa: BLE001
        # A traceback would end with 1, as if this were a finding.
        unforeseen = f"internal error: {type(error).__name__}: {error}: {PLEASE_REPORT}"
        fault = NO_MEMORY if isinstance(error, MemoryError) else unforeseen
    if fault:  # said after what was being done has been freed
        desk.give_up(fault)
    desk.out.flush()
    desk.err.flush()
    failure = desk.out.failure
    if failure and not isinstance(failure, BrokenPipeError):
        desk.complain(b"standard output", failure)
    return desk.status


def parse(arguments: Sequence[str], desk: Desk) -> bool:
    """Read any ARGUMENTS; print --help and --version, and return whether there is more to do."""
    from kvm_export_hook import parser

    text = parser.parse(arguments, desk.options)
    desk.out.write(text or "")
    return text is None


def run(desk: Desk) -> None:
    """Do what was asked for."""
    if desk.options.list:
        from kvm_export_hook import reporting

        reporting.list_exports(desk)
        desk.note_if_nothing()
    else:
        report_findings(desk)


def report_findings(desk: Desk) -> None:
    """Judge what was asked for, and print or fix what was found."""
    options = desk.options
    output: Printer = desk.out
    results = judge_source(desk)
    find_users = None
    if options.users or options.fix or options.diff:
        from kvm_export_hook import reporting

        results, output, find_users = reporting.use_results(results, desk)
    first = next(results, None)
    if first or options.format != "text":
        from kvm_export_hook import reporting

        reporting.print_report(first, results, desk, output, find_users)


def judge_source(desk: Desk) -> Iterator[Result]:
    """Choose the source and judge it, to the last note; the findings decide the status."""
    if desk.options.judges_changes:
        from kvm_export_hook import wiring

        results = wiring.judge_change(desk)
    else:
        results = judge_inputs(read_worktree(desk), desk)
    for result in results:
        desk.status = max(desk.status, FOUND)
        yield result
    desk.note_if_nothing()


def judge_inputs(inputs: Iterable[Input], desk: Desk) -> Iterator[Result]:
    """Judge INPUTS; yield the results that have findings."""
    for input_ in inputs:
        desk.has_met_anything = True
        result = judge_input(input_, desk)
        del input_  # the next one is read into its memory
        if result:
            yield result


def judge_input(input_: Input, desk: Desk) -> Result | None:
    """Judge INPUT_; return its result if it has findings."""
    try:
        suspects = scan.find_suspects(input_.text, input_.facts.allowlist)
        if not suspects:
            return None
        from kvm_export_hook.rules.judge import Result, judge

        findings = judge(input_.text, suspects, input_.facts, input_.first_line)
        first = next(findings, None)
        return Result(input_, chain(first, findings)) if first else None
    except MemoryError:
        suspects = ()  # which take the most: let there be room to say so
    desk.complain(input_.path, OSError(None, NO_MEMORY))
    return None


def read_worktree(desk: Desk) -> Iterator[Input]:
    """Read the files that were asked for."""
    trees = worktree.Trees(desk.learn, desk.complain, desk.note)
    paths = map(os.fsencode, desk.options.paths)
    return worktree.read_inputs(paths, desk.srctree, trees, desk.complain)


def chain(first: T, rest: Iterator[T]) -> Iterator[T]:
    """Put FIRST back before the REST."""
    yield first
    yield from rest
