# SPDX-License-Identifier: MIT
"""What a kernel tree says of itself."""

from __future__ import annotations

import pytest

from kvm_export_hook.rules import policy
from kvm_export_hook.rules.facts import (
    BUNDLED_LIST,
    NOT_ENFORCED,
    OWN_LIST,
    UNKNOWN_CHECK,
    UNKNOWN_LIST,
    read_facts,
)
from kvm_export_hook.rules.makefile import read_logical_lines
from tests.helpers.cases import parametrize
from tests.helpers.support import (
    MAKEFILE_WITH_CHECK,
    MAKEFILE_WITH_UNKNOWN_CHECK,
    TYPES_WITH_MACRO,
    TYPES_WITHOUT_MACRO,
    make_makefile,
)


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
    assert (facts.allowlist, facts.list_source) == (
        frozenset(policy.ALLOWLIST),
        BUNDLED_LIST,
    )


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
    assert facts != facts.copy([b"kvm_foo"])
    assert facts != facts.copy(has_passed=True)
    assert facts == facts.copy()
    assert facts != "facts"


# What the stand-in is made of.
BEFORE, START, REST = MAKEFILE_WITH_CHECK.partition(b"ifdef CONFIG_KVM_X86\n")
CHECK = START + REST
LIST = b"-e kvm_get_kvm \\\n\t\t\t\t-e kvm_put_kvm"


def put(lines: bytes) -> bytes:
    """Put LINES before the check."""
    return BEFORE + lines + b"\n" + CHECK


def write_list(value: bytes) -> bytes:
    """Write VALUE in the place of the list."""
    return MAKEFILE_WITH_CHECK.replace(LIST, value)


KNOWN = {
    "as-it-is": MAKEFILE_WITH_CHECK,
    "crlf": MAKEFILE_WITH_CHECK.replace(b"\n", b"\r\n"),
    "no-newline-at-the-end": MAKEFILE_WITH_CHECK.rstrip(),
    "alone": CHECK,
    "byte-order-mark": b"\xef\xbb\xbf" + CHECK,
    "on-one-line": write_list(b"-e kvm_get_kvm -e kvm_put_kvm"),
    "with-tabs": write_list(b"\t-e\tkvm_put_kvm\t\t-e kvm_get_kvm \t"),
    "comment-after-the-list": write_list(LIST + b" # VFIO"),
    "comment-before": put(b"# EXPORT_SYMBOL_GPL is forbidden"),
    "indented-comment-before": put(b"\t # EXPORT_SYMBOL_GPL is forbidden"),
    "comment-that-goes-on": put(b"# EXPORT_SYMBOL_GPL \\\ndefine"),
    "comment-in-another-alphabet": put("# für EXPORT_SYMBOL".encode()),
    "comment-inside": MAKEFILE_WITH_CHECK.replace(b"stand_in", b" # $(EXPORT_SYMBOL)\nstand_in"),
    "comment-after": MAKEFILE_WITH_CHECK + b"# exports_grep_trailer := x\n",
    "blanks-at-the-ends": CHECK.replace(b"X86\n", b"X86 \t\n").replace(b"endif", b"endif  "),
    "blanks-at-the-starts": CHECK.replace(b"stand_in", b"  stand_in").replace(b"endif", b" endif"),
    "empty-lines": write_list(b"-e kvm_get_kvm -e kvm_put_kvm").replace(b"\n", b"\n\n \n\t\n"),
    "escaped-backslash-before": put(b"x := \\\\"),
    "other-rules": put(b"x.o: $(srctree)/x.c\n\t$(call filechk,x) # for x\n"),
    "other-assignments": put(b"S := a\nx-$(subst m,y,$(X)) += srctree\nkvm-$(Y) := SHELL=x\n"),
    "assignments-for-targets": put(b"$(obj)/x.o: cflags-y += -Dx\n$(obj)/$(x): y-$(x) := z"),
    "other-conditions": put(b"ifeq ($(x),)\nifdef y\nelse\nendif\nelse ifdef z\nendif # x"),
    "evaluation-as-a-name": put(b"x-$(CONFIG_EVAL) += eval.o"),
    "what-comes-after": MAKEFILE_WITH_CHECK + b"SHELL := x\nifdef X\n$(eval x := y)\ndefine z\n",
}


