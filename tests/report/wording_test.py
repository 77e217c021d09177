# SPDX-License-Identifier: MIT
"""What must hold of the row of every rule, whatever is added."""

from __future__ import annotations

import pytest

from kvm_export_hook.report.wording import RULES, Wording
from kvm_export_hook.rules import judge, place

RULE_IDS = {
    value for name, value in vars(judge).items() if name.isupper() and isinstance(value, str)
} - {place.CODE, place.DIRECTIVE}


def test_every_rule_has_a_row() -> None:
    assert set(RULES) == RULE_IDS


@pytest.mark.parametrize("rule", RULES)
def test_no_row_is_incomplete(rule: str) -> None:
    row = RULES[rule]
    for field in set(Wording.__slots__) - {"has_advice"}:
        assert getattr(row, field), field
    for sentence in (row.why, row.advice):
        assert sentence.endswith(".")
    for part in (row.problem, row.problem_in_directive, row.remedy, row.why_left):
        assert not part.endswith(".")
        assert part.format(kind="comment", use="EXPORT_SYMBOL_GPL")


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_id_is_what_a_reader_types(rule: str) -> None:
    assert rule == rule.lower()
    assert rule.replace("-", "").isalpha()
