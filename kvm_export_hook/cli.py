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
from kvm_export_hook.sources import worktree
from kvm_export_hook.sources.scope import is_in_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import NoReturn, TextIO, TypeVar

    from kvm_export_hook.rules.judge import Result
    from kvm_export_hook.rules.tree import Facts
    from kvm_export_hook.sources import Input
    from kvm_export_hook.sources.locate import File
    from kvm_export_hook.users.lookup import Users

    T = TypeVar("T")

CLEAN, FOUND, TROUBLE = 0, 1, 2

NOTHING_CHECKED = "nothing checked: found no C source below virt/kvm or arch/x86/kvm"
NO_KERNEL = "found no KVM directory in the kernel that --srctree names: name the kernel's top"
NO_MEMORY = "needs more memory than this machine has"

PLEASE_REPORT = "please report it, with what was judged"

WHAT_TO_DO = {
    FileNotFoundError: "check the name",
    IsADirectoryError: "expected a file",
    PermissionError: "make it readable",
}

BY_COMMAND = "kvm-export-hook --fix PATH rewrites what it safely can.\n"
BY_HOOK = "The hook kvm-exports-fix rewrites what it safely can.\n"


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
        from kvm_export_hook.report.escape import disarm, make_printable

        parts = (PROGRAM, kind, make_printable(subject), *remarks)
        self.err.write(disarm(": ".join(part for part in parts if part)) + "\n")
        self.err.flush()

    def say_if_slow(self, remark: str) -> AbstractContextManager[object]:
        """Say REMARK where what follows takes over a second, and a person looks on."""
        from kvm_export_hook.users.progress import say_later

        is_seen = self.err.stream is not None and self.err.stream.isatty()
        return say_later((lambda: self.say("", b"", remark)) if is_seen else None)


def start() -> NoReturn:
    """Run the command as a process, and end it without freeing what the kernel frees at once.

    That saves a quarter of a bare start of Python. ``main`` has flushed all output.
    """
    os._exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command on ARGV, by default the process's own; return its exit status."""
    desk = Desk(Options())
    try:
        text = parse(sys.argv[1:] if argv is None else argv, desk.options)
        if text is None:
            run(desk)
        else:
            desk.out.write(text)
    except KeyboardInterrupt:
        desk.status = TROUBLE
    except UsageError as error:
        desk.status = TROUBLE
        desk.say("error", os.fsencode(str(error)), "see --help")
    except MemoryError:
        desk.status = TROUBLE
        desk.say("error", b"", NO_MEMORY)
    except Exception as error:  # noqa: BLE001
        # A traceback would end with 1, as if this were a finding.
        desk.status = TROUBLE
        desk.say("error", b"", f"internal error: {type(error).__name__}: {error}", PLEASE_REPORT)
    desk.out.flush()
    desk.err.flush()
    failure = desk.out.failure
    if failure and not isinstance(failure, BrokenPipeError):
        desk.complain(b"standard output", failure)
    return desk.status


def parse(arguments: Sequence[str], options: Options) -> str | None:
    """Write what ARGUMENTS ask for into OPTIONS; return the text of --help and --version."""
    if read_options(arguments, options):
        return None
    from kvm_export_hook import parser

    return parser.parse(arguments, options)


def run(desk: Desk) -> None:
    """Judge what was asked for, and print the findings."""
    options, output = desk.options, desk.out
    if options.list:
        list_exports(desk)
        return
    results = judge_source(desk)
    find_users = None
    if options.users:
        from kvm_export_hook.sources.locate import find_tree
        from kvm_export_hook.users.search import find_result_users

        here = find_tree(get_srctree(options))
        results, find_users = find_result_users(results, here, desk.say_if_slow)
    elif options.fix or options.diff:
        from kvm_export_hook import fix

        if options.fix:
            results = fix.rewrite(results, desk.complain)
        else:
            results, output = fix.print_patches(results, choose_patch_writer(desk.out)), desk.err
    first = next(results, None)
    if first or prints_when_clean(options.format):
        print_report(chain(first, results), desk, output, find_users)
    if not desk.has_met_anything:
        desk.note(b"", NOTHING_CHECKED)


