# SPDX-License-Identifier: MIT
"""The one-line hooks, run by git."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import HOME
from tests.helpers.repositories import Repository
from tests.helpers.support import BAD, COMMAND, INTERNAL, MAKEFILE_WITH_CHECK, make_tree, write

A, B, C = "virt/kvm/a.c", "virt/kvm/b.c", "virt/kvm/c.c"
STAGED = f"exec {COMMAND} --staged"
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


def test_merges(hooked: Repository) -> None:
    hooked.git("checkout", "--quiet", "-b", "topic")
    hooked.record("topic", {A: BAD, C: b"int theirs;\n"})
    hooked.git("checkout", "--quiet", "main")
    hooked.record("ours", {"fs/open.c": b""})
    merge = ("merge", "--quiet", "--no-ff", "--message=merge", "topic")
    assert blocks(hooked, *merge) == f"{A}:1"
    hooked.git("merge", "--abort")
    # Of a conflict, the file that was merged by itself is judged as well.
    hooked.record("conflict", {C: b"int ours;\n"})
    assert hooked.run("git", *merge).status == 1
    hooked.stage(C, INTERNAL)
    assert commit(hooked) == f"{A}:1"
    hooked.stage(A, INTERNAL)
    assert commit(hooked) == ""


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
    each = ("rebase", "--quiet", "--force-rebase", "--exec", f"{COMMAND} --commits HEAD", "HEAD~3")
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
    repository.git("init", "--quiet")
    repository.record("initial")
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


def test_names_that_a_hook_passes_are_judged_against_the_head(hooked: Repository) -> None:
    hooked.record("old", {A: BAD})
    script = (
        f"git diff --cached --name-only -z --diff-filter=d | xargs -0r {COMMAND} --since=HEAD --"
    )
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
