# SPDX-License-Identifier: MIT
"""A kernel's sources in a git repository of their own, for what is measured in one."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from demo.isolation import make_environment

if TYPE_CHECKING:
    from pathlib import Path


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
