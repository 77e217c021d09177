# SPDX-License-Identifier: MIT
"""The recipes of docs/git.md: other hook managers, servers, other places."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import HOME
from tests.helpers.recipes import recipe
from tests.helpers.repositories import Done, Repository
from tests.helpers.support import BAD, COMMAND, INTERNAL, make_tree, write

A = "virt/kvm/a.c"
FINDING = ":1:1: error: EXPORT_SYMBOL_GPL(kvm_sample): "


@pytest.fixture
def pushed(linux: Repository, tmp_path: Path) -> Repository:
    """Make a kernel's repository, all of which a bare one has."""
    linux.git("init", "--quiet", "--bare", "--initial-branch=main", str(tmp_path / "server.git"))
    linux.git("remote", "add", "origin", str(tmp_path / "server.git"))
    linux.git("push", "--quiet", "origin", "HEAD:main")
    return linux


def install(top: Path, name: str, script: str) -> None:
    write(top / "hooks" / name, script.encode()).chmod(0o755)


def check_push(repository: Repository, *arguments: str) -> None:
    """See that a push of a bad commit is refused, and that of a good one is not."""
    repository.record("good", {A: INTERNAL})
    done = repository.run("git", "push", *arguments)
    assert done.status == 0, done.output
    repository.record("bad", {A: BAD})
    done = repository.run("git", "push", *arguments)
    assert (done.status != 0, FINDING in done.output) == (True, True), done.output


@pytest.mark.skipif(not (COMMAND.parent / "lefthook").exists(), reason="lefthook is not there")
def test_lefthook(pushed: Repository) -> None:
    pushed.write("lefthook.yml", recipe("only with `use_stdin: true`").encode())
    pushed.record("lefthook")
    assert pushed.run("lefthook", "install").status == 0
    check_push(pushed, "origin", "HEAD:main")
    assert "stdin is empty" not in pushed.run("git", "push", "origin", "HEAD:main").output
    pushed.git("reset", "--quiet", "--hard", "HEAD^")
    pushed.stage(A, BAD)
    status, output = pushed.commit()
    assert (status, FINDING in output) == (1, True), output
    pushed.stage(A, INTERNAL + INTERNAL)
    assert pushed.commit().status == 0


# git-lfs stands in for itself: what it reads, and what it is called with, is what counts.
LFS = """\
#!/bin/sh
{ echo "$@"; cat; } > %s
"""


def test_before_git_lfs(pushed: Repository, tmp_path: Path) -> None:
    said = tmp_path / "lfs"
    install(tmp_path, "git-lfs", LFS % said)
    install(pushed.top / ".git", "pre-push", recipe("So `.git/hooks/pre-push` passes it on:"))
    id_ = pushed.record("good", {A: INTERNAL})
    push = f'PATH="{tmp_path}/hooks:$PATH" git push origin HEAD:main HEAD:other'
    old = pushed.git("rev-parse", "HEAD~").strip()
    assert pushed.run("sh", "-c", push).status == 0
    assert said.read_text() == (
        f"pre-push origin {tmp_path}/server.git\n"
        f"HEAD {id_} refs/heads/main {old}\nHEAD {id_} refs/heads/other {'0' * 40}\n"
    )
    assert pushed.run("sh", "-c", push).status == 0
    assert said.read_text() == f"pre-push origin {tmp_path}/server.git\n"
    said.unlink()
    pushed.record("bad", {A: BAD})
    status, output = pushed.run("sh", "-c", push)
    assert (status, FINDING in output, said.exists()) == (1, True, False), output


def test_a_server(pushed: Repository, tmp_path: Path) -> None:
    hook = recipe("As `hooks/pre-receive` of the bare")
    install(tmp_path / "server.git", "pre-receive", hook)
    check_push(pushed, "origin", "HEAD:main")
    assert FINDING in pushed.run("git", "push", "origin", "HEAD:refs/heads/new").output
    assert pushed.run("git", "push", "origin", "HEAD^:refs/heads/good").status == 0
    assert pushed.run("git", "push", "--delete", "origin", "good").status == 0
    pushed.git("tag", "tree", "HEAD^{tree}")
    pushed.git("tag", "bad")
    assert pushed.run("git", "push", "origin", "tree").status == 0
    assert FINDING in pushed.run("git", "push", "origin", "bad").output
    # Nothing is there that the first push could be compared with.
    pushed.git("init", "--quiet", "--bare", str(tmp_path / "empty.git"))
    install(tmp_path / "empty.git", "pre-receive", hook)
    assert (
        pushed.run("git", "push", str(tmp_path / "empty.git"), "HEAD:refs/heads/main").status == 0
    )


def test_jj(linux: Repository, tmp_path: Path) -> None:
    linux.git("branch", "master")
    linux.git("checkout", "--quiet", "-b", "topic")
    linux.record("bad", {A: BAD})
    top = Repository(tmp_path / "jj", HOME)
    (top.top / ".jj/repo/store").mkdir(parents=True)
    linux.git("clone", "--quiet", "--bare", ".", str(top.top / ".jj/repo/store/git"))
    make_tree(top.top, check=True)
    assert FINDING in sh(top, recipe("so name it:")).output
    top.run("rm", "-r", ".jj/repo/store/git")
    linux.git("reset", "--quiet", "--hard", "HEAD^")
    linux.record("good", {A: INTERNAL})
    linux.git("clone", "--quiet", "--bare", ".", str(top.top / ".jj/repo/store/git"))
    assert sh(top, recipe("so name it:")) == (0, "")


def sh(repository: Repository, commands: str) -> Done:
    return repository.run("sh", "-e", "-c", commands)


@pytest.fixture
def below(tmp_path: Path) -> Repository:
    """Make a repository with a kernel in linux/."""
    repository = Repository(tmp_path / "all", HOME)
    make_tree(repository.top / "linux", check=True)
    repository.git("init", "--quiet")
    repository.record("initial")
    return repository


def test_a_kernel_in_a_subdirectory(below: Repository, tmp_path: Path) -> None:
    commands = recipe("Name it, from the top").splitlines()
    below.record("good", {f"linux/{A}": INTERNAL})
    assert [sh(below, each) for each in commands] == [(0, "")] * len(commands)
    below.record("bad", {f"linux/{A}": BAD})
    below.stage("linux/virt/kvm/b.c", BAD)
    for each in commands:
        status, output = sh(below, each)
        assert (status, FINDING in output) == (1, True), (each, output)
    below.git("init", "--quiet", "--bare", str(tmp_path / "server.git"))
    install(below.top / ".git", "pre-push", recipe("here in `pre-push`:"))
    status, output = below.run("git", "push", str(tmp_path / "server.git"), "HEAD:refs/heads/main")
    assert (status, f"linux/{A}{FINDING}" in output) == (1, True), output
