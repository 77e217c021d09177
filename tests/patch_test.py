# SPDX-License-Identifier: MIT
"""Patches: every shape that they travel in, and nothing that could not be read passed over."""

from __future__ import annotations

import base64
import io
import os
import quopri
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kvm_export_hook.rules import lex
from kvm_export_hook.rules.judge import Finding, judge
from kvm_export_hook.rules.place import CODE
from kvm_export_hook.rules.scan import find_suspects
from kvm_export_hook.sources import patch, scope
from kvm_export_hook.sources.mail import contents
from tests.conftest import Command
from tests.grammar import SOURCES
from tests.reference import macros
from tests.support import ALLOWLIST, COMMAND, environment, make_facts, make_tree, write


def unexpected(place: bytes, error: OSError) -> None:
    raise AssertionError((place, error))


def findings_of(hunk: patch.Hunk) -> Iterable[Finding]:
    words = find_suspects(hunk.text, ALLOWLIST)
    return judge(hunk.text, words, make_facts(), hunk.first_line)


def read(text: bytes) -> tuple[list[str], list[str]]:
    """Judge what the patch TEXT adds: its findings as ``path:line symbol``, and the complaints."""
    complaints: list[str] = []

    def complain(place: bytes, error: OSError) -> None:
        complaints.append(f"{place.decode('utf-8', 'backslashreplace')}: {error.strerror}")

    findings = [
        f"{os.fsdecode(hunk.path)}:{finding.line} {(finding.symbol or b'-').decode('latin-1')}"
        for hunk in patch.hunks(io.BytesIO(text), b"p", complain)
        if scope.is_in_scope(hunk.path)
        for finding in hunk.added_of(findings_of(hunk))
    ]
    return findings, complaints


def diff(
    *lines: str, old: str = "a/virt/kvm/x.c", new: str = "b/virt/kvm/x.c", start: int = 10
) -> bytes:
    """Write a diff of one hunk."""
    before = sum(line[0] in " -" for line in lines)
    after = sum(line[0] in " +" for line in lines)
    head = f"diff --git {old} {new}\nindex 0123456..789abcd 100644\n--- {old}\n+++ {new}\n"
    hunk = f"@@ -{start},{before} +{start},{after} @@ int f(void)\n"
    return (head + hunk + "".join(f"{line}\n" for line in lines)).encode("latin-1")


ADDED = diff(" a;", "+EXPORT_SYMBOL_GPL(foo);", " b;")
FOUND = ["virt/kvm/x.c:11 foo"]

MAIL = b"""\
From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001
From: A Developer <developer@example.org>
Date: Mon, 2 Nov 2026 10:00:00 +0100
Subject: [PATCH] KVM: Add foo
%s
A message that quotes a hunk:

@@ -1,2 +1,2 @@
+EXPORT_SYMBOL_GPL(quoted);

and a header in a word: diff --git a/virt/kvm/y.c b/virt/kvm/y.c

Signed-off-by: A Developer <developer@example.org>
---
 virt/kvm/x.c | 1 +
 1 file changed, 1 insertion(+)

"""
SIGNATURE = b"-- \n2.39.5\n\n"


def mail(body: bytes, headers: bytes = b"") -> bytes:
    return MAIL % headers + body + SIGNATURE


def encoded(body: bytes, encoding: bytes) -> bytes:
    """Encode all but the header of a mail."""
    head, _, text = mail(body, b"Content-Transfer-Encoding: " + encoding + b"\n").partition(b"\n\n")
    write_encoded = base64.encodebytes if encoding == b"base64" else quopri.encodestring
    return head + b"\n\n" + write_encoded(text)


