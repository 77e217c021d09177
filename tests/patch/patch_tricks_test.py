# SPDX-License-Identifier: MIT
"""Patches that git applies, and that look like something else: each adds an unwanted export."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from kvm_export_hook.patch.diff import JOINED_LINES_MESSAGE
from tests.helpers.cases import parametrize
from tests.helpers.git_am import BASE, ask_both, make_repository
from tests.helpers.patches import read
from tests.helpers.repositories import Repository

HEADERS = b"From: A Developer <developer@example.org>\nSubject: [PATCH] KVM: Change\n"
BASE64 = b"Content-Transfer-Encoding: base64\n"
LIB = b"int l1;\nint l2;\nint l3;\nEXPORT_SYMBOL_GPL(lib_symbol);\n"
FILES = BASE | {"lib/kvm/l.c": LIB, "dev/nullx/l.c": LIB}


def patch(hunks: bytes, name: bytes = b"virt/kvm/x.c") -> bytes:
    """Write the diff of a file that has HUNKS."""
    return b"diff --git a/%s b/%s\nindex 0123456..789abcd 100644\n--- a/%s\n+++ b/%s\n" % (
        *[name] * 4,
    ) + (hunks)


def mail(diff: bytes, headers: bytes = b"") -> bytes:
    """Write a mail; DIFF is encoded in base64 if its HEADERS say so."""
    body = b"A message.\n---\n" + diff + b"-- \n2.39.5\n"
    return HEADERS + headers + b"\n" + (base64.encodebytes(body) if BASE64 in headers else body)


def link(mode: bytes, index: bytes = b"") -> bytes:
    """Write the diff of a new symbolic link to a file that has an export."""
    return (
        b"diff --git a/virt/kvm/n.c b/virt/kvm/n.c\nnew file mode %s\nindex 0000000..789abcd%s\n"
        b"--- /dev/null\n+++ b/virt/kvm/n.c\n@@ -0,0 +1 @@\n+../../lib/l.c\n"
        b"\\ No newline at end of file\n" % (mode, index)
    )


ADDS = b"@@ -1,3 +1,4 @@\n int a;\n int b;\n+EXPORT_SYMBOL_GPL(kvm_x);\n int c;\n"
ADDED = patch(ADDS)
NO_END = b"\\ No newline at end of file\n"
LIB_HUNK = b"@@ -1,3 +1,3 @@\n-int l1;\n+int l9;\n int l2;\n int l3;\n"
WHOLE = b"--- doc.txt\n+++ doc.txt\n@@ -1 +1 @@\n-doc\n+text\n"

JOINED = {
    "in-the-middle-of-a-hunk": patch(
        b"@@ -1,3 +1,5 @@\n int a;\n int b;\n+EXPORT_SYM\n%s+BOL_GPL(kvm_x);\n int c;\n" % NO_END
    ),
    "between-hunks": patch(
        b"@@ -1,3 +1,4 @@\n int a;\n int b;\n int c;\n+EXPORT_SYM\n%s"
        b"@@ -3,0 +5 @@\n+BOL_GPL(kvm_x);\n" % NO_END
    ),
    "between-two-diffs-of-a-file": patch(
        b"@@ -1,3 +1,4 @@\n int a;\n int b;\n int c;\n+EXPORT_SYM\n" + NO_END
    )
    + patch(b"@@ -3,0 +5 @@\n+BOL_GPL(kvm_x);\n"),
}
TRICKS = {
    **{f"lines-joined-{name}": mail(diff) for name, diff in JOINED.items()},
    "mode-with-more-after-it": mail(link(b"120000 more")),
    "mode-with-a-plus": mail(link(b"+120000")),
    "mode-with-a-tab": mail(link(b"\t120000")),
    "unknown-header-line-ends-the-header": mail(
        b"diff --git a/doc.txt b/doc.txt\nold mode 100644\nnew mode 100755\ncopy old it\n"
        b"--- a/virt/kvm/x.c\n+++ b/virt/kvm/x.c\n%s--- a/lib/l.c\n+++ b/lib/l.c\n"
        b"@@ -1,3 +1,4 @@\n int l1;\n int l2;\n+int l;\n int l3;\n"
        b"diff --git a/q b/q\ncopy old it\n" % ADDS
    ),
    "renamed-in-names-without-a-prefix": mail(
        WHOLE + b"diff --git lib/kvm/l.c virt/kvm/l.c\nindex 0123456..789abcd 100644\n"
        b"--- lib/kvm/l.c\n+++ virt/kvm/l.c\n" + LIB_HUNK
    ),
    "renamed-in-quoted-names": mail(
        WHOLE + b'diff --git "lib/kvm/l.c" "virt/kvm/l.c"\nindex 0123456..789abcd 100644\n'
        b'--- "lib/kvm/l.c"\n+++ "virt/kvm/l.c"\n' + LIB_HUNK
    ),
    "renamed-from-a-name-that-begins-as-the-null-device": mail(
        b"diff --git a/x b/y\nindex 0123456..789abcd 100644\n"
        b"--- /dev/nullx/l.c\n+++ b/virt/kvm/l.c\n" + LIB_HUNK
    ),
    "first-header-of-a-mail-as-in-a-diff": b"Index: 1\n" + mail(ADDED, BASE64),
    "charset-in-another-attribute": mail(
        ADDED, BASE64 + b"Content-Type: text/plain; charset=utf-8; name=charset=utf-16le\n"
    ),
    "two-charsets": mail(
        ADDED,
        BASE64 + b"Content-Type: text/plain; charset=utf-16\n"
        b"Content-Type: text/plain; charset=utf-8\n",
    ),
    "name-of-the-list-in-a-comment": mail(
        patch(b"@@ -5,0 +6 @@\n+# -e kvm_x\n", b"arch/x86/kvm/Makefile") + ADDED
    ),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Make the repository that the patches are for."""
    return make_repository(tmp_path_factory.mktemp("tricks") / "base", FILES)


