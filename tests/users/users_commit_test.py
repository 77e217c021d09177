# SPDX-License-Identifier: MIT
"""Users in the tree of a commit, whatever the disk has: real git, real commits."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from kvm_export_hook.git.process import GitError
from kvm_export_hook.users.commit_tree import CommitTree
from kvm_export_hook.users.lookup import Users, find_users
from kvm_export_hook.users.outside import NO_GIT, PART_OF_KERNEL
from kvm_export_hook.users.searched import SearchedTree
from kvm_export_hook.users.working_tree import WorkingTree
from tests.conftest import HOME
from tests.helpers.cases import parametrize
from tests.helpers.kernel_tree import look_up, make_kernel, spell_uses
from tests.helpers.repositories import Repository, initialise
from tests.helpers.shapes import SHAPES, SVM, VFIO
from tests.helpers.support import write
from tests.users.users_outside_test import CONFIGURED, run_git

CALL = "kvm_foo();\n"
USED = [f"kvm-amd {SVM}:1", f"- {VFIO}:1"]


@pytest.mark.parametrize("kind", [WorkingTree, CommitTree])
def test_each_tree_answers_what_is_asked_of_one(kind: type) -> None:
    asked = {name for name in vars(SearchedTree) if not name.startswith("_")}
    assert "list_candidates" in asked
    assert asked <= {*dir(kind)}


def commit(repository: Path) -> None:
    """Commit all of a new REPOSITORY, and remove it from the disk."""
    initialise(Repository(repository, HOME)).git("rm", "-r", "--quiet", ".")


def look_up_in_commit(
    repository: Path, prefix: bytes = b"", symbol: bytes = b"kvm_foo", where: str = "."
) -> Users:
    """Find who uses SYMBOL in HEAD of REPOSITORY; git runs in the directory WHERE."""
    with closing(CommitTree(b"HEAD", prefix, bytes(repository / where))) as tree:
        return find_users(tree, [symbol])


@parametrize(("changes", "symbol", "uses"), SHAPES)
def test_a_commit_has_the_users_that_the_same_files_have(
    changes: Mapping[str, str], symbol: str, uses: list[str], tmp_path: Path
) -> None:
    commit(make_kernel(tmp_path, changes))
    users = look_up_in_commit(tmp_path, symbol=symbol.encode())
    assert spell_uses(users, symbol.encode()) == uses
    assert users.are_known


@pytest.mark.parametrize("where", [".", "linux", "other"])
def test_a_kernel_below_the_top(where: str, tmp_path: Path) -> None:
    make_kernel(tmp_path / "linux", {SVM: CALL, VFIO: CALL})
    write(tmp_path / "other/a.c", CALL.encode())
    commit(tmp_path)
    for name in ("linux", "other"):
        (tmp_path / name).mkdir()
    assert spell_uses(look_up_in_commit(tmp_path, b"linux/", where=where)) == USED


def test_the_working_tree_and_the_index_count_for_nothing(tmp_path: Path) -> None:
    commit(make_kernel(tmp_path, {SVM: CALL, VFIO: CALL}))
    make_kernel(tmp_path, {"net/a.c": CALL})
    run_git(tmp_path, "add", "--all")
    assert spell_uses(look_up(tmp_path)) == ["- net/a.c:1"]
    assert spell_uses(look_up_in_commit(tmp_path)) == USED


def test_no_configuration_changes_what_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(make_kernel(tmp_path / "r", {SVM: CALL, "drivers/ä '\".c": CALL, "net/a\n.c": CALL}))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(write(tmp_path / "config", CONFIGURED.encode())))
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
    users = look_up_in_commit(tmp_path / "r")
    # No name with a line end can be asked for.
    assert spell_uses(users) == [f"kvm-amd {SVM}:1", "- drivers/ä '\".c:1"]


def test_a_bare_repository(tmp_path: Path) -> None:
    commit(make_kernel(tmp_path / "r", {SVM: CALL, VFIO: CALL}))
    run_git(tmp_path, "clone", "--quiet", "--bare", "r", "bare")
    assert spell_uses(look_up_in_commit(tmp_path / "bare")) == USED


def test_many_names(tmp_path: Path) -> None:
    header = "".join(f"#define bar{n}() kvm_foo()\n" for n in range(9))
    beside = {"net/a.h": "#include <linux/kvm_host.h>\n", "net/a.c": "bar7();\n"}
    commit(make_kernel(tmp_path, {"include/linux/kvm_host.h": header, **beside}))
    assert spell_uses(look_up_in_commit(tmp_path)) == ["- net/a.c:1 < bar7"]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    top = make_kernel(tmp_path, {"drivers/Makefile": None, "arch/powerpc/kvm/book3s_hv.c": None})
    (top / "arch/powerpc/kvm/book3s_hv.c").symlink_to("book3s.c")
    (top / "virt/kvm/a.h").symlink_to("kvm_mm.h")
    commit(top)
    users = look_up_in_commit(tmp_path)
    assert users.missing == [b"arch/powerpc/kvm/book3s_hv.c", b"virt/kvm/a.h"]
    assert users.missing_outside == PART_OF_KERNEL


def test_a_link_that_may_export_the_symbol_is_missing(tmp_path: Path) -> None:
    top = make_kernel(tmp_path, {SVM: CALL})
    (top / "virt/kvm/a.c").symlink_to("kvm_main.c")
    commit(top)
    with closing(CommitTree(b"HEAD", b"", bytes(tmp_path))) as tree:
        users = find_users(tree, [b"kvm_foo"], wants_provided=True)
    assert users.missing == [b"virt/kvm/a.c"]


def test_a_search_that_fails(tmp_path: Path) -> None:
    commit(make_kernel(tmp_path, {"drivers/Makefile": ""}))
    assert look_up_in_commit(tmp_path).missing_outside == NO_GIT


@pytest.mark.parametrize("name", [b"nowhere", b"drivers/Makefile"])
def test_what_is_no_tree(name: bytes, tmp_path: Path) -> None:
    commit(make_kernel(tmp_path, {}))
    with pytest.raises(GitError, match="the commit has no such directory"):
        look_up_in_commit(tmp_path, name)
