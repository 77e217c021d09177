# SPDX-License-Identifier: MIT
"""The rest of the tree: which files outside KVM name a symbol. Reads them, and runs git once.

``git grep`` only picks the files: its patterns are parts of words, and what
it finds may be a comment, a member or a tag. Where git does not track the
tree, which shows by the missing canary, it searches the directory instead.
"""

from __future__ import annotations

import os

from kvm_export_hook.files.worktree import read_file
from kvm_export_hook.git.discover import find_repository
from kvm_export_hook.git.process import GitError, ask_git, forget_repository
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
# And tools, which run in no kernel. Before each comes the path of the tree.
PATHS = (
    (b":(glob)", CANARY),
    (b":(glob)", b"**/*.[ch]"),
    (b":(exclude,glob)", b"virt/kvm/**"),
    (b":(exclude,glob)", b"arch/*/kvm/**"),
    (b":(exclude,glob)", b"arch/*/include/asm/kvm*.h"),
    (b":(exclude,glob)", b"include/linux/kvm*.h"),
    (b":(exclude,glob)", b"tools/**"),
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
    _, top = find_repository(os.path.realpath(srctree or b"."))
    if top is None:
        return None
    said = ask_git(*SPARSE_CHECKOUT, directory=top, environment=forget_repository())
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
    tree = os.path.realpath(srctree or b".")
    _, top = find_repository(tree)
    found: set[bytes] = set()
    if top is not None:
        found = search(names, top, os.path.join(os.path.relpath(tree, top), b""))
    found = found or search(names, tree, b"", b"--no-index")
    if not found:
        raise GitError("cannot search this tree")
    return found - {CANARY}


def search(
    names: Collection[bytes], directory: bytes, prefix: bytes, *options: bytes
) -> set[bytes]:
    """Search for NAMES below PREFIX in DIRECTORY; return the files of the tree, with the canary.

    Nothing without it. Without an index no repository has a say, not even one
    that lies in DIRECTORY.
    """
    patterns = [part for name in choose_patterns(names) for part in (b"-e", name)]
    prefix = prefix.removeprefix(b"./")
    escaped = b"".join(b"\\%c" % byte for byte in prefix)
    paths = [magic + escaped + path for magic, path in PATHS]
    environment = forget_repository()
    if options:
        environment[b"GIT_DIR"] = os.fsencode(os.devnull)
    command = (*GREP, *options, b"-e", CANARY_WORD, *patterns, b"--", *paths)
    output = ask_git(*command, directory=directory, environment=environment) or b""
    found = {path[len(prefix) :] for path in output.split(b"\0")[:-1]}
    return found if CANARY in found else set()


def choose_patterns(names: Collection[bytes]) -> Iterable[bytes]:
    """Choose what to look for, so that all of NAMES are found."""
    if len(names) <= MOST_PATTERNS:
        return sorted(names)
    return sorted({STEM if STEM in name else name for name in names})
