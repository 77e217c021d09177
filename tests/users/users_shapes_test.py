# SPDX-License-Identifier: MIT
"""Who uses a symbol in each shape of C; that gcc says the same, the kernel suite shows."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.cases import parametrize
from tests.helpers.kernel_tree import look_up, make_kernel, spell_uses
from tests.helpers.shapes import SHAPES


@parametrize(("changes", "symbol", "uses"), SHAPES)
def test_who_uses_a_symbol(
    changes: dict[str, str], symbol: str, uses: list[str], tmp_path: Path
) -> None:
    users = look_up(make_kernel(tmp_path, changes), symbol.encode())
    assert spell_uses(users, symbol.encode()) == uses
    assert users.are_known
