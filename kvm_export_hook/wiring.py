# SPDX-License-Identifier: MIT
"""Wires what a clean run does not need: git and patches as sources, the list, the reports.

For ``cli``, which has the rest; apart from it, so that a clean commit need not load it.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from itertools import chain

from kvm_export_hook.report.formats import FORMATS
from kvm_export_hook.report.layout import Layout
from kvm_export_hook.rules import scan
from kvm_export_hook.sources import worktree
from kvm_export_hook.sources.repository import name_in_repository
from kvm_export_hook.sources.scope import is_in_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from kvm_export_hook.cli import Desk, Output
    from kvm_export_hook.rules.judge import Result
    from kvm_export_hook.sources import Input
    from kvm_export_hook.sources.locate import File
    from kvm_export_hook.users.lookup import Users
    from kvm_export_hook.users.search import SayIfSlow

    FindUsers = Callable[[Input], Users]

NO_KERNEL = "found no KVM directory in the kernel that --srctree names: name the kernel's top"

BY_COMMAND = "kvm-export-hook --fix PATH rewrites what it safely can.\n"
BY_HOOK = "The hook kvm-exports-fix rewrites what it safely can.\n"


def judge_change(desk: Desk) -> Iterator[Result]:
    """Judge what a patch adds, or a change that git knows."""
    if desk.options.patch is not None:
        return judge_patch(desk.options.patch, desk)
    return judge_git(desk)


def judge_patch(name: str, desk: Desk) -> Iterator[Result]:
    """Judge what the patch NAME adds."""
    from kvm_export_hook.rules.judge import Result, judge
    from kvm_export_hook.sources import patch
    from kvm_export_hook.sources.locate import find_tree

    shown = b"standard input" if name == "-" else os.fsencode(name)
    srctree = desk.srctree
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
        desk.give_up(error.reason)


def judge_commits(desk: Desk) -> Iterator[Result]:
    """Judge what the index or each commit adds."""
    from kvm_export_hook.sources.git import Kernel
    from kvm_export_hook.sources.process import GitError

    srctree = desk.srctree
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
    found = worktree.find_files(paths, desk.srctree, trees, desk.complain)
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
    for input_ in worktree.read_inputs(paths, desk.srctree, trees, desk.complain):
        desk.has_met_anything = True
        found.extend(exports.list_exports(input_))
    users = {}
    if options.users:
        from kvm_export_hook.users.search import find_export_users

        users = find_export_users(found, trees.facts, choose_progress(desk))
    audit = as_list.Audit(found, list(trees.facts.values()), options.allow, users)
    write_list = as_list.write_object if options.format == "json" else as_list.write_text
    for part in write_list(found, audit):
        desk.out.write(part)


def use_results(
    results: Iterator[Result], desk: Desk
) -> tuple[Iterator[Result], Output, FindUsers | None]:
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
    output: Output,
    find_users: FindUsers | None,
) -> None:
    """Print FIRST and the REST in the format that was asked for.

    All are judged, and a fix goes on to its end, without a reader, too.
    """
    row = FORMATS[desk.options.format]
    if not (first or row.prints_when_clean):
        return
    module = import_module(f"kvm_export_hook.report.{row.module}")
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


def choose_progress(desk: Desk) -> SayIfSlow:
    """Choose what says a remark where something takes over a second, and a person looks on."""
    from kvm_export_hook.users.progress import say_later

    stream = desk.err.stream
    if stream is None or not stream.isatty():
        return lambda _: say_later(None)
    return lambda remark: say_later(lambda: desk.say("", b"", remark))


def choose_patch_writer(output: Output) -> Callable[[bytes], None]:
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
