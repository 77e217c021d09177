# SPDX-License-Identifier: MIT
"""The list that a patch changes is in force for itself and for the later mails of its mbox."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvm_export_hook.patch.series import apply_hunks
from kvm_export_hook.rules.facts import Facts
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.patches import ADDED, FOUND, diff, mail, read
from tests.helpers.support import (
    MAKEFILE_WITH_CHECK,
    TYPES_WITH_MACRO,
    make_makefile,
    make_tree,
    write,
)

if TYPE_CHECKING:
    from kvm_export_hook.patch.diff import Side

MAKEFILE = {"old": "a/arch/x86/kvm/Makefile", "new": "b/arch/x86/kvm/Makefile"}
*BEFORE, FIRST_NAME, LAST_NAME, FILLER, LAST = MAKEFILE_WITH_CHECK.decode().splitlines()
PERMITS = diff(
    f" {FIRST_NAME}",
    "+\t\t\t\t-e foo \\",
    f" {LAST_NAME}",
    start=4,
    **MAKEFILE,
)
OTHERWISE = diff(" \t\t\tgrep -v -e another \\", "+\t\t\t\t-e foo \\", start=9, **MAKEFILE)
WITHOUT_CONTEXT = diff("+\t\t\t\t-e foo \\", start=4, **MAKEFILE)
FORBIDS = diff(
    f"-{FIRST_NAME}",
    f"+{FIRST_NAME.replace('-e kvm_get_kvm ', '')}",
    f" {LAST_NAME}",
    start=4,
    **MAKEFILE,
)
CHECK = [f"+{line}" for line in make_makefile("foo").decode().splitlines()]
BRINGS_THE_CHECK = diff(" obj-y += x86.o", *CHECK[1:], start=1, **MAKEFILE)


@pytest.fixture
def checked(top: Path) -> Path:
    """Make a tree that has the make check."""
    return make_tree(top, check=True)


@parametrize(
    "edit", {"fits": PERMITS, "does-not-fit": OTHERWISE, "without-context": WITHOUT_CONTEXT}
)
def test_a_name_is_permitted_from_the_patch_on_that_adds_it(checked: Path, edit: bytes) -> None:
    assert read(mail(ADDED) + mail(edit + ADDED) + mail(ADDED), checked) == (FOUND, [])
    assert read(mail(ADDED + edit), checked) == ([], [])
    other = ADDED.replace(b"foo", b"bar")
    assert read(mail(edit) + mail(other), checked) == (["virt/kvm/x.c:11 bar"], [])


# Of a file that lacks the line "lost".
HUNKS = {
    "in-order": ([("b", "B", 2), ("d", "", 4)], "aBce", 2),
    "one-after-the-other": ([("ab", "", 1), ("cd", "CD", 1)], "CDe", 2),
    "without-context": ([("", "1", 1), ("", "2", 4), ("e", "", 7)], "1ab2cd", 3),
    "at-the-end": ([("", "f", 6)], "abcdef", 1),
    "up-to-the-first-misfit": ([("a", "A", 1), ("lost", "", 2), ("c", "C", 3)], "Abcde", 1),
    "out-of-order": ([("d", "D", 4), ("b", "B", 2)], "abcDe", 1),
    "without-context-out-of-order": ([("d", "D", 4), ("", "B", 2)], "abcDe", 1),
    "without-context-after-the-end": ([("", "g", 7)], "abcde", 0),
}


@parametrize(("hunks", "expected", "count"), HUNKS)
def test_hunks_are_made_up_to_the_first_that_does_not_fit(
    hunks: list[tuple[str, str, int]], expected: str, count: int
) -> None:
    sides = [(make_side(old, line), make_side(new, line)) for old, new, line in hunks]
    assert apply_hunks(write_lines("abcde"), sides) == (write_lines(expected), count)


def make_side(letters: str, first_line: int) -> Side:
    return write_lines(letters), first_line


def write_lines(letters: str) -> bytes:
    return "".join(f"{letter}\n" for letter in letters).encode()


@given(st.lists(st.sampled_from("abcdefgh"), unique=True), st.text("abcdefgh", max_size=12))
def test_hunks_without_context_make_one_text_of_another(old: list[str], new: str) -> None:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    sides = [
        (make_side("".join(old[i:j]), i + 1), make_side(new[k:m], k + 1))
        for tag, i, j, k, m in matcher.get_opcodes()
        if tag != "equal"
    ]
    assert apply_hunks(write_lines("".join(old)), sides) == (write_lines(new), len(sides))


def test_names_of_hunks_that_do_not_fit_are_permitted(checked: Path) -> None:
    misfit = b"@@ -9 +9 @@\n-lost\n+ -e foo\n@@ -12,0 +13 @@\n+ -e bar\n"
    other = ADDED.replace(b"foo", b"bar")
    assert read(mail(PERMITS.partition(b"@@")[0] + misfit) + mail(ADDED + other), checked) == (
        [],
        [],
    )


def test_names_that_such_hunks_only_keep_are_not(checked: Path) -> None:
    misfit = b"@@ -9,2 +9,3 @@\n lost\n -e foo\n+ -e bar\n"
    assert read(PERMITS.partition(b"@@")[0] + misfit + ADDED, checked) == (FOUND, [])


def test_a_file_that_is_patched_twice(checked: Path) -> None:
    other = ADDED.replace(b"foo", b"bar")
    twice = PERMITS + PERMITS.replace(b"foo", b"bar")
    assert read(twice + ADDED + other, checked) == ([], [])


def test_an_empty_tree_permits_what_the_patch_permits(tmp_path: Path) -> None:
    assert read(PERMITS + ADDED, tmp_path) == ([], [])


def test_a_name_that_is_taken_from_the_list_is_no_longer_permitted(checked: Path) -> None:
    shown = diff(" EXPORT_SYMBOL_GPL(kvm_get_kvm);", "+int a;")
    assert read(shown, checked) == ([], [])
    assert read(FORBIDS + shown, checked) == (["virt/kvm/x.c:10 kvm_get_kvm"], [])


def test_a_patch_that_brings_the_check_has_a_list_of_its_own(top: Path) -> None:
    mention = diff(" a;", "+/* EXPORT_SYMBOL_GPL(bar) */", " b;")
    assert read(BRINGS_THE_CHECK + ADDED, top) == ([], [])
    assert read(mail(BRINGS_THE_CHECK) + mail(mention), top) == (["virt/kvm/x.c:11 -"], [])


def test_a_makefile_that_is_made_is_read(tmp_path: Path) -> None:
    made = (
        b"diff --git a/arch/x86/kvm/Makefile b/arch/x86/kvm/Makefile\nnew file mode 100644\n"
        b"--- /dev/null\n+++ b/arch/x86/kvm/Makefile\n@@ -0,0 +1,%d @@\n%s\n"
    ) % (len(CHECK), "\n".join(CHECK).encode())
    assert read(made + ADDED, tmp_path) == ([], [])


def test_a_check_that_a_patch_makes_unknown_is_noted_once(checked: Path, command: Command) -> None:
    edit = diff(f" {FILLER}", f" {LAST}", "+exports_grep_trailer += -e foo", start=6, **MAKEFILE)
    path = write(checked / "m", mail(edit) + mail(ADDED) + mail(FORBIDS))
    said = "this tree's make check is not one that this hook knows: it may fail on what is passed"
    status, out, err = command("--patch", str(path))
    assert (status, out, err.count(said)) == (0, "", 1)
    status, out, err = command("--patch", str(path), "--format=checkpatch")
    assert (status, out.count(f": {said}"), err) == (0, 1, "")


def test_a_series_that_brings_the_macro_is_judged_from_then_on(top: Path, command: Command) -> None:
    make_tree(top, macro=False)
    added = "".join(f"+{line}\n" for line in TYPES_WITH_MACRO.decode().splitlines())
    brings = (
        "diff --git a/include/linux/kvm_types.h b/include/linux/kvm_types.h\n"
        "--- a/include/linux/kvm_types.h\n+++ b/include/linux/kvm_types.h\n"
        f"@@ -2 +2,{added.count(chr(10)) + 1} @@\n struct kvm;\n{added}"
    ).encode()
    shown = diff(" EXPORT_SYMBOL_GPL(old);", "+int a;")
    path = write(top / "m", mail(ADDED) + mail(brings + shown) + mail(ADDED))
    status, out, _ = command("--patch", str(path))
    assert status == 1
    assert out.count(": error: ") == 1


def test_nothing_is_an_error_where_nothing_is_enforced(top: Path, command: Command) -> None:
    make_tree(top, macro=False)
    path = write(top / "m", b"garbage\n")
    assert command("--quiet", "--patch", str(path)) == (0, "", "")


def test_a_header_that_does_not_fit_changes_nothing(checked: Path) -> None:
    name = "/include/linux/kvm_types.h"
    lines = (" something;", "-#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(x)")
    other = diff(*lines, old="a" + name, new="b" + name)
    assert read(mail(PERMITS) + mail(other + ADDED), checked) == ([], [])


@parametrize(
    ("error", "said"),
    {
        "memory": (MemoryError(), "needs more memory than this machine has"),
        "unforeseen": (
            ValueError("unforeseen"),
            "internal error: ValueError: unforeseen: please report this, with the input",
        ),
    },
)
def test_an_error_ends_with_the_mail(checked: Path, error: Exception, said: str) -> None:
    def learn(kvm_types: bytes | None, makefile: bytes | None) -> Facts:
        raise error

    findings, complaints = read(mail(PERMITS + ADDED) + mail(ADDED), checked, learn)
    assert findings == FOUND
    assert complaints == [f"p: [PATCH] KVM: Add foo: {said}"]
