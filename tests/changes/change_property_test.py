# SPDX-License-Identifier: MIT
"""What --staged reports of random edits and merges: what the slow reference subtracts."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.conftest import HOME
from tests.helpers import reference
from tests.helpers.random_kernels import BLIND, KERNELS, edit, merge
from tests.helpers.repositories import Repository, read_findings


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository that each example writes anew."""
    made = Repository(tmp_path_factory.mktemp("edits"), HOME)
    made.git("init", "--quiet", "--template=")
    return made


@pytest.fixture(scope="module")
def blind(repository: Repository) -> str:
    """The id of a commit to be merged."""
    return repository.record("blind", BLIND.make_files())


def count_reported(repository: Repository) -> Counter[tuple[str, bytes, bytes]]:
    """Count what --staged reports, by rule, macro, and symbol or else line."""
    counted: Counter[tuple[str, bytes, bytes]] = Counter()
    status, found = read_findings("--staged", f"--srctree={repository.top}")
    assert status == bool(found)
    for each in found:
        lines = (repository.top / each["path"]).read_bytes().split(b"\n")
        line = lines[each["line"] - 1].strip()
        symbol = line if each["symbol"] is None else each["symbol"].encode()
        counted[each["rule"], each["macro"].encode(), symbol] += 1
    return counted


@given(data=st.data(), is_merge=st.booleans())
def test_what_is_staged_is_what_the_reference_subtracts(
    repository: Repository, blind: str, data: st.DataObject, is_merge: bool
) -> None:
    old = data.draw(KERNELS)
    new = data.draw(edit(merge(old, BLIND) if is_merge else old)).make_files()
    repository.replace_all(old.make_files())
    repository.commit_index()
    repository.replace_all(new)
    added = reference.find_added(old.make_files(), new)
    if is_merge:
        repository.begin_merge(blind)
        added &= reference.find_added(BLIND.make_files(), new)
    expected: Counter[tuple[str, bytes, bytes]] = Counter()
    for (rule, macro, symbol, *_), number in added.items():
        expected[rule, macro, symbol] += number
    event("something is added" if expected else "nothing is added")
    assert count_reported(repository) == expected
