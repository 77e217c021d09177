# SPDX-License-Identifier: MIT
"""The formats of the findings: one row each. No logic.

To add a format, write its module, with ``report(results, layout)``, and add its row
here, and its name to the choices of ``--format`` in ``options``, in the same order;
``tests/report/every_format_test.py`` says what must hold of all.
"""

from __future__ import annotations


class Format:
    """A row of FORMATS.

    ``module``: which writes it. ``prints_when_clean``: whether it may print
    anything where nothing was found. ``notes_on_stderr``: whether a note on a
    whole tree goes to stderr.
    """

    __slots__ = ("module", "notes_on_stderr", "prints_when_clean")

    def __init__(self, module: str, prints_when_clean: bool, notes_on_stderr: bool) -> None:
        self.module = module
        self.prints_when_clean = prints_when_clean
        self.notes_on_stderr = notes_on_stderr


FORMATS = {
    "text": Format("as_text", prints_when_clean=False, notes_on_stderr=True),
    # b4 takes each line on stderr for a failed check.
    "checkpatch": Format("as_checkpatch", prints_when_clean=True, notes_on_stderr=False),
    "b4": Format("as_b4", prints_when_clean=True, notes_on_stderr=False),
    "json": Format("as_json", prints_when_clean=True, notes_on_stderr=True),
    "sarif": Format("as_sarif", prints_when_clean=True, notes_on_stderr=True),
    # A note is an annotation there.
    "github": Format("as_github", prints_when_clean=True, notes_on_stderr=False),
}
