# SPDX-License-Identifier: MIT
"""What changes do to KVM's exports: which they add, drop and change, for ``--list``. Pure.

An export is changed if its symbol now has another macro or another verdict. An export
that has only moved is not changed.
"""

from __future__ import annotations

from collections import Counter

from kvm_export_hook.changes.find import ALWAYS_CLEAN, Finder
from kvm_export_hook.changes.state import State
from kvm_export_hook.rules.exports import Export, find_exports
from kvm_export_hook.rules.scan import EXPORT_STEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from kvm_export_hook.changes.find import Found, Picked
    from kvm_export_hook.changes.state import Change, ReadTexts
    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.values import Origin


class Effect:
    """What a change does to the exports of its tree.

    ``changed``: pairs of an export before and after. ``origin``: that of the change.
    """

    __slots__ = ("added", "changed", "dropped", "origin")

    def __init__(
        self,
        origin: Origin | None,
        added: list[Export],
        dropped: list[Export],
        changed: list[tuple[Export, Export]],
    ) -> None:
        self.origin = origin
        self.added = added
        self.dropped = dropped
        self.changed = changed

    @property
    def exports(self) -> list[Export]:
        """All exports that it adds, drops or changes; the changed ones as they are now."""
        return [*self.added, *self.dropped, *(now for _, now in self.changed)]

    @property
    def top(self) -> bytes | None:
        """The top of the tree on this disk, if it is there."""
        return self.exports[0].top


def find_effects(read_texts: ReadTexts, changes: Iterable[Change]) -> Iterator[Effect]:
    """Yield what CHANGES do to the exports; skip changes that do nothing to them.

    READ_TEXTS reads texts by their ids.
    """
    finder = Finder(read_texts, search_exports)
    for change in changes:
        new, *olds = find_more_and_less(finder, change)
        was: dict[Export, Export] = {}
        left = []
        for old in olds:
            pairs = pair_by_symbol(new, old)
            was = pairs | was  # an export is compared with the first parent that had it
            taken = set(pairs.values())
            left.append([each for each in old if each not in taken])
        reported = [each for each in new if change.is_reported(each.path)]
        effect = Effect(
            change.origin,
            [each for each in reported if each not in was],
            [each for each in intersect(left) if change.is_reported(each.path)],
            [(was[each], each) for each in reported if each in was],
        )
        if effect.exports:
            yield effect


def find_more_and_less(finder: Finder, change: Change) -> Iterator[list[Export]]:
    """Yield the exports that the new state of CHANGE has more of than each old one.

    Then, for each old state, those that it has more of than the new one. Each state is
    judged by its own facts. A file that cannot be read in one state is left out of all,
    because nobody knows what has become of its exports.
    """
    states = [State(each.own_facts, each.texts) for each in (change.new, *change.olds)]
    finder.search(states, None)
    unread = {text.name for each in states for text in each.texts if text.id in finder.unread}
    for state in states if unread else ():
        state.texts = [text for text in state.texts if text.name not in unread]
    new, *olds = keys = [finder.collect_keys(state) for state in states]
    for state, its, others in zip(states, keys, [olds, *[[new]] * len(olds)], strict=True):
        yield list_in_order(finder.pick(state, its, others, {}))


def search_exports(content: bytes, facts: Facts, first_line: int) -> Found:
    """Find every export of a text, by the FACTS of its tree."""
    if EXPORT_STEM not in content:
        return ALWAYS_CLEAN
    exports = list(find_exports(content, facts, b"", None, first_line))
    return [(each.verdict, each.macro, each.symbol, False) for each in exports], exports


def list_in_order(picked: Iterable[Picked]) -> list[Export]:
    """List the exports that were PICKED, in the order of the files."""
    exports = [each.move_to(text.path, text.top) for text, _, chosen in picked for each in chosen]
    return sorted(exports, key=lambda each: (each.path, each.line))


def pair_by_symbol(new: Sequence[Export], old: Sequence[Export]) -> dict[Export, Export]:
    """Pair exports of NEW with those of OLD that have the same symbol, of the same file first."""
    pairs: dict[Export, Export] = {}
    for make_key in (lambda each: (each.symbol, each.path), lambda each: each.symbol):
        taken = set(pairs.values())
        waiting: dict[Hashable, list[Export]] = {}
        for each in reversed(old):
            if each not in taken:
                waiting.setdefault(make_key(each), []).append(each)
        for each in new:
            same = waiting.get(make_key(each))
            if same and each not in pairs:
                pairs[each] = same.pop()
    return pairs


def intersect(olds: Sequence[list[Export]]) -> list[Export]:
    """List those exports of the first of OLDS whose symbols all others export, too."""
    counts = [Counter(each.symbol for each in old) for old in olds]
    shared = []
    for each in olds[0] if olds else ():
        if all(count[each.symbol] > 0 for count in counts):
            shared.append(each)
            for count in counts:
                count[each.symbol] -= 1
    return shared
