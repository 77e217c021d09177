# SPDX-License-Identifier: MIT
"""A kernel in a git repository: which files differ, what a commit says of itself, its texts.

What ``index``, ``history`` and ``baseline`` have in common. Names are from the
top of the kernel tree, which may be a subdirectory of the repository.
"""

from __future__ import annotations

from kvm_export_hook.git.discover import find_kernel
from kvm_export_hook.git.objects import is_link_target, read_objects
from kvm_export_hook.git.process import run_git
from kvm_export_hook.rules.facts import FACT_FILES
from kvm_export_hook.rules.scope import KVM_DIRECTORIES, is_in_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterable, Iterator, Sequence

    from kvm_export_hook.changes.state import Text
    from kvm_export_hook.git.objects import Object
    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.run import Complain, Note, ReadFacts

# What every diff is asked for: raw, by no setting of the user.
RAW = (
    b"--raw",
    b"-z",
    b"--no-abbrev",
    b"--no-renames",
    b"--no-relative",
    b"--no-ext-diff",
    b"--no-textconv",
    b"--ignore-submodules=none",
    b"-O/dev/null",
)

LS_FILES = (b"ls-files", b"-s", b"-z", b"--full-name")

# What is above the KVM directories.
ABOVE_KVM = (b"arch", b"arch/x86", b"virt")

LINK, SUBMODULE = b"120000", b"160000"
KINDS = {
    LINK: "is a symbolic link, which is not followed: put a file in its place",
    SUBMODULE: "is a submodule, whose files are not checked here: run the hook in it",
}
UNMERGED_MESSAGE = "is unmerged: resolve the conflict, then git add the file"
UNREADABLE_MESSAGE = (
    "cannot be read from the repository: run git fsck, or fetch it if the clone is partial"
)


class Entry:
    """A file that differs: its name, its modes and ids on both sides, and the status letter.

    An id of zeros: the file is not there, or, in a working tree, not hashed.
    """

    __slots__ = ("name", "new_id", "new_mode", "old_id", "old_mode", "status")

    def __init__(self, fields: bytes, name: bytes) -> None:
        self.name = name
        old_mode, new_mode, self.old_id, self.new_id, status = fields.lstrip(b"\n:").split(b" ")
        self.old_mode, self.new_mode, self.status = old_mode, new_mode, status[:1]

    @property
    def is_gone(self) -> bool:
        """Whether the new side has no such file."""
        return self.status == b"D"

    @property
    def was_file(self) -> bool:
        """Whether the old side has such a file, and no symbolic link or submodule."""
        return self.old_mode.startswith(b"100")


