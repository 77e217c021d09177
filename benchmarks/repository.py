# SPDX-License-Identifier: MIT
"""A kernel's sources in a git repository of their own, for what is measured in one."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import run_as_installed
from demo.isolation import make_environment
from kvm_export_hook.rules.scope import KVM_DIRECTORIES

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def open_repository(description: str | None, runs: int) -> Iterator[tuple[Repository, int, Path]]:
    """Read the command line; yield the repository to measure in, the runs, and a directory.

    What a benchmark writes goes into that, which is removed at the end. DESCRIPTION
    is for --help, RUNS how often each case is measured by default.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--srctree", type=Path, required=True, help="a kernel tree, to be copied")
    often = f"measure each case so often (default: {runs})"
    parser.add_argument("--runs", type=int, default=runs, help=often)
    parser.add_argument("--keep", type=Path, help="keep the repository in this directory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kvm-export-hook-bench-") as directory:
        scratch = Path(directory)
        run_as_installed(scratch / "home")
        repository = Repository(options.keep or scratch, options.srctree.expanduser())
        yield repository, options.runs, scratch


class Repository:
    """A repository of the sources of SRCTREE, in DIRECTORY, where a later run finds it again."""

    def __init__(self, directory: Path, srctree: Path) -> None:
        self.directory = directory
        self.top = directory / "linux"
        self.environment = make_environment(directory / "home", os.environ)
        if not self.top.exists():
            # Not its .git, which may be the link of a worktree to a repository of the user's.
            ignored = shutil.ignore_patterns(".git")
            shutil.copytree(srctree, self.top, symlinks=True, ignore=ignored)
            self.git("init", "--quiet")
            self.git("config", "gc.auto", "0")
            self.git("add", "--all")
            self.git("commit", "--quiet", "--no-verify", "--message=initial")
        self.files = len(self.git("ls-files").splitlines())

    def clone(self, top: Path) -> Repository:
        """Make a clone at TOP with the files of KVM alone; what is committed there stays there."""
        self.git("clone", "--quiet", "--shared", "--no-checkout", ".", str(top))
        clone = copy(self)
        clone.top = top
        clone.git("checkout", "HEAD", "--", *map(os.fsdecode, KVM_DIRECTORIES))
        return clone

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git, which must succeed; return what it prints."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.top,
            env=self.environment,
            check=True,
            input=stdin,
            capture_output=True,
        )
        return done.stdout.decode("utf-8", "surrogateescape")
