# SPDX-License-Identifier: MIT
"""The index as a source: what is staged, against HEAD. Two git processes for a clean commit.

A third where it deletes files.
"""

from __future__ import annotations

from kvm_export_hook.changes.added import choose_old_facts
from kvm_export_hook.git.objects import get_content
from kvm_export_hook.git.process import GitError, ask_git, run_git
from kvm_export_hook.git.repository import KINDS, LS_FILES, RAW, parse_list, parse_raw
from kvm_export_hook.rules.facts import FACT_FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.changes.state import Change
    from kvm_export_hook.git.repository import Entry, Repository
    from kvm_export_hook.rules.facts import Facts


def read_staged(repository: Repository) -> list[Change] | None:
    """Read what the index changes of HEAD, as no or one change.

    None where neither has a KVM directory. Raises GitError.
    """
    from kvm_export_hook.changes.state import Change, State

    head, entries = diff_index(repository)
    texts, changed = repository.select_texts(entries)
    if not entries:
        directories = list(repository.read(repository.name_directories(head)))
        if not all(directories):
            refuse_hidden_index(repository)
        return [] if any(directories) else None
    new_files = [(each.new_id, each.name) for each in texts if not each.is_gone]
    old_files = [(each.old_id, each.name) for each in texts if each.was_file]
    new, old, is_whole = read_both(repository, head, changed, [id_ for id_, _ in new_files])
    if not is_whole or any(each.is_gone for each in texts):
        refuse_hidden_index(repository)
    repository.refuse_links()
    repository.note_facts(repository.prefix or b".", new)
    old = choose_old_facts(new, old)
    if new != old:
        new_files, old_files = repository.list_index(), repository.list_tree(head)
    return [
        Change(
            None,
            State(new, repository.make_texts(new_files)),
            [State(old, repository.make_texts(old_files))],
        )
    ]


def diff_index(repository: Repository) -> tuple[bytes, list[Entry]]:
    """Compare the index with HEAD, or with an empty tree where there is no commit yet.

    Returns the name of what it was compared with, and what differs.
    """

    def compare(tree: bytes) -> list[Entry]:
        listed = repository.run(b"diff-index", b"--cached", *RAW, tree, *repository.pathspec)
        return list(parse_raw(listed.split(b"\0"), repository))

    head = b"HEAD"
    try:
        return head, compare(head)
    except GitError:
        if ask_git(b"rev-parse", b"--verify", b"--quiet", head, directory=repository.directory):
            raise
        if ask_git(b"rev-parse", b"--git-dir", directory=repository.directory) is None:
            raise
    head = run_git(
        b"hash-object", b"-t", b"tree", b"--stdin", directory=repository.directory
    ).strip()
    return head, compare(head)


def refuse_hidden_index(repository: Repository) -> None:
    """Complain of what the index has in the place of a directory above KVM's."""
    # A pattern matches the name itself and, unlike a name, nothing below it.
    patterns = [b"".join(b"\\%c" % byte for byte in path) for path in repository.paths_above]
    specs = [b":(top,glob)" + pattern for pattern in patterns]
    for mode, id_, path in parse_list(repository.run(*LS_FILES, b"--", *specs), 1):
        if mode in KINDS:
            repository.refuse_path(path, id_, KINDS[mode])


def read_both(
    repository: Repository, head: bytes, changed: dict[bytes, Entry], ids: list[bytes]
) -> tuple[Facts, Facts, bool]:
    """Read the facts of the index and of HEAD; have the blobs of IDS read right after.

    The third result is whether HEAD has both KVM directories: else something
    may stand in the place of one.
    CHANGED are the fact files that differ. One that does not is read as
    ``HEAD:path``: ``:path`` would have git read the whole index.
    """
    unchanged = {name: head + b":" + repository.prefix + name for name in FACT_FILES}
    new = dict(unchanged)
    old = dict(unchanged)
    for name, entry in changed.items():
        new[name], old[name] = entry.new_id, entry.old_id
    wanted = list(dict.fromkeys([*new.values(), *old.values()]))
    directories = repository.name_directories(head)
    objects = repository.read_ahead([*wanted, *directories], ids)
    contents = map(get_content, objects[: len(wanted)])
    found = dict(zip(wanted, contents, strict=True))

    def find(names: dict[bytes, bytes]) -> Facts:
        kvm_types, makefile = names.values()
        return repository.find_facts([found[kvm_types], found[makefile]])

    return find(new), find(old), all(objects[len(wanted) :])
