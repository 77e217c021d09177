# SPDX-License-Identifier: MIT
"""--staged: the index against HEAD, as git makes it for a commit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kvm_export_hook.check import NO_KERNEL_MESSAGE
from kvm_export_hook.run import NOTHING_CHECKED
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Repository, find_added
from tests.helpers.support import (
    BAD,
    COMMAND,
    INTERNAL,
    MAKEFILE_WITH_CHECK,
    NOT_LISTED,
    TYPES_WITHOUT_MACRO,
    make_environment,
    make_tree,
)

A, B = "virt/kvm/a.c", "virt/kvm/b.c"
MAKEFILE = "arch/x86/kvm/Makefile"
WITH_SAMPLE = MAKEFILE_WITH_CHECK.replace(b"-e kvm_get_kvm", b"-e kvm_sample")
NOTHING = f"kvm-export-hook: {NOTHING_CHECKED}\n"
LINK = "is a symbolic link, which is not followed: put its target in its place"
SUBMODULE = "is a submodule, whose files are not checked here: run the hook in it"


def test_a_finding_is_shown_with_its_line(linux: Repository, command: Command) -> None:
    linux.stage(A, b"int a;\n" + BAD)
    status, out, err = command("--staged")
    assert (status, err) == (1, "")
    assert out.startswith(f"virt/kvm/a.c:2:1: error: EXPORT_SYMBOL_GPL(kvm_sample): {NOT_LISTED}")
    assert "\n    2 | EXPORT_SYMBOL_GPL(kvm_sample);\n" in out


def test_nothing_staged(linux: Repository, command: Command) -> None:
    assert command("--staged") == (0, "", "")


def test_nothing_of_kvm_staged(linux: Repository, command: Command) -> None:
    linux.stage("fs/x.c", BAD)
    linux.stage("virt/kvm/README", BAD)
    assert command("--staged") == (0, "", "")


def test_what_is_not_staged_does_not_count(linux: Repository, command: Command) -> None:
    linux.write(A, BAD)
    linux.write("virt/kvm/kvm_main.c", BAD)
    assert command("--staged") == (0, "", "")


def test_staged_and_then_undone_in_the_working_tree(linux: Repository) -> None:
    linux.stage(A, BAD)
    linux.write(A, INTERNAL)
    assert find_added("--staged") == [f"{A}:1"]
    (linux.top / A).unlink()
    assert find_added("--staged") == [f"{A}:1"]


def test_staged_in_part(linux: Repository) -> None:
    linux.stage(A, INTERNAL)
    linux.write(A, INTERNAL + BAD)
    assert find_added("--staged") == []
    linux.stage(A, BAD + INTERNAL)
    linux.write(A, INTERNAL + INTERNAL)
    assert find_added("--staged") == [f"{A}:1"]


def test_intent_to_add_stages_nothing(linux: Repository, command: Command) -> None:
    linux.write(A, BAD)
    linux.git("add", "--intent-to-add", A)
    assert command("--staged") == (0, "", "")


def test_the_list_in_the_index_counts_and_not_that_in_the_working_tree(linux: Repository) -> None:
    linux.stage(A, BAD)
    linux.write(MAKEFILE, WITH_SAMPLE)
    assert find_added("--staged") == [f"{A}:1"]
    linux.git("add", MAKEFILE)
    linux.write(MAKEFILE, MAKEFILE_WITH_CHECK)
    assert find_added("--staged") == []


@pytest.mark.parametrize("mode", ["+x", "-x"])
def test_a_mode_adds_nothing(linux: Repository, command: Command, mode: str) -> None:
    linux.record("old", {A: BAD})
    linux.git("update-index", f"--chmod={mode}", A)
    assert command("--staged") == (0, "", "")


def test_a_file_that_becomes_a_directory(linux: Repository) -> None:
    linux.record("old", {A: BAD})
    linux.stage_all({A: None, f"{A}/b.c": BAD + BAD})
    assert find_added("--staged") == [f"{A}/b.c:2"]
    linux.record("directory")
    linux.stage_all({f"{A}/b.c": None})
    (linux.top / A).rmdir()
    linux.stage_all({A: BAD + BAD + BAD})
    assert find_added("--staged") == [f"{A}:3"]


# The first commit.


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_the_first_commit(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch, object_format: str
) -> None:
    linux = Repository(make_tree(tmp_path, check=True), tmp_path / ".home")
    linux.git("init", "--quiet", "--template=", f"--object-format={object_format}")
    monkeypatch.chdir(tmp_path)
    assert command("--staged") == (0, "", NOTHING)
    linux.git("add", "virt", "arch", "include")
    assert command("--staged") == (0, "", "")
    linux.stage(A, BAD)
    assert find_added("--staged") == [f"{A}:1"]
    linux.record("first")
    assert command("--staged") == (0, "", "")
    assert find_added("--commits=HEAD") == [f"first: {A}:1"]
    linux.stage(A, BAD + BAD)
    assert find_added("--staged") == [f"{A}:2"]


def test_the_first_commit_of_something_else(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repository(tmp_path, tmp_path / ".home")
    other.git("init", "--quiet")
    monkeypatch.chdir(tmp_path)
    other.stage("fs/x.c", BAD)
    assert command("--staged") == (0, "", NOTHING)
    assert command("--staged", "--quiet") == (0, "", "")
    other.record("first")
    assert command("--staged") == (0, "", NOTHING)
    assert command("--staged", "--srctree=.") == (
        2,
        "",
        f"kvm-export-hook: error: {NO_KERNEL_MESSAGE}\n",
    )


# What cannot be judged is an error, and what can be is judged still.


def name_head(linux: Repository) -> str:
    return f"commit {linux.git('rev-parse', 'HEAD')[:12]}"


def make_link(linux: Repository, name: str) -> None:
    (linux.top / name).symlink_to("kvm_main.c")
    linux.git("add", name)


@pytest.mark.parametrize("name", ["virt/kvm/link.c", "virt/kvm/link"])
def test_a_symbolic_link(linux: Repository, command: Command, name: str) -> None:
    make_link(linux, name)
    assert command("--staged") == (2, "", f"kvm-export-hook: error: {name}: {LINK}\n")
    linux.stage(A, BAD)
    assert find_added("--staged", status=2) == [f"{A}:1"]
    # It is said once, also where everything is judged.
    linux.stage(MAKEFILE, WITH_SAMPLE)
    assert command("--staged") == (2, "", f"kvm-export-hook: error: {name}: {LINK}\n")


def test_a_file_that_becomes_a_symbolic_link_and_one_that_was_one(linux: Repository) -> None:
    linux.record("old", {A: BAD})
    (linux.top / A).unlink()
    make_link(linux, A)
    assert find_added("--staged", status=2) == []
    linux.record("link")
    (linux.top / A).unlink()
    linux.stage(A, BAD)
    assert find_added("--staged") == [f"{A}:1"]


def test_a_symbolic_link_that_was_there_before_is_no_matter(linux: Repository) -> None:
    make_link(linux, "virt/kvm/link.c")
    linux.record("link")
    linux.stage(A, BAD)
    assert find_added("--staged") == [f"{A}:1"]
    linux.stage(MAKEFILE, WITH_SAMPLE)  # now everything is judged
    assert find_added("--staged", status=2) == []
    linux.record("list")
    assert find_added("--commits=HEAD", status=2) == []
    # It is no matter that it was there.
    linux.stage_all({MAKEFILE: MAKEFILE_WITH_CHECK, "virt/kvm/link.c": None})
    assert find_added("--staged") == [f"{A}:1"]
    linux.record("gone")
    assert find_added("--commits=HEAD") == [f"gone: {A}:1"]


@pytest.mark.parametrize("place", ["virt/kvm", "virt", "arch/x86/kvm", "arch"])
@pytest.mark.parametrize("is_link", [True, False], ids=["link", "submodule"])
def test_what_takes_the_place_of_a_directory(
    linux: Repository, command: Command, place: str, is_link: bool
) -> None:
    linux.git("rm", "-r", "--quiet", "--cached", place)
    mode = "120000" if is_link else "160000"
    id_ = linux.git("rev-parse", "HEAD:fs/open.c").strip() if is_link else "1" * 40
    linux.git("update-index", "--add", "--cacheinfo", f"{mode},{id_},{place}")
    said = f"{place}: {LINK if is_link else SUBMODULE}\n"
    assert command("--staged") == (2, "", f"kvm-export-hook: error: {said}")
    linux.git("commit", "--quiet", "--message", "place")
    assert command("--commits=HEAD") == (
        2,
        "",
        f"kvm-export-hook: error: {name_head(linux)}: {said}",
    )


@pytest.mark.parametrize("more", [{}, {"arch/x86/kvm/x86.c": b"int b;\n"}], ids=["alone", "with-c"])
def test_a_link_takes_the_place_of_a_directory_that_was_gone_before(
    linux: Repository, command: Command, more: dict[str, bytes]
) -> None:
    linux.git("rm", "-r", "--quiet", "virt")
    linux.record("gone")
    make_link(linux, "virt")
    linux.stage_all(more)
    assert command("--staged") == (2, "", f"kvm-export-hook: error: virt: {LINK}\n")
    linux.record("link")
    said = f"kvm-export-hook: error: {name_head(linux)}: virt: {LINK}\n"
    assert command("--commits=HEAD") == (2, "", said)


@parametrize("name", {"makefile": MAKEFILE, "header": "include/linux/kvm_types.h"})
def test_an_old_link_in_the_place_of_a_file_of_facts(
    linux: Repository, command: Command, name: str
) -> None:
    (linux.top / name).unlink()
    make_link(linux, name)
    linux.record("link")
    linux.stage(A, BAD)
    said = f"kvm-export-hook: error: {name}: {LINK}\n"
    status, _, err = command("--staged")
    assert (status, err) == (2, said)
    linux.record("bad")
    status, _, err = command("--commits=HEAD")
    assert (status, err) == (2, said)


PLACES = ("virt/kvm", "virt", "arch/x86/kvm", "arch/x86", "arch")


def move_behind(linux: Repository, place: str) -> str:
    """Put a symbolic link in the place of a directory; return where that is now."""
    (linux.top / place).rename(linux.top / "elsewhere")
    (linux.top / place).symlink_to(
        os.path.relpath(linux.top / "elsewhere", (linux.top / place).parent)
    )
    linux.record("link")
    found = sorted((linux.top / "elsewhere").rglob("*.c"))
    return str(found[0].relative_to(linux.top))


@pytest.mark.parametrize("place", PLACES)
def test_what_lies_behind_a_link_that_was_there_before(
    linux: Repository, command: Command, place: str
) -> None:
    behind = move_behind(linux, place)
    said = f"{place}: {LINK}\n"
    linux.stage(behind, BAD)
    assert command("--staged") == (2, "", f"kvm-export-hook: error: {said}")
    linux.record("behind")
    on_commit = f"kvm-export-hook: error: {name_head(linux)}: {said}"
    assert command("--commits=HEAD") == (2, "", on_commit)
    status, _, err = command("--since=HEAD^")
    assert status == 2
    assert (
        on_commit.replace(name_head(linux), f"commit {linux.git('rev-parse', 'HEAD^')[:12]}") in err
    )


@pytest.mark.parametrize("place", PLACES)
def test_what_was_behind_a_link_is_not_known(
    linux: Repository, command: Command, place: str
) -> None:
    move_behind(linux, place)
    old = f"kvm-export-hook: error: {name_head(linux)}: {place}: {LINK}\n"
    (linux.top / place).unlink()
    (linux.top / "elsewhere").rename(linux.top / place)
    linux.git("add", "--all")
    status, _, err = command("--staged")
    assert (status, err) == (2, old.replace(name_head(linux), "commit HEAD"))
    linux.record("directory")
    assert command("--commits=HEAD")[::2] == (2, old)
    linux.record("later", {A: INTERNAL})
    assert command("--commits=HEAD") == (0, "", "")


@pytest.mark.parametrize("place", PLACES)
def test_a_file_in_the_place_of_a_directory(
    linux: Repository, command: Command, place: str
) -> None:
    linux.git("rm", "-r", "--quiet", place)
    linux.stage(place, BAD)
    said = f"{place}: is a file where the kernel has a directory: restore the directory\n"
    assert command("--staged") == (2, "", f"kvm-export-hook: error: {said}")
    linux.record("file")
    said = f"kvm-export-hook: error: {name_head(linux)}: {said}"
    assert command("--commits=HEAD") == (2, "", said)
    linux.record("elsewhere", {"fs/open.c": b""})
    assert command("--commits=HEAD").status == 2
    assert command("--staged").status == 2


def test_a_file_in_the_place_of_a_directory_where_no_kernel_is(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repository(tmp_path, tmp_path / ".home")
    other.git("init", "--quiet")
    monkeypatch.chdir(tmp_path)
    other.stage("virt", b"#!/bin/sh\n")
    other.stage("arch", b"")
    assert command("--staged") == (0, "", NOTHING)
    other.git("commit", "--quiet", "--message", "first")
    assert command("--commits=HEAD") == (0, "", NOTHING)
    assert command("--staged") == (0, "", NOTHING)


@parametrize("name", {"makefile": MAKEFILE, "header": "include/linux/kvm_types.h"})
def test_a_symbolic_link_in_the_place_of_a_file_of_facts(
    linux: Repository, command: Command, name: str
) -> None:
    (linux.top / name).unlink()
    make_link(linux, name)
    assert command("--staged") == (2, "", f"kvm-export-hook: error: {name}: {LINK}\n")
    linux.record("link")
    said = f"kvm-export-hook: error: {name_head(linux)}: {name}: {LINK}\n"
    assert command("--commits=HEAD") == (2, "", said)


@pytest.mark.parametrize("text", [b"include x", b"include\tx", b"a=b", b"$(info)"])
def test_a_makefile_of_one_line_that_is_not_ended_is_no_link(
    linux: Repository, text: bytes
) -> None:
    linux.record("line", {MAKEFILE: text})
    linux.stage(A, BAD)
    assert find_added("--staged") == [f"{A}:1"]


def test_a_submodule_in_scope(linux: Repository, command: Command) -> None:
    linux.git("config", "diff.ignoreSubmodules", "all")
    linux.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},virt/kvm/sub")
    assert command("--staged") == (2, "", f"kvm-export-hook: error: virt/kvm/sub: {SUBMODULE}\n")
    linux.git("commit", "--quiet", "--allow-empty", "--message", "submodule")
    assert command("--commits=HEAD").status == 2


def test_a_commit_that_was_merged_before_is_no_parent(
    linux: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = linux.record("bad", {A: BAD})
    linux.record("good", {A: INTERNAL})
    linux.stage(A, BAD)
    # So git merge calls its hooks, and one of these may run git commit.
    monkeypatch.setenv(f"GITHEAD_{bad}", "topic")
    assert find_added("--staged") == [f"{A}:1"]


def test_an_unmerged_index(linux: Repository, command: Command) -> None:
    linux.record("base", {A: b"int a;\n"})
    linux.git("checkout", "--quiet", "-b", "topic")
    linux.record("theirs", {A: b"int theirs;\n"})
    linux.git("checkout", "--quiet", "main")
    linux.record("ours", {A: b"int ours;\n"})
    assert linux.run("git", "merge", "topic").status == 1
    said = f"{A}: is unmerged: resolve the conflict, then git add the file"
    assert command("--staged") == (2, "", f"kvm-export-hook: error: {said}\n")
    # The working tree can be judged.
    assert find_added("--since=HEAD") == []
    linux.write(A, BAD)
    assert find_added("--since=HEAD") == [f"{A}:1"]
    linux.git("add", A)
    assert find_added("--staged") == [f"{A}:1"]


def test_outside_any_repository(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tree(tmp_path)
    monkeypatch.chdir(tmp_path)
    for source in ("--staged", "--commits=HEAD", "--since=HEAD"):
        status, out, err = command(source)
        assert (status, out) == (2, "")
        assert err.startswith("kvm-export-hook: error: "), err
        assert "git finds no repository here: name" in err
        assert "for a kernel without git, check its files" in err
        assert err.count("\n") == 1


@pytest.mark.parametrize("source", ["--staged", "--commits=HEAD", "--pre-push"])
def test_a_tree_that_is_not_there(linux: Repository, command: Command, source: str) -> None:
    said = "/nosuch: No such file or directory: check the name"
    assert command(source, "--srctree=/nosuch") == (2, "", f"kvm-export-hook: error: {said}\n")


def test_a_damaged_repository(linux: Repository, command: Command) -> None:
    linux.stage(A, BAD)
    id_ = linux.git("rev-parse", f":{A}").strip()
    (linux.top / ".git/objects" / id_[:2] / id_[2:]).unlink()
    status, _, err = command("--staged")
    assert status == 2
    assert err == (
        f"kvm-export-hook: error: blob {id_}: cannot be read from the repository:"
        " run git fsck, or fetch it if the clone is partial\n"
    )


def test_an_index_that_cannot_be_read(linux: Repository, command: Command) -> None:
    linux.write(".git/index", b"no index")
    status, _, err = command("--staged")
    assert status == 2
    assert err.startswith("kvm-export-hook: error: git diff-index failed: "), err


def test_the_notes_of_the_new_state(linux: Repository, command: Command) -> None:
    linux.stage_all({MAKEFILE: b"", "include/linux/kvm_types.h": TYPES_WITHOUT_MACRO, A: BAD})
    assert command("--staged") == (
        0,
        "",
        "kvm-export-hook: nothing enforced: this tree has no EXPORT_SYMBOL_FOR_KVM_INTERNAL"
        " (Linux before 6.18); use --force to enforce the rule anyway\n",
    )
    assert find_added("--staged", "--force") == [f"{A}:1"]
    assert find_added("--staged", "--force", "--allow=kvm_sample") == []


# What a clean commit costs.


def list_git_processes(linux: Repository, *arguments: str) -> list[str]:
    """Run the command; list the git commands that it ran."""
    trace = linux.top.parent / "trace"
    trace.unlink(missing_ok=True)
    changes = make_environment(GIT_TRACE2_EVENT=str(trace))
    done = Repository(linux.top, linux.home).run(
        "env", f"GIT_TRACE2_EVENT={changes['GIT_TRACE2_EVENT']}", str(COMMAND), *arguments
    )
    assert done == (0, "")
    lines = trace.read_text().splitlines()
    return [line for line in lines if '"event":"start"' in line]


@parametrize(
    "files",
    {
        "nothing": {},
        "files": {A: INTERNAL, "virt/kvm/kvm_main.c": INTERNAL},
        "facts": {MAKEFILE: MAKEFILE_WITH_CHECK + b"# more\n", A: INTERNAL},
    },
)
def test_a_clean_commit_costs_two_git_processes(
    linux: Repository, files: dict[str, bytes | None]
) -> None:
    linux.stage_all(files)
    assert len(list_git_processes(linux, "--staged")) == 2


def test_the_working_directory_is_gone(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    said = "kvm-export-hook: error: the working directory is gone: change to another\n"
    assert command("--staged") == (2, "", said)
    os.chdir(tmp_path)
