# SPDX-License-Identifier: MIT
"""Real git repositories of small kernels, with hooks or without, and what the command finds."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from demo import isolation
from tests.helpers.support import (
    make_environment,
    make_tree,
    make_unmeasured_environment,
    run_in_process,
    write,
)

# What is none of KVM's business, until it moves there.
VFS = b"int open;\nEXPORT_SYMBOL(vfs_open);\n"


class Done(NamedTuple):
    """What a program came to."""

    status: int
    output: str


class Repository:
    """A git repository, and the environment that its programs run in.

    ``measured``: whether coverage counts what these reach, by hooks as well. With that, a start
    of Python takes seven times as long: for what no test reaches in process.
    """

    measured = False

    def __init__(self, top: Path, home: Path) -> None:
        self.top = top
        self.home = home

    def run(self, *command: str | bytes, stdin: bytes | None = None) -> Done:
        """Run COMMAND at the top of the repository."""
        base = make_environment() if self.measured else make_unmeasured_environment()
        done = subprocess.run(
            command,
            cwd=self.top,
            env=isolation.make_environment(self.home, base),
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

    def stage_all(self, files: Mapping[str, bytes | None]) -> None:
        """Write FILES and stage everything; None deletes one."""
        for name, content in files.items():
            if content is None:
                (self.top / name).unlink()
            else:
                self.write(name, content)
        self.git("add", "--all")

    def replace_all(self, files: Mapping[str, bytes]) -> None:
        """Make FILES the whole working tree and index."""
        for each in self.top.iterdir():
            if each.name != ".git":
                shutil.rmtree(each)
        self.stage_all(files)

    def commit_index(self) -> None:
        """Commit what is staged, be it nothing, with as few processes as can be."""
        self.git("commit", "--quiet", "--allow-empty", "-m", "next")

    def begin_merge(self, commit: str) -> None:
        """Make the next commit a merge of COMMIT, even of one that HEAD has already."""
        self.write(".git/MERGE_HEAD", commit.encode() + b"\n")
        self.write(".git/MERGE_MODE", b"no-ff")

    def record(self, subject: str, files: Mapping[str, bytes | None] | None = None) -> str:
        """Commit FILES and all else, past the hooks; return the id of the commit."""
        self.stage_all(files or {})
        self.git("commit", "--quiet", "--no-verify", "--allow-empty", "--message", subject)
        return self.git("rev-parse", "HEAD").strip()


def read_findings(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Run the command in this process; return its exit status, and what it finds, from JSON.

    The status is what the findings make it, or 2.
    """
    outcome = run_in_process("--format=json", *arguments)
    found: list[dict[str, Any]] = json.loads(outcome.out)["findings"]
    assert outcome.status in (bool(found), 2), outcome
    return outcome.status, found


def find_added(*arguments: str, status: int | None = None) -> list[str]:
    """Run the command in this process; write each finding as ``subject: path:line``.

    The exit STATUS must be this one, by default what the findings make it.
    """
    ended, found = read_findings(*arguments)
    assert ended == (bool(found) if status is None else status)
    return [
        (f"{each['subject']}: " if "subject" in each else "") + f"{each['path']}:{each['line']}"
        for each in found
    ]


def make_kernel(top: Path, home: Path) -> Repository:
    """Make a repository of a kernel-like tree that has the make check, with one commit."""
    repository = Repository(make_tree(top, check=True), home)
    return initialise(repository, {"fs/open.c": VFS, "virt/kvm/Kconfig": b"config KVM\n"})


def copy_repository(source: Repository, top: Path) -> Repository:
    """Copy a repository."""
    shutil.copytree(source.top, top, symlinks=True)
    return Repository(top, source.home)


def publish(home: Path) -> Repository:
    """Commit this checkout as it stands into a repository that pre-commit can clone."""
    published = Repository(home / "published", home)
    environment = isolation.make_environment(home, make_unmeasured_environment())
    isolation.publish(published.top, environment)
    return published


def initialise(
    repository: Repository, files: Mapping[str, bytes | None] | None = None
) -> Repository:
    """Make a repository with one commit, of FILES and all else that lies in its directory."""
    repository.top.mkdir(parents=True, exist_ok=True)
    repository.git("init", "--quiet", "--template=")
    repository.record("initial", files)
    return repository


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


def list_contents(top: Path) -> dict[str, tuple[int, int, str]]:
    """List all that is below TOP: its mode, when it was changed, and a checksum of its content.

    Not when an object was: git marks one that it would write, and finds, as in use.
    """
    listed = {}
    for path in sorted(top.rglob("*")):
        found = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        checksum = hashlib.sha256(content).hexdigest()
        changed = 0 if path.match("objects/??/*") else found.st_mtime_ns
        listed[str(path.relative_to(top))] = found.st_mode, changed, checksum
    return listed
