# SPDX-License-Identifier: MIT
"""What a kernel tree says of itself."""

from __future__ import annotations

import pytest

from kvm_export_hook.rules import policy
from kvm_export_hook.rules.facts import (
    BUNDLED_LIST,
    LIST_PARTLY_READABLE,
    LIST_UNREADABLE,
    NOT_ENFORCED,
    OWN_LIST,
    read_facts,
)
from tests.helpers.cases import parametrize
from tests.helpers.support import MAKEFILE_WITH_CHECK, TYPES_WITH_MACRO, TYPES_WITHOUT_MACRO


@parametrize(
    ("header", "defined"),
    {
        "plain": (b"#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol)\n", True),
        "object-like": (b"#define EXPORT_SYMBOL_FOR_KVM_INTERNAL EXPORT_SYMBOL_GPL\n", True),
        "spaced": (b"\t# \tdefine\tEXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol)\r\n", True),
        "in-an-ifdef": (TYPES_WITH_MACRO, True),
        "in-a-comment": (TYPES_WITHOUT_MACRO, False),
        "in-a-quoted-define": (b"/*\n * #define EXPORT_SYMBOL_FOR_KVM_INTERNAL\n */\n", False),
        "another-macro": (b"#define EXPORT_SYMBOL_FOR_KVM_INTERNAL2(symbol)\n", False),
        "undefined": (b"#undef EXPORT_SYMBOL_FOR_KVM_INTERNAL\n", True),
        "spliced": (b"#define \\\nEXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol)\n", True),
        "spliced-in-the-name": (b"#define EXPORT_SYMBOL_FOR_\\\nKVM_INTERNAL(symbol)\n", True),
        "after-a-comment": (b"#/**/define EXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol)\n", True),
        "digraph": (b"%:define EXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol)\n", True),
        "mentioned-in-code": (b"#ifdef EXPORT_SYMBOL_FOR_KVM_INTERNAL\n#endif\n", True),
        "at-the-end-of-the-file": (b"#define EXPORT_SYMBOL_FOR_KVM_INTERNAL", True),
        "in-a-string": (b'char a[] = "EXPORT_SYMBOL_FOR_KVM_INTERNAL";\n', False),
        "empty": (b"", False),
        "the-target-of-a-link": (b"kvm/types.h", True),
    },
)
def test_a_header_that_does_not_define_the_macro(header: bytes, defined: bool) -> None:
    assert read_facts(header, None).lacks_macro is not defined


def test_a_header_that_is_not_there_proves_nothing() -> None:
    facts = read_facts(None, None)
    assert not facts.lacks_macro
    assert not facts.has_check
    assert facts.is_enforced
    assert (facts.allowlist, facts.list_source) == (frozenset(policy.ALLOWLIST), BUNDLED_LIST)


def test_the_rule_is_enforced_where_it_can_be_followed_or_the_build_does() -> None:
    old = read_facts(TYPES_WITHOUT_MACRO, None)
    assert (old.is_enforced, old.note) == (False, NOT_ENFORCED)
    for facts in (
        read_facts(TYPES_WITH_MACRO, None),
        read_facts(TYPES_WITHOUT_MACRO, MAKEFILE_WITH_CHECK),
        read_facts(TYPES_WITHOUT_MACRO, None, force=True),
    ):
        assert (facts.is_enforced, facts.note) == (True, "")


@pytest.mark.parametrize("makefile", [None, MAKEFILE_WITH_CHECK], ids=["bundled", "own"])
def test_allow_adds_to_the_list_in_force(makefile: bytes | None) -> None:
    without = read_facts(None, makefile)
    assert read_facts(None, makefile, [b"kvm_foo"]).allowlist == without.allowlist | {b"kvm_foo"}


def test_facts_are_equal_where_files_are_judged_alike() -> None:
    facts = read_facts(TYPES_WITH_MACRO, MAKEFILE_WITH_CHECK)
    more = MAKEFILE_WITH_CHECK + b"# a comment\n"
    assert facts == read_facts(TYPES_WITH_MACRO + b"\n", more)
    assert hash(facts) == hash(read_facts(TYPES_WITH_MACRO, more))
    assert facts != read_facts(TYPES_WITH_MACRO, more.replace(b"put_kvm", b"put"))
    assert facts != read_facts(TYPES_WITH_MACRO, None)
    assert facts != "facts"


