# SPDX-License-Identifier: MIT
"""The command: argv to exit status.

A clean commit is the normal case and must be fast: modules that only a suspect or an
option needs are imported where they are used.
"""

from __future__ import annotations

import os
import sys

from kvm_export_hook.files import worktree
from kvm_export_hook.options import PROGRAM, Options, read_options
from kvm_export_hook.rules import scan
from kvm_export_hook.run import FOUND, NO_MEMORY, TROUBLE, Run, describe_fault

INTERRUPTED = "interrupted"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NoReturn

    from kvm_export_hook.files.walk import SourceFile
    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.run import T
    from kvm_export_hook.values import Result


def start() -> NoReturn:
    """Run the command as a process, and end it without Python's clean-up.

    That saves a quarter of a bare start of Python. ``main`` has flushed all output.
    """
    os._exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command on ARGV, by default the process's own; return its exit status."""
    run = Run(Options())
    fault = ""
    try:
        arguments = sys.argv[1:] if argv is None else argv
        wrong = read_options(arguments, run.options)
        if wrong:
            refuse(wrong, run)
        elif run.options.help or run.options.version:
            print_usage(run)
        else:
            do(run)
    except KeyboardInterrupt:
        fault = INTERRUPTED
    except Exception as error:  # noqa: BLE001
        # A traceback would end with 1, as if this were a finding.
        fault = describe_fault(error)
    if fault:  # reported here, when the memory of the failed work is free again
        give_up(run, fault)
    run.out.flush()
    run.err.flush()
    failure = run.out.failure
    if failure and not isinstance(failure, BrokenPipeError):
        run.complain(b"standard output", failure)
    return run.status


def give_up(run: Run, fault: str) -> None:
    """Report the FAULT, even if the modules for that cannot be loaded."""
    try:
        run.give_up(fault)
    except Exception:  # noqa: BLE001
        run.err.write(f"{PROGRAM}: error: {ascii(fault)[1:-1]}\n")


def refuse(wrong: str, run: Run) -> None:
    """Say what is WRONG with the command line."""
    from kvm_export_hook.usage import add_guess

    run.status = TROUBLE
    run.say("error", os.fsencode(add_guess(wrong)), "see --help")


def print_usage(run: Run) -> None:
    """Print what --help or --version ask for."""
    from kvm_export_hook import usage

    run.out.write(usage.write_help() if run.options.help else usage.VERSION)


def do(run: Run) -> None:
    """Print the list or the report that was asked for."""
    if run.options.format != "text":
        from kvm_export_hook.report.formats import FORMATS

        run.prints_notes = FORMATS[run.options.format].notes_on_stderr
    if run.options.list:
        from kvm_export_hook import show

        show.print_list(run)
    else:
        report_findings(run)


def report_findings(run: Run) -> None:
    """Check what was asked for, and print or fix what was found."""
    if run.options.judges_changes:
        from kvm_export_hook import check

        results = check.check_change(run, check.find_findings)
    else:
        results = check_files(run)
    results = run.read_all(results, FOUND)
    if run.options.users:
        from kvm_export_hook import show

        show.prepare_users(run)
    first = next(results, None)
    if first or run.options.format != "text":
        from kvm_export_hook import show

        show.print_report(first, results, run)


def check_files(run: Run) -> Iterator[Result]:
    """Check the files that were asked for; every finding in them counts."""
    trees = worktree.KnownTrees(run.read_facts, run.complain, run.note)
    paths = map(os.fsencode, run.options.paths)
    for file, content, facts in worktree.read_files(paths, run.srctree, trees, run.complain):
        run.has_met_anything = True
        result = check_file(file, content, facts, run)
        del content  # frees its memory for the next one
        if result:
            yield result


def check_file(file: SourceFile, content: bytes, facts: Facts, run: Run) -> Result | None:
    """Check the CONTENT of FILE; return the result if it has findings."""
    try:
        suspects = scan.find_suspects(content, facts.listed)
        if not suspects:
            return None
        from kvm_export_hook.rules.fit import fit_facts
        from kvm_export_hook.rules.judge import judge
        from kvm_export_hook.values import Result

        text = worktree.make_file_text(file)
        findings = judge(content, suspects, fit_facts(facts, text.name))
        first = next(findings, None)
        return Result(text, content, facts, chain(first, findings)) if first else None
    except MemoryError:
        suspects = ()  # frees the most memory, so that the error can be reported
    _, _, path, _ = file
    run.complain(path, OSError(None, NO_MEMORY))
    return None


def chain(first: T, rest: Iterator[T]) -> Iterator[T]:
    """Put FIRST back before the REST."""
    yield first
    yield from rest
