# SPDX-License-Identifier: MIT
"""Where a kernel lies in a repository, and what repository that is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kvm_export_hook.check import NO_KERNEL_MESSAGE
from kvm_export_hook.run import NOTHING_CHECKED
from tests.conftest import HOME, Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Repository, find_added, initialise
from tests.helpers.support import (
    BAD,
    INTERNAL,
    MAKEFILE_WITH_CHECK,
    make_makefile,
    make_tree,
    write,
)

A, B = "virt/kvm/a.c", "virt/kvm/b.c"
WITH_SAMPLE = MAKEFILE_WITH_CHECK.replace(b"-e kvm_get_kvm", b"-e kvm_sample")


@pytest.mark.parametrize("directory", ["virt", "virt/kvm", "fs"])
def test_from_a_subdirectory(
    linux: Repository, monkeypatch: pytest.MonkeyPatch, directory: str
) -> None:
    linux.stage(A, BAD)
    monkeypatch.chdir(linux.top / directory)
    assert find_added("--staged") == [f"{A}:1"]
    linux.stage("arch/x86/kvm/Makefile", make_makefile("kvm_x"))
    assert find_added("--staged") == [f"{A}:1"]
    linux.record("bad")
    assert find_added("--commits=HEAD") == [f"bad: {A}:1"]


def test_since_from_a_subdirectory(linux: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    linux.record("old", {A: BAD})
    linux.write(A, BAD + BAD)
    linux.write(B, BAD)
    monkeypatch.chdir(linux.top / "virt/kvm")
    assert find_added("--since=HEAD", "a.c") == ["a.c:2"]
    assert find_added("--since=HEAD") == ["a.c:2", "b.c:1"]
    monkeypatch.chdir(linux.top / "fs")
    assert find_added("--since=HEAD", "../virt/kvm/b.c") == [f"{linux.top}/{B}:1"]


@pytest.fixture(params=["vendor/linux", "a b/:(top)*[x]\\"])
def vendor(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Repository, str]:
    """Make a repository that has a kernel in a subdirectory, and stand there."""
    place: str = request.param
    repository = Repository(tmp_path / "all", HOME)
    make_tree(repository.top / place, check=True)
    # Files in the same places outside the kernel are none.
    initialise(repository, {A: BAD})
    monkeypatch.chdir(repository.top / place)
    return repository, place


def test_a_kernel_in_a_subdirectory(
    vendor: tuple[Repository, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, place = vendor
    repository.stage_all({B: BAD, f"{place}/{A}": BAD})
    assert find_added("--staged") == [f"{place}/{A}:1"]
    assert find_added("--since=HEAD") == [f"{A}:1"]
    repository.record("bad")
    assert find_added("--commits=HEAD") == [f"bad: {place}/{A}:1"]
    monkeypatch.chdir(repository.top)
    assert find_added("--commits=HEAD") == [f"bad: {B}:1"]
    assert find_added("--commits=HEAD", "--srctree", place) == [f"bad: {place}/{A}:1"]
    repository.record("list", {f"{place}/arch/x86/kvm/Makefile": WITH_SAMPLE})
    repository.record("shorter", {f"{place}/arch/x86/kvm/Makefile": MAKEFILE_WITH_CHECK})
    assert find_added("--commits=HEAD~2..", "--srctree", place) == [f"shorter: {place}/{A}:1"]


def test_a_kernel_in_a_subdirectory_that_makes_place_for_a_submodule(
    vendor: tuple[Repository, str], command: Command
) -> None:
    repository, place = vendor
    top = place.partition("/")[0]
    repository.git("--literal-pathspecs", "rm", "-r", "--quiet", "--cached", top)
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},{top}")
    said = f"{top}: is a submodule, whose files are not checked here: run the hook in it\n"
    assert command("--staged") == (2, "", f"kvm-export-hook: error: {said}")
    repository.git("commit", "--quiet", "--message", "submodule")
    head = repository.git("rev-parse", "HEAD")[:12]
    assert command("--commits=HEAD") == (2, "", f"kvm-export-hook: error: commit {head}: {said}")


@parametrize(
    ("srctree", "said"),
    {
        "elsewhere": (
            "..",
            "the --srctree directory is not in this repository: run this in its own",
        ),
        "not-a-kernel": ("fs", NO_KERNEL_MESSAGE),
        "with-a-newline": (
            "a\nb",
            "git cannot read a path that contains a newline: rename the directory",
        ),
    },
)
@pytest.mark.parametrize("source", ["--staged", "--commits=HEAD"])
def test_a_srctree_that_is_none(
    linux: Repository,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    srctree: str,
    said: str,
    source: str,
) -> None:
    monkeypatch.setenv("GIT_DIR", str(linux.top / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(linux.top))
    status, out, err = command(source, "--srctree", srctree)
    assert (status, out) == (2, "")
    assert err.endswith(f"kvm-export-hook: error: {said}\n")


def test_a_srctree_elsewhere_is_of_its_own_repository(
    linux: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux.stage(A, BAD)
    monkeypatch.chdir(tmp_path)
    assert find_added("--staged", "--srctree=linux") == [f"{A}:1"]
    assert find_added("--since=HEAD", "--srctree=linux") == [f"linux/{A}:1"]
    linux.record("bad")
    assert find_added("--commits=HEAD", f"--srctree={linux.top}") == [f"bad: {A}:1"]


def test_a_linked_worktree(
    linux: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux.stage(B, BAD)
    linux.git("worktree", "add", "--quiet", str(tmp_path / "next"))
    next_ = Repository(tmp_path / "next", linux.home)
    monkeypatch.chdir(next_.top)
    next_.stage(A, BAD)
    assert find_added("--staged") == [f"{A}:1"]
    assert find_added("--since=HEAD") == [f"{A}:1"]
    next_.record("bad")
    assert find_added("--commits=HEAD") == [f"bad: {A}:1"]


@pytest.mark.parametrize("form", ["--bare", "--mirror"])
def test_a_bare_repository(
    linux: Repository,
    tmp_path: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    linux.record("bad", {A: BAD})
    linux.git("clone", "--quiet", form, ".", str(tmp_path / "bare.git"))
    monkeypatch.chdir(tmp_path / "bare.git")
    assert find_added("--commits=main") == [f"bad: {A}:1"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_DIR", "bare.git")
    assert find_added("--commits=main") == [f"bad: {A}:1"]


def test_a_bare_repository_with_a_kernel_in_a_subdirectory(
    vendor: tuple[Repository, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, place = vendor
    repository.record("bad", {f"{place}/{A}": BAD})
    repository.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    monkeypatch.chdir(tmp_path / "bare.git")
    assert find_added("--commits=main", "--srctree", place) == [f"bad: {place}/{A}:1"]


@pytest.mark.parametrize("is_index_sparse", [False, True], ids=["checkout", "and-index"])
def test_a_sparse_checkout(linux: Repository, is_index_sparse: bool) -> None:
    linux.record("old", {A: BAD})
    index = ["--sparse-index"] if is_index_sparse else ["--no-sparse-index"]
    linux.git("sparse-checkout", "set", "--cone", *index, "fs")
    assert not (linux.top / "virt").exists()
    assert find_added("--staged") == []

    def stage(name: str, content: bytes) -> None:
        linux.write(name, content)
        linux.git("add", "--sparse", name)

    stage(A, BAD + BAD)
    assert find_added("--staged") == [f"{A}:2"]
    shutil.rmtree(linux.top / "virt")
    assert find_added("--staged") == [f"{A}:2"]
    stage("arch/x86/kvm/Makefile", make_makefile("kvm_x"))
    assert find_added("--staged") == [f"{A}:2"]
    linux.git("rm", "--quiet", "--sparse", "--cached", "virt/kvm/kvm_main.c")
    assert find_added("--staged") == [f"{A}:2"]
    linux.git("commit", "--quiet", "--message", "bad")
    assert find_added("--commits=HEAD") == [f"bad: {A}:2"]


def test_a_partial_clone(
    linux: Repository, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux.record("bad", {A: BAD})
    linux.record("good", {B: INTERNAL})
    linux.git("config", "uploadpack.allowFilter", "true")
    linux.git("config", "uploadpack.allowAnySHA1InWant", "true")
    url = f"file://{linux.top}"
    part = Repository(tmp_path / "part", linux.home)
    linux.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", url, str(part.top))
    shutil.copytree(part.top, tmp_path / "other", symlinks=True)
    monkeypatch.chdir(part.top)
    assert find_added("--commits=HEAD~2..") == [f"bad: {A}:1"]
    # What is not here, and cannot be fetched.
    monkeypatch.chdir(tmp_path / "other")
    linux.top.rename(tmp_path / "away")
    status, out, err = command("--commits=HEAD~1")
    assert (status, out) == (2, "")
    assert err.startswith("kvm-export-hook: error: git cat-file failed: "), err
    assert err.count("\n") == 1


def test_a_kernel_that_is_a_submodule(
    linux: Repository, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = Repository(tmp_path / "outer", linux.home)
    write(outer.top / "README", b"")
    outer.git("init", "--quiet")
    outer.git("submodule", "--quiet", "add", f"file://{linux.top}", "linux")
    outer.record("initial")
    inner = Repository(outer.top / "linux", linux.home)
    inner.stage(A, BAD)
    monkeypatch.chdir(inner.top)
    assert find_added("--staged") == [f"{A}:1"]
    monkeypatch.chdir(outer.top)
    assert find_added("--staged", "--srctree=linux") == [f"{A}:1"]
    assert command("--staged").err.startswith("kvm-export-hook: nothing checked: ")


def test_a_kernel_that_git_has_elsewhere(
    linux: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (linux.top / ".git").rename(tmp_path / "linux.git")
    linux.write(A, BAD)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "linux.git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(linux.top))
    linux.run("true")
    elsewhere = (f"--git-dir={tmp_path / 'linux.git'}", f"--work-tree={linux.top}")
    linux.git(*elsewhere, "add", "--all")
    for directory in (linux.top, linux.top / "virt/kvm", tmp_path):
        monkeypatch.chdir(directory)
        assert find_added("--staged", "--srctree", str(linux.top)) == [f"{A}:1"]
    monkeypatch.chdir(linux.top / "virt/kvm")
    assert find_added("--staged") == [f"{A}:1"]
    assert find_added("--since=HEAD") == ["a.c:1"]


@pytest.mark.parametrize("is_below_another", [True, False], ids=["below-another", "alone"])
@pytest.mark.parametrize("place", ["", "linux/"], ids=["top", "subdirectory"])
def test_a_working_tree_that_the_configuration_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, is_below_another: bool
) -> None:
    if is_below_another:
        Repository(tmp_path, HOME).git("init", "--quiet")
    repository = Repository(tmp_path / "work", HOME)
    make_tree(repository.top / place)
    initialise(repository)
    repository.stage(f"{place}{A}", BAD)
    (repository.top / ".git").rename(tmp_path / "elsewhere")
    elsewhere = str(tmp_path / "elsewhere")
    repository.git(f"--git-dir={elsewhere}", "config", "core.worktree", str(repository.top))
    monkeypatch.setenv("GIT_DIR", elsewhere)
    for directory in ("", "virt"):
        monkeypatch.chdir(repository.top / place / directory)
        assert find_added("--staged") == [f"{place}{A}:1"]


def test_an_empty_git_directory_is_no_repository(
    vendor: tuple[Repository, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, place = vendor
    repository.stage(f"{place}/{A}", BAD)
    (repository.top / place / ".git").mkdir()
    monkeypatch.chdir(repository.top / place)
    assert find_added("--staged") == [f"{place}/{A}:1"]


def test_a_repository_that_is_set_to_a_broken_link(
    linux: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux.stage(A, BAD)
    (linux.top / ".git").rename(tmp_path / "elsewhere")
    (linux.top / ".git").write_text(f"gitdir: {tmp_path / 'gone'}\n")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert find_added("--staged") == [f"{A}:1"]


@pytest.mark.parametrize("is_set", [["GIT_DIR"], ["GIT_DIR", "GIT_WORK_TREE"]], ids=len)
def test_another_repository_than_the_kernel_around(
    linux: Repository,
    tmp_path: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    is_set: list[str],
) -> None:
    linux.stage(A, BAD)
    other = Repository(tmp_path / "other", linux.home)
    initialise(other, {"README": b""})
    places = {"GIT_DIR": other.top / ".git", "GIT_WORK_TREE": other.top}
    for name in is_set:
        monkeypatch.setenv(name, str(places[name]))
    assert command("--staged").err.startswith("kvm-export-hook: nothing checked: ")


def test_the_repository_is_named_alone(
    vendor: tuple[Repository, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, place = vendor
    repository.stage(f"{place}/{A}", BAD)
    monkeypatch.setenv("GIT_DIR", str(repository.top / ".git"))
    assert find_added("--staged") == [f"{place}/{A}:1"]
    assert find_added("--since=HEAD") == [f"{A}:1"]


def test_a_repository_within_a_kernel_that_is_none(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = Repository(make_tree(tmp_path / "linux") / "tools", HOME)
    initialise(inner, {"x.c": BAD})
    monkeypatch.chdir(inner.top)
    assert command("--staged").err.startswith("kvm-export-hook: nothing checked: ")


def test_a_repository_that_is_named_from_here(
    vendor: tuple[Repository, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, place = vendor
    repository.stage(f"{place}/{A}", BAD)
    monkeypatch.chdir(repository.top)
    monkeypatch.setenv("GIT_DIR", ".git")
    assert find_added("--staged", "--srctree", place) == [f"{place}/{A}:1"]
    monkeypatch.setenv("GIT_WORK_TREE", ".")
    assert find_added("--staged", "--srctree", place) == [f"{place}/{A}:1"]


def test_another_index(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copy(linux.top / ".git/index", tmp_path / "other")
    linux.stage(A, BAD)
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other"))
    assert command("--staged") == (0, "", "")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert find_added("--staged") == [f"{A}:1"]


# A kernel in a subdirectory, and hooks at the top.


@pytest.fixture(params=["linux", "a b/linux", "arch/kvm"])
def around(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Repository, str]:
    """Make a repository whose only kernel is in a subdirectory, and stand at its top."""
    place: str = request.param
    repository = Repository(tmp_path / "all", HOME)
    make_tree(repository.top / place, check=True)
    write(repository.top / "Documentation/virt/kvm/api.rst", b"")
    initialise(repository)
    monkeypatch.chdir(repository.top)
    return repository, place


def test_a_kernel_elsewhere_is_to_be_named(
    around: tuple[Repository, str], monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    repository, place = around
    said = f"is not in the kernel that is checked: name its tree with --srctree={place}\n"
    repository.stage(f"{place}/{A}", BAD)
    status, out, err = command("--staged")
    assert (status, out, err) == (2, "", f"kvm-export-hook: error: {place}/{A}: {said}")
    assert find_added("--staged", "--srctree", place) == [f"{place}/{A}:1"]
    id_ = repository.record("bad")
    said = f"kvm-export-hook: error: commit {id_[:12]}: {place}/{A}: {said}"
    assert command("--commits=HEAD") == (2, "", said)
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "HEAD^")
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD")
    assert command("--pre-push") == (2, "", said)
    assert find_added("--pre-push", "--srctree", place) == [f"bad: {place}/{A}:1"]


@pytest.mark.parametrize("ending", ["h", "C", "H"])
def test_a_kernel_elsewhere_has_every_kind_of_c_file(
    around: tuple[Repository, str], command: Command, ending: str
) -> None:
    repository, place = around
    name = f"{place}/virt/kvm/a.{ending}"
    repository.stage(name, BAD)
    status, _, err = command("--staged")
    assert (status, err.startswith(f"kvm-export-hook: error: {name}: ")) == (2, True)


def test_what_changes_no_kernel_elsewhere_passes(
    around: tuple[Repository, str], monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    repository, place = around
    repository.stage_all(
        {
            "Documentation/virt/kvm/api.rst": b"more",
            f"{place}/fs/x.c": BAD,
            f"{place}/virt/kvm/Kconfig": b"",
            f"{place}/virt/kvm/kvm_main.c": None,
            "tools/kvm/x.c": BAD,
        }
    )
    nothing = f"kvm-export-hook: {NOTHING_CHECKED}\n"
    assert command("--staged") == (0, "", nothing)
    repository.record("elsewhere")
    assert command("--commits=HEAD") == (0, "", nothing)
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "HEAD^")
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD")
    assert command("--pre-push") == (0, "", nothing)


@pytest.mark.parametrize("is_moved_down", [True, False], ids=["down", "up"])
def test_a_range_in_which_the_kernel_moves(
    linux: Repository, command: Command, is_moved_down: bool
) -> None:
    names = (*("arch", "virt", "include", "fs"), "linux")
    (linux.top / "linux").mkdir()

    def move(is_down: bool) -> str:
        for name in names[:-1]:
            source, target = (name, f"linux/{name}") if is_down else (f"linux/{name}", name)
            (linux.top / source).rename(linux.top / target)
        return linux.record("move")

    if not is_moved_down:
        move(is_down=True)
    before, after = ("", "linux/") if is_moved_down else ("linux/", "")
    linux.git("tag", "start")
    earlier = linux.record("earlier", {f"{before}{A}": BAD})
    (linux.top / "linux").mkdir(exist_ok=True)
    moved = move(is_down=is_moved_down)
    linux.record("later", {f"{after}{B}": BAD})
    other = "is not in the kernel that is checked: name its tree with --srctree="
    for kernel, elsewhere, unseen, seen in (
        (before, after, f"{moved[:12]}: {after}arch/x86/kvm/x86.c", [f"earlier: {before}{A}:1"]),
        (after, before, f"{earlier[:12]}: {before}{A}", [f"later: {after}{B}:1"]),
    ):
        srctree = ("--srctree", kernel or ".")
        found = find_added("--commits=start..", *srctree, status=2)
        assert [each for each in found if not each.startswith("move: ")] == seen
        said = f"kvm-export-hook: error: commit {unseen}: {other}{elsewhere.rstrip('/') or '.'}\n"
        assert command("--commits=start..", *srctree).err == said


def test_a_kernel_that_is_moved_away_in_the_index(linux: Repository, command: Command) -> None:
    (linux.top / "linux").mkdir()
    for name in ("arch", "virt", "include"):
        linux.git("mv", name, f"linux/{name}")
    said = "is not in the kernel that is checked: name its tree with --srctree=linux\n"
    named = "kvm-export-hook: error: linux/arch/x86/kvm/x86.c: "
    assert command("--staged", "--srctree=.") == (2, "", named + said)
    assert find_added("--staged", "--srctree=linux") == []
    linux.git("rm", "-r", "--quiet", "--cached", "linux")
    assert command("--staged", "--srctree=.").status == 0
