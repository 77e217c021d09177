# SPDX-License-Identifier: MIT
"""What every test may use; the option that brings in the kernel suite; how long to fuzz."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings

from tests.support import Outcome, make_tree, run_in_process

# Real programs take their time: how long one example takes tells nothing.
settings.register_profile("test", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=int(os.environ.get("EXAMPLES", 100)))
settings.load_profile("test")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--trees", help="a directory with linux-current and linux-6.12")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    wants_kernels = config.getoption("--trees") is not None
    return True if collection_path.name == "kernel" and not wants_kernels else None


class Command(Protocol):
    """Runs the command in this process."""

    def __call__(self, *arguments: str) -> Outcome:
        """Run it on ARGUMENTS."""


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command as its script would, less the new process."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return run_in_process


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a kernel-like tree without the make check, and stand at its top."""
    make_tree(tmp_path / "linux")
    monkeypatch.chdir(tmp_path / "linux")
    return tmp_path / "linux"
