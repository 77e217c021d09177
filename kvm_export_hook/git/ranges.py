# SPDX-License-Identifier: MIT
"""Which commits are judged: a range that was named, or what is about to be pushed."""

from __future__ import annotations

import os
from itertools import chain

from kvm_export_hook.git.commits import check_directories, read_commits
from kvm_export_hook.git.process import GitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kvm_export_hook.changes.state import Change
    from kvm_export_hook.git.repository import Repository

ONE_RANGE = "expected one range of commits without blanks, for example master.."
NOTHING_PUSHED = "nothing checked: git says that nothing is pushed"
UNKNOWN_REVISION = "is not in this repository: fetch it, or use --commits RANGE"
NO_COMMITS = "nothing checked: there are no commits in this range"
UNKNOWN_PUSH = (
    "nobody has said what is pushed: --pre-push is for the pre-push hooks of git, pre-commit and"
    " prek; by hand, use --commits RANGE"
)
WHOLE_HISTORY = (
    "pre-commit does not say what is pushed when a whole history is: check that with --commits"
    " RANGE, and push with SKIP=kvm-exports-push"
)
# What git says of a name that it does not know.
BAD_REVISION = "bad revision"
# Commits that a remote has are not judged again.
NOT_PUSHED_BEFORE = (b"--not", b"--remotes")


def read_range(repository: Repository, text: bytes) -> Iterator[Change] | None:
    """Read the changes of the commits of the range TEXT.

    None where there is no KVM directory. Raises GitError.
    """
    ids = find_range(repository, text)
    tips = [id_.partition(b"^")[0] for id_ in ids if not id_.startswith(b"^")]
    changes = peek(read_commits(repository, ids))
    is_there = check_directories(repository, tips)
    if changes:
        return changes
    if not repository.run(b"rev-list", b"--max-count=1", b"--stdin", stdin=join(ids)):
        repository.note(b"", NO_COMMITS)
        return iter(())
    return iter(()) if is_there else None


def peek(changes: Iterator[Change]) -> Iterator[Change] | None:
    """Return CHANGES again, or None if there are none."""
    first = next(changes, None)
    return chain([first], changes) if first else None


def find_range(repository: Repository, text: bytes) -> list[bytes]:
    """Resolve the range TEXT to ids, those that are excluded with ``^`` before them.

    One revision alone stands for that commit alone. Raises GitError.
    """
    if text.startswith(b"-") or text.split() != [text]:
        raise GitError(ONE_RANGE)
    no_commits = GitError(f"{os.fsdecode(text)!r} does not name commits: check the name")
    try:
        ids = repository.run(b"rev-parse", b"--revs-only", text, b"--").split()
    except GitError as error:
        raise (no_commits if BAD_REVISION in error.reason else error) from None
    included = [id_ for id_ in ids if not id_.startswith(b"^")]
    if not included:
        raise GitError(
            "this range only excludes commits: name one to include, for example master.."
        )
    commits = repository.objects.find_commits(id_.lstrip(b"^") for id_ in ids)
    if None in commits:
        raise no_commits
    return [included[0] + b"^!"] if len(ids) == 1 else [*included, *(set(ids) - set(included))]


def read_push(
    repository: Repository, lines: Iterable[bytes], may_be_empty: bool = False
) -> Iterator[Change] | None:
    """Read the changes of the commits that are about to be pushed, and no remote has.

    LINES are what git gives a pre-push hook on stdin; pre-commit and prek set
    variables instead. MAY_BE_EMPTY: no line says that nothing is pushed. None
    where there is no KVM directory. Raises GitError.
    """
    included, excluded = read_variables() or read_lines(lines)
    if not included and not excluded:
        if not may_be_empty:
            raise GitError(WHOLE_HISTORY if os.environb.get(b"PRE_COMMIT") else UNKNOWN_PUSH)
        repository.note(b"", NOTHING_PUSHED)
    tips = find_tips(repository, included)
    known = repository.objects.find_commits(excluded)
    ids = [*tips, *(b"^" + id_ for id_ in known if id_)]
    changes = peek(read_commits(repository, ids, NOT_PUSHED_BEFORE)) if tips else None
    is_there = check_directories(repository, tips) or not tips
    return changes or (iter(()) if is_there else None)


def find_tips(repository: Repository, revs: Sequence[bytes]) -> list[bytes]:
    """Find the ids of the commits that REVS name; a tag may be of a tree, too.

    Raises GitError for what is not here.
    """
    tips = repository.objects.find_commits(revs)
    others = [rev for rev, tip in zip(revs, tips, strict=True) if tip is None]
    for rev, found in zip(others, repository.objects.find(others), strict=True):
        if found is None:
            raise GitError(f"{os.fsdecode(rev)!r} {UNKNOWN_REVISION}")
    return [tip for tip in tips if tip]


def read_variables() -> tuple[list[bytes], list[bytes]] | None:
    """Read what is pushed, and what the remote has, as pre-commit and prek say it.

    Without a FROM, as prek has it on a first push, all of TO is pushed.
    """
    to = os.environb.get(b"PRE_COMMIT_TO_REF")
    known = os.environb.get(b"PRE_COMMIT_FROM_REF")
    return ([to], [known] if known else []) if to else None


def read_lines(lines: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Read the ids that are pushed, and those that the remote has, from LINES.

    A line is ``LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID``; zeros stand for no
    ref: it is new, or deleted. Raises GitError for other lines.
    """
    included, excluded = [], []
    for line in lines:
        # What is pushed may have been named with blanks: HEAD^{/a subject}.
        words = line.rstrip(b"\n").rsplit(b" ", 3)
        if len(words) != 4:
            raise GitError(UNKNOWN_PUSH)
        included += [words[1]] if words[1].strip(b"0") else []
        excluded += [words[3]] if words[3].strip(b"0") else []
    return included, excluded


def join(ids: Iterable[bytes]) -> bytes:
    """Write IDS as git reads them on stdin."""
    return b"".join(id_ + b"\n" for id_ in ids)
