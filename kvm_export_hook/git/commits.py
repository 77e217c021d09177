# SPDX-License-Identifier: MIT
"""Commits as a source: each against its parents, for ``--commits`` and ``--pre-push``."""

from __future__ import annotations

import os

from kvm_export_hook.changes.added import choose_old_facts
from kvm_export_hook.git.objects import get_content
from kvm_export_hook.git.process import Git, read_fields
from kvm_export_hook.git.repository import KINDS, RAW, Entry
from kvm_export_hook.rules.facts import FACT_FILES
from kvm_export_hook.values import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kvm_export_hook.changes.state import Change
    from kvm_export_hook.git.repository import Repository
    from kvm_export_hook.rules.facts import Facts

    # How git reads the fact files of a state, in the order of FACT_FILES.
    Names = tuple[bytes, ...]

# A merge is compared with each parent, whatever log.diffMerges says.
LOG = (
    b"-c",
    b"log.diffMerges=separate",
    b"log",
    b"-m",
    b"--full-history",
    b"--root",
    b"--reverse",
    b"--topo-order",
    b"--encoding=UTF-8",
    b"--no-color",
    b"--no-notes",
    b"--no-show-signature",
    b"--no-mailmap",
    b"--no-decorate",
    b"--format=tformat:%H%n%P%n%s",
    b"--stdin",
)

SHALLOW_MESSAGE = (
    "cannot be judged: its parent is not here, because the clone is shallow:"
    " run git fetch --unshallow, or fetch deeper"
)


class Commit:
    """A commit of the log that touches KVM: its id, its parents, and what differs from each."""

    __slots__ = ("diffs", "id", "parents", "subject")

    def __init__(self, header: bytes) -> None:
        self.id, parents, subject = header.lstrip(b"\n").split(b"\n", 2)
        self.parents = parents.split()
        self.subject = subject
        self.diffs: list[list[Entry]] = []

    @property
    def changed_facts(self) -> list[dict[bytes, Entry]]:
        """The fact files that differ from each parent."""
        return [
            {each.name: each for each in diff if each.name in FACT_FILES} for diff in self.diffs
        ]


def read_commits(
    repository: Repository, ids: Iterable[bytes], options: Sequence[bytes] = ()
) -> list[Change]:
    """Read the changes of the commits of the range IDS that touch KVM, parents first.

    An excluded id has ``^`` before it. OPTIONS are more arguments for ``git
    log``. Raises GitError.
    """
    commits = [commit for commit in read_log(repository, ids, options) if adds_anything(commit)]
    commits = drop_shallow(repository, commits)
    suspects = [
        commit.id
        for commit in commits
        if any(each.is_gone for diff in commit.diffs for each in diff)
    ]
    refuse_hiding_entries(repository, suspects)
    changes = list(make_changes(repository, commits))
    repository.refuse_links()
    return changes


def read_log(
    repository: Repository, ids: Iterable[bytes], options: Sequence[bytes]
) -> Iterator[Commit]:
    """Yield the commits of the range IDS that touch KVM, each with all its diffs."""
    commit: Commit | None = None
    arguments = [*LOG, *RAW, *options, *repository.pathspec]
    listed = b"".join(id_ + b"\n" for id_ in ids)
    with Git(*arguments, directory=repository.directory, stdin=listed) as git:
        fields = (field for field in read_fields(git.output) if field.strip(b"\n"))
        for field in fields:
            if field.startswith((b"\n:", b":")):
                assert commit
                commit.diffs[-1].append(Entry(field, repository.strip(next(fields))))
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
    return len(commit.diffs) >= max(len(commit.parents), 1)


def drop_shallow(repository: Repository, commits: list[Commit]) -> list[Commit]:
    """Drop the commits that look like the first one only because the clone is shallow.

    Complains of each: what it adds cannot be known.
    """
    roots = [commit for commit in commits if not commit.parents]
    dropped = []
    for found, commit in zip(repository.read([root.id for root in roots]), roots, strict=True):
        if found and b"\nparent " in found[1].partition(b"\n\n")[0]:
            dropped.append(commit)
            repository.complain(b"commit " + commit.id[:12], OSError(None, SHALLOW_MESSAGE))
    return [commit for commit in commits if commit not in dropped]


