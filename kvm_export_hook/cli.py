# SPDX-License-Identifier: MIT
"""The command: argv to options to exit status. All output is written here.

A clean commit is the normal case, and pays for itself only: what a suspect or
an option needs is imported where the suspect or the option is met.
"""

from __future__ import annotations

import os
import sys

from kvm_export_hook.rules import policy, scan, tree
from kvm_export_hook.sources import scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO, TextIO

    from kvm_export_hook.rules.judge import File, Finding
    from kvm_export_hook.sources.patch import Hunk

PROGRAM = "kvm-export-hook"

CLEAN, FOUND, TROUBLE = 0, 1, 2

NOT_ENFORCED = (
    "nothing enforced: this tree has no EXPORT_SYMBOL_FOR_KVM_INTERNAL"
    " (Linux before 6.18); --force enforces the rule all the same"
)
NOTHING_CHECKED = "nothing checked: found no C source below virt/kvm or arch/x86/kvm"

# The formats that print something where nothing was found, too.
WHOLE_FORMATS = ("json", "sarif")

WHAT_TO_DO = {
    FileNotFoundError: "check the name",
    IsADirectoryError: "a file is wanted",
    PermissionError: "make it readable",
}


class Options:
    """What can be asked for; argparse writes over the defaults what is given."""

    paths: Sequence[str] = ()
    srctree: str | None = None
    patch: str | None = None
    fix = False
    diff = False
    list = False
    allow: Sequence[str] = []  # argparse appends to a copy
    force = False
    format = "text"
    color = "auto"
    quiet = False
    version = False
    help = False


class StdoutError(Exception):
    """Stdout takes no more."""

    def __init__(self, cause: OSError) -> None:
        self.cause = cause


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command on ARGV, by default the process's own; return its exit status."""
    run = Run()
    try:
        if run.parse(sys.argv[1:] if argv is None else argv):
            run.report()
        flush()
    except KeyboardInterrupt:
        run.status = TROUBLE
    except StdoutError as error:
        discard(sys.stdout)
        if not isinstance(error.cause, BrokenPipeError):
            run.complain(b"standard output", error.cause)
    return run.status


