# SPDX-License-Identifier: MIT
"""Time ``--commits`` over many commits, against what git alone takes to show them.

The commits are made up: each adds a line to one to three files of KVM, on top of a
copy of a whole kernel tree. Run by ``make bench-commits SRCTREE=~/linux``.
"""

from __future__ import annotations

import os
import statistics
import sys
from typing import TYPE_CHECKING

from benchmarks.measure import (
    measure_cost,
    measure_time,
    print_heading,
    print_row,
)
from benchmarks.peers import HOOK, list_c_files
from benchmarks.repository import open_repository
from kvm_export_hook.git.entries import LOG, RAW
from kvm_export_hook.git.process import GIT
from kvm_export_hook.rules.scope import FACT_FILES, KVM_DIRECTORIES

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.repository import Repository

COUNTS = (500, 1000, 2000)
BRANCH = "made-up"
RATIO = 1.9

# The peak of the hook's own process: what git maps of its packs is not the hook's.
OWN_PEAK = """\
import resource, sys
from kvm_export_hook.cli import main
main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main() -> int:
    """Measure, and print the table."""
    with open_repository(__doc__, runs=21) as (repository, runs, scratch):
        make_commits(repository, max(COUNTS))
        print(f"{repository.files} files; {runs} pairs a row, in turn")
        print_heading("commits", "s", "git alone", "ratio", "target", "MiB without git")
        for count in COUNTS:
            print_count(repository, count, runs, scratch / "ids")
    return 0


def print_count(repository: Repository, count: int, runs: int, ids: Path) -> None:
    """Print the row of the first COUNT commits; IDS takes the names of their blobs."""
    top = repository.top
    revisions = name_first(count)
    paths = [f":(top,literal){os.fsdecode(name)}" for name in (*KVM_DIRECTORIES, *FACT_FILES)]
    # The range is an argument here, so that only cat-file reads a file.
    words = [os.fsdecode(word) for word in (*GIT, *LOG, *RAW) if word != b"--stdin"]
    log = [*words, revisions, "--", *paths]
    read = [*map(os.fsdecode, GIT), "cat-file", "--batch", "--buffer"]
    ids.write_text("".join(f"{id_}\n" for id_ in list_blobs(repository, revisions)))
    ours = [*HOOK, "--commits", revisions]
    pairs = [
        (measure_time(ours, top), measure_time(log, top) + measure_time(read, top, ids))
        for _ in range(runs + 1)
    ]
    del pairs[0]  # which warmed up
    ratio = statistics.median(mine / its for mine, its in pairs)
    mine, its = (statistics.median(side) for side in zip(*pairs, strict=True))
    missed = " **missed**" if ratio > RATIO else ""
    peak = read_own_peak(top, ids, "--commits", revisions) / 1024
    print_row(
        str(count),
        f"{mine:.2f}",
        f"{its:.2f}",
        f"{ratio:.2f}{missed}",
        f"≤ {RATIO}",
        f"{peak:.1f}",
    )


def name_first(count: int) -> str:
    """Name the range of the first COUNT commits of the branch."""
    last = max(COUNTS) - count
    return f"{BRANCH}~{max(COUNTS)}..{BRANCH}" + (f"~{last}" if last else "")


def read_own_peak(top: Path, out: Path, *arguments: str) -> int:
    """Return the peak of memory on ARGUMENTS, without git's, in KiB; OUT takes the output."""
    measure_cost([sys.executable, "-c", OWN_PEAK, *arguments], top, out)
    return int(out.read_text().splitlines()[-1])


def list_blobs(repository: Repository, revisions: str) -> list[str]:
    """List the ids of the blobs that the commits of REVISIONS bring, each once."""
    listed = repository.git("log", "--format=", "--raw", "--no-abbrev", revisions)
    return list(dict.fromkeys(line.split(" ")[3] for line in listed.splitlines() if line))


def make_commits(repository: Repository, count: int, subject: str = "change") -> None:
    """Make the branch of COUNT commits about SUBJECT, the same ones each time."""
    names = list_c_files(repository.top)
    initial = repository.git("rev-list", "--max-parents=0", "HEAD").strip()
    contents = {name: (repository.top / name).read_bytes() for name in names}
    stream = [f"reset refs/heads/{BRANCH}\nfrom {initial}\n\n".encode()]
    for number in range(count):
        text = f"KVM: Make {subject} number {number}\n".encode()
        stream.append(b"commit refs/heads/%s\n" % BRANCH.encode())
        stream.append(b"committer A Developer <developer@example.org> %d +0000\n" % number)
        stream.append(b"data %d\n%s" % (len(text), text))
        for step in range(1 + number % 3):
            name = names[(number * 7 + step * 31) % len(names)]
            contents[name] += f"/* {subject} number {number} */\n".encode()
            stream.append(b"M 100644 inline %s\n" % os.fsencode(name))
            stream.append(b"data %d\n%s\n" % (len(contents[name]), contents[name]))
    repository.git("fast-import", "--quiet", "--force", stdin=b"".join(stream))


if __name__ == "__main__":
    raise SystemExit(main())
