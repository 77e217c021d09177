# SPDX-License-Identifier: MIT
"""The rest of the tree: which files outside KVM name a symbol. Reads them, and runs git once.

``git grep`` only picks the files: its patterns are parts of words, and what
it finds may be a comment, a member or a tag. Where git does not track the
tree, which shows by the missing canary, it searches the directory instead.
"""

from __future__ import annotations

import os

from kvm_export_hook.sources.process import GitError, ask_git
from kvm_export_hook.sources.worktree import read_file
from kvm_export_hook.users.words import find_first_lines, may_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

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
    b":(exclude,glob)include/linux/kvm*.h",
    b":(exclude,glob)tools/**",
)
# Whatever grep.*, color.* and submodule.* are set to.
GREP = (
    *(b"-c", b"grep.fullName=false", b"grep", b"-z", b"-l", b"-F"),
    *(b"--no-color", b"--no-textconv", b"--no-recurse-submodules"),
)
SPARSE_CHECKOUT = (b"config", b"--type=bool", b"--get", b"core.sparseCheckout")

# Git looks for one pattern after the other: from here on, all with the stem
# are one pattern, which some hundred files outside KVM contain.
MOST_PATTERNS = 4
STEM = b"kvm"


def find_obstacle(srctree: bytes) -> str | None:
    """Find what keeps users outside KVM from being known; None if a search can find them.

    Raises GitError.
    """
    if not os.path.isfile(os.path.join(srctree, CANARY)):
        return PART_OF_KERNEL
    said = ask_git(*SPARSE_CHECKOUT, directory=srctree)
    return SPARSE if said == b"true\n" else None


def find_outside(srctree: bytes, names: Collection[bytes]) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield the places outside KVM that name NAMES: name, path from the top, and line.

    Of each file the first place of a name. Raises GitError.
    """
    for path in list_candidates(srctree, names):
        try:
            data = read_file(os.path.join(srctree, path))
        except OSError:
            continue  # git has found it in the index: the user says that it is unchanged
        if may_name(data, names):
            for name, line in find_first_lines(data, names).items():
                yield name, path, line


def list_candidates(srctree: bytes, names: Collection[bytes]) -> set[bytes]:
    """Find the files outside KVM that may name NAMES. Raises GitError."""
    patterns = [part for name in choose_patterns(names) for part in (b"-e", name)]
    search = (b"-e", CANARY_WORD, *patterns, b"--", *PATHS)
    for options in (), (b"--no-index",):
        output = ask_git(*GREP, *options, *search, directory=srctree) or b""
        found = set(output.split(b"\0")[:-1])
        if CANARY in found:
            return found - {CANARY}
    raise GitError("cannot search this tree")


def choose_patterns(names: Collection[bytes]) -> Iterable[bytes]:
    """Choose what to look for, so that all of NAMES are found."""
    if len(names) <= MOST_PATTERNS:
        return sorted(names)
    return sorted({STEM if STEM in name else name for name in names})