class Run:
    """One run of the command: what it was asked for, and how it stands."""

    def __init__(self) -> None:
        self.options = Options()
        self.status = CLEAN
        self.has_met_anything = False  # a file to judge, or a reason not to
        self.rules: dict[bytes, tree.Tree | None] = {}

    def parse(self, arguments: Sequence[str]) -> bool:
        """Read ARGUMENTS; tell whether there is anything left to do.

        Names alone, which is what git hooks pass, need no argparse.
        """
        if not any(argument.startswith("-") for argument in arguments):
            self.options.paths = arguments
            return True
        from kvm_export_hook import options

        try:
            text = options.read(PROGRAM, arguments, self.options)
        except options.UsageError as error:
            self.status = TROUBLE
            say(b"error: " + os.fsencode(str(error)), "see --help")
            return False
        if text is not None:
            write(text, sys.stdout)
        return text is None

    def report(self) -> None:
        """Judge what was asked for, and print the findings."""
        options = self.options
        if options.list:
            self.list_exports()
            return
        files = self.judged() if options.patch is None else self.judged_patch(options.patch)
        stream = sys.stdout
        if options.fix or options.diff:
            from kvm_export_hook import fix

            if options.fix:
                files = fix.rewrite(files, self.complain)
            else:
                files, stream = fix.print_patches(files, write_patch), sys.stderr
        first = next(files, None)
        if first or options.format in WHOLE_FORMATS:
            self.print(self.written(chain(first, files), stream), stream)
        if not self.has_met_anything:
            self.note(b"", NOTHING_CHECKED)

    def print(self, parts: Iterator[str], stream: TextIO | None) -> None:
        """Print PARTS; a fix goes on to its end without a reader, too."""
        failure = None
        for part in parts:
            try:
                write(part, stream)
            except StdoutError as error:
                if not self.options.fix:
                    raise
                failure, stream = error, None
        if failure:
            raise failure

    def written(self, files: Iterator[File], stream: TextIO) -> Iterator[str]:
        """Write the report on FILES in the form that was asked for."""
        if self.options.format == "text":
            from kvm_export_hook.report import as_text as text

            return text.report(files, wants_color(self.options.color, stream), self.options.quiet)
        from importlib import import_module

        module = import_module(f"kvm_export_hook.report.as_{self.options.format}")
        parts: Iterator[str] = module.report(files)
        return parts

    def list_exports(self) -> None:
        """Print the inventory of what was asked for."""
        from kvm_export_hook.report import as_list as report
        from kvm_export_hook.rules import exports as inventory

        exports: list[inventory.Export] = []
        for rule, _, path, data in self.readable():
            exports.extend(inventory.exports(path, data, rule))
        audit = report.Audit(exports, list(filter(None, self.rules.values())), self.options.allow)
        write_inventory = report.json_text if self.options.format == "json" else report.text
        for part in write_inventory(exports, audit):
            write(part, sys.stdout)

    def judged(self) -> Iterator[File]:
        """Judge the files in scope; yield those that have suspects."""
        for rule, top, path, data in self.readable():
            yield from self.suspected(path, top, data, rule)

    def readable(self) -> Iterator[tuple[tree.Tree, bytes, bytes, bytes]]:
        """Yield the files in scope: the rule in force and the top of the tree, path and content."""
        paths = map(os.fsencode, self.options.paths)
        for top, path in scope.targets(paths, self.srctree(), self.complain):
            rule = self.rule_in(top)
            data = self.read(path) if rule else None
            if rule and data is not None:
                yield rule, top, path, data

    def judged_patch(self, name: str) -> Iterator[File]:
        """Judge what the patch NAME adds; yield the hunks that have suspects."""
        from kvm_export_hook.sources import patch

        shown = b"standard input" if name == "-" else os.fsencode(name)
        srctree = self.srctree()
        if srctree is not None and not os.path.isdir(srctree):
            self.complain(srctree, OSError(None, "no such directory: name a kernel tree"))
            return
        names = set()
        try:
            top = scope.tree_around(srctree)
            rule = self.rule_in(top)
            with opened(name) as stream:
                for hunk in patch.hunks(stream, shown, self.complain) if rule else ():
                    names.add(hunk.path)
                    if rule and scope.is_in_scope(hunk.path):
                        self.has_met_anything = True
                        path = os.path.normpath(hunk.path)
                        yield from self.suspected(path, top, hunk.text, rule, hunk)
        except OSError as error:
            self.complain(shown, error)
        # Nothing at all to commit is no cause for a remark.
        self.has_met_anything |= not names

    def suspected(
        self, path: bytes, top: bytes, data: bytes, rule: tree.Tree, hunk: Hunk | None = None
    ) -> Iterator[File]:
        """Judge DATA, the file at PATH or a HUNK of it; yield it if it has suspects."""
        suspects = scan.suspects(data, rule.allowlist)
        if not suspects:
            return
        from kvm_export_hook.rules.judge import File, judge

        first_line = hunk.first_line if hunk else 1
        findings = judge(data, suspects, rule.allowlist, rule.has_check, first_line)
        file = File(path, top, data, findings, not rule.lacks_macro)
        if hunk:
            file.subject, file.name = hunk.subject, path
            file.findings = hunk.added_of(findings)
        file.findings = self.counted(file.findings)
        yield file

    def counted(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Pass FINDINGS on; one makes the run fail."""
        for finding in findings:
            self.status = max(self.status, FOUND)
            yield finding

    def rule_in(self, top: bytes) -> tree.Tree | None:
        """Tell the rule in force in the tree at TOP, or None; say once that there is none."""
        if top not in self.rules:
            rule = tree.learn(
                policy.INTERNAL,
                self.peek(os.path.join(top, tree.KVM_TYPES)),
                self.peek(os.path.join(top, tree.MAKEFILE)),
            )
            if not (rule.has_check and rule.allowlist):
                rule.allowlist, rule.source = frozenset(policy.ALLOWLIST), "bundled"
            rule.allowlist = rule.allowlist.union(map(os.fsencode, self.options.allow))
            if rule.lacks_macro and not rule.has_check and not self.options.force:
                self.note(top or b".", NOT_ENFORCED)
                self.rules[top] = None
            else:
                self.rules[top] = rule
        return self.rules[top]

    def srctree(self) -> bytes | None:
        """Tell the kernel tree that was named, if one was."""
        return None if self.options.srctree is None else os.fsencode(self.options.srctree)

    def read(self, path: bytes) -> bytes | None:
        """Read a file to judge; None, and a complaint, where it cannot be read."""
        self.has_met_anything = True
        try:
            return scope.read(path)
        except OSError as error:
            self.complain(path, error)
        return None

    def peek(self, path: bytes) -> bytes | None:
        """Read a file of a tree that need not be there."""
        try:
            return scope.read(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.complain(path, error)
            return None

    def complain(self, path: bytes, error: OSError) -> None:
        """Say what could not be judged, and why."""
        self.status = TROUBLE
        self.has_met_anything = True
        say(b"error: " + path, error.strerror or str(error), WHAT_TO_DO.get(type(error), ""))

    def note(self, subject: bytes, remark: str) -> None:
        """Say something of the run as a whole."""
        self.has_met_anything = True
        # b4 takes each line on stderr for a failed check.
        if not self.options.quiet and self.options.format != "checkpatch":
            say(subject, remark)


def opened(name: str) -> BinaryIO:
    """Open a patch, which may come from a pipe; ``-`` is stdin."""
    if name != "-":
        return open(name, "rb")
    if sys.stdin is None:
        raise OSError(None, "is closed")
    return open(sys.stdin.fileno(), "rb", closefd=False)


def chain(first: File | None, rest: Iterator[File]) -> Iterator[File]:
    """Put FIRST, if there was one, back before the REST."""
    if first:
        yield first
    yield from rest


def write(text: str, stream: TextIO | None) -> None:
    """Print to STREAM, which may be closed, in its encoding."""
    if stream:
        write_bytes(text.encode(stream.encoding, "backslashreplace"), stream)


def write_patch(line: bytes) -> None:
    """Print a line of a patch: byte for byte, but to a terminal nothing that could drive it."""
    if sys.stdout and sys.stdout.isatty():
        from kvm_export_hook.report.escape import printable

        write(printable(line[:-1]) + "\n", sys.stdout)
    elif sys.stdout:
        write_bytes(line, sys.stdout)


def write_bytes(data: bytes, stream: TextIO) -> None:
    """Print to STREAM. Raises StdoutError where it takes no more."""
    try:
        stream.buffer.write(data)
    except OSError as error:
        raise StdoutError(error) from error


def flush() -> None:
    """Print what stdout still holds. Raises StdoutError where it takes no more."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError as error:
        raise StdoutError(error) from error


def say(subject: bytes, *remarks: str) -> None:
    """Print a line to stderr, which may be closed; no byte of SUBJECT drives a terminal."""
    from kvm_export_hook.report.escape import printable

    parts = (PROGRAM, printable(subject), *remarks)
    try:
        if sys.stderr:
            print(": ".join(part for part in parts if part), file=sys.stderr)
    except OSError:
        discard(sys.stderr)


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
