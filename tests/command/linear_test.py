# SPDX-License-Identifier: MIT
"""What two parts of an input could multiply by each other still takes time in proportion to it.

Each input is so large that a product would take minutes; here nothing may take one.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from tests.helpers.cases import parametrize
from tests.helpers.hostile_input import hostile_files
from tests.helpers.repositories import Repository
from tests.helpers.support import COMMAND, make_makefile, make_unmeasured_environment

SOURCE, MAKEFILE = "virt/kvm/x.c", "arch/x86/kvm/Makefile"
PATCH = "series.patch"


def run(linux: Repository, *arguments: str) -> tuple[int, int]:
    """Run the command in LINUX; return its exit status, and how many lines it prints."""
    done = subprocess.run(
        [str(COMMAND), "--format=checkpatch", *arguments],
        cwd=linux.top,
        capture_output=True,
        check=False,
        env=make_unmeasured_environment(),
        timeout=60,
    )
    assert done.stderr == b""
    return done.returncode, done.stdout.count(b"\n")


def write_patch(name: str, *hunks: bytes) -> bytes:
    """Write a patch of the file NAME."""
    sides = b"--- a/%b\n+++ b/%b\n" % (name.encode(), name.encode())
    return b"diff --git a/%b b/%b\n" % (name.encode(), name.encode()) + sides + b"".join(hunks)


def take_file(linux: Repository) -> list[str]:
    return [SOURCE]


def take_baseline(linux: Repository) -> list[str]:
    return ["--since=HEAD", SOURCE]


def take_index(linux: Repository) -> list[str]:
    linux.git("add", SOURCE)
    return ["--staged"]


def take_commit(linux: Repository) -> list[str]:
    linux.record("one line")
    return ["--commits=HEAD"]


def take_patch(linux: Repository) -> list[str]:
    added = b"+" + (linux.top / SOURCE).read_bytes().rstrip(b"\n") + b"\n"
    linux.write(PATCH, write_patch(SOURCE, b"@@ -0,0 +1 @@\n", added))
    return ["--patch", PATCH]


SOURCES = {
    "file": take_file,
    "since": take_baseline,
    "staged": take_index,
    "commits": take_commit,
    "patch": take_patch,
}


@parametrize("take", SOURCES)
def test_findings_on_a_long_line(
    linux: Repository, take: Callable[[Repository], list[str]]
) -> None:
    content = dict(hostile_files())["a line of blanks and exports"]
    linux.write(SOURCE, content(10_000_000) + b"\n")
    # A patch that git does not apply has a note.
    assert run(linux, *take(linux)) == (1, 9_842 + (take is take_patch))


def list_names(names: list[bytes]) -> bytes:
    """Write a Makefile that has the make check, with NAMES as its list."""
    return make_makefile(*map(bytes.decode, names))


LISTS = {
    "names of many lengths": (
        [b"kvm_%d_" % number + b"x" * number for number in range(1000)],
        b"EXPORT_SYMBOL_GPL(a); " + b"kvm_" * 250_000,
        1,
    ),
    "long names": (
        [b"kvm_%d_" % number + b"x" * 600 for number in range(4000)],
        b"EXPORT_SYMBOL_GPL(a); //\n" * 20_000,
        20_000,
    ),
    "many names": (
        [b"kvm_%d" % number for number in range(40_000)],
        b"EXPORT_SYMBOL_GPL(a); // an export\n" * 20_000,
        20_000,
    ),
}


@parametrize(("names", "content", "count"), LISTS)
def test_a_list_of_names(linux: Repository, names: list[bytes], content: bytes, count: int) -> None:
    linux.write(MAKEFILE, list_names(names))
    linux.write(SOURCE, content + b"\n")
    assert run(linux, SOURCE) == (1, count)


def test_a_list_of_names_and_hunks(linux: Repository) -> None:
    linux.record("list", {MAKEFILE: list_names([b"kvm_%d" % number for number in range(100_000)])})
    hunk = b"@@ -%d,0 +%d @@\n+EXPORT_SYMBOL_GPL(kvm_1);\n+EXPORT_SYMBOL(a);\n"
    hunks = [hunk.replace(b"+%d ", b"+%d,2 ") % (number, number) for number in range(1, 20_000, 2)]
    linux.write(PATCH, write_patch(SOURCE, *hunks))
    assert run(linux, "--patch", PATCH) == (1, 10_001)


def test_hunks_of_a_large_makefile(linux: Repository) -> None:
    count = 40_000
    padding = b"#" * 60
    lines = [b"# %d %b\n" % (number, padding) for number in range(count)]
    linux.record("large", {MAKEFILE: b"".join(lines) + list_names([b"kvm_old"])})
    hunks = [
        b"@@ -%d +%d @@\n-%b+#%b" % (number + 1, number + 1, lines[number], lines[number])
        for number in range(0, count, 2)
    ]
    old, new = (list_names([name]).splitlines(keepends=True) for name in (b"kvm_old", b"kvm_new"))
    head = b"@@ -%d,%d +%d,%d @@\n" % ((count + 1, len(old)) * 2)
    hunks.append(head + b"".join([b"-" + line for line in old] + [b"+" + line for line in new]))
    source = write_patch(SOURCE, b"@@ -0,0 +1 @@\n+EXPORT_SYMBOL_GPL(kvm_new);\n")
    linux.write(PATCH, write_patch(MAKEFILE, *hunks) + source)
    assert run(linux, "--patch", PATCH) == (0, 1)


MAKEFILES = {
    "words before an assignment": b"export " * 1_000_000 + b"x := y\n",
    "references to a list": b"x := " + b"a.o " * 16_000 + b"\n" + b"kvm-intel-y += $(x)\n" * 10_000,
    "objects that are not here": b"obj-m := kvm-intel.o\nkvm-intel-y := "
    + b" ".join(b"a%d.o" % number for number in range(100_000)),
}


@parametrize("content", MAKEFILES)
def test_a_makefile_in_which_users_are_looked_for(linux: Repository, content: bytes) -> None:
    linux.write(MAKEFILE, b"obj-m := kvm-intel.o\n" + content)
    # All of another architecture is here.
    linux.write("arch/powerpc/kvm/Makefile", b"")
    linux.write("arch/powerpc/include/asm/kvm_host.h", b"")
    linux.write(SOURCE, b"EXPORT_SYMBOL_GPL(a);\n" * 20_000)
    assert run(linux, "--users", SOURCE) == (1, 20_000)
