# SPDX-License-Identifier: MIT
"""Names as git quotes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvm_export_hook.sources.git_names import quoted, unquoted
from tests.cases import parametrize

NAMES = {
    "plain": (b"virt/kvm/x.c", b"virt/kvm/x.c"),
    "blank-and-tilde": (b"a b~.c", b"a b~.c"),
    "umlaut": ("ä.c".encode(), rb'"\303\244.c"'),
    "tab": (b"a\tb.c", rb'"a\tb.c"'),
    "quote": (b'a"b.c', rb'"a\"b.c"'),
    "backslash": (b"a\\b.c", rb'"a\\b.c"'),
    "lowest-and-delete": (b"\x01\x7f.c", rb'"\001\177.c"'),
    "highest": (b"\xff.c", rb'"\377.c"'),
}


@parametrize(("name", "written"), NAMES)
def test_both_ways(name: bytes, written: bytes) -> None:
    assert quoted(name) == written
    assert unquoted(written) == name


@given(st.binary())
def test_every_name_comes_back(name: bytes) -> None:
    written = quoted(name)
    assert written == name or unquoted(written) == name
    assert b"\n" not in written


@pytest.mark.parametrize("name", [b'"a.c', b'a.c"', b"a.c"])
def test_half_a_quote_is_part_of_the_name(name: bytes) -> None:
    assert unquoted(name) == name
