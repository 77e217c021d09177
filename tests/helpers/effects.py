# SPDX-License-Identifier: MIT
"""What ``--list`` says that changes do to the exports, spelled in short for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.helpers.support import run_in_process


def list_effects(*arguments: str, status: int = 0) -> list[str]:
    """Run ``--list`` on ARGUMENTS in this process; write each export that it lists.

    The exit STATUS must be this one.
    """
    outcome = run_in_process("--list", "--format=json", *arguments)
    assert outcome.status == status, outcome
    listed = json.loads(outcome.out)
    assert bool(listed["errors"]) is (status == 2)
    return [line for change in listed["changes"] for line in spell_change(change)]


def spell_change(change: Mapping[str, Any]) -> list[str]:
    """Write each export of a CHANGE, after the subject that there may be."""
    subject = f"{change['subject']}: " if change["subject"] else ""
    assert change["added"] or change["dropped"] or change["changed"]
    return [
        *(f"{subject}+ {spell(each)}" for each in change["added"]),
        *(f"{subject}- {spell(each)}" for each in change["dropped"]),
        *(f"{subject}~ {spell(each['was'])} -> {spell(each)}" for each in change["changed"]),
    ]


def spell(export: Mapping[str, Any]) -> str:
    """Write an EXPORT as ``path:line macro(symbol) verdict``."""
    macro = export["macro"].removeprefix("EXPORT_")
    return f"{export['path']}:{export['line']} {macro}({export['symbol']}) {export['verdict']}"
