# SPDX-License-Identifier: MIT
"""What a change adds, by the findings of its states alone."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kvm_export_hook.changes.added import find_added, make_keys
from kvm_export_hook.git.compare import choose_old_facts
from kvm_export_hook.rules.facts import read_facts
from kvm_export_hook.rules.fit import fit_facts
from tests.helpers.cases import parametrize
from tests.helpers.support import (
    MAKEFILE_WITH_CHECK,
    MAKEFILE_WITH_UNKNOWN_CHECK,
    find_all,
    make_facts,
    make_makefile,
)

# A state, in which a letter stands for a finding: its files, and theirs in order.
State = dict[str, str]


def write_keys(state: State) -> dict[bytes, list[tuple[str, bytes, bytes, bool]]]:
    return {
        name.encode(): [("rule", b"MACRO", letter.encode(), False) for letter in letters]
        for name, letters in state.items()
    }


def add(new: State, *olds: State) -> dict[str, list[int]]:
    """Say which findings of NEW are added, by file and index."""
    added = find_added(write_keys(new), [write_keys(old) for old in olds])
    return {name.decode(): indexes for name, indexes in added.items()}


@parametrize(
    ("old", "new", "added"),
    {
        "nothing": ({}, {}, {}),
        "the-same": ({"a": "xy"}, {"a": "xy"}, {}),
        "all": ({}, {"a": "xy", "b": "x"}, {"a": [0, 1], "b": [0]}),
        "fewer": ({"a": "xxx"}, {"a": "x"}, {}),
        "in-another-order": ({"a": "xy"}, {"a": "yx"}, {}),
        "one-more-of-another": ({"a": "x"}, {"a": "yx"}, {"a": [0]}),
        "the-later-ones-are-added": ({"a": "x"}, {"a": "xxx"}, {"a": [1, 2]}),
        "between-others": ({"a": "xy"}, {"a": "xyxy"}, {"a": [2, 3]}),
        "moved-to-another-file": ({"a": "x"}, {"b": "x"}, {}),
        "moved-and-doubled": ({"a": "x"}, {"b": "xx"}, {"b": [1]}),
        "moved-to-two-files": ({"a": "x"}, {"b": "x", "c": "x"}, {"c": [0]}),
        "copied-to-a-file-before": ({"b": "x"}, {"a": "x", "b": "x"}, {"a": [0]}),
        "its-own-file-first": ({"b": "x", "c": "x"}, {"a": "xx", "b": "x"}, {"a": [1]}),
        "one-for-another": ({"a": "x"}, {"a": "y"}, {"a": [0]}),
        "gone-here-and-more-there": ({"a": "xx", "b": "x"}, {"a": "x", "b": "xx"}, {}),
    },
)
def test_what_is_added(old: State, new: State, added: dict[str, list[int]]) -> None:
    assert add(new, old) == added


@parametrize(
    ("new", "olds", "added"),
    {
        "no-parent": ({"a": "x"}, [], {"a": [0]}),
        "what-one-parent-has": ({"a": "xy"}, [{"a": "x"}, {"a": "y"}], {}),
        "what-none-has": ({"a": "xyz"}, [{"a": "x"}, {"a": "y"}], {"a": [2]}),
        "more-than-the-parent-with-most": (
            {"a": "xxx", "b": "x"},
            [{"a": "x"}, {"a": "xx", "b": "x"}, {}],
            {"a": [2]},
        ),
        "each-key-has-its-own-parent-with-most": ({"a": "xxyy"}, [{"a": "xxy"}, {"a": "xyy"}], {}),
        "as-much-as-both-together": ({"a": "x", "b": "x"}, [{"a": "x"}, {"b": "x"}], {"b": [0]}),
    },
)
def test_of_a_merge_what_it_has_more_of_than_the_parent_that_has_most(
    new: State, olds: list[State], added: dict[str, list[int]]
) -> None:
    assert add(new, *olds) == added


STATES = st.dictionaries(st.sampled_from("abc"), st.text("xyz", max_size=6))


@given(STATES, st.lists(STATES, max_size=3))
def test_as_many_are_added_as_counting_says(new: State, olds: list[State]) -> None:
    def count(state: State) -> Counter[str]:
        return Counter("".join(state.values()))

    most: Counter[str] = Counter()
    for old in olds:
        most |= count(old)
    added = add(new, *olds)
    letters = [new[name][index] for name, indexes in added.items() for index in indexes]
    assert Counter(letters) == count(new) - most
    for name, indexes in added.items():
        # The later ones of a file, and never more than it has gained over each parent.
        assert indexes == sorted(set(indexes))
        for letter in set(new[name]):
            of_letter = [index for index, each in enumerate(new[name]) if each == letter]
            gained = [index for index in indexes if new[name][index] == letter]
            assert gained in ([], of_letter[-len(gained) :])


def mark(source: bytes, *, check: bool = True) -> list[tuple[str, bytes, bytes, bool]]:
    facts = make_facts(check=check)
    return make_keys(find_all(source, facts), source)


BAD = ("not-allowlisted", b"EXPORT_SYMBOL_GPL", b"kvm_foo")


@parametrize(
    ("source", "marked"),
    {
        "a-call": (b"EXPORT_SYMBOL_GPL(kvm_foo);\n", (*BAD, True)),
        "indented": (b"\t EXPORT_SYMBOL_GPL ( kvm_foo );\n", (*BAD, True)),
        "name-on-its-line": (b"EXPORT_SYMBOL_GPL(kvm_foo); // kvm_get_kvm\n", (*BAD, False)),
        "name-on-the-next-line": (b"EXPORT_SYMBOL_GPL(kvm_foo);\nkvm_get_kvm();\n", (*BAD, True)),
        "not-grepped": (
            b"EXPORT_SYMBOL_NS(kvm_foo, x);\n",
            ("forbidden-macro", b"EXPORT_SYMBOL_NS", b"kvm_foo", False),
        ),
        "without-a-symbol": (
            b"  #define X EXPORT_SYMBOL \r\n",
            ("export-alias", b"EXPORT_SYMBOL", b"#define X EXPORT_SYMBOL", True),
        ),
        "mention": (
            b"/* EXPORT_SYMBOL */",
            ("export-mention", b"EXPORT_SYMBOL", b"/* EXPORT_SYMBOL */", True),
        ),
    },
)
def test_marks(source: bytes, marked: tuple[str, bytes, bytes, bool]) -> None:
    assert mark(source) == [marked]


def test_findings_on_one_line_share_the_line_that_stands_for_their_symbols() -> None:
    line = b"#define A EXPORT_SYMBOL EXPORT_SYMBOL"
    (_, _, first, _), (_, _, second, _), other = mark(line + b"\nEXPORT_SYMBOL_GPL(kvm_foo);\n")
    assert first == line
    assert second is first
    assert other == (*BAD, True)


def test_without_the_check_nothing_fails_the_build() -> None:
    assert mark(b"EXPORT_SYMBOL_GPL(kvm_foo);\n", check=False) == [(*BAD, False)]


def test_a_finding_beside_a_nul_byte_is_equal_only_to_itself() -> None:
    early, late = b"\0\nEXPORT_SYMBOL_GPL(kvm_foo);\n", b"EXPORT_SYMBOL_GPL(kvm_foo);\n\0\n"
    assert mark(early) == mark(early)
    assert len({*mark(early), *mark(late), *mark(late.replace(b"\0", b""))}) == 3


@parametrize(
    ("name", "is_read"),
    {
        "c": (b"virt/kvm/x.c", True),
        "h": (b"virt/kvm/x.h", True),
        "nothing-before-the-dot": (b"virt/kvm/.c", True),
        "dots": (b"virt/kvm/..h", True),
        "upper-case": (b"virt/kvm/x.C", False),
        "upper-case-h": (b"virt/kvm/x.H", False),
        "a-listed-name": (b"virt/kvm/kvm_put_kvm.c", False),
        "a-listed-name-of-a-directory": (b"virt/kvm/xkvm_put_kvm_y/x.c", False),
    },
)
def test_which_files_the_build_reads(name: bytes, is_read: bool) -> None:
    with_check, without = make_facts(), make_facts(check=False)
    assert fit_facts(with_check, name).has_check is is_read
    assert fit_facts(without, name) is without


def test_an_old_state_is_judged_by_its_own_facts_where_the_new_one_has_the_check() -> None:
    with_check, without, old = make_facts(), make_facts(check=False), make_facts(allow="kvm_foo")
    assert choose_old_facts(with_check, old) is old
    assert choose_old_facts(with_check, without) is without
    assert choose_old_facts(without, old) is without


MORE = MAKEFILE_WITH_CHECK + b"obj-y += more.o\n"
MAKEFILES = {
    "the-same": (MAKEFILE_WITH_CHECK, MAKEFILE_WITH_CHECK, False),
    "a-comment-more": (MAKEFILE_WITH_CHECK, b"# more\n" + MAKEFILE_WITH_CHECK, False),
    "another-list": (MAKEFILE_WITH_CHECK, make_makefile("kvm_foo"), False),
    "another-list-and-a-line-more": (make_makefile("kvm_foo"), MORE, True),
    "a-line-less": (MORE, MAKEFILE_WITH_CHECK, True),
    "unknown-before": (MAKEFILE_WITH_UNKNOWN_CHECK, MAKEFILE_WITH_CHECK, True),
    "unknown-after": (MAKEFILE_WITH_CHECK, MAKEFILE_WITH_UNKNOWN_CHECK, False),
    "a-pattern-before": (make_makefile("kvm_.*"), MAKEFILE_WITH_CHECK, True),
    "no-check-before": (b"obj-y += x86.o\n", MAKEFILE_WITH_CHECK, False),
}


@parametrize(("old", "new", "has_passed"), MAKEFILES)
def test_where_the_lines_of_the_makefile_differ_no_old_finding_fails_the_build(
    old: bytes, new: bytes, has_passed: bool
) -> None:
    chosen = choose_old_facts(read_facts(None, new), read_facts(None, old))
    assert chosen.has_passed is has_passed
    assert chosen == read_facts(None, old).copy(has_passed=has_passed)


def test_a_finding_where_make_has_passed_does_not_fail_the_build() -> None:
    source = b"EXPORT_SYMBOL_GPL(kvm_foo);\n"
    facts = make_facts()
    passed = facts.copy(has_passed=True)
    assert make_keys(find_all(source, facts), source) == [(*BAD, True)]
    assert make_keys(find_all(source, passed), source) == [(*BAD, False)]
