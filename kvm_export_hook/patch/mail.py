# SPDX-License-Identifier: MIT
"""An mbox or a mail to the diff of each mail, by ``git mailsplit`` and ``git mailinfo``.

A diff that came without a mail is passed on as it is.
"""

from __future__ import annotations

import os
import re

from kvm_export_hook.changes.state import LONGEST_SUBJECT
from kvm_export_hook.git.process import GitError, RefusalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from kvm_export_hook.patch.scratch import Scratch

MAKE_AGAIN = "make the patch again, or judge the commit with --commits"

CHUNK_BYTES = 1 << 16
# Writes what stands before the diff, and the diff, and prints the headers.
MAILINFO = (b"mailinfo", b"-k", b"message", b"patch")

# Those of these patterns that few mails need are compiled where they are used.

# How git am knows a mail: the line before one in an mbox, or a header. Index: looks like
# one, and a diff that begins with it comes out of git mailinfo as it is.
MAIL_PATTERN = re.compile(rb">?From |[!-9;-~]+(?::|\Z)")
HEADER_PATTERN = re.compile(rb"(?mi)\A>?From |^(?:From|Subject|Date):")
# A line that names a file, also one that git does not take for part of a diff.
NAMING_PATTERN = rb"(?m)^(?:diff |--- |\+\+\+ |Index: |(?:rename|copy) )"
# What is encoded, names KVM or is quoted, or puts a link where KVM is.
MATTER_PATTERN = re.compile(rb"(?i:content-)|kvm|\\[0-7]|mode [\t +]*0*1[^0]")
# Where git sees the beginning of a diff, and what looks like one to us.
DIFF_PATTERN = re.compile(rb"(?m)^(?:diff -|Index: |--- [^\n]*\n\+\+\+ |@@ -|GIT binary patch)")
# Output of git that may well have no diff.
GIT_OUTPUT_PATTERN = rb"(?:commit|tag|tree|Submodule) "

# Parts that are no plain text; colours of a terminal.
STRUCTURE_PATTERN = rb"(?mi)^content-type:\s*(?!text/plain)[a-z]"
COLOR = b"\x1b["
FLOWED_PATTERN = rb"(?mi)^(?:content-type:|[ \t])[^\n]*format=\"?flowed"
# Mails about a series or in answer to it, and pull requests, hold no diff.
INTERDIFF_PATTERN = rb"(?m)^Interdiff[^\n]*:\s*\Z"  # before the diff of a cover letter
LETTER_PATTERN = (
    r"(?i)\s*(?:re|aw|antw|sv|vs|tr|fwd?|[^\x00-\x7f]{1,8})[:\uff1a]"
    r"|\s*\[[^\]]*(?:\b0+/[0-9]+|git pull)[^\]]*\]"
)

# What git does not read, but people send.
WIDE_PATTERN = rb"(?i)\bcharset=\"?(utf-?(?:16|32)(?:le|be)?)\b"
BASE64_PATTERN = rb"(?mi)^content-transfer-encoding:\s*base64\s*$"

LONGEST_START = 8192  # of what says whether this is a mail


class Mail:
    """A mail, or a diff that came without one.

    ``subject``: on one line; None for a diff. ``patch``: from where git sees a
    diff begin, its last line ended; None: git cannot read the mail, and
    ``reason`` says why. ``lacks_diff``: one should be there, but is not.
    ``is_colored``: a terminal's colours may hide it. ``is_flowed``: git joins
    lines. ``is_alone``: there is no other mail. ``is_interdiff``: it compares two
    versions of a series, and no more.
    """

    __slots__ = (
        *("is_alone", "is_colored", "is_flowed", "is_interdiff", "lacks_diff"),
        *("patch", "reason", "subject"),
    )

    def __init__(self, subject: str | None, patch: bytes | None, reason: str = "") -> None:
        self.subject = subject
        self.patch = patch
        self.reason = reason
        self.lacks_diff = False
        self.is_colored = False
        self.is_flowed = False
        self.is_alone = False
        self.is_interdiff = False


def read_mails(stream: BinaryIO, scratch: Scratch) -> Iterator[Mail]:
    """Yield what STREAM holds, one mail at a time in memory.

    Raises OSError. A mail in which nothing of KVM can be named is not read, and all of
    it counts as its patch: git apply passes over what stands before a diff.
    """
    head = read_head(stream)
    if not head:
        return
    if not MAIL_PATTERN.match(head):
        yield read_diff(head + stream.read())
        return
    paths = split_mbox(head, stream, scratch)
    for number, path in enumerate(paths, 1):
        text = scratch.read(path)
        os.unlink(scratch.join(path))
        if len(paths) == 1 or may_matter(text):
            mail = read_mail(text, number, scratch)
            mail.is_alone = len(paths) == 1
            yield mail
        else:
            yield Mail(None, ensure_newline(text))


