# SPDX-License-Identifier: MIT
"""What a run of a process costs, its time and its peak of memory; and the tables of that."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from demo.isolation import is_dropped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BARE = [sys.executable, "-c", "pass"]


class Cost(NamedTuple):
    """Seconds, and KiB at the peak."""

    seconds: float
    peak: int


class Ratio(NamedTuple):
    """How two commands compare: the quartiles of the pairs' ratios, and both medians in ms."""

    low: float
    median: float
    high: float
    mine: float
    its: float


def run_as_installed() -> None:
    """Undo what would keep Python from caching and buffering, and git from working in a copy."""
    for name in filter(is_dropped, [*os.environ]):
        del os.environ[name]


def seconds(command: Sequence[str], directory: Path) -> float:
    """Run COMMAND in DIRECTORY; tell how long it takes."""
    started = time.perf_counter()
    subprocess.run(
        command,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return time.perf_counter() - started


def compare(runs: int, directory: Path, ours: Sequence[str], other: Sequence[str]) -> Ratio:
    """Run two commands in turn, RUNS times each."""
    pairs = [(seconds(ours, directory), seconds(other, directory)) for _ in range(runs + 1)]
    del pairs[0]  # which warmed up
    low, median, high = statistics.quantiles([mine / its for mine, its in pairs], n=4)
    mine, its = (statistics.median(side) * 1000 for side in zip(*pairs))
    return Ratio(low, median, high, mine, its)


# A new process inherits the peak of the one that starts it: start from a small one.
STARTER = """\
import os, sys, time
files = [(os.POSIX_SPAWN_OPEN, 1, sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
files += [(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
started = time.perf_counter()
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ, file_actions=files)
peak = os.wait4(pid, 0)[2].ru_maxrss
print(time.perf_counter() - started, peak)
"""


def cost(command: Sequence[str], directory: Path, out: Path | str = os.devnull) -> Cost:
    """Run COMMAND in DIRECTORY with its output to OUT; tell its time and its peak."""
    starter = [sys.executable, "-S", "-E", "-c", STARTER, str(out), *command]
    done = subprocess.run(starter, cwd=directory, capture_output=True, text=True, check=True)
    took, peak = done.stdout.split()
    return Cost(float(took), int(peak))


def heading(*titles: str) -> None:
    """Begin a table of Markdown."""
    print()
    print_row(*titles)
    print_row(*["---"] * len(titles))


def print_row(*fields: str) -> None:
    """Print a row of a table."""
    print(f"| {' | '.join(fields)} |", flush=True)
