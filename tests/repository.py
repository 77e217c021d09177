# SPDX-License-Identifier: MIT
"""Real git repositories with the hook installed in them by real pre-commit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from demo import isolation
from tests.support import environment, make_tree, write


class Done(NamedTuple):
    """What a program came to."""

    status: int
    output: str


class Repository:
    """A git repository, and the environment that its programs run in."""

    def __init__(self, top: Path, home: Path) -> None:
        self.top = top
        self.home = home

    def run(self, *command: str | bytes, stdin: bytes | None = None) -> Done:
        """Run COMMAND at the top of the repository."""
        done = subprocess.run(
            command,
            cwd=self.top,
            env=isolation.make_environment(self.home, environment()),
            stdin=None if stdin is not None else subprocess.DEVNULL,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode("utf-8", "surrogateescape"))

    def git(self, *arguments: str | bytes) -> str:
        """Run git, which must succeed."""
        status, output = self.run("git", *arguments)
        assert status == 0, output
        return output

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the repository."""
        write(self.top / name, content)

    def stage(self, name: str, content: bytes) -> None:
        """Write a file and add it to the index."""
        self.write(name, content)
        self.git("add", "--", os.fsencode(name))

    def commit(self, *options: str) -> Done:
        """Commit what is staged, through the hooks."""
        return self.run("git", "commit", "--message", "kvm: test", *options)


def publish(home: Path) -> Repository:
    """Commit this checkout as it stands into a repository that pre-commit can clone."""
    published = Repository(home / "published", home)
    isolation.publish(published.top, isolation.make_environment(home, environment()))
    return published


def initialise(repository: Repository) -> None:
    """Make a repository of what lies in its directory."""
    repository.git("init", "--quiet")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--no-verify", "--message", "initial")


def kernel(top: Path, published: Repository, *hooks: str) -> Repository:
    """Make a kernel-like repository that has HOOKS installed, by default the check."""
    repository = Repository(top, published.home)
    make_tree(top)
    write(top / "fs/read_write.c", b"EXPORT_SYMBOL(vfs_read);\n")
    # As the kernel's own: dotfiles are not tracked.
    write(top / ".gitignore", b".*\n!.gitignore\n")
    initialise(repository)
    write(top / ".pre-commit-config.yaml", configuration(published, *hooks or ("kvm-exports",)))
    assert repository.run("pre-commit", "install").status == 0
    return repository


def configuration(published: Repository, *hooks: str) -> bytes:
    """Write a .pre-commit-config.yaml that takes HOOKS from the published checkout."""
    revision = published.git("rev-parse", "HEAD").strip()
    ids = "".join(f"      - id: {hook}\n" for hook in hooks)
    return f"repos:\n  - repo: {published.top}\n    rev: {revision}\n    hooks:\n{ids}".encode()
