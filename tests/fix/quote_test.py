# SPDX-License-Identifier: MIT
"""Names as git quotes them."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from kvm_export_hook.fix.quote import quote_name
from tests.helpers.cases import parametrize

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
def test_names_that_may_be_mistaken_are_quoted(name: bytes, written: bytes) -> None:
    assert quote_name(name) == written


@given(st.binary())
def test_every_name_can_be_read_back(name: bytes) -> None:
    written = quote_name(name)
    assert b"\n" not in written
    if written != name:
        # Python reads what git writes in the same way.
        assert ast.literal_eval(f"b{written.decode('ascii')}") == name
