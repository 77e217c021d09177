# SPDX-License-Identifier: MIT
"""The verdicts on the snippets of C, and where a finding ends."""

from __future__ import annotations

import pytest

from kvm_export_hook.rules import policy
from kvm_export_hook.rules.facts import read_facts
from tests.helpers.cases import parametrize
from tests.helpers.snippets import FAIL_THE_BUILD, FINE, UNWANTED
from tests.helpers.support import ALLOWLIST, describe, find_all, list_verdicts, make_facts


@parametrize("source", FINE)
@pytest.mark.parametrize("check", [False, True], ids=["no-check", "check"])
def test_fine(source: bytes, check: bool) -> None:
    assert list_verdicts(source, check=check) == []


@parametrize(("source", "expected"), UNWANTED)
@pytest.mark.parametrize("check", [False, True], ids=["no-check", "check"])
def test_unwanted(source: bytes, expected: list[str], check: bool) -> None:
    assert list_verdicts(source, check=check) == expected


@parametrize(("source", "expected"), FAIL_THE_BUILD)
def test_what_fails_the_build(source: bytes, expected: list[str]) -> None:
    assert list_verdicts(source, check=True) == expected


@parametrize(("source", "expected"), FAIL_THE_BUILD)
def test_what_would_fail_the_build_is_fine_without_the_check(
    source: bytes, expected: list[str]
) -> None:
    assert list_verdicts(source) == []


@pytest.mark.parametrize(
    "source",
    [
        b"/* EXPORT_SYMBOL_NS, EXPORT_PER_CPU_SYMBOL_GPL(x) */\n",
        b"/* EXPORT_SYMBOL_GPL(kvm_get_kvm) */\n",
        b"/*\nEXPORT_SYMBOL_GPL(kvm_get_kvm);\n*/\n",
        b'"kvm_put_kvm_no_destroy EXPORT_SYMBOL"\n',
        b"// EXPORT_SYMBOL_GPL of kvm_put_kvm",
    ],
    ids=["other-macros", "allowlisted", "allowlisted-line", "substring", "last-word"],
)
def test_mentions_that_the_make_check_lets_pass(source: bytes) -> None:
    assert list_verdicts(source, check=True) == []


def test_allow_permits_one_more_symbol_with_the_make_check_too() -> None:
    source = b"EXPORT_SYMBOL_GPL(kvm_foo);\nEXPORT_SYMBOL(kvm_foo);\n"
    expected = ["2:1 EXPORT_SYMBOL(kvm_foo) forbidden-macro"]
    assert list_verdicts(source, check=True, allow="kvm_foo") == expected


UNKNOWN = {
    "a-word-of-the-check": (b"EXPORT_SYMBOL_GPL(kvm_word);\n", []),
    "beside-a-bad-one": (
        b"EXPORT_SYMBOL_GPL(kvm_word);\nEXPORT_SYMBOL_GPL(kvm_bad);\n",
        ["2:1 EXPORT_SYMBOL_GPL(kvm_bad) not-allowlisted"],
    ),
    "a-word-as-part-of-a-line": (
        b"EXPORT_SYMBOL_GPL(kvm_bad); /* kvm_word */ // EXPORT_SYMBOL\n",
        [
            "1:1 EXPORT_SYMBOL_GPL(kvm_bad) not-allowlisted",
            "1:47 EXPORT_SYMBOL export-mention",
        ],
    ),
    "a-listed-name-as-part-of-a-line": (b"// EXPORT_SYMBOL of kvm_listed\n", []),
    "a-word-in-a-comment": (
        b"/*\nEXPORT_SYMBOL_GPL(kvm_word);\n*/\n",
        ["2:1 EXPORT_SYMBOL_GPL export-mention"],
    ),
    "a-split-call": (
        b"EXPORT_SYMBOL_GPL(\n\tkvm_word);\nEXPORT_SYMBOL_GPL(\n\tkvm_listed);\n",
        [
            "1:1 EXPORT_SYMBOL_GPL(kvm_word) split-export",
            "3:1 EXPORT_SYMBOL_GPL(kvm_listed) split-export",
        ],
    ),
}