@parametrize("text", TRICKS)
def test_what_git_applies_is_found_or_refused(
    base: Repository, tmp_path: Path, text: bytes
) -> None:
    verdicts = ask_both(base, tmp_path / "applied", text)
    assert verdicts.is_applied
    assert verdicts.adds
    assert verdicts.status in (1, 2), verdicts.output


@parametrize("text", JOINED)
def test_lines_that_git_joins_are_not_read_as_hunks(text: bytes) -> None:
    found, (complaint,) = read(text)
    assert found == []
    assert JOINED_LINES_MESSAGE in complaint


def test_a_new_file_begins_in_no_comment() -> None:
    text = b" * EXPORT_SYMBOL_GPL(kvm_x);\n */\n"
    diff = b"--- /dev/null\n+++ b/virt/kvm/n.c\n@@ -0,0 +1,2 @@\n" + b"".join(
        b"+" + line for line in text.splitlines(keepends=True)
    )
    assert read(diff) == (["virt/kvm/n.c:1 kvm_x"], [])


def test_a_file_may_lose_and_have_no_line_end() -> None:
    change = b"@@ -1,3 +1,3 @@\n int a;\n int b;\n-int c;\n%s+int d;\n%s" % (NO_END, NO_END)
    assert read(patch(change) + patch(ADDS)) == (["virt/kvm/x.c:3 kvm_x"], [])


def test_a_name_of_the_list_in_a_comment_of_another_makefile_permits_nothing() -> None:
    makefile = patch(b"@@ -5,2 +5,3 @@\n x\n+# -e kvm_x\n y\n", b"arch/x86/kvm/Makefile")
    assert read(makefile + ADDED) == (["virt/kvm/x.c:3 kvm_x"], [])


def test_what_is_wrong_in_many_places_is_said_of_the_first() -> None:
    text = ADDED + (patch(LIB_HUNK, b"lib/l.c") + b"+more\n") * 5_000
    _, complaints = read(text)
    assert complaints == [
        "p: line 19 of the diff: the added lines after the hunk belong to no hunk:"
        " make the patch again, or check the commit with --commits"
    ]


# A reader that is not linear needs hours for these.
HOSTILE = {
    "zeros-in-a-mode": (
        patch(ADDS).replace(b" 100644", b" " + b"0" * 200_000 + b" more"),
        "becomes something other than a plain file",
    ),
    "names-in-a-line-of-a-broken-patch": (
        patch(LIB_HUNK[:-1], b"lib/l.c") + b"diff " + b"virt/kvm/" * 200_000 + b"\n@@ -1 +1 @@\n",
        "",
    ),
}


@parametrize(("text", "complaint"), HOSTILE)
def test_hostile_lines_are_read_once(text: bytes, complaint: str) -> None:
    _, complaints = read(text)
    assert complaint in "".join(complaints)
