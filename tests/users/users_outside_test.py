# SPDX-License-Identifier: MIT
"""Users outside KVM: real git in every state of a repository, whatever is configured."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kvm_export_hook.users.outside import NO_GIT, PART_OF_KERNEL, SPARSE
from tests.helpers.kernel_tree import look_up, make_kernel, spell_uses
from tests.helpers.support import write

USER = {"drivers/a.c": "kvm_foo();\n"}
USED = ["- drivers/a.c:1"]
CONFIGURED = """\
[color]
	ui = always
	grep = always
[core]
	quotePath = true
[grep]
	lineNumber = true
	column = true
	fullName = true
	patternType = perl
	fallbackToNoIndex = true
	threads = 1
[submodule]
	recurse = true
"""


def run_git(directory: Path, *arguments: str) -> None:
    """Run git in DIRECTORY; it must succeed."""
    subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True)


def make_repository(top: Path, **changes: str) -> Path:
    """Make a small kernel with a user outside KVM, all of it in the index."""
    make_kernel(top, {**USER, **changes})
    run_git(top, "init", "--quiet")
    run_git(top, "add", ".")
    return top


def find_uses(top: Path) -> list[str]:
    """Find who uses kvm_foo in the tree at TOP, where that is known."""
    users = look_up(top)
    assert users.missing_outside is None
    return spell_uses(users)


def test_a_tree_that_git_tracks(tmp_path: Path) -> None:
    assert find_uses(make_repository(tmp_path)) == USED


def test_a_file_that_git_does_not_track_in_a_tree_that_it_tracks(tmp_path: Path) -> None:
    top = make_repository(tmp_path)
    write(top / "drivers/scratch.c", b"kvm_foo();\n")
    assert find_uses(top) == USED


def test_a_tree_that_git_does_not_track(tmp_path: Path) -> None:
    assert find_uses(make_kernel(tmp_path, USER)) == USED


def test_a_tree_whose_makefile_of_drivers_is_empty(tmp_path: Path) -> None:
    top = make_kernel(tmp_path, {**USER, "drivers/Makefile": ""})
    assert look_up(top).missing_outside == NO_GIT


def test_a_tree_in_a_repository_of_something_else(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "--quiet")
    write(tmp_path / ".gitignore", b"linux\n")
    assert find_uses(make_kernel(tmp_path / "linux", USER)) == USED


def test_a_tree_in_a_subdirectory_of_its_repository(tmp_path: Path) -> None:
    make_kernel(tmp_path / "linux", USER)
    write(tmp_path / "other/a.c", b"kvm_foo();\n")
    make_repository(tmp_path)
    assert find_uses(tmp_path / "linux") == USED


def test_the_working_tree_is_searched_not_the_index(tmp_path: Path) -> None:
    top = make_repository(tmp_path)
    write(top / "drivers/a.c", b"\n\nkvm_foo();\n")
    assert find_uses(top) == ["- drivers/a.c:3"]


@pytest.mark.parametrize("is_tracked", [True, False], ids=["tracked", "not tracked"])
def test_no_configuration_changes_what_is_found(
    is_tracked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = tmp_path / "all" / "linux"
    make_kernel(top, {"drivers/ä \n'\".c": "kvm_foo();\n"})
    if is_tracked:
        run_git(tmp_path / "all", "init", "--quiet")
        run_git(tmp_path / "all", "add", ".")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(write(tmp_path / "config", CONFIGURED.encode())))
    assert find_uses(top) == ["- drivers/ä \n'\".c:1"]


@pytest.mark.parametrize("kind", ["LITERAL", "GLOB", "NOGLOB", "ICASE"])
def test_pathspecs_mean_the_same_in_every_environment(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = make_repository(tmp_path)
    monkeypatch.setenv(f"GIT_{kind}_PATHSPECS", "1")
    assert find_uses(top) == USED


def test_a_hook_of_another_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_git(write(tmp_path / "other/a.c", b"").parent, "init", "--quiet")
    top = make_kernel(tmp_path / "linux", USER)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    assert find_uses(top) == USED


def test_a_file_that_is_only_in_the_index(tmp_path: Path) -> None:
    top = make_repository(tmp_path)
    run_git(top, "update-index", "--assume-unchanged", "drivers/a.c")
    (top / "drivers/a.c").unlink()
    assert find_uses(top) == []


def test_a_sparse_checkout_is_not_all_of_a_kernel(tmp_path: Path) -> None:
    top = make_repository(tmp_path)
    run_git(top, "sparse-checkout", "set", "drivers", "arch", "virt", "include")
    users = look_up(top)
    assert (spell_uses(users), users.missing_outside) == ([], SPARSE)
    assert not users.are_known


def test_a_checkout_that_is_sparse_no_more(tmp_path: Path) -> None:
    top = make_repository(tmp_path)
    run_git(top, "config", "core.sparseCheckout", "off")
    assert find_uses(top) == USED


def test_a_part_of_a_kernel(tmp_path: Path) -> None:
    users = look_up(make_kernel(tmp_path, {"drivers/Makefile": None}))
    assert users.missing_outside == PART_OF_KERNEL
    assert users.are_modules_known
    assert not users.are_known


def test_a_machine_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    users = look_up(make_kernel(tmp_path, USER))
    assert users.missing_outside == NO_GIT


def test_a_repository_that_git_cannot_read(tmp_path: Path) -> None:
    write(tmp_path / ".git", b"gitdir: nowhere\n")
    users = look_up(make_kernel(tmp_path, USER))
    assert users.missing_outside is None  # git searches the directory all the same