@parametrize("makefile", KNOWN)
def test_a_check_that_is_known_has_its_own_list(makefile: bytes) -> None:
    facts = read_facts(None, makefile)
    assert (facts.has_check, facts.is_known, facts.note) == (True, True, "")
    assert facts.allowlist == facts.listed == {b"kvm_get_kvm", b"kvm_put_kvm"}
    assert facts.list_source == OWN_LIST


UNKNOWN = {
    "another-check": b"exports_grep_trailer := -v -e kvm_get_kvm\n",
    "another-list-in-the-other-branch": MAKEFILE_WITH_CHECK.replace(b"stand_in", b"else\nstand_in"),
    "quoted-name": write_list(b"-e 'kvm_get_kvm'"),
    "joined-name": write_list(b"-ekvm_get_kvm"),
    "pattern": write_list(b"-e kvm_.*"),
    "number": write_list(b"-e 1"),
    "two-names": write_list(b"-e kvm_get_kvm kvm_put_kvm"),
    "dash-in-a-name": write_list(b"-e kvm-get"),
    "no-name": write_list(b"-e"),
    "nothing": write_list(b""),
    "part-of-each-path": write_list(LIST + b" -e virt"),
    "part-of-each-macro": write_list(LIST + b" -e SYMBOL"),
    "added-to": MAKEFILE_WITH_UNKNOWN_CHECK,
    "checked-twice": MAKEFILE_WITH_CHECK + CHECK,
    "without-its-condition": MAKEFILE_WITH_CHECK.replace(START, b"").replace(b"endif\n", b""),
    "comment-after-an-assignment": CHECK.replace(b"\nendif", b" # x\nendif"),
    "blank-after-an-assignment": CHECK.replace(b"\nendif", b" \nendif"),
    "tab-before-a-line": CHECK.replace(b"stand_in", b"\tstand_in"),
    "words-before": put(b"x := EXPORT_SYMBOL"),
    "words-after": MAKEFILE_WITH_CHECK + b"x := check_kvm_exports\n",
    "nul": put(b"# \0"),
    "open-condition": put(b"ifdef X") + b"endif\n",
    "open-condition-and-a-hidden-end": put(b"ifdef X\nx.o:\n\tendif") + b"endif\n",
    "open-condition-and-an-end-that-is-a-name": put(b"ifdef X\nendif = x") + b"endif\n",
    "open-condition-after-two-backslashes": put(b"x := \\\\\nifdef X") + b"endif\n",
    "open-condition-after-a-form-feed": put(b"\fifdef X") + b"endif\n",
    "ended-too-often": put(b"endif\nifdef X"),
    "another-blank-before-a-condition": put("\u00a0ifdef X".encode("latin-1")) + b"endif\n",
    "define": put(b"define x") + b"endef\n",
    "exported-define": put(b" export define x") + b"endef\n",
    "comment-in-a-define": put(b"define x\n# $(x)\n# x\nendef"),
    "undefine": put(b"undefine CONFIG_KVM_X86"),
    "override": put(b"override exports$(U)_grep_trailer := x"),
    "shell": put(b"SHELL := x"),
    "exported-path": put(b"export\tPATH:=x"),
    "condition-variable": put(b"CONFIG_KVM_X86?="),
    "joined-assignment": put(b"srctree \\\n := x"),
    "assignment-after-a-tab": put(b"\tnewline = x"),
    "assignment-after-a-vertical-tab": put(b"\vsrctree\f= x"),
    "computed-name": put(b"$(x) := y"),
    "start-of-a-name": put(b"sr$(x) := y"),
    "computed-name-with-a-blank": put(b"$(subst a,s,arctree) := x"),
    "computed-name-with-a-blank-and-a-reference": put(b"${subst a,s,$(X)rctree} := x"),
    "eval": put(b"x: $(eval srctree := x)"),
}


@parametrize("makefile", UNKNOWN)
def test_any_other_check_is_unknown(makefile: bytes) -> None:
    facts = read_facts(None, makefile)
    assert (facts.has_check, facts.is_known, facts.is_enforced) == (True, False, True)
    assert (facts.note, facts.list_source) == (UNKNOWN_CHECK, UNKNOWN_LIST)
    assert facts.allowlist >= policy.ALLOWLIST.keys()


