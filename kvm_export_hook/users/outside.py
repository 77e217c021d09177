# SPDX-License-Identifier: MIT
"""The rest of the tree: which files outside KVM use a symbol. Reads what a search has picked.

``git grep`` only picks the files: its patterns are parts of words, and what
it finds may be a comment, a member or a tag.
"""

from __future__ import annotations

import re

from kvm_export_hook.users.closure import reach, trace_chain
from kvm_export_hook.users.uses import find_uses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Set

    from kvm_export_hook.users.closure import Bodies
    from kvm_export_hook.users.trees import Tree
    from kvm_export_hook.users.uses import Uses

    # What is used, the path from the top, the line, and what leads there.
    Place = tuple[bytes, bytes, int, tuple[bytes, ...]]

# Why users outside KVM are not known: KVM's parts alone are here, or it is a
# sparse checkout, or git is missing or fails.
PART_OF_KERNEL, SPARSE, NO_GIT = "part of a kernel", "sparse checkout", "no git"

# A file of every whole tree, and what its lines always have; no C does.
CANARY = b"drivers/Makefile"
CANARY_WORD = b"obj-y"

# KVM itself, each architecture's: there virt/kvm is linked into the same module.
# And tools, which run in no kernel.
PATHS = (
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

INCLUDE_PATTERN = re.compile(rb"(?m)^[ \t]*#[ \t]*include[ \t]*<(?:kvm/|(?:linux|asm)/kvm)")

# Git looks for one pattern after the other: from here on, all with the stem
# are one pattern, which some hundred files outside KVM contain.
MOST_PATTERNS = 4
STEM = b"kvm"


def find_outside(tree: Tree, symbols: Set[bytes], bodies: Bodies) -> Iterator[Place]:
    """Yield the places outside KVM that use SYMBOLS, themselves or through BODIES.

    Of each file the nearest one of a symbol. Where a header outside KVM defines
    a name of KVM's, only files that include one of KVM's mean KVM's.
    Raises GitError.
    """
    names = symbols | bodies.keys()
    found: list[tuple[bytes, Uses, bool]] = []
    taken: set[bytes] = set()
    for path in sorted(tree.list_candidates(names)):
        data = tree.read(path)
        if data is None:
            continue  # git has found it in the index: the user says that it is unchanged
        uses = find_uses(data, names)
        includes_kvm = INCLUDE_PATTERN.search(data) is not None
        if uses.lines:
            found.append((path, uses, includes_kvm))
        if path.endswith(b".h") and not includes_kvm:
            taken |= uses.defined
    for path, uses, includes_kvm in found:
        others = set() if includes_kvm else taken | uses.defined
        lines = {name: line for name, line in uses.lines.items() if name not in others}
        namers = reach(lines, bodies)
        for symbol in namers.keys() & symbols:
            through = trace_chain(symbol, namers)
            yield symbol, path, lines[through[0] if through else symbol], through


def list_arguments(names: Collection[bytes]) -> list[bytes]:
    """List what git grep is to look for, and where."""
    patterns = [part for name in choose_patterns(names) for part in (b"-e", name)]
    return [b"-e", CANARY_WORD, *patterns, b"--", *PATHS]


def choose_patterns(names: Collection[bytes]) -> Iterable[bytes]:
    """Choose what to look for, so that all of NAMES are found: no more than is needed."""
    patterns: list[bytes] = []
    for name in sorted(names, key=lambda name: (len(name), name)):
        if not any(pattern in name for pattern in patterns):
            patterns.append(name)
    if len(patterns) <= MOST_PATTERNS:
        return patterns
    return sorted({STEM if STEM in name else name for name in patterns})
