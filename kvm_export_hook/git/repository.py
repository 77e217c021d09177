# SPDX-License-Identifier: MIT
"""A kernel in a git repository: its place, its facts, its texts, and complaints about them.

``index``, ``commits`` and ``since`` share this. Names are from the top of the kernel
tree, which may be a subdirectory of the repository.
"""

from __future__ import annotations

from kvm_export_hook.git.compare import Tree
from kvm_export_hook.git.discover import find_environment, find_kernel
from kvm_export_hook.git.entries import (
    LINK,
    LOG,
    RAW,
    REFUSED_MODES,
    TOP_LITERAL,
    UNMERGED_MESSAGE,
)
from kvm_export_hook.git.objects import NOT_HERE_MESSAGE, Objects, get_content, is_link_target
from kvm_export_hook.git.process import Git, ask_git, run_git
from kvm_export_hook.rules.scope import FACT_FILES, KVM_DIRECTORIES, is_source, list_down_to
from kvm_export_hook.values import SHORT_ID, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from kvm_export_hook.git.entries import Entry
    from kvm_export_hook.git.trees import TreeReader
    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.run import Complain, Note, ReadFacts

# The files of this many trees are remembered: those of a commit, those of its parent, which
# often is the previous commit, and one more, so that listing the one does not drop the other.
MOST_LISTED = 3


