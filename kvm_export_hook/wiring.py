# SPDX-License-Identifier: MIT
"""Wires git and patches as sources: for ``cli``, which need not load it for files."""

from __future__ import annotations

import os
import sys

from kvm_export_hook.sources import worktree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kvm_export_hook.reporting import Desk
    from kvm_export_hook.rules.judge import Result
    from kvm_export_hook.sources.locate import File
    from kvm_export_hook.sources.states import Change

NO_KERNEL = "the --srctree directory has no virt/kvm or arch/x86/kvm: name the top of a kernel"


def judge_change(desk: Desk) -> Iterator[Result]:
    """Judge what a patch adds, or a change that git knows."""
    if desk.options.patch is not None:
        return judge_patch(desk.options.patch, desk)
    return judge_git(desk)


def judge_patch(name: str, desk: Desk) -> Iterator[Result]:
    """Judge what the patch NAME adds."""
    from kvm_export_hook.changes import judge_changes
    from kvm_export_hook.sources import patch
    from kvm_export_hook.sources.locate import find_tree, is_directory
    from kvm_export_hook.sources.series import Series

    def judge(change: Change) -> Iterator[Result]:
        return judge_changes([change], patch.yield_texts)

    shown = b"standard input" if name == "-" else os.fsencode(name)
    trees = worktree.Trees(desk.learn, desk.complain, desk.note)
    try:
        top = find_tree(desk.srctree)
        if not is_directory(top or b"."):
            raise OSError(None, "no such directory: name a kernel tree")
    except OSError as error:
        desk.complain(desk.srctree or b".", error)
        return
    try:
        series = Series(top, trees.learn(top), desk.learn)
        patches = patch.Patches(shown, series, judge, desk.complain)
        with patch.open_patch(name) as stream:
            yield from patches.judge(stream)
        if patches.is_empty:
            desk.note(shown, patch.IS_EMPTY)
        desk.has_met_anything |= patches.names_kvm
    except OSError as error:
        desk.complain(shown, error)


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
    except OSError as error:
        desk.complain(error.filename, error)


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
