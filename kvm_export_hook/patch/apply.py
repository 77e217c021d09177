# SPDX-License-Identifier: MIT
"""Has git apply patches to a tree in a scratch repository.

Nothing is written to the user's repository: the scratch one has its own index and objects,
and reads the user's objects as alternates.
"""

from __future__ import annotations

import os
import re

from kvm_export_hook.git.compare import Tree, compare
from kvm_export_hook.git.entries import Entry, parse_index
from kvm_export_hook.git.objects import get_content
from kvm_export_hook.git.process import RefusalError
from kvm_export_hook.git.trees import TreeReader, parse_tree
from kvm_export_hook.patch.patch_names import MAY_HIDE_KVM, is_wanted
from kvm_export_hook.rules.scope import FACT_FILES, KVM_DIRECTORIES, is_in_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kvm_export_hook.changes.state import Change
    from kvm_export_hook.git.repository import Repository
    from kvm_export_hook.patch.patch_names import PatchNames
    from kvm_export_hook.patch.scratch import Scratch
    from kvm_export_hook.patch.whole import WholeTree
    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.values import Origin

    # The mode and the id of each file, by its name from the top of the kernel.
    IndexFiles = dict[bytes, tuple[bytes, bytes]]

# The exit status of git apply for a patch that does not apply. Others mean other failures.
DOES_NOT_APPLY = 1
NOTHING = (b"000000", b"0" * 40)

# The files of a patch that are applied; a star also matches slashes.
INCLUDED = (*(name + b"/*" for name in KVM_DIRECTORIES), *FACT_FILES)
GLOB_PATTERN = rb"[\\*?\[]"
IDS_PATTERN = re.compile(rb"(?m)^index ([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: [0-7]+)?$")