def read_head(stream: BinaryIO) -> bytes:
    """Read the first bytes of STREAM that are not blank: git passes over blanks there."""
    head = b""
    while len(head) < LONGEST_START and (chunk := stream.read(CHUNK_BYTES)):
        head = (head + chunk).lstrip()
    return head


def read_diff(text: bytes) -> Mail:
    """Take TEXT, which is no mail, for a diff."""
    if text.partition(b"\n")[0].endswith(b"\r"):
        text = text.replace(b"\r\n", b"\n")  # the line ends of the network
    mail = Mail(None, ensure_newline(text))
    mail.is_colored = COLOR in text
    mail.lacks_diff = not (
        DIFF_PATTERN.search(text) or re.match(GIT_OUTPUT_PATTERN, text) or not text
    )
    return mail


def split_mbox(head: bytes, stream: BinaryIO, scratch: Scratch) -> list[bytes]:
    """Split HEAD and the rest of STREAM into the files of mails; return their names.

    Raises OSError.
    """
    with open(scratch.join(b"mbox"), "wb") as mbox:
        while head:
            mbox.write(head)
            head = stream.read(CHUNK_BYTES)
    # -b: what begins without a separator is one mail.
    said = scratch.run(b"mailsplit", b"-b", b"-d4", b"-o.", b"--", b"mbox")
    os.unlink(scratch.join(b"mbox"))
    return [b"%04d" % number for number in range(1, int(said) + 1)]


def read_mail(text: bytes, number: int, scratch: Scratch) -> Mail:
    """Read a mail as git does, the one of this NUMBER in its mbox."""
    head = text.partition(b"\n\n")[0]
    is_wide = b"charset" in head.lower() and re.search(WIDE_PATTERN, head)
    if is_wide and not shows_diff(text, scratch):
        text = convert_to_utf8(text)
    try:
        said = scratch.run(*MAILINFO, stdin=text)
    except RefusalError as error:
        return Mail(f"mail {number}", None, error.reason)
    subject = read_subject(said)
    patch = scratch.read(b"patch")
    is_mail = bool(HEADER_PATTERN.search(head))
    mail = Mail((subject or f"mail {number}") if is_mail else None, ensure_newline(patch))
    mail.is_flowed = b"flowed" in text.lower() and bool(re.search(FLOWED_PATTERN, text))
    message = scratch.read(b"message")
    diff = DIFF_PATTERN.search(patch)
    if diff:
        before = message + patch[: diff.start()]
        mail.is_interdiff = b"Interdiff" in before and bool(re.search(INTERDIFF_PATTERN, before))
    else:
        mail.is_colored = COLOR in text or COLOR in message + patch
        has_structure = re.search(STRUCTURE_PATTERN, text) or mail.is_colored
        mail.lacks_diff = (
            bool(has_structure) and not re.match(LETTER_PATTERN, subject) if is_mail else True
        )
    return mail


def shows_diff(text: bytes, scratch: Scratch) -> bool:
    """Whether git sees a diff in the mail TEXT as it is, whatever its headers say."""
    try:
        scratch.run(*MAILINFO, stdin=text)
    except GitError:
        return False
    return bool(DIFF_PATTERN.search(scratch.read(b"patch")))


def read_subject(said: bytes) -> str:
    """Read the subject from what ``git mailinfo`` SAID."""
    _, _, rest = (b"\n" + said).partition(b"\nSubject: ")
    line = rest.partition(b"\n")[0][:LONGEST_SUBJECT]
    return " ".join(line.decode("utf-8", "backslashreplace").split())


def convert_to_utf8(text: bytes) -> bytes:
    """Write the mail TEXT in UTF-8, if it is in UTF-16 or UTF-32, and can be read.

    People send such mails, and ``git mailinfo`` reads only their headers.
    """
    from binascii import Error, a2b_base64

    head, blank, body = text.partition(b"\n\n")
    charset = re.search(WIDE_PATTERN, head)
    if charset is None or not re.search(BASE64_PATTERN, head):
        return text
    try:
        wide = a2b_base64(body).decode(charset[1].decode())
    except (Error, LookupError, ValueError):
        return text
    head = head.replace(charset[1], b"utf-8")
    return re.sub(BASE64_PATTERN, b"Content-Transfer-Encoding: 8bit", head) + blank + wide.encode()


def may_matter(text: bytes) -> bool:
    """Whether anything of KVM may be named in TEXT, a mail or a patch, or a hunk names nothing."""
    return bool(MATTER_PATTERN.search(text)) or (
        b"@@ -" in text and not re.search(NAMING_PATTERN, text)
    )


def ensure_newline(text: bytes) -> bytes:
    """End the last line of TEXT."""
    return text if text.endswith(b"\n") or not text else text + b"\n"
