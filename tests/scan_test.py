# SPDX-License-Identifier: MIT
"""The scan, against a slow and obvious reference."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvm_export_hook import policy
from kvm_export_hook.judge import judge
from kvm_export_hook.scan import begins_plain_line, suspects
from tests.support import ALLOWLIST

PIECES = st.sampled_from(
    [
        *policy.MACROS,
        *ALLOWLIST,
        *(b"EXPORT_", b"_", b"X", b"kvm_foo", b"(", b")", b",", b";", b"#define ", b"%:if ", b"%:"),
        *(b" ", b"\t", b"\n", b"\r\n", b"\\\n", b"\\ \n", b"\\\r\n", b"\\", b"\0", b"\xff"),
        *(b"/*", b"*/", b"//", b"/", b"*", b'"', b"'", b"R"),
    ]
)
SOURCES = st.lists(PIECES, max_size=40).map(b"".join)


def every_word(source: bytes, also_fine: bool = False) -> list[tuple[int, bytes]]:
    """Find every macro that is not always fine, with no thought of speed."""
    return [
        (match.start(), match[0])
        for match in re.finditer(rb"[A-Za-z0-9_]+", source)
        if policy.MACROS.get(match[0]) in (policy.NEVER, policy.IF_ALLOWLISTED)
        or (also_fine and match[0] in policy.MACROS)
    ]


@given(SOURCES)
def test_without_an_allowlist_every_word_is_a_suspect(source: bytes) -> None:
    assert suspects(source, frozenset()) == every_word(source)


@given(SOURCES, st.booleans())
def test_what_is_passed_over_is_no_finding(source: bytes, has_check: bool) -> None:
    def findings(words: list[tuple[int, bytes]]) -> list[tuple[int, str]]:
        found = judge(source, words, ALLOWLIST, has_check)
        return [(finding.offset, finding.rule) for finding in found]

    assert findings(suspects(source, ALLOWLIST)) == findings(every_word(source))


@pytest.mark.parametrize(
    "source",
    [b"EXPORT_SYMBOL_GPL(kvm_get_kvm)", b"a\nEXPORT_SYMBOL_GPL(kvm_put_kvm);"],
    ids=["first-line", "other-line"],
)
def test_an_allowlisted_export_on_a_line_of_its_own_is_no_suspect(source: bytes) -> None:
    assert suspects(source, ALLOWLIST) == []


@pytest.mark.parametrize(
    ("before", "plain"),
    {
        "start-of-file": (b"", True),
        "newline": (b"a\n", True),
        "code": (b"a", False),
        "splice": (b"a\\\n", False),
        "splice-with-blanks": (b"a\\ \t\n", False),
        "crlf": (b"a\r\n", False),
        "only-a-newline": (b"\n", False),
    }.values(),
)
def test_a_plain_line_begins_behind_a_plain_newline(before: bytes, plain: bool) -> None:
    assert begins_plain_line(before + b"EXPORT", len(before)) is plain
