# SPDX-License-Identifier: MIT
"""Checks a change, from git or from patches. Not needed for plain files."""

from __future__ import annotations

import os
import sys

from kvm_export_hook.files import worktree
from kvm_export_hook.rules import scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kvm_export_hook.changes.state import Change, ReadTexts
    from kvm_export_hook.files.walk import SourceFile
    from kvm_export_hook.git.repository import Repository
    from kvm_export_hook.patch.apply import Base
    from kvm_export_hook.patch.scratch import Scratch
    from kvm_export_hook.patch.series import Series
    from kvm_export_hook.run import Run, T
    from kvm_export_hook.users.commit_tree import CommitTree
    from kvm_export_hook.values import Result

    # Finds something in changes; the first argument reads their texts.
    FindInChanges = Callable[[ReadTexts, Iterable[Change]], Iterator[T]]

NO_KVM_PATCH_MESSAGE = "nothing checked: no patch here changes C source of KVM"
NO_KERNEL_MESSAGE = f"the --srctree directory has no {scope.KVM_SHOWN}: name the top of a kernel"

# There, git has already made the index of the commit, or will make it, and uses no other.
IN_HOOK_MESSAGE = (
    "--staged --fix cannot run in a hook of git commit or git merge: use --staged there, and run"
    " --staged --fix after it"
)


def find_findings(read_texts: ReadTexts, changes: Iterable[Change]) -> Iterator[Result]:
    """Find what CHANGES add."""
    from kvm_export_hook.changes.find import Finder

    return Finder(read_texts).find(changes)


def check_change(run: Run, find: FindInChanges[T]) -> Iterator[T]:
    """Find something in the changes of the source that was asked for: patches, or git."""
    try:
        if run.options.patch is not None:
            yield from check_patches([run.options.patch, *run.options.paths], run, find)
        elif run.options.since is not None:
            yield from check_since(os.fsencode(run.options.since), run, find)
        else:
            yield from check_commits(run, find)
    except OSError as error:
        if error.filename is None:
            raise  # not about a file: git failed, or the machine lacks something
        run.complain(os.fsencode(error.filename), error)


def check_patches(names: Sequence[str], run: Run, find: FindInChanges[T]) -> Iterator[T]:
    """Find something in the patches of the files NAMES, each after those before it."""
    from kvm_export_hook.files.locate import find_tree
    from kvm_export_hook.files.look import is_directory
    from kvm_export_hook.patch.scratch import Scratch

    try:
        top = find_tree(run.srctree)
        if not is_directory(top or b"."):
            raise OSError(None, "no such directory: name a kernel tree")
    except OSError as error:
        run.complain(run.srctree or b".", error)
        return
    with Scratch() as scratch:
        yield from find_in_patches(names, top, scratch, run, find)


def find_in_patches(
    names: Sequence[str], top: bytes, scratch: Scratch, run: Run, find: FindInChanges[T]
) -> Iterator[T]:
    """Find something in the patches of the files NAMES, applied in SCRATCH to the tree at TOP."""
    from kvm_export_hook.patch import base, patches, streams
    from kvm_export_hook.patch.series import Series

    trees = worktree.KnownTrees(run.read_facts, run.complain, run.note)

    def open_tree() -> tuple[Base | None, Series]:
        opened = base.open_base(run, scratch, found.whole)
        facts = opened.facts if opened else trees.read_facts(top)
        return opened, Series(top, facts, run.read_facts)

    def open_whole() -> CommitTree | None:
        return open_newest(found.make_tree(), b"", scratch.path, scratch.environment)

    found = patches.Patches(scratch, open_tree, find, run.complain, run.note)
    sorted_names = streams.sort_by_series(names)
    alone = len(names) == 1
    results = (each for name in sorted_names for each in found.find_in(name, is_alone=alone))
    try:
        if run.users:
            yield from run.users.look_up(results, open_whole)
        else:
            yield from results
    finally:
        found.close()
    run.has_met_anything |= found.names_kvm
    run.note_if_nothing(NO_KVM_PATCH_MESSAGE)


def check_commits(run: Run, find: FindInChanges[T]) -> Iterator[T]:
    """Find something in what the index or each commit changes."""
    from kvm_export_hook.git.process import GitError
    from kvm_export_hook.git.repository import Repository

    with Repository(run.srctree, run.read_facts, run.complain, run.note) as repository:
        changes = read_changes(repository, run)
        if changes is None and run.srctree is not None:
            raise GitError(NO_KERNEL_MESSAGE)
        run.has_met_anything |= changes is not None
        if changes:
            results = find(repository.read_texts, changes)
            if repository.tips and run.users:
                place = (repository.tips[0], repository.prefix, repository.directory)
                results = run.users.look_up(results, lambda: open_newest(*place))
            yield from results


def open_newest(
    tree: bytes | None,
    prefix: bytes,
    directory: bytes,
    environment: dict[bytes, bytes] | None = None,
) -> CommitTree | None:
    """Open the newest TREE that is checked, to search it for users; None if that fails."""
    from kvm_export_hook.git.process import GitError
    from kvm_export_hook.users.commit_tree import CommitTree

    try:
        return CommitTree(tree, prefix, directory, environment) if tree else None
    except GitError:
        return None


def read_changes(repository: Repository, run: Run) -> Iterable[Change] | None:
    """Read the changes that were asked for; None if there is no KVM directory."""
    from kvm_export_hook.git.process import GitError

    if run.options.staged:
        from kvm_export_hook.git.index import read_staged

        if run.options.fix and b"GIT_INDEX_FILE" in os.environb:
            raise GitError(IN_HOOK_MESSAGE)
        return read_staged(repository)
    if not run.options.pre_push:
        from kvm_export_hook.git.ranges import read_range

        return read_range(repository, os.fsencode(run.options.commits or ""))
    from kvm_export_hook.git.push import read_push

    # Git gives a hook the name of the remote, even if there is nothing to push.
    remote = [os.fsencode(path) for path in run.options.paths] if sys.stdin else []
    return read_push(repository, sys.stdin.buffer if sys.stdin else (), remote)


def check_since(rev: bytes, run: Run, find: FindInChanges[T]) -> Iterator[T]:
    """Find something in what changed since REV in the files that were asked for."""
    from kvm_export_hook.files.locate import find_roots
    from kvm_export_hook.git import since
    from kvm_export_hook.git.repository import Repository

    trees = worktree.KnownTrees(run.read_facts, run.complain, run.note)
    paths = list(map(os.fsencode, run.options.paths))
    by_top: dict[bytes, list[SourceFile]] = {}
    for file in worktree.find_source_files(paths, run.srctree, trees, run.complain):
        by_top.setdefault(file[0], []).append(file)
    directories = None
    if run.options.list:  # a dropped export may be in a file that is gone from a directory
        roots = find_roots(paths, run.srctree, lambda *_: None)
        directories = [path for path, is_directory, *_ in roots if is_directory]
    for top, files in by_top.items():
        run.has_met_anything = True
        facts = trees.read_facts(top)
        if facts.is_enforced:
            quiet = (run.read_facts, run.complain, lambda *_: None)
            with Repository(top or b".", *quiet) as repository:
                change = since.read_since(repository, rev, top, files, facts, directories)
                yield from find(since.make_reader(repository), [change])