SHAPES = {
    "plain": (ADDED, FOUND),
    "no-prefix": (
        diff("+EXPORT_SYMBOL(a);", old="virt/kvm/x.c", new="virt/kvm/x.c"),
        ["virt/kvm/x.c:10 a"],
    ),
    "mnemonic-prefix": (
        diff("+EXPORT_SYMBOL(a);", old="i/virt/kvm/x.c", new="w/virt/kvm/x.c"),
        ["virt/kvm/x.c:10 a"],
    ),
    "two-directories": (
        diff("+EXPORT_SYMBOL(a);", old="linux.orig/virt/kvm/x.c", new="linux/virt/kvm/x.c")
        .partition(b"--- ")[2]
        .join([b"--- ", b""]),
        ["virt/kvm/x.c:10 a"],
    ),
    "diff-of-directories": (
        b"diff -Nur linux.orig/virt/kvm/x.c linux/virt/kvm/x.c\n"
        b"--- linux.orig/virt/kvm/x.c\t2026-11-01 10:00:00\n"
        b"+++ linux/virt/kvm/x.c\t2026-11-01 10:00:01\n"
        b"@@ -1 +1,2 @@\n a\n+EXPORT_SYMBOL(a);\n",
        ["virt/kvm/x.c:2 a"],
    ),
    "no-newline-at-the-end-of-the-patch": (
        diff(" a;", "+EXPORT_SYMBOL_GPL")[:-1],
        ["virt/kvm/x.c:11 -"],
    ),
    "html-without-a-diff": (b"Subject: a\nContent-Type: text/html\n\n<p>No diff.</p>\n", []),
    "signature-without-its-blank": (ADDED + b"--\n2.39.5\n\n", FOUND),
    "plain-diff-behind-a-symbolic-link": (
        b"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+x\n"
        b"\\ No newline at end of file\n"
        b"--- linux/virt/kvm/y.c.orig\n+++ linux/virt/kvm/y.c\n"
        b"@@ -1 +1 @@\n-a\n+EXPORT_SYMBOL(a);\n",
        ["virt/kvm/y.c:1 a"],
    ),
    "another-top-directory-without-a-prefix": (
        diff("+EXPORT_SYMBOL(a);", old="tools/virt/kvm/x.c", new="tools/virt/kvm/x.c"),
        [],
    ),
    "new-file-of-plain-diff": (
        b"--- /dev/null\n+++ linux/virt/kvm/x.c\n@@ -0,0 +1 @@\n+EXPORT_SYMBOL(a);\n",
        ["virt/kvm/x.c:1 a"],
    ),
    "absolute-names": (
        b"--- /old/virt/kvm/x.c\n+++ /home/me/linux/virt/kvm/x.c\n"
        b"@@ -1 +1 @@\n-a\n+EXPORT_SYMBOL(a);\n",
        ["virt/kvm/x.c:1 a"],
    ),
    "a-name-without-a-directory": (
        b"--- x.c\n+++ x.c\n@@ -1 +1 @@\n-a\n+EXPORT_SYMBOL(a);\n",
        [],
    ),
    "begins-in-a-comment-with-another-behind": (
        diff("+ * EXPORT_SYMBOL_NS_GPL(a);", " */", " int a; /* b */"),
        [],
    ),
    "begins-in-a-comment-that-ends-before-an-asterisk": (
        diff("+ * EXPORT_SYMBOL_NS_GPL(a) */* b */"),
        [],
    ),
    "begins-with-a-product": (
        diff("+ * EXPORT_SYMBOL_NS_GPL(a); /* b */", " /* c */"),
        ["virt/kvm/x.c:10 a"],
    ),
    "another-top-directory": (
        diff("+EXPORT_SYMBOL(a);", old="a/tools/virt/kvm/x.c", new="b/tools/virt/kvm/x.c"),
        [],
    ),
    "another-file": (diff("+EXPORT_SYMBOL(a);", old="a/fs/x.c", new="b/fs/x.c"), []),
    "removed-and-kept": (
        diff("-EXPORT_SYMBOL_GPL(a);", " EXPORT_SYMBOL_GPL(b);", "+int a;"),
        [],
    ),
    "changed": (
        diff("-EXPORT_SYMBOL_FOR_KVM_INTERNAL(a);", "+EXPORT_SYMBOL_GPL(a);"),
        ["virt/kvm/x.c:10 a"],
    ),
    "symbol-on-an-added-line": (
        diff(" EXPORT_SYMBOL_GPL(", "-\tfoo);", "+\tbar);"),
        ["virt/kvm/x.c:10 bar"],
    ),
    "second-argument-on-an-added-line": (
        diff(" EXPORT_SYMBOL_NS(a,", '-\t"b");', '+\t"c");', "+int d;"),
        ["virt/kvm/x.c:10 a"],
    ),
    "several-hunks": (
        diff(" a;", "+EXPORT_SYMBOL(b);") + b"@@ -100,2 +101,2 @@\n-x\n+EXPORT_SYMBOL(c);\n y\n",
        ["virt/kvm/x.c:11 b", "virt/kvm/x.c:101 c"],
    ),
    "several-hunks-of-one-line": (
        diff("+EXPORT_SYMBOL(b);") + b"@@ -20,0 +22 @@\n+EXPORT_SYMBOL(c);\n",
        ["virt/kvm/x.c:10 b", "virt/kvm/x.c:22 c"],
    ),
    "several-files": (
        ADDED
        + diff("+EXPORT_SYMBOL(b);", old="a/fs/x.c", new="b/fs/x.c")
        + diff("+EXPORT_SYMBOL(c);", old="a/arch/x86/kvm/y.h", new="b/arch/x86/kvm/y.h"),
        [*FOUND, "arch/x86/kvm/y.h:10 c"],
    ),
    "without-diff-lines": (
        b"".join(ADDED.splitlines(keepends=True)[2:])
        + b"--- a/arch/x86/kvm/y.h\n+++ b/arch/x86/kvm/y.h\n@@ -0,0 +1 @@\n+EXPORT_SYMBOL(c);\n",
        [*FOUND, "arch/x86/kvm/y.h:1 c"],
    ),
    "new-file": (
        b"diff --git a/virt/kvm/n.c b/virt/kvm/n.c\nnew file mode 100644\nindex 0000000..1234567\n"
        b"--- /dev/null\n+++ b/virt/kvm/n.c\n@@ -0,0 +1,2 @@\n+int a;\n+EXPORT_SYMBOL(b);\n",
        ["virt/kvm/n.c:2 b"],
    ),
    "new-empty-file": (
        b"diff --git a/virt/kvm/n.c b/virt/kvm/n.c\nnew file mode 100644\nindex 0000000..e69de29\n",
        [],
    ),
    "new-symbolic-link": (
        b"diff --git a/virt/kvm/l.c b/virt/kvm/l.c\nnew file mode 120000\nindex 0000000..1234567\n"
        b"--- /dev/null\n+++ b/virt/kvm/l.c\n@@ -0,0 +1 @@\n+EXPORT_SYMBOL(b)\n"
        b"\\ No newline at end of file\n",
        [],
    ),
    "deleted-file": (
        b"diff --git a/virt/kvm/x.c b/virt/kvm/x.c\ndeleted file mode 100644\n"
        b"index 1234567..0000000\n"
        b"--- a/virt/kvm/x.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-EXPORT_SYMBOL(b);\n",
        [],
    ),
    "rename": (
        b"diff --git a/fs/x.c b/virt/kvm/x.c\nsimilarity index 100%\n"
        b"rename from fs/x.c\nrename to virt/kvm/x.c\n" + ADDED,
        FOUND,
    ),
    "rename-with-a-change": (
        b"diff --git a/fs/x.c b/virt/kvm/x.c\nsimilarity index 90%\n"
        b"rename from fs/x.c\nrename to virt/kvm/x.c\nindex 1234567..89abcde 100644\n"
        b"--- a/fs/x.c\n+++ b/virt/kvm/x.c\n@@ -1 +1,2 @@\n a\n+EXPORT_SYMBOL(b);\n",
        ["virt/kvm/x.c:2 b"],
    ),
    "copy": (
        b"diff --git a/fs/x.c b/virt/kvm/x.c\nsimilarity index 100%\n"
        b"copy from fs/x.c\ncopy to virt/kvm/x.c\n",
        [],
    ),
    "mode-change": (
        b"diff --git a/virt/kvm/x.c b/virt/kvm/x.c\nold mode 100644\nnew mode 100755\n" + ADDED,
        FOUND,
    ),
    "binary": (
        b"diff --git a/virt/kvm/x.c b/virt/kvm/x.c\nindex 1234567..89abcde 100644\n"
        b"Binary files a/virt/kvm/x.c and b/virt/kvm/x.c differ\n" + ADDED,
        FOUND,
    ),
    "git-binary": (
        b"diff --git a/virt/kvm/x.c b/virt/kvm/x.c\nindex 1234567..89abcde 100644\n"
        b"GIT binary patch\nliteral 3\nKcmZQzWMT#Y01f~L\n\nliteral 0\nHcmV?d00001\n\n" + ADDED,
        FOUND,
    ),
    "no-newline-at-the-end": (
        diff("-EXPORT_SYMBOL(a);", "\\ No newline at end of file", "+EXPORT_SYMBOL(b);")
        + b"\\ No newline at end of file\n"
        + ADDED,
        ["virt/kvm/x.c:10 b", *FOUND],
    ),
    "empty-context-line": (
        b"--- a/virt/kvm/x.c\n+++ b/virt/kvm/x.c\n@@ -1,2 +1,3 @@\n a\n\n+EXPORT_SYMBOL(b);\n",
        ["virt/kvm/x.c:3 b"],
    ),
    "quoted-name": (
        diff(
            "+EXPORT_SYMBOL(a);",
            old='"a/virt/kvm/\\303\\251\\t\\"\\\\.c"',
            new='"b/virt/kvm/\\303\\251\\t\\"\\\\.c"',
        ),
        ['virt/kvm/é\t"\\.c:10 a'],
    ),
    "name-with-a-blank": (
        b"diff --git a/virt/kvm/a b.c b/virt/kvm/a b.c\nindex 1234567..89abcde 100644\n"
        b"--- a/virt/kvm/a b.c\t\n+++ b/virt/kvm/a b.c\t\n@@ -0,0 +1 @@\n+EXPORT_SYMBOL(a);\n",
        ["virt/kvm/a b.c:1 a"],
    ),
    "crlf-in-the-file": (
        ADDED.replace(b";\n", b";\r\n"),
        FOUND,
    ),
    "crlf-on-the-way": (ADDED.replace(b"\n", b"\r\n"), FOUND),
    "bytes-of-any-kind": (
        diff(" \xff\x00\r\x85", "+EXPORT_SYMBOL_GPL(\xe9);"),
        ["virt/kvm/x.c:11 \xe9"],
    ),
    "climbs-out": (
        diff(
            "+EXPORT_SYMBOL(a);",
            old="a/virt/kvm/../../../etc/x.c",
            new="b/virt/kvm/../../../etc/x.c",
        ),
        [],
    ),
    "begins-in-a-comment": (
        diff("  * EXPORT_SYMBOL_NS(a);", "+ * EXPORT_SYMBOL_NS(b);", "  */", "+EXPORT_SYMBOL(c);"),
        ["virt/kvm/x.c:13 c"],
    ),
    "begins-with-the-end-of-a-comment": (
        diff(" ", "  */", "+EXPORT_SYMBOL(c);"),
        ["virt/kvm/x.c:12 c"],
    ),
    "an-asterisk-behind-code": (
        diff(" int a", "+ * EXPORT_SYMBOL_NS(b);"),
        ["virt/kvm/x.c:11 b"],
    ),
    "mail": (mail(ADDED), FOUND),
    "mail-of-8-bits": (
        mail(ADDED.replace(b"a;", b"\xe9;"), b"Content-Transfer-Encoding: 8bit\n"),
        FOUND,
    ),
    "quoted-printable": (encoded(ADDED.replace(b"a;", b"a = \xe9;"), b"quoted-printable"), FOUND),
    "base64": (encoded(ADDED, b"base64"), FOUND),
    "mail-with-crlf": (mail(ADDED).replace(b"\n", b"\r\n"), FOUND),
    "mail-without-a-from-line": (mail(ADDED).partition(b"\n")[2], FOUND),
    "multipart": (
        b"From: a@example.org\nSubject: [PATCH] a\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/mixed; boundary="xx"\n\n--xx\nContent-Type: text/plain\n\nHello\n'
        b"--xx\nContent-Type: text/x-patch\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(ADDED)
        + b"\n--xx\nContent-Type: text/html\n\n<pre>\n"
        + ADDED
        + b"\n--xx--\n",
        FOUND,
    ),
    "hunk-of-nothing": (ADDED.partition(b"@@")[0] + b"@@ -0,0 +0,0 @@\n", []),
    "no-final-newline": (ADDED[:-1], FOUND),
    "no-final-newline-twice": (ADDED + b"\\ No newline at end of file", FOUND),
    "name-with-a-blank-and-no-prefix": (
        diff("+EXPORT_SYMBOL(a);", old="i/virt/kvm/x y.c", new="w/virt/kvm/x y.c"),
        ["virt/kvm/x y.c:10 a"],
    ),
    "prefix-of-one's-own": (
        b"diff --git old/virt/kvm/n.c new/virt/kvm/n.c\nnew file mode 100644\nindex 0..1\n"
        b"--- /dev/null\n+++ new/virt/kvm/n.c\n@@ -0,0 +1 @@\n+EXPORT_SYMBOL(b);\n",
        ["virt/kvm/n.c:1 b"],
    ),
    "new-file-without-a-prefix": (
        b"diff --git virt/kvm/n.c virt/kvm/n.c\nnew file mode 100644\nindex 0..1\n"
        b"--- /dev/null\n+++ virt/kvm/n.c\n@@ -0,0 +1 @@\n+EXPORT_SYMBOL(b);\n",
        ["virt/kvm/n.c:1 b"],
    ),
    "saved-original": (
        b"--- linux/virt/kvm/x.c.orig\n+++ linux/virt/kvm/x.c\n"
        b"@@ -1 +1 @@\n-a\n+EXPORT_SYMBOL(b);\n",
        ["virt/kvm/x.c:1 b"],
    ),
    "saved-new": (
        b"--- a/virt/kvm/x.c\n+++ c/virt/kvm/x.c.new\n@@ -1 +1 @@\n-a\n+EXPORT_SYMBOL(b);\n"
        .replace(b"c/", b"new/"),
        ["virt/kvm/x.c:1 b"],
    ),
    "directories-elsewhere": (
        b"diff -urpN ../linux.old/virt/kvm/x.c ../../linux/virt/kvm/x.c\n"
        b"--- ../linux.old/virt/kvm/x.c   2026-01-01 10:00:00.000000000 +0100\n"
        b"+++ ../../linux/virt/kvm/x.c   2026-01-01 10:00:00.000000000 +0100\n"
        b"@@ -1 +1 @@\n-a\n+EXPORT_SYMBOL(b);\n",
        ["virt/kvm/x.c:1 b"],
    ),
    "directories-too-deep": (
        b"--- linux/tools/virt/kvm/x.c\n+++ linux/tools/virt/kvm/x.c\n"
        b"@@ -1 +1 @@\n-a\n+EXPORT_SYMBOL(b);\n",
        [],
    ),
    "begins-in-a-product": (
        diff(" \t * PAGE_SIZE;", " }", "+EXPORT_SYMBOL_NS(a);"),
        ["virt/kvm/x.c:12 a"],
    ),
    "begins-in-a-product-before-a-comment": (
        diff(" \t * PAGE_SIZE; /* b */", "+EXPORT_SYMBOL_NS(a);"),
        ["virt/kvm/x.c:11 a"],
    ),
    "all-in-a-comment": (diff("  * a", "  *", "+ * EXPORT_SYMBOL_NS(b);"), []),
    "message-with-dashes": (
        mail(b"--- v1 -> v2 ---\n\n" + ADDED),
        FOUND,
    ),
    "encoding-with-a-blank": (
        encoded(ADDED, b"base64").replace(b"base64\n", b"base64 \n", 1),
        FOUND,
    ),
    "encoding-folded": (
        encoded(ADDED, b"base64").replace(b" base64\n", b"\n base64\n", 1),
        FOUND,
    ),
    "encoding-twice": (
        encoded(ADDED, b"base64").replace(
            b"Content-Tr", b"Content-Transfer-Encoding: 7bit\nContent-Tr", 1
        ),
        FOUND,
    ),
    "html-alone": (b"From: a\nContent-Type: text/html\n\n" + ADDED, FOUND),
    "git-show-of-nothing": (b"commit 0123456789\nAuthor: a\n\n    Empty\n", []),
    "submodule": (b"Submodule a 0123456..789abcd:\n  > b\n", []),
    "mbox": (
        mail(b"") + mail(ADDED) + mail(diff("+EXPORT_SYMBOL(b);")),
        [*FOUND, "virt/kvm/x.c:10 b"],
    ),
    "cover-letter": (mail(b""), []),
    "git-log": (
        b"commit 0123456\nAuthor: A Developer\n\n    Message\n\n" + ADDED
        + b"\ncommit 789abcd\nAuthor: A Developer\n\n    Message\n    @@ -1 +1 @@\n\n" + ADDED,
        FOUND * 2,
    ),
    "empty": (b"", []),
    "blank": (b"\n\n", []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SHAPES.values(), ids=SHAPES)
def test_shapes(text: bytes, expected: list[str]) -> None:
    assert read(text) == (expected, [])


def test_a_file_that_is_deleted_has_nothing_to_judge() -> None:
    text = diff("-EXPORT_SYMBOL(a);", new="/dev/null").replace(b"+10,0", b"+0,0")
    assert not list(patch.hunks(io.BytesIO(text), b"p", unexpected))


HUNK = "+++ b/virt/kvm/x.c: @@ -10,2 +10,3 @@ int f(void)"

BROKEN = {
    "short": (ADDED[:-4], f"p: {HUNK}: cannot be read: Hunk is shorter than expected"),
    "cut-in-the-hunk": (
        ADDED.partition(b"+EXPORT")[0],
        f"p: {HUNK}: cannot be read: Hunk is shorter than expected",
    ),
    "cut-behind-the-hunk-header": (
        ADDED.partition(b" a;")[0],
        f"p: {HUNK}: cannot be read: Hunk is shorter than expected",
    ),
    "cut-behind-the-names": (
        ADDED.partition(b"@@")[0],
        "p: +++ b/virt/kvm/x.c: cannot be read: no hunk follows",
    ),
    "cut-behind-the-index": (
        ADDED.partition(b"---")[0],
        "p: diff --git a/virt/kvm/x.c b/virt/kvm/x.c: cannot be read: no hunk follows",
    ),
    "cut-before-the-next-file": (
        ADDED[:-4] + ADDED,
        f"p: {HUNK}: cannot be read: Hunk is shorter than expected",
    ),
    "count-too-small": (
        ADDED.replace(b"-10,2 +10,3", b"-10,1 +10,2"),
        "p: +++ b/virt/kvm/x.c: @@ -10,1 +10,2 @@ int f(void): cannot be read:"
        " lines are left behind the hunk of 10",
    ),
    "count-of-one-side-too-small": (
        ADDED.replace(b"-10,2 +10,3", b"-10,2 +10,2"),
        "p: +++ b/virt/kvm/x.c: @@ -10,2 +10,2 @@ int f(void): cannot be read:"
        " Hunk is longer than expected",
    ),
    "count-too-large": (
        ADDED.replace(b"-10,2 +10,3", b"-10,2 +10,9"),
        "p: +++ b/virt/kvm/x.c: @@ -10,2 +10,9 @@ int f(void): cannot be read:"
        " Hunk is shorter than expected",
    ),
    "hunk-header": (
        ADDED.replace(b"@@ -10,2 +10,3 @@", b"@@ -10,2 +10,x @@"),
        "p: diff --git a/virt/kvm/x.c b/virt/kvm/x.c: cannot be read: it has a broken hunk header",
    ),
    "second-hunk-header": (
        ADDED + b"@@ -30 +30\n+EXPORT_SYMBOL(b);\n",
        "p: diff --git a/virt/kvm/x.c b/virt/kvm/x.c: cannot be read: it has a broken hunk header",
    ),
    "line-count-of-too-many-digits": (
        ADDED.replace(b"+10,3", b"+10," + b"9" * 5000),
        "p: diff --git a/virt/kvm/x.c b/virt/kvm/x.c: cannot be read: it has a broken hunk header",
    ),
    "removed-line-left": (
        ADDED + b"--b\n+EXPORT_SYMBOL(c);\n",
        "p: +++ b/virt/kvm/x.c: @@ -10,2 +10,3 @@ int f(void): cannot be read:"
        " lines are left behind the hunk of 10",
    ),
    "line-left-behind-a-blank-one": (
        ADDED + b"\n+EXPORT_SYMBOL(c);\n",
        "p: +++ b/virt/kvm/x.c: @@ -10,2 +10,3 @@ int f(void): cannot be read:"
        " lines are left behind the hunk of 10",
    ),
    "line-left": (
        ADDED + b"+EXPORT_SYMBOL(c);\n",
        f"p: {HUNK}: cannot be read: lines are left behind the hunk of 10",
    ),
    "line-left-behind-the-remark-on-a-newline": (
        ADDED + b"\\ No newline at end of file\n+EXPORT_SYMBOL(c);\n",
        f"p: {HUNK}: cannot be read: lines are left behind the hunk of 10",
    ),
    "second-hunk": (
        ADDED + b"@@ -30,9 +31,9 @@\n+EXPORT_SYMBOL(b);\n",
        "p: +++ b/virt/kvm/x.c: @@ -30,9 +31,9 @@: cannot be read: Hunk is shorter than expected",
    ),
    "line-left-without-its-blank": (
        ADDED + b"\tint a;\n",
        "p: +++ b/virt/kvm/x.c: @@ -10,2 +10,3 @@ int f(void): cannot be read:"
        " lines are left behind the hunk of 10",
    ),
    "names-without-a-hunk-in-git's-form": (
        b"--- a/virt/kvm/x.c\n+++ b/virt/kvm/x.c\nhello\n",
        "p: +++ b/virt/kvm/x.c: cannot be read: no hunk follows",
    ),
    "parts-in-parts": (
        b"From: a\n"
        + b"".join(
            b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (number, number)
            for number in range(3000)
        ),
        "p: cannot be read: parts in parts without end",
    ),
    "error-message": (b"fatal: bad revision 'x'\n", "p: holds no diff"),
    "combined": (
        b"diff --cc virt/kvm/x.c\nindex 1,2..3\n--- a/virt/kvm/x.c\n+++ b/virt/kvm/x.c\n"
        b"@@@ -1,1 -1,1 +1,2 @@@\n  a\n++EXPORT_SYMBOL(b);\n",
        "p: diff --cc virt/kvm/x.c: cannot be read: it is the combined diff of a merge",
    ),
    "garbage": (b"\x00\xffgarbage\n" * 10, "p: holds no diff"),
    "coloured": (b"\x1b[1mdiff --git a/virt/kvm/x.c b/virt/kvm/x.c\x1b[m\n", "p: holds no diff"),
    "in-a-mail": (
        mail(ADDED[:-4]),
        "p: [PATCH] KVM: Add foo: +++ b/virt/kvm/x.c: @@ -10,2 +10,3 @@ int f(void):"
        " cannot be read: Hunk diff line expected",
    ),
}


@pytest.mark.parametrize(("text", "complaint"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_named(text: bytes, complaint: str) -> None:
    _, complaints = read(text)
    assert complaints == [complaint]


def test_what_can_be_read_beside_it_is_judged() -> None:
    findings, complaints = read(ADDED + BROKEN["combined"][0] + ADDED)
    assert findings == FOUND * 2
    assert len(complaints) == 1


def test_a_mail_behind_one_that_cannot_be_read_is_judged() -> None:
    separator = b"From a Mon Sep 17 00:00:00 2001\n"
    findings, complaints = read(separator + BROKEN["parts-in-parts"][0] + b"\n" + mail(ADDED))
    assert findings == FOUND
    assert len(complaints) == 1


@pytest.mark.parametrize(
    ("header", "subject"),
    {
        "plain": (b"Subject: KVM: a", "KVM: a"),
        "folded": (b"Subject: KVM:\n a", "KVM: a"),
        "encoded": (b"Subject: =?utf-8?q?KVM=3A_=C3=A9?=", "KVM: é"),
        "unknown-encoding": (b"Subject: =?x-none?q?a?=", "=?x-none?q?a?="),
        "broken-base64": (b"Subject: =?utf-8?b?a?=", "=?utf-8?b?a?="),
        "lone-surrogate": (b"Subject: =?utf-7?q?+2AA-?=", "\\ud800"),
        "very-long": (b"Subject: " + b"=?a?q?" * 200000, "=?a?q?" * 166 + "=?a?"),
        "raw-bytes": (b"Subject: \xc3\xa9", "é"),
        "none": (b"To: b", "(no subject)"),
    }.values(),
)
def test_the_subject(header: bytes, subject: str) -> None:
    text, _plain, _html = contents(b"From: a\n" + header + b"\n\n" + ADDED)
    assert text == subject


# The same as the check of whole files.

LINES = st.lists(
    st.one_of(
        SOURCES,
        st.sampled_from([b"EXPORT_SYMBOL_GPL(a);\n", b"EXPORT_SYMBOL(b);\n", b"/* c\n", b" */\n"]),
        st.integers(0, 99).map(lambda number: b"int a%d;\n" % number),
    ),
    max_size=12,
)


@given(before=LINES, cut=st.tuples(st.integers(0, 12), st.integers(0, 12)), put=LINES)
def test_a_patch_is_judged_as_the_lines_that_it_adds(
    scratch: Path, before: list[bytes], cut: tuple[int, int], put: list[bytes]
) -> None:
    after = before[: min(cut)] + put + before[max(cut) :]
    old, new = b"".join(before), b"".join(after)
    assume(old != new and old and new)
    text = git_diff(scratch, old, new, context=1_000_000)
    added = {
        line for hunk in patch.hunks(io.BytesIO(text), b"p", unexpected) for line in hunk.added
    }
    expected = [
        f"virt/kvm/x.c:{finding.line} {(finding.symbol or b'-').decode('latin-1')}"
        for finding in judge(new, find_suspects(new, ALLOWLIST), make_facts())
        if touches(new, finding, added)
    ]
    assert read(text) == (expected, [])


@given(before=LINES, cut=st.tuples(st.integers(0, 12), st.integers(0, 12)), put=LINES)
def test_with_little_context_only_what_no_hunk_shows_is_judged_otherwise(
    scratch: Path, before: list[bytes], cut: tuple[int, int], put: list[bytes]
) -> None:
    around = [b"int before;\n"] * 5
    after = before[: min(cut)] + put + before[max(cut) :]
    old, new = b"".join(around + before + around), b"".join(around + after + around)
    assume(old != new)
    text = git_diff(scratch, old, new, context=3)
    whole = list(judge(new, find_suspects(new, ALLOWLIST), make_facts()))
    places = lex.find_places(new, macros(new))
    ends = {word[0]: place.end for word, place in zip(macros(new), places, strict=True)}
    lines = [0, *(match.end() for match in re.finditer(rb"\n", new))]
    for hunk in patch.hunks(io.BytesIO(text), b"p", unexpected):
        start = lines[hunk.first_line - 1]
        end = start + len(hunk.text)
        (at_start,) = lex.find_places(new, [(start, b"")])
        # How a comment, a string or a long #define began is not to be seen, nor
        # the other half of a line splice; and a leading asterisk is a comment's.
        if at_start.kind != CODE or lex.SPLICES.search(new[:start][-9:]):
            continue
        if hunk.text.startswith(b"/*\n") or hunk.text.lstrip().startswith(b"*"):
            continue
        expected = [
            (finding.line, finding.rule, finding.symbol)
            for finding in whole
            if start <= finding.offset
            and ends[finding.offset] <= end
            and touches(new, finding, hunk.added)
        ]
        told = [
            (finding.line, finding.rule, finding.symbol)
            for finding in hunk.added_of(findings_of(hunk))
            # The end of a call is not to be seen either.
            if ends.get(start + finding.offset, end) <= end
        ]
        assert told == expected


def git_diff(top: Path, old: bytes, new: bytes, context: int) -> bytes:
    """Let git write the patch from OLD to NEW, with so many lines of CONTEXT."""
    (top / "virt/kvm/x.c").write_bytes(old)
    subprocess.run(["git", "add", "."], cwd=top, check=True)
    (top / "virt/kvm/x.c").write_bytes(new)
    command = ["git", "diff", f"-U{context}", "--text"]
    return subprocess.run(command, cwd=top, capture_output=True, check=True).stdout


def touches(source: bytes, finding: Finding, lines: set[int]) -> bool:
    """Whether the macro or the call of a finding in SOURCE lies on one of LINES."""
    last = finding.line + source.count(b"\n", finding.offset, finding.end)
    return bool(lines & set(range(finding.line, last + 1)))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("patch")
    (top / "virt/kvm").mkdir(parents=True)
    for command in (["git", "init", "--quiet"], ["git", "config", "core.autocrlf", "false"]):
        subprocess.run(command, cwd=top, check=True)
    return top


# The command.


def run(*arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(COMMAND), *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        env=environment(),
    )


def test_a_patch_from_stdin_and_from_a_file(top: Path, command: Command) -> None:
    path = write(top / "x.patch", ADDED)
    status, out, err = command("--patch", str(path))
    assert (status, err) == (1, "")
    assert out.startswith(
        "virt/kvm/x.c:11:1: error: EXPORT_SYMBOL_GPL(foo):"
        " symbol is not on the allowlist [not-allowlisted]\n"
        "   11 | EXPORT_SYMBOL_GPL(foo);\n"
    )
    assert run("--patch", "-", stdin=ADDED).stdout.decode() == out
    assert command("--patch", str(write(top / "clean", diff("+int a;")))) == (0, "", "")
    elsewhere = ADDED.replace(b"virt/kvm", b"fs")
    status, out, err = command("--patch", str(write(top / "fs.patch", elsewhere)))
    assert (status, out) == (0, "")
    assert err.startswith("kvm-export-hook: nothing checked: ")
    assert run("--patch", "-", stdin=b"").stderr == b""


def test_subjects_stand_above_the_findings_of_several_mails(top: Path, command: Command) -> None:
    two = mail(ADDED) + mail(b"") + mail(ADDED + ADDED).replace(b"Add foo", b"Add bar")
    out = command("--patch", str(write(top / "m", two))).out
    starts = [line.partition(":1")[0] for line in out.splitlines()]
    assert [start for start in starts if start.startswith(("mail", "virt"))] == [
        "mail: [PATCH] KVM: Add foo",
        "virt/kvm/x.c",
        "mail: [PATCH] KVM: Add bar",
        "virt/kvm/x.c",
        "virt/kvm/x.c",
    ]
    assert "[PATCH]" not in command("--patch", str(write(top / "m", mail(ADDED)))).out
    colored = command("--color=always", "--patch", str(write(top / "m", two))).out
    assert "\x1b[1mmail: [PATCH] KVM: Add bar\x1b[m\n" in colored


def test_a_subject_cannot_drive_the_terminal(top: Path, command: Command) -> None:
    hostile = (mail(ADDED) * 2).replace(b"KVM: Add foo", b"=?utf-8?q?=1b[2J?=")
    out = command("--patch", str(write(top / "m", hostile))).out
    assert out.startswith("mail: [PATCH] \\x1b[2J\n")


def test_checkpatch_format(top: Path, command: Command) -> None:
    path = str(write(top / "x.patch", ADDED))
    assert command("--format", "checkpatch", "--patch", path) == (
        1,
        "virt/kvm/x.c:11: ERROR: EXPORT_SYMBOL_GPL(foo): symbol is not on the allowlist;"
        " use EXPORT_SYMBOL_FOR_KVM_INTERNAL\n",
        "",
    )
    assert command("--format=checkpatch") == (0, "", "")
    assert command("--format=checkpatch", "x.patch") == (0, "", "")


def test_a_tree_without_the_macro_is_left_alone(top: Path, command: Command) -> None:
    make_tree(top, macro=False)
    path = str(write(top / "x.patch", ADDED))
    assert "nothing enforced" in command("--patch", path).err
    assert command("--format", "checkpatch", "--patch", path) == (0, "", "")
    assert command("--force", "--patch", path).status == 1


def test_the_list_of_the_tree_is_in_force(
    top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    make_tree(top, check=True)
    text = diff("+EXPORT_SYMBOL_GPL(kvm_get_kvm_safe);")
    path = str(write(tmp_path / "x.patch", text))
    assert command("--patch", path).status == 1
    monkeypatch.chdir(top / "virt")
    assert command("--patch", path).status == 1
    monkeypatch.chdir(tmp_path)
    assert command("--patch", path) == (0, "", "")
    assert command("--srctree=linux", "--patch", path).status == 1


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    {
        "path": (["--patch", "x", "virt"], "--patch cannot be combined with PATH"),
        "fix": (["--patch", "x", "--fix"], "--patch cannot be combined with --fix"),
        "diff": (["--patch=x", "--diff"], "--patch cannot be combined with --diff"),
        "format": (["--format=checkpatch", "--fix"], "--fix cannot be combined with --format"),
    }.values(),
)
def test_what_makes_no_sense_together(
    top: Path, command: Command, arguments: list[str], wrong: str
) -> None:
    status, out, err = command(*arguments)
    assert (status, out) == (2, "")
    assert f"kvm-export-hook: error: {wrong}: see --help\n" in err


def test_patches_that_are_not_there(top: Path, command: Command) -> None:
    assert command("--patch", "gone") == (
        2,
        "",
        "kvm-export-hook: error: gone: No such file or directory: check the name\n",
    )
    assert command("--patch", ".").err == (
        "kvm-export-hook: error: .: Is a directory: expected a file\n"
    )
    done = subprocess.run(
        ["bash", "-c", '"$0" --patch - <&-', str(COMMAND)], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        2,
        b"kvm-export-hook: error: standard input: is closed\n",
    )


@pytest.mark.parametrize(
    "text",
    [ADDED + b"Binary files " + b"a and " * 100_000, b"diff --git " + b"://" * 100_000 + b"\n"],
    ids=["binary-files", "diff-git"],
)
def test_remarks_without_end_are_refused(text: bytes) -> None:
    findings, (complaint,) = read(text)
    assert findings == []
    assert complaint.endswith(": cannot be read: it has a line too long for what it is")


def test_blanks_without_end_in_a_name() -> None:
    name = b"virt/kvm/x.c" + b" 2026-11-01 " * 400_000 + b" " * 4_000_000 + b"x"
    text = b"--- a/%s\n+++ b/%s\n@@ -1 +1 @@\n-a\n+EXPORT_SYMBOL(a);\n" % (name, name)
    assert read(text) == (["virt/kvm/x.c:1 a"], [])


def test_a_line_without_end_separates_no_mails() -> None:
    assert read(b"x\nFrom " + b"1:11" * 100_000 + b"\n" + ADDED) == (FOUND, [])


def test_a_tree_that_is_not_there(top: Path, command: Command) -> None:
    path = str(write(top / "x.patch", ADDED))
    assert command("--patch", path, "--srctree", "gone") == (
        2,
        "",
        "kvm-export-hook: error: gone: no such directory: name a kernel tree\n",
    )


def test_a_working_directory_that_is_gone(
    top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    path = str(write(top / "x.patch", ADDED))
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert command("--patch", path).status == 2
    assert command("--patch", path, "--srctree", str(top)).status == 1
    monkeypatch.chdir(top)


def test_a_broken_patch_is_named_with_its_place(top: Path) -> None:
    done = run("--patch", "-", stdin=ADDED + BROKEN["combined"][0].replace(b"x.c", b"\x1b[2J.c"))
    assert done.returncode == 2
    assert done.stdout.startswith(b"virt/kvm/x.c:11:1: error: ")
    assert done.stderr == (
        b"kvm-export-hook: error: standard input: diff --cc virt/kvm/\\x1b[2J.c:"
        b" cannot be read: it is the combined diff of a merge\n"
    )
