# SPDX-License-Identifier: MIT
"""A revision as a baseline for the working tree: ``--since``."""

from __future__ import annotations

import os

from kvm_export_hook.changes.added import choose_old_facts
from kvm_export_hook.changes.state import Change, State, Text
from kvm_export_hook.files.look import can_see
from kvm_export_hook.files.walk import list_kvm_directories, visit
from kvm_export_hook.files.worktree import read_file
from kvm_export_hook.git.objects import find_commits, get_content
from kvm_export_hook.git.process import GitError, make_environment, run_git
from kvm_export_hook.git.repository import LS_FILES, RAW, Repository, parse_raw
from kvm_export_hook.rules.facts import FACT_FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from kvm_export_hook.changes.state import ReadTexts
    from kvm_export_hook.files.walk import SourceFile
    from kvm_export_hook.rules.facts import Facts


def read_since(
    repository: Repository, rev: bytes, top: bytes, files: Sequence[SourceFile], new: Facts
) -> Change:
    """Read what FILES, of the tree at TOP with the facts NEW, have that REV does not.

    All KVM files that differ are compared: what was moved from another file is
    not new. Only FILES are reported. Raises GitError.
    """
    commit = find_commit(repository, rev)
    fact_files = [commit + b":" + repository.prefix + name for name in FACT_FILES]
    contents = [get_content(each) for each in repository.read(fact_files)]
    old = choose_old_facts(new, repository.find_facts(contents))
    shown = {name: path for _, name, path, _ in files}
    named = {name for _, name, _, is_named in files if is_named}
    if new == old:
        names, old_files = list_differing(repository, commit, top, shown)
    else:
        walked = visit(list_kvm_directories(top), repository.complain)
        names = {name for _, name, _, _ in walked} | shown.keys()
        old_files = repository.list_tree(commit)
    paths = [(name, shown.get(name) or os.path.join(top, name)) for name in sorted(names)]
    texts = [Text(name, path, (path,), 1, top, name in named) for name, path in paths]
    olds = [State(old, repository.make_texts(old_files))]
    return Change(None, State(new, texts), olds, frozenset(shown))


def find_commit(repository: Repository, rev: bytes) -> bytes:
    """Return the id of the commit that REV names. Raises GitError."""
    found = find_commits([rev], repository.directory)[0] if rev else None
    if found is None:
        raise GitError(f"{os.fsdecode(rev)!r} does not name a commit: check the name")
    return found


def list_differing(
    repository: Repository, commit: bytes, top: bytes, named: Iterable[bytes]
) -> tuple[set[bytes], list[tuple[bytes, bytes]]]:
    """List what differs from COMMIT: the names that are on this disk, and the old ids and names.

    Of NAMED, those that git does not track, or does not look at, count as differing.
    """
    environment = make_environment()
    if repository.worktree and b"GIT_DIR" in environment:
        # In the hook of a linked worktree git takes any directory for the top.
        environment[b"GIT_WORK_TREE"] = repository.worktree
    command = (b"diff-index", *RAW, commit, *repository.pathspec)
    listed = run_git(*command, directory=repository.directory, environment=environment)
    texts, _ = repository.select_texts(parse_raw(listed.split(b"\0"), repository))
    watched, unwatched = list_tracked(repository)
    differing = {each.name for each in texts}
    unknown = set(named) - watched - differing
    present = {name for name in differing if can_see(os.path.join(top, name))}
    old_files = [(each.old_id, each.name) for each in texts if each.was_file]
    # Where git sees no difference, the old file is that of the index.
    old_files += [(unwatched[name], name) for name in unknown if name in unwatched]
    return present | unknown, old_files


def list_tracked(repository: Repository) -> tuple[set[bytes], dict[bytes, bytes]]:
    """List the names of the index, and the ids of those that git does not look at on the disk.

    Git trusts what ``git update-index`` was told with ``--assume-unchanged`` or
    ``--skip-worktree``.
    """
    watched, unwatched = set(), {}
    for line in repository.run(*LS_FILES, b"-v", *repository.pathspec).split(b"\0")[:-1]:
        fields, _, path = line.partition(b"\t")
        tag, _, id_, _ = fields.split(b" ")
        if tag == b"H":
            watched.add(repository.strip(path))
        else:
            unwatched[repository.strip(path)] = id_
    return watched, unwatched


def make_reader(repository: Repository) -> ReadTexts:
    """Make what reads texts by their ids: a tuple of the path of a file here, or a blob's."""

    def read_texts(ids: Sequence[Hashable]) -> Iterator[tuple[Hashable, bytes]]:
        for id_ in ids:
            if isinstance(id_, tuple):
                (path,) = id_
                try:
                    yield id_, read_file(path)
                except OSError as error:
                    repository.complain(path, error)
        yield from repository.read_texts([id_ for id_ in ids if isinstance(id_, bytes)])

    return read_texts