def test_an_unknown_check_permits_its_words_and_lists_the_names_of_its_options() -> None:
    check = (
        b"exports_grep_trailer := x | grep -v 'kvm_a' -e kvm_b -ekvm_c -e 1 -e kvm_.*\nkvm_d = y\n"
    )
    facts = read_facts(None, check, [b"kvm_e"])
    assert facts.listed == {b"kvm_b", b"kvm_e"}
    words = {b"exports_grep_trailer", b"x", b"grep", b"v", b"e", b"kvm_a", b"ekvm_c", b"kvm_"}
    assert facts.allowlist == facts.listed | words | policy.ALLOWLIST.keys()


NO_CHECK = {
    "empty": b"",
    "another-variable": b"obj-y += x86.o\n",
    "in-a-comment": b"# exports_grep_trailer := -v -e kvm_a\n",
    "in-the-last-line": b"# EXPORT_SYMBOL",
    "in-a-comment-that-goes-on": b"# x \\\nexports_grep_trailer := -v -e kvm_a\n",
    "in-a-comment-that-goes-on-after-three": b"# x \\\\\\\nexports_grep_trailer := x\n",
    "in-a-comment-after-code": b"obj-y += x86.o # EXPORT_SYMBOL\n",
    "all-of-it": b"# \\\n" + CHECK.replace(b"\\\n", b"").replace(b"\n", b"\\\n"),
    "a-name-that-is-broken": b"EXPORT_\\\nSYMBOL\n",
}


@parametrize("makefile", NO_CHECK)
def test_a_makefile_without_the_check(makefile: bytes) -> None:
    facts = read_facts(None, makefile)
    assert (facts.has_check, facts.is_known, facts.note) == (False, False, "")
    assert facts.list_source == BUNDLED_LIST


LINES = {
    "comments": (b"# a\nb # c\n d#e\nf\\#g # h\n", b"\nb\nd#e\nf\\#g # h\n"),
    "comments-in-references": (b"$(x # y) # z\n${x # y}\n", b"\n$(x # y) # z\n${x # y}\n"),
    "recipes": (b"\t# a\n\tb # c\n\t# $(d)\n \te\n\t\tf\n", b"\n\tb # c\n\t# $(d)\ne\n\tf\n"),
    "in-a-define": (
        b"define x\n# a\n# $(b)\nendef\n# $(c)\n",
        b"\ndefine x\n# $(b)\nendef\n",
    ),
    "assignments": (b"a := b # c\nd = \n$(e=f) \n", b"\na := b \nd = \n$(e=f)\n"),
    "blanks": (b"  a \t b\t\n\n \n\t\n\t \n", b"\na b\n"),
    "line-ends": (b"a \\\r\n\tb\r\nc\\\\\nd\\\\\\\n e\re", b"\na b\nc\\\\\nd\\\\ e\re\n"),
    "nul": (b"a\0\n# b\n", b"\na\0\n# b\n"),
}


@parametrize(("makefile", "lines"), LINES)
def test_the_logical_lines_of_a_makefile(makefile: bytes, lines: bytes) -> None:
    assert read_logical_lines(makefile) == lines


# More than are read, each alone.
MANY = policy.MOST_LINES + 10
HUGE = {
    "names": (make_makefile(*(f"kvm_{number}" for number in range(MANY))), True),
    "empty-lines": (b"\n" * MANY + CHECK, True),
    "blanks": (b" \t" * MANY + b"\n" + CHECK, True),
    "backslashes": (b"\\" * MANY + b"\n" + CHECK, True),
    "comments": (b"#\n" * MANY + CHECK, False),
    "comments-with-words": (b"#EXPORT_SYMBOL\n" * MANY + b"x := EXPORT_SYMBOL\n", False),
    "lines-with-words": (b"EXPORT_SYMBOL\n" * MANY, False),
}


@parametrize(("makefile", "is_known"), HUGE)
def test_a_huge_makefile(makefile: bytes, is_known: bool) -> None:
    facts = read_facts(None, makefile)
    assert (facts.has_check, facts.is_known) == (True, is_known)
