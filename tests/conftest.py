# SPDX-License-Identifier: MIT
"""The command run in process, and the option that brings in the kernel suite."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from kvm_export_hook.cli import main
from tests.support import make_tree


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--trees", help="a directory with linux-current and linux-6.12")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    wants_kernels = config.getoption("--trees") is not None
    return True if collection_path.name == "kernel" and not wants_kernels else None


class Result(NamedTuple):
    """What a run of the command came to."""

    status: int
    out: str
    err: str


class Command(Protocol):
    """Runs the command in this process."""

    def __call__(self, *arguments: str) -> Result:
        """Run it on ARGUMENTS."""


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command as its script would, less the new process."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(*arguments: str) -> Result:
        streams = [io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2)]
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", streams[0])
            patch.setattr(sys, "stderr", streams[1])
            status = main(arguments)
        for stream in streams:
            stream.seek(0)
        return Result(status, *(stream.read() for stream in streams))

    return run


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a kernel-like tree without the make check, and stand at its top."""
    make_tree(tmp_path / "linux")
    monkeypatch.chdir(tmp_path / "linux")
    return tmp_path / "linux"
