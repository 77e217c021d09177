# SPDX-License-Identifier: MIT
"""Patches: every shape that they travel in, and nothing that could not be read passed over."""

from __future__ import annotations

import base64
import quopri
import subprocess
from pathlib import Path

import pytest

from kvm_export_hook.patch.patches import HUNKS_ALONE_MESSAGE
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.patches import ADDED, FOUND, diff, mail, read
from tests.helpers.support import COMMAND, NOT_LISTED, make_environment, make_tree, write


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
    "signature-without-its-blank": (ADDED + b"--\n2.39.5\n\n", FOUND),
    "plain-diff-after-a-symbolic-link": (
        b"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+x\n"
        b"\\ No newline at end of file\n"
        b"--- linux/virt/kvm/y.c.orig\n+++ linux/virt/kvm/y.c\n"
        b"@@ -1 +1 @@\n-a\n+EXPORT_SYMBOL(a);\n",
        ["virt/kvm/y.c:1 a"],
    ),
    "another-top-directory-without-a-prefix": (
        diff("+EXPORT_SYMBOL(a);", old="tools/virt/kvm/x.c", new="tools/virt/kvm/x.c"),
        ["virt/kvm/x.c:10 a"],
    ),
    "new-file-of-plain-diff": (
        b"--- /dev/null\n+++ linux/virt/kvm/x.c\n@@ -0,0 +1 @@\n+EXPORT_SYMBOL(a);\n",
        ["virt/kvm/x.c:1 a"],
    ),
    "a-name-without-a-directory": (
        b"--- x.c\n+++ x.c\n@@ -1 +1 @@\n-a\n+EXPORT_SYMBOL(a);\n",
        [],
    ),
    "begins-in-a-comment-with-another-after": (
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
        ["virt/kvm/x.c:10 a"],
    ),
    "another-file": (diff("+EXPORT_SYMBOL(a);", old="a/fs/x.c", new="b/fs/x.c"), []),
    "link-elsewhere-named-as-a-directory-above-kvm": (
        b"diff --git a/scripts/virt b/scripts/virt\nnew file mode 120000\nindex 0000000..1234567\n"
        b"--- /dev/null\n+++ b/scripts/virt\n@@ -0,0 +1 @@\n+lib\n\\ No newline at end of file\n",
        [],
    ),
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
    "deleted-file": (
        b"diff --git a/virt/kvm/x.c b/virt/kvm/x.c\ndeleted file mode 100644\n"
        b"index 1234567..0000000\n"
        b"--- a/virt/kvm/x.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-EXPORT_SYMBOL(b);\n",
        [],
    ),
    "mode-change": (
        b"diff --git a/virt/kvm/x.c b/virt/kvm/x.c\nold mode 100644\nnew mode 100755\n" + ADDED,
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
    "an-asterisk-after-code": (
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
        FOUND * 2,
    ),
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
    "directories-too-deep": (
        b"--- linux/a/tools/x/virt/kvm.c\n+++ linux/a/tools/x/virt/kvm.c\n"
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


@parametrize(("text", "expected"), SHAPES)
def test_shapes(text: bytes, expected: list[str]) -> None:
    assert read(text) == (expected, [])


AGAIN = ": make the patch again, or check the commit with --commits"
REFUSED = "git apply failed: corrupt patch at line %d" + AGAIN
SHORT = "p: line %d of the diff: the hunk is shorter than its header says" + AGAIN
LONG = "p: line %d of the diff: the hunk is longer than its header says" + AGAIN
CUT_OFF = "p: line %d of the diff: the header of a file has no hunk after it" + AGAIN
NO_DIFF = "has no diff that git can read: expected a diff, or a mail with one in plain text"
COLORED = "has terminal colours in its diff: make it again with --no-color"
NO_NAMES = "p: line %d of the diff: a hunk has no file names before it" + AGAIN
BROKEN_HUNK = "p: line %d of the diff: the header of the hunk cannot be read" + AGAIN
EXTRA = "p: line %d of the diff: the added lines after the hunk belong to no hunk" + AGAIN
COMBINED = (
    "p: line %d of the diff: this is the combined diff of a merge, which git cannot apply" + AGAIN
)
INSTEAD = ": check it with --staged or --commits"
FROM_OUTSIDE = "is renamed or copied into KVM from fs/x.c, and the patch does not show its lines"
HEAD = b"diff --git a/virt/kvm/x.c b/virt/kvm/x.c\n"

BROKEN = {
    "short": (ADDED[:-4], SHORT % 5),
    "cut-in-the-hunk": (ADDED.partition(b"+EXPORT")[0], SHORT % 5),
    "cut-after-the-hunk-header": (ADDED.partition(b" a;")[0], SHORT % 5),
    "cut-after-the-names": (ADDED.partition(b"@@")[0], CUT_OFF % 1),
    "cut-after-the-index": (ADDED.partition(b"---")[0], CUT_OFF % 1),
    "cut-after-the-first-line": (HEAD, CUT_OFF % 1),
    "cut-before-the-next-file": (ADDED[:-4] + ADDED, SHORT % 5),
    "count-of-one-side-too-small": (ADDED.replace(b"-10,2 +10,3", b"-10,2 +10,2"), LONG % 5),
    "count-too-large": (ADDED.replace(b"-10,2 +10,3", b"-10,2 +10,9"), SHORT % 5),
    "hunk-of-nothing": (
        ADDED.partition(b"@@")[0] + b"@@ -0,0 +0,0 @@\n",
        f"p: {REFUSED % 6}",
    ),
    "hunk-header": (ADDED.replace(b"@@ -10,2 +10,3 @@", b"@@ -10,2 +10,x @@"), BROKEN_HUNK % 5),
    "second-hunk-header": (ADDED + b"@@ -30 +30\n+EXPORT_SYMBOL(b);\n", BROKEN_HUNK % 9),
    "line-count-of-too-many-digits": (
        ADDED.replace(b"+10,3", b"+10," + b"9" * 5000),
        BROKEN_HUNK % 5,
    ),
    "second-hunk": (ADDED + b"@@ -30,9 +31,9 @@\n+EXPORT_SYMBOL(b);\n", SHORT % 9),
    "line-count-with-many-zeros": (
        ADDED.replace(b"+10,3", b"+10,00000000003"),
        BROKEN_HUNK % 5,
    ),
    "hunk-without-names": (
        b"@@ -1 +1,2 @@\n int a;\n+EXPORT_SYMBOL(b);\n",
        NO_NAMES % 1,
    ),
    "hunk-after-a-remark": (
        ADDED + b"\nAnd:\n@@ -30 +31,2 @@\n a\n+EXPORT_SYMBOL(b);\n",
        NO_NAMES % 11,
    ),
    "names-without-a-hunk-in-git's-form": (
        b"--- a/virt/kvm/x.c\n+++ b/virt/kvm/x.c\nhello\n",
        CUT_OFF % 1,
    ),
    "old-diff": (
        b"diff -c a/virt/kvm/x.c b/virt/kvm/x.c\n*** a/virt/kvm/x.c\n--- b/virt/kvm/x.c\n"
        b"***************\n*** 1 ****\n--- 1,2 ----\n  a\n+ EXPORT_SYMBOL(b);\n",
        'p: git apply failed: No valid patches in input (allow with "--allow-empty"):'
        " make the patch again, or check the commit with --commits",
    ),
    "parts-in-parts": (
        b"From: a\n"
        + b"".join(
            b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (number, number)
            for number in range(3000)
        ),
        "p: mail 1: git mailinfo failed: Too many boundaries to handle" + AGAIN,
    ),
    "error-message": (b"fatal: bad revision 'x'\n", f"p: {NO_DIFF}"),
    "combined": (
        b"diff --cc virt/kvm/x.c\nindex 1,2..3\n--- a/virt/kvm/x.c\n+++ b/virt/kvm/x.c\n"
        b"@@@ -1,1 -1,1 +1,2 @@@\n  a\n++EXPORT_SYMBOL(b);\n",
        COMBINED % 1,
    ),
    "garbage": (b"\x00\xffgarbage\n" * 10, f"p: {NO_DIFF}"),
    "one-word": (b"garbage", f"p: {NO_DIFF}"),
    "coloured": (b"\x1b[1mdiff --git a/virt/kvm/x.c b/virt/kvm/x.c\x1b[m\n", f"p: {COLORED}"),
    "in-a-mail": (
        mail(ADDED[:-4]),
        (SHORT % 9).replace("p: ", "p: [PATCH] KVM: Add foo: "),
    ),
    "binary": (
        HEAD + b"index 1234567..89abcde 100644\n"
        b"Binary files a/virt/kvm/x.c and b/virt/kvm/x.c differ\n",
        f"p: virt/kvm/x.c: is a binary patch, which shows no lines{INSTEAD}",
    ),
    "binary-makefile": (
        HEAD.replace(b"virt/kvm/x.c", b"arch/x86/kvm/Makefile") + b"index 1234567..89abcde 100644\n"
        b"Binary files a/arch/x86/kvm/Makefile and b/arch/x86/kvm/Makefile differ\n",
        f"p: arch/x86/kvm/Makefile: is a binary patch, which shows no lines{INSTEAD}",
    ),
    "symbolic-link": (
        b"diff --git a/virt/kvm/l.c b/virt/kvm/l.c\nnew file mode 120000\nindex 0000000..1234567\n"
        b"--- /dev/null\n+++ b/virt/kvm/l.c\n@@ -0,0 +1 @@\n+../../lib/l.c\n"
        b"\\ No newline at end of file\n",
        "p: virt/kvm/l.c: is a symbolic link, which is not followed: put its target in its place",
    ),
    "symbolic-link-that-is-changed": (
        b"diff --git a/virt/kvm/l.c b/virt/kvm/l.c\nindex 0000000..1234567 120000\n"
        b"--- a/virt/kvm/l.c\n+++ b/virt/kvm/l.c\n@@ -1 +1 @@\n-a\n+b\n",
        "p: virt/kvm/l.c: is a symbolic link, which is not followed: put its target in its place",
    ),
    "link-in-the-place-of-a-directory": (
        b"diff --git a/virt b/virt\nnew file mode 120000\nindex 0000000..1234567\n"
        b"--- /dev/null\n+++ b/virt\n@@ -0,0 +1 @@\n+lib\n\\ No newline at end of file\n",
        "p: virt: is a symbolic link, which is not followed: put its target in its place",
    ),
    "submodule-in-scope": (
        b"diff --git a/virt/kvm/m b/virt/kvm/m\nnew file mode 160000\nindex 0000000..1234567\n"
        b"--- /dev/null\n+++ b/virt/kvm/m\n@@ -0,0 +1 @@\n+Subproject commit 0\n",
        "p: virt/kvm/m: is a submodule, whose files are not checked here: run the hook in it",
    ),
    "no-kind-of-file": (
        HEAD + b"old mode 100644\nnew mode 040000\n",
        f"p: virt/kvm/x.c: becomes something other than a plain file{INSTEAD}",
    ),
    "rename": (
        b"diff --git a/fs/x.c b/virt/kvm/x.c\nsimilarity index 100%\n"
        b"rename from fs/x.c\nrename to virt/kvm/x.c\n",
        f"p: virt/kvm/x.c: {FROM_OUTSIDE}{INSTEAD}",
    ),
    "rename-that-is-not-called-one": (
        b"diff --git a/fs/x.c b/virt/kvm/x.c\n--- a/fs/x.c\n+++ b/virt/kvm/x.c\n"
        b"@@ -1 +1 @@\n-a\n+b\n",
        f"p: virt/kvm/x.c: {FROM_OUTSIDE}{INSTEAD}",
    ),
    "copy": (
        b"diff --git a/fs/x.c b/virt/kvm/x.c\nsimilarity index 100%\n"
        b"copy from fs/x.c\ncopy to virt/kvm/x.c\n",
        f"p: virt/kvm/x.c: {FROM_OUTSIDE}{INSTEAD}",
    ),
    "copy-of-what-is-not-here": (
        b"diff --git a/virt/kvm/y.c b/virt/kvm/x.c\nsimilarity index 100%\n"
        b"copy from virt/kvm/y.c\ncopy to virt/kvm/x.c\n",
        f"p: virt/kvm/x.c: is a copy of virt/kvm/y.c, which may have unwanted exports{INSTEAD}",
    ),
}


@parametrize(("text", "complaint"), BROKEN)
def test_what_cannot_be_judged_is_named(text: bytes, complaint: str) -> None:
    results, complaints = read(text)
    # Newer gits name the patch, too.
    assert results == []
    assert [said.replace("at <stdin>:", "at line ") for said in complaints] == [complaint]


@parametrize("end", {"unix": b"\n", "network": b"\r\n"})
def test_a_diff_as_of_quilt(end: bytes) -> None:
    text = b"Index: linux/virt/kvm/x.c\n" + b"=" * 67 + b"\n" + ADDED
    assert read(text.replace(b"\n", end)) == (FOUND, [])


AFTER_A_HUNK = {
    "added-line": b"+EXPORT_SYMBOL(c);\n",
    "after-a-removed-one": b"--b\n+EXPORT_SYMBOL(c);\n",
    "after-a-blank-one": b"\n+EXPORT_SYMBOL(c);\n",
    "after-a-remark-on-a-newline": b"\\ No newline at end of file\n+EXPORT_SYMBOL(c);\n",
}


@parametrize("extra", AFTER_A_HUNK)
def test_added_lines_after_a_hunk_are_an_error(extra: bytes) -> None:
    line = 9 + extra.partition(b"+EXPORT")[0].count(b"\n")
    assert read(ADDED + extra + extra) == (FOUND, [EXTRA % line])


HARMLESS = {
    "scissors": b"-----------------[ cut here ]-----------------\n\nThanks\n",
    "three-dashes": b"---\nA note.\n",
    "diffstat": b" virt/kvm/x.c | 1 +\n 1 file changed, 1 insertion(+)\n",
    "one-blank": b" \n",
    "removed-line": b"-- a\n",
    "line-without-its-blank": b"\tint a;\n",
    "signature": b"--\n2.39.5\n",
}


@parametrize("text", HARMLESS)
def test_other_text_after_a_hunk_is_fine(text: bytes) -> None:
    assert read(ADDED + text) == (FOUND, [])
    assert read(mail(ADDED + text)) == (FOUND, [])


OUT_OF_SCOPE = {
    name: text.replace(b"virt/kvm", b"drivers")
    for name, (text, _) in BROKEN.items()
    if b"virt/kvm" in text
}


@parametrize("text", OUT_OF_SCOPE)
def test_a_patch_that_names_nothing_in_scope_never_fails(text: bytes) -> None:
    if text.startswith(b"\x1b"):
        text = ADDED.replace(b"virt/kvm", b"drivers")
    assert read(text) == ([], [])
    assert read(mail(text)) == ([], [])


def test_what_can_be_read_beside_it_is_judged() -> None:
    findings, complaints = read(ADDED + BROKEN["combined"][0] + ADDED)
    assert findings == FOUND * 2
    assert complaints == [COMBINED % 9]
    findings, complaints = read(ADDED + BROKEN["binary"][0] + ADDED)
    assert findings == FOUND * 2
    assert len(complaints) == 1


def test_a_mail_after_one_that_cannot_be_read_is_judged() -> None:
    separator = b"From a Mon Sep 17 00:00:00 2001\n"
    findings, complaints = read(separator + BROKEN["parts-in-parts"][0] + b"\n" + mail(ADDED))
    assert findings == FOUND
    assert len(complaints) == 1


# The command.


def run(*arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(COMMAND), *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        env=make_environment(),
    )


def test_a_patch_from_stdin_and_from_a_file(top: Path, command: Command) -> None:
    path = write(top / "x.patch", ADDED)
    status, out, err = command("--patch", str(path))
    assert (status, err) == (1, f"kvm-export-hook: {path}: {HUNKS_ALONE_MESSAGE}\n")
    assert out.startswith(
        "virt/kvm/x.c:11:1: error: EXPORT_SYMBOL_GPL(foo):"
        f" {NOT_LISTED} [not-allowlisted]\n"
        "   11 | EXPORT_SYMBOL_GPL(foo);\n"
    )
    assert run("--patch", "-", stdin=ADDED).stdout.decode() == out
    assert command("-q", "--patch", str(write(top / "clean", diff("+int a;")))) == (0, "", "")
    elsewhere = ADDED.replace(b"virt/kvm", b"fs")
    status, out, err = command("--patch", str(write(top / "fs.patch", elsewhere)))
    assert (status, out) == (0, "")
    assert err == "kvm-export-hook: nothing checked: no patch here changes C source of KVM\n"
    empty = b"kvm-export-hook: standard input: nothing checked: the patch is empty\n"
    assert run("--patch", "-", stdin=b"").stderr == empty


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
        f"virt/kvm/x.c:11: ERROR: EXPORT_SYMBOL_GPL(foo): {NOT_LISTED};"
        " use EXPORT_SYMBOL_FOR_KVM_INTERNAL\n"
        f"WARNING: {path}: {HUNKS_ALONE_MESSAGE}\n",
        "",
    )
    assert command("--format=checkpatch") == (0, "", "")


def test_a_tree_without_the_macro_is_left_alone(top: Path, command: Command) -> None:
    make_tree(top, macro=False)
    path = str(write(top / "x.patch", ADDED))
    assert "nothing enforced" in command("--patch", path).err
    status, out, err = command("--format", "checkpatch", "--patch", path)
    assert (status, out.count("\n"), err) == (0, 1, "")
    assert out.startswith("WARNING: nothing enforced: ")
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
    assert command("--quiet", "--patch", path) == (0, "", "")
    assert command("--srctree=linux", "--patch", path).status == 1


def test_patches_that_are_not_there(top: Path, command: Command) -> None:
    assert command("--patch", "gone") == (
        2,
        "",
        "kvm-export-hook: error: gone: No such file or directory: check the name\n",
    )
    assert command("--patch", ".").err == (
        "kvm-export-hook: error: .: is a directory: name the files in it, in their order\n"
    )
    done = subprocess.run(
        ["bash", "-c", '"$0" --patch - <&-', str(COMMAND)], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        2,
        b"kvm-export-hook: error: standard input: is closed: name a file\n",
    )


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
    combined = b"diff --cc virt/kvm/x.c\n@@@ -1,1 -1,1 +1,2 @@@\n  a\n++EXPORT_SYMBOL(b);\n"
    done = run("--patch", "-", stdin=ADDED + combined)
    assert done.returncode == 2
    assert done.stdout.startswith(b"virt/kvm/x.c:11:1: error: ")
    assert done.stderr.partition(b"\n")[2] == (
        b"kvm-export-hook: error: standard input: line 9 of the diff: this is the combined diff"
        b" of a merge, which git cannot apply%s\n" % AGAIN.encode()
    )