def prints_when_clean(name: str) -> bool:
    """Whether the format NAME prints anything where nothing was found."""
    if name == "text":  # which the clean run of a hook has, and needs no table for
        return False
    from kvm_export_hook.report.formats import FORMATS

    return FORMATS[name].prints_when_clean


def judge_source(desk: Desk) -> Iterator[Result]:
    """Choose the source and judge it; the findings decide the status, whoever reads them."""
    if desk.options.patch is not None:
        results = judge_patch(desk.options.patch, desk)
    elif desk.options.judges_changes:
        results = judge_git(desk)
    else:
        results = judge_inputs(read_worktree(desk), desk)
    for result in results:
        desk.status = max(desk.status, FOUND)
        yield result


def judge_inputs(inputs: Iterable[Input], desk: Desk) -> Iterator[Result]:
    """Judge INPUTS; yield the results that have findings."""
    for input_ in inputs:
        desk.has_met_anything = True
        try:
            suspects = scan.find_suspects(input_.text, input_.facts.allowlist)
            if not suspects:
                continue
            from kvm_export_hook.rules.judge import Result, judge

            findings = judge(input_.text, suspects, input_.facts, input_.first_line)
            first = next(findings, None)
            if first:
                yield Result(input_, chain(first, findings))
        except MemoryError:
            desk.complain(input_.path, OSError(None, NO_MEMORY))


def read_worktree(desk: Desk) -> Iterator[Input]:
    """Read the files that were asked for."""
    trees = worktree.Trees(desk.learn, desk.complain, desk.note)
    paths = map(os.fsencode, desk.options.paths)
    return worktree.read_inputs(paths, get_srctree(desk.options), trees, desk.complain)


def judge_patch(name: str, desk: Desk) -> Iterator[Result]:
    """Judge what the patch NAME adds."""
    from kvm_export_hook.rules.judge import Result, judge
    from kvm_export_hook.sources import patch
    from kvm_export_hook.sources.locate import find_tree

    shown = b"standard input" if name == "-" else os.fsencode(name)
    srctree = get_srctree(desk.options)
    if srctree is not None and not os.path.isdir(srctree):
        desk.complain(srctree, OSError(None, "no such directory: name a kernel tree"))
        return
    trees = worktree.Trees(desk.learn, desk.complain, desk.note)
    names = set()
    try:
        facts = trees.learn(find_tree(srctree))
        with patch.open_patch(name) as stream:
            for hunk in patch.hunks(stream, shown, desk.complain) if facts.is_enforced else ():
                names.add(hunk.path)
                if not is_in_scope(hunk.path):
                    continue
                desk.has_met_anything = True
                suspects = scan.find_suspects(hunk.text, facts.allowlist)
                if suspects:
                    input_ = hunk.make_input(facts)
                    found = judge(input_.text, suspects, facts, input_.first_line)
                    findings = list(hunk.added_of(found))
                    if findings:
                        yield Result(input_, findings)
    except OSError as error:
        desk.complain(shown, error)
    # Nothing at all to commit is no cause for a remark.
    desk.has_met_anything |= not names


def judge_git(desk: Desk) -> Iterator[Result]:
    """Judge what a change adds that git knows: staged, committed, or since a revision."""
    from kvm_export_hook.sources.process import GitError

    try:
        if desk.options.since is not None:
            yield from judge_since(os.fsencode(desk.options.since), desk)
        else:
            yield from judge_commits(desk)
    except GitError as error:
        desk.status = TROUBLE
        desk.has_met_anything = True
        desk.say("error", os.fsencode(error.reason))


def judge_commits(desk: Desk) -> Iterator[Result]:
    """Judge what the index or each commit adds."""
    from kvm_export_hook.sources.git import Kernel
    from kvm_export_hook.sources.process import GitError

    srctree = get_srctree(desk.options)
    kernel = Kernel(srctree, desk.learn, desk.complain, desk.note)
    if desk.options.staged:
        from kvm_export_hook.sources.index import read_staged

        changes = read_staged(kernel)
    else:
        from kvm_export_hook.sources import ranges

        if desk.options.pre_push:
            # Git names the remote to a hook, also where there is nothing to push.
            is_hook = bool(desk.options.paths and sys.stdin)
            lines = sys.stdin.buffer if sys.stdin else ()
            changes = ranges.read_push(kernel, lines, is_hook)
        else:
            changes = ranges.read_range(kernel, os.fsencode(desk.options.commits or ""))
    if changes is None and srctree is not None:
        raise GitError(NO_KERNEL)
    desk.has_met_anything |= changes is not None
    if changes:
        from kvm_export_hook.changes import judge_changes

        yield from judge_changes(changes, kernel.read_texts)


