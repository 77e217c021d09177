# SPDX-License-Identifier: MIT
"""Finds which files outside KVM use a symbol.

``git grep`` only picks the files to read: its patterns are parts of words, and what it
finds may be a comment, a member or a tag.
"""

from __future__ import annotations

import re
from itertools import chain

from kvm_export_hook.users.closure import reach, trace_chain
from kvm_export_hook.users.uses import find_uses
from kvm_export_hook.users.words import KVM_STEM, WantedNames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Set

    from kvm_export_hook.users.closure import Bodies
    from kvm_export_hook.users.searched import SearchedTree
    from kvm_export_hook.users.uses import Uses

    # What is used, the path from the top, the line, and what leads there.
    OutsideUse = tuple[bytes, bytes, int, tuple[bytes, ...]]

# Why users outside KVM are not known: there is only a part of the kernel, or this is a
# sparse checkout, or git is missing or fails.
PART_OF_KERNEL, SPARSE, NO_GIT = "part of a kernel", "sparse checkout", "no git"

# A file of every whole tree, and a word that it always has and C never.
CANARY = b"drivers/Makefile"
CANARY_WORD = b"obj-y"

# Excluded are KVM itself, on each architecture (virt/kvm is linked into the same module),
# and tools, which run in no kernel. The path of the tree is put before each.
SEARCHED_PATHS = (
    CANARY,
    b":(glob)**/*.[ch]",
    b":(exclude,glob)virt/kvm/**",
    b":(exclude,glob)arch/*/kvm/**",
    b":(exclude,glob)arch/*/include/asm/kvm*.h",
    b":(exclude,glob)include/kvm/**",
    b":(exclude,glob)include/linux/kvm*.h",
    b":(exclude,glob)tools/**",
)
# Whatever grep.*, color.* and submodule.* are set to.
GREP = (
    *(b"-c", b"grep.fullName=false", b"grep", b"-z", b"-l", b"-F"),
    *(b"--no-color", b"--no-textconv", b"--no-recurse-submodules"),
)

# A header of KVM; those of guests and of types declare nothing that KVM exports.
INCLUDE_PATTERN = re.compile(rb"include[ \t]*<(?:kvm/|(?:linux|asm)/kvm(?!_para|_types))")

# Git looks for one pattern after the other. If there are more than this, the stem is used
# instead: a file that uses an export of KVM includes a header of KVM, whose name has the
# stem, or another header that does.
MOST_PATTERNS = 4


class Source:
    """A file outside KVM that names something: its path, its uses, whether it includes KVM."""

    __slots__ = ("includes_kvm", "path", "uses")

    def __init__(self, path: bytes, data: bytes, uses: Uses) -> None:
        self.path = path
        self.uses = uses
        self.includes_kvm = INCLUDE_PATTERN.search(data) is not None


def find_outside(tree: SearchedTree, symbols: Set[bytes], bodies: Bodies) -> Iterator[OutsideUse]:
    """Yield the places outside KVM that use SYMBOLS, directly or through BODIES.

    For each file and symbol, the nearest one. If a header outside KVM defines a name that
    KVM has, too, only files that include a header of KVM mean KVM's. Raises GitError.
    """
    taken: set[bytes] = set()
    found = []
    for source in read_sources(tree, WantedNames(symbols | bodies.keys())):
        found.append(source)
        if source.path.endswith(b".h") and not source.includes_kvm:
            taken |= source.uses.defined
    for source in found:
        others = set() if source.includes_kvm else taken | source.uses.defined
        lines = {name: line for name, line in source.uses.lines.items() if name not in others}
        namers = reach(lines, bodies)
        for symbol in namers.keys() & symbols:
            through = trace_chain(symbol, namers)
            yield symbol, source.path, lines[through[0] if through else symbol], through


def read_sources(tree: SearchedTree, names: WantedNames) -> Iterator[Source]:
    """Yield the files outside KVM that may use one of NAMES. Raises GitError."""
    patterns = choose_patterns(names.all)
    paths = tree.list_candidates(patterns)
    if patterns != [KVM_STEM]:
        return read_each(tree, paths, names)
    # Names without the stem are only looked for in files that can see a header of KVM.
    close = {path for path in paths if INCLUDE_PATTERN.search(tree.read(path) or b"")}
    close |= {each for path in close if path.endswith(b".h") for each in list_beside(tree, path)}
    stemmed = WantedNames({name for name in names.all if KVM_STEM in name})
    return chain(read_each(tree, close, names), read_each(tree, paths - close, stemmed))


def read_each(tree: SearchedTree, paths: Iterable[bytes], names: WantedNames) -> Iterator[Source]:
    """Yield those of the files PATHS that use or define one of NAMES."""
    for path in sorted(paths):
        # No data: git found the file in the index alone, because it is marked as unchanged.
        data = tree.read(path) or b""
        uses = find_uses(data, names)
        if uses.lines or uses.defined:
            yield Source(path, data, uses)


def list_beside(tree: SearchedTree, path: bytes) -> Iterator[bytes]:
    """List the sources in the directory of the header PATH, which may include it."""
    directory = path.rpartition(b"/")[0]
    for name in tree.list_names(directory):
        if name.endswith(b".c"):
            yield directory + b"/" + name


def list_arguments(patterns: Iterable[bytes]) -> list[bytes]:
    """List the arguments for git grep: the PATTERNS, and where to look for them."""
    listed = [part for pattern in patterns for part in (b"-e", pattern)]
    return [b"-e", CANARY_WORD, *listed, b"--", *SEARCHED_PATHS]


def choose_patterns(names: Collection[bytes]) -> list[bytes]:
    """Choose patterns by which all of NAMES are found, as few as possible."""
    patterns: list[bytes] = []
    for name in sorted(names, key=lambda name: (len(name), name)):
        if not any(pattern in name for pattern in patterns):
            patterns.append(name)
            if len(patterns) > MOST_PATTERNS:
                return [KVM_STEM]
    return patterns
