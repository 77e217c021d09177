# SPDX-License-Identifier: MIT
"""Opens the tree that patches are applied to: what HEAD of a repository has of KVM."""

from __future__ import annotations

import os

from kvm_export_hook.git.discover import find_kernel
from kvm_export_hook.git.process import NO_REPOSITORY_HERE, GitError, run_git
from kvm_export_hook.git.repository import Repository
from kvm_export_hook.patch.apply import Base
from kvm_export_hook.rules.scope import is_in_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.patch.scratch import Scratch
    from kvm_export_hook.patch.whole import WholeTree
    from kvm_export_hook.run import Run


# What git says of HEAD before the first commit.
NO_COMMIT_YET = "unknown revision"


def open_base(run: Run, scratch: Scratch, whole: WholeTree) -> Base | None:
    """Return the base for patches: what HEAD of the repository around RUN's tree has of KVM.

    None if it has nothing. SCRATCH becomes a repository; WHOLE has the files outside KVM.
    """
    asked = (b"rev-parse", b"HEAD", b"--show-object-format", b"--git-path", b"objects")
    try:
        directory, prefix, top = find_kernel(run.srctree)
    except GitError:
        return None
    try:
        said = run_git(*asked, directory=directory)
    except GitError as error:
        is_none = top is None and error.reason == NO_REPOSITORY_HERE
        if not is_none and NO_COMMIT_YET not in error.reason:
            raise
        return None
    head, form, objects = said[:-1].split(b"\n", 2)
    scratch.make_repository(os.path.abspath(os.path.join(directory, objects)), form)
    place = (scratch.path, b"", None)
    repository = Repository(
        None, run.read_facts, run.complain, run.note, place, scratch.environment
    )
    try:
        base = Base(scratch, repository, head + b":" + prefix, whole)
        if any(map(is_in_scope, base.files)):
            base.write_index(b"index", base.files)
            repository.note_facts(b".", base.facts)
            return base
    except GitError:
        repository.objects.close()
        raise
    repository.objects.close()
    return None