def judge_since(rev: bytes, desk: Desk) -> Iterator[Result]:
    """Judge what the files that were asked for have and REV does not."""
    from kvm_export_hook.changes import judge_changes
    from kvm_export_hook.sources import baseline
    from kvm_export_hook.sources.git import Kernel

    trees = worktree.Trees(desk.learn, desk.complain, desk.note)
    paths = map(os.fsencode, desk.options.paths)
    found = worktree.find_files(paths, get_srctree(desk.options), trees, desk.complain)
    by_top: dict[bytes, list[File]] = {}
    for file in found:
        by_top.setdefault(file[0], []).append(file)
    for top, files in by_top.items():
        desk.has_met_anything = True
        facts = trees.learn(top)
        if facts.is_enforced:
            kernel = Kernel(top or b".", desk.learn, desk.complain, lambda *_: None)
            change = baseline.read_since(kernel, rev, top, files, facts)
            yield from judge_changes([change], baseline.make_reader(kernel))


def list_exports(desk: Desk) -> None:
    """Print the exports of what was asked for."""
    from kvm_export_hook.report import as_list
    from kvm_export_hook.rules import exports

    options = desk.options
    trees = worktree.Trees(desk.learn, desk.complain, desk.note)
    paths = map(os.fsencode, options.paths)
    found: list[exports.Export] = []
    for input_ in worktree.read_inputs(paths, get_srctree(options), trees, desk.complain):
        desk.has_met_anything = True
        found.extend(exports.list_exports(input_))
    users = {}
    if options.users:
        from kvm_export_hook.users.search import find_export_users

        users = find_export_users(found, trees.facts, desk.say_if_slow)
    audit = as_list.Audit(found, list(trees.facts.values()), options.allow, users)
    write_list = as_list.write_object if options.format == "json" else as_list.write_text
    for part in write_list(found, audit):
        desk.out.write(part)
    if not desk.has_met_anything:
        desk.note(b"", NOTHING_CHECKED)


def print_report(
    results: Iterator[Result],
    desk: Desk,
    output: Output,
    find_users: Callable[[Input], Users] | None,
) -> None:
    """Print RESULTS in the format that was asked for.

    All are judged, and a fix goes on to its end, without a reader, too.
    """
    from importlib import import_module

    from kvm_export_hook.report.formats import FORMATS
    from kvm_export_hook.report.layout import Layout
    from kvm_export_hook.sources.repository import name_in_repository

    row = FORMATS[desk.options.format]
    module = import_module(f"kvm_export_hook.report.{row.module}")
    layout = Layout(
        color=wants_color(desk.options.color, output.stream),
        quiet=desk.options.quiet,
        notes=desk.notes,
        fix_hint=BY_HOOK if os.environ.get("PRE_COMMIT") else BY_COMMAND,
        name_in_repository=name_in_repository,
        find_users=find_users,
    )
    for part in module.report(results, layout):
        output.write(part)


def get_srctree(options: Options) -> bytes | None:
    """Return the kernel tree that was named, if one was."""
    return None if options.srctree is None else os.fsencode(options.srctree)


def chain(first: T | None, rest: Iterator[T]) -> Iterator[T]:
    """Put FIRST, if there was one, back before the REST."""
    if first:
        yield first
    yield from rest


def choose_patch_writer(output: Output) -> Callable[[bytes], None]:
    """Choose how to print a line of a patch: byte for byte, but nothing that drives a terminal."""
    if not (output.stream and output.stream.isatty()):
        return output.write_bytes
    from kvm_export_hook.report.escape import make_printable

    return lambda line: output.write(make_printable(line[:-1]) + "\n")


def wants_color(choice: str, stream: TextIO | None) -> bool:
    """Whether to colour: as CHOICE says, or the environment, or where a person looks on."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
