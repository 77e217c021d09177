# SPDX-License-Identifier: MIT
"""Commits as a source: each against its parents, for ``--commits`` and ``--pre-push``."""

from __future__ import annotations

import os

from kvm_export_hook.rules.change import choose_old_facts
from kvm_export_hook.rules.tree import FACT_FILES
from kvm_export_hook.sources import Origin
from kvm_export_hook.sources.git import KINDS, RAW, Entry
from kvm_export_hook.sources.objects import get_content
from kvm_export_hook.sources.process import Git, read_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kvm_export_hook.rules.tree import Facts
    from kvm_export_hook.sources.git import Kernel
    from kvm_export_hook.sources.states import Change

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

SHALLOW = (
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
    kernel: Kernel, ids: Iterable[bytes], options: Sequence[bytes] = ()
) -> list[Change]:
    """Read the changes of the commits of the range IDS that touch KVM, parents first.

    An excluded id has ``^`` before it. OPTIONS are more arguments for ``git
    log``. Raises GitError.
    """
    commits = [commit for commit in read_log(kernel, ids, options) if adds_anything(commit)]
    commits = drop_shallow(kernel, commits)
    suspects = [
        commit.id
        for commit in commits
        if any(each.is_gone for diff in commit.diffs for each in diff)
    ]
    refuse_what_took_the_place(kernel, suspects)
    changes = list(make_changes(kernel, commits))
    kernel.refuse_links()
    return changes


def read_log(kernel: Kernel, ids: Iterable[bytes], options: Sequence[bytes]) -> Iterator[Commit]:
    """Yield the commits of the range IDS that touch KVM, each with all its diffs."""
    commit: Commit | None = None
    arguments = [*LOG, *RAW, *options, *kernel.pathspec]
    listed = b"".join(id_ + b"\n" for id_ in ids)
    with Git(*arguments, directory=kernel.directory, stdin=listed) as git:
        fields = (field for field in read_fields(git.output) if field.strip(b"\n"))
        for field in fields:
            if field.startswith((b"\n:", b":")):
                assert commit
                commit.diffs[-1].append(Entry(field, kernel.strip(next(fields))))
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


def drop_shallow(kernel: Kernel, commits: list[Commit]) -> list[Commit]:
    """Drop the commits that look like the first one only because the clone is shallow.

    Complains of each: what it adds cannot be known.
    """
    roots = [commit for commit in commits if not commit.parents]
    dropped = set()
    for found, commit in zip(kernel.read([root.id for root in roots]), roots):
        if found and b"\nparent " in found[1].partition(b"\n\n")[0]:
            dropped.add(commit.id)
            kernel.complain(b"commit " + commit.id[:12], OSError(None, SHALLOW))
    return [commit for commit in commits if commit.id not in dropped]


def check_directories(kernel: Kernel, tips: Sequence[bytes]) -> bool:
    """Return whether one of the commits TIPS has a KVM directory.

    Complains of what stands in the place of one that a tip does not have.
    """
    names = [(tip, name) for tip in tips for name in kernel.name_directories(tip)]
    found = list(kernel.read([name for _, name in names]))
    lacking = dict.fromkeys(tip for (tip, _), tree in zip(names, found) if tree is None)
    refuse_what_took_the_place(kernel, list(lacking))
    return any(found)


def refuse_what_took_the_place(kernel: Kernel, commits: Sequence[bytes]) -> None:
    """Complain of what COMMITS have in the place of a directory above KVM's."""
    paths = [(id_, path) for id_ in commits for path in kernel.paths_above]
    trees = [id_ + b":" + os.path.dirname(path) for id_, path in paths]
    for found, (id_, path) in zip(kernel.read(trees), paths):
        for mode, reason in KINDS.items():
            # As a tree has it: the mode, the name, a NUL, the bytes of the id.
            entry = mode + b" " + os.path.basename(path) + b"\0"
            if found and found[0] == b"tree" and entry in found[1]:
                kernel.refuse_path(path, b"", reason, id_)


def make_changes(kernel: Kernel, commits: Sequence[Commit]) -> Iterator[Change]:
    """Make the change of each of COMMITS."""
    from kvm_export_hook.sources.states import LONGEST_SUBJECT, Change, State

    names = name_facts(kernel, commits)
    facts = learn_all(kernel, names)
    for commit, (new_names, old_names) in zip(commits, names):
        new = facts[new_names]
        kernel.note_facts(b"commit " + commit.id[:12], new)
        olds = [choose_old_facts(new, facts[each]) for each in old_names]
        parts = [kernel.select_texts(diff, commit.id)[0] for diff in commit.diffs]
        if any(old != new for old in olds):
            new_files = kernel.list_tree(commit.id, is_new=True)
            old_files = [kernel.list_tree(parent) for parent in commit.parents]
        else:
            new_files, old_files = list_files(parts)
        subject = commit.subject[:LONGEST_SUBJECT].decode("utf-8", "backslashreplace")
        origin = Origin(commit.id.decode(), subject)
        yield Change(
            origin,
            State(new, kernel.make_texts(new_files)),
            [State(old, kernel.make_texts(files)) for old, files in zip(olds, old_files)],
        )


def name_facts(kernel: Kernel, commits: Sequence[Commit]) -> list[tuple[Names, list[Names]]]:
    """Name the fact files of each of COMMITS and of its parents, as git reads them.

    What a commit does not change is what its first parent has; where that is
    not among COMMITS, ``COMMIT:path``.
    """
    known: dict[bytes, Names] = {}
    named = []
    for commit in commits:
        changed = commit.changed_facts
        inherited = known.get(commit.parents[0]) if commit.parents else None
        here = inherited or tuple(commit.id + b":" + kernel.prefix + name for name in FACT_FILES)
        new = tuple(
            changed[0][name].new_id if name in changed[0] else object_name
            for name, object_name in zip(FACT_FILES, here)
        )
        olds = [
            tuple(
                diff[name].old_id if name in diff else object_name
                for name, object_name in zip(FACT_FILES, new)
            )
            for diff in changed
        ]
        known[commit.id] = new
        named.append((new, olds))
    return named


def learn_all(kernel: Kernel, named: Sequence[tuple[Names, list[Names]]]) -> dict[Names, Facts]:
    """Learn the facts that have been NAMED."""
    pairs = dict.fromkeys(pair for new, olds in named for pair in (new, *olds))
    objects = list(dict.fromkeys(name for pair in pairs for name in pair))
    contents: dict[bytes, bytes | None] = {}
    same: dict[bytes | None, bytes | None] = {}  # keeps equal ones in memory once
    for found, name in zip(kernel.read(objects), objects):
        content = get_content(found)
        contents[name] = same.setdefault(content, content)
    return {pair: kernel.learn([contents[name] for name in pair]) for pair in pairs}


def list_files(
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
