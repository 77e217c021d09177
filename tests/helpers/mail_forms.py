# SPDX-License-Identifier: MIT
"""Random forms of a patch: how git can be asked to write one, and what mail programs make of it."""

from __future__ import annotations

import base64
import quopri
import re
from random import Random
from typing import NamedTuple

# One of each group may be given, or none.
DIFF_OPTIONS = (
    *(tuple(f"-U{lines}" for lines in (*range(11), 25)),),
    ("-M", "-C", "-B", "--find-copies-harder", "--no-renames", "-M10%", "-D", "-M -C -B"),
    ("--full-index", "--abbrev=5", "--abbrev=16", "--abbrev=40", "--binary"),
    ("--minimal", "--histogram", "--patience", "-W", "--inter-hunk-context=9", "--text"),
    ("--no-prefix", "--src-prefix=a/linux/ --dst-prefix=b/linux/", "--src-prefix=x/", "--relative"),
    ("-p --stat=200,150", "--numstat -p", "--stat -p --summary", "--dirstat -p", "--shortstat -p"),
)
MAIL_OPTIONS = (
    ("--attach", "--inline", "--signature=One\n\n+49 30 1234\n", "--no-signature", "--signoff"),
    ("--thread", "--thread=deep", "--no-thread", "--in-reply-to=a@example.org"),
    (
        *("--base=before", "--cover-letter", "--cover-letter --base=before", "--notes"),
        *("--interdiff=first --cover-letter", "--range-diff=before..squash --cover-letter"),
    ),
    ("--zero-commit", "--encode-email-headers", "--to=a@example.org --cc=b@example.org"),
    ("--no-binary",),
    (
        *("--numbered", "--no-numbered", "--keep-subject", "--rfc -v2"),
        "--subject-prefix=RFC PATCH RESEND kvm",
    ),
)
# What makes a diff of the whole series, and of its last commit alone.
DIFFS = ("diff % before after", "show % squash", "log -p -1 % squash", "stash show -p % stash")
ENCODINGS = ("quoted-printable", "base64", "crlf", "b4", "mboxrd")


class Form(NamedTuple):
    """The ``command`` of git that writes a patch; what becomes of it after that."""

    command: list[str]
    encoding: str
    is_mail: bool
    is_relative: bool
    strip: str  # how many directories git takes off

    @property
    def name(self) -> str:
        """What to call it in a failure."""
        return f"{self.command} {self.encoding}"


def choose_form(random: Random) -> Form:
    """Choose a form."""
    is_mail = random.random() < 0.75
    words = "format-patch --stdout % before..after" if is_mail else random.choice(DIFFS)
    groups = DIFF_OPTIONS + (MAIL_OPTIONS if is_mail else ())
    given = [random.choice(group) for group in groups if random.random() < 0.35]
    options: list[str] = []
    for each in given:
        options += [each] if each.startswith(("--signature", "--subject-p")) else each.split(" ")
    before, _, after = words.partition(" % ")
    strip = (
        "-p0" if "--no-prefix" in given else "-p2" if any("linux" in x for x in given) else "-p1"
    )
    encoding = random.choice(ENCODINGS) if is_mail and random.random() < 0.4 else ""
    command = [*before.split(" "), *options, *after.split(" ")]
    return Form(command, encoding, is_mail, "--relative" in given, strip)


def split_mails(text: bytes) -> list[bytes]:
    """Split what format-patch wrote into its mails."""
    return re.split(rb"(?m)^(?=From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001$)", text)[1:]


def encode(encoding: str, text: bytes) -> bytes:
    """Write the mails of TEXT in another ENCODING, as programs that pass them on do."""
    if encoding == "crlf":
        return text.replace(b"\n", b"\r\n")
    if encoding in ("b4", "mboxrd") and b"multipart" not in text:
        return write_by_b4(encoding, split_mails(text))
    if encoding in ("base64", "quoted-printable"):
        return b"".join(encode_mail(encoding, mail) for mail in split_mails(text))
    return text


def encode_mail(encoding: str, mail: bytes) -> bytes:
    """Encode the body of a MAIL that has one part."""
    head, _, body = mail.partition(b"\n\n")
    if b"multipart" in head:
        return mail  # whose parts would have to be encoded
    lines = [line for line in head.split(b"\n") if not line.startswith((b"Content-", b"MIME-"))]
    lines += [b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=UTF-8"]
    lines += [b"Content-Transfer-Encoding: " + encoding.encode()]
    write_body = base64.encodebytes if encoding == "base64" else quopri.encodestring
    return b"\n".join(lines) + b"\n\n" + write_body(body) + b"\n"


def write_by_b4(encoding: str, mails: list[bytes]) -> bytes:
    """Write MAILS into an mbox as b4 does, for git am or in the form mboxrd."""
    import email.parser
    import io

    import b4

    out = io.BytesIO()
    parser = email.parser.BytesParser(policy=b4.emlpolicy)
    messages = [parser.parsebytes(mail.partition(b"\n")[2]) for mail in mails]
    if encoding == "b4":
        b4.save_git_am_mbox(messages, out)
    else:
        b4.save_mboxrd_mbox(messages, out)
    return out.getvalue()
