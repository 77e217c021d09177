# SPDX-License-Identifier: MIT
"""Mails are read as git reads them: what is one, what is in it, what holds no diff."""

from __future__ import annotations

import base64

import pytest

from tests.helpers.cases import parametrize
from tests.helpers.patches import ADDED, FOUND, diff, mail, read, read_results

NO_DIFF = "has no diff that git can read: expected a diff, or a mail with one in plain text"
COLORED = "has terminal colours in its diff: make it again with --no-color"
SEPARATOR = b"From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\n"
HELLO = b"From: a\nSubject: [PATCH] a\n"
DOC = diff("+a", old="a/doc.txt", new="b/doc.txt")


def encode(text: bytes) -> bytes:
    return base64.encodebytes(text)


READ_AS_GIT_DOES = {
    "separator-in-the-body-of-a-lone-mail": HELLO + b"\nIt was:\n\n" + SEPARATOR + b"\n" + ADDED,
    "separator-in-an-mbox": mail(DOC) + b"From x 1:23 2024\nSubject: b\n\n---\n" + ADDED,
    "blanks-before-the-mail": b"\n \n" + HELLO + b"\n" + ADDED,
    "many-blanks-before-the-mail": b"\n" * 65533 + mail(ADDED),
    "long-header-name": b"X" * 100_000
    + b": a\nSubject: a\nContent-Transfer-Encoding: base64\n\n"
    + encode(ADDED),
    "two-encodings": HELLO
    + b"Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit\n\n"
    + ADDED,
    "encoding-after-a-lone-cr": b"From: a\nSubject: b\rContent-Transfer-Encoding: base64\n\n"
    + ADDED,
    "boundary-of-plain-text": HELLO
    + b'Content-Type: text/plain; boundary="X"\n\n--X\nContent-Transfer-Encoding: base64\n\n'
    + encode(ADDED)
    + b"--X--\n",
    "boundary-that-begins-alike": HELLO
    + b'Content-Type: multipart/mixed; boundary="X"\n\n--X\n\nHello\n--Xjunk\n'
    + b"Content-Transfer-Encoding: base64\n\n"
    + encode(ADDED)
    + b"--X--\n",
    "html-after-plain-text": HELLO
    + b'Content-Type: multipart/mixed; boundary="X"\n\n--X\nContent-Type: text/plain\n\n'
    + DOC
    + b"--X\nContent-Type: text/html\n\n"
    + ADDED
    + b"--X--\n",
    "mail-in-a-mail": HELLO
    + b'Content-Type: multipart/mixed; boundary="X"\n\n--X\nContent-Type: message/rfc822\n\n'
    + b"Content-Transfer-Encoding: base64\n\n"
    + ADDED
    + b"--X--\n",
    "charset-that-is-none": HELLO + b"Content-Type: a/b; boundary*=idna'en'%ff.x\n\n" + ADDED,
    "format-flowed": HELLO
    + b"Content-Type: text/plain; format=flowed\n\n"
    + ADDED.replace(b"\n ", b"\n  ").replace(b"GPL(foo)", b"GPL( \nfoo)"),
    "utf-16": HELLO
    + b"Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\n"
    + encode(ADDED.decode().encode("utf-16")),
    "mail-within-a-diff": ADDED + SEPARATOR + b"Content-Transfer-Encoding: base64\n\n" + b"a\n",
}


@parametrize("text", READ_AS_GIT_DOES)
def test_what_git_reads_is_judged(text: bytes) -> None:
    assert read(text) == (FOUND, [])


PARTS = b'MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary="X"\n\n'
HOLDS_NO_DIFF = {
    "html": HELLO + b"Content-Type: text/html\n\n<pre>+EXPORT_SYMBOL(a);</pre>\n",
    "parts": HELLO + PARTS + b"--X\nContent-Type: text/html\n\n<p>\n--X--\n",
    "zip": HELLO
    + b"Content-Type: application/zip\nContent-Transfer-Encoding: base64\n\n"
    + encode(b"PK\3\4"),
}


COLORED_MAILS = {
    "plain": HELLO + b"\n\x1b[1mdiff --git a/virt/kvm/x.c b/virt/kvm/x.c\x1b[m\n",
    "encoded": HELLO
    + b"Content-Transfer-Encoding: quoted-printable\n\n=1b[1mdiff --git a/virt/kvm/x.c\n",
}


