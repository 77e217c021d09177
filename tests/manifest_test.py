# SPDX-License-Identifier: MIT
"""The manifest of hooks; pre-commit's own validation lets unknown keys pass."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from kvm_export_hook.sources import scope
from tests.repository import publish
from tests.support import CHECKOUT, environment

MANIFEST = yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_bytes())

SHARED = {
    "language": "python",
    "files": "^(virt/kvm|arch/x86/kvm)/",
    "types": ["c"],
    "require_serial": True,
    "stages": ["pre-commit", "pre-merge-commit", "pre-push", "manual"],
    "minimum_pre_commit_version": "3.2.0",
}


def test_every_key_and_value() -> None:
    told = {hook["id"]: hook for hook in MANIFEST}
    assert {name: hook["entry"] for name, hook in told.items()} == {
        "kvm-exports": "kvm-export-hook",
        "kvm-exports-fix": "kvm-export-hook --fix",
    }
    for hook in MANIFEST:
        assert set(hook) == {"id", "name", "description", "entry", *SHARED}
        assert {key: hook[key] for key in SHARED} == SHARED
        assert hook["name"]
        assert hook["description"].endswith(".")


def test_pre_commit_takes_it() -> None:
    subprocess.run(
        ["pre-commit", "validate-manifest", ".pre-commit-hooks.yaml"],
        cwd=CHECKOUT,
        env=environment(),
        check=True,
    )


def test_files_is_the_scope_of_the_command() -> None:
    pattern = re.compile(SHARED["files"])  # type: ignore[call-overload]
    for directory in scope.KVM_DIRECTORIES:
        assert pattern.search(f"{directory.decode()}/x.c")
        assert not pattern.search(f"tools/{directory.decode()}/x.c")
        assert not pattern.search(f"{directory.decode()}x.c")


@pytest.mark.xdist_group("pre-commit")
def test_the_hooks_for_this_project_pass_on_it(tmp_path: Path) -> None:
    published = publish(tmp_path)
    status, output = published.run("pre-commit", "run", "--all-files")
    assert status == 0, output
    assert output.count("Passed") == 3
    published.stage("tests/bad.py", b"import os\n")
    assert published.run("pre-commit", "run").status == 1


def test_the_readme_names_every_hook() -> None:
    readme = (CHECKOUT / "README.md").read_text("utf-8")
    for hook in MANIFEST:
        assert f"`{hook['id']}`" in readme
