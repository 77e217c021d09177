# SPDX-License-Identifier: MIT
"""A revision as a baseline for the working tree: ``--since``."""

from __future__ import annotations

import os

from kvm_export_hook.changes import Change, State, Text
from kvm_export_hook.rules.change import choose_old_facts
from kvm_export_hook.sources.git import FACT_FILES, RAW, Kernel, get_content, parse_raw
from kvm_export_hook.sources.objects import find_commits
from kvm_export_hook.sources.process import GitError
from kvm_export_hook.sources.worktree import list_kvm_directories, read_file, visit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from kvm_export_hook.changes import ReadTexts
    from kvm_export_hook.rules.tree import Facts
    from kvm_export_hook.sources.worktree import File


def read_since(kernel: Kernel, rev: bytes, top: bytes, files: Sequence[File], new: Facts) -> Change:
    """Read what FILES, of the tree at TOP with the facts NEW, have that REV does not.

    All KVM files that differ are compared: what was moved from another file is
    not new. Only FILES are reported. Raises GitError.
    """
    commit = resolve(kernel, rev)
    names = [commit + b":" + kernel.prefix + name for name in FACT_FILES]
    old = choose_old_facts(new, kernel.learn([get_content(each) for each in kernel.read(names)]))
    if new == old:
        new_names, old_files = list_differing(kernel, commit, top, files)
    else:
        walked = visit(list_kvm_directories(top), kernel.complain)
        new_names = {name for _, name, _, _ in (*walked, *files)}
        old_files = kernel.list_tree(commit)
    paths = [(name, os.path.join(top, name)) for name in sorted(new_names)]
    texts = [Text(name, path, (path,), top=top) for name, path in paths]
    reported = frozenset(name for _, name, _, _ in files)
    olds = [State(old, kernel.make_texts(old_files))]
    return Change(None, State(new, texts), olds, reported)


def resolve(kernel: Kernel, rev: bytes) -> bytes:
    """Return the id of the commit that REV names. Raises GitError."""
    found = find_commits([rev.replace(b"\n", b" ")], kernel.directory)[0] if rev else None
    if found is None:
        raise GitError(f"{os.fsdecode(rev)!r} does not name a commit: check the name")
    return found


def list_differing(
    kernel: Kernel, commit: bytes, top: bytes, files: Sequence[File]
) -> tuple[set[bytes], list[tuple[bytes, bytes]]]:
    """List what differs from COMMIT: the names that are on this disk, and the old ids and names.

    Of FILES, those that git does not track differ, too.
    """
    listed = kernel.run(b"diff-index", *RAW, commit, *kernel.pathspec)
    texts, _ = kernel.select_texts(parse_raw(listed.split(b"\0"), kernel))
    tracked = {name for _, name in kernel.list_index()}
    differing = {each.name for each in texts}
    untracked = {name for _, name, _, _ in files} - tracked - differing
    present = {name for name in differing if os.path.lexists(os.path.join(top, name))}
    old_files = [(each.old_id, each.name) for each in texts if each.was_file]
    return present | untracked, old_files


def make_reader(kernel: Kernel) -> ReadTexts:
    """Make what reads texts by their ids: a tuple of the path of a file here, or a blob's."""

    def read_texts(ids: Sequence[Hashable]) -> Iterator[tuple[Hashable, bytes]]:
        for id_ in ids:
            if isinstance(id_, tuple):
                (path,) = id_
                try:
                    yield id_, read_file(path)
                except OSError as error:
                    kernel.complain(path, error)
        yield from kernel.read_texts([id_ for id_ in ids if isinstance(id_, bytes)])

    return read_texts