class Repository:
    """The repository around a kernel, and how to ask git about it; a context that ends git.

    ``directory``: where git is run. ``prefix``: the path of the kernel from the
    top of the repository, empty or with a slash at its end. ``worktree``: the
    top of the working tree, if there is one. ``objects``: its objects, by name.
    ``tips``: the newest of the commits that are checked.
    """

    def __init__(
        self,
        srctree: bytes | None,
        read_facts: ReadFacts,
        complain: Complain,
        note: Note,
        place: tuple[bytes, bytes, bytes | None] | None = None,
        environment: dict[bytes, bytes] | None = None,
    ) -> None:
        self.directory, self.prefix, self.worktree = place or find_kernel(srctree)
        self.environment = environment or find_environment(self.directory)
        self.objects = Objects(self.directory, self.environment)
        self.complain = complain
        self.note = note
        self.tips: Sequence[bytes] = ()
        self._read_facts = read_facts
        self._trees: TreeReader | None = None
        self._noted: set[str] = set()
        self._links: set[bytes] = set()
        self._facts: dict[tuple[bytes | None, bytes | None], Facts] = {}
        self._facts_by_name: dict[tuple[bytes, ...], Facts] = {}
        self._listed: dict[bytes, list[tuple[bytes, bytes]]] = {}
        self._refused: set[tuple[bytes, bytes]] = set()

    def __enter__(self) -> Repository:
        """Return this repository."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let git end. Raises GitError if it failed."""
        self.objects.close()

    @property
    def trees(self) -> TreeReader:
        """The reader that lists the files of its trees; most changes do not need it."""
        if self._trees is None:
            from kvm_export_hook.git.trees import TreeReader

            self._trees = TreeReader(self.objects)
        return self._trees

    @property
    def pathspec(self) -> list[bytes]:
        """The arguments that select KVM's directories and the fact files."""
        names = (*KVM_DIRECTORIES, *FACT_FILES)
        return [b"--", *(TOP_LITERAL + self.prefix + name for name in names)]

    def run(self, *arguments: bytes, stdin: bytes = b"") -> bytes:
        """Run git; return what it prints. Raises GitError."""
        return run_git(
            *arguments, directory=self.directory, stdin=stdin, environment=self.environment
        )

    def ask(self, *arguments: bytes) -> bytes | None:
        """Run git; return what it prints, or None if its exit status is not 0."""
        return ask_git(*arguments, directory=self.directory, environment=self.environment)

    def start_log(self, ids: Iterable[bytes], *arguments: bytes) -> Git:
        """Start ``git log`` of the range IDS, with more ARGUMENTS, to read its raw diffs."""
        return Git(
            *(*LOG, *RAW, *arguments),
            directory=self.directory,
            stdin=join_ids(ids),
            environment=self.environment,
        )

    def find_empty_tree(self) -> bytes | None:
        """Return the id of an empty tree, if HEAD names no commit yet. Raises GitError."""
        names_commit = self.ask(b"rev-parse", b"--verify", b"--quiet", b"HEAD")
        if names_commit or self.ask(b"rev-parse", b"--git-dir") is None:
            return None
        return self.run(b"hash-object", b"-t", b"tree", b"--stdin").strip()

    def name_facts(self, tree: bytes) -> tuple[bytes, ...]:
        """Name the fact files of TREE, a commit or any tree, as git reads them."""
        return tuple(tree + b":" + self.prefix + name for name in FACT_FILES)

    def name_directories(self, tree: bytes) -> list[bytes]:
        """Name the KVM directories of TREE, a commit or any tree, as git reads them."""
        return [tree + b":" + path for path in self.kvm_directories]

    def find_facts(self, contents: Sequence[bytes | None]) -> Facts:
        """Read the facts from the CONTENTS of the fact files, once."""
        kvm_types, makefile = contents
        facts = self._facts.get((kvm_types, makefile))
        if facts is None:
            pairs = zip(FACT_FILES, contents, strict=True)
            self._links.update(name for name, content in pairs if is_link_target(content or b""))
            facts = self._facts[kvm_types, makefile] = self._read_facts(kvm_types, makefile)
        return facts

    def read_facts_of(self, names: tuple[bytes, ...]) -> Facts:
        """Read the facts of a state whose fact files git reads by NAMES, once. Raises GitError."""
        facts = self._facts_by_name.get(names)
        if facts is None:
            contents = [get_content(each) for each in self.objects.find_paths(names)]
            facts = self._facts_by_name[names] = self.find_facts(contents)
        return facts

    def find_tree(self, name: bytes, facts: Facts, is_new: bool = False) -> Tree:
        """Return the tree of a commit, or any tree, of this NAME, which has these FACTS."""

        def list_files() -> list[tuple[bytes, bytes]]:
            if name not in self._listed:
                names = zip(self.name_directories(name), KVM_DIRECTORIES, strict=True)
                files = self.trees.list_files(list(names))
                if len(self._listed) == MOST_LISTED:
                    del self._listed[next(iter(self._listed))]
                self._listed[name] = sorted(self.select_files(files, name, is_new))
            return self._listed[name]

        return Tree(facts, list_files, self.make_text)

    def note_facts(self, state: bytes, facts: Facts) -> None:
        """Report the note of FACTS once, with the first STATE that has it."""
        if facts.note and facts.note not in self._noted:
            self._noted.add(facts.note)
            self.note(state, facts.note)

    def make_text(self, name: bytes, id_: bytes) -> Text:
        """Make the text of the blob ID that a file NAME of the kernel has."""
        return Text(name, self.prefix + name, id_)

    def read_texts(self, ids: Sequence[Hashable]) -> Iterator[tuple[Hashable, bytes]]:
        """Yield the content of each blob of IDS; complain of one that cannot be read."""
        names = [id_ for id_ in ids if isinstance(id_, bytes)]
        for found, name in zip(self.objects.read(names), names, strict=True):
            if found is None:
                self.complain(b"blob " + name, OSError(None, NOT_HERE_MESSAGE))
            else:
                yield name, found.content

    def select_texts(self, entries: Iterable[Entry], commit: bytes = b"") -> list[Entry]:
        """Select those of ENTRIES that are KVM's C files, and regular.

        Complains of symbolic links, submodules and unmerged files in COMMIT, or else in
        the index.
        """
        texts = []
        for entry in entries:
            if entry.status == b"U":
                self.refuse(entry.name, entry.new_id, UNMERGED_MESSAGE)
            elif entry.new_mode in REFUSED_MODES:
                self.refuse(entry.name, entry.new_id, REFUSED_MODES[entry.new_mode], commit)
            elif is_source(entry.name):
                texts.append(entry)
        return texts

    def select_files(
        self, files: Iterable[tuple[bytes, bytes, bytes]], commit: bytes, is_new: bool
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield the name and the id of each of KVM's C files among FILES that is regular.

        FILES are the mode, the id and the name of each. Where their state IS_NEW,
        complains of what cannot be checked.
        """
        for mode, id_, name in files:
            if mode in REFUSED_MODES:
                if is_new:
                    self.refuse(name, id_, REFUSED_MODES[mode], commit)
            elif is_source(name):
                yield name, id_

    def refuse(self, name: bytes, id_: bytes, reason: str, commit: bytes = b"") -> None:
        """Complain of the file NAME of COMMIT or else of the index, once for each content."""
        self.refuse_path(self.prefix + name, id_, reason, commit)

    def refuse_path(self, path: bytes, id_: bytes, reason: str, commit: bytes = b"") -> None:
        """Do the same for the file at PATH, which is from the top of the repository."""
        if (path, id_) not in self._refused:
            self._refused.add((path, id_))
            where = b"commit " + commit[:SHORT_ID] + b": " if commit else b""
            self.complain(where + path, OSError(None, reason))

    def refuse_links(self) -> None:
        """Complain of fact files that are links, unless a change of them was refused already."""
        for name in self._links:
            if all(path != self.prefix + name for path, _ in self._refused):
                self.refuse(name, b"", REFUSED_MODES[LINK])

    @property
    def kvm_directories(self) -> list[bytes]:
        """The paths of the KVM directories from the top of the repository."""
        return [self.prefix + name for name in KVM_DIRECTORIES]

    def list_places(self) -> list[bytes]:
        """List the KVM directories and all directories above them, each after those above it."""
        places = [place for path in self.kvm_directories for place in list_down_to(path)]
        return list(dict.fromkeys(places))


def join_ids(ids: Iterable[bytes]) -> bytes:
    """Join IDS as git reads them on stdin."""
    return b"".join(id_ + b"\n" for id_ in ids)
