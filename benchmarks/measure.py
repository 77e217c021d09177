# SPDX-License-Identifier: MIT
"""What a run of a process costs, its time and its peak of memory; and the tables of that."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from demo.isolation import fill_home, is_dropped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BARE = [sys.executable, "-c", "pass"]


class Cost(NamedTuple):
    """Seconds of the processor's time, and KiB at the peak."""

    seconds: float
    peak: int


class Ratio(NamedTuple):
    """How two commands compare: the quartiles of the pairs' ratios, and both medians in ms."""

    low: float
    median: float
    high: float
    mine: float
    its: float


def run_as_installed(home: Path) -> None:
    """Undo what would keep Python from caching and buffering, and git from working in a copy.

    Git is at home in the directory HOME, whatever its user has set.
    """
    for name in filter(is_dropped, [*os.environ]):
        del os.environ[name]
    fill_home(home, os.environ)
    os.environ.update(GIT_CONFIG_GLOBAL=str(home / ".gitconfig"), GIT_CONFIG_NOSYSTEM="1")


def measure_time(command: Sequence[str], directory: Path, stdin: Path | str = os.devnull) -> float:
    """Run COMMAND in DIRECTORY on STDIN; return how long it takes."""
    with open(stdin, "rb") as source:
        started = time.perf_counter()
        subprocess.run(
            command,
            cwd=directory,
            stdin=source,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return time.perf_counter() - started


def compare(
    runs: int,
    directory: Path,
    ours: Sequence[str],
    *others: Sequence[str],
    stdin: Path | str = os.devnull,
) -> Ratio:
    """Run OURS and the OTHERS in turn, RUNS times each; the times of the others are added up.

    STDIN is for the last of the others.
    """
    pairs = []
    for _ in range(runs + 1):
        mine = measure_time(ours, directory)
        *first, last = others
        its = sum(measure_time(other, directory) for other in first)
        pairs.append((mine, its + measure_time(last, directory, stdin)))
    del pairs[0]  # which warmed up
    low, median, high = statistics.quantiles([mine / its for mine, its in pairs], n=4)
    mine, its = (statistics.median(side) * 1000 for side in zip(*pairs, strict=True))
    return Ratio(low, median, high, mine, its)


# A new process inherits the peak of the one that starts it: start from a small one.
STARTER = """\
import os, sys
files = [(os.POSIX_SPAWN_OPEN, 1, sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
files += [(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, file_actions=files)
used = os.wait4(pid, 0)[2]
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


def measure_cost(command: Sequence[str], directory: Path, out: Path | str = os.devnull) -> Cost:
    """Run COMMAND in DIRECTORY with its output to OUT; return its time and its peak."""
    starter = [sys.executable, "-S", "-E", "-c", STARTER, str(out), *command]
    done = subprocess.run(starter, cwd=directory, capture_output=True, text=True, check=True)
    took, peak = done.stdout.split()
    return Cost(float(took), int(peak))


def print_heading(*titles: str) -> None:
    """Begin a table of Markdown."""
    print()
    print_row(*titles)
    print_row(*["---"] * len(titles))


def print_row(*fields: str) -> None:
    """Print a row of a table."""
    print(f"| {' | '.join(fields)} |", flush=True)
