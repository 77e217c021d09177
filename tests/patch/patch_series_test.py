# SPDX-License-Identifier: MIT
"""The list that a patch changes is in force for itself and for the later mails of its mbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvm_export_hook.rules.facts import Facts
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.patches import ADDED, FOUND, diff, mail, read
from tests.helpers.support import TYPES_WITH_MACRO, make_tree, write

MAKEFILE = {"old": "a/arch/x86/kvm/Makefile", "new": "b/arch/x86/kvm/Makefile"}
PERMITS = diff(
    " exports_grep_trailer := --include='*.[ch]' -nrw $(srctree)/virt/kvm | \\",
    " \t\t\tgrep -v -e kvm_get_kvm \\",
    "+\t\t\t\t-e foo \\",
    " \t\t\t\t-e kvm_put_kvm",
    start=2,
    **MAKEFILE,
)
OTHERWISE = diff(" \t\t\tgrep -v -e another \\", "+\t\t\t\t-e foo \\", start=9, **MAKEFILE)
WITHOUT_CONTEXT = diff("+\t\t\t\t-e foo \\", start=4, **MAKEFILE)
FORBIDS = diff(
    " exports_grep_trailer := --include='*.[ch]' -nrw $(srctree)/virt/kvm | \\",
    "-\t\t\tgrep -v -e kvm_get_kvm \\",
    "+\t\t\tgrep -v \\",
    " \t\t\t\t-e kvm_put_kvm",
    start=2,
    **MAKEFILE,
)
BRINGS_THE_CHECK = diff(
    " obj-y += x86.o",
    "+exports_grep_trailer := --include='*.[ch]' -nrw $(srctree)/virt/kvm | grep -v -e foo",
    start=1,
    **MAKEFILE,
)


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
        b"--- /dev/null\n+++ b/arch/x86/kvm/Makefile\n@@ -0,0 +1 @@\n"
        b"+exports_grep_trailer := grep -v -e foo\n"
    )
    assert read(made + ADDED, tmp_path) == ([], [])


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
