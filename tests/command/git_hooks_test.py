# SPDX-License-Identifier: MIT
"""The one-line hooks, run by git."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import HOME
from tests.helpers.repositories import Repository, initialise
from tests.helpers.support import (
    BAD,
    COMMAND,
    INTERNAL,
    MAKEFILE_WITH_CHECK,
    TYPED,
    make_tree,
    write,
)

A, B, C = "virt/kvm/a.c", "virt/kvm/b.c", "virt/kvm/c.c"
OTHER = b"EXPORT_SYMBOL_GPL(kvm_other);\n"
STAGED = f"exec {TYPED} --staged"
WITH_SAMPLE = MAKEFILE_WITH_CHECK.replace(b"-e kvm_get_kvm", b"-e kvm_sample")


def write_hooks(linux: Repository, script: str = STAGED) -> None:
    """Install the hooks that judge what is staged, in place of the sample hooks of git."""
    for name in ("pre-commit", "pre-applypatch", "pre-merge-commit"):
        write(linux.top / ".git/hooks" / name, f"#!/bin/sh\n{script}\n".encode()).chmod(0o755)


@pytest.fixture
def hooked(linux: Repository) -> Repository:
    write_hooks(linux)
    return linux


def blocks(linux: Repository, *command: str) -> str:
    """Say where the exports are that block the git COMMAND, or nothing."""
    status, output = linux.run("git", *command)
    found = [line.partition(":1: error")[0] for line in output.splitlines() if ": error:" in line]
    assert bool(status) is bool(found), output
    return " ".join(found)


def commit(linux: Repository, *arguments: str) -> str:
    return blocks(linux, "commit", "--quiet", "--message", "kvm: test", *arguments)


def test_a_commit(hooked: Repository) -> None:
    hooked.stage(A, INTERNAL)
    assert commit(hooked) == ""
    hooked.stage(A, BAD)
    assert commit(hooked) == f"{A}:1"
    hooked.stage("arch/x86/kvm/Makefile", WITH_SAMPLE)
    assert commit(hooked) == ""


def test_a_commit_of_all_that_is_changed(hooked: Repository) -> None:
    hooked.write("virt/kvm/kvm_main.c", BAD)
    hooked.write(B, BAD)  # which is not tracked
    assert commit(hooked, "--all") == "virt/kvm/kvm_main.c:1"
    hooked.write("virt/kvm/kvm_main.c", INTERNAL)
    hooked.stage("fs/open.c", b"")
    assert commit(hooked, "--all") == ""


def test_a_commit_of_a_file_while_another_is_staged(hooked: Repository) -> None:
    hooked.stage(A, BAD)
    hooked.write("virt/kvm/kvm_main.c", b"int kvm_main;\n")
    assert commit(hooked, "virt/kvm/kvm_main.c") == ""
    hooked.write("virt/kvm/kvm_main.c", BAD)
    assert commit(hooked, "virt/kvm/kvm_main.c") == "virt/kvm/kvm_main.c:1"
    assert commit(hooked, "--include", "fs/open.c") == f"{A}:1"


def test_an_amended_commit_is_judged_by_what_is_staged(hooked: Repository) -> None:
    hooked.record("bad", {A: BAD})
    assert commit(hooked, "--amend") == ""
    hooked.stage(A, BAD + BAD)
    assert commit(hooked, "--amend") == f"{A}:2"
    hooked.stage(A, INTERNAL)
    assert commit(hooked, "--amend") == ""


def test_a_commit_of_parts(hooked: Repository) -> None:
    hooked.record("before", {A: INTERNAL + b"int a;\n" * 20})
    hooked.write(A, BAD + b"int a;\n" * 20 + BAD)
    status, output = hooked.run("git", "commit", "--patch", "--message=x", stdin=b"n\ny\n")
    assert status == 1, output
    assert f"{A}:22:1: error:" in output
    assert f"{A}:1:1: error:" not in output


def test_the_first_commit(tmp_path: Path) -> None:
    linux = Repository(make_tree(tmp_path, check=True), HOME)
    linux.git("init", "--quiet")
    write_hooks(linux)
    linux.stage(A, BAD)
    linux.git("add", "virt", "include", "arch")
    assert commit(linux) == f"{A}:1"
    linux.stage(A, INTERNAL)
    assert commit(linux) == ""


def branch(linux: Repository, name: str, files: dict[str, bytes | None]) -> None:
    """Commit FILES, past the hooks, on a branch of their own from main on."""
    linux.git("checkout", "--quiet", "-b", name, "main")
    linux.record(name, files)
    linux.git("checkout", "--quiet", "main")


MERGE = ("merge", "--quiet", "--no-ff", "--message=merge")


@pytest.fixture
def vendor(hooked: Repository) -> Repository:
    """Make two branches that have an export each, and a commit of their own on main."""
    branch(hooked, "one", {A: BAD, C: b"int theirs;\n"})
    branch(hooked, "two", {B: OTHER})
    hooked.record("ours", {"fs/open.c": b"", "virt/kvm/kvm_main.c": b"int kvm_main;\n"})
    return hooked


@pytest.mark.parametrize("branches", [["one"], ["one", "two"]], ids=["one", "octopus"])
@pytest.mark.parametrize("is_in_two_steps", [False, True], ids=["at-once", "by-commit"])
def test_a_merge_is_not_blamed_for_what_the_other_side_has(
    vendor: Repository, branches: list[str], is_in_two_steps: bool
) -> None:
    if is_in_two_steps:
        vendor.git(*MERGE, "--no-commit", *branches)
        assert commit(vendor) == ""
    else:
        assert blocks(vendor, *MERGE, *branches) == ""
    assert len(vendor.git("rev-parse", "HEAD^@").split()) == 1 + len(branches)
    # Nor is the commit after it blamed or excused for anything of these.
    vendor.stage("virt/kvm/d.c", BAD)
    assert commit(vendor) == "virt/kvm/d.c:1"


@pytest.mark.parametrize("branches", [["one"], ["one", "two"]], ids=["one", "octopus"])
def test_an_evil_merge(vendor: Repository, branches: list[str]) -> None:
    vendor.git(*MERGE, "--no-commit", *branches)
    vendor.stage("virt/kvm/d.c", BAD)
    assert commit(vendor) == "virt/kvm/d.c:1"
    vendor.stage(A, INTERNAL)
    assert commit(vendor) == ""  # it has only moved
    assert find_in_commit(vendor) == ""


def find_in_commit(linux: Repository) -> str:
    """Say where the exports are that --commits finds in HEAD."""
    _, output = linux.run(str(COMMAND), "--commits=HEAD")
    return " ".join(
        line.partition(":1: error")[0] for line in output.splitlines() if ": error:" in line
    )


def test_an_evil_hook_of_a_merge(vendor: Repository) -> None:
    evil = f"cp {A} virt/kvm/d.c; git add virt/kvm/d.c\n{STAGED}"
    write_hooks(vendor, evil)
    assert blocks(vendor, *MERGE, "one") == "virt/kvm/d.c:1"


def test_a_merge_with_a_conflict(vendor: Repository) -> None:
    vendor.record("conflict", {C: b"int ours;\n"})
    assert vendor.run("git", *MERGE, "one").status == 1
    vendor.stage(C, INTERNAL)
    assert commit(vendor) == ""
    vendor.git("reset", "--quiet", "--hard", "HEAD^")
    assert vendor.run("git", *MERGE, "one").status == 1
    vendor.stage(C, BAD)
    assert commit(vendor) == f"{C}:1"


def test_a_merge_of_a_shorter_list(vendor: Repository) -> None:
    vendor.record("listed", {"arch/x86/kvm/Makefile": WITH_SAMPLE})
    branch(vendor, "user", {"virt/kvm/d.c": BAD})
    branch(vendor, "shorter", {"arch/x86/kvm/Makefile": MAKEFILE_WITH_CHECK})
    vendor.git("checkout", "--quiet", "shorter")
    assert blocks(vendor, *MERGE, "user") == "virt/kvm/d.c:1"


def test_a_merge_that_is_as_one_of_its_parents(vendor: Repository) -> None:
    vendor.measured = True
    assert blocks(vendor, *MERGE, "--strategy=ours", "two") == ""
    vendor.git("reset", "--quiet", "--hard", "HEAD^")
    vendor.git(*MERGE, "--no-commit", "--strategy=ours", "one")
    vendor.git("read-tree", "one")
    assert commit(vendor) == ""
    assert find_in_commit(vendor) == ""


def test_a_merge_in_a_linked_worktree(vendor: Repository, tmp_path: Path) -> None:
    vendor.git("worktree", "add", "--quiet", str(tmp_path / "next"), "-b", "next")
    linked = Repository(tmp_path / "next", vendor.home)
    assert blocks(linked, *MERGE, "one") == ""
    linked.git(*MERGE, "--no-commit", "two")
    linked.stage("virt/kvm/d.c", OTHER)
    assert commit(linked) == "virt/kvm/d.c:1"
    # The merge there does not excuse anything here.
    vendor.stage(B, OTHER)
    assert commit(vendor) == f"{B}:1"


def test_what_is_no_merge_is_judged_against_the_head_alone(vendor: Repository) -> None:
    vendor.git("merge", "--quiet", "--squash", "one")
    assert commit(vendor) == f"{A}:1"
    vendor.git("reset", "--quiet", "--hard")
    vendor.git("cherry-pick", "--no-commit", "one")
    assert commit(vendor) == f"{A}:1"
    vendor.git("reset", "--quiet", "--hard")
    vendor.record("bad", {A: BAD})
    vendor.record("good", {A: INTERNAL})
    vendor.git("revert", "--no-commit", "HEAD")
    assert commit(vendor) == f"{A}:1"


CONTINUE = ("-c", "core.editor=true")


def test_a_pick_is_checked_only_where_it_goes_on_after_a_conflict(vendor: Repository) -> None:
    branch(vendor, "clean", {"virt/kvm/d.c": BAD})
    assert blocks(vendor, "cherry-pick", "clean") == ""
    assert blocks(vendor, "revert", "--no-edit", "HEAD") == ""
    vendor.record("conflict", {C: b"int ours;\n"})
    assert vendor.run("git", "cherry-pick", "one").status == 1
    vendor.stage(C, BAD)
    assert blocks(vendor, *CONTINUE, "cherry-pick", "--continue") == f"{A}:1 {C}:1"
    vendor.git("cherry-pick", "--abort")
    vendor.record("again", {C: b"int more;\n"})
    assert vendor.run("git", "revert", "--no-edit", "HEAD~").status == 1
    vendor.stage(C, BAD)
    assert blocks(vendor, *CONTINUE, "revert", "--continue") == f"{C}:1"


def test_a_rebase_is_not_checked_where_it_goes_on(vendor: Repository) -> None:
    vendor.record("conflict", {C: b"int ours;\n"})
    vendor.git("checkout", "--quiet", "one")
    assert vendor.run("git", "rebase", "main").status == 1
    vendor.stage(C, BAD)
    assert blocks(vendor, *CONTINUE, "rebase", "--continue") == ""
    assert find_in_commit(vendor) == f"{A}:1 {C}:1"


def test_a_commit_in_a_hook_of_a_merge_that_is_made(vendor: Repository) -> None:
    vendor.git("checkout", "--quiet", "one")
    vendor.record("fix", {A: INTERNAL, B: BAD})
    vendor.git("checkout", "--quiet", "main")
    again = (
        f"#!/bin/sh\ncp {B} saved; git rm --quiet {B}; git commit --quiet --message=gone\n"
        f"cp saved {B}; git add {B}; git commit --quiet --message=again\n"
    )
    write(vendor.top / ".git/hooks/post-merge", again.encode()).chmod(0o755)
    _, output = vendor.run("git", *MERGE, "one")
    assert f"{B}:1:1: error" in output
    assert vendor.git("log", "-1", "--format=%s") == "gone\n"


def test_a_mail(hooked: Repository, tmp_path: Path) -> None:
    hooked.record("bad", {A: BAD})
    hooked.record("good", {B: INTERNAL})
    bad, good = hooked.git("format-patch", "-2", "-o", str(tmp_path)).split()
    hooked.git("reset", "--quiet", "--hard", "HEAD~2")
    assert blocks(hooked, "am", "--quiet", bad) == f"{A}:1"
    hooked.git("am", "--abort")
    assert blocks(hooked, "am", "--quiet", good) == ""


def test_a_rebase_that_judges_each_commit(linux: Repository) -> None:
    linux.record("good", {B: INTERNAL})
    linux.record("bad", {A: BAD})
    linux.record("fix", {A: INTERNAL})
    each = ("rebase", "--quiet", "--force-rebase", "--exec", f"{TYPED} --commits HEAD", "HEAD~3")
    assert blocks(linux, *each) == f"{A}:1"
    assert linux.git("log", "-1", "--format=%s") == "bad\n"


def test_another_worktree_and_one_below(hooked: Repository, tmp_path: Path) -> None:
    hooked.git("worktree", "add", "--quiet", str(tmp_path / "next"))
    hooked.git("worktree", "add", "--quiet", "--detach", "below")
    for top in (tmp_path / "next", hooked.top / "below"):
        linked = Repository(top, hooked.home)
        linked.stage(A, BAD)
        assert commit(linked) == f"{A}:1"
        linked.stage(A, INTERNAL)
        assert commit(linked) == ""


def test_a_directory_that_git_was_given(hooked: Repository, tmp_path: Path) -> None:
    hooked.stage(A, BAD)
    outside = Repository(tmp_path, hooked.home)
    arguments = ("commit", "--quiet", "--message=x")
    assert blocks(outside, "-C", "linux/virt", *arguments) == f"{A}:1"
    named = ("--git-dir=linux/.git", "--work-tree=linux")
    assert blocks(outside, *named, *arguments) == f"{A}:1"
    assert blocks(outside, "-c", "core.hooksPath=/gone", "-C", "linux", *arguments) == ""


@pytest.mark.parametrize(
    "script", ["cd 'a b/linux' && " + STAGED, STAGED + " --srctree 'a b/linux'"]
)
def test_a_kernel_in_a_subdirectory(tmp_path: Path, script: str) -> None:
    top = tmp_path / "all"
    repository = Repository(top, HOME)
    make_tree(top / "a b/linux", check=True)
    initialise(repository)
    write_hooks(repository, script)
    repository.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "next"))
    repository.git("worktree", "add", "--quiet", "--detach", "a b/linux/below")
    for each in (top, tmp_path / "next", top / "a b/linux/below"):
        linked = Repository(each, HOME)
        linked.stage(A, BAD)  # which is outside the kernel
        assert commit(linked) == ""
        linked.stage(f"a b/linux/{A}", BAD)
        assert commit(linked) == f"a b/linux/{A}:1"
        assert commit(linked, "--", f"a b/linux/{A}") == f"a b/linux/{A}:1"
        linked.stage(f"a b/linux/{A}", INTERNAL)
        linked.write("a b/linux/virt/kvm/kvm_main.c", BAD)
        assert commit(linked) == ""
        assert commit(linked, "--all") == "a b/linux/virt/kvm/kvm_main.c:1"
        linked.git("rm", "--quiet", "--cached", "a b/linux/virt/kvm/kvm_main.c")
        assert commit(linked) == ""


@pytest.fixture
def superproject(linux: Repository, tmp_path: Path) -> Repository:
    """Make a repository whose kernel is a submodule, which has an old export, and a new one."""
    linux.record("old", {A: BAD})
    outer = Repository(tmp_path / "outer", HOME)
    write(outer.top / "README", b"")
    outer.git("init", "--quiet")
    outer.git("submodule", "--quiet", "add", f"file://{linux.top}", "linux")
    outer.record("initial")
    return outer


@pytest.mark.parametrize("is_linked", [False, True], ids=["main", "linked"])
@pytest.mark.parametrize(
    "script",
    [
        f"exec {TYPED} --since HEAD linux/{A} linux/{B}",
        f"exec {TYPED} --staged --srctree=linux",
        f"cd linux && exec {TYPED} --staged",
        f"cd linux && exec {TYPED} --since HEAD {A} {B}",
    ],
)
def test_a_kernel_that_is_a_submodule(
    superproject: Repository, tmp_path: Path, is_linked: bool, script: str
) -> None:
    outer = superproject
    if is_linked:
        outer.git("worktree", "add", "--quiet", str(tmp_path / "next"))
        outer = Repository(tmp_path / "next", HOME)
        outer.git("submodule", "--quiet", "update", "--init")
    write_hooks(superproject, script)
    outer.measured = True
    inner = Repository(outer.top / "linux", HOME)
    for options in ([], ["--all"], ["README"]):
        inner.stage(A, BAD + b"int a;\n")
        inner.stage(B, INTERNAL)
        outer.stage("README", b"".join(each.encode() for each in options) + b"x")
        assert commit(outer, *options) == ""
        inner.stage(B, BAD)
        outer.stage("README", b"more")
        found = commit(outer, *options)
        assert found.endswith(f"{B}:1"), found
        assert A not in found


def test_names_that_a_hook_passes_are_judged_against_the_head(hooked: Repository) -> None:
    hooked.record("old", {A: BAD})
    script = f"git diff --cached --name-only -z --diff-filter=d | xargs -0r {TYPED} --since=HEAD --"
    write_hooks(hooked, script)
    hooked.stage(A, BAD + b"int a;\n")
    assert commit(hooked) == ""
    hooked.stage(B, BAD)
    assert commit(hooked) == f"{B}:1"


def test_somebody_else_s_repository_is_let_pass(tmp_path: Path) -> None:
    other = Repository(tmp_path, HOME)
    other.git("init", "--quiet")
    write_hooks(other)
    other.stage("src/x.c", BAD)
    status, output = other.commit()
    assert status == 0
    assert "kvm-export-hook: nothing checked: " in output
