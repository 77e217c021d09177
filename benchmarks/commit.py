# SPDX-License-Identifier: MIT
"""Time ``git commit`` in a kernel repository, to tell what share of it is the hook.

A copy of the tree becomes a repository; a line is added to one file of KVM and
committed, in turn without hooks, with a pre-commit hook that does nothing, with
pre-commit's pygrep and with this one. Run by ``make bench-commit SRCTREE=~/linux``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import heading, print_row, run_as_installed
from benchmarks.peers import PATTERN
from demo.isolation import make_environment, publish

EDITED = Path("arch/x86/kvm/x86.c")
NO_HOOK, NOTHING, PYGREP, OURS = (
    "no hook at all",
    "a hook that does nothing",
    "pre-commit's pygrep",
    "kvm-exports",
)


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--srctree", type=Path, required=True, help="a kernel tree, to be copied")
    parser.add_argument("--runs", type=int, default=21, help="commits of each kind (default: 21)")
    options = parser.parse_args()
    run_as_installed()
    with tempfile.TemporaryDirectory(prefix="kvm-export-hook-bench-") as directory:
        kernel = Kernel(Path(directory), options.srctree.expanduser())
        times: dict[str, list[float]] = {NO_HOOK: [], NOTHING: [], PYGREP: [], OURS: []}
        for number in range(options.runs + 1):
            for kind, taken in times.items():
                seconds = kernel.commit(kind)
                if number:  # the first installs the hook
                    taken.append(seconds)
    print(f"{kernel.files} files; {options.runs} commits of each kind, in turn")
    heading("git commit with", "median ms", "quartiles", "over nothing")
    nothing = statistics.median(times[NOTHING])
    for kind, taken in times.items():
        low, median, high = statistics.quantiles(taken, n=4)
        over = f"{(median - nothing) * 1000:+.0f}"
        print_row(kind, f"{median * 1000:.0f}", f"{low * 1000:.0f} to {high * 1000:.0f}", over)
    return 0


class Kernel:
    """A repository of the sources of SRCTREE, in DIRECTORY."""

    def __init__(self, directory: Path, srctree: Path) -> None:
        self.top = directory / "linux"
        self.environment = make_environment(directory / "home", os.environ)
        # Not its .git, which may be the link of a worktree to a repository of the user's.
        shutil.copytree(srctree, self.top, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-verify", "--message=initial")
        self.files = len(self.git("ls-files").splitlines())
        self.published = directory / "kvm-export-hook"
        self.revision = publish(self.published, self.environment)
        self.configure(NOTHING)
        subprocess.run(
            [Path(sys.executable).parent / "pre-commit", "install"],
            cwd=self.top,
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def git(self, *arguments: str) -> str:
        """Run git, which must succeed."""
        return subprocess.run(
            ["git", *arguments],
            cwd=self.top,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def commit(self, kind: str) -> float:
        """Commit a line more with the hook of a KIND; tell how long that takes."""
        if kind != NO_HOOK:
            self.configure(kind)
        with (self.top / EDITED).open("a") as file:
            file.write("/* one line more */\n")
        self.git("add", str(EDITED))
        verify = ["--no-verify"] if kind == NO_HOOK else []
        started = time.perf_counter()
        self.git("commit", "--quiet", "--message=KVM: x86: Add a line", *verify)
        return time.perf_counter() - started

    def configure(self, kind: str) -> None:
        """Write the configuration for the hook of a KIND."""
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
            OURS: ours,
            NOTHING: {"repo": "local", "hooks": [nothing]},
            PYGREP: {"repo": "local", "hooks": [pygrep]},
        }[kind]
        # JSON is YAML, too.
        (self.top / ".pre-commit-config.yaml").write_text(json.dumps({"repos": [repository]}))


if __name__ == "__main__":
    raise SystemExit(main())
