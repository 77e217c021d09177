# SPDX-License-Identifier: MIT
"""The index as a source: what is staged, against HEAD.

This takes two git processes; a third if files are deleted, a fourth if nothing else is
staged, and more in a merge.
"""

from __future__ import annotations

import os

from kvm_export_hook.files.worktree import read_file
from kvm_export_hook.git.compare import Tree, compare
from kvm_export_hook.git.entries import LS_FILES, RAW, REFUSED_MODES, parse_index, parse_raw
from kvm_export_hook.git.objects import get_content
from kvm_export_hook.git.process import GitError
from kvm_export_hook.rules.scope import FACT_FILES, KVM_DIRECTORIES, is_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.changes.state import Change
    from kvm_export_hook.git.entries import Entry
    from kvm_export_hook.git.objects import Object
    from kvm_export_hook.git.repository import Repository
    from kvm_export_hook.rules.facts import Facts

MERGE_HEAD = b"MERGE_HEAD"
# git merge sets such a variable for each merged commit, before it writes MERGE_HEAD.
MERGED_VARIABLE = b"GITHEAD_"


def read_staged(repository: Repository) -> list[Change] | None:
    """Read how the index differs from HEAD, and in a merge from each other parent.

    Returns a list of one change, an empty list if nothing differs, and None if neither has
    a KVM directory. Raises GitError.
    """
    head, entries = diff_index(repository)
    if not entries:
        directories = repository.objects.find_paths(repository.name_directories(head))
        if check_hidden(repository, head, directories, []):
            return []
        refuse_elsewhere(repository, head)
        return None
    texts = repository.select_texts(entries)
    facts, old_facts, directories = read_both(repository, head, entries)
    check_hidden(repository, head, directories, entries)
    sources = [each for each in entries if is_source(each.name)]
    if sources and all(each.is_gone for each in sources) and not list_index(repository):
        refuse_elsewhere(repository, head)  # the kernel may have moved there
    repository.refuse_links()
    repository.note_facts(repository.prefix or b".", facts)
    index = Tree(facts, lambda: list_index(repository), repository.make_text)
    olds, diffs = [repository.find_tree(head, old_facts)], [texts]
    merged = list_merged(repository)
    if merged:
        from kvm_export_hook.git.places import check_places

        check_places(repository, merged)
    for parent in merged:
        entries = list_entries(repository, parent)
        parent_facts = repository.read_facts_of(repository.name_facts(parent))
        olds.append(repository.find_tree(parent, parent_facts))
        diffs.append(repository.select_texts(entries))
    return [compare(index, olds, diffs)]


def refuse_elsewhere(repository: Repository, head: bytes) -> None:
    """Complain of what the index changes of HEAD in another kernel of the repository."""
    from kvm_export_hook.git.elsewhere import refuse_staged_elsewhere

    refuse_staged_elsewhere(repository, head)


def check_hidden(
    repository: Repository, head: bytes, found: list[Object | None], entries: list[Entry]
) -> bool:
    """Complain of what is in the place of a KVM directory, or of one above it.

    FOUND is what HEAD has in the places of the KVM directories; the index differs from
    HEAD by ENTRIES. Returns whether HEAD has a KVM directory.
    """
    directories = [each for each in found if each and each.type == b"tree"]
    is_whole = len(directories) == len(found)
    if not is_whole or any(may_hide(each) for each in entries):
        from kvm_export_hook.git.places import check_index, check_places

        check_index(repository, bool(directories or entries))
        if not is_whole:
            check_places(repository, [head])
    return bool(directories)


def may_hide(entry: Entry) -> bool:
    """Whether ENTRY is in the place of a KVM directory, or a C file that may be hidden there."""
    return entry.name in KVM_DIRECTORIES or (entry.is_gone and is_source(entry.name))


def list_merged(repository: Repository) -> list[bytes]:
    """List the ids of the commits that are being merged into HEAD. Raises OSError.

    Asks the ``git cat-file`` that runs already; only a merge takes more git processes.
    """
    if repository.objects.find_commits([MERGE_HEAD]) != [None]:
        # Of an octopus that finds only the first commit; or it may be a branch of this name.
        said = repository.run(b"rev-parse", b"--git-path", MERGE_HEAD)
        try:
            return read_file(os.path.join(repository.directory, said[:-1])).split()
        except FileNotFoundError:
            pass
    start = len(MERGED_VARIABLE)
    named = [name[start:] for name in os.environb if name.startswith(MERGED_VARIABLE)]
    merged = [id_ for id_ in repository.objects.find_commits(named) if id_]
    # A hook of a finished merge may run git commit: HEAD has the merged commits already.
    command = (b"rev-list", b"--max-count=1", b"^HEAD")
    return [id_ for id_ in merged if repository.run(*command, id_, b"--")]


def diff_index(repository: Repository) -> tuple[bytes, list[Entry]]:
    """Compare the index with HEAD, or with an empty tree before the first commit.

    Returns the name of what it was compared with, and what differs.
    """
    head = b"HEAD"
    try:
        return head, list_entries(repository, head)
    except GitError:
        empty = repository.find_empty_tree()
        if empty is None:
            raise
        return empty, list_entries(repository, empty)


def list_entries(repository: Repository, tree: bytes) -> list[Entry]:
    """List the files of KVM that differ between the index and TREE, a commit or any tree."""
    listed = repository.run(b"diff-index", b"--cached", *RAW, tree, *repository.pathspec)
    return list(parse_raw(listed.split(b"\0"), repository.prefix))


def list_index(repository: Repository) -> list[tuple[bytes, bytes]]:
    """List KVM's C files of the index: the name and the id of each."""
    listed = repository.run(*LS_FILES, *repository.pathspec)
    files = parse_index(listed, repository.prefix)
    return list(repository.select_files(files, b"", is_new=True))


def read_both(
    repository: Repository, head: bytes, entries: list[Entry]
) -> tuple[Facts, Facts, list[Object | None]]:
    """Read the facts of the index and of HEAD, which differ by ENTRIES.

    The third result is the list of HEAD's KVM directories. A fact file that does not
    differ is read as ``HEAD:path``: for ``:path``, git would read the whole index.
    """
    new = dict(zip(FACT_FILES, repository.name_facts(head), strict=True))
    old = dict(new)
    for entry in entries:
        if (
            entry.name in FACT_FILES
            and entry.new_mode not in REFUSED_MODES
            and entry.status != b"U"
        ):
            new[entry.name], old[entry.name] = entry.new_id, entry.old_id
    wanted = list(dict.fromkeys([*new.values(), *old.values()]))
    objects = repository.objects.find_paths([*wanted, *repository.name_directories(head)])
    contents = map(get_content, objects[: len(wanted)])
    found = dict(zip(wanted, contents, strict=True))
    facts = [
        repository.find_facts([found[name] for name in names.values()]) for names in (new, old)
    ]
    return facts[0], facts[1], objects[len(wanted) :]
