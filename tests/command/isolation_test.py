# SPDX-License-Identifier: MIT
"""Whoever runs the tests and the demonstration, from wherever: nothing of theirs is changed."""

from __future__ import annotations

import ast
import shlex
import subprocess
from collections.abc import Iterator
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


def list_tests_that_start_git() -> Iterator[str]:
    """List the tests that start git past Repository, and of those with the same helper the first.

    All others start it as one of these does, or through Repository.
    """
    for path in sorted((CHECKOUT / "tests").rglob("*_test.py")):
        body = ast.parse(path.read_text("utf-8")).body
        functions = [node for node in body if isinstance(node, ast.FunctionDef)]
        starting = {node.name for node in functions if "git" in list_words(node)}
        seen: set[str] = set()
        for node in functions:
            helpers = starting & list_words(node) - seen
            if "kernel" not in path.parts and node.name.startswith("test_"):
                if node.name in starting or helpers:
                    yield f"{path.relative_to(CHECKOUT).as_posix()}::{node.name}"
                seen |= helpers


def list_words(function: ast.FunctionDef) -> set[object]:
    """List the strings, the names and the parameters of FUNCTION."""
    nodes = list(ast.walk(function))
    words: set[object] = {node.value for node in nodes if isinstance(node, ast.Constant)}
    words |= {node.id for node in nodes if isinstance(node, ast.Name)}
    return words | {node.arg for node in nodes if isinstance(node, ast.arg)}


def test_the_suite_in_a_hook_of_a_linked_worktree_leaves_the_repository_alone(
    tmp_path: Path,
) -> None:
    published = publish(tmp_path)
    worktree = tmp_path / "linked"
    published.git("worktree", "add", "--quiet", str(worktree))
    names = list(list_tests_that_start_git())
    assert len({name.partition("::")[0] for name in names}) >= 10
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
