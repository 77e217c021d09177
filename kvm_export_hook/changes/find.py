# SPDX-License-Identifier: MIT
"""Find what changes add, one change after the other. Pure.

Changes are read in groups. Each text is read and searched once, and the keys of what was
found are kept. Texts with findings are kept until their group is reported. Old texts are
read only if the new ones have findings.
"""

from __future__ import annotations

from kvm_export_hook.rules import scan
from kvm_export_hook.rules.fit import fit_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
    from typing import Any

    from kvm_export_hook.changes.added import Key, Keys
    from kvm_export_hook.changes.state import Change, ReadTexts, State
    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.values import Result, Text

    # What was found in a text, in order: the keys, and the things themselves.
    Found = tuple[Sequence[Key], Sequence[Any]]
    # Searches the bytes of a text, by the facts of its tree and the number of its first line.
    Search = Callable[[bytes, Facts, int], Found]
    # A text that was searched: its id, and the facts that were fitted to its name.
    Searched = tuple[Hashable, Facts]
    # The texts of a group with findings: the bytes, what was found, and the number of
    # the first line at that time. Texts of a patch may differ in that number alone.
    Dirty = dict[Searched, tuple[bytes, Sequence[Any], int]]
    # A text of a state, its bytes, and some of what was found in it.
    Picked = tuple[Text, bytes, list[Any]]

NOTHING_FOUND: Found = ((), ())
# For a text that is clean by any facts. Compared by identity.
ALWAYS_CLEAN: Found = ([], [])
# The changes of a group: git reads their next texts while one is searched.
GROUP = 16


def find_unwanted(content: bytes, facts: Facts, first_line: int) -> Found:
    """Find the unwanted exports of a text, by the FACTS of its tree."""
    if scan.has_only_internal(content):
        return ALWAYS_CLEAN
    suspects = scan.find_suspects(content, facts.listed)
    if not suspects:
        return NOTHING_FOUND
    from kvm_export_hook.changes.added import make_keys
    from kvm_export_hook.rules.judge import judge

    findings = list(judge(content, suspects, facts, first_line))
    return make_keys(findings, content), findings


class Finder:
    """Finds what changes add. READ_TEXTS reads texts by their ids, SEARCH searches one.

    ``unread``: the ids of the texts that cannot be read.
    """

    def __init__(self, read_texts: ReadTexts, search: Search = find_unwanted) -> None:
        self._read_texts = read_texts
        self._search = search
        # The keys of each text by its facts; empty for a clean text.
        self._keys: dict[tuple[Hashable, Facts], Sequence[Key]] = {}
        # A commit that changes the list judges all texts again; most need no second look.
        self._always_clean: set[Hashable] = set()
        self._same: dict[Key, Key] = {}  # equal keys become one object
        self.unread: set[Hashable] = set()

    def find(self, changes: Iterable[Change]) -> Iterator[Result]:
        """Yield what CHANGES add, in their order."""
        for group in group_changes(changes):
            dirty: Dirty = {}
            self.search([change.new for change in group], dirty)
            for change in group:
                yield from self._find_added(change, dirty)

    def _find_added(self, change: Change, dirty: Dirty) -> Iterator[Result]:
        """Yield what CHANGE, whose new texts were searched, adds."""
        new = self.collect_keys(change.new)
        if new:
            from kvm_export_hook.values import Result

            self.search(change.olds, None)
            olds = [self.collect_keys(old) for old in change.olds]
            for text, content, chosen in self.pick(change.new, new, olds, dirty):
                if change.is_reported(text.path):
                    yield Result(text, content, change.new.facts, chosen, change.origin)

    def pick(
        self, state: State, keys: Keys, others: Sequence[Keys], dirty: Dirty
    ) -> Iterator[Picked]:
        """Pick what STATE, which has these KEYS, has more of than each of OTHERS."""
        from kvm_export_hook.changes.added import assign_to_texts, find_added

        counts = [len(self._get_keys(text, state.facts)) for text in state.texts]
        located = [
            (text, fit_facts(state.facts, text.name), indexes)
            for text, indexes in assign_to_texts(find_added(keys, others), state.texts, counts)
        ]
        self._read_again([(text, facts) for text, facts, _ in located], dirty)
        for text, facts, indexes in located:
            if (text.id, facts) in dirty:
                content, found, first_line = dirty[text.id, facts]
                if first_line != text.first_line:
                    _, found = self._search(content, facts, text.first_line)
                yield text, content, [each for at, each in enumerate(found) if at in indexes]

    def search(self, states: Iterable[State], dirty: Dirty | None) -> None:
        """Search each new text of STATES, and put those with findings into DIRTY."""
        wanted: list[tuple[Text, Facts]] = []
        for state in states:
            for text in state.texts if state.facts.is_enforced else ():
                if text.id not in self._always_clean:
                    facts = fit_facts(state.facts, text.name)
                    if (text.id, facts) not in self._keys:
                        self._keys[text.id, facts] = ()
                        wanted.append((text, facts))
        for text, facts, content in self._read(wanted):
            found = keys, things = self._search(content, facts, text.first_line)
            if found is ALWAYS_CLEAN:
                self._always_clean.add(text.id)
            elif keys:
                same = self._same
                self._keys[text.id, facts] = [same.setdefault(key, key) for key in keys]
                if dirty is not None:
                    dirty[text.id, facts] = content, things, text.first_line

    def _read_again(self, texts: Sequence[tuple[Text, Facts]], dirty: Dirty) -> None:
        """Put those of TEXTS into DIRTY that were searched for an earlier change."""
        wanted = [(text, facts) for text, facts in texts if (text.id, facts) not in dirty]
        for text, facts, content in self._read(wanted):
            _, things = self._search(content, facts, text.first_line)
            dirty[text.id, facts] = content, things, text.first_line

    def _read(self, texts: Sequence[tuple[Text, Facts]]) -> Iterator[tuple[Text, Facts, bytes]]:
        """Read TEXTS, each with the facts to judge it by; yield equal pairs once."""
        by_id: dict[Hashable, dict[Facts, Text]] = {}
        for text, facts in texts:
            by_id.setdefault(text.id, {}).setdefault(facts, text)
        self.unread.update(by_id)
        for id_, content in self._read_texts(list(by_id)):
            self.unread.discard(id_)
            for facts, text in by_id[id_].items():
                yield text, facts, content

    def collect_keys(self, state: State) -> Keys:
        """Collect the keys of what each file of STATE has."""
        keys: Keys = {}
        for text in state.texts:
            of_text = self._get_keys(text, state.facts)
            if of_text:
                keys.setdefault(text.name, []).extend(of_text)
        return keys

    def _get_keys(self, text: Text, facts: Facts) -> Sequence[Key]:
        """Return the keys of what was found in TEXT, of a state with these FACTS."""
        if text.id in self._always_clean:
            return ()
        return self._keys.get((text.id, fit_facts(facts, text.name)), ())


def group_changes(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Yield CHANGES in groups, each to be read at once. An error comes after those before it."""
    group: list[Change] = []
    try:
        for change in changes:
            group.append(change)
            if len(group) == GROUP:
                yield group
                group = []
    except Exception:
        yield group
        raise
    yield group
