# SPDX-License-Identifier: MIT
"""Kernel trees, two of them real; the make check of the current one, and small kernels with it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import HOME
from tests.helpers import kernel_files
from tests.helpers.kernel_files import CHECK, HEADER, KBUILD, MACRO, MAKEFILE, copy_kernel
from tests.helpers.random_kernels import BLIND, Kernel
from tests.helpers.repositories import Repository, read_findings


@pytest.fixture(scope="session")
def trees(pytestconfig: pytest.Config) -> Path:
    path = Path(pytestconfig.getoption("--trees")).resolve()
    for name in ("linux-current", "linux-6.12"):
        assert (path / name / "virt/kvm/kvm_main.c").is_file(), f"no kernel in {path / name}"
    return path


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
    return copy_kernel(current, tmp_path / "current")


@pytest.fixture
def uncheck(changeable: Path) -> Path:
    """The current kernel less the check, as Linux 6.18 and 6.19 are."""
    makefile = changeable / MAKEFILE
    makefile.write_text(makefile.read_text().partition(CHECK)[0] + "\n")
    return changeable


@pytest.fixture
def defined(old: Path, tmp_path: Path) -> Path:
    """Linux 6.12 with the macro defined by hand."""
    tree = copy_kernel(old, tmp_path / "defined")
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


# The exit status, and where what was found is.
Found = tuple[int, list[tuple[object, ...]]]


class Checked:
    """A repository of small kernels that have the Makefile, the header and the check of SOURCE.

    ``kernel``: the one in the working tree, at the top of the repository or below
    ``prefix``. ``initial``: the id of a commit of BLIND.
    """

    def __init__(self, source: Path, top: Path, scratch: Path) -> None:
        self.repository = Repository(top, HOME)
        self.repository.git("init", "--quiet", "--template=")
        self.repository.git("config", "maintenance.auto", "false")
        self.scratch = scratch
        self.prefix = ""
        self.files = [(source / name).read_bytes() for name in (MAKEFILE, HEADER)]
        self.kbuild = {str(KBUILD): (source / KBUILD).read_bytes()}
        self.stage(BLIND)
        self.initial = self.repository.record("initial")

    @property
    def top(self) -> Path:
        """The top of the kernel."""
        return self.repository.top / self.prefix

    def stage(self, kernel: Kernel) -> None:
        """Make KERNEL all that is staged."""
        self.kernel = kernel
        files = kernel.make_files(*self.files) | self.kbuild
        self.repository.replace_all({self.prefix + name: each for name, each in files.items()})

    def commit(self) -> Found:
        """Commit what is staged; return what --staged finds of it before, and --commits after."""
        staged = self.find("--staged")
        self.repository.commit_index()
        assert self.find("--commits", "HEAD") == staged
        return staged

    def find(self, *arguments: str) -> Found:
        """Find what a change adds; return the exit status, too."""
        status, found = read_findings(f"--srctree={self.top}", *arguments)
        names = ("path", "line", "column", "rule", "macro", "symbol")
        return status, [tuple(each[name] for name in names) for each in found]

    def make_passes(self) -> bool:
        """Whether the kernel has no make check, or real make evaluates it and it passes."""
        return self.kernel.names is None or make_check(self.top, self.scratch)

    def reset(self, revision: str, kernel: Kernel) -> None:
        """Go back to REVISION, which is of KERNEL."""
        self.repository.git("reset", "--quiet", "--hard", revision)
        self.repository.git("clean", "-ffdxq")
        self.kernel, self.prefix = kernel, ""


@pytest.fixture(scope="module")
def checked(current: Path, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """The check and what it needs, without the sources, which every example writes anew."""
    return Checked(current, tmp_path_factory.mktemp("commits"), tmp_path_factory.mktemp("scratch"))
