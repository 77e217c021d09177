# SPDX-License-Identifier: MIT
"""The hook in real commits, by real git and pre-commit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from tests.helpers.recipes import recipe
from tests.helpers.repositories import Repository, copy_repository, kernel, publish
from tests.helpers.support import BAD, INTERNAL, NOT_LISTED, make_tree

pytestmark = pytest.mark.xdist_group("pre-commit")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return publish(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, published: Repository) -> Repository:
    return kernel(tmp_path_factory.mktemp("installed") / "linux", published)


@pytest.fixture
def repository(tmp_path: Path, installed: Repository) -> Repository:
    return copy_repository(installed, tmp_path / "linux")


def test_a_bad_export_blocks_the_commit(repository: Repository) -> None:
    repository.stage("virt/kvm/kvm_main.c", b"int kvm_main;\n\n" + BAD)
    status, output = repository.commit()
    assert status == 1
    assert (
        "virt/kvm/kvm_main.c:3:1: error: EXPORT_SYMBOL_GPL(kvm_sample):"
        f" {NOT_LISTED} [not-allowlisted]\n"
        "    3 | EXPORT_SYMBOL_GPL(kvm_sample);\n"
        "      | ^~~~~~~~~~~~~~~~~ use EXPORT_SYMBOL_FOR_KVM_INTERNAL\n"
        "\n"
        "found 1 unwanted export in 1 file: 1 EXPORT_SYMBOL_GPL\n"
        "Use EXPORT_SYMBOL_FOR_KVM_INTERNAL "
    ) in output
    assert "KVM exports....." in output
    assert repository.git("status", "--short") == "M  virt/kvm/kvm_main.c\n"


def test_the_corrected_file_passes(repository: Repository) -> None:
    repository.stage("virt/kvm/kvm_main.c", BAD)
    assert repository.commit().status == 1
    repository.stage("virt/kvm/kvm_main.c", b"int a;\n" + INTERNAL)
    assert repository.commit().status == 0


def test_what_is_not_staged_does_not_block(repository: Repository) -> None:
    repository.write("virt/kvm/untracked.c", BAD)
    repository.write("arch/x86/kvm/x86.c", BAD)
    repository.stage("virt/kvm/kvm_main.c", b"int b;\n" + INTERNAL)
    assert repository.commit().status == 0
    assert (repository.top / "arch/x86/kvm/x86.c").read_bytes() == BAD


def test_a_partially_staged_file_is_judged_by_what_is_staged(repository: Repository) -> None:
    repository.stage("virt/kvm/kvm_main.c", BAD)
    repository.write("virt/kvm/kvm_main.c", INTERNAL)
    assert repository.commit().status == 1
    repository.stage("virt/kvm/kvm_main.c", b"int c;\n" + INTERNAL)
    repository.write("virt/kvm/kvm_main.c", b"int c;\n" + INTERNAL + BAD)
    assert repository.commit().status == 0
    assert (repository.top / "virt/kvm/kvm_main.c").read_bytes().endswith(BAD)


def test_a_merge_is_judged_by_the_files_that_pre_commit_passes(repository: Repository) -> None:
    install = ("pre-commit", "install", "--hook-type=pre-merge-commit")
    assert repository.run(*install).status == 0
    lines = b"int a;\n" * 9
    conflict, both, theirs = (f"virt/kvm/{name}.c" for name in ("conflict", "both", "theirs"))
    repository.record("base", {conflict: lines, both: lines})
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.record("theirs", {conflict: INTERNAL, both: BAD + lines, theirs: BAD})
    repository.git("checkout", "--quiet", "-")
    repository.record("ours", {conflict: b"", both: lines + b"int b;\n"})
    assert repository.run("git", "merge", "topic").status == 1
    repository.stage(conflict, INTERNAL)
    status, output = repository.commit()
    assert (status, f"{both}:1:1: error:" in output, theirs in output) == (1, True, False), output
    repository.git("merge", "--abort")
    repository.record("undone", {conflict: lines})
    status, output = repository.run("git", "merge", "--no-edit", "topic")
    assert (status, f"{theirs}:1:1: error:" in output) == (1, True), output


def test_elsewhere_does_not_block(repository: Repository) -> None:
    for directory in ("fs", "arch/arm64/kvm", "tools/virt/kvm"):
        repository.stage(f"{directory}/x.c", BAD)
    for name in ("notes.txt", "e.S"):
        repository.stage(f"virt/kvm/{name}", BAD)
    status, output = repository.commit()
    assert status == 0
    assert "(no files to check)Skipped" in output


def test_a_file_that_moves_into_kvm_is_judged(repository: Repository) -> None:
    repository.git("mv", "fs/read_write.c", "virt/kvm/read_write.c")
    status, output = repository.commit()
    assert status == 1
    assert "virt/kvm/read_write.c:1:1: error: EXPORT_SYMBOL(vfs_read): " in output


def test_a_file_that_moves_inside_kvm_is_judged_under_its_new_name(
    repository: Repository,
) -> None:
    repository.git("mv", "virt/kvm/kvm_main.c", "virt/kvm/main.c")
    assert repository.commit().status == 0


def test_a_deleted_file_is_no_matter(repository: Repository) -> None:
    repository.stage("virt/kvm/bad.c", BAD)
    repository.git("commit", "--quiet", "--no-verify", "--message", "bad")
    repository.git("rm", "--quiet", "virt/kvm/bad.c")
    assert repository.commit().status == 0


def test_a_symbolic_link_is_refused(repository: Repository) -> None:
    repository.write("fs/bad.c", BAD)
    (repository.top / "virt/kvm/link.c").symlink_to("../../fs/bad.c")
    repository.git("add", "virt/kvm/link.c")
    status, output = repository.commit()
    assert status == 1
    assert "- exit code: 2\n" in output
    assert "virt/kvm/link.c: is a symbolic link" in output


def test_a_linked_worktree(repository: Repository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "--quiet", str(tmp_path / "next"))
    worktree = Repository(tmp_path / "next", repository.home)
    worktree.stage("virt/kvm/x.c", BAD)
    status, output = worktree.commit()
    assert status == 1
    assert "No .pre-commit-config.yaml file was found" in output
    config = (repository.top / ".pre-commit-config.yaml").read_bytes()
    worktree.write(".pre-commit-config.yaml", config)
    status, output = worktree.commit()
    assert status == 1
    assert "virt/kvm/x.c:1:1: error: " in output
    worktree.stage("virt/kvm/x.c", INTERNAL)
    assert worktree.commit().status == 0


def test_worktrees_without_a_configuration_can_be_let_pass(
    repository: Repository, tmp_path: Path
) -> None:
    assert repository.run("pre-commit", "install", "--allow-missing-config").status == 0
    repository.git("worktree", "add", "--quiet", str(tmp_path / "next"))
    worktree = Repository(tmp_path / "next", repository.home)
    worktree.stage("virt/kvm/x.c", INTERNAL)
    assert worktree.commit().status == 0


def test_names_of_any_kind(repository: Repository) -> None:
    names = ["-a.c", "A.C", "a\nb.c", "a b.c", "a'b\"c.c", "é.c"]
    for name in names:
        repository.stage(f"virt/kvm/{name}", BAD)
    status, output = repository.commit()
    assert status == 1
    for name in names:
        shown = name.replace("\n", "\\n")
        assert f"virt/kvm/{shown}:1:1: error: EXPORT_SYMBOL_GPL(kvm_sample): " in output
        repository.stage(f"virt/kvm/{name}", INTERNAL)
    assert repository.commit().status == 0


def test_names_that_are_not_utf_8(repository: Repository) -> None:
    # pre-commit (4.7.0) cannot decode such a name and stops by itself: the
    # commit is blocked. git and the command alone work with any bytes.
    repository.stage(os.fsdecode(b"virt/kvm/latin-\xe9.c"), BAD)
    assert repository.commit().status != 0
    status, output = repository.run(
        "bash", "-c", "git diff --cached --name-only -z | xargs -0 kvm-export-hook"
    )
    assert status == 123  # so xargs says that the command failed
    assert "virt/kvm/latin-\\xe9.c:1:1: error: EXPORT_SYMBOL_GPL(kvm_sample): " in output


def test_a_kernel_in_a_subdirectory(repository: Repository) -> None:
    path = repository.top / ".pre-commit-config.yaml"
    config = yaml.safe_load(path.read_text("utf-8"))
    config["repos"][0]["hooks"] = yaml.safe_load(recipe("**The kernel is a subdirectory of"))
    path.write_text(yaml.safe_dump(config))
    repository.git("init", "--quiet", "--bare", "../server.git")
    repository.git("remote", "add", "origin", "../server.git")
    push = ("git", "push", "origin", "HEAD:refs/heads/main")
    assert repository.run("pre-commit", "install", "--hook-type=pre-push").status == 0
    (repository.top / "linux").mkdir()
    repository.git("mv", "virt", "include", "linux")
    assert repository.commit().status == 0
    assert repository.run(*push, "--no-verify").status == 0
    repository.stage("linux/virt/kvm/x.c", INTERNAL)
    assert repository.commit().status == 0
    assert repository.run(*push).status == 0
    repository.stage("linux/virt/kvm/x.c", BAD)
    found = "linux/virt/kvm/x.c:1:1: error: "
    status, output = repository.commit()
    assert (status, found in output) == (1, True), output
    repository.record("bad")
    status, output = repository.run(*push)
    assert (status, found in output) == (1, True), output


def test_all_files(repository: Repository) -> None:
    command = ("pre-commit", "run", "--all-files")
    assert repository.run(*command).status == 0
    repository.stage("virt/kvm/bad.c", BAD)
    repository.stage("arch/x86/kvm/vmx/bad.h", BAD)
    status, output = repository.run(*command)
    assert status == 1
    assert "found 2 unwanted exports in 2 files: 2 EXPORT_SYMBOL_GPL\n" in output


def test_a_branch_from_before_the_macro_does_not_block(repository: Repository) -> None:
    make_tree(repository.top, macro=False)
    repository.git("add", "include")
    repository.stage("virt/kvm/bad.c", BAD)
    assert repository.commit().status == 0


def test_pre_commit_color_reaches_the_hook(repository: Repository) -> None:
    repository.stage("virt/kvm/bad.c", BAD)
    assert "\x1b[1;31merror:" in repository.run("pre-commit", "run", "--color=always").output
    assert "\x1b" not in repository.run("pre-commit", "run", "--color=never").output


# The hook that repairs.


@pytest.fixture
def repairing(tmp_path: Path, published: Repository) -> Repository:
    return kernel(tmp_path / "linux", published, "kvm-exports-fix")


def test_a_fix_fails_the_first_time_and_passes_the_second(repairing: Repository) -> None:
    repairing.stage("virt/kvm/x.c", b"int a;\n" + BAD)
    status, output = repairing.commit()
    assert status == 1
    assert "- files were modified by this hook\n" in output
    assert (
        "virt/kvm/x.c:2: EXPORT_SYMBOL_GPL(kvm_sample)"
        " -> EXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_sample)\n"
        "\n"
        "rewrote 1 unwanted export in 1 file: 1 EXPORT_SYMBOL_GPL\n"
        "Review the change, stage it, and commit again:\n"
        "    git add virt/kvm/x.c\n"
    ) in output
    repairing.git("add", "virt/kvm/x.c")
    assert repairing.commit().status == 0
    assert repairing.git("show", "HEAD:virt/kvm/x.c").encode() == b"int a;\n" + INTERNAL


def test_a_fix_touches_only_what_is_staged(repairing: Repository) -> None:
    between = b"int a;\n" * 20
    repairing.stage("virt/kvm/x.c", BAD + between)
    repairing.write("virt/kvm/x.c", BAD + between + BAD)
    status, output = repairing.commit()
    assert status == 1
    assert "rewrote 1 unwanted export in 1 file" in output
    assert (repairing.top / "virt/kvm/x.c").read_bytes() == INTERNAL + between + BAD
    assert repairing.git("show", ":virt/kvm/x.c").encode() == BAD + between


def test_what_a_fix_cannot_rewrite_blocks_the_commit(repairing: Repository) -> None:
    repairing.stage("virt/kvm/x.c", b"EXPORT_SYMBOL_NS(a, b);\n")
    for _ in range(2):
        status, output = repairing.commit()
        assert status == 1
        assert "could not rewrite 1 unwanted export in 1 file: 1 EXPORT_SYMBOL_NS\n" in output
        assert "files were modified" not in output