@parametrize("text", COLORED_MAILS)
def test_colours_in_a_mail_are_named(text: bytes) -> None:
    assert read(text) == ([], [f"p: [PATCH] a: {COLORED}"])


@parametrize("text", HOLDS_NO_DIFF)
def test_a_mail_in_which_a_diff_may_be_hidden_is_an_error(text: bytes) -> None:
    assert read(text) == ([], [f"p: [PATCH] a: {NO_DIFF}"])


LETTERS = {
    "reply": b"From: a\nSubject: Re: [PATCH] a\n\n> +EXPORT_SYMBOL(a);\n\nNo.\n",
    "reply-of-parts": b"From: a\nSubject: RE: a\n" + PARTS + b"--X\n\nNo kvm.\n--X--\n",
    "cover-letter-of-parts": b"From: a\nSubject: [PATCH v2 00/12] KVM: a\n" + PARTS + b"--X\n\na\n",
    "plain": b"From: a\nSubject: a question\n\nWhat of kvm?\n",
    "utf-16-that-is-not-encoded": b"From: a\nContent-Type: text/plain; charset=utf-16\n\n"
    + "kvm".encode("utf-16"),
    "encoded": b"From: a\nSubject: a\nContent-Transfer-Encoding: base64\n\n" + encode(b"kvm?\n"),
}


@parametrize("text", LETTERS)
def test_a_letter_is_no_error(text: bytes) -> None:
    assert read(text) == ([], [])


@pytest.mark.parametrize("prefix", ["Re", "AW", "Antw", "SV", "VS", "TR", "Fw", "Fwd", "回复"])
def test_an_answer_of_parts_is_no_error_in_any_language(prefix: str) -> None:
    assert read(f"From: a\nSubject: {prefix}: a\n".encode() + PARTS + b"--X\n\nkvm\n") == ([], [])


UTF_16 = ADDED.decode().encode("utf-16")
CANNOT_BE_READ = {
    "utf-16-in-8-bits": HELLO
    + b"Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: 8bit\n\n"
    + UTF_16,
    "utf-16-quoted": HELLO
    + b"Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: quoted-printable\n\n"
    + b"".join(b"=%02X" % byte for byte in UTF_16),
    "utf-16-that-is-none": HELLO
    + b"Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\n"
    + encode(b"\xff\xfe\0"),
}


@parametrize("text", CANNOT_BE_READ)
def test_a_mail_that_git_cannot_read_is_an_error(text: bytes) -> None:
    findings, (complaint,) = read(text)
    assert findings == []
    assert complaint.startswith("p: mail 1: git mailinfo failed: ")


def test_joined_lines_that_break_a_patch_are_named() -> None:
    joined = ADDED.replace(b" a;\n", b" a; \n")
    findings, (complaint,) = read(HELLO + b"Content-Type: text/plain; format=flowed\n\n" + joined)
    assert findings == []
    assert "format=flowed may have joined its lines" in complaint


SUBJECTS = {
    "plain": (b"Subject: KVM: a", "KVM: a"),
    "folded": (b"Subject: KVM:\n a", "KVM: a"),
    "encoded": (b"Subject: =?utf-8?q?KVM=3A_=C3=A9?=", "KVM: é"),
    "raw-bytes": (b"Subject: \xc3\xa9", "é"),
    "command": (b"Subject: ::add-mask::e", "::add-mask::e"),
    "very-long": (b"Subject: " + b"a" * 20_000, "a" * 1000),
    "none": (b"To: b", "mail 1"),
}


@parametrize(("header", "subject"), SUBJECTS)
def test_the_subject(header: bytes, subject: str) -> None:
    ((result,), complaints) = read_results(b"From: a\n" + header + b"\n\n" + ADDED)
    assert complaints == []
    assert result.origin
    assert result.origin.subject == subject
    assert result.origin.commit is None


def test_a_diff_is_no_mail() -> None:
    ((result,), _) = read_results(ADDED)
    assert result.origin is None


def test_the_findings_of_a_mail_have_one_origin() -> None:
    other = diff("+EXPORT_SYMBOL(b);", old="a/virt/kvm/y.c", new="b/virt/kvm/y.c")
    results, _ = read_results(mail(ADDED + other) * 2)
    assert len(results) == 4
    assert len({id(result.origin) for result in results}) == 2
