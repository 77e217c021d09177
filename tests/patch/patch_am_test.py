# SPDX-License-Identifier: MIT
"""What --patch says of a mail, and what ``git am`` makes of it, must fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kvm_export_hook.patch.patches import HUNKS_ALONE_MESSAGE
from tests.helpers.cases import parametrize
from tests.helpers.git_am import BASE, Verdicts, ask_both, make_repository
from tests.helpers.repositories import Repository
from tests.helpers.support import CHECKOUT

SHARED = CHECKOUT.parent / "shared/cases"

# How git format-patch can be asked to write a good mail.
FORMS = {
    "plain": (),
    "attach": ("--attach",),
    "inline": ("--inline",),
    "base": ("--base=HEAD~1",),
    "cover-letter": ("--cover-letter",),
    "cover-letter-attached": ("--cover-letter", "--attach"),
    "cover-letter-described": ("--cover-letter", "--base=HEAD~1", "--thread"),
    "signature": ("--signature=One\n\nTwo",),
    "no-signature": ("--no-signature",),
    "prefixes": ("--src-prefix=old/", "--dst-prefix=new/"),
    "no-prefix": ("--no-prefix",),
    "zero-commit": ("--zero-commit",),
    "notes": ("--notes",),
    "full-index": ("--full-index", "--binary"),
    "no-stat": ("-p",),
    "patience": ("--patience", "--function-context"),
    "minimal": ("--minimal", "--inter-hunk-context=5"),
    "mnemonic": ("--src-prefix=i/", "--dst-prefix=w/", "--no-numbered"),
    "resend": ("--rfc", "-v2", "--to=a@example.org", "--cc=b@example.org"),
    "keep-subject": ("--keep-subject", "--no-thread"),
}
CONTEXTS = ("-U3", "-U0", "-U1", "-U10", "-U25")
MOVES = ("-M", "--no-renames", "-B", "-C", "-D")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Make a repository whose last commit adds no unwanted export, around old ones."""
    repository = make_repository(tmp_path_factory.mktemp("good") / "linux", BASE)
    old = BASE["arch/x86/kvm/old.c"]
    changed = old.replace(b"int a;", b"int a2;").replace(b"int e;", b"int e;\nint more;")
    moved = (
        changed.replace(b"EXPORT_SYMBOL_GPL(kvm_old);\n\n", b"") + b"EXPORT_SYMBOL_GPL(kvm_old);\n"
    )
    repository.stage("arch/x86/kvm/old.c", moved)
    repository.stage("virt/kvm/new.c", b"int n;\nEXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_new);\n")
    repository.git("mv", "virt/kvm/long.c", "virt/kvm/longer.c")
    repository.stage("virt/kvm/longer.c", BASE["virt/kvm/long.c"] + b"int v31;\n")
    repository.stage("lib/l.c", BASE["lib/l.c"] + b"EXPORT_SYMBOL(lib_other);\n")
    repository.stage("doc.txt", "naïve\n".encode() + b"+EXPORT_SYMBOL_GPL(doc);\n")
    message = "KVM: Good\n\nIt quotes:\n\n  @@ -1 +1 @@\n  +EXPORT_SYMBOL_GPL(quoted);\n"
    repository.git("commit", "--quiet", "--message", message)
    repository.git("notes", "add", "--message", "---\n a note | 1 +\n\nof two paragraphs\n")
    return repository


@pytest.mark.parametrize("form", FORMS)
def test_good_mails_pass(good: Repository, tmp_path: Path, form: str) -> None:
    shift = list(FORMS).index(form)
    for number, context in enumerate(CONTEXTS):
        moves = MOVES[(number + shift) % len(MOVES)]
        mail = good.git("format-patch", "--stdout", *FORMS[form], context, moves, "-1")
        path = tmp_path / "mail"
        path.write_bytes(mail.encode("utf-8", "surrogateescape"))
        done = good.run("kvm-export-hook", "--patch", str(path))
        # git applies nothing that has no context.
        said = f"kvm-export-hook: {path}: {find_subject(mail)}: {HUNKS_ALONE_MESSAGE}\n"
        assert done == (0, said if context == "-U0" else ""), (context, moves)


