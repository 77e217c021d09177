# SPDX-License-Identifier: MIT
"""A range of commits as a source, for ``--commits``."""

from __future__ import annotations

import os
from itertools import chain

from kvm_export_hook.git.commits import read_commits
from kvm_export_hook.git.elsewhere import refuse_commits_elsewhere
from kvm_export_hook.git.places import check_places
from kvm_export_hook.git.process import GitError
from kvm_export_hook.git.repository import join_ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.changes.state import Change
    from kvm_export_hook.git.repository import Repository

ONE_RANGE = "expected one range of commits without blanks, for example master.."
ONLY_EXCLUDES = "this range only excludes commits: name one to include, for example master.."
NO_COMMITS = "nothing checked: there are no commits in this range"
# What git says of a name that it does not know.
BAD_REVISION = "bad revision"


def read_range(repository: Repository, text: bytes) -> Iterator[Change] | None:
    """Read the changes of the commits of the range TEXT.

    None where there is no KVM directory. Raises GitError.
    """
    ids = find_range(repository, text)
    tips = [id_.partition(b"^")[0] for id_ in ids if not id_.startswith(b"^")]
    repository.tips = tips
    changes = peek(read_commits(repository, ids))
    is_there = check_places(repository, tips)
    if not is_there:
        refuse_commits_elsewhere(repository, ids)
    if changes:
        return changes
    if not has_commits(repository, ids):
        repository.note(b"", NO_COMMITS)
        return iter(())
    return iter(()) if is_there else None


def peek(changes: Iterator[Change]) -> Iterator[Change] | None:
    """Return CHANGES, or None if there are none."""
    first = next(changes, None)
    return chain([first], changes) if first else None


def find_range(repository: Repository, text: bytes) -> list[bytes]:
    """Resolve the range TEXT to ids; an excluded one has ``^`` before it.

    A single revision means only that commit. Raises GitError.
    """
    if text.startswith(b"-") or text.split() != [text]:
        raise GitError(ONE_RANGE)
    no_commits = GitError(f"{os.fsdecode(text)!r} does not name commits: check the name")
    try:
        ids = repository.run(b"rev-parse", b"--revs-only", text, b"--").split()
    except GitError as error:
        raise (no_commits if BAD_REVISION in error.reason else error) from None
    # What is named may be a tag.
    commits = repository.objects.find_commits(id_.lstrip(b"^") for id_ in ids)
    included, excluded = [], []
    for id_, commit in zip(ids, commits, strict=True):
        if commit is None:
            raise no_commits
        if id_.startswith(b"^"):
            excluded.append(b"^" + commit)
        else:
            included.append(commit)
    if not included:
        raise GitError(ONLY_EXCLUDES)
    return [included[0] + b"^!"] if len(ids) == 1 else [*included, *excluded]


def has_commits(
    repository: Repository, ids: Iterable[bytes], left_out: Iterable[bytes] = ()
) -> bool:
    """Whether any commit is in the range IDS, without what the options LEFT_OUT exclude."""
    command = (b"rev-list", b"--max-count=1", b"--stdin", *left_out)
    return bool(repository.run(*command, stdin=join_ids(ids)))
