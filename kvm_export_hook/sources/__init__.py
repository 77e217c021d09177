# SPDX-License-Identifier: MIT
"""Where C comes from: the working tree, git, patches. A source yields an Input for each text."""

from __future__ import annotations

# Said of what could not be judged for want of it.
NO_MEMORY = "needs more memory than this machine has"
# Said of a fault of ours.
PLEASE_REPORT = "please report this, with the input"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kvm_export_hook.rules.tree import Facts

    # Learns the facts of a tree from its KVM_TYPES and its MAKEFILE; None: not there.
    Learn = Callable[[bytes | None, bytes | None], Facts]
    # Takes a path that could not be judged, and why.
    Complain = Callable[[bytes, OSError], object]
    # Takes a tree (its path, empty for the working directory) whose facts have a note.
    Note = Callable[[bytes, str], object]


class Origin:
    """The commit or the mail that a text is from.

    ``commit``: its full id in hexadecimal, or None for a mail. ``subject``: one line.
    ``is_alone``: everything that is judged is from there, so no heading is needed.
    """

    __slots__ = ("commit", "is_alone", "subject")

    def __init__(self, commit: str | None, subject: str, is_alone: bool = False) -> None:
        self.commit = commit
        self.subject = subject
        self.is_alone = is_alone


class Input:
    """A text of C to be judged, complete when it is made.

    ``facts``: of its tree. ``name``: its path from the top of the tree.
    ``path``: how to show it. ``text``: its bytes. ``top``: the top of its tree
    on this disk, empty for the working directory; None: the text is not a file
    of this disk. ``first_line``: the number of the text's first line in its
    file, 1-based. ``origin``: where the text is from, if not a file as it is.
    ``is_named``: whether the file was asked for, and not only its whole tree.
    """

    __slots__ = ("facts", "first_line", "is_named", "name", "origin", "path", "text", "top")

    def __init__(
        self,
        facts: Facts,
        name: bytes,
        path: bytes,
        text: bytes,
        top: bytes | None = None,
        first_line: int = 1,
        origin: Origin | None = None,
        is_named: bool = True,
    ) -> None:
        self.facts = facts
        self.name = name
        self.path = path
        self.text = text
        self.top = top
        self.first_line = first_line
        self.origin = origin
        self.is_named = is_named
