# SPDX-License-Identifier: MIT
"""The README's commands, to be run as they are written there."""

from __future__ import annotations

import re
import textwrap

from tests.support import CHECKOUT

README = (CHECKOUT / "README.md").read_text("utf-8")
BLOCK = re.compile(r"(?ms)^( *)```(sh|yaml|console)\n(.*?)^ *```$")


def recipe(before: str) -> str:
    """Copy the first block of the README behind the text BEFORE."""
    block = BLOCK.search(README, README.index(before))
    assert block
    return textwrap.dedent(block[3])


def recipes(language: str) -> list[str]:
    """Copy every block of a LANGUAGE."""
    return [textwrap.dedent(block[3]) for block in BLOCK.finditer(README) if block[2] == language]
