# SPDX-License-Identifier: MIT
"""The promise for commits: where make passes before, and nothing is reported, it passes after.

By real make and the current kernel's own check, on random commits of hand-written C.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from tests import conftest
from tests.helpers import random_edits
from tests.helpers.kernel_files import CHECK, HEADER, KBUILD, MAKEFILE, copy_kernel
from tests.helpers.repositories import Repository, initialise
from tests.helpers.support import run_in_process
from tests.kernel.conftest import make_check

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def check(current: Path) -> Files:
    """The check and what it needs."""
    return {str(name): (current / name).read_bytes() for name in (MAKEFILE, HEADER, KBUILD)}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """An empty repository, into which each example writes its tree."""
    made = Repository(tmp_path_factory.mktemp("commits"), conftest.HOME)
    made.git("init", "--quiet", "--template=")
    return made


# What becomes of the fact files: the names of another list, or a kind of KINDS.
Edit = list[bytes] | str
KINDS = ("same", "same", "no check", "no macro", "neither")
EDITS = st.one_of(st.sampled_from(KINDS), random_edits.LISTS)
Commit = tuple[random_edits.Pieces, Edit, random_edits.Pieces, Edit]


def edit_facts(check: Files, edit: Edit) -> Files:
    """Edit the fact files."""
    makefile, header = check[str(MAKEFILE)], check[str(HEADER)]
    if isinstance(edit, list):
        start, trailer, rest = makefile.partition(b"grep -v ")
        names = b" ".join(b"-e " + name for name in edit)
        makefile = start + trailer + names + b"\n\n" + rest.partition(b"\n\n")[2]
    if edit in ("no check", "neither"):
        makefile = makefile.partition(CHECK.encode())[0] + b"\n"
    if edit in ("no macro", "neither"):
        header = header.replace(b"EXPORT_SYMBOL_FOR_KVM_INTERNAL", b"OTHER")
    return {**check, str(MAKEFILE): makefile, str(HEADER): header}


@st.composite
def commits(draw: st.DrawFn) -> Commit:
    """Make the sources and the facts before and after a commit."""
    before = draw(random_edits.TREES)
    return before, draw(EDITS), draw(random_edits.edited(before)), draw(EDITS)


def write_state(repository: Repository, state: Files) -> None:
    """Make STATE the whole working tree and index."""
    for each in repository.top.iterdir():
        if each.name != ".git":
            shutil.rmtree(each)
    repository.stage_all({**state, "virt/kvm/kvm_main.c": b"int kvm;\n"})


def passes(tree: Path, scratch: Path) -> bool:
    """Whether make passes in TREE; without the check it does."""
    return CHECK not in (tree / MAKEFILE).read_text() or make_check(tree, scratch)


def report(*arguments: str) -> list[tuple[str, int, int, str]]:
    """Run the command on a change; list what it reports."""
    outcome = run_in_process("--format=json", *arguments)
    found = json.loads(outcome.out)["findings"]
    assert outcome.status == bool(found), outcome
    return sorted((each["path"], each["line"], each["column"], each["rule"]) for each in found)


OLD = b"EXPORT_SYMBOL_GPL(kvm_foo);"
LISTED = b"#define kvm_get_kvm_x(s) EXPORT_SYMBOL_GPL(s)\n"
EVIL = b"EXPORT_SYMBOL_GPL(kvm_put_kvm_evil);\n"
X, NAMED = "virt/kvm/x.c", "virt/kvm/kvm_get_kvm.c"


# The smallest that break it if a finding does not say whether the build fails on it.
@example(({X: [OLD + b" /* like kvm_get_kvm */\n"]}, "same", {X: [OLD + b"\n"]}, "same"))
@example(({X: [EVIL]}, "same", {X: [EVIL]}, [b"kvm_get_kvm"]))
@example(({NAMED: [OLD]}, "same", {X: [OLD]}, "same"))
@example(({X: [OLD]}, "no check", {X: [OLD]}, "same"))
@example(({X: [LISTED]}, "same", {X: [LISTED]}, [b"kvm_foo"]))
@given(commit=commits())
def test_a_clean_commit_keeps_make_passing(
    repository: Repository, check: Files, commit: Commit
) -> None:
    scratch = repository.top / ".git"
    old, old_edit, new, new_edit = commit
    before = {**random_edits.join(old), **edit_facts(check, old_edit)}
    after = {**random_edits.join(new), **edit_facts(check, new_edit)}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository.top)
        write_state(repository, before)
        repository.git("commit", "--quiet", "--allow-empty", "--message", "old")
        passed = passes(repository.top, scratch)
        write_state(repository, after)
        staged = report("--staged")
        passes_now = passes(repository.top, scratch)
        repository.git("commit", "--quiet", "--allow-empty", "--message", "new")
        assert report("--commits", "HEAD") == staged
    event(f"passed {passed}, reported {bool(staged)}, passes {passes_now}")
    assert passes_now or staged or not passed


def replace(repository: Repository, source: Path) -> None:
    """Put the kernel SOURCE in the place of what is there, and stage it."""
    for each in repository.top.iterdir():
        if each.name != ".git":
            shutil.rmtree(each)
    copy_kernel(source, repository.top)
    repository.git("add", "--all")


@pytest.mark.parametrize("names", [("previous", "current"), ("current", "previous")], ids="-".join)
def test_a_kernel_over_another_adds_nothing(
    names: tuple[str, str], trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (trees / f"linux-{name}" for name in names)
    repository = Repository(tmp_path / "linux", conftest.HOME)
    copy_kernel(old, repository.top)
    initialise(repository)
    replace(repository, new)
    monkeypatch.chdir(repository.top)
    assert report("--staged") == []
    repository.git("commit", "--quiet", "--message", "new")
    assert report("--commits", "HEAD") == []
