# SPDX-License-Identifier: MIT
"""Count the instructions of the hook's own process against its targets; print a Markdown table.

A count does not depend on what else the machine does, so it decides where times
are noisy. Run by ``make bench-instructions SRCTREE=~/linux``; without SRCTREE,
on generated sources of a kernel's size, to which the targets do not apply.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import BARE, print_heading, print_row, run_as_installed
from benchmarks.peers import HOOK, list_c_files
from benchmarks.sources import Staged, copy_with_macro, select_large, write_mail, write_tree
from tests.helpers.kernel_files import copy_kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

VALGRIND = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
COLLECTED = re.compile(rb"Collected : (\d+)")
MILLION = 1_000_000


def main() -> int:
    """Count, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--srctree", type=Path, help="a kernel tree (default: generated sources)")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("valgrind, which counts the instructions, is missing: install it", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="kvm-export-hook-bench-") as directory:
        scratch = Path(directory)
        run_as_installed(scratch / "home")
        tree = scratch / "tree"
        if options.srctree:
            copy_kernel(options.srctree.expanduser().resolve(), tree)
        else:
            write_tree(tree)
        print(
            f"Python {sys.version.split()[0]}, with its bytecode written and PYTHONHASHSEED=0;"
            " the hook's own process, not the git that it runs"
        )
        print_table(tree, scratch)
    return 0


def print_table(tree: Path, scratch: Path) -> None:
    """Print a row for each case on TREE; SCRATCH takes what that needs."""
    large = select_large(list_c_files(tree))
    staged = Staged(tree, scratch / "staged", large)
    dirty = copy_with_macro(tree, scratch / "dirty")
    patch = scratch / "mail"
    patch.write_text(write_mail())
    print_heading("millions of instructions", "all", "over bare", "target")
    bare = count(BARE, tree)
    print_row("bare: python -c pass", f"{bare / MILLION:.2f}", "", "")

    def add_row(case: str, directory: Path, *arguments: str, target: float | None = None) -> None:
        found = count([*HOOK, *arguments], directory)
        over = (found - bare) / MILLION
        missed = " **missed**" if target is not None and over > target else ""
        aim = "" if target is None else f"≤ {target}"
        print_row(case, f"{found / MILLION:.2f}", f"{over:.2f}{missed}", aim)

    add_row("1 large clean file", tree, large[0], target=1.2)
    add_row("the same, after two dashes", tree, "--", large[0], target=1.2)
    add_row("the same, with --fix", tree, "--fix", large[0], target=3)
    add_row("the same, with --since=HEAD", staged.top, "--since=HEAD", large[0], target=17)
    add_row("5 large clean files", tree, *large)
    add_row("the whole clean tree", tree, target=12)
    add_row("--staged, 5 large clean files", staged.top, "--staged", target=12)
    add_row("the dirty tree", dirty)
    add_row("the dirty tree, with an option", dirty, "--color=never")
    add_row("a mail of 300 lines, its hunks alone", dirty, "--patch", str(patch))
    checkpatch = ("--format=checkpatch", "--patch", str(patch))
    add_row("the same, applied, for checkpatch", staged.top, *checkpatch, target=62)


def count(command: Sequence[str], directory: Path) -> int:
    """Count the instructions of COMMAND in DIRECTORY, once its bytecode has been written."""
    subprocess.run(command, cwd=directory, capture_output=True, check=False)
    done = subprocess.run(
        [*VALGRIND, *command],
        cwd=directory,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    found = COLLECTED.search(done.stderr)
    if not found:
        raise SystemExit(f"valgrind failed: {os.fsdecode(done.stderr)}")
    return int(found[1])


if __name__ == "__main__":
    raise SystemExit(main())
