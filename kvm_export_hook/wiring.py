# SPDX-License-Identifier: MIT
"""Wires git and patches as sources: for ``cli``, which need not load it for files."""

from __future__ import annotations

import os
import sys

from kvm_export_hook.rules import scan
from kvm_export_hook.sources import worktree
from kvm_export_hook.sources.scope import is_in_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kvm_export_hook.cli import Desk
    from kvm_export_hook.rules.judge import Result
    from kvm_export_hook.sources.locate import File

NO_KERNEL = "found no KVM directory in the kernel that --srctree names: name the kernel's top"


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
