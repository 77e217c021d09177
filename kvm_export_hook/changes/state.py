# SPDX-License-Identifier: MIT
"""The values of a change: a new state of the tree, and the ones before it. No logic."""

from __future__ import annotations

# The subject of a commit or mail is cut here: some reports repeat it for each finding.
LONGEST_SUBJECT = 1000

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.values import Origin, Text

    # Yields the id and the bytes of each text of a list of ids, in that order. Complains
    # of those that cannot be read, and skips them.
    ReadTexts = Callable[[Sequence[Hashable]], Iterator[tuple[Hashable, bytes]]]


class State:
    """A tree before or after a change: its facts, and its texts that differ.

    Where the facts of the states differ, these are all its texts. ``facts`` are those
    by which findings are judged, ``own_facts`` those of the tree itself.
    """

    __slots__ = ("facts", "own_facts", "texts")

    def __init__(self, facts: Facts, texts: Sequence[Text], own_facts: Facts | None = None) -> None:
        self.facts = facts
        self.texts = texts
        self.own_facts = own_facts or facts


class Change:
    """A new state and the old ones that it was made from: none, one, or the parents of a merge.

    ``is_reported``: whether what is found at a path is reported.
    """

    __slots__ = ("is_reported", "new", "olds", "origin")

    def __init__(
        self,
        origin: Origin | None,
        new: State,
        olds: Sequence[State],
        is_reported: Callable[[bytes], bool] | None = None,
    ) -> None:
        self.origin = origin
        self.new = new
        self.olds = olds
        self.is_reported = is_reported or (lambda _: True)
