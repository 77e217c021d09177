# SPDX-License-Identifier: MIT
"""Changes to results: which texts are judged, and how often they are read."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import pytest

from kvm_export_hook.changes.find import GROUP, Finder
from kvm_export_hook.changes.state import Change, State
from kvm_export_hook.rules.facts import NOT_ENFORCED, Facts
from kvm_export_hook.values import Origin, Text
from tests.helpers.support import ALLOWLIST, BAD, INTERNAL, make_facts

FACTS = make_facts()
FREE = Facts(True, ALLOWLIST, "bundled", NOT_ENFORCED)
NAME = b"virt/kvm/x.c"


class Texts:
    """Texts by their ids, and which were read."""

    def __init__(self, **texts: bytes) -> None:
        self.texts = texts
        self.read: list[str] = []

    def __call__(self, ids: Sequence[Hashable]) -> Iterator[tuple[Hashable, bytes]]:
        """Yield the texts of IDS, less those that are not there."""
        for id_ in ids:
            assert isinstance(id_, str)
            self.read.append(id_)
            if id_ in self.texts:
                yield id_, self.texts[id_]


def state(*ids: str, facts: Facts = FACTS) -> State:
    """Make a state with a file for each of IDS."""
    return State(facts, [Text(b"virt/kvm/%d.c" % at, b"p", id_) for at, id_ in enumerate(ids)])


def judge(texts: Texts, *changes: Change) -> list[tuple[str, list[int]]]:
    """Judge CHANGES; list the subject and the lines of each result."""
    return [
        (
            result.origin.subject if result.origin else "",
            [f.line for f in result.findings],
        )
        for result in Finder(texts).find(changes)
    ]


def commit(subject: str, new: State, *olds: State) -> Change:
    return Change(Origin("1" * 40, subject), new, olds)


# Between changes of different groups.
FAR = [commit("far", state())] * GROUP


def test_the_old_state_of_a_clean_change_is_not_read() -> None:
    texts = Texts(new=INTERNAL, old=BAD)
    assert judge(texts, commit("a", state("new"), state("old"))) == []
    assert texts.read == ["new"]


def test_a_text_is_read_once_and_again_for_the_report_of_a_later_change() -> None:
    texts = Texts(good=INTERNAL, bad=BAD)
    changes = [
        commit("a", state("bad", "good"), state("good", "good")),
        commit("b", state("good", "good"), state("bad", "good")),
        commit("c", state("good", "bad"), state("good", "good")),
    ]
    assert judge(texts, *changes) == [("a", [1]), ("c", [1])]
    assert texts.read == ["bad", "good"]
    texts.read.clear()
    assert judge(texts, *changes[:2], *FAR, changes[2]) == [("a", [1]), ("c", [1])]
    assert texts.read == ["bad", "good", "bad"]


def test_a_text_that_is_clean_by_any_facts_is_read_once() -> None:
    texts = Texts(clean=INTERNAL, allowed=BAD)
    changes = [
        commit(str(number), state("clean", "allowed", facts=make_facts(allow=f"kvm_{name}")))
        for number, name in enumerate(("sample", "other", "sample", "more"))
    ]
    assert judge(texts, *changes) == [("1", [1]), ("3", [1])]
    assert texts.read == ["clean", "allowed"]
    texts.read.clear()
    apart = [each for change in changes for each in (change, *FAR)]
    assert judge(texts, *apart) == [("1", [1]), ("3", [1])]
    assert texts.read.count("clean") == 1
    assert texts.read.count("allowed") == 3


def test_a_text_is_judged_by_the_facts_of_each_state() -> None:
    texts = Texts(bad=BAD)
    listed = make_facts(allow="kvm_sample")
    assert judge(texts, commit("a", state("bad"), state("bad", facts=listed))) == [("a", [1])]
    assert judge(texts, commit("a", state("bad", facts=listed), state("bad"))) == []
    assert judge(texts, commit("a", state("bad"), state("bad"))) == []


def test_a_state_in_which_nothing_is_enforced_is_not_read() -> None:
    texts = Texts(bad=BAD)
    assert judge(texts, commit("a", state("bad", facts=FREE), state())) == []
    assert texts.read == []
    assert judge(texts, commit("a", state("bad"), state("bad", facts=FREE))) == [("a", [1])]


def test_a_text_that_cannot_be_read_has_no_findings() -> None:
    texts = Texts(bad=BAD)
    assert judge(texts, commit("a", state("gone", "bad"), state("gone"))) == [("a", [1])]


def test_a_text_that_can_be_read_no_more_is_passed_over() -> None:
    texts = Texts(one=BAD, two=BAD)

    def read(ids: Sequence[Hashable]) -> Iterator[tuple[Hashable, bytes]]:
        yield from texts(ids)
        texts.texts.pop("one", None)

    changes = [commit("a", state("one"), state("one")), *FAR, commit("b", state("one", "two"))]
    (result,) = Finder(read).find(changes)
    assert result.text.name == b"virt/kvm/1.c"


def test_what_was_found_before_an_error_is_reported() -> None:
    texts = Texts(bad=BAD)

    def read_changes() -> Iterator[Change]:
        yield commit("a", state("bad"))
        raise OSError("git ended")

    results = Finder(texts).find(read_changes())
    assert [each.line for each in next(results).findings] == [1]
    with pytest.raises(OSError, match="git ended"):
        next(results)


def test_only_what_counts_is_reported() -> None:
    texts = Texts(bad=BAD)
    new = State(FACTS, [Text(name, name, "bad") for name in (b"a.c", b"b.c", b"c.c")])
    change = Change(None, new, [], lambda path: path == b"b.c")
    (result,) = Finder(texts).find([change])
    assert result.text.name == b"b.c"


def test_several_texts_of_a_file_are_one_after_the_other() -> None:
    texts = Texts(one=BAD, two=b"\n" + BAD + BAD, old=BAD)
    parts = [
        Text(NAME, NAME, id_, first_line=line)
        for id_, line in (("one", 10), ("two", 50), ("one", 90))
    ]
    new, old = State(FACTS, parts), State(FACTS, [Text(NAME, NAME, "old")])
    assert judge(texts, Change(None, new, [old])) == [("", [51, 52]), ("", [90])]
    assert judge(texts, Change(None, new, [old, State(FACTS, parts[1:])])) == [("", [90])]


def test_a_result_says_where_it_is_from() -> None:
    texts = Texts(bad=b"int a;\n" + BAD)
    text = Text(NAME, b"linux/virt/kvm/x.c", "bad", b"linux", 7)
    origin = Origin("1" * 40, "subject")
    (result,) = Finder(texts).find([Change(origin, State(FACTS, [text]), [])])
    assert result.text is text
    assert result.content == b"int a;\n" + BAD
    assert result.origin is origin
    assert [(each.line, each.column) for each in result.findings] == [(8, 1)]
