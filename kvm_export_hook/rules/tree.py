# SPDX-License-Identifier: MIT
"""What a kernel tree says of itself, from the bytes of two of its files. Pure.

Linux before 6.18 has no macro for KVM's own exports, so the rule cannot be
followed there; newer trees have the macro, and from some point on a check in
``arch/x86/kvm/Makefile`` that fails the build and has an allowlist of its own.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

KVM_TYPES = b"include/linux/kvm_types.h"
MAKEFILE = b"arch/x86/kvm/Makefile"

# The make variable that holds the check's grep, and in it the allowlist.
TRAILER = b"exports_grep_trailer"


class Tree:
    """The facts about one tree.

    ``lacks_macro``: the rule cannot be followed here. ``has_check``: the build
    fails on what its grep finds. ``allowlist``: the names that this grep lets
    pass; empty where none could be read. ``source``: whose allowlist that is.
    """

    __slots__ = ("allowlist", "has_check", "lacks_macro", "source")

    def __init__(self, lacks_macro: bool, has_check: bool, allowlist: frozenset[bytes]) -> None:
        self.lacks_macro = lacks_macro
        self.has_check = has_check
        self.allowlist = allowlist
        self.source = "the tree's own"


def learn(macro: bytes, kvm_types: bytes | None, makefile: bytes | None) -> Tree:
    """Learn the facts from the two files; None stands for one that is not there.

    A sparse checkout may lack either: only a header that is there can prove
    that MACRO is missing.
    """
    return Tree(
        lacks_macro=kvm_types is not None and not defines(kvm_types, macro),
        has_check=makefile is not None and TRAILER in makefile,
        allowlist=frozenset(permitted_names(makefile or b"")),
    )


def defines(header: bytes, macro: bytes) -> bool:
    """Whether HEADER has a ``#define`` of MACRO."""
    for line in header.split(b"\n"):
        if macro in line:
            words = line.replace(b"#", b" # ", 1).replace(b"(", b" ").split()
            if words[:3] == [b"#", b"define", macro]:
                return True
    return False


def permitted_names(makefile: bytes) -> Iterator[bytes]:
    """Yield the names after each ``-e`` of the check's ``grep -v``."""
    for line in makefile.replace(b"\\\n", b" ").split(b"\n"):
        if line.split()[:1] != [TRAILER]:
            continue
        for command in line.partition(b"#")[0].split(b"|"):
            words = [word.strip(b"\"'") for word in command.split()]
            for option, name in zip(words, words[1:]):
                if b"-v" in words and option == b"-e" and name.replace(b"_", b"a").isalnum():
                    yield name
