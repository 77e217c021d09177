# SPDX-License-Identifier: MIT
"""What every test may use; the home and the environment of all tests; how long to fuzz."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings

from demo.isolation import make_environment
from tests.helpers.repositories import Repository, copy_repository, make_kernel
from tests.helpers.support import Outcome, make_tree, run_in_process

# Before anything runs, in each process of xdist: a hook or a rebase that runs the tests
# exports the GIT_DIR of the developer's repository. What a person likes changes output.
HOME = Path(tempfile.mkdtemp(prefix="kvm-export-hook-home-"))
TASTE = ("CLICOLOR", "COLUMNS", "FORCE_COLOR", "LANG", "LC_", "LINES", "MAKE", "NO_COLOR", "TERM")
wanted = {name: value for name, value in os.environ.items() if not name.startswith(TASTE)}
isolated = make_environment(HOME, wanted) | {
    "GIT_CEILING_DIRECTORIES": tempfile.gettempdir(),
    "LC_ALL": "C.UTF-8",
}
os.environ.clear()
os.environ.update(isolated)
# Where the power is cut, nothing of a test is missed.
with (HOME / ".gitconfig").open("a") as configuration:
    configuration.write("[core]\n\tfsync = none\n")

# Real programs take their time: how long one example takes tells nothing.
settings.register_profile("test", deadline=None, max_examples=50)
settings.register_profile("fuzz", deadline=None, max_examples=int(os.environ.get("EXAMPLES", 100)))
settings.load_profile("test")


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


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


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Make what the fixture linux copies."""
    return make_kernel(tmp_path_factory.mktemp("original") / "linux", HOME)


@pytest.fixture
def linux(original: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Make a repository of a kernel-like tree with the make check, and stand at its top."""
    monkeypatch.chdir(tmp_path)
    copied = copy_repository(original, tmp_path / "linux")
    monkeypatch.chdir(copied.top)
    return copied