class Base:
    """What patches are applied to: the files of KVM and the fact files, and how to read them.

    TREE: the top of the kernel, as git names it. ``files``: those that there are now; each
    patch changes them.
    """

    def __init__(
        self, scratch: Scratch, repository: Repository, tree: bytes, whole: WholeTree
    ) -> None:
        self.repository = repository
        self._scratch = scratch
        self._tree = tree
        self._length = len(tree.partition(b":")[0])
        self._whole = whole
        self._reader = TreeReader(repository.objects)
        listed = self._reader.list_files([(tree + name, name) for name in KVM_DIRECTORIES])
        self.files: IndexFiles = {name: (mode, id_) for mode, id_, name in listed}
        facts = {name: self._find_in_tree(name, tree) for name in FACT_FILES}
        self.files |= {name: found for name, found in facts.items() if found != NOTHING}

    @property
    def facts(self) -> Facts:
        """The facts of the tree as it is now."""
        return self._read_facts(self.files)

    def make_tree(self) -> bytes | None:
        """Apply the kept patches to the whole tree; return its new id, None if one failed.

        Raises GitError.
        """
        made = self._whole.make(self._tree)
        return made if self._whole.is_exact else None

    def read_fact_files(self) -> list[bytes | None]:
        """Read the fact files of the tree as it is now."""
        ids = [self.files.get(name, NOTHING)[1] for name in FACT_FILES]
        return [get_content(each) for each in self.repository.objects.find_paths(ids)]

    def apply(
        self, patch: bytes, names: PatchNames, origin: Origin | None, *, only_here: bool
    ) -> Change | None:
        """Apply PATCH, and return what it changes; None if git cannot apply it.

        First it is applied to the tree as it is, then, unless ONLY_HERE, to the files that
        it was made from, like ``git am -3``. If the tree already has what it makes, in the
        opposite order. Raises GitError.
        """
        self._whole.options = names.options
        ways = [self._apply_here, self._apply_where_it_was_made]
        if only_here:
            ways.pop()
        elif self._has_already(patch, names):
            ways.reverse()
        for way in ways:
            done = way(patch, names)
            if done is not None:
                old, self.files = done
                return self._compare(old, self.files, origin)
        return None

    def _has_already(self, patch: bytes, names: PatchNames) -> bool:
        """Whether the tree already has what PATCH makes; it might apply again at an offset."""
        pairs = IDS_PATTERN.findall(patch)
        olds, news = zip(*pairs, strict=True) if pairs else ((), ())
        ids = [self.files[name][1] for name in names.new if name in self.files]
        changed = [id_ for id_ in ids if pairs and not id_.startswith(olds)]
        if not changed or any(id_.startswith(news) for id_ in changed):
            return bool(changed)
        # A later patch may have changed the file again.
        options = (b"--cached", b"--check", b"-R", *names.options, *self._include(names))
        return self._scratch.try_apply(patch, b"index", *options)

    def _apply_here(self, patch: bytes, names: PatchNames) -> tuple[IndexFiles, IndexFiles] | None:
        """Apply PATCH to the tree as it is; return the files before and after."""
        added = self._find_sources(names)
        if added:
            self.write_index(b"index", added)
        files = self.files | added
        new = self._run_apply(b"index", files, patch, names)
        if new is not None:
            return files, new
        if added:
            self.write_index(b"index", dict.fromkeys(added, NOTHING))
        return None

    def _apply_where_it_was_made(
        self, patch: bytes, names: PatchNames
    ) -> tuple[IndexFiles, IndexFiles] | None:
        """Apply PATCH to the files that its own ids name, laid over the tree."""
        with open(self._scratch.join(b"laid"), "wb") as laid:
            laid.write(self._scratch.read(b"index"))
        added = self._find_sources(names)
        self.write_index(b"laid", added)
        ancestor = b"--build-fake-ancestor=" + self._scratch.join(b"ancestor")
        options = (ancestor, *names.options, *self._include(names))
        if not self._scratch.try_apply(patch, b"laid", *options):
            return None
        made_from = self._list_index(b"ancestor")
        files = self.files | added
        # A file that the patch creates is not there before it.
        anew = {*names.new} & files.keys() - made_from.keys()
        self.write_index(b"laid", made_from | dict.fromkeys(anew, NOTHING))
        files = {name: each for name, each in files.items() if name not in anew} | made_from
        new = self._run_apply(b"laid", files, patch, names)
        if new is None:
            return None
        os.replace(self._scratch.join(b"laid"), self._scratch.join(b"index"))
        return files, new

    def _find_sources(self, names: PatchNames) -> IndexFiles:
        """Find the files that a patch with NAMES renames or copies, if ``files`` has others.

        If such a file is missing, the one that has the new name already is taken.
        """
        found: IndexFiles = {}
        for old, new in names.moves:
            source = self._find_file(old)
            if source == NOTHING:
                source = self._find_file(new)
            if source != self.files.get(old, NOTHING):
                found[old] = source
        return found

    def _find_file(self, name: bytes) -> tuple[bytes, bytes]:
        """Find the file NAME, in KVM or not, after the patches so far; NOTHING if it is unknown."""
        if is_wanted(name):
            return self.files.get(name, NOTHING)
        tree = self._whole.make(self._tree) + b":"
        return NOTHING if name in self._whole.unknown else self._find_in_tree(name, tree)

    def _run_apply(
        self, index: bytes, before: IndexFiles, patch: bytes, names: PatchNames
    ) -> IndexFiles | None:
        """Apply PATCH to an INDEX, which has the files BEFORE; return those after it.

        None if git refuses, or does nothing.
        """
        options = (b"--cached", b"--whitespace=nowarn", *names.options, *self._include(names))
        try:
            self._run_on(index, b"apply", *options, stdin=patch)
        except RefusalError as error:
            if error.status != DOES_NOT_APPLY:
                raise
            return None
        after = self._list_index(index)
        return after if after != before else None

    def _include(self, names: PatchNames) -> Iterator[bytes]:
        """Yield the options that limit git to those files of a patch with NAMES that matter."""
        for pattern in (*INCLUDED, *MAY_HIDE_KVM):
            yield b"--include=" + pattern
        for _, name in names.moves:
            if not is_in_scope(name):
                yield b"--include=" + re.sub(GLOB_PATTERN, rb"\\\g<0>", name)

    def _compare(self, old: IndexFiles, new: IndexFiles, origin: Origin | None) -> Change:
        """Make the change between two states."""
        entries = [
            make_index_entry(name, old.get(name, NOTHING), new.get(name, NOTHING))
            for name in sorted(old.keys() | new.keys())
            if old.get(name) != new.get(name)
        ]
        diff = self.repository.select_texts(entries)
        facts = self._read_facts(new)
        self.repository.note_facts(b".", facts)
        trees = self._make_tree(new, is_new=True), self._make_tree(old, is_new=False)
        return compare(trees[0], trees[1:], [diff], origin)

    def _make_tree(self, files: IndexFiles, *, is_new: bool) -> Tree:
        """Make the tree that has FILES; it complains of some of these if it IS_NEW."""
        listed = [(mode, id_, name) for name, (mode, id_) in sorted(files.items())]

        def list_files() -> list[tuple[bytes, bytes]]:
            return list(self.repository.select_files(listed, b"", is_new))

        return Tree(self._read_facts(files), list_files, self.repository.make_text)

    def _read_facts(self, files: IndexFiles) -> Facts:
        """Read the facts of the tree that has FILES."""
        ids = (files.get(name, NOTHING)[1] for name in FACT_FILES)
        return self.repository.read_facts_of(tuple(ids))

    def _find_in_tree(self, name: bytes, tree: bytes) -> tuple[bytes, bytes]:
        """Find the file NAME in TREE, as git names that; NOTHING if it is not there."""
        directory, _, base = name.rpartition(b"/")
        (found,) = self.repository.objects.find_paths([tree + directory])
        entries = parse_tree(found) if found is not None and found.type == b"tree" else ()
        return next(((mode, id_) for mode, id_, entry in entries if entry == base), NOTHING)

    def write_index(self, index: bytes, files: IndexFiles) -> None:
        """Put FILES into an INDEX, which may be new; remove those that are NOTHING."""
        lines = []
        for name, (mode, id_) in files.items():
            # A mode of zeros removes the file; its id must be as long as the others.
            lines.append(b"%s %s\t%s\0" % (mode, id_.ljust(self._length, b"0"), name))
        self._run_on(index, b"update-index", b"-z", b"--index-info", stdin=b"".join(lines))

    def _list_index(self, index: bytes) -> IndexFiles:
        """List the files of an INDEX."""
        listed = parse_index(self._run_on(index, b"ls-files", b"-s", b"-z"), b"")
        return {name: (mode, id_) for mode, id_, name in listed}

    def _run_on(self, index: bytes, *arguments: bytes, stdin: bytes = b"") -> bytes:
        """Run git on an INDEX of the scratch repository."""
        return self._scratch.run(*arguments, stdin=stdin, index=index)


def make_index_entry(name: bytes, old: tuple[bytes, bytes], new: tuple[bytes, bytes]) -> Entry:
    """Make the entry of a file NAME whose mode and id were OLD, and are NEW."""
    status = b"A" if old == NOTHING else b"D" if new == NOTHING else b"M"
    return Entry(b" ".join((old[0], new[0], old[1], new[1], status)), name)
