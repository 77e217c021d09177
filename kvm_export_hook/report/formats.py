# SPDX-License-Identifier: MIT
"""The formats of the findings: one row each. No logic.

To add a format, write its module, with ``report(results, layout)``, and add its row
here, and its name to the choices of ``--format`` in ``options``, in the same order;
``tests/report/every_format_test.py`` says what must hold of all.
"""

from __future__ import annotations


class Format:
    """A row of FORMATS.

    ``module``: the one that writes it. ``notes_on_stderr``: whether notes go to stderr.
    """

    __slots__ = ("module", "notes_on_stderr")

    def __init__(self, module: str, notes_on_stderr: bool) -> None:
        self.module = module
        self.notes_on_stderr = notes_on_stderr


FORMATS = {
    "text": Format("as_text", notes_on_stderr=True),
    # b4 takes each line on stderr for a failed check.
    "checkpatch": Format("as_checkpatch", notes_on_stderr=False),
    "b4": Format("as_b4", notes_on_stderr=False),
    "json": Format("as_json", notes_on_stderr=True),
    "sarif": Format("as_sarif", notes_on_stderr=True),
    # A note is an annotation there.
    "github": Format("as_github", notes_on_stderr=False),
}
