# SPDX-License-Identifier: MIT
"""What --staged reports of random edits: what the slow reference subtracts."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.helpers import random_edits, reference
from tests.helpers.repositories import Repository
from tests.helpers.support import (
    MAKEFILE_WITH_CHECK,
    TYPES_WITH_MACRO,
    TYPES_WITHOUT_MACRO,
    run_in_process,
)

WITHOUT_CHECK = b"obj-y += x86.o\n"
MAKEFILES = [
    *(MAKEFILE_WITH_CHECK, WITHOUT_CHECK),
    MAKEFILE_WITH_CHECK.replace(b"-e kvm_get_kvm", b"-e kvm_foo"),
    MAKEFILE_WITH_CHECK.replace(b"-e kvm_put_kvm", b"-e kvm_put_kvm_evil"),
    b"# of the build\n" + MAKEFILE_WITH_CHECK,
    b"obj-y += more.o\n" + MAKEFILE_WITH_CHECK,
]
HEADERS = [TYPES_WITH_MACRO, TYPES_WITH_MACRO, TYPES_WITHOUT_MACRO]


@st.composite
def commits(draw: st.DrawFn) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Make a tree and what becomes of it; one file of no concern keeps it a kernel."""
    before = draw(random_edits.TREES)
    states: list[dict[str, bytes]] = []
    for tree in (before, draw(random_edits.edited(before))):
        is_same: bool = draw(st.booleans())
        if not is_same or not states:
            makefile = draw(st.sampled_from(MAKEFILES))
            header = draw(st.sampled_from(HEADERS))
        facts = {random_edits.MAKEFILE: makefile, random_edits.HEADER: header}
        states.append({**random_edits.join(tree), **facts, "virt/kvm/kvm_main.c": b"int kvm;\n"})
    return states[0], states[1]


def write_state(repository: Repository, state: dict[str, bytes]) -> None:
    """Make STATE the whole working tree and index."""
    for each in repository.top.iterdir():
        if each.name != ".git":
            shutil.rmtree(each)
    repository.stage_all(state)


def count_reported(top: Path) -> Counter[tuple[str, bytes, bytes]]:
    """Count what --staged reports, by rule, macro, and symbol or else line."""
    outcome = run_in_process("--staged", "--format=json")
    found = json.loads(outcome.out)["findings"]
    assert outcome.status == bool(found), outcome
    counted: Counter[tuple[str, bytes, bytes]] = Counter()
    for each in found:
        line = (top / each["path"]).read_bytes().split(b"\n")[each["line"] - 1].strip()
        symbol = line if each["symbol"] is None else each["symbol"].encode()
        counted[each["rule"], each["macro"].encode(), symbol] += 1
    return counted


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=commits())
def test_what_is_staged_is_what_the_reference_subtracts(
    linux: Repository, states: tuple[dict[str, bytes], dict[str, bytes]]
) -> None:
    old, new = states
    write_state(linux, old)
    linux.git("commit", "--quiet", "--allow-empty", "--message", "old")
    write_state(linux, new)
    expected: Counter[tuple[str, bytes, bytes]] = Counter()
    for (rule, macro, symbol, *_), number in reference.find_added(old, new).items():
        expected[rule, macro, symbol] += number
    event("something is added" if expected else "nothing is added")
    assert count_reported(linux.top) == expected
