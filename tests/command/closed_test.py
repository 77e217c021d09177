# SPDX-License-Identifier: MIT
"""What cannot be looked at is no absent file: exit status 2, in every source."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kvm_export_hook.run import describe_fault
from tests.conftest import HOME
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Repository
from tests.helpers.support import (
    BAD,
    CHECKOUT,
    COMMAND,
    PYTHON,
    drop_rights,
    make_environment,
    make_tree,
    write,
)


@pytest.fixture
def closed(top: Path, tmp_path: Path) -> Iterator[Path]:
    """Make a directory that nobody may enter, with a kernel in it; at ``link`` there is a way."""
    closed = tmp_path / "closed"
    make_tree(closed / "linux", check=True)
    write(closed / "linux/virt/kvm/x.c", BAD)
    (top / "link").symlink_to(closed / "linux")
    (top / "virt/kvm/way").symlink_to(closed / "linux")
    closed.chmod(0)
    yield closed
    closed.chmod(0o700)


@parametrize(
    ("arguments", "said"),
    {
        "path": (["link"], "link"),
        "path-below": (["link/virt/kvm/x.c"], "link/virt/kvm/x.c"),
        "link-in-a-kvm-directory": (["virt/kvm"], "virt/kvm/way"),
        "srctree": (["--srctree=link"], "link"),
        "srctree-and-path": (["--srctree=link", "link/virt"], "link/virt"),
        "list": (["--list", "--srctree=link"], "link"),
        "staged": (["--staged", "--srctree=link"], "link"),
        "commits": (["--commits=HEAD", "--srctree=link"], "link"),
        "since": (["--since=HEAD", "link"], "link"),
        "patch": (["--patch=p", "--srctree=link"], "link"),
    },
)
def test_a_place_that_may_not_be_entered(
    closed: Path, top: Path, arguments: list[str], said: str
) -> None:
    repository = Repository(top, HOME)
    repository.git("init", "--quiet")
    repository.git("commit", "--quiet", "--allow-empty", "--message", "initial")
    write(top / "p", b"")
    done = subprocess.run(
        drop_rights(str(COMMAND), *arguments),
        capture_output=True,
        text=True,
        check=False,
        env=make_environment(),
    )
    assert done.returncode == 2, done
    assert f"{said}: Permission denied" in done.stderr


def test_a_git_directory_that_may_not_be_entered(linux: Repository) -> None:
    linux.stage("virt/kvm/x.c", BAD)
    (linux.top / ".git").chmod(0)
    done = subprocess.run(
        drop_rights(str(COMMAND), "--staged"),
        capture_output=True,
        text=True,
        check=False,
        env=make_environment(),
    )
    (linux.top / ".git").chmod(0o700)
    said = f"kvm-export-hook: error: {linux.top}/.git/HEAD: Permission denied: make it readable\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


@parametrize(
    ("error", "said"),
    {
        "descriptors": (OSError(24, "Too many open files"), "Too many open files"),
        "threads": (RuntimeError("can't start new thread"), "can't start new thread"),
        "a-module": (ImportError("No module x"), "cannot load a part of this program: No module x"),
    },
)
def test_what_the_machine_lacks_is_no_fault_of_ours(error: Exception, said: str) -> None:
    assert describe_fault(error) == said


# All that is loaded so far is there, and nothing more can be.
FULL = """
import os, resource
from kvm_export_hook.cli import main
limits = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
status = main(["--help"])
resource.setrlimit(resource.RLIMIT_NOFILE, limits)
os._exit(status)
"""


def test_what_cannot_even_load_what_says_so(top: Path) -> None:
    done = subprocess.run(
        [PYTHON, "-c", FULL],
        capture_output=True,
        text=True,
        check=False,
        env=make_environment(PYTHONPATH=str(CHECKOUT)),
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "kvm-export-hook: error: Too many open files\n"


def test_too_few_descriptors(linux: Repository) -> None:
    for limit in range(3, 12):
        _, output = linux.run("bash", "-c", f'ulimit -n {limit}; exec "$0" --staged', str(COMMAND))
        assert "internal error" not in output
        assert "''" not in output
        assert not [line for line in output.splitlines() if "cli.py" in line and "in main" in line]
