# SPDX-License-Identifier: MIT
"""Time ``--patch``: one mail, a series of 100, and 1,000 and 2,000 mails, each applied by git.

The mails are those of the commits that ``commits.py`` makes up, on top of a copy of a
whole kernel tree. Run by ``make bench-mails SRCTREE=~/linux``.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from benchmarks.commits import COUNTS, make_commits, name_first, read_own_peak
from benchmarks.measure import (
    BARE,
    compare,
    measure_time,
    print_heading,
    print_row,
)
from benchmarks.peers import HOOK
from benchmarks.repository import open_repository
from benchmarks.sources import write_mail

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.repository import Repository

ONE, SERIES, FEW = 8, 1.1, 1000  # times bare, seconds, mails
GROWTH, PEAK = 2.1, 40  # for twice as many mails; MiB


def main() -> int:
    """Measure, and print the tables."""
    with open_repository(__doc__, runs=21) as (repository, runs, scratch):
        # What the mails make is new here, or git would read it from deltas.
        others = repository.clone(scratch / "others")
        make_commits(others, max(COUNTS), "mail")
        print(f"{repository.files} files; {runs} pairs for one mail")
        print_heading("mails", "s", "against", "ratio", "target", "MiB without git")
        print_one(repository, runs, scratch / "mails")
        before = 0.0
        for count in (100, FEW, 2 * FEW):
            series = others.git("format-patch", "--stdout", name_first(count))
            (scratch / "mails").write_text(series)
            before = print_many(repository, count, scratch / "mails", before)
    return 0


def print_one(repository: Repository, runs: int, mails: Path) -> None:
    """Print the row of one mail of 300 lines, which MAILS takes."""
    mails.write_text(write_mail())
    ratio = compare(runs, repository.top, [*HOOK, "--patch", str(mails)], BARE)
    missed = " **missed**" if ratio.median > ONE else ""
    took, bare = f"{ratio.mine / 1000:.3f}", f"{ratio.its / 1000:.3f} bare"
    print_row("1, of 300 lines", took, bare, f"{ratio.median:.2f}{missed}", f"≤ {ONE}", "")


def print_many(repository: Repository, count: int, mails: Path, before: float) -> float:
    """Print the row of COUNT mails, which are in MAILS; return how long they take.

    BEFORE: how long half of them took.
    """
    command = [*HOOK, "--patch", str(mails)]
    took = statistics.median(measure_time(command, repository.top) for _ in range(3))
    peak = read_own_peak(repository.top, mails.with_name("out"), "--patch", str(mails)) / 1024
    ratio, target = "", f"≤ {SERIES} s" if count == 100 else ""
    is_missed = peak > PEAK or (count == 100 and took > SERIES)
    if count > FEW:
        ratio, target = f"{took / before:.2f}", f"≤ {GROWTH}, {PEAK} MiB"
        is_missed |= took > GROWTH * before
    missed = " **missed**" if is_missed else ""
    print_row(str(count), f"{took:.2f}", f"{before:.2f}", ratio, target + missed, f"{peak:.1f}")
    return took


if __name__ == "__main__":
    raise SystemExit(main())
