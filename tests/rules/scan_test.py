# SPDX-License-Identifier: MIT
"""The scan, against a slow and obvious reference."""

from __future__ import annotations

import pytest
from hypothesis import given

from kvm_export_hook.rules import policy
from kvm_export_hook.rules.scan import begins_plain_line, find_suspects
from tests.helpers.cases import parametrize
from tests.helpers.random_c import SOURCES
from tests.helpers.reference import find_macros
from tests.helpers.support import ALLOWLIST


@given(SOURCES)
def test_the_macros_of_a_file_are_suspects_all_or_none(source: bytes) -> None:
    assert list(find_suspects(source, ALLOWLIST)) in ([], find_macros(source))


@given(SOURCES)
def test_without_an_allowlist_they_all_are_unless_all_are_internal(source: bytes) -> None:
    found = find_macros(source)
    is_fine = all(macro == policy.INTERNAL for _, macro in found)
    assert list(find_suspects(source, frozenset())) == ([] if is_fine else found)


@pytest.mark.parametrize(
    "source",
    [b"EXPORT_SYMBOL_GPL(kvm_get_kvm)", b"a\nEXPORT_SYMBOL_GPL(kvm_put_kvm);"],
    ids=["first-line", "other-line"],
)
def test_an_allowlisted_export_on_a_line_of_its_own_is_no_suspect(source: bytes) -> None:
    assert list(find_suspects(source, ALLOWLIST)) == []


@parametrize(
    ("before", "plain"),
    {
        "start-of-file": (b"", True),
        "newline": (b"a\n", True),
        "code": (b"a", False),
        "splice": (b"a\\\n", False),
        "splice-with-a-space": (b"a\\ \n", False),
        "splice-with-a-tab": (b"a\\\t\n", False),
        "splice-with-a-vertical-tab": (b"a\\\v\n", False),
        "splice-with-a-form-feed": (b"a\\\f\n", False),
        "splice-with-a-nul": (b"a\\\0\n", False),
        "crlf": (b"a\r\n", False),
        "only-a-newline": (b"\n", False),
    },
)
def test_a_plain_line_begins_after_a_plain_newline(before: bytes, plain: bool) -> None:
    assert begins_plain_line(before + b"EXPORT", len(before)) is plain
