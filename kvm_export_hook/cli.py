# SPDX-License-Identifier: MIT
"""The command: argv to options to exit status. All output is written here.

A clean commit is the normal case, and pays for itself only: what a suspect or
an option needs is imported where the suspect or the option is met.
"""

from __future__ import annotations

import os
import sys

from kvm_export_hook import policy, scan, scope, tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from kvm_export_hook.judge import Finding

    Judged = tuple[bytes, bytes, Iterable[Finding]]  # a path, its content, its findings
    Rule = tuple[frozenset[bytes], bool]  # the allowlist in force, has the tree the make check

PROGRAM = "kvm-export-hook"

CLEAN, FOUND, TROUBLE = 0, 1, 2

NOT_ENFORCED = (
    "nothing enforced: this tree has no EXPORT_SYMBOL_FOR_KVM_INTERNAL"
    " (Linux before 6.18); --force enforces the rule all the same"
)
ADVICE = {
    FileNotFoundError: "check the name",
    IsADirectoryError: "a source file cannot be one",
    PermissionError: "make it readable",
}
NOTHING_CHECKED = "nothing checked: no C source of KVM (virt/kvm, arch/x86/kvm) among the paths"


class Options:
    """What can be asked for; argparse writes over the defaults what is given."""

    paths: Sequence[str] = ()
    srctree: str | None = None
    allow: Sequence[str] = []  # argparse appends to a copy
    force = False
    color = "auto"
    quiet = False


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command on ARGV, by default the process's own; return its exit status."""
    run = Run()
    try:
        try:
            run.parse(sys.argv[1:] if argv is None else argv)
            run.report()
        except SystemExit as stop:  # argparse has said all
            run.status = int(stop.code or CLEAN)
        if sys.stdout:
            sys.stdout.flush()
    except KeyboardInterrupt:
        run.status = TROUBLE
    except BrokenPipeError:
        discard(sys.stdout)
    except OSError as error:
        run.complain(b"standard output", error)
        discard(sys.stdout)
    return run.status


class Run:
    """One run of the command: what it was asked for, and how it stands."""

    def __init__(self) -> None:
        self.options = Options()
        self.status = CLEAN
        self.is_idle = True  # no file was judged, nor reason given why not
        self.rules: dict[bytes, Rule | None] = {}

    def parse(self, arguments: Sequence[str]) -> None:
        """Read ARGUMENTS. Names alone, which is what git hooks pass, need no argparse."""
        if any(argument.startswith("-") for argument in arguments):
            from kvm_export_hook import options

            options.read(PROGRAM, arguments, self.options)
        else:
            self.options.paths = arguments

    def report(self) -> None:
        """Judge what was asked for, and print the findings."""
        judged = self.judged()
        first = next(judged, None)
        if first:
            from kvm_export_hook.report import text

            files = chain(first, judged)
            for part in text.report(files, wants_color(self.options.color), self.options.quiet):
                write(part)
        if self.is_idle:
            self.note(b"", NOTHING_CHECKED)

    def judged(self) -> Iterator[Judged]:
        """Judge the files in scope; yield those that have suspects."""
        paths = map(os.fsencode, self.options.paths)
        srctree = self.options.srctree
        for top, path in scope.targets(
            paths, None if srctree is None else os.fsencode(srctree), self.complain
        ):
            rule = self.rule_in(top)
            data = self.read(path) if rule else None
            if data is None or rule is None:
                continue
            allowlist, has_check = rule
            suspects = scan.suspects(data, allowlist)
            if suspects:
                from kvm_export_hook.judge import judge

                yield path, data, self.counted(judge(data, suspects, allowlist, has_check))

    def read(self, path: bytes) -> bytes | None:
        """Read a file to judge; None, and a complaint, where it cannot be read."""
        self.is_idle = False
        try:
            return scope.read(path)
        except OSError as error:
            self.complain(path, error)
            return None

    def rule_in(self, top: bytes) -> Rule | None:
        """Tell the rule in force in the tree at TOP, or None; say once that there is none."""
        if top not in self.rules:
            facts = tree.learn(
                policy.INTERNAL,
                self.peek(os.path.join(top, tree.KVM_TYPES)),
                self.peek(os.path.join(top, tree.MAKEFILE)),
            )
            if facts.lacks_macro and not facts.has_check and not self.options.force:
                self.rules[top] = None
                self.note(top or b".", NOT_ENFORCED)
            else:
                bundled = frozenset(policy.ALLOWLIST)
                listed = facts.allowlist if facts.has_check and facts.allowlist else bundled
                extra = map(os.fsencode, self.options.allow)
                self.rules[top] = listed.union(extra), facts.has_check
        return self.rules[top]

    def peek(self, path: bytes) -> bytes | None:
        """Read a file of a tree that need not be there."""
        try:
            return scope.read(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.complain(path, error)
            return None

    def counted(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Pass FINDINGS on; one makes the run fail."""
        for finding in findings:
            self.status = max(self.status, FOUND)
            yield finding

    def complain(self, path: bytes, error: OSError) -> None:
        """Say what could not be judged, and why."""
        self.status = TROUBLE
        self.is_idle = False
        advice = ADVICE.get(type(error))
        say(b"error: " + path, error.strerror or str(error), advice or "")

    def note(self, subject: bytes, remark: str) -> None:
        """Say something of the run as a whole."""
        self.is_idle = False
        if not self.options.quiet:
            say(subject, remark)


def chain(first: Judged, rest: Iterator[Judged]) -> Iterator[Judged]:
    """Put FIRST back before the REST."""
    yield first
    yield from rest


def write(text: str) -> None:
    """Print to stdout, which may be closed, in its encoding."""
    if sys.stdout:
        sys.stdout.buffer.write(text.encode(sys.stdout.encoding, "backslashreplace"))


def say(subject: bytes, *remarks: str) -> None:
    """Print a line to stderr, which may be closed; no byte of SUBJECT drives a terminal."""
    from kvm_export_hook.report.escape import printable

    if sys.stderr:
        parts = (PROGRAM, printable(subject), *remarks)
        print(": ".join(part for part in parts if part), file=sys.stderr)


def wants_color(choice: str) -> bool:
    """Whether to colour: as CHOICE says, or the environment, or where a person looks on."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return bool(sys.stdout) and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def discard(stream: TextIO) -> None:
    """Let what STREAM still holds go nowhere, so that Python's exit does not stumble on it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
