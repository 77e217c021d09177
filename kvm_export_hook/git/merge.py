# SPDX-License-Identifier: MIT
"""The merge that is about to be committed, if one is: which commits it merges into HEAD."""

from __future__ import annotations

import os

from kvm_export_hook.files.worktree import read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.git.repository import Repository

MERGE_HEAD = b"MERGE_HEAD"
# What git merge sets for its hooks, one for each commit, before it writes MERGE_HEAD.
OF_A_MERGED_COMMIT = b"GITHEAD_"


def list_merged(repository: Repository) -> list[bytes]:
    """List the ids of the commits that are being merged into HEAD. Raises OSError.

    Asks the git that runs for objects; others run only in a merge.
    """
    if repository.objects.find_commits([MERGE_HEAD]) != [None]:
        # That is the first; of an octopus there are more.
        said = repository.run(b"rev-parse", b"--git-path", MERGE_HEAD)
        return read_file(os.path.join(repository.directory, said[:-1])).split()
    start = len(OF_A_MERGED_COMMIT)
    named = [name[start:] for name in os.environb if name.startswith(OF_A_MERGED_COMMIT)]
    merged = [id_ for id_ in repository.objects.find_commits(named) if id_]
    # What HEAD has already was merged before: a hook of that merge runs git commit.
    return [id_ for id_ in merged if repository.run(b"rev-list", b"--max-count=1", id_, b"^HEAD")]
