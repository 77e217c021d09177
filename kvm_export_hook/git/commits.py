# SPDX-License-Identifier: MIT
"""Commits as a source: each against its parents, for ``--commits`` and ``--pre-push``."""

from __future__ import annotations

from kvm_export_hook.changes.state import LONGEST_SUBJECT
from kvm_export_hook.git.compare import compare
from kvm_export_hook.git.elsewhere import refuse_commits_elsewhere
from kvm_export_hook.git.entries import Entry
from kvm_export_hook.git.places import check_each
from kvm_export_hook.git.process import read_fields
from kvm_export_hook.rules.scope import FACT_FILES, KVM_DIRECTORIES, is_below
from kvm_export_hook.values import SHORT_ID, Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kvm_export_hook.changes.state import Change
    from kvm_export_hook.git.repository import Repository

    # How git reads the fact files of a state, in the order of FACT_FILES.
    FactNames = tuple[bytes, ...]

# The id of no tree: what comes before the first commit.
NO_TREE = b"0" * 40

SHALLOW_MESSAGE = (
    "cannot be judged: its parent is not here, because the clone is shallow:"
    " run git fetch --unshallow, or fetch deeper"
)


class Commit:
    """A commit that touches KVM: its id, its parents, and what differs from each parent."""

    __slots__ = ("diffs", "id", "parents", "subject")

    def __init__(self, header: bytes) -> None:
        self.id, parents, subject = header.lstrip(b"\n").split(b"\n", 2)
        self.parents = parents.split()
        self.subject = subject
        self.diffs: list[list[Entry]] = []


def read_commits(
    repository: Repository, ids: Sequence[bytes], options: Sequence[bytes] = ()
) -> Iterator[Change]:
    """Yield the changes of the commits of the range IDS that touch KVM, parents first.

    An excluded id has ``^`` before it. OPTIONS are more arguments for ``git
    log``. Raises GitError.
    """
    known: dict[bytes, FactNames] = {}
    lacks_kernel = False
    checked: set[bytes] = set()
    for commit in read_log(repository, ids, options):
        if is_shallow_boundary(repository, commit):
            where = b"commit " + commit.id[:SHORT_ID]
            repository.complain(where, OSError(None, SHALLOW_MESSAGE))
        elif adds_anything(commit):
            states = dict.fromkeys(list_unsure_states(commit))
            unsure = [each for each in states if each not in checked]
            checked.update(unsure)
            lacks_kernel |= not all(check_each(repository, unsure))
            yield make_change(repository, commit, known)
    repository.refuse_links()
    if lacks_kernel:
        refuse_commits_elsewhere(repository, ids, options)


def read_log(
    repository: Repository, ids: Sequence[bytes], options: Sequence[bytes]
) -> Iterator[Commit]:
    """Yield the commits of the range IDS that touch KVM, each with all its diffs."""
    commit: Commit | None = None
    with repository.start_log(ids, *options, *repository.pathspec) as git:
        fields = (field for field in read_fields(git.output) if field.strip(b"\n"))
        for field in fields:
            if field.startswith((b"\n:", b":")):
                assert commit
                commit.diffs[-1].append(Entry(field, next(fields)[len(repository.prefix) :]))
            else:
                following = Commit(field)
                if commit and commit.id != following.id:
                    yield commit
                if commit is None or commit.id != following.id:
                    commit = following
                commit.diffs.append([])
    if commit:
        yield commit


def adds_anything(commit: Commit) -> bool:
    """Whether COMMIT differs from all its parents: a merge that equals one adds nothing."""
    return len(commit.diffs) >= len(commit.parents)


def is_shallow_boundary(repository: Repository, commit: Commit) -> bool:
    """Whether COMMIT looks like the first one only because the clone is shallow."""
    if commit.parents:
        return False
    (found,) = repository.objects.read_all([commit.id])
    return b"\nparent " in found.content.partition(b"\n\n")[0]


def list_unsure_states(commit: Commit) -> Iterator[bytes]:
    """Yield those of COMMIT and its parents in which something may hide KVM's files.

    Such a state lacks all files of a KVM directory that differ, or the diff names the
    directory itself, which then is not a directory in one of them.
    """
    for parent, diff in zip(commit.parents or [commit.id], commit.diffs, strict=True):
        for directory in KVM_DIRECTORIES:
            differing = [each for each in diff if is_below(each.name, directory)]
            inside = [each for each in differing if each.name != directory]
            if differing and all(each.is_gone for each in inside):
                yield commit.id
            if differing and all(each.status == b"A" for each in inside):
                yield parent


def make_change(repository: Repository, commit: Commit, known: dict[bytes, FactNames]) -> Change:
    """Make the change of COMMIT. KNOWN has the names of the fact files of earlier commits."""
    new_names, old_names = name_facts(repository, commit, known)
    new = repository.read_facts_of(new_names)
    repository.note_facts(b"commit " + commit.id[:SHORT_ID], new)
    parents = commit.parents or [NO_TREE]
    olds = [
        repository.find_tree(parent, repository.read_facts_of(names))
        for parent, names in zip(parents, old_names, strict=True)
    ]
    diffs = [repository.select_texts(diff, commit.id) for diff in commit.diffs]
    subject = commit.subject[:LONGEST_SUBJECT].decode("utf-8", "backslashreplace")
    origin = Origin(commit.id.decode(), subject)
    return compare(repository.find_tree(commit.id, new, is_new=True), olds, diffs, origin)


def name_facts(
    repository: Repository, commit: Commit, known: dict[bytes, FactNames]
) -> tuple[FactNames, list[FactNames]]:
    """Name the fact files of COMMIT and of each of its parents, as git reads them.

    A file that a commit does not change has the name that it has in the first parent: a
    KNOWN one, or else ``PARENT:path``. So states with equal names are read once.
    """
    changed = [
        {each.name: each for each in diff if each.name in FACT_FILES} for diff in commit.diffs
    ]
    first = commit.parents[0] if commit.parents else commit.id
    here = known.get(first) or repository.name_facts(first)
    new = tuple(
        changed[0][name].new_id if name in changed[0] else object_name
        for name, object_name in zip(FACT_FILES, here, strict=True)
    )
    olds = [
        tuple(
            diff[name].old_id if name in diff else object_name
            for name, object_name in zip(FACT_FILES, new, strict=True)
        )
        for diff in changed
    ]
    known[commit.id] = new
    return new, olds