MAKEFILES = {
    "as-in-the-kernel": (MAKEFILE_WITH_CHECK, {"kvm_get_kvm", "kvm_put_kvm"}),
    "no-blanks": (b"exports_grep_trailer:=-v -e kvm_a", {"kvm_a"}),
    "recursive": (b"exports_grep_trailer = -v -e kvm_a", {"kvm_a"}),
    "posix": (b"exports_grep_trailer ::= -v -e kvm_a", {"kvm_a"}),
    "immediate-and-recursive": (b"exports_grep_trailer :::= -v -e kvm_a", {"kvm_a"}),
    "if-not-set": (b"exports_grep_trailer ?= -v -e kvm_a", {"kvm_a"}),
    "by-the-shell": (b"exports_grep_trailer != echo -v -e kvm_a", {"kvm_a"}),
    "indented": (b"  exports_grep_trailer := -v -e kvm_a", {"kvm_a"}),
    "indented-by-a-form-feed": (b"\f\vexports_grep_trailer := -v -e kvm_a", {"kvm_a"}),
    "after-a-comment-that-ends-in-two-backslashes": (
        b"# x \\\\\nexports_grep_trailer := -v -e kvm_a\n",
        {"kvm_a"},
    ),
    "after-a-value-that-ends-in-two-backslashes": (
        b"exports_grep_trailer := -v -e kvm_a \\\\\n -e kvm_b\n",
        {"kvm_a"},
    ),
    "override": (b"override exports_grep_trailer := -v -e kvm_a", {"kvm_a"}),
    "export": (b"export exports_grep_trailer := -v -e kvm_a", {"kvm_a"}),
    "name-on-the-line-before": (b"exports_grep_trailer \\\n := -v -e kvm_a", {"kvm_a"}),
    "crlf": (b"exports_grep_trailer := -v \\\r\n -e kvm_a\r\n", {"kvm_a"}),
    "define": (b"define exports_grep_trailer\ngrep -v -e kvm_a\nendef\n-e kvm_b\n", {"kvm_a"}),
    "define-with-an-operator": (
        b"define exports_grep_trailer := # x\ngrep -v -e kvm_a\nendef\n",
        {"kvm_a"},
    ),
    "define-that-does-not-end": (b"define exports_grep_trailer\n-v -e kvm_a", {"kvm_a"}),
    "eval": (b"$(eval exports_grep_trailer := -v -e kvm_a )", {"kvm_a"}),
    "mentioned-before": (
        b"# exports_grep_trailer := -v -e gnarly\n" + MAKEFILE_WITH_CHECK,
        {"kvm_get_kvm", "kvm_put_kvm"},
    ),
    "used-before-and-after": (
        b"x = $(exports_grep_trailer)\nexports_grep_trailer := -v -e kvm_a\n"
        b"undefine exports_grep_trailer\n",
        {"kvm_a"},
    ),
    "quoted": (b"exports_grep_trailer := -v -e 'kvm_a' -e \"kvm_b\"\n", {"kvm_a", "kvm_b"}),
    "added-to": (
        b"exports_grep_trailer := -v -e kvm_a\nexports_grep_trailer += | grep -v -e kvm_b\n",
        {"kvm_a", "kvm_b"},
    ),
    "assigned-twice": (
        b"exports_grep_trailer := -v -e kvm_a\nexports_grep_trailer := -v -e kvm_b\n"
        b"exports_grep_trailer ?= -v -e kvm_c\n",
        {"kvm_b"},
    ),
    "commented-out": (
        b"exports_grep_trailer := -v -e kvm_a \\\n# -e kvm_b \\\n -e kvm_c\n -e kvm_d\n",
        {"kvm_a"},
    ),
    "of-another-grep": (
        b"exports_grep_trailer := -e kvm_a | grep -v -e kvm_b | grep -e kvm_c\n",
        {"kvm_b"},
    ),
    "joined-options": (b"exports_grep_trailer := -nve kvm_a -ekvm_b", {"kvm_a", "kvm_b"}),
    "long-options": (
        b"exports_grep_trailer := --invert-match --regexp=kvm_a --regexp kvm_b",
        {"kvm_a", "kvm_b"},
    ),
}


@parametrize(("makefile", "names"), MAKEFILES)
def test_a_makefile_with_the_check_has_its_own_list(makefile: bytes, names: set[str]) -> None:
    facts = read_facts(None, makefile)
    assert facts.has_check
    assert {name.decode() for name in facts.allowlist} == names
    assert (facts.list_source, facts.note) == (OWN_LIST, "")


UNREADABLE = {
    "no-list": (b"exports_grep_trailer := grep\n", set()),
    "no-names": (b"exports_grep_trailer := grep -v -e\n", set()),
    "only-patterns": (b"exports_grep_trailer := -v -e kvm_.*\n", set()),
    "a-variable": (b"exports_grep_trailer := -v $(allowed)\n", set()),
    "a-file": (b"exports_grep_trailer := -v -f list\n", set()),
    "a-pattern-too": (b"exports_grep_trailer := -v -e kvm_.* -e kvm_foo\n", {b"kvm_foo"}),
    "a-variable-too": (b"exports_grep_trailer := -v -e kvm_foo -e $(name)\n", {b"kvm_foo"}),
    "whole-words": (b"exports_grep_trailer := -vw -e kvm_foo\n", {b"kvm_foo"}),
    "any-case": (b"exports_grep_trailer := -v -e kvm_foo -i\n", {b"kvm_foo"}),
    "abbreviated": (b"exports_grep_trailer := -v -e kvm_foo --reg=kvm_b\n", {b"kvm_foo"}),
    "a-long-file-too": (b"exports_grep_trailer := -v -e kvm_foo --file=x\n", {b"kvm_foo"}),
}


@parametrize(("makefile", "names"), UNREADABLE)
def test_a_list_that_cannot_be_read_is_said(makefile: bytes, names: set[bytes]) -> None:
    facts = read_facts(None, makefile)
    assert facts.has_check
    assert facts.allowlist == names or frozenset(policy.ALLOWLIST)
    assert facts.note == (LIST_PARTLY_READABLE if names else LIST_UNREADABLE)
    assert facts.is_enforced


NO_CHECK = {
    "empty": b"",
    "another-variable": b"obj-y += x86.o\n",
    "only-used": b"x := $(exports_grep_trailer)\n",
    "undefined": b"undefine exports_grep_trailer\n",
    "in-a-comment": b"# exports_grep_trailer := -v -e kvm_a\n",
    "in-a-comment-that-goes-on": b"# x \\\nexports_grep_trailer := -v -e kvm_a\n",
    "in-a-comment-that-goes-on-after-three": b"# x \\\\\\\nexports_grep_trailer := -v -e kvm_a\n",
    "a-longer-name": b"my_exports_grep_trailer := -v -e kvm_a\nexports_grep_trailer2 := x\n",
}


@parametrize("makefile", NO_CHECK)
def test_a_makefile_without_the_check(makefile: bytes) -> None:
    assert not read_facts(None, makefile).has_check