def find_subject(mails: str) -> str:
    """Find the subject of the last of MAILS."""
    found: list[str] = re.findall(r"(?m)^Subject: (.*)$", mails)
    return found[-1]


@parametrize("path", {path.name: path for path in sorted(SHARED.glob("patches/*"))})
def test_the_shared_cases(path: Path, tmp_path: Path) -> None:
    files = {
        str(each.relative_to(SHARED / "base")): each.read_bytes()
        for each in sorted((SHARED / "base").rglob("*"))
        if each.is_file()
    }
    base = make_repository(tmp_path / "base", files)
    verdicts = ask_both(base, tmp_path / "applied", path.read_bytes())
    check(verdicts)
    if path.suffix == ".eml":
        assert verdicts.status == 1


ADDED = b"""\
diff --git a/virt/kvm/x.c b/virt/kvm/x.c
--- a/virt/kvm/x.c
+++ b/virt/kvm/x.c
@@ -1,3 +1,4 @@
 int a;
 int b;
 int c;
+int d;
"""
HELLO = b"From: A <a@example.org>\nSubject: %s\nMIME-Version: 1.0\n"
PARTS = b"Content-Type: multipart/%s; boundary=X\n\n--X\nContent-Type: text/plain\n\n%s\n--X\n"
PATCH = HELLO % b"[PATCH] KVM: d" + b"\nText\n---\n" + ADDED
SIGNED = b"Content-Type: application/pgp-signature\n\n-----BEGIN PGP SIGNATURE-----\n--X--\n"
HTML = b"Content-Type: text/html\n\n%s\n--X--\n"
ANSWER = b"=?utf-8?B?5Zue5aSNOiBbUEFUQ0hdIEtWTTogZA==?="  # a reply, in Chinese

# What people send: whether git am applies it.
HONEST = {
    "number-in-the-signature": (PATCH + b"-- \n+49 30 1234\n", True),
    "number-in-the-footer": (PATCH + b"-- \n2.39.5\n\n" + b"_" * 47 + b"\n+49 30 1234\n", True),
    "signed": (HELLO % b"[PATCH] KVM: d" + PARTS % (b"signed", ADDED) + SIGNED, True),
    "signed-pull-request": (
        HELLO % b"[GIT PULL] KVM fixes" + PARTS % (b"signed", b" virt/kvm/x.c | 1 +\n") + SIGNED,
        False,
    ),
    "answer": (HELLO % ANSWER + b"\n> " + ADDED.replace(b"\n", b"\n> ") + b"\n", False),
    "answer-in-parts": (
        HELLO % ANSWER + PARTS % (b"alternative", b"kvm") + HTML % b"<p>kvm</p>",
        False,
    ),
    "html-that-repeats-the-diff": (
        HELLO % b"[PATCH] KVM: d"
        + PARTS % (b"alternative", ADDED)
        + HTML % ADDED.replace(b" ", b"&nbsp;"),
        True,
    ),
    "html-that-repeats-it-line-by-line": (
        HELLO % b"[PATCH] KVM: d" + PARTS % (b"alternative", ADDED) + HTML % (b"<pre>" + ADDED),
        False,
    ),
}


@parametrize(("mail", "is_applied"), HONEST)
def test_an_honest_mail_is_no_error(tmp_path: Path, mail: bytes, *, is_applied: bool) -> None:
    base = make_repository(tmp_path / "base", BASE)
    verdicts = ask_both(base, tmp_path / "applied", mail)
    assert verdicts[:3] == (is_applied, False, 0), verdicts.output


def check(verdicts: Verdicts) -> None:
    """Hold --patch to what ``git am`` did."""
    assert "internal error" not in verdicts.output
    assert "Traceback" not in verdicts.output
    if verdicts.is_applied and verdicts.adds:
        assert verdicts.status in (1, 2), verdicts.output
    if verdicts.status == 2:
        assert ": error: " in verdicts.output
