# SPDX-License-Identifier: MIT
"""The values of a change: a new state of the tree, and the ones before it. No logic."""

from __future__ import annotations

# Of a commit or a mail: some reports repeat its subject for each finding.
LONGEST_SUBJECT = 1000

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.values import Origin, Text

    # Yields the id and the bytes of each text of a list of ids, in that order, less
    # those that cannot be read, of which it complains.
    ReadTexts = Callable[[Sequence[Hashable]], Iterator[tuple[Hashable, bytes]]]


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
