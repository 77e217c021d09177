# SPDX-License-Identifier: MIT
"""The promise for commits: where make passes before, and nothing is reported, it passes after.

By real make and the current kernel's own check, on random commits of hand-written C.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from tests import conftest
from tests.helpers.kernel_files import copy_kernel
from tests.helpers.random_kernels import KERNELS, Kernel, edit
from tests.helpers.repositories import Repository, find_added, initialise
from tests.kernel.conftest import Checked


@st.composite
def commits(draw: st.DrawFn) -> tuple[Kernel, Kernel]:
    """Make a kernel before and after a commit."""
    before = draw(KERNELS)
    return before, draw(edit(before))


OLD = b"EXPORT_SYMBOL_GPL(kvm_foo);"
LISTED = b"#define kvm_get_kvm_x(s) EXPORT_SYMBOL_GPL(s)\n"
EVIL = b"EXPORT_SYMBOL_GPL(kvm_put_kvm_evil);\n"
X, NAMED = "virt/kvm/x.c", "virt/kvm/kvm_get_kvm.c"


# The smallest that break it if a finding does not say whether the build fails on it.
@example((Kernel({X: (OLD + b" /* like kvm_get_kvm */\n",)}), Kernel({X: (OLD + b"\n",)})))
@example((Kernel({X: (EVIL,)}), Kernel({X: (EVIL,)}, (b"kvm_get_kvm",))))
@example((Kernel({NAMED: (OLD,)}), Kernel({X: (OLD,)})))
@example((Kernel({X: (OLD,)}, None), Kernel({X: (OLD,)})))
@example((Kernel({X: (LISTED,)}), Kernel({X: (LISTED,)}, (b"kvm_foo",))))
@given(commit=commits())
def test_a_clean_commit_keeps_make_passing(checked: Checked, commit: tuple[Kernel, Kernel]) -> None:
    old, new = commit
    checked.stage(old)
    checked.repository.commit_index()
    passed = checked.make_passes()
    checked.stage(new)
    status, _ = checked.commit()
    passes_now = checked.make_passes()
    event(f"passed {passed}, status {status}, passes {passes_now}")
    assert passes_now or status or not passed


@pytest.mark.parametrize("names", [("previous", "current"), ("current", "previous")], ids="-".join)
def test_a_kernel_over_another_adds_nothing(
    names: tuple[str, str], trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (trees / f"linux-{name}" for name in names)
    repository = Repository(copy_kernel(old, tmp_path / "linux"), conftest.HOME)
    initialise(repository).replace_all({})
    copy_kernel(new, repository.top)
    repository.git("add", "--all")
    monkeypatch.chdir(repository.top)
    assert find_added("--staged") == []
    repository.commit_index()
    assert find_added("--commits", "HEAD") == []
