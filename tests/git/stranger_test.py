# SPDX-License-Identifier: MIT
"""A commit of plain files that git, further down, takes for a repository: none of it is used.

Whoever clones it has a directory with HEAD, objects and refs, and a config that
names a program. At the top of the clone git runs nothing of that.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import HOME, Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Repository, find_added, initialise
from tests.helpers.support import BAD, make_tree, write

A = "virt/kvm/a.c"

FSMONITOR = (
    "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = {}\n"
)
PROMISOR = (
    "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n"
    '[remote "origin"]\n\tpromisor = true\n\turl = ext::sh -c {}\n'
    '[protocol "ext"]\n\tallow = always\n'
)


def plant(place: Path, config: str) -> None:
    """Write at PLACE what git takes for a repository with this CONFIG."""
    write(place / "HEAD", b"ref: refs/heads/main\n")
    write(place / "objects/k", b"")
    write(place / "refs/k", b"")
    write(place / "config", config.encode())


def make_program(tmp_path: Path) -> tuple[Path, Path]:
    """Make a program, and say which file it leaves."""
    left = tmp_path / "left"
    program = write(tmp_path / "program", f'#!/bin/sh\ntouch "{left}"\n'.encode())
    program.chmod(0o755)
    return program, left


@pytest.fixture(params=["main", "linked"])
def clone(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    """Make a repository with a kernel in ``linux``, and stand in it or a linked worktree of it."""
    repository = Repository(tmp_path / "all", HOME)
    make_tree(repository.top / "linux", check=True)
    initialise(repository)
    if request.param == "main":
        return repository
    repository.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    return Repository(tmp_path / "linked", HOME)


@parametrize("config", {"fsmonitor": FSMONITOR, "promisor": PROMISOR})
def test_nothing_of_a_stranger_runs_and_nothing_is_hidden(
    clone: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str
) -> None:
    program, left = make_program(tmp_path)
    plant(clone.top / "linux", config.format(program))
    clone.record("planted")
    monkeypatch.chdir(clone.top)
    clone.stage(f"linux/{A}", BAD)
    before = clone.git("rev-parse", "HEAD").strip()
    assert find_added("--staged", "--srctree=linux") == [f"linux/{A}:1"]
    assert find_added("--since=HEAD", f"linux/{A}") == [f"linux/{A}:1"]
    assert find_added("--since=HEAD", "--srctree=linux") == [f"linux/{A}:1"]
    assert find_added("--users", f"linux/{A}") == [f"linux/{A}:1"]
    after = clone.record("bad")
    assert find_added("--commits=HEAD", "--srctree=linux") == [f"bad: linux/{A}:1"]
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", before)
    monkeypatch.setenv("PRE_COMMIT_TO_REF", after)
    assert find_added("--pre-push", "--srctree=linux") == [f"bad: linux/{A}:1"]
    monkeypatch.chdir(clone.top / "linux")
    assert find_added("--commits=HEAD") == [f"bad: linux/{A}:1"]
    assert find_added("--users", A) == [f"{A}:1"]
    assert not left.exists()


def test_the_whole_tree_around_is_searched_for_users(
    clone: Repository, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    plant(clone.top / "linux", "")
    clone.stage_all(
        {
            "linux/drivers/Makefile": b"obj-y += x.o\n",
            "linux/drivers/x.c": b"void f(void) { kvm_sample(); }\n",
            "drivers/x.c": b"void f(void) { kvm_sample(); }\n",
            f"linux/{A}": BAD,
        }
    )
    monkeypatch.chdir(clone.top)
    assert "named outside KVM, drivers/x.c:1" in command("--users", f"linux/{A}").out


def test_a_tree_that_git_does_not_track_is_searched_without_its_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    top = make_tree(tmp_path / "linux", check=True)
    program, left = make_program(tmp_path)
    plant(top, FSMONITOR.format(program))
    write(top / "drivers/Makefile", b"obj-y += x.o\n")
    write(top / "drivers/x.c", b"void f(void) { kvm_sample(); }\n")
    write(top / A, BAD)
    monkeypatch.chdir(top)
    assert "named outside KVM, drivers/x.c:1" in command("--users", A).out
    assert not left.exists()


def test_a_repository_of_somebody_else_is_refused_as_by_git(
    clone: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a repository away")
    for path in (clone.top, clone.top / ".git", tmp_path / "all/.git"):
        shutil.chown(path, 65534)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)  # it trusts any owner
    monkeypatch.chdir(clone.top)
    status, _, said = command("--staged", "--srctree=linux")
    assert status == 2
    assert "dubious ownership" in said
    remedy = f": git config --global --add safe.directory {clone.top}"
    assert remedy.replace("linked", "all/.git") in said.replace("linked", "all/.git")
    assert said.count("\n") == 1


def test_a_bare_repository_inside_a_working_tree_is_to_be_named(
    clone: Repository, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    clone.record("bad", {f"linux/{A}": BAD})
    clone.git("clone", "--quiet", "--bare", ".", "mirrors/all.git")
    monkeypatch.chdir(clone.top / "mirrors/all.git")
    status, _, said = command("--commits=HEAD", "--srctree=linux")
    assert (status, said) == (
        2,
        "kvm-export-hook: error: the working directory is a git directory inside another"
        " repository: set GIT_DIR to it, or change to the top of that repository\n",
    )
    monkeypatch.setenv("GIT_DIR", ".")
    assert find_added("--commits=HEAD", "--srctree=linux") == [f"bad: linux/{A}:1"]
