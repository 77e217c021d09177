# SPDX-License-Identifier: MIT
"""Files that a patch moves, and where the two readings of a patch would differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvm_export_hook.patch.mail import MAKE_AGAIN
from kvm_export_hook.patch.patch_names import PatchNames, Record
from kvm_export_hook.patch.reading import NOT_UNDERSTOOD_MESSAGE, Reading
from kvm_export_hook.patch.scratch import Scratch
from kvm_export_hook.patch.series import Series
from kvm_export_hook.rules.facts import read_facts
from tests.helpers.cases import parametrize
from tests.helpers.patches import ADDED, FACTS, FOUND, diff, read
from tests.helpers.support import BAD, INTERNAL, write


def move(kind: str, old: str, new: str, hunk: str = "") -> bytes:
    """Write a patch that moves or copies a file."""
    return (
        f"diff --git a/{old} b/{new}\nsimilarity index 90%\n{kind} from {old}\n{kind} to {new}\n"
        + (f"--- a/{old}\n+++ b/{new}\n{hunk}" if hunk else "")
    ).encode()


HUNK = "@@ -1,2 +1,2 @@\n EXPORT_SYMBOL_GPL(old);\n-int a;\n+EXPORT_SYMBOL_GPL(new);\n"


def test_a_file_that_is_moved_within_kvm_keeps_its_old_exports() -> None:
    patch = move("rename", "virt/kvm/x.c", "virt/kvm/y.c", HUNK)
    twice = patch + move("rename", "virt/kvm/v.c", "arch/x86/kvm/w.c")
    assert read(twice) == (["virt/kvm/y.c:2 new"], [])


def test_what_leaves_kvm_is_not_judged() -> None:
    assert read(move("rename", "virt/kvm/x.c", "lib/x.c", HUNK)) == ([], [])


@parametrize(
    ("content", "is_fine"),
    {"clean": (INTERNAL, True), "exports": (BAD, False), "not-there": (None, False)},
)
def test_a_copy_is_judged_by_the_file_that_is_here(
    tmp_path: Path, content: bytes | None, is_fine: bool
) -> None:
    if content:
        write(tmp_path / "virt/kvm/x.c", content)
    findings, complaints = read(move("copy", "virt/kvm/x.c", "virt/kvm/y.c"), tmp_path)
    assert findings == []
    assert complaints == [] if is_fine else "is a copy of virt/kvm/x.c" in complaints[0]


def test_one_quoted_name_is_the_same_as_one_that_is_not() -> None:
    assert read(ADDED.replace(b"--- a/virt/kvm/x.c", b'--- "a/virt/kvm/x.c"')) == (FOUND, [])


def test_other_files_in_the_kvm_directories_are_not_judged() -> None:
    patch = diff("+EXPORT_SYMBOL(a)", old="a/virt/kvm/Kconfig", new="b/virt/kvm/Kconfig")
    assert read(patch) == ([], [])


def test_names_without_a_directory_that_stop_git() -> None:
    bare = diff("+a", old="doc.txt", new="doc.txt")
    whole = diff("+EXPORT_SYMBOL(foo);", old="virt/kvm/x.c", new="virt/kvm/x.c")
    assert read(bare + whole) == (["virt/kvm/x.c:10 foo"], [])


def test_half_a_header_of_a_file_out_of_scope_is_passed_over() -> None:
    assert read(ADDED + b"diff --git a/fs/x.c b/fs/x.c\nhello\n") == (FOUND, [])


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_hunk_begins_in_a_comment_for_both_of_its_sides(side: str) -> None:
    sign = {"old": "-", "new": "+"}[side]
    patch = diff(f"{sign} * EXPORT_SYMBOL_NS(a) in words", f"{sign} */", "+EXPORT_SYMBOL_NS(b);")
    findings, _ = read(patch)
    assert findings == ([] if side == "old" else ["virt/kvm/x.c:12 b"])


@parametrize(
    "lines",
    {
        "code-between": (" \t* 2;", " int b;", "+EXPORT_SYMBOL(a);", ' char *s = "*/";'),
        "comment-that-opens": (" \t* 2; /* b", "  */", "+EXPORT_SYMBOL(a);"),
    },
)
def test_a_product_is_no_comment(lines: tuple[str, ...]) -> None:
    findings, complaints = read(diff(*lines))
    assert len(findings) == 1
    assert complaints == []


# Where git and this would read a patch differently: by no patch that is known.


def make_reading(scratch: Scratch, records: list[Record], refused: list[str]) -> Reading:
    names = PatchNames(scratch, ADDED, (), records)
    series = Series(b"", FACTS, read_facts)
    return Reading(ADDED, names, series, lambda why, _: refused.append(why))


def test_files_that_git_does_not_read_are_an_error() -> None:
    reason = f"{NOT_UNDERSTOOD_MESSAGE}: {MAKE_AGAIN}"
    with Scratch() as scratch, pytest.raises(OSError, match=reason):
        make_reading(scratch, [], []).read()


def test_lines_that_git_does_not_count_are_an_error() -> None:
    refused: list[str] = []
    with Scratch() as scratch:
        reading = make_reading(scratch, [Record(b"2\t0\tvirt/kvm/x.c")], refused)
        reading.read()
    assert refused == [f"{NOT_UNDERSTOOD_MESSAGE}: check it with --staged or --commits"]
    assert reading.new == []
