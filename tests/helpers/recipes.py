# SPDX-License-Identifier: MIT
"""The commands of the README and of docs/, to be run as they are written there."""

from __future__ import annotations

import re
import textwrap

from tests.helpers.support import CHECKOUT

README = (CHECKOUT / "README.md").read_text("utf-8")
DOCUMENTS = README + "".join(
    path.read_text("utf-8") for path in sorted((CHECKOUT / "docs").glob("*.md"))
)
BLOCK = re.compile(r"(?ms)^( *)```(sh|yaml|json|console)\n(.*?)^ *```$")


def recipe(before: str) -> str:
    """Copy the first block after the text BEFORE, which stands in one place."""
    assert DOCUMENTS.count(before) == 1, before
    block = BLOCK.search(DOCUMENTS, DOCUMENTS.index(before))
    assert block
    return textwrap.dedent(block[3])


def recipes(language: str) -> list[str]:
    """Copy every block of a LANGUAGE."""
    blocks = BLOCK.finditer(DOCUMENTS)
    return [textwrap.dedent(block[3]) for block in blocks if block[2] == language]
