# SPDX-License-Identifier: MIT
"""Wires the reports, the fix and the list: for ``cli``, once there is something to say."""

from __future__ import annotations

import os
from itertools import chain

from kvm_export_hook.report.formats import FORMATS
from kvm_export_hook.report.layout import Layout
from kvm_export_hook.sources import NO_MEMORY, worktree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol, TextIO

    from kvm_export_hook.options import Options
    from kvm_export_hook.rules.exports import Export
    from kvm_export_hook.rules.judge import Result
    from kvm_export_hook.rules.tree import Facts
    from kvm_export_hook.sources import Input
    from kvm_export_hook.users.lookup import Users
    from kvm_export_hook.users.search import SayIfSlow

    FindUsers = Callable[[Input], Users]

    class Printer(Protocol):
        """What prints to a stream, for as long as that takes it."""

        stream: TextIO | None

        def write(self, text: str) -> None: ...
        def write_bytes(self, data: bytes) -> None: ...

    class Desk(Protocol):
        """What cli.py hands down: the options, where to print, whom to say what to."""

        options: Options
        has_met_anything: bool
        notes: list[tuple[bytes, str]]

        @property
        def out(self) -> Printer: ...
        @property
        def err(self) -> Printer: ...
        @property
        def srctree(self) -> bytes | None: ...
        def learn(self, kvm_types: bytes | None, makefile: bytes | None) -> Facts: ...
        def complain(self, path: bytes, error: OSError) -> None: ...
        def give_up(self, reason: str) -> None: ...
        def note(self, path: bytes, remark: str) -> None: ...
        def say(self, kind: str, subject: bytes, *remarks: str) -> None: ...


PATIENCE = 1.0


BY_COMMAND = "kvm-export-hook --fix PATH rewrites what it safely can.\n"
BY_HOOK = "The hook kvm-exports-fix rewrites what it safely can.\n"


def list_exports(desk: Desk) -> None:
    """Print the exports of what was asked for."""
    from kvm_export_hook.report import as_list

    options = desk.options
    trees = worktree.Trees(desk.learn, desk.complain, desk.note)
    paths = map(os.fsencode, options.paths)
    found: list[Export] = []
    for input_ in worktree.read_inputs(paths, desk.srctree, trees, desk.complain):
        desk.has_met_anything = True
        found.extend(list_input(input_, desk))
    users = {}
    if options.users:
        from kvm_export_hook.users.search import find_export_users

        users = find_export_users(found, trees.facts, choose_progress(desk))
    audit = as_list.Audit(found, list(trees.facts.values()), options.allow, users)
    write_list = as_list.write_object if options.format == "json" else as_list.write_text
    for part in write_list(found, audit):
        desk.out.write(part)


def list_input(input_: Input, desk: Desk) -> list[Export]:
    """List the exports of INPUT_, or complain that there is not enough memory for that."""
    from kvm_export_hook.rules.exports import list_exports

    try:
        return list(list_exports(input_))
    except MemoryError:
        pass  # what the list takes is freed before there is something to say
    desk.complain(input_.path, OSError(None, NO_MEMORY))
    return []


def use_results(
    results: Iterator[Result], desk: Desk
) -> tuple[Iterator[Result], Printer, FindUsers | None]:
    """Fix RESULTS, print the fix as a patch, or find who uses their symbols.

    Returns what is to be reported, where, and what finds the users.
    """
    if desk.options.users:
        from kvm_export_hook.sources.locate import find_tree
        from kvm_export_hook.users.search import find_result_users

        results, find_users = find_result_users(
            results, find_tree(desk.srctree), choose_progress(desk)
        )
        return results, desk.out, find_users
    from kvm_export_hook import fix

    if desk.options.fix:
        return fix.rewrite(results, desk.complain), desk.out, None
    return fix.print_patches(results, choose_patch_writer(desk.out)), desk.err, None


def print_report(
    first: Result | None,
    rest: Iterator[Result],
    desk: Desk,
    output: Printer,
    find_users: FindUsers | None,
) -> None:
    """Print FIRST and the REST in the format that was asked for.

    All are judged, and a fix goes on to its end, without a reader, too.
    """
    row = FORMATS[desk.options.format]
    if not (first or row.prints_when_clean):
        return
    # Not by importlib, which loads as much again as a report.
    module = __import__(f"kvm_export_hook.report.{row.module}", fromlist=["report"])
    layout = Layout(
        color=wants_color(desk.options.color, output.stream),
        quiet=desk.options.quiet,
        notes=desk.notes,
        fix_hint=BY_HOOK if os.environ.get("PRE_COMMIT") else BY_COMMAND,
        name_in_repository=name_in_repository,
        find_users=find_users,
    )
    results = rest if first is None else chain([first], rest)
    for part in module.report(results, layout):
        output.write(part)


def name_in_repository(input_: Input) -> bytes:
    """Spell the path of INPUT_ from the top of its git repository."""
    from kvm_export_hook.sources import repository

    return repository.name_in_repository(input_)


def choose_progress(desk: Desk, patience: float = PATIENCE) -> SayIfSlow:
    """Choose what says a remark where a person looks on, and it takes over PATIENCE seconds."""
    from kvm_export_hook.users.progress import say_later

    stream = desk.err.stream
    if stream is None or not stream.isatty():
        return lambda _: say_later(None, patience)
    return lambda remark: say_later(lambda: desk.say("", b"", remark), patience)


def choose_patch_writer(output: Printer) -> Callable[[bytes], None]:
    """Choose how to print a line of a patch: byte for byte, but nothing that drives a terminal."""
    if not (output.stream and output.stream.isatty()):
        return output.write_bytes
    from kvm_export_hook.escape import make_printable

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