def check_directories(repository: Repository, tips: Sequence[bytes]) -> bool:
    """Return whether one of the commits TIPS has a KVM directory.

    Complains of what stands in the place of one that a tip does not have.
    """
    names = [(tip, name) for tip in tips for name in repository.name_directories(tip)]
    found = list(repository.read([name for _, name in names]))
    lacking = dict.fromkeys(
        tip for (tip, _), tree in zip(names, found, strict=True) if tree is None
    )
    refuse_hiding_entries(repository, list(lacking))
    return any(found)


def refuse_hiding_entries(repository: Repository, commits: Sequence[bytes]) -> None:
    """Complain of what COMMITS have in the place of a directory above KVM's."""
    paths = [(id_, path) for id_ in commits for path in repository.paths_above]
    trees = [id_ + b":" + os.path.dirname(path) for id_, path in paths]
    for found, (id_, path) in zip(repository.read(trees), paths, strict=True):
        for mode, reason in KINDS.items():
            # As a tree has it: the mode, the name, a NUL, the bytes of the id.
            entry = mode + b" " + os.path.basename(path) + b"\0"
            if found and found[0] == b"tree" and entry in found[1]:
                repository.refuse_path(path, b"", reason, id_)


def make_changes(repository: Repository, commits: Sequence[Commit]) -> Iterator[Change]:
    """Make the change of each of COMMITS."""
    from kvm_export_hook.changes.state import Change, State

    names = name_facts(repository, commits)
    facts = read_all(repository, names)
    for commit, (new_names, old_names) in zip(commits, names, strict=True):
        new = facts[new_names]
        repository.note_facts(b"commit " + commit.id[:12], new)
        olds = [choose_old_facts(new, facts[each]) for each in old_names]
        parts = [repository.select_texts(diff, commit.id)[0] for diff in commit.diffs]
        if any(old != new for old in olds):
            new_files = repository.list_tree(commit.id, is_new=True)
            old_files = [repository.list_tree(parent) for parent in commit.parents]
        else:
            new_files, old_files = list_differing_files(parts)
        origin = Origin(commit.id.decode(), commit.subject.decode("utf-8", "backslashreplace"))
        yield Change(
            origin,
            State(new, repository.make_texts(new_files)),
            [
                State(old, repository.make_texts(files))
                for old, files in zip(olds, old_files, strict=True)
            ],
        )


def name_facts(
    repository: Repository, commits: Sequence[Commit]
) -> list[tuple[Names, list[Names]]]:
    """Name the fact files of each of COMMITS and of its parents, as git reads them.

    What a commit does not change is what its first parent has; where that is
    not among COMMITS, ``COMMIT:path``.
    """
    known: dict[bytes, Names] = {}
    named = []
    for commit in commits:
        changed = commit.changed_facts
        inherited = known.get(commit.parents[0]) if commit.parents else None
        here = inherited or tuple(
            commit.id + b":" + repository.prefix + name for name in FACT_FILES
        )
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
        named.append((new, olds))
    return named


def read_all(
    repository: Repository, named: Sequence[tuple[Names, list[Names]]]
) -> dict[Names, Facts]:
    """Read the facts that have been NAMED."""
    pairs = dict.fromkeys(pair for new, olds in named for pair in (new, *olds))
    objects = list(dict.fromkeys(name for pair in pairs for name in pair))
    contents: dict[bytes, bytes | None] = {}
    same: dict[bytes | None, bytes | None] = {}  # keeps equal ones in memory once
    for found, name in zip(repository.read(objects), objects, strict=True):
        content = get_content(found)
        contents[name] = same.setdefault(content, content)
    return {pair: repository.find_facts([contents[name] for name in pair]) for pair in pairs}


def list_differing_files(
    diffs: Sequence[Sequence[Entry]],
) -> tuple[list[tuple[bytes, bytes]], list[list[tuple[bytes, bytes]]]]:
    """List the id and the name of each file that differs from any parent: now, and in each.

    What does not differ from one parent is there as it is now.
    """
    now: dict[bytes, bytes | None] = {}
    for diff in diffs:
        for each in diff:
            now[each.name] = None if each.is_gone else each.new_id
    olds = []
    for diff in diffs:
        old = dict(now)
        for each in diff:
            old[each.name] = each.old_id if each.was_file else None
        olds.append([(id_, name) for name, id_ in old.items() if id_])
    return [(id_, name) for name, id_ in sorted(now.items()) if id_], olds
