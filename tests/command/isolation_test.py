# SPDX-License-Identifier: MIT
"""Whoever runs the tests and the demonstration, from wherever: nothing of theirs is changed."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.helpers.repositories import publish
from tests.helpers.support import CHECKOUT, PYTHON, make_unmeasured_environment, write

pytestmark = pytest.mark.xdist_group("pre-commit")


def run_git(top: Path, home: Path, *arguments: str) -> str:
    """Run git as a developer with a HOME does, with the environment of the tests."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=top,
        env=make_unmeasured_environment(HOME=str(home), GIT_CONFIG_GLOBAL=str(home / ".gitconfig")),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_suite_in_a_hook_of_a_linked_worktree_leaves_the_repository_alone(
    tmp_path: Path,
) -> None:
    published = publish(tmp_path)
    worktree = tmp_path / "linked"
    published.git("worktree", "add", "--quiet", str(worktree))
    # Those that start git themselves; the slow ones in groups do it through Repository.
    names = [
        path.relative_to(CHECKOUT).as_posix()
        for path in sorted((CHECKOUT / "tests").rglob("*_test.py"))
        if "kernel" not in path.parts and '"git"' in path.read_text("utf-8")
    ]
    assert len(names) >= 3
    options = ["-p", "no:cacheprovider", "-m", "not (xdist_group or hypothesis)", "--quiet"]
    suite = shlex.join([PYTHON, "-m", "pytest", *options, *names])
    hook = write(
        published.top / ".git/hooks/pre-commit",
        f'#!/bin/sh\ntest -n "$GIT_INDEX_FILE" && PYTHONPATH=$PWD exec {suite}\n'.encode(),
    )
    hook.chmod(0o700)
    (worktree / "LICENSE").write_text("changed\n")
    run_git(worktree, tmp_path, "commit", "--quiet", "--all", "--message", "change")
    assert run_git(worktree, tmp_path, "show", "--format=", "--name-only") == "LICENSE\n"
    assert run_git(worktree, tmp_path, "status", "--short") == ""
    assert run_git(worktree, tmp_path, "config", "core.bare") == "false\n"
