# SPDX-License-Identifier: MIT
"""What the rooms pass on: a text of C, its origin, and what was found in it. No logic."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.rules.judge import Finding

SHORT_ID = 12  # as the kernel quotes commits


class Origin:
    """The commit or the mail that a text is from.

    ``commit``: its full id in hexadecimal, or None for a mail. ``subject``: one
    line, empty for a diff. ``is_alone``: nothing else is checked, so no heading is
    needed. ``file``: the file of the mail, if there are several files.
    """

    __slots__ = ("commit", "file", "is_alone", "subject")

    def __init__(
        self,
        commit: str | None,
        subject: str,
        is_alone: bool = False,
        file: bytes | None = None,
    ) -> None:
        self.commit = commit
        self.subject = subject
        self.is_alone = is_alone
        self.file = file


class Text:
    """A text of C in a state of a tree, without its bytes.

    ``name``: the name of its file, from the top of the tree; one file may have several
    texts, in order. ``path``: the path in the report. ``id``: to read it by, equal
    for equal bytes. ``top``: the top of its tree on this disk, empty for the
    working directory; None: it is not a file on this disk. ``first_line``: the
    number of its first line in its file, 1-based. ``is_named``: the file itself was
    asked for, and not only its whole tree.
    """

    __slots__ = ("first_line", "id", "is_named", "name", "path", "top")

    def __init__(
        self,
        name: bytes,
        path: bytes,
        id_: Hashable = None,
        top: bytes | None = None,
        first_line: int = 1,
        is_named: bool = True,
    ) -> None:
        self.name = name
        self.path = path
        self.id = id_
        self.top = top
        self.first_line = first_line
        self.is_named = is_named


class Result:
    """A text with its findings; none are left if a printed patch rewrites them all.

    ``content``: its bytes. ``facts``: those of its tree. ``origin``: its commit or mail,
    None for a file. ``is_rewritten``: whether a fix was written to the file; None if
    none was asked for.
    """

    __slots__ = ("content", "facts", "findings", "is_rewritten", "origin", "text")

    def __init__(
        self,
        text: Text,
        content: bytes,
        facts: Facts,
        findings: Iterable[Finding],
        origin: Origin | None = None,
        is_rewritten: bool | None = None,
    ) -> None:
        self.text = text
        self.content = content
        self.facts = facts
        self.findings = findings
        self.origin = origin
        self.is_rewritten = is_rewritten

    def replace_findings(
        self, findings: Iterable[Finding], is_rewritten: bool | None = None
    ) -> Result:
        """Return a copy with other FINDINGS."""
        return Result(self.text, self.content, self.facts, findings, self.origin, is_rewritten)
