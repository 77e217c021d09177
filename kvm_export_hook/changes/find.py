# SPDX-License-Identifier: MIT
"""Find what changes add, one change after the other. Pure.

Each text is read and searched once: what is kept of it are the keys of what was
found, and of the change that is looked at the dirty texts, until they are
reported. Old texts are read only where the new ones have something.
"""

from __future__ import annotations

from kvm_export_hook.rules import scan
from kvm_export_hook.rules.fit import fit_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from kvm_export_hook.changes.added import Key, Keys
    from kvm_export_hook.changes.state import Change, ReadTexts, State
    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.rules.judge import Finding
    from kvm_export_hook.values import Result, Text

    # What was found in a text, in order: the key of each, and it itself.
    Found = tuple[Sequence[Key], Sequence[Finding]]
    # Looks for something in the bytes of a text, by the facts of its tree.
    Search = Callable[[bytes, Facts, int], Found]
    # What a text is searched by: its id, and the facts that are fitted to its name.
    Searched = tuple[Hashable, Facts]
    # The dirty texts of one change: the bytes of each, what was found in it, and the
    # number of its first line then. Texts of a patch may differ in that alone.
    Dirty = dict[Searched, tuple[bytes, Sequence[Finding], int]]

NOTHING: Found = ((), ())
# Said of a text in which nothing is found by any facts; it is told by its identity.
NEVER_ANYTHING: Found = ([], [])


def find_unwanted(content: bytes, facts: Facts, first_line: int) -> Found:
    """Find the unwanted exports of a text, by the FACTS of its tree."""
    if scan.has_only_internal(content):
        return NEVER_ANYTHING
    suspects = scan.find_suspects(content, facts.listed)
    if not suspects:
        return NOTHING
    from kvm_export_hook.changes.added import make_keys
    from kvm_export_hook.rules.judge import judge

    findings = list(judge(content, suspects, facts, first_line))
    return make_keys(findings, content), findings


class Finder:
    """Finds what changes add. READ_TEXTS reads texts by their ids, SEARCH looks into them."""

    def __init__(self, read_texts: ReadTexts, search: Search = find_unwanted) -> None:
        self._read_texts = read_texts
        self._search = search
        # Of each text by each facts: an empty one for all that is clean.
        self._keys: dict[tuple[Hashable, Facts], Sequence[Key]] = {}
        # Of a commit that changes the list, most texts need no second look.
        self._always_clean: set[Hashable] = set()
        self._same: dict[Key, Key] = {}  # keeps equal ones in memory once

    def find(self, changes: Iterable[Change]) -> Iterator[Result]:
        """Yield what CHANGES add, in their order."""
        for change in changes:
            dirty: Dirty = {}
            self._search_state(change.new, dirty)
            new = self._collect_keys(change.new)
            if new:
                yield from self._find_added(change, new, dirty)

    def _find_added(self, change: Change, new: Keys, dirty: Dirty) -> Iterator[Result]:
        """Yield what CHANGE adds, whose new state has the keys NEW."""
        from kvm_export_hook.changes.added import find_added, locate
        from kvm_export_hook.values import Result

        for old in change.olds:
            self._search_state(old, None)
        added = find_added(new, [self._collect_keys(old) for old in change.olds])
        counts = [len(self._get_keys(text, change.new.facts)) for text in change.new.texts]
        located = [
            (text, fit_facts(change.new.facts, text.name), indexes)
            for text, indexes in locate(added, change, counts)
        ]
        self._read_again([(text, facts) for text, facts, _ in located], dirty)
        for text, facts, indexes in located:
            if (text.id, facts) in dirty:
                content, findings, first_line = dirty[text.id, facts]
                if first_line != text.first_line:
                    _, findings = self._search(content, facts, text.first_line)
                chosen = [each for index, each in enumerate(findings) if index in indexes]
                yield Result(text, content, change.new.facts, chosen, change.origin)

    def _search_state(self, state: State, dirty: Dirty | None) -> None:
        """Search each text of STATE that has not been, and put what has something into DIRTY."""
        wanted: list[tuple[Text, Facts]] = []
        if state.facts.is_enforced:
            for text in state.texts:
                if text.id not in self._always_clean:
                    facts = fit_facts(state.facts, text.name)
                    if (text.id, facts) not in self._keys:
                        self._keys[text.id, facts] = ()
                        wanted.append((text, facts))
        for text, facts, content in self._read(wanted):
            found = keys, findings = self._search(content, facts, text.first_line)
            if found is NEVER_ANYTHING:
                self._always_clean.add(text.id)
            elif keys:
                same = self._same
                self._keys[text.id, facts] = [same.setdefault(key, key) for key in keys]
                if dirty is not None:
                    dirty[text.id, facts] = content, findings, text.first_line

    def _read_again(self, texts: Sequence[tuple[Text, Facts]], dirty: Dirty) -> None:
        """Put those of TEXTS into DIRTY that an earlier change had as well."""
        wanted = [(text, facts) for text, facts in texts if (text.id, facts) not in dirty]
        for text, facts, content in self._read(wanted):
            _, findings = self._search(content, facts, text.first_line)
            dirty[text.id, facts] = content, findings, text.first_line

    def _read(self, texts: Sequence[tuple[Text, Facts]]) -> Iterator[tuple[Text, Facts, bytes]]:
        """Read TEXTS, each with the facts to judge it by; equal ones by equal facts once."""
        by_id: dict[Hashable, dict[Facts, Text]] = {}
        for text, facts in texts:
            by_id.setdefault(text.id, {}).setdefault(facts, text)
        for id_, content in self._read_texts(list(by_id)):
            for facts, text in by_id[id_].items():
                yield text, facts, content

    def _collect_keys(self, state: State) -> Keys:
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
