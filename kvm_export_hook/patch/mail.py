# SPDX-License-Identifier: MIT
"""Finds the diff of each mail in a file, by ``git mailsplit`` and ``git mailinfo``.

A diff without a mail is passed on as it is.
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

MAKE_AGAIN = "make the patch again, or check the commit with --commits"

CHUNK_BYTES = 1 << 16
# Writes the text before the diff and the diff into files, and prints the headers.
MAILINFO = (b"mailinfo", b"-k", b"message", b"patch")

# The patterns that few mails need are compiled where they are used.

# How git am recognises a mail: the line before one in an mbox, or a header. "Index:" looks
# like a header; git mailinfo does not change a diff that begins with it.
MAIL_PATTERN = re.compile(rb">?From |[!-9;-~]+(?::|\Z)")
HEADER_PATTERN = re.compile(rb"(?mi)\A>?From |^(?:From|Subject|Date):")
# A line that names a file, also one that git does not take for part of a diff.
NAMING_PATTERN = rb"(?m)^(?:diff |--- |\+\+\+ |Index: |(?:rename|copy) )"
# What may be encoded, may name KVM, or may put a link in KVM's place.
MATTER_PATTERN = re.compile(rb"(?i:content-)|kvm|\\[0-7]|mode [\t +]*0*1[^0]")
# Where git, or a person, sees the beginning of a diff.
DIFF_PATTERN = re.compile(rb"(?m)^(?:diff -|Index: |--- [^\n]*\n\+\+\+ |@@ -|GIT binary patch)")
# Output of git that may well have no diff.
GIT_OUTPUT_PATTERN = rb"(?:commit|tag|tree|Submodule) "

# MIME parts other than plain text; and colours of a terminal.
STRUCTURE_PATTERN = rb"(?mi)^content-type:\s*(?!text/plain)[a-z]"
COLOR = b"\x1b["
FLOWED_PATTERN = rb"(?mi)^(?:content-type:|[ \t])[^\n]*format=\"?flowed"
# Cover letters, answers and pull requests have no diff to apply.
INTERDIFF_PATTERN = rb"(?m)^Interdiff[^\n]*:\s*\Z"  # before the diff of a cover letter
LETTER_PATTERN = (
    r"(?i)\s*(?:re|aw|antw|sv|vs|tr|fwd?|[^\x00-\x7f]{1,8})[:\uff1a]"
    r"|\s*\[[^\]]*(?:\b0+/[0-9]+|git pull)[^\]]*\]"
)

# Git does not read these, but people send them.
WIDE_PATTERN = rb"(?i)\bcharset=\"?(utf-?(?:16|32)(?:le|be)?)\b"
BASE64_PATTERN = rb"(?mi)^content-transfer-encoding:\s*base64\s*$"

LONGEST_START = 8192  # bytes that show whether this is a mail


class Mail:
    """A mail, or a diff that came without one.

    ``subject``: on one line; None for a diff. ``patch``: the mail from the line where git
    sees a diff, with a newline at its end; None: git cannot read the mail, and ``reason``
    says why. ``lacks_diff``: it should have a diff, but has none. ``is_colored``: the
    colours of a terminal may hide the diff. ``is_flowed``: git joins lines. ``is_alone``:
    there is no other mail. ``is_interdiff``: it only compares two versions of a series.
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

    A mail that cannot name a file of KVM is not read, and counts as a patch as a whole:
    git apply skips what is before the diff. Raises OSError.
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
    """Read the first bytes of STREAM after blanks, which git skips, too."""
    head = b""
    while len(head) < LONGEST_START and (chunk := stream.read(CHUNK_BYTES)):
        head = (head + chunk).lstrip()
    return head


def read_diff(text: bytes) -> Mail:
    """Read TEXT, which is not a mail, as a diff."""
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
    # -b: a file that begins without a separator is one mail.
    said = scratch.run(b"mailsplit", b"-b", b"-d4", b"-o.", b"--", b"mbox")
    os.unlink(scratch.join(b"mbox"))
    return [b"%04d" % number for number in range(1, int(said) + 1)]


def read_mail(text: bytes, number: int, scratch: Scratch) -> Mail:
    """Read the mail TEXT as git does; NUMBER is its position in its mbox."""
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
    """Whether git sees a diff in the mail TEXT, whatever its headers say."""
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
    """Convert the mail TEXT from UTF-16 or UTF-32 to UTF-8, if possible.

    ``git mailinfo`` reads only the headers of such mails.
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
    """Whether TEXT, a mail or a patch, may name a file of KVM, or has a hunk without a name."""
    return bool(MATTER_PATTERN.search(text)) or (
        b"@@ -" in text and not re.search(NAMING_PATTERN, text)
    )


def ensure_newline(text: bytes) -> bytes:
    """Return TEXT with a newline at its end."""
    return text if text.endswith(b"\n") or not text else text + b"\n"
