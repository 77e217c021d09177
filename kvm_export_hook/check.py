# SPDX-License-Identifier: MIT
"""Chooses the source of a change, git or a patch, and checks it. Plain files need none of this."""

from __future__ import annotations

import os
import sys

from kvm_export_hook.files import worktree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kvm_export_hook.changes.state import Change
    from kvm_export_hook.files.walk import SourceFile
    from kvm_export_hook.run import Run
    from kvm_export_hook.values import Result

NO_KERNEL_MESSAGE = (
    "the --srctree directory has no virt/kvm or arch/x86/kvm: name the top of a kernel"
)


def judge_change(run: Run) -> Iterator[Result]:
    """Judge what a patch adds, or a change that git knows."""
    if run.options.patch is not None:
        return judge_patch(run.options.patch, run)
    return judge_git(run)


def judge_patch(name: str, run: Run) -> Iterator[Result]:
    """Judge what the patch NAME adds."""
    from kvm_export_hook.changes.find import judge_changes
    from kvm_export_hook.files.locate import find_tree
    from kvm_export_hook.files.look import is_directory
    from kvm_export_hook.patch import patches
    from kvm_export_hook.patch.series import Series

    def judge(change: Change) -> Iterator[Result]:
        return judge_changes([change], patches.yield_texts)

    shown = b"standard input" if name == "-" else os.fsencode(name)
    trees = worktree.Trees(run.read_facts, run.complain, run.note)
    try:
        top = find_tree(run.srctree)
        if not is_directory(top or b"."):
            raise OSError(None, "no such directory: name a kernel tree")
    except OSError as error:
        run.complain(run.srctree or b".", error)
        return
    try:
        series = Series(top, trees.read_facts(top), run.read_facts)
        found = patches.Patches(shown, series, judge, run.complain)
        with patches.open_patch(name) as stream:
            yield from found.judge(stream)
        if found.is_empty:
            run.note(shown, patches.IS_EMPTY_MESSAGE)
        run.has_met_anything |= found.names_kvm
    except OSError as error:
        run.complain(shown, error)


def judge_git(run: Run) -> Iterator[Result]:
    """Judge what a change adds that git knows: staged, committed, or since a revision."""
    from kvm_export_hook.git.process import GitError

    try:
        if run.options.since is not None:
            yield from judge_since(os.fsencode(run.options.since), run)
        else:
            yield from judge_commits(run)
    except GitError as error:
        run.give_up(error.reason)
    except OSError as error:
        run.complain(error.filename, error)


def judge_commits(run: Run) -> Iterator[Result]:
    """Judge what the index or each commit adds."""
    from kvm_export_hook.git.process import GitError
    from kvm_export_hook.git.repository import Repository

    srctree = run.srctree
    repository = Repository(srctree, run.read_facts, run.complain, run.note)
    if run.options.staged:
        from kvm_export_hook.git.index import read_staged

        changes = read_staged(repository)
    else:
        from kvm_export_hook.git import ranges

        if run.options.pre_push:
            # Git names the remote to a hook, also where there is nothing to push.
            is_hook = bool(run.options.paths and sys.stdin)
            lines = sys.stdin.buffer if sys.stdin else ()
            changes = ranges.read_push(repository, lines, is_hook)
        else:
            changes = ranges.read_range(repository, os.fsencode(run.options.commits or ""))
    if changes is None and srctree is not None:
        raise GitError(NO_KERNEL_MESSAGE)
    run.has_met_anything |= changes is not None
    if changes:
        from kvm_export_hook.changes.find import judge_changes

        yield from judge_changes(changes, repository.read_texts)


def judge_since(rev: bytes, run: Run) -> Iterator[Result]:
    """Judge what the files that were asked for have and REV does not."""
    from kvm_export_hook.changes.find import judge_changes
    from kvm_export_hook.git import since
    from kvm_export_hook.git.repository import Repository

    trees = worktree.Trees(run.read_facts, run.complain, run.note)
    paths = map(os.fsencode, run.options.paths)
    found = worktree.find_source_files(paths, run.srctree, trees, run.complain)
    by_top: dict[bytes, list[SourceFile]] = {}
    for file in found:
        by_top.setdefault(file[0], []).append(file)
    for top, files in by_top.items():
        run.has_met_anything = True
        facts = trees.read_facts(top)
        if facts.is_enforced:
            repository = Repository(top or b".", run.read_facts, run.complain, lambda *_: None)
            change = since.read_since(repository, rev, top, files, facts)
            yield from judge_changes([change], since.make_reader(repository))
