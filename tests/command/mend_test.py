# SPDX-License-Identifier: MIT
"""The last line of a report, typed as it stands: what was blocked then passes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kvm_export_hook.fix.shell import join_words
from kvm_export_hook.mend import REVIEW_STAGED
from tests.conftest import HOME, Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Done, Repository, initialise
from tests.helpers.support import (
    BAD,
    COMMAND,
    INTERNAL,
    PYTHON,
    TYPED,
    make_environment,
    make_tree,
    write,
)

A, B = "virt/kvm/a.c", "arch/x86/kvm/b.c"
OLD = b"EXPORT_SYMBOL_GPL(kvm_old);\n"
MORE = b"int more;\n"
NAME = "kvm-export-hook"


@pytest.fixture
def linux(linux: Repository) -> Repository:
    """Measure it: most of what is tested here depends on what git sets for its hooks."""
    linux.measured = True
    return linux


def install(linux: Repository, *names: str, script: str = f"exec {TYPED} --staged") -> None:
    """Install SCRIPT as the hooks NAMES."""
    for name in names:
        write(linux.top / ".git/hooks" / name, f"#!/bin/sh\n{script}\n".encode()).chmod(0o755)


def find_line(output: str) -> str:
    """Find the command that a report ends with; what git says after it is not indented."""
    lines = output.splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("    "))
    assert lines[last - 1].endswith(":")
    return lines[last].strip()


def type_line(linux: Repository, output: str, directory: str = "") -> str:
    """Type the last line of the report in OUTPUT; return it."""
    line = find_line(output)
    linux.run("sh", "-c", f'cd "./{directory}" && {line}')
    return line


def commit(linux: Repository, *options: str, directory: str = "") -> Done:
    return linux.run(
        *("git", "-C", directory or ".", "commit", "--quiet", "--message", "kvm: test"), *options
    )


@pytest.fixture
def hooked(linux: Repository) -> Repository:
    linux.record("old", {A: OLD})
    install(linux, "pre-commit", "pre-merge-commit", "pre-applypatch")
    return linux


# What is typed, the options of the commit, and the line that mends it.
COMMITS = {
    "added": ("", f"{NAME} --staged --fix"),
    "all": ("--all", f"{NAME} --fix --since=HEAD {B} {A}"),
    "files": (f"{A} {B}", f"{NAME} --fix --since=HEAD {B} {A}"),
    "amended": ("--amend", f"{NAME} --staged --fix"),
}


@parametrize(("options", "line"), COMMITS)
@pytest.mark.parametrize("place", ["main", "linked"])
def test_a_commit(hooked: Repository, tmp_path: Path, options: str, line: str, place: str) -> None:
    linux = hooked
    if place == "linked":
        hooked.git("worktree", "add", "--quiet", str(tmp_path / "next"))
        linux = Repository(tmp_path / "next", hooked.home)
    linux.stage(A, OLD + BAD)
    linux.stage(B, BAD)
    status, output = commit(linux, *options.split())
    assert status == 1
    assert type_line(linux, output) == line
    assert commit(linux, *options.split()).status == 0
    assert linux.git("show", f"HEAD:{A}").encode() == OLD + INTERNAL
    assert linux.git("status", "--short") == ""


def test_a_commit_in_a_directory_below(hooked: Repository) -> None:
    hooked.stage(A, OLD + BAD)
    status, output = commit(hooked, "--all", directory="arch/x86")
    assert status == 1
    line = type_line(hooked, output, "arch/x86")
    assert line == f"{NAME} --fix --since=HEAD ../../{A}"
    assert commit(hooked, "--all").status == 0


def test_a_working_copy_that_is_mended_already(hooked: Repository) -> None:
    hooked.stage(A, OLD + BAD)
    hooked.write(A, OLD + INTERNAL)
    assert type_line(hooked, commit(hooked).output) == f"git add {A}"
    assert commit(hooked).status == 0


def test_a_commit_of_what_is_staged_and_a_file(hooked: Repository) -> None:
    hooked.stage(A, OLD + BAD)
    hooked.write("fs/open.c", MORE)
    include = ("--include", "fs/open.c")
    assert type_line(hooked, commit(hooked, *include).output).startswith(f"{NAME} --fix ")
    assert type_line(hooked, commit(hooked, *include).output) == f"git add {A}"
    assert commit(hooked, *include).status == 0


def test_a_working_copy_that_is_gone(hooked: Repository) -> None:
    hooked.stage(A, OLD + BAD)
    (hooked.top / A).unlink()
    assert type_line(hooked, commit(hooked).output) == f"{NAME} --staged --fix"
    assert commit(hooked).status == 0


def test_the_first_commit(tmp_path: Path) -> None:
    linux = Repository(make_tree(tmp_path, check=True), HOME)
    linux.git("init", "--quiet")
    install(linux, "pre-commit")
    linux.stage(A, BAD)
    linux.git("add", "--all")
    output = commit(linux, "--all").output
    assert type_line(linux, output) == f"{NAME} --fix {A}"
    assert commit(linux, "--all").status == 0


def begin_merge(hooked: Repository, theirs: dict[str, bytes]) -> None:
    """Merge a branch that has THEIRS into another one, up to its commit."""
    hooked.git("checkout", "--quiet", "-b", "topic")
    hooked.record("topic", theirs)
    hooked.git("checkout", "--quiet", "main")
    hooked.record("ours", {"fs/open.c": b""})
    hooked.git("merge", "--no-ff", "--no-commit", "topic")


def test_a_merge(hooked: Repository) -> None:
    begin_merge(hooked, {B: MORE})
    hooked.stage(B, MORE + BAD)
    status, output = commit(hooked)
    assert status == 1
    assert type_line(hooked, output) == f"{NAME} --staged --fix"
    assert commit(hooked).status == 0
    assert hooked.git("show", f"HEAD:{B}").encode() == MORE + INTERNAL


def test_a_merge_of_what_is_not_staged(hooked: Repository) -> None:
    begin_merge(hooked, {B: OLD})
    hooked.write(B, OLD + BAD)
    output = commit(hooked, "--all").output
    assert type_line(hooked, output) == f"git add {B}; {NAME} --staged --fix"
    assert commit(hooked, "--all").status == 0
    assert hooked.git("show", f"HEAD:{B}").encode() == OLD + INTERNAL


def test_a_mail(hooked: Repository, tmp_path: Path) -> None:
    hooked.record("bad", {A: OLD + BAD})
    hooked.record("after", {B: MORE})
    mails = hooked.git("format-patch", "-2", "-o", str(tmp_path)).split()
    hooked.git("reset", "--quiet", "--hard", "HEAD~2")
    status, output = hooked.run("git", "am", *mails)
    assert status == 1
    assert type_line(hooked, output) == f"{NAME} --staged --fix; git am --continue"
    assert hooked.git("log", "-2", "--format=%s") == "after\nbad\n"
    assert hooked.git("show", f"HEAD:{A}").encode() == OLD + INTERNAL


@pytest.mark.parametrize(
    ("script", "directory"),
    [
        (f"cd 'a b/linux' && exec {TYPED} --staged", ""),
        (f"cd 'a b/linux' && exec {TYPED} --staged", "a b/linux/virt"),
        (f"exec {TYPED} --staged --srctree 'a b/linux'", "a b"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--all",)])
def test_a_kernel_in_a_subdirectory(
    tmp_path: Path, script: str, directory: str, options: tuple[str, ...]
) -> None:
    repository = Repository(tmp_path, HOME)
    make_tree(tmp_path / "a b/linux", check=True)
    initialise(repository)
    install(repository, "pre-commit", script=script)
    repository.stage(f"a b/linux/{A}", BAD)
    type_line(repository, commit(repository, *options, directory=directory).output, directory)
    assert commit(repository, *options).status == 0


# Commits.


@pytest.fixture
def pushed(linux: Repository, tmp_path: Path) -> Repository:
    """Make a repository with a remote, and a hook that judges what is pushed there."""
    linux.git("init", "--quiet", "--bare", str(tmp_path / "remote"))
    linux.git("remote", "add", "origin", str(tmp_path / "remote"))
    linux.record("old", {A: OLD})
    linux.git("push", "--quiet", "origin", "main")
    install(linux, "pre-push", script=f'exec {TYPED} --pre-push "$@"')
    return linux


REPEAT = "--reschedule-failed-exec"
PUSH = ("git", "push", "--quiet", "origin", "main")


def test_a_push_of_one_commit(pushed: Repository) -> None:
    pushed.record("bad", {A: OLD + BAD})
    pushed.write("fs/open.c", MORE)  # which is not to be committed
    status, output = pushed.run(*PUSH)
    assert status == 1
    assert type_line(pushed, output) == (
        f"{NAME} --fix --since=HEAD~ {A}; git commit --amend --no-edit {A}"
    )
    assert pushed.run(*PUSH).status == 0
    assert pushed.git("log", "-2", "--format=%s") == "bad\nold\n"
    assert pushed.git("show", f"HEAD:{A}").encode() == OLD + INTERNAL
    assert pushed.git("status", "--short") == " M fs/open.c\n"


def test_a_push_of_one_commit_whose_file_was_changed_since(pushed: Repository) -> None:
    pushed.record("bad", {A: OLD + BAD})
    pushed.write(A, b"int open;\n" * 9 + OLD + BAD)  # which is not to be committed
    line = type_line(pushed, pushed.run(*PUSH).output)
    assert line == (
        f"git stash push {A}; {NAME} --fix --since=HEAD~ {A};"
        f" git commit --amend --no-edit {A}; git stash pop"
    )
    assert pushed.git("show", f"HEAD:{A}").encode() == OLD + INTERNAL
    assert (pushed.top / A).read_bytes() == b"int open;\n" * 9 + OLD + INTERNAL
    assert pushed.run(*PUSH).status == 0


def test_a_push_of_several_commits(pushed: Repository) -> None:
    first = pushed.record("bad", {A: OLD + BAD})
    pushed.git("checkout", "--quiet", "-b", "side")
    pushed.record("side", {"fs/side.c": MORE})
    pushed.git("checkout", "--quiet", "main")
    pushed.record("worse", {B: BAD})
    pushed.git("merge", "--quiet", "--no-edit", "side")
    status, output = pushed.run(*PUSH)
    assert status == 1
    line = find_line(output)
    assert line == f"git rebase -r {REPEAT} --exec '{NAME} --commits HEAD' {first[:12]}~"
    for _ in range(2):
        output = pushed.run("sh", "-c", line).output
        assert "git commit --amend --no-edit" in type_line(pushed, output.partition("warning: ")[0])
        line = "git rebase --continue"
    assert pushed.run("sh", "-c", line).status == 0
    assert pushed.run(*PUSH).status == 0
    subjects = pushed.git("log", "--first-parent", "-4", "--format=%s").splitlines()
    assert subjects[1:] == ["worse", "bad", "old"]
    assert pushed.git("show", f"HEAD:{A}").encode() == OLD + INTERNAL


def test_the_root_of_a_history(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux = Repository(make_tree(tmp_path, check=True), HOME)
    linux.git("init", "--quiet")
    linux.record("bad", {A: BAD})
    monkeypatch.chdir(tmp_path)
    assert find_line(command("--commits", "HEAD").out) == (
        f"{NAME} --fix {A}; git commit --amend --no-edit {A}"
    )
    linux.record("more", {B: MORE})
    output = command("--allow=a", "--commits", "HEAD~").out
    line = find_line(output)
    assert line == f"git rebase -r {REPEAT} --exec '{NAME} --allow=a --commits HEAD' --root"
    type_line(linux, linux.run("sh", "-c", line).output.partition("warning: ")[0])
    linux.git("rebase", "--continue")
    assert command("--commits", "HEAD").status == command("--commits", "HEAD~").status == 0


@pytest.mark.parametrize("directory", ["", "doc", "linux/virt"])
def test_several_commits_of_a_kernel_in_a_subdirectory(tmp_path: Path, directory: str) -> None:
    repository = Repository(tmp_path, HOME)
    make_tree(tmp_path / "linux", check=True)
    initialise(repository, {"doc/x": b""})
    first = repository.record("bad", {f"linux/{A}": BAD})
    repository.record("after", {f"linux/{B}": MORE})
    check = f'cd "./{directory}" && {TYPED} --srctree={tmp_path}/linux --commits HEAD~2..'
    line = type_line(repository, repository.run("sh", "-c", check).output, directory)
    exec_ = f"'{NAME} --srctree=linux --commits HEAD'"
    assert line == f"git rebase -r {REPEAT} --exec {exec_} {first[:12]}~"
    assert repository.git("log", "-1", "--format=%s") == "bad\n"
    output = repository.run("sh", "-c", f"cd linux && {TYPED} --commits HEAD").output
    type_line(repository, output, "linux")
    assert repository.run("git", "rebase", "--continue").status == 0
    assert repository.run("sh", "-c", check).status == 0


@pytest.mark.parametrize("is_last", [True, False])
def test_the_repository_of_another_directory(
    linux: Repository, tmp_path: Path, is_last: bool
) -> None:
    other = initialise(Repository(tmp_path / "other", HOME))
    bad = linux.record("bad", {A: BAD})
    if not is_last:
        linux.record("after", {B: MORE})
    name = os.path.relpath(linux.top, other.top)
    check = (NAME, f"--srctree={name}", "--commits", bad)
    line = type_line(other, other.run(*check).output)
    mended = linux.run("git", "show", f"HEAD:{A}").output.encode()
    if is_last:
        assert line == (
            f"{NAME} --srctree={name} --fix --since=HEAD~ {name}/{A};"
            f" git -C {name} commit --amend --no-edit {A}"
        )
        assert mended == INTERNAL
    else:
        exec_ = f"--exec '{NAME} --commits HEAD'"
        assert line == f"git -C {name} rebase -r {REPEAT} {exec_} {bad[:12]}~"
        assert linux.git("rev-parse", "HEAD").strip() == bad


def test_commits_that_cannot_be_mended_here(
    linux: Repository, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux.git("checkout", "--quiet", "-b", "topic")
    linux.record("bad", {A: BAD})
    linux.git("checkout", "--quiet", "main")
    assert command("--commits", "topic").out.endswith("arch/x86/kvm/Makefile.\n")
    linux.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    monkeypatch.chdir(tmp_path / "bare")
    assert command("--commits", "topic").out.endswith("arch/x86/kvm/Makefile.\n")


def test_head_is_not_the_only_commit(linux: Repository, command: Command) -> None:
    first = linux.record("bad", {A: BAD})
    linux.git("checkout", "--quiet", "-b", "topic")
    linux.record("worse", {B: BAD})
    linux.git("checkout", "--quiet", "main")
    line = find_line(command("--commits", "HEAD~..topic").out)
    assert line == f"git rebase -r {REPEAT} --exec '{NAME} --commits HEAD' {first[:12]}~"


def test_a_patch_has_none(linux: Repository, tmp_path: Path, command: Command) -> None:
    linux.record("bad", {A: BAD})
    mail = write(tmp_path / "mail", linux.git("format-patch", "-1", "--stdout").encode())
    linux.git("reset", "--quiet", "--hard", "HEAD~")
    assert command("--patch", str(mail)).out.endswith("arch/x86/kvm/Makefile.\n")


# Files.

FILES = {
    "all": ("", f"{NAME} --fix ."),
    "directories": ("virt arch", f"{NAME} --fix virt arch"),
    "a directory": ("./virt", f"{NAME} --fix ./virt"),
    "many files": (f"{A} {B} fs/open.c virt/kvm/kvm_main.c", f"{NAME} --fix {B} {A}"),
    "since": ("--since HEAD", f"{NAME} --fix --since=HEAD ."),
    "since, of files": (f"--since HEAD {A}", f"{NAME} --fix --since=HEAD {A}"),
    "allowed": (f"--allow a --allow=b {A}", f"{NAME} --allow=a --allow=b --fix {A}"),
    "of the whole tree": ("arch/x86/kvm/Makefile", f"{NAME} --fix {B} {A}"),
    "of a tree": ("--srctree .", f"{NAME} --srctree=. --fix ."),
}  # fmt: skip


@parametrize(("arguments", "line"), FILES)
def test_files(linux: Repository, arguments: str, line: str) -> None:
    linux.write(A, BAD)
    if "-" in line.removeprefix(NAME) or " virt" in line or line.endswith(" ."):
        linux.write(B, BAD)
    status, output = linux.run(NAME, *arguments.split())
    assert status == 1
    assert type_line(linux, output) == line
    assert linux.run(NAME, *arguments.split()) == (0, "")


def test_below_the_top_of_the_tree(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux.write(A, BAD)
    monkeypatch.chdir(linux.top / "arch/x86")
    line = type_line(linux, command().out, "arch/x86")
    assert line == f"{NAME} --fix ../.."
    assert command().status == 0


@parametrize(
    "name",
    {
        "blank": b"virt/kvm/a b.c",
        "quotes": b"virt/kvm/a'b\"$c.c",
        "bytes": b"virt/kvm/\xff\x1b\n.c",
        "command": b"virt/kvm/a##[b].c",
        "other-command": b"virt/kvm/::error::.c",
    },
)
def test_names_of_any_kind(hooked: Repository, name: bytes) -> None:
    hooked.stage(os.fsdecode(name), BAD)
    line = type_line(hooked, commit(hooked, "--all").output)
    assert line.isascii()
    assert commit(hooked, "--all").status == 0


def test_a_name_that_looks_like_an_option(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux.write("virt/kvm/-a.c", BAD)
    monkeypatch.chdir(linux.top / "virt/kvm")
    line = type_line(linux, command("--", "-a.c").out, "virt/kvm")
    assert line == f"{NAME} --fix ./-a.c"
    assert command().status == 0


def test_a_name_that_git_would_read_as_a_pattern(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux.record("bad", {"virt/kvm/:!a.c": BAD})
    monkeypatch.chdir(linux.top / "virt/kvm")
    line = type_line(linux, command("--commits", "HEAD").out, "virt/kvm")
    assert line.endswith("; git commit --amend --no-edit './:!a.c'")
    assert command("--commits", "HEAD").status == 0


@parametrize(
    "content",
    {
        "another-macro": b"EXPORT_SYMBOL_NS(a, b);\n",
        "alias": b"#define a EXPORT_SYMBOL\n",
        "mention": b"/* EXPORT_SYMBOL */\n",
    },
)
@pytest.mark.parametrize("option", ["--staged", "--color=never"])
def test_what_a_fix_cannot_mend_has_none(
    linux: Repository, command: Command, content: bytes, option: str
) -> None:
    linux.stage(A, content)
    out = command(option).out
    assert out
    assert NAME not in out


def test_a_tree_without_the_macro_has_none(top: Path, command: Command) -> None:
    make_tree(top, macro=False)
    write(top / A, BAD)
    assert NAME not in command("--force").out


def test_after_a_fix_of_what_is_staged(linux: Repository, command: Command) -> None:
    linux.stage(A, BAD)
    assert command("--staged", "--fix").out.endswith(REVIEW_STAGED)


# How the command is found.


def test_a_command_that_is_not_on_the_path(linux: Repository) -> None:
    linux.write(A, BAD)
    path = make_environment()["PATH"].partition(os.pathsep)[2]
    found = [each for each in path.split(os.pathsep) if not (Path(each) / NAME).exists()]
    bare = ("env", f"PATH={os.pathsep.join(found)}")
    named = join_words([os.fsencode(COMMAND)])
    assert find_line(linux.run(*bare, str(COMMAND)).output) == f"{named} --fix ."
    module = (PYTHON, "-m", "kvm_export_hook")
    line = type_line(linux, linux.run(*bare, *module).output)
    assert line == f"{join_words([os.fsencode(PYTHON)])} -m kvm_export_hook --fix ."
    assert linux.run(NAME).status == 0


def test_the_directory_of_a_framework_is_on_no_other_path(linux: Repository) -> None:
    linux.stage(A, BAD)
    line = type_line(linux, linux.run("env", "PRE_COMMIT=1", str(COMMAND), A).output)
    assert line == f"{join_words([os.fsencode(COMMAND)])} --fix {A}; git add {A}"
    assert linux.git("show", f":{A}").encode() == INTERNAL


def test_after_a_fix_by_a_framework(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRE_COMMIT", "1")
    linux.stage(A, BAD)
    assert type_line(linux, command("--fix", A).out) == f"git add {A}"
    assert linux.git("show", f":{A}").encode() == INTERNAL
