# SPDX-License-Identifier: MIT
"""The values of a source that has changes: a new state of the tree, and the ones before it."""

from __future__ import annotations

# Of a commit or a mail: some reports repeat its subject for each finding.
LONGEST_SUBJECT = 1000

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from kvm_export_hook.rules.tree import Facts
    from kvm_export_hook.sources import Origin

    # Yields the id and the bytes of each text of a list of ids, in that order, less
    # those that cannot be read, of which it complains.
    ReadTexts = Callable[[Sequence[Hashable]], Iterator[tuple[Hashable, bytes]]]


class Text:
    """A text of a state.

    ``name``: of its file, from the top of the tree; several texts may be of one
    file, in order. ``path``: how to show that. ``id``: equal for equal bytes.
    ``first_line``: the number of its first line, 1-based. ``top``: the top of
    its tree on this disk, or None. ``is_named``: whether it was asked for, and
    not only its whole tree.
    """

    __slots__ = ("first_line", "id", "is_named", "name", "path", "top")

    def __init__(
        self,
        name: bytes,
        path: bytes,
        id_: Hashable,
        first_line: int = 1,
        top: bytes | None = None,
        is_named: bool = True,
    ) -> None:
        self.name = name
        self.path = path
        self.id = id_
        self.first_line = first_line
        self.top = top
        self.is_named = is_named


class State:
    """What a tree was before or after a change: its facts, and its texts that differ.

    Where the facts of the states of a change differ, all its texts.
    """

    __slots__ = ("facts", "texts")

    def __init__(self, facts: Facts, texts: Sequence[Text]) -> None:
        self.facts = facts
        self.texts = texts


class Change:
    """A new state and the old ones that it was made from: none, one, or the parents of a merge.

    ``reported``: the names of the files whose findings count; None: all.
    """

    __slots__ = ("new", "olds", "origin", "reported")

    def __init__(
        self,
        origin: Origin | None,
        new: State,
        olds: Sequence[State],
        reported: frozenset[bytes] | None = None,
    ) -> None:
        self.origin = origin
        self.new = new
        self.olds = olds
        self.reported = reported
