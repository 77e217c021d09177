# SPDX-License-Identifier: MIT
"""Names of a list in a line: what looking for one after the other finds, however many there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvm_export_hook.rules.fit import FEW_NAMES, holds_name
from kvm_export_hook.rules.names import LONGEST_NAME
from tests.helpers.cases import parametrize
from tests.helpers.support import make_facts

LONG = b"kvm_" + b"x" * LONGEST_NAME


@parametrize(
    ("line", "holds"),
    {
        "the-name": (b"EXPORT_SYMBOL_GPL(kvm_name_7)", True),
        "in-a-longer-word": (b"EXPORT_SYMBOL_GPL(my_kvm_name_8_x)", True),
        "at-the-end": (b"/* EXPORT_SYMBOL kvm_name_0", True),
        "cut-short": (b"EXPORT_SYMBOL_GPL(kvm_name_)", False),
        "long": (b"EXPORT_SYMBOL_GPL(%b)" % LONG, True),
        "long-and-cut-short": (b"EXPORT_SYMBOL_GPL(%b)" % LONG[1:], False),
        "empty": (b"", False),
    },
)
@pytest.mark.parametrize("count", [FEW_NAMES - 1, 40_000], ids=["few", "many"])
def test_a_line_that_holds_a_listed_name(line: bytes, holds: bool, count: int) -> None:
    names = frozenset({LONG, *(b"kvm_name_%d" % number for number in range(count))})
    assert holds_name(line, make_facts(allowlist=names)) is holds


WORDS = st.text("ab", min_size=1, max_size=12).map(str.encode)
# None is in a line of a and b, nor does one begin with another.
OTHERS = frozenset(b"a%d" % number for number in range(100, 200))


@given(st.frozensets(WORDS), st.text("ab", max_size=40).map(str.encode))
@pytest.mark.parametrize("others", [frozenset(), OTHERS], ids=["few", "many"])
def test_it_is_what_one_search_after_the_other_finds(
    others: frozenset[bytes], words: frozenset[bytes], line: bytes
) -> None:
    facts = make_facts(allowlist=words | others)
    assert holds_name(line, facts) is any(word in line for word in words)


def test_one_line_after_the_other() -> None:
    facts = make_facts(allowlist=OTHERS)
    lines = [b"EXPORT_SYMBOL(a%d)" % number for number in (99, 100, 199, 200)]
    assert [holds_name(line, facts) for line in lines] == [False, True, True, False]


def test_no_names() -> None:
    assert not holds_name(b"EXPORT_SYMBOL_GPL(a)", make_facts(allowlist=frozenset()))
