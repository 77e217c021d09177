# SPDX-License-Identifier: MIT
"""The working tree against a revision: ``--since``.

``REV`` means that commit, ``REV...`` the commit where HEAD left REV. All files of KVM are
compared, but only those that were named are reported.
"""

from __future__ import annotations

import os

from kvm_export_hook.files.locate import explain_absence, make_relative
from kvm_export_hook.files.look import exists
from kvm_export_hook.files.walk import list_kvm_directories, visit
from kvm_export_hook.files.worktree import read_file
from kvm_export_hook.git.compare import Tree, compare
from kvm_export_hook.git.entries import LS_FILES, RAW, Entry, parse_raw
from kvm_export_hook.git.places import check_places
from kvm_export_hook.git.process import GitError, make_environment, run_git
from kvm_export_hook.rules.scope import is_below
from kvm_export_hook.values import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from kvm_export_hook.changes.state import Change, ReadTexts
    from kvm_export_hook.files.walk import SourceFile
    from kvm_export_hook.git.repository import Repository
    from kvm_export_hook.rules.facts import Facts

# After a revision: where HEAD left it.
SINCE_LEFT = b"..."
NAMES_OF_HEAD = (b"HEAD", b"@")

# Used as the id of a file on this disk; and the entry of one that is new.
ON_DISK = b"on-disk"
ADDED = b"000000 100644 absent on-disk A"


def read_since(
    repository: Repository,
    rev: bytes,
    top: bytes,
    files: Sequence[SourceFile],
    facts: Facts,
    directories: Sequence[bytes] | None = None,
) -> Change:
    """Read what FILES, of the tree at TOP with these FACTS, have that REV does not.

    All KVM files that differ are compared: an export that was moved from another file is
    not new. Only FILES are reported. DIRECTORIES are given if old texts are reported,
    too: then so is every file that is or was below these. Raises GitError.
    """
    shown = {name: path for _, name, path, _ in files}
    paths = set(shown.values())
    named = {name for _, name, _, is_named in files if is_named}

    def make_text(name: bytes, _: bytes) -> Text:
        path = shown.get(name) or os.path.join(top, name)
        return Text(name, path, (path,), top, is_named=name in named)

    def list_files() -> list[tuple[bytes, bytes]]:
        walked = visit(list_kvm_directories(top), repository.complain)
        return [(name, ON_DISK) for name in sorted({name for _, name, _, _ in walked} | {*shown})]

    commit = find_baseline(repository, rev)
    check_places(repository, [commit])
    old = repository.find_tree(commit, repository.read_facts_of(repository.name_facts(commit)))
    if directories is not None:
        old.make_text = lambda name, id_: Text(
            name, shown.get(name) or make_shown_path(top, name), id_, top
        )
    entries = list_differing(repository, commit, top, shown)
    change = compare(Tree(facts, list_files, make_text), [old], [entries])
    change.is_reported = lambda path: (
        path in paths or any(is_below(path, each) for each in directories or ())
    )
    return change


def make_shown_path(top: bytes, name: bytes) -> bytes:
    """Return the path that a walk shows for the file NAME of the tree at TOP; it may be gone."""
    return make_relative(os.path.abspath(os.path.join(top, name)), os.getcwdb())


def find_baseline(repository: Repository, rev: bytes) -> bytes:
    """Return the id of the commit, or of an empty tree, that REV names as a baseline.

    ``REV...`` means the commit where HEAD left REV. Before the first commit, HEAD means an
    empty tree. Raises GitError.
    """
    name = rev.removesuffix(SINCE_LEFT)
    names = [b"HEAD", name or b"HEAD"] if rev.endswith(SINCE_LEFT) else [rev]
    found = repository.objects.find_commits(names) if rev else [None]
    empty = repository.find_empty_tree() if found[0] is None and names[0] in NAMES_OF_HEAD else None
    if empty:
        return empty
    commits = [id_ for id_ in found if id_]
    if len(commits) < len(found):
        raise GitError(f"{os.fsdecode(name)!r} does not name a commit: check the name")
    if len(commits) == 1:
        return commits[0]
    base = repository.ask(b"merge-base", *commits)
    if base is None:
        raise GitError(f"HEAD and {os.fsdecode(name)!r} have no commit in common: name another")
    return base.strip()


def list_differing(
    repository: Repository, commit: bytes, top: bytes, named: Iterable[bytes]
) -> list[Entry]:
    """List which files of the tree at TOP differ from COMMIT.

    Those of NAMED that git does not track, or does not look at, count as differing.
    """
    environment = repository.environment or make_environment()
    if repository.worktree and b"GIT_DIR" in environment:
        # In the hook of a linked worktree, git takes any current directory for the top.
        environment[b"GIT_WORK_TREE"] = repository.worktree
    command = (b"diff-index", *RAW, commit, *repository.pathspec)
    listed = run_git(*command, directory=repository.directory, environment=environment)
    fields = listed.split(b"\0")
    differing = repository.select_texts(parse_raw(fields, repository.prefix))
    for entry in differing:
        if not exists(os.path.join(top, entry.name)):
            entry.status = b"D"
    watched, unwatched = list_tracked(repository)
    unknown = set(named) - watched - {each.name for each in differing}
    # Where git sees no difference, the old file is the one in the index.
    return differing + [make_entry(name, unwatched.get(name)) for name in sorted(unknown)]


def make_entry(name: bytes, old_id: bytes | None) -> Entry:
    """Make the entry of a file NAME on the disk, which was a blob OLD_ID, or nothing."""
    before = b"100644 100644 %s %s M" % (old_id, ON_DISK) if old_id else ADDED
    return Entry(before, name)


def list_tracked(repository: Repository) -> tuple[set[bytes], dict[bytes, bytes]]:
    """List the names in the index, and the ids of those that git does not look at on the disk.

    Git does not look at files with ``--assume-unchanged`` or ``--skip-worktree``.
    """
    watched, unwatched = set(), {}
    for line in repository.run(*LS_FILES, b"-v", *repository.pathspec).split(b"\0")[:-1]:
        fields, _, path = line.partition(b"\t")
        tag, _, id_, _ = fields.split(b" ")
        if tag == b"H":
            watched.add(path[len(repository.prefix) :])
        else:
            unwatched[path[len(repository.prefix) :]] = id_
    return watched, unwatched


def make_reader(repository: Repository) -> ReadTexts:
    """Make the reader of texts by their ids: the id of a blob, or a tuple of a path on disk."""

    def read_texts(ids: Sequence[Hashable]) -> Iterator[tuple[Hashable, bytes]]:
        for id_ in ids:
            if isinstance(id_, tuple):
                (path,) = id_
                try:
                    yield id_, read_file(path)
                except OSError as error:
                    repository.complain(path, explain_absence(path, error))
        yield from repository.read_texts([id_ for id_ in ids if isinstance(id_, bytes)])

    return read_texts