@parametrize(("source", "expected"), UNKNOWN)
def test_an_unknown_check_permits_words_and_is_taken_for_known_otherwise(
    source: bytes, expected: list[str]
) -> None:
    check = b"exports_grep_trailer := -v -e kvm_listed | grep -v kvm_word\n"
    found = find_all(source, read_facts(None, check))
    assert list(map(describe, found)) == expected


@pytest.mark.parametrize("macro", policy.MACROS)
@pytest.mark.parametrize("symbol", [b"kvm_get_kvm", b"kvm_foo"])
def test_every_macro_as_its_table_says(macro: bytes, symbol: bytes) -> None:
    source = macro + b"(" + symbol + b', "x");\n'
    wanted = {
        policy.ALWAYS: None,
        policy.NEVER: "forbidden-macro",
        policy.IF_ALLOWLISTED: None if symbol in ALLOWLIST else "not-allowlisted",
    }[policy.MACROS[macro].permitted]
    expected = [f"1:1 {macro.decode()}({symbol.decode()}) {wanted}"] if wanted else []
    assert list_verdicts(source) == expected
    if policy.MACROS[macro].permitted != policy.ALWAYS:
        assert list_verdicts(b"#if " + macro) == [f"1:5 {macro.decode()} export-alias"]


EXTENTS = {
    "plain": (b"EXPORT_SYMBOL(a) ;", b"EXPORT_SYMBOL(a)"),
    "lexed": (b" EXPORT_SYMBOL /* ( */ (\n a, b) ;", b"EXPORT_SYMBOL /* ( */ (\n a, b)"),
    "spliced": (b"EXPORT_SYMBOL\\\n\\\n(\\\na\\\n)\\\n ;", b"EXPORT_SYMBOL\\\n\\\n(\\\na\\\n)"),
    "spliced-after-a-comment": (
        b"EXPORT_SYMBOL/* EXPORT_SYMBOL_NS\\\n */(a\\ \n\\\n) ;",
        b"EXPORT_SYMBOL/* EXPORT_SYMBOL_NS\\\n */(a\\ \n\\\n)",
    ),
    "no-call": (b"EXPORT_SYMBOL ;", b"EXPORT_SYMBOL"),
    "directive": (b"#define A EXPORT_SYMBOL(a)", b"EXPORT_SYMBOL"),
    "spliced-by-the-thousand": (
        b"EXPORT_SYMBOL/*" + b"a\\\n" * 70_000 + b"*/(\\a\\\r) ;",
        b"EXPORT_SYMBOL/*" + b"a\\\n" * 70_000 + b"*/(\\a\\\r)",
    ),
}


@parametrize(("source", "extent"), EXTENTS)
def test_a_finding_ends_with_its_call(source: bytes, extent: bytes) -> None:
    finding, *_ = find_all(source, make_facts(check=False))
    assert source[finding.offset : finding.end] == extent


REPLACEMENTS = {
    "internal": (b"EXPORT_SYMBOL_GPL(a)", policy.INTERNAL),
    "internal-for-the-plain-macro": (b"EXPORT_SYMBOL(a)", policy.INTERNAL),
    "gpl-for-an-allowlisted-symbol": (b"EXPORT_SYMBOL(kvm_get_kvm)", policy.GPL),
    "none-where-the-build-would-still-fail": (b"EXPORT_SYMBOL(\nkvm_get_kvm)", None),
    "none-for-a-namespace": (b"EXPORT_SYMBOL_NS_GPL(a, b)", None),
    "none-for-a-raw-macro": (b"__EXPORT_SYMBOL(a)", None),
    "none-for-an-alias": (b"#define A EXPORT_SYMBOL(a)", None),
    "none-for-a-bare-word": (b"EXPORT_SYMBOL", None),
    "none-for-a-mention": (b"/* EXPORT_SYMBOL(a) */", None),
    "none-for-a-split-export": (b"EXPORT_SYMBOL_GPL(\nkvm_get_kvm)", None),
}


@parametrize(("source", "replacement"), REPLACEMENTS)
def test_the_macro_that_puts_it_right(source: bytes, replacement: bytes | None) -> None:
    (finding,) = find_all(source, make_facts())
    assert finding.replacement == replacement
