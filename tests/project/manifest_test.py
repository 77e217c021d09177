# SPDX-License-Identifier: MIT
"""The manifest of hooks; pre-commit's own validation lets unknown keys pass."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from kvm_export_hook.rules import scope
from kvm_export_hook.rules.scope import FACT_FILES
from tests.helpers.repositories import publish
from tests.helpers.support import CHECKOUT, make_environment

MANIFEST = yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_bytes())

SHARED = {
    "language": "python",
    "require_serial": True,
    "minimum_pre_commit_version": "3.2.0",
}
# What a commit's hooks are given the names of: KVM's C, and the fact files.
DIRECTORIES = "|".join(map(os.fsdecode, reversed(scope.KVM_DIRECTORIES)))
FILES = (
    rf"^({DIRECTORIES})/(?s:.*)\.[chCH]$"
    r"|^arch/x86/kvm/Makefile$|^include/linux/kvm_types\.h$"
)
OF_A_COMMIT = {"files": FILES, "types": [], "stages": ["pre-commit", "pre-merge-commit", "manual"]}
# Always, because a bad commit and its fix leave no changed file.
OF_A_PUSH = {"always_run": True, "pass_filenames": False, "stages": ["pre-push"]}
HOOKS: dict[str, dict[str, object]] = {
    "kvm-exports": {"entry": "kvm-export-hook", **OF_A_COMMIT},
    "kvm-exports-fix": {"entry": "kvm-export-hook --fix", **OF_A_COMMIT},
    "kvm-exports-push": {"entry": "kvm-export-hook --pre-push", **OF_A_PUSH},
    "kvm-exports-patches": {
        "entry": "kvm-export-hook --patch",
        "files": r"\.(patch|diff|mbox|mbx|eml)$",
        "types": ["file"],
        "stages": ["pre-commit", "pre-merge-commit", "manual"],
    },
}


def test_every_key_and_value() -> None:
    assert [hook["id"] for hook in MANIFEST] == list(HOOKS)
    for hook in MANIFEST:
        expected = {**SHARED, **HOOKS[hook["id"]]}
        assert set(hook) == {"id", "name", "description", *expected}
        assert {key: hook[key] for key in expected} == expected
        assert hook["name"]
        assert hook["description"].endswith(".")


def test_pre_commit_takes_it() -> None:
    subprocess.run(
        ["pre-commit", "validate-manifest", ".pre-commit-hooks.yaml"],
        cwd=CHECKOUT,
        env=make_environment(),
        check=True,
    )


def test_files_is_what_the_command_judges() -> None:
    pattern = re.compile(FILES)
    for directory in scope.KVM_DIRECTORIES:
        for name in ("x.c", "x.h", "a/b.c", "X.C", "new\nline.c", ".c", "..h"):
            assert pattern.search(f"{directory.decode()}/{name}")
        for name in ("x.S", "Kconfig", "x.c.orig"):
            assert not pattern.search(f"{directory.decode()}/{name}")
        assert not pattern.search(f"tools/{directory.decode()}/x.c")
        assert not pattern.search(f"{directory.decode()}x.c")
    for name in map(os.fsdecode, FACT_FILES):
        assert pattern.search(name)
        assert not pattern.search(f"tools/{name}")


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
