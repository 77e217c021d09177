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

    from kvm_export_hook.judge import File, Finding

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
NOTHING_CHECKED = "nothing checked: found no C source below virt/kvm or arch/x86/kvm"


class Options:
    """What can be asked for; argparse writes over the defaults what is given."""

    paths: Sequence[str] = ()
    srctree: str | None = None
    allow: Sequence[str] = []  # argparse appends to a copy
    force = False
    fix = False
    diff = False
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
        self.rules: dict[bytes, tree.Tree | None] = {}

    def parse(self, arguments: Sequence[str]) -> None:
        """Read ARGUMENTS. Names alone, which is what git hooks pass, need no argparse."""
        if any(argument.startswith("-") for argument in arguments):
            from kvm_export_hook import options

            options.read(PROGRAM, arguments, self.options)
        else:
            self.options.paths = arguments

    def report(self) -> None:
        """Judge what was asked for, and print the findings."""
        files = self.judged()
        stream = sys.stdout
        if self.options.fix:
            files = self.fixed(files)
        elif self.options.diff:
            files, stream = self.diffed(files), sys.stderr
        first = next(files, None)
        if first:
            from kvm_export_hook.report import text

            color = wants_color(self.options.color, stream)
            for part in text.report(chain(first, files), color, self.options.quiet):
                write(part, stream)
        if self.is_idle:
            self.note(b"", NOTHING_CHECKED)

    def judged(self) -> Iterator[File]:
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
            suspects = scan.suspects(data, rule.allowlist)
            if suspects:
                from kvm_export_hook.judge import File, judge

                findings = judge(data, suspects, rule.allowlist, rule.has_check)
                yield File(path, top, data, self.counted(findings), not rule.lacks_macro)

    def fixed(self, files: Iterable[File]) -> Iterator[File]:
        """Rewrite in FILES what can be, and pass them on."""
        from kvm_export_hook import fix

        for file in files:
            file.findings = list(file.findings)
            new = fix.fixed(file)
            file.is_rewritten = False
            try:
                if new != file.data:
                    fix.replace_file(file.path, file.data, new)
                    file.is_rewritten = True
            except OSError as error:
                self.complain(file.path, OSError(None, f"not rewritten: {error.strerror}"))
            yield file

    def diffed(self, files: Iterable[File]) -> Iterator[File]:
        """Print what a fix would change in FILES; pass on what it would leave."""
        from kvm_export_hook import fix

        for file in files:
            file.findings = list(file.findings)
            new = fix.fixed(file)
            if new != file.data:
                name = scope.name_in_tree(file.path, file.top)
                for line in fix.patch(name, file.data, new):
                    write_patch(line)
                file.findings = [each for each in file.findings if each.replacement is None]
            file.is_rewritten = False
            yield file

    def read(self, path: bytes) -> bytes | None:
        """Read a file to judge; None, and a complaint, where it cannot be read."""
        self.is_idle = False
        try:
            return scope.read(path)
        except OSError as error:
            self.complain(path, error)
            return None

    def rule_in(self, top: bytes) -> tree.Tree | None:
        """Tell the rule in force in the tree at TOP, or None; say once that there is none."""
        if top not in self.rules:
            rule = tree.learn(
                policy.INTERNAL,
                self.peek(os.path.join(top, tree.KVM_TYPES)),
                self.peek(os.path.join(top, tree.MAKEFILE)),
            )
            bundled = frozenset(policy.ALLOWLIST)
            listed = rule.allowlist if rule.has_check and rule.allowlist else bundled
            rule.allowlist = listed.union(map(os.fsencode, self.options.allow))
            if rule.lacks_macro and not rule.has_check and not self.options.force:
                self.note(top or b".", NOT_ENFORCED)
                self.rules[top] = None
            else:
                self.rules[top] = rule
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


def chain(first: File, rest: Iterator[File]) -> Iterator[File]:
    """Put FIRST back before the REST."""
    yield first
    yield from rest


def write(text: str, stream: TextIO) -> None:
    """Print to STREAM, which may be closed, in its encoding."""
    if stream:
        stream.buffer.write(text.encode(stream.encoding, "backslashreplace"))


def write_patch(line: bytes) -> None:
    """Print a line of a patch: byte for byte, but to a terminal nothing that could drive it."""
    if sys.stdout and sys.stdout.isatty():
        from kvm_export_hook.report.escape import printable

        write(printable(line[:-1]) + "\n", sys.stdout)
    elif sys.stdout:
        sys.stdout.buffer.write(line)


def say(subject: bytes, *remarks: str) -> None:
    """Print a line to stderr, which may be closed; no byte of SUBJECT drives a terminal."""
    from kvm_export_hook.report.escape import printable

    if sys.stderr:
        parts = (PROGRAM, printable(subject), *remarks)
        print(": ".join(part for part in parts if part), file=sys.stderr)


def wants_color(choice: str, stream: TextIO) -> bool:
    """Whether to colour: as CHOICE says, or the environment, or where a person looks on."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return bool(stream) and stream.isatty() and os.environ.get("TERM") != "dumb"


def discard(stream: TextIO) -> None:
    """Let what STREAM still holds go nowhere, so that Python's exit does not stumble on it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