class Repository:
    """The kernel tree that a repository holds, and how to ask git for it.

    ``directory``: where git is run. ``prefix``: the path of the kernel from the
    top of the repository, empty or with a slash at its end. ``worktree``: the
    top of the working tree, if there is one.
    """

    def __init__(
        self, srctree: bytes | None, read_facts: ReadFacts, complain: Complain, note: Note
    ) -> None:
        self.directory, self.prefix, self.worktree = find_kernel(srctree)
        self.read_facts = read_facts
        self.complain = complain
        self.note = note
        self.noted: set[str] = set()
        self.links: set[bytes] = set()
        self.facts: dict[tuple[bytes | None, bytes | None], Facts] = {}
        self.refused: set[tuple[bytes, bytes]] = set()
        self._ahead: tuple[list[bytes], Generator[Object | None]] | None = None

    @property
    def pathspec(self) -> list[bytes]:
        """The arguments that select KVM's directories and the fact files."""
        names = (*KVM_DIRECTORIES, *FACT_FILES)
        return [b"--", *(b":(top,literal)" + self.prefix + name for name in names)]

    def run(self, *arguments: bytes) -> bytes:
        """Run git; return what it prints. Raises GitError."""
        return run_git(*arguments, directory=self.directory)

    def read(self, names: Iterable[bytes]) -> Generator[Object | None]:
        """Yield the objects of NAMES, None for one that is not there. Raises GitError."""
        return read_objects(names, self.directory)

    def read_ahead(self, names: Sequence[bytes], ids: Iterable[bytes]) -> list[Object | None]:
        """Read the objects of NAMES, None for what is not there. Raises GitError.

        The same git goes on with IDS, if these are the next texts to be read.
        """
        then = list(dict.fromkeys(ids))
        objects = self.read([*names, *then])
        found = [next(objects) for _ in names]
        self._ahead = then, objects
        return found

    def name_directories(self, commit: bytes) -> list[bytes]:
        """Name the KVM directories of COMMIT, or any tree, as git reads them."""
        return [commit + b":" + self.prefix + name for name in KVM_DIRECTORIES]

    def strip(self, path: bytes) -> bytes:
        """Spell PATH from the top of the repository."""
        return path[len(self.prefix) :]

    def select_texts(
        self, entries: Iterable[Entry], commit: bytes = b""
    ) -> tuple[list[Entry], dict[bytes, Entry]]:
        """Split ENTRIES: those of KVM's C files that are regular, and those of fact files.

        Complains of symbolic links, submodules, and what is unmerged, in COMMIT
        or else in the index.
        """
        texts, facts = [], {}
        for entry in entries:
            if entry.status == b"U":
                self.refuse(entry.name, entry.new_id, UNMERGED_MESSAGE)
            elif entry.new_mode in KINDS:
                self.refuse(entry.name, entry.new_id, KINDS[entry.new_mode], commit)
            elif entry.name in FACT_FILES:
                facts[entry.name] = entry
            elif is_in_scope(entry.name):
                texts.append(entry)
        return texts, facts

    @property
    def paths_above(self) -> list[bytes]:
        """The paths above the KVM directories, from the top of the repository."""
        parts = self.prefix.split(b"/")[:-1]
        above = [b"/".join(parts[: count + 1]) for count in range(len(parts))]
        return [*above, *(self.prefix + name for name in ABOVE_KVM)]

    def refuse(self, name: bytes, id_: bytes, reason: str, commit: bytes = b"") -> None:
        """Complain of the file NAME of COMMIT or else of the index, once for each content."""
        self.refuse_path(self.prefix + name, id_, reason, commit)

    def refuse_path(self, path: bytes, id_: bytes, reason: str, commit: bytes = b"") -> None:
        """Do the same for the file at PATH from the top of the repository."""
        if (path, id_) not in self.refused:
            self.refused.add((path, id_))
            where = b"commit " + commit[:12] + b": " if commit else b""
            self.complain(where + path, OSError(None, reason))

    def list_tree(self, commit: bytes, is_new: bool = False) -> list[tuple[bytes, bytes]]:
        """List the KVM C files of COMMIT: the id and the name of each.

        Where it IS_NEW, what cannot be judged is complained of.
        """
        listed = self.run(b"ls-tree", b"-r", b"-z", b"--full-tree", commit, *self.plain_pathspec)
        return list(self.select_files(parse_list(listed, 2), commit, is_new))

    def list_index(self) -> list[tuple[bytes, bytes]]:
        """List the KVM C files of the index: the id and the name of each."""
        listed = self.run(*LS_FILES, *self.pathspec)
        return list(self.select_files(parse_list(listed, 1), b"", is_new=True))

    def select_files(
        self, files: Iterable[tuple[bytes, bytes, bytes]], commit: bytes, is_new: bool
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield the id and the name of each of KVM's C files among FILES that is regular."""
        for mode, id_, path in files:
            name = self.strip(path)
            if mode in KINDS:
                if is_new:
                    self.refuse(name, id_, KINDS[mode], commit)
            elif is_in_scope(name):
                yield id_, name

    @property
    def plain_pathspec(self) -> list[bytes]:
        """The pathspec for ls-tree, which knows no magic."""
        return [b"--", *(self.prefix + name for name in KVM_DIRECTORIES)]

    def make_texts(self, files: Iterable[tuple[bytes, bytes]]) -> list[Text]:
        """Make the texts of FILES, each an id and a name."""
        from kvm_export_hook.changes.state import Text

        return [Text(name, self.prefix + name, id_) for id_, name in files]

    def find_facts(self, contents: Sequence[bytes | None]) -> Facts:
        """Read the facts from the CONTENTS of the fact files, once."""
        kvm_types, makefile = contents
        facts = self.facts.get((kvm_types, makefile))
        if facts is None:
            pairs = zip(FACT_FILES, contents, strict=True)
            self.links.update(name for name, content in pairs if is_link_target(content or b""))
            facts = self.facts[kvm_types, makefile] = self.read_facts(kvm_types, makefile)
        return facts

    def refuse_links(self) -> None:
        """Complain of fact files that are links, and have not been refused as a change."""
        for name in self.links:
            if all(path != self.prefix + name for path, _ in self.refused):
                self.refuse(name, b"", KINDS[LINK])

    def note_facts(self, state: bytes, facts: Facts) -> None:
        """Report the note of FACTS once, with the first STATE that has it."""
        if facts.note and facts.note not in self.noted:
            self.noted.add(facts.note)
            self.note(state, facts.note)

    def read_texts(self, ids: Sequence[Hashable]) -> Iterator[tuple[Hashable, bytes]]:
        """Yield the content of each blob of IDS; complains of one that cannot be had."""
        names = [id_ for id_ in ids if isinstance(id_, bytes)]
        ahead, objects = self._ahead or ([], None)
        self._ahead = None
        if objects is None or names != ahead:
            if objects:
                objects.close()
            objects = self.read(names)
        # In this order, so that the last step is to wait for git and read its status.
        for found, name in zip(objects, names, strict=True):
            if found is None:
                self.complain(b"blob " + name, OSError(None, UNREADABLE_MESSAGE))
            else:
                yield name, found[1]


def parse_raw(fields: Iterable[bytes], repository: Repository) -> Iterator[Entry]:
    """Yield the entries of a raw diff, given the FIELDS between its NULs."""
    fields = iter(fields)
    for field in fields:
        if field:
            yield Entry(field, repository.strip(next(fields)))


def parse_list(listed: bytes, id_at: int) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield the mode, the id and the path of each file that ls-tree or ls-files has LISTED."""
    for line in listed.split(b"\0")[:-1]:
        fields, _, path = line.partition(b"\t")
        mode, *others = fields.split(b" ")
        yield mode, others[id_at - 1], path
