# SPDX-License-Identifier: MIT
"""Time ``git commit`` in a kernel repository, to show what share of it is the hook.

A copy of the tree becomes a repository; a line is added to one file of KVM and
committed, in turn without hooks, with git hooks of one line, and through prek
and pre-commit. Run by ``make bench-commit SRCTREE=~/linux``.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import print_heading, print_row
from benchmarks.peers import PATTERN
from benchmarks.repository import open_repository
from demo.isolation import publish

if TYPE_CHECKING:
    from benchmarks.repository import Repository

EDITED = Path("arch/x86/kvm/x86.c")
SCRIPTS = Path(sys.executable).parent

NO_HOOK, LONE_DIFF, ONE_LINE = "no hook", "git diff --cached", "kvm-export-hook --staged"
NOTHING, PYGREP, PREK, OURS = (
    "pre-commit, a hook that does nothing",
    "pre-commit, pygrep",
    "prek, kvm-exports",
    "pre-commit, kvm-exports",
)
KINDS = (NO_HOOK, LONE_DIFF, ONE_LINE, PREK, NOTHING, PYGREP, OURS)
ONE_LINERS = {
    LONE_DIFF: "exec git diff --cached > /dev/null",
    ONE_LINE: f"exec '{SCRIPTS / 'kvm-export-hook'}' --staged",
}
TARGET = 1.12


def main() -> int:
    """Measure, and print the table."""
    with open_repository(__doc__, runs=21) as (repository, runs, scratch):
        kernel = Kernel(repository, scratch)
        times: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for number in range(runs + 1):
            for kind, taken in times.items():
                seconds = kernel.commit(kind)
                if number:  # the first installs the hooks
                    taken.append(seconds)
    print(f"{repository.files} files; {runs} commits of each kind, in turn")
    print_table(times)
    return 0


def print_table(times: dict[str, list[float]]) -> None:
    """Print how long the commits took; a ratio is the median of those of each round."""
    print_heading("git commit with", "median ms", "quartiles", "of no hook", "of the lone git diff")
    for kind, taken in times.items():
        low, median, high = statistics.quantiles(taken, n=4)
        of_none, of_diff = (
            statistics.median(mine / its for mine, its in zip(taken, times[other], strict=True))
            for other in (NO_HOOK, LONE_DIFF)
        )
        aim = ""
        if kind == ONE_LINE:
            aim = f" (≤ {TARGET}{', **missed**' if of_diff > TARGET else ''})"
        print_row(
            kind,
            f"{median * 1000:.0f}",
            f"{low * 1000:.0f} to {high * 1000:.0f}",
            f"{of_none:.2f}",
            f"{of_diff:.2f}{aim}",
        )


class Kernel:
    """A kernel's REPOSITORY with a directory of hooks for each kind, in SCRATCH."""

    def __init__(self, repository: Repository, scratch: Path) -> None:
        self.repository = repository
        self.published = scratch / "kvm-export-hook"
        self.revision = publish(self.published, repository.environment)
        self.hooks = {kind: scratch / f"hooks{number}" for number, kind in enumerate(KINDS)}
        for directory in self.hooks.values():
            directory.mkdir()
        for kind, command in ONE_LINERS.items():
            hook = self.hooks[kind] / "pre-commit"
            hook.write_text(f"#!/bin/sh\n{command}\n")
            hook.chmod(0o755)
        for kind in (PREK, NOTHING, PYGREP, OURS):
            self.configure(kind)
            self.install(kind)

    def install(self, kind: str) -> None:
        """Have the framework of a KIND write its hook, and move that to the kind's directory."""
        subprocess.run(
            [SCRIPTS / kind.partition(",")[0], "install", "--overwrite"],
            cwd=self.repository.top,
            env=self.repository.environment,
            check=True,
            capture_output=True,
        )
        hook = self.repository.top / ".git/hooks/pre-commit"
        (self.hooks[kind] / "pre-commit").write_bytes(hook.read_bytes())
        (self.hooks[kind] / "pre-commit").chmod(0o755)
        hook.unlink()

    def commit(self, kind: str) -> float:
        """Commit a line more with the hook of a KIND; return how long that takes."""
        self.configure(kind)
        with (self.repository.top / EDITED).open("a") as file:
            file.write("/* one line more */\n")
        self.repository.git("add", str(EDITED))
        hooks = f"core.hooksPath={self.hooks[kind]}"
        started = time.perf_counter()
        self.repository.git("-c", hooks, "commit", "--quiet", "--message=KVM: x86: Add a line")
        return time.perf_counter() - started

    def configure(self, kind: str) -> None:
        """Write the configuration that the framework of a KIND reads."""
        ours = {"repo": str(self.published), "rev": self.revision, "hooks": [{"id": "kvm-exports"}]}
        local = {
            "id": "local",
            "name": "KVM exports",
            "files": "^(virt/kvm|arch/x86/kvm)/",
            "types": ["c"],
        }
        nothing = {**local, "language": "system", "entry": "true"}
        pygrep = {**local, "language": "pygrep", "entry": PATTERN}
        repository = {
            NOTHING: {"repo": "local", "hooks": [nothing]},
            PYGREP: {"repo": "local", "hooks": [pygrep]},
        }.get(kind, ours)
        # JSON is YAML, too.
        configuration = self.repository.top / ".pre-commit-config.yaml"
        configuration.write_text(json.dumps({"repos": [repository]}))


if __name__ == "__main__":
    raise SystemExit(main())
