# SPDX-License-Identifier: MIT
"""Kernel trees, two of them real, and the make check of the current one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.helpers import kernel_files
from tests.helpers.kernel_files import CHECK, HEADER, MACRO, MAKEFILE, copy_kernel


@pytest.fixture(scope="session")
def trees(pytestconfig: pytest.Config) -> Path:
    path = Path(pytestconfig.getoption("--trees")).resolve()
    for name in ("linux-current", "linux-6.12"):
        assert (path / name / "virt/kvm/kvm_main.c").is_file(), f"no kernel in {path / name}"
    return path


def copy(source: Path, target: Path) -> Path:
    """Copy the part of a kernel that the hook and the check read."""
    copy_kernel(source, target)
    return target


@pytest.fixture(scope="session")
def current(trees: Path) -> Path:
    """The current kernel, as it is; not to be changed."""
    return trees / "linux-current"


@pytest.fixture(scope="session")
def old(trees: Path) -> Path:
    """Linux 6.12, as it is: without the macro; not to be changed."""
    return trees / "linux-6.12"


@pytest.fixture
def changeable(current: Path, tmp_path: Path) -> Path:
    """A copy of the current kernel."""
    return copy(current, tmp_path / "current")


@pytest.fixture
def uncheck(changeable: Path) -> Path:
    """The current kernel less the check, as Linux 6.18 and 6.19 are."""
    makefile = changeable / MAKEFILE
    makefile.write_text(makefile.read_text().partition(CHECK)[0] + "\n")
    return changeable


@pytest.fixture
def defined(old: Path, tmp_path: Path) -> Path:
    """Linux 6.12 with the macro defined by hand."""
    tree = copy(old, tmp_path / "defined")
    header = tree / HEADER
    header.write_text(f"{header.read_text()}\n{MACRO}")
    return tree


def make_check(tree: Path, scratch: Path, locale: str = "C.UTF-8") -> bool:
    """Let real make evaluate the tree's own check; return whether it passes."""
    command = kernel_files.write_check(tree, scratch)
    assert command
    done = subprocess.run(
        command,
        cwd=tree,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": locale},
        check=False,
    )
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode:
        # A lone parenthesis in a line that it quotes is too much for the check.
        reasons = ("unwanted occurrences of EXPORT_SYMBOL", "unterminated call to function 'error'")
        assert any(reason in said for reason in reasons), said
    return done.returncode == 0
