# SPDX-License-Identifier: MIT
"""The demonstration, on machines and in checkouts of every kind; and the targets of make."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from demo.demo import EDITED
from demo.isolation import make_environment, publish
from tests.helpers.cases import parametrize
from tests.helpers.support import CHECKOUT, PYTHON, make_tree, make_unmeasured_environment, write

pytestmark = pytest.mark.xdist_group("pre-commit")

HOSTILE = b"""\
[protocol "file"]
	allow = never
[commit]
	gpgSign = true
[core]
	hooksPath = /nowhere
[user]
	useConfigOnly = true
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The files of this checkout as an archive has them: without .git, in a path with a blank."""
    target = tmp_path / "an archive"
    publish(target, make_environment(tmp_path / "home", os.environ))
    shutil.rmtree(target / ".git")
    return target


def run(checkout: Path, *command: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run COMMAND in CHECKOUT, with its package."""
    return subprocess.run(
        command,
        cwd=checkout,
        env=make_unmeasured_environment(PYTHONPATH=str(checkout), **changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_it_works_in_an_archive_and_takes_nothing_from_the_caller(
    archive: Path, tmp_path: Path
) -> None:
    home, foreign = tmp_path / "home of the caller", tmp_path / "foreign.git"
    write(home / ".gitconfig", HOSTILE)
    subprocess.run(["git", "init", "--quiet", "--bare", str(foreign)], check=True)
    before = sorted(foreign.rglob("*"))
    done = run(
        archive,
        *(PYTHON, "-m", "demo.demo"),
        HOME=str(home),
        GIT_CONFIG_GLOBAL=str(home / ".gitconfig"),
        GIT_DIR=str(foreign),
        GIT_INDEX_FILE=str(foreign / "index"),
        PRE_COMMIT_HOME=str(home / "cache"),
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "The corrected commit passes.")
    # What the report says to type is what is typed.
    fix = f"kvm-export-hook --fix {EDITED}; git add {EDITED}\n"
    assert f"\n    {fix}" in done.stdout
    assert f"\n$ {fix}" in done.stdout
    assert sorted(foreign.rglob("*")) == before
    assert os.listdir(home) == [".gitconfig"]


def test_the_owner_of_the_checkout_does_not_matter(tmp_path: Path) -> None:
    environment = make_environment(tmp_path / "home", os.environ)
    checkout = tmp_path / "checkout"
    publish(checkout, environment)
    write(checkout / "new", b"")
    write(checkout / ".venv/ignored", b"")
    foreign = environment | {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    revision = publish(tmp_path / "published", foreign, checkout)
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", revision],
        cwd=tmp_path / "published",
        env=foreign,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert {"new", "README.md", ".pre-commit-hooks.yaml"} <= set(listed)
    assert ".venv/ignored" not in listed
    assert (tmp_path / "published/new").exists()


def test_it_says_what_failed(archive: Path, tmp_path: Path) -> None:
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    done = run(archive, PYTHON, "-m", "demo.demo", **offline)
    assert done.returncode == 1
    assert "\nthe demonstration cannot go on: pre-commit install --install-hooks" in done.stdout
    assert "pip needs a package index such as PyPI" in done.stdout
    subprocess.run(["git", "init", "--quiet", "nested"], cwd=archive, check=True)
    done = run(archive, PYTHON, "-m", "demo.demo")
    assert done.returncode == 1
    assert "does not have a commit checked out" in done.stdout
    assert "\nthe demonstration cannot go on: Command '['git', " in done.stdout
    done = run(archive, PYTHON, "-m", "demo.demo", PATH=str(tmp_path), TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == (
        "the demonstration cannot go on: [Errno 2] No such file or directory: 'git'\n"
    )


TREES = {
    "clean": (True, b"", "exit status 0: nothing unwanted\n"),
    "without-the-macro": (False, b"EXPORT_SYMBOL(a);\n", "anyway\nexit status 0: see the note\n"),
    "with-a-finding": (
        *(True, b"EXPORT_SYMBOL(a);\n"),
        "\nexit status 1: unwanted exports, which are listed above\n",
    ),
}


@parametrize(("macro", "source", "end"), TREES)
def test_a_tree_is_only_said_to_be_clean_when_it_was_judged(
    tmp_path: Path, macro: bool, source: bytes, end: str
) -> None:
    make_tree(tmp_path / "a tree", macro=macro)
    write(tmp_path / "a tree/virt/kvm/x.c", source)
    done = run(CHECKOUT, PYTHON, "-m", "demo.demo", SRCTREE=str(tmp_path / "a tree"))
    assert done.stdout.startswith(f"$ kvm-export-hook --srctree '{tmp_path}/a tree'\n")
    assert done.stdout.endswith(end)
    assert done.returncode == 0


def test_a_tree_that_cannot_be_judged_is_an_error(tmp_path: Path) -> None:
    done = run(CHECKOUT, PYTHON, "-m", "demo.demo", SRCTREE=str(tmp_path))
    assert done.stdout.endswith("exit status 2: not everything could be checked, see the errors\n")
    assert done.returncode == 2


# make.


def test_make_alone_names_the_targets_and_builds_nothing(archive: Path) -> None:
    before = sorted(os.listdir(archive))
    done = run(archive, "make")
    assert done.returncode == 0
    phony = re.search(r"(?m)^\.PHONY: (.*)$", (CHECKOUT / "Makefile").read_text("utf-8"))
    assert phony
    named = set(re.findall(r"(?m)^  make ([a-z-]+)", done.stdout))
    assert named == {*phony[1].split()} - {"help"}
    assert sorted(os.listdir(archive)) == before


def test_make_says_what_to_do_without_a_package_index(archive: Path, tmp_path: Path) -> None:
    # An environment that is made at once: its pip is ours.
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", archive / ".venv"], check=True)
    site = next(archive.glob(".venv/lib/python*/site-packages"))
    write(site / "ours.pth", os.fsencode(sysconfig.get_path("purelib")))
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    done = run(archive, "make", "--old-file=.venv/created.stamp", "lint", **offline)
    assert done.returncode == 2
    assert "No matching distribution found for flit_core" in done.stdout
    assert (
        "\nmake lint: pip could not install what this needs; its message is above." in done.stdout
    )
    assert "PIP_INDEX_URL" in done.stdout


# No Python: it says what one of that version says when make asks.
OLD_PYTHON = b"""\
#!/bin/sh
test "$1" = --version && echo Python 3.9.18 || echo 309
"""
OTHER_PYTHON = b"""\
#!/bin/sh
case $2 in *100*) echo 313 ;; *) echo 3 13 elsewhere ;; esac
"""


@pytest.mark.parametrize("target", ["demo", "bench-peers"])
def test_make_says_which_python_it_needs_before_it_installs(
    archive: Path, tmp_path: Path, target: str
) -> None:
    write(tmp_path / "python3", OLD_PYTHON).chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = run(archive, "make", target, "PYTHONS=python3.10 python3.12", PATH=path)
    assert (done.returncode, done.stdout.splitlines()[:3]) == (
        2,
        [
            f"make {target}: this needs Python 3.10 or newer, and python3 --version says:",
            "Python 3.9.18",
            f"Run make {target} PYTHON=python3.12",
        ],
    )
    assert not {".venv", ".peers"} & {*os.listdir(archive)}
    done = run(archive, "make", target, "PYTHONS=", f"PYTHON={tmp_path}/nothing")
    assert done.returncode == 2
    assert "\nInstall a newer one, and name it: make demo PYTHON=" in done.stdout.replace(
        target, "demo"
    )


def test_another_python_makes_the_environment_again(archive: Path, tmp_path: Path) -> None:
    make = ("make", ".venv/kind", f"PYTHON={PYTHON}")
    assert run(archive, *make).returncode == 0
    write(archive / ".venv/something", b"")
    assert run(archive, *make).stdout == ""
    assert (archive / ".venv/something").exists()
    other = write(tmp_path / "other python", OTHER_PYTHON)
    other.chmod(0o755)
    assert run(archive, "make", ".venv/kind", f"PYTHON={other}").stdout == ""
    assert os.listdir(archive / ".venv") == ["kind"]
    assert (archive / ".venv/kind").read_text() == "3 13 elsewhere\n"


def test_the_pythons_that_are_there_are_found(archive: Path, tmp_path: Path) -> None:
    # python3.14, the last that is looked for, is not there, or not for long.
    write(archive / "print.mk", b"include Makefile\nprint:\n\t@echo $(PYTHONS)\n")
    for name in ("python3.10", "python3.12"):
        write(tmp_path / name, OLD_PYTHON).chmod(0o755)
    found = run(archive, "make", "-f", "print.mk", "print", PATH=f"{tmp_path}:/usr/bin:/bin").stdout
    assert {"python3.10", "python3.12"} <= {*found.split()}
