# SPDX-License-Identifier: MIT
"""The index as a source: what is staged, against HEAD. Two git processes for a clean commit.

A third where it deletes files.
"""

from __future__ import annotations

from kvm_export_hook.rules.change import choose_old_facts
from kvm_export_hook.rules.tree import FACT_FILES
from kvm_export_hook.sources.git import (
    KINDS,
    LS_FILES,
    RAW,
    parse_list,
    parse_raw,
)
from kvm_export_hook.sources.objects import get_content
from kvm_export_hook.sources.process import GitError, ask_git, run_git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.rules.tree import Facts
    from kvm_export_hook.sources.git import Entry, Kernel
    from kvm_export_hook.sources.states import Change


def read_staged(kernel: Kernel) -> list[Change] | None:
    """Read what the index changes of HEAD, as no or one change.

    None where neither has a KVM directory. Raises GitError.
    """
    from kvm_export_hook.sources.states import Change, State

    head, entries = diff_index(kernel)
    texts, changed = kernel.select_texts(entries)
    if not entries:
        directories = list(kernel.read(kernel.name_directories(head)))
        if not all(directories):
            refuse_what_took_the_place(kernel)
        return [] if any(directories) else None
    new_files = [(each.new_id, each.name) for each in texts if not each.is_gone]
    old_files = [(each.old_id, each.name) for each in texts if each.was_file]
    new, old, is_whole = learn_both(kernel, head, changed, [id_ for id_, _ in new_files])
    if not is_whole or any(each.is_gone for each in texts):
        refuse_what_took_the_place(kernel)
    kernel.refuse_links()
    kernel.note_facts(kernel.prefix or b".", new)
    old = choose_old_facts(new, old)
    if new != old:
        new_files, old_files = kernel.list_index(), kernel.list_tree(head)
    return [
        Change(
            None,
            State(new, kernel.make_texts(new_files)),
            [State(old, kernel.make_texts(old_files))],
        )
    ]


def diff_index(kernel: Kernel) -> tuple[bytes, list[Entry]]:
    """Compare the index with HEAD, or with an empty tree where there is no commit yet.

    Returns the name of what it was compared with, and what differs.
    """

    def compare(tree: bytes) -> list[Entry]:
        listed = kernel.run(b"diff-index", b"--cached", *RAW, tree, *kernel.pathspec)
        return list(parse_raw(listed.split(b"\0"), kernel))

    head = b"HEAD"
    try:
        return head, compare(head)
    except GitError:
        if ask_git(b"rev-parse", b"--verify", b"--quiet", head, directory=kernel.directory):
            raise
        if ask_git(b"rev-parse", b"--git-dir", directory=kernel.directory) is None:
            raise
    head = run_git(b"hash-object", b"-t", b"tree", b"--stdin", directory=kernel.directory).strip()
    return head, compare(head)


def refuse_what_took_the_place(kernel: Kernel) -> None:
    """Complain of what the index has in the place of a directory above KVM's."""
    # A pattern matches the name itself and, unlike a name, nothing below it.
    patterns = [b"".join(b"\\%c" % byte for byte in path) for path in kernel.paths_above]
    specs = [b":(top,glob)" + pattern for pattern in patterns]
    for mode, id_, path in parse_list(kernel.run(*LS_FILES, b"--", *specs), 1):
        if mode in KINDS:
            kernel.refuse_path(path, id_, KINDS[mode])


def learn_both(
    kernel: Kernel, head: bytes, changed: dict[bytes, Entry], ids: list[bytes]
) -> tuple[Facts, Facts, bool]:
    """Learn the facts of the index and of HEAD; have the blobs of IDS read right after.

    The third result is whether HEAD has both KVM directories: else something
    may stand in the place of one.
    CHANGED are the fact files that differ. One that does not is read as
    ``HEAD:path``: ``:path`` would have git read the whole index.
    """
    unchanged = {name: head + b":" + kernel.prefix + name for name in FACT_FILES}
    new = dict(unchanged)
    old = dict(unchanged)
    for name, entry in changed.items():
        new[name], old[name] = entry.new_id, entry.old_id
    wanted = list(dict.fromkeys([*new.values(), *old.values()]))
    directories = kernel.name_directories(head)
    objects = kernel.read_ahead([*wanted, *directories], ids)
    contents = map(get_content, objects[: len(wanted)])
    found = dict(zip(wanted, contents, strict=True))

    def learn(names: dict[bytes, bytes]) -> Facts:
        kvm_types, makefile = names.values()
        return kernel.learn([found[kvm_types], found[makefile]])

    return learn(new), learn(old), all(objects[len(wanted) :])
