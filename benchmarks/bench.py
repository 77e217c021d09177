# SPDX-License-Identifier: MIT
"""Measure the hook against its targets and its peers; print a Markdown table.

Whole processes, run in turn with what they are compared with (A B A B ...), so
that a machine whose speed drifts does not favour either. A ratio is the median
of the ratios of the pairs. Run by ``make bench SRCTREE=~/linux``; without
SRCTREE, on hand-written sources of a kernel's size.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from benchmarks.sources import (
    CHECK,
    DRIVER,
    generated_tree,
    hostile_files,
    multiplied,
    real_tree,
    with_macro,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPTS = Path(sys.executable).parent
HOOK = str(SCRIPTS / "kvm-export-hook")
BARE = [sys.executable, "-c", "pass"]

MACROS = "EXPORT_SYMBOL|EXPORT_SYMBOL_GPL|EXPORT_SYMBOL_NS|EXPORT_SYMBOL_NS_GPL"
ALLOWLISTED = (
    "kvm_page_track_register_notifier|kvm_page_track_unregister_notifier|kvm_write_track_add_gfn"
    "|kvm_write_track_remove_gfn|kvm_get_kvm|kvm_get_kvm_safe|kvm_put_kvm"
)
PATTERN = rf"\b({MACROS})\b(?!\(({ALLOWLISTED})\))"
LARGE = (
    "arch/x86/kvm/x86.c",
    "arch/x86/kvm/vmx/vmx.c",
    "arch/x86/kvm/vmx/nested.c",
    "arch/x86/kvm/emulate.c",
    "virt/kvm/kvm_main.c",
)


class Cost(NamedTuple):
    """What a run of a process cost: seconds, and KiB at the peak."""

    seconds: float
    peak: int


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--srctree", type=Path, help="a kernel tree (default: generated sources)")
    parser.add_argument("--runs", type=int, default=21, help="pairs of each row (default: 21)")
    options = parser.parse_args()
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="kvm-export-hook-bench-") as directory:
        scratch = Path(directory)
        source = options.srctree.expanduser().resolve() if options.srctree else None
        clean = scratch / "clean"
        real_tree(source, clean) if source else generated_tree(clean)
        Table(options.runs, scratch, clean).print()
    return 0


class Table:
    """The rows, measured as they are printed."""

    def __init__(self, runs: int, scratch: Path, clean: Path) -> None:
        self.runs = runs
        self.scratch = scratch
        self.clean = clean
        self.sources = sorted(
            str(path.relative_to(clean))
            for top in ("virt/kvm", "arch/x86/kvm")
            for path in (clean / top).rglob("*.[ch]")
        )

    def print(self) -> None:
        """Print every row."""
        size = sum((self.clean / name).stat().st_size for name in self.sources)
        print(f"{len(self.sources)} files, {size / 1e6:.1f} MB; Python {sys.version.split()[0]}\n")
        print("| case | target | median ratio | quartiles | median ms | of |")
        print("| --- | --- | --- | --- | --- | --- |")
        self.speed()
        print("\n| memory over bare | target | MiB |\n| --- | --- | --- |")
        self.memory()
        print("\n| 10 MB of | findings | s | doubled | MB | target |")
        print("| --- | --- | --- | --- | --- | --- |")
        self.hostile()

    def speed(self) -> None:
        """Print the rows of time."""
        dirty = with_macro(self.clean, self.scratch / "dirty")
        large = [name for name in LARGE if name in self.sources] or self.sources[:5]
        self.row("5 large clean files / bare", 1.3, self.clean, [HOOK, *large], BARE)
        self.row("the whole clean tree / bare", 1.5, self.clean, [HOOK], BARE)
        check = self.make_check()
        if check:
            self.row(
                "the whole clean tree / the tree's make check", 0.65, self.clean, [HOOK], check
            )
        grep = ["grep", "-rnwE", "--include=*.[ch]", MACROS, "virt/kvm", "arch/x86/kvm"]
        self.row("the whole clean tree / a lone grep", None, self.clean, [HOOK], grep)
        pygrep = [sys.executable, "-m", "pre_commit.languages.pygrep", PATTERN, *self.sources]
        named = [HOOK, *self.sources]
        self.row("the whole clean tree / pre-commit's pygrep", 0.17, self.clean, named, pygrep)
        self.row("a dirty tree / bare", 3, dirty, [HOOK], BARE)
        self.row("a dirty tree, with an option / bare", 4, dirty, [HOOK, "--color=never"], BARE)
        mail = self.mail()
        self.row("a mail of 300 lines / bare", 6, self.clean, [HOOK, "--patch", mail], BARE)

    def make_check(self) -> list[str] | None:
        """Write what evaluates the tree's own check, as the build would, if it has one."""
        _, found, check = (self.clean / "arch/x86/kvm/Makefile").read_text().partition(CHECK)
        if not found:
            return None
        part, driver = self.scratch / "check.mk", self.scratch / "driver.mk"
        part.write_text(found + check)
        driver.write_text(DRIVER)
        return ["make", "--no-print-directory", "-f", str(driver), f"CHECK={part}"]

    def mail(self) -> str:
        """Write a mail with a patch of 300 lines."""
        path = self.scratch / "mail"
        added = "".join(f"+int a{number};\n" for number in range(280))
        path.write_text(
            "From 0123456789abcdef Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\n"
            "Subject: [PATCH] KVM: a\n\nA message.\n---\n virt/kvm/x.c | 280 +\n\n"
            "diff --git a/virt/kvm/x.c b/virt/kvm/x.c\nindex 0123456..789abcd 100644\n"
            f"--- a/virt/kvm/x.c\n+++ b/virt/kvm/x.c\n@@ -1 +1,281 @@\n a\n{added}-- \n2.39.5\n\n"
        )
        return str(path)

    def row(
        self, case: str, target: float | None, tree: Path, ours: list[str], other: list[str]
    ) -> None:
        """Run two commands in turn, and print how they compare."""
        pairs = []
        for number in range(self.runs + 1):
            pair = cost(ours, tree), cost(other, tree)
            if number:  # the first warms up
                pairs.append(pair)
        ratios = [mine.seconds / its.seconds for mine, its in pairs]
        low, median, high = statistics.quantiles(ratios, n=4)
        mine = statistics.median(mine.seconds for mine, _ in pairs) * 1000
        its = statistics.median(its.seconds for _, its in pairs) * 1000
        aim = "" if target is None else f"≤ {target}"
        missed = " **missed**" if target is not None and median > target else ""
        print(
            f"| {case} | {aim} | {median:.2f}{missed} | {low:.2f} to {high:.2f} "
            f"| {mine:.1f} | {its:.1f} |",
            flush=True,
        )

    def memory(self) -> None:
        """Print the peaks over bare Python: the tree, and a hundred times the tree."""
        bare = min(peak(BARE, self.clean) for _ in range(5))
        dirty = self.scratch / "dirty"
        cases = (
            ("the clean tree", 1, self.clean, 1),
            ("10 times the clean tree", 3, self.clean, 10),
            ("100 times the clean tree", 3, self.clean, 100),
            ("the dirty tree", 3, dirty, 1),
            ("100 times the dirty tree", 3, dirty, 100),
        )
        for case, target, tree, times in cases:
            top = tree if times == 1 else multiplied(tree, self.scratch / f"{tree.name}-x", times)
            started = time.perf_counter()
            over = (peak([HOOK], top) - bare) / 1024
            took = time.perf_counter() - started
            missed = " **missed**" if over > target else ""
            print(f"| {case} | + {target} | {over:.1f}{missed} ({took:.2f} s) |", flush=True)

    def hostile(self) -> None:
        """Print a row for each hostile file of 10 MB, and how much slower its double is."""
        tree = self.scratch / "hostile"
        (tree / "virt/kvm").mkdir(parents=True)
        path = tree / "virt/kvm/x.c"
        command = [HOOK, "--quiet", "virt/kvm/x.c"]
        for case, content in hostile_files():
            costs = []
            for size in (10_000_000, 20_000_000):
                path.write_bytes(content(size))
                with (self.scratch / f"out-{size}").open("wb") as out:
                    costs.append(cost(command, tree, out))
            with (self.scratch / "out-10000000").open("rb") as out:
                findings = sum(1 for _ in out)
            once, twice = costs
            limit = 6 if findings > 250_000 else 2
            ratio = twice.seconds / once.seconds
            missed = " **missed**" if once.seconds > limit or ratio > 2.3 else ""
            print(
                f"| {case} | {findings} | {once.seconds:.2f} | {ratio:.2f} "
                f"| {once.peak // 1024} | {limit} s, 2.3{missed} |",
                flush=True,
            )


def cost(command: Sequence[str], directory: Path, out: BinaryIO | int = subprocess.DEVNULL) -> Cost:
    """Run COMMAND in DIRECTORY; tell how long it takes, and its peak of memory."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=directory, stdout=out, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(seconds, usage.ru_maxrss)


# A new process inherits the peak of the one that starts it: start from a small one.
STARTER = """\
import os, sys
out = os.open(os.devnull, os.O_WRONLY)
files = [(os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)]
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=files)
print(os.wait4(pid, 0)[2].ru_maxrss)
"""


def peak(command: Sequence[str], directory: Path) -> int:
    """Run COMMAND in DIRECTORY; tell its peak of memory in KiB."""
    starter = [sys.executable, "-S", "-E", "-c", STARTER, *command]
    done = subprocess.run(starter, cwd=directory, capture_output=True, text=True, check=True)
    return int(done.stdout)


if __name__ == "__main__":
    raise SystemExit(main())
