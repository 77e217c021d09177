# SPDX-License-Identifier: MIT
"""Parametrised tests that show the names of their cases."""

from __future__ import annotations

from collections.abc import Mapping

import pytest


def parametrize(names: str | tuple[str, ...], table: Mapping[str, object]) -> pytest.MarkDecorator:
    """Run a test once for each row of TABLE, which gives the arguments NAMES; its key is the id."""
    return pytest.mark.parametrize(names, list(table.values()), ids=list(table))
