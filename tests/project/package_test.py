# SPDX-License-Identifier: MIT
"""What is built and shipped."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import kvm_export_hook
from tests.helpers.repositories import Repository, publish
from tests.helpers.support import CHECKOUT, make_environment

VERSION = kvm_export_hook.__version__


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return publish(tmp_path_factory.mktemp("home"))


def build(published: Repository, clone: Path) -> Path:
    """Clone the checkout as it stands, and build there what make dist does, with our packages."""
    published.git("clone", "--quiet", str(published.top), str(clone))
    (clone / ".venv").symlink_to(sys.prefix)
    subprocess.run(
        ["make", "--old-file=.venv/dist.stamp", "build-dist"],
        cwd=clone,
        env=make_environment(),
        check=True,
        capture_output=True,
    )
    return clone / "dist"


@pytest.fixture(scope="module")
def dist(published: Repository, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(published, tmp_path_factory.mktemp("clone") / "a b")


def test_two_clones_build_the_same_bytes(published: Repository, dist: Path, tmp_path: Path) -> None:
    again = build(published, tmp_path / "clone")
    # Nor does it matter when a file was written.
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in dist.iterdir()
    }
    assert len(list(again.iterdir())) == 2


def test_the_wheel_holds_the_package_and_nothing_else(dist: Path) -> None:
    package = CHECKOUT / "kvm_export_hook"
    sources = {
        path.relative_to(CHECKOUT).as_posix()
        for path in package.rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    info = f"kvm_export_hook-{VERSION}.dist-info"
    metadata = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    with zipfile.ZipFile(dist / f"kvm_export_hook-{VERSION}-py3-none-any.whl") as wheel:
        assert set(wheel.namelist()) == sources | {f"{info}/{name}" for name in metadata}
        reported = wheel.read(f"{info}/METADATA").decode()
        scripts = wheel.read(f"{info}/entry_points.txt").decode()
    for line in (
        f"Version: {VERSION}",
        "License-Expression: MIT",
        "Requires-Python: >=3.10",
        "Requires-Dist: identify >= 2.4.12",
    ):
        assert f"{line}\n" in reported
    assert reported.count("Requires-Dist:") == 1
    assert "kvm-export-hook=kvm_export_hook.cli:start" in scripts


def test_the_sdist_holds_what_the_tests_need(dist: Path) -> None:
    with tarfile.open(dist / f"kvm_export_hook-{VERSION}.tar.gz") as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {
        "LICENSE",
        "README.md",
        "Makefile",
        "CHANGELOG.md",
        "tests/rules/judge_test.py",
    } <= names
    assert {".gitignore", ".ci/run", ".github/workflows/ci.yml", ".pre-commit-config.yaml"} <= names
    assert not any("__pycache__" in name for name in names)


def test_the_changelog_begins_with_this_version() -> None:
    changelog = (CHECKOUT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"(?m)^## (.*)$", changelog)
    assert re.fullmatch(rf"{re.escape(VERSION)} \(\d{{4}}-\d{{2}}-\d{{2}}\)", headings[0])


def test_every_action_is_pinned_to_one_commit() -> None:
    pages = [*(CHECKOUT / ".github").rglob("*.yml"), CHECKOUT / "docs/ci.md"]
    used = [line for page in pages for line in re.findall("- uses: (.*)", page.read_text("utf-8"))]
    pattern = r"([\w/-]+)@[0-9a-f]{40}  # v\d+\.\d+\.\d+"
    names = [pin[1] for pin in (re.fullmatch(pattern, line) for line in used) if pin]
    assert len(names) == len(used) > 0, used
    assert len({*used}) == len({*names}), used


@pytest.mark.parametrize("suffix", ["*.py", "*.toml", "Makefile", "*.yaml"])
def test_every_source_names_its_licence(published: Repository, suffix: str) -> None:
    listed = published.git("ls-files", suffix).split()
    assert listed
    for name in listed:
        assert "SPDX-License-Identifier: MIT" in (CHECKOUT / name).read_text("utf-8")[:200], name
