# SPDX-License-Identifier: MIT
"""Measure the hook against its targets and its peers; print Markdown tables.

Whole processes, run in turn with what they are compared with (A B A B ...), so
that a machine whose speed drifts does not favour either. A ratio is the median
of the ratios of the pairs; the hostile files are run once. Run by
``make bench SRCTREE=~/linux``; without SRCTREE, on generated sources of a
kernel's size.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import (
    BARE,
    Cost,
    compare,
    measure_cost,
    print_heading,
    print_row,
    run_as_installed,
)
from benchmarks.peers import (
    BAD,
    FINE,
    HOOK,
    find_checkpatch,
    list_c_files,
    list_peers,
    score_peers,
)
from benchmarks.sources import (
    Staged,
    copy_for_users,
    copy_with_macro,
    multiply_tree,
    select_large,
    write_mail,
    write_tree,
)
from tests.helpers.hostile_input import hostile_files
from tests.helpers.kernel_files import copy_kernel, write_check

SIZE = 10_000_000
SLOW = 1000  # ms: fewer runs will do

LONG = 3  # seconds, after which no further run is needed
DOUBLE = 2.3  # times the time for twice the size
A_BYTE = 10  # bytes of memory for each of a hostile file, where there are
FEW = 1000  # findings

TARGETS = {"pre-commit's pygrep": 0.14}


def main() -> int:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--srctree", type=Path, help="a kernel tree (default: generated sources)")
    parser.add_argument("--runs", type=int, default=21, help="pairs of each row (default: 21)")
    parser.add_argument("--tree-only", action="store_true", help="skip the hostile files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kvm-export-hook-bench-") as directory:
        scratch = Path(directory)
        run_as_installed(scratch / "home")
        tree = scratch / "tree"
        source = options.srctree.expanduser().resolve() if options.srctree else None
        copy_kernel(source, tree) if source else write_tree(tree)
        Tables(options.runs, scratch, tree, source).print(not options.tree_only)
    return 0


class Tables:
    """The tables of one TREE, a copy of SOURCE; each row is printed as it is measured."""

    def __init__(self, runs: int, scratch: Path, tree: Path, source: Path | None) -> None:
        self.runs = runs
        self.scratch = scratch
        self.tree = tree
        self.source = source
        self.dirty = copy_with_macro(tree, scratch / "dirty")
        self.sources = list_c_files(tree)
        self.notes: list[str] = []
        self.bare = min(measure_cost(BARE, tree).peak for _ in range(5))
        self.peers = list_peers(scratch, self.sources)
        found = subprocess.run(
            [*HOOK, "--force", "--quiet"], cwd=tree, stdout=subprocess.PIPE, check=False
        )
        self.findings = found.stdout.count(b"\n")
        # A tree from before the macro is judged by force.
        self.hook = [*HOOK, "--force"] if self.findings else HOOK

    def print(self, with_hostile: bool) -> None:
        """Print every table."""
        size = sum((self.tree / name).stat().st_size for name in self.sources)
        print(
            f"Python {sys.version.split()[0]}; {len(self.sources)} files, {size / 1e6:.1f} MB,"
            f" {self.findings} findings; {self.runs} pairs a row\n"
        )
        print_heading(
            "the hook / bare (python -c pass) or another",
            "target",
            "ratio",
            "quartiles",
            "ms",
            "of ms",
        )
        self.print_speed()
        print_heading("growth", "MiB over bare", "target", "s")
        self.print_growth()
        if with_hostile:
            print_heading("10 MB of", "findings", "s", "s of 20 MB / s", "bytes a byte", "target")
            self.print_hostile()
        print_heading(
            "on the same tree",
            f"caught of {len(BAD)} bad files",
            f"blocked of {len(FINE)} fine ones",
            f"reports in the other {len(self.sources)} files",
        )
        self.print_correctness()
        print("", *self.notes, sep="\n")

    def print_speed(self) -> None:
        """Print the rows of time."""
        if self.findings:
            self.add_row("the tree, --force / bare", 4, self.tree, self.hook, BARE)
        else:
            large = select_large(self.sources)
            self.add_row("5 large clean files / bare", 1.15, self.tree, [*HOOK, *large], BARE)
            self.add_row("the clean tree / bare", 1.4, self.tree, self.hook, BARE)
            staged = Staged(self.tree, self.scratch / "staged", large)
            ours = [*HOOK, "--staged"]
            others = (BARE, *staged.commands)
            case = "--staged, 5 large clean files / bare and its git commands, one by one"
            self.add_row(case, 1.15, staged.top, ours, *others, stdin=staged.stdin)
        check = write_check(self.tree, self.scratch)
        if check:
            self.add_row("the tree / its own make check", 0.55, self.tree, self.hook, check)
        for peer in self.peers:
            target = None if self.findings else TARGETS.get(peer.name)
            self.add_row(f"the tree / {peer.name}", target, self.tree, self.hook, peer.command)
        colored = [*HOOK, "--color=never"]
        self.add_row("the dirty tree / bare", 2, self.dirty, HOOK, BARE)
        self.add_row("the dirty tree, with an option / bare", 2.1, self.dirty, colored, BARE)
        if self.source and not self.findings:
            named = copy_for_users(self.source, self.scratch / "users")
            tree = self.scratch / "users"
            self.add_row("--users, one finding / bare", 12, tree, [*HOOK, "--users", named], BARE)
            audit = [*HOOK, "--list", "--users"]
            self.add_row("--list --users, all exports / bare", 25, tree, audit, BARE)
        patch = self.scratch / "mail"
        patch.write_text(write_mail())
        judged = [*HOOK, "--patch", str(patch)]
        self.add_row("a mail of 300 lines / bare", 6, self.dirty, judged, BARE)
        script = find_checkpatch(self.source)
        if script:
            self.add_row("the mail / checkpatch", None, self.dirty, judged, [*script, str(patch)])

    def add_row(
        self,
        case: str,
        target: float | None,
        tree: Path,
        ours: list[str],
        *others: list[str],
        stdin: Path | str = os.devnull,
    ) -> None:
        """Run a command in turn with the others, and print how they compare."""
        runs = self.runs if compare(3, tree, ours, *others, stdin=stdin).its < SLOW else 5
        ratio = compare(runs, tree, ours, *others, stdin=stdin)
        aim = "" if target is None else f"≤ {target}"
        missed = " **missed**" if target is not None and ratio.median > target else ""
        quartiles = f"{ratio.low:.2f} to {ratio.high:.2f}"
        print_row(
            case,
            aim,
            f"{ratio.median:.2f}{missed}",
            quartiles,
            f"{ratio.mine:.1f}",
            f"{ratio.its:.1f}",
        )

    def print_growth(self) -> None:
        """Print time and memory for the tree, and for ten and a hundred times the tree."""
        for name, tree in (("the tree", self.tree), ("the dirty tree", self.dirty)):
            for times in (1, 10, 100):
                top = multiply_tree(tree, self.scratch / "many", times)
                costs = [measure_cost(self.hook, top) for _ in range(3)]
                over = min(each.peak - self.bare for each in costs) / 1024
                limit = 1 if times == 1 and tree == self.tree and not self.findings else 3
                missed = " **missed**" if over > limit else ""
                took = sorted(each.seconds for each in costs)[1]
                case = f"{times} times {name}" if times > 1 else name
                print_row(case, f"{over:.1f}{missed}", f"≤ {limit}", f"{took:.2f}")

    def print_hostile(self) -> None:
        """Print a row for each hostile file of 10 MB, and how much slower its double is."""
        path = self.scratch / "hostile/virt/kvm/x.c"
        path.parent.mkdir(parents=True)
        tree = path.parent.parent.parent
        out = self.scratch / "out"

        def measure(content: bytes) -> Cost:
            path.write_bytes(content)
            costs: list[Cost] = []
            while len(costs) < 3 and sum(each.seconds for each in costs) < LONG:
                costs.append(measure_cost([*HOOK, "--quiet", "virt/kvm/x.c"], tree, out))
            return min(costs)

        for case, content in hostile_files():
            twice, once = measure(content(2 * SIZE)), measure(content(SIZE))
            with out.open("rb") as lines:
                findings = sum(1 for _ in lines)
            ratio = twice.seconds / once.seconds
            memory = (once.peak - self.bare) * 1024 / SIZE
            is_missed = ratio > DOUBLE or (findings < FEW and memory > A_BYTE)
            aim = f"≤ {DOUBLE}" if findings >= FEW else f"≤ {DOUBLE}, {A_BYTE}"
            print_row(
                case,
                str(findings),
                f"{once.seconds:.2f}",
                f"{ratio:.2f}",
                f"{memory:.1f}",
                aim + " **missed**" * is_missed,
            )

    def print_correctness(self) -> None:
        """Print how many of the bad files each peer catches, and how many of the fine ones."""
        for name, caught, others in score_peers(self.hook, self.tree, self.scratch, self.source):
            print_row(name, str(len(caught & {*BAD})), str(len(caught & {*FINE})), others)
            for kind, cases in (("not caught", {*BAD} - caught), ("blocked", caught & {*FINE})):
                if cases:
                    self.notes.append(f"{name}: {kind}: {', '.join(sorted(cases))}")


if __name__ == "__main__":
    raise SystemExit(main())
