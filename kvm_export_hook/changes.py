# SPDX-License-Identifier: MIT
"""Judge what changes add: each text of their states, once. Pure.

Between a source that has changes (git, patches) and the reports. A source says
which texts the states of a change consist of; they are read when they are
needed: those of the old states only when the new one has findings.
"""

from __future__ import annotations

from bisect import bisect_left

from kvm_export_hook.rules import scan
from kvm_export_hook.rules.change import find_added, make_key, mark_findings
from kvm_export_hook.rules.judge import Result, holds_name, judge
from kvm_export_hook.sources import Input

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from kvm_export_hook.rules.change import Keys, Mark
    from kvm_export_hook.rules.tree import Facts
    from kvm_export_hook.sources.states import Change, ReadTexts, State, Text

    # The marks of each text by each facts, once it has been judged.
    Marks = dict[tuple[Hashable, Facts], Sequence[Mark]]

NO_MARKS: Sequence[Mark] = ()


def judge_changes(changes: Sequence[Change], read_texts: ReadTexts) -> Iterator[Result]:
    """Yield what CHANGES add, in their order. READ_TEXTS yields texts in the order of the ids."""
    marks: Marks = {}
    mark_states([change.new for change in changes], marks, read_texts)
    dirty = [change for change in changes if collect_keys(change.new, marks)]
    mark_states([old for change in dirty for old in change.olds], marks, read_texts)
    added = []
    for change in dirty:
        found = find_added(
            collect_keys(change.new, marks), [collect_keys(old, marks) for old in change.olds]
        )
        for text, indexes in locate(found, change, marks):
            added.append((change, text, indexes))
    waiting = iter(added)
    for id_, content in read_texts([text.id for _, text, _ in added]):
        # One that can be read no more is passed over.
        change, text, indexes = next(each for each in waiting if each[1].id == id_)
        yield make_result(change, text, content, indexes)


def mark_states(
    states: Iterable[State],
    marks: Marks,
    read_texts: ReadTexts,
) -> None:
    """Judge each text of STATES, and put the marks of its findings into MARKS, once."""
    wanted: dict[Hashable, list[Facts]] = {}
    for state in states:
        for text in state.texts if state.facts.is_enforced else ():
            key = text.id, state.facts
            if key not in marks:
                marks[key] = NO_MARKS
                wanted.setdefault(text.id, []).append(state.facts)
    for id_, content in read_texts(list(wanted)):
        for facts in wanted[id_]:
            suspects = scan.find_suspects(content, facts.allowlist)
            if suspects:
                found = judge(content, suspects, facts)
                marks[id_, facts] = list(mark_findings(found, content))


def collect_keys(state: State, marks: Marks) -> Keys:
    """Collect the keys of the findings of each file of STATE."""
    keys: Keys = {}
    for text in state.texts:
        of_text = marks.get((text.id, state.facts))
        if of_text:
            is_listed = holds_name(text.name, state.facts)
            of_file = keys.setdefault(text.name, [])
            of_file.extend(make_key(mark, is_listed) for mark in of_text)
    return keys


def locate(
    added: dict[bytes, list[int]],
    change: Change,
    marks: Marks,
) -> Iterator[tuple[Text, set[int]]]:
    """Yield the texts of CHANGE that have ADDED findings, each with their indexes in it."""
    passed: dict[bytes, int] = {}
    for text in change.new.texts:
        if text.name in added and (change.reported is None or text.name in change.reported):
            start = passed.get(text.name, 0)
            end = passed[text.name] = start + len(marks.get((text.id, change.new.facts), NO_MARKS))
            # A patch may have thousands of texts of one file.
            of_file = added[text.name]
            of_text = of_file[bisect_left(of_file, start) : bisect_left(of_file, end)]
            if of_text:
                yield text, {index - start for index in of_text}


def make_result(change: Change, text: Text, content: bytes, indexes: set[int]) -> Result:
    """Make the result for TEXT, whose findings at INDEXES are added."""
    facts = change.new.facts
    input_ = Input(
        facts,
        text.name,
        text.path,
        content,
        text.top,
        text.first_line,
        change.origin,
        text.is_named,
    )
    suspects = scan.find_suspects(content, facts.allowlist)
    findings = enumerate(judge(content, suspects, facts, text.first_line))
    return Result(input_, [finding for index, finding in findings if index in indexes])
