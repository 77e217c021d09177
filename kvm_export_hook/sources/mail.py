# SPDX-License-Identifier: MIT
"""Mails: an mbox to its mails, and a mail to its subject and its text. Pure.

Parsed by the standard library. What git am reads of a mail is read here too.
"""

from __future__ import annotations

import re
from contextlib import suppress
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from email.message import Message

# What git mailsplit takes for the line between mails: it has a time and a year.
SEPARATOR = re.compile(rb"From .*[0-9]:[0-9][0-9].* [0-9]{4}")
HEADER = re.compile(rb"[!-9;-~]+:")
MARKS_OF_A_MAIL = ("From", "Subject", "Date")

ENCODING = "Content-Transfer-Encoding"

# Neither a separator nor a subject is longer; the search takes time squared.
LONGEST_LINE = 1000


def mails(stream: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield the mails of an mbox, or all else whole, and whether it is the last one."""
    lines: list[bytes] = []
    for line in stream:
        if lines and is_separator(line):
            yield b"".join(lines), False
            lines = []
        lines.append(line)
    yield b"".join(lines), True


def is_separator(line: bytes) -> bool:
    """Whether a mail of an mbox begins with LINE."""
    return len(line) < LONGEST_LINE and bool(SEPARATOR.match(line))


def contents(text: bytes) -> tuple[str | None, list[bytes], list[bytes]]:
    """Tell the subject of a mail, and its decoded parts, those of HTML apart.

    What is no mail has no subject, and is its own part. Raises RecursionError
    for parts in parts without end.
    """
    if not (is_separator(text[:LONGEST_LINE].partition(b"\n")[0]) or HEADER.match(text)):
        return None, [text], []
    mail = message_from_bytes(text)
    if not any(name in mail for name in MARKS_OF_A_MAIL):
        return None, [text], []
    plain: list[bytes] = []
    html: list[bytes] = []
    for part in mail.walk():
        if not part.is_multipart():
            (html if part.get_content_type() == "text/html" else plain).append(decoded(part))
    return subject_of(mail), plain, html


def decoded(part: Message) -> bytes:
    """Decode the body of PART, however its encoding is spelt."""
    told = " ".join(map(str, part.get_all(ENCODING, []))).lower()
    del part[ENCODING]
    for encoding in ("base64", "quoted-printable"):
        if encoding in told:
            part[ENCODING] = encoding
            break
    body = part.get_payload(decode=True)
    return body if isinstance(body, bytes) else b""


def subject_of(mail: Message) -> str:
    """Read the subject of MAIL, on one line."""
    fields = (value for name, value in mail.raw_items() if name.lower() == "subject")
    raw = str(next(fields, "(no subject)")).encode("ascii", "surrogateescape")
    subject = raw[:LONGEST_LINE].decode("utf-8", "backslashreplace")
    with suppress(LookupError, ValueError, MessageError):  # its encoding is unknown, or broken
        subject = str(make_header(decode_header(subject)))
    return " ".join(subject.encode("utf-8", "backslashreplace").decode().split())
