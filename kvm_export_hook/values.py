# SPDX-License-Identifier: MIT
"""What the rooms hand on: a text of C, where it is from, and what was found in it. No logic."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.rules.judge import Finding


class Origin:
    """The commit or the mail that a text is from.

    ``commit``: its full id in hexadecimal, or None for a mail. ``subject``: one line.
    ``is_alone``: everything that is judged is from there, so no heading is needed.
    """

    __slots__ = ("commit", "is_alone", "subject")

    def __init__(self, commit: str | None, subject: str, is_alone: bool = False) -> None:
        self.commit = commit
        self.subject = subject
        self.is_alone = is_alone


class Input:
    """A text of C to be judged, complete when it is made.

    ``facts``: of its tree. ``name``: its path from the top of the tree.
    ``path``: how to show it. ``text``: its bytes. ``top``: the top of its tree
    on this disk, empty for the working directory; None: the text is not a file
    of this disk. ``first_line``: the number of the text's first line in its
    file, 1-based. ``origin``: where the text is from, if not a file as it is.
    ``is_named``: whether the file was asked for, and not only its whole tree.
    """

    __slots__ = ("facts", "first_line", "is_named", "name", "origin", "path", "text", "top")

    def __init__(
        self,
        facts: Facts,
        name: bytes,
        path: bytes,
        text: bytes,
        top: bytes | None = None,
        first_line: int = 1,
        origin: Origin | None = None,
        is_named: bool = True,
    ) -> None:
        self.facts = facts
        self.name = name
        self.path = path
        self.text = text
        self.top = top
        self.first_line = first_line
        self.origin = origin
        self.is_named = is_named


class Result:
    """An input and its findings, of which there is at least one.

    ``is_rewritten``: whether a fix was written to the file; None where none
    was asked for.
    """

    __slots__ = ("findings", "input", "is_rewritten")

    def __init__(
        self, input_: Input, findings: Iterable[Finding], is_rewritten: bool | None = None
    ) -> None:
        self.input = input_
        self.findings = findings
        self.is_rewritten = is_rewritten
