# SPDX-License-Identifier: MIT
"""The hooks that need no framework, as the README writes them, in a real repository."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.helpers.recipes import recipe
from tests.helpers.repositories import Done, Repository, find_added, initialise
from tests.helpers.support import BAD, INTERNAL, make_tree

FINDING = "virt/kvm/x.c:1:1: error: EXPORT_SYMBOL_GPL(kvm_sample): "
_, _, HOOKS = recipe("**With plain git**").partition("\n")


@pytest.fixture
def linux(tmp_path: Path) -> Repository:
    """Make a kernel-like repository with a branch master, and stand on another."""
    repository = Repository(tmp_path / "linux", tmp_path)
    make_tree(repository.top, check=True)
    initialise(repository)
    repository.git("branch", "master")
    return repository


def install(repository: Repository, *names: str) -> None:
    """Install the hooks, and keep those of these NAMES."""
    status, output = sh(repository, HOOKS)
    assert status == 0, output
    for path in (repository.top / ".git/hooks").iterdir():
        if path.name not in names:
            path.unlink()


def sh(repository: Repository, commands: str) -> Done:
    """Run COMMANDS."""
    return repository.run("sh", "-e", "-c", commands)


def test_a_commit(linux: Repository) -> None:
    install(linux, "pre-commit")
    linux.stage("virt/kvm/x.c", BAD)
    status, output = linux.commit()
    assert status == 1
    assert output.startswith(FINDING)
    linux.stage("virt/kvm/x.c", INTERNAL)
    assert linux.commit().status == 0


def test_an_old_export_in_a_file_that_one_touches_blocks_nothing(linux: Repository) -> None:
    linux.stage("virt/kvm/x.c", BAD)
    assert linux.commit().status == 0
    install(linux, "pre-commit")
    linux.stage("virt/kvm/x.c", b"int a;\n" + BAD)
    assert linux.commit().status == 0


def test_a_mail_that_git_am_applies(linux: Repository) -> None:
    linux.stage("virt/kvm/x.c", BAD)
    assert linux.commit().status == 0
    mail = linux.git("format-patch", "--stdout", "-1")
    linux.git("reset", "--quiet", "--hard", "master")
    install(linux, "pre-applypatch")
    status, output = linux.run("git", "am", stdin=mail.encode())
    assert status != 0
    assert FINDING in output
    assert linux.git("rev-parse", "HEAD") == linux.git("rev-parse", "master")


def test_a_merge(linux: Repository) -> None:
    linux.git("checkout", "--quiet", "-b", "topic")
    linux.stage("virt/kvm/x.c", BAD)
    assert linux.commit().status == 0
    linux.git("checkout", "--quiet", "main")
    linux.stage("virt/kvm/y.c", INTERNAL)
    assert linux.commit().status == 0
    install(linux, "pre-merge-commit")
    # What the branch brings was checked when it was committed, or is by --commits.
    status, output = linux.run("git", "merge", "--no-edit", "topic")
    assert (status, FINDING in output) == (0, False)
    linux.git("reset", "--quiet", "--hard", "HEAD^")
    linux.git("merge", "--quiet", "--no-commit", "topic")
    linux.stage("virt/kvm/z.c", BAD)
    status, output = linux.commit()
    assert status == 0  # no hook of this commit is there
    linux.git("reset", "--quiet", "--hard", "HEAD^")
    install(linux, "pre-commit")
    linux.git("merge", "--quiet", "--no-commit", "topic")
    linux.stage("virt/kvm/z.c", BAD)
    status, output = linux.commit()
    assert status != 0
    assert "virt/kvm/z.c:1:1: error: " in output


def test_a_merge_where_files_and_a_branch_are_called_as_commits_are(linux: Repository) -> None:
    linux.record("HEAD", {"HEAD": b"", "MERGE_HEAD": b""})
    linux.git("checkout", "--quiet", "-b", "topic")
    linux.record("theirs", {"virt/kvm/x.c": BAD})
    linux.git("checkout", "--quiet", "main")
    linux.record("ours", {"virt/kvm/y.c": INTERNAL})
    linux.git("branch", "MERGE_HEAD")
    install(linux, "pre-commit", "pre-merge-commit")
    status, output = linux.run("git", "merge", "--no-edit", "topic")
    assert (status, "kvm-export-hook" in output) == (0, False), output
    linux.stage("virt/kvm/z.c", BAD)
    assert find_added(f"--srctree={linux.top}", "--staged") == ["virt/kvm/z.c:1"]
    status, output = linux.commit()
    assert status == 1
    assert output.startswith("virt/kvm/z.c:1:1: error: ")


def test_a_push(linux: Repository, tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    linux.git("init", "--quiet", "--bare", str(remote))
    linux.git("remote", "add", "origin", str(remote))
    linux.git("push", "--quiet", "origin", "main")
    install(linux, "pre-push")
    linux.stage("virt/kvm/x.c", BAD)
    assert linux.commit().status == 0
    linux.stage("virt/kvm/x.c", INTERNAL)
    assert linux.commit().status == 0
    status, output = linux.run("git", "push", "origin", "main")
    assert status != 0
    assert FINDING in output
    linux.git("reset", "--quiet", "--soft", "master")
    assert linux.commit().status == 0
    assert linux.run("git", "push", "origin", "main").status == 0


def test_a_rebase_and_a_branch(linux: Repository) -> None:
    linux.stage("virt/kvm/x.c", BAD)
    assert linux.commit().status == 0
    linux.stage("virt/kvm/x.c", INTERNAL)
    assert linux.commit().status == 0
    each_pick = recipe("To check each commit of a rebase:")
    for commands in (each_pick, recipe("Before a pull request")):
        status, output = sh(linux, commands)
        assert status != 0
        assert FINDING in output
        assert "commit " in output
        linux.run("git", "rebase", "--abort")


def test_a_rebase_checks_again_what_it_stopped_at(linux: Repository) -> None:
    linux.record("bad", {"virt/kvm/x.c": BAD})
    each_pick = recipe("To check each commit of a rebase:").replace(
        "master", "--force-rebase master"
    )
    proceed = ("git", "-c", "core.editor=true", "rebase", "--continue")
    assert sh(linux, each_pick).status != 0
    assert FINDING in linux.run(*proceed).output
    linux.write("virt/kvm/x.c", INTERNAL)
    linux.git("commit", "--quiet", "--amend", "--all", "--no-edit")
    assert linux.run(*proceed).status == 0


def test_a_list_of_names(linux: Repository) -> None:
    commands = recipe("**How do I check a list of names?**")
    assert sh(linux, commands) == (0, "")
    linux.stage("virt/kvm/x.c", BAD)
    linux.stage("--list", b"")
    status, output = sh(linux, commands)
    assert status != 0
    assert output.startswith(FINDING)


def test_the_steps_of_a_hosted_check(linux: Repository) -> None:
    pages = (recipe("**GitHub Actions.**"), recipe("For code scanning, take these"))
    annotate, scan = (re.findall("run: (kvm-export-hook .*)", page) for page in pages)
    linux.stage("virt/kvm/x.c", BAD)
    # A step that fails is the last: each page has one that checks.
    assert [sh(linux, command).status for command in (*annotate, *scan)] == [1, 0]
    assert json.loads((linux.top / "kvm-exports.sarif").read_text("utf-8"))["runs"][0]["results"]
