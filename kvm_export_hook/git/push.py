# SPDX-License-Identifier: MIT
"""A push as a source: its commits, named by git, pre-commit or prek, without the known ones."""

from __future__ import annotations

import os

from kvm_export_hook.git.commits import read_commits
from kvm_export_hook.git.elsewhere import refuse_commits_elsewhere
from kvm_export_hook.git.places import check_places
from kvm_export_hook.git.process import GitError
from kvm_export_hook.git.ranges import has_commits, peek
from kvm_export_hook.git.remotes import Remotes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kvm_export_hook.changes.state import Change
    from kvm_export_hook.git.repository import Repository

    # The ids of the commits of a range, and the options by which git leaves out what is known.
    Range = tuple[list[bytes], tuple[bytes, ...]]

NOTHING_PUSHED = "nothing checked: git says that nothing is pushed"
EMPTY_STDIN = (
    "stdin is empty: checked the commits of HEAD that were not pushed before. If another hook or a"
    " hook manager has read stdin, let it pass that on (lefthook: use_stdin: true)"
)
UNKNOWN_REVISION = "is not in this repository: fetch it, or use --commits RANGE"
UNKNOWN_PUSH = (
    "cannot tell what is pushed: --pre-push is for the pre-push hooks of git, pre-commit and"
    " prek; by hand, use --commits RANGE"
)


class Push:
    """A push: the ref and revision of each thing that is pushed, and what the remote has.

    ``known``: ids that the remote has. ``remote``: its name and URL, if they are known.
    ``is_guessed``: nobody has said what is pushed.
    """

    __slots__ = ("is_guessed", "known", "remote", "revs")

    def __init__(
        self, remote: Sequence[bytes], revs: Sequence[tuple[bytes, bytes]], known: Sequence[bytes]
    ) -> None:
        self.remote = remote
        self.known = known
        self.revs = revs
        self.is_guessed = not revs and not known


def read_push(
    repository: Repository, lines: Iterable[bytes], remote: Sequence[bytes]
) -> Iterator[Change] | None:
    """Read the changes of the commits that are about to be pushed, and are not known.

    Commits are known if the remote that is pushed to has them, or the remote that the
    pushed branch follows. LINES are what git gives a pre-push hook on stdin, REMOTE its
    arguments: the name and the URL of the remote. pre-commit and prek set variables
    instead. Returns None where there is no KVM directory. Raises GitError.
    """
    push = read_variables() or read_lines(lines, remote)
    if push.is_guessed:
        if not push.remote:
            raise GitError(UNKNOWN_PUSH)
        push.revs = [] if repository.find_empty_tree() else [(b"HEAD", b"HEAD")]
    tips = find_tips(repository, [rev for _, rev in push.revs])
    repository.tips = [tip for tip in tips if tip]
    ranges = list_ranges(repository, push, tips)
    if push.is_guessed:
        ranges = [each for each in ranges if has_commits(repository, *each)]
        repository.note(b"", EMPTY_STDIN if ranges else NOTHING_PUSHED)
    if not ranges:
        return iter(())
    changes = peek(read_once(repository, ranges))
    is_there = check_places(repository, repository.tips)
    if not is_there:
        for ids, left_out in ranges:
            refuse_commits_elsewhere(repository, ids, left_out)
    return changes or (iter(()) if is_there else None)


def list_ranges(repository: Repository, push: Push, tips: Sequence[bytes | None]) -> list[Range]:
    """List the ranges of PUSH, whose commits are TIPS; refs that leave out the same share one."""
    remotes = Remotes(repository)
    targets = remotes.find_targets(push.remote)
    known = [b"^" + id_ for id_ in repository.objects.find_commits(push.known) if id_]
    ranges: dict[tuple[bytes, ...], list[bytes]] = {}
    for (ref, _), tip in zip(push.revs, tips, strict=True):
        if tip:
            left_out = remotes.leave_out([*targets, *remotes.find_upstream(ref)])
            ranges.setdefault(left_out, known.copy()).append(tip)
    return [(ids, left_out) for left_out, ids in ranges.items()]


def read_once(repository: Repository, ranges: Iterable[Range]) -> Iterator[Change]:
    """Read the changes of the commits of RANGES, each commit once."""
    passed = set()
    for ids, left_out in ranges:
        for change in read_commits(repository, ids, left_out):
            commit = change.origin and change.origin.commit
            if commit not in passed:
                passed.add(commit)
                yield change


def find_tips(repository: Repository, revs: Sequence[bytes]) -> list[bytes | None]:
    """Find the id of the commit that each of REVS names; None for a tag of something else.

    Raises GitError for a revision that is missing.
    """
    tips = repository.objects.find_commits(revs)
    others = [rev for rev, tip in zip(revs, tips, strict=True) if tip is None]
    peeled = repository.objects.find(rev + b"^{}" for rev in others)
    for rev, found in zip(others, peeled, strict=True):
        if found is None:
            raise GitError(f"{os.fsdecode(rev)!r} {UNKNOWN_REVISION}")
    return tips


def read_variables() -> Push | None:
    """Read what is pushed, and what the remote has, from the variables of pre-commit and prek.

    On a first push prek sets no FROM, and pre-commit may set only the branch.
    """
    branch = os.environb.get(b"PRE_COMMIT_LOCAL_BRANCH", b"")
    to = os.environb.get(b"PRE_COMMIT_TO_REF") or branch
    if not to:
        return None
    known = os.environb.get(b"PRE_COMMIT_FROM_REF")
    names = (b"PRE_COMMIT_REMOTE_NAME", b"PRE_COMMIT_REMOTE_URL")
    remote = [os.environb[name] for name in names if os.environb.get(name)]
    return Push(remote, [(branch, to)], [known] if known else [])


def read_lines(lines: Iterable[bytes], remote: Sequence[bytes]) -> Push:
    """Read the refs and ids that are pushed, and the ids that REMOTE has, from LINES.

    A line is ``LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID``; an id of zeros means that the ref
    does not exist: it is new, or deleted. Raises GitError for other lines.
    """
    revs, known = [], []
    for line in lines:
        # The local ref may have blanks: HEAD^{/a subject}.
        words = line.rstrip(b"\n").rsplit(b" ", 3)
        if len(words) != 4:
            raise GitError(UNKNOWN_PUSH)
        revs += [(words[0], words[1])] if words[1].strip(b"0") else []
        known += [words[3]] if words[3].strip(b"0") else []
    return Push(remote, revs, known)
