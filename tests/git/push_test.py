# SPDX-License-Identifier: MIT
"""--pre-push: the commits that are about to be pushed, as git, pre-commit and prek say it."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path

import pytest

from kvm_export_hook.run import NOTHING_CHECKED
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Repository, find_added
from tests.helpers.support import BAD, COMMAND, INTERNAL, TYPED, write

A, B, C = "virt/kvm/a.c", "virt/kvm/b.c", "virt/kvm/c.c"
ZERO = "0" * 40
UNKNOWN = "1" * 40
REFUSED = (
    "kvm-export-hook: error: cannot tell what is pushed: --pre-push is for the pre-push hooks"
    " of git, pre-commit and prek; by hand, use --commits RANGE\n"
)


@pytest.fixture
def pushed(linux: Repository, tmp_path: Path) -> Repository:
    """Make a repository with the remote origin, which has its first commit."""
    linux.git("init", "--quiet", "--bare", str(tmp_path / "origin.git"))
    linux.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    linux.git("push", "--quiet", "origin", "main")
    linux.measured = True
    return linux


@pytest.fixture
def hooked(pushed: Repository) -> Repository:
    """Have the one-line hook installed, and commit an export."""
    write_hook(pushed)
    pushed.record("bad", {A: BAD})
    return pushed


def write_hook(linux: Repository) -> None:
    script = f'#!/bin/sh\nexec {TYPED} --pre-push "$@"\n'
    write(linux.top / ".git/hooks/pre-push", script.encode()).chmod(0o755)


def push(linux: Repository, *arguments: str) -> list[str]:
    """Push; list what stops that: the line of each finding, and the headings."""
    status, output = linux.run("git", "push", *arguments)
    assert (status == 0) is ("error:" not in output), output
    return [
        line.strip().partition(":1: error")[0] if ": error:" in line else line.partition(": ")[2]
        for line in output.splitlines()
        if ": error:" in line or re.search("commit [0-9a-f]{12}: ", line)
    ]


# As git runs it.


def test_a_bad_commit_and_its_fix_are_not_pushed(hooked: Repository) -> None:
    hooked.record("fix", {A: INTERNAL})
    assert push(hooked, "origin", "main") == ["bad", f"{A}:1"]
    hooked.git("push", "--quiet", "--no-verify", "origin", "main")
    hooked.record("good", {B: INTERNAL})
    assert push(hooked, "origin", "main") == []


def test_what_a_remote_has_is_not_judged_again(hooked: Repository) -> None:
    hooked.git("push", "--quiet", "--no-verify", "origin", "main")
    assert push(hooked, "origin", "main:new") == []
    assert push(hooked, "origin", "--force", "main^:main") == []
    assert push(hooked, "origin", "main:another") == []


def test_a_branch_that_is_not_checked_out(hooked: Repository) -> None:
    hooked.git("checkout", "--quiet", "-b", "stable", "HEAD^")
    hooked.record("good", {"arch/x86/kvm/Makefile": b"", B: INTERNAL})
    assert push(hooked, "origin", "stable") == []
    assert push(hooked, "origin", "main") == ["bad", f"{A}:1"]


def test_new_and_deleted_branches(hooked: Repository) -> None:
    hooked.git("checkout", "--quiet", "-b", "new", "HEAD^")
    hooked.record("more", {B: BAD})
    assert push(hooked, "origin", "new") == ["more", f"{B}:1"]
    hooked.git("push", "--quiet", "--no-verify", "origin", "new")
    assert push(hooked, "origin", ":new") == []


def test_two_refs_at_once(hooked: Repository) -> None:
    hooked.git("checkout", "--quiet", "-b", "new", "HEAD^")
    hooked.record("more", {B: BAD})
    hooked.git("branch", "good", "HEAD^")
    assert sorted(push(hooked, "origin", "main", "new", "good")) == [
        "bad",
        "more",
        A + ":1",
        B + ":1",
    ]
    assert push(hooked, "origin", "good", ":gone") == []


def test_tags(hooked: Repository) -> None:
    hooked.git("tag", "light")
    hooked.git("tag", "--annotate", "--message", "heavy", "heavy")
    hooked.git("tag", "of-a-tree", "HEAD^{tree}")
    hooked.git("tag", "of-a-blob", f"HEAD:{A}")
    assert push(hooked, "origin", "light") == ["bad", f"{A}:1"]
    assert push(hooked, "origin", "heavy") == ["bad", f"{A}:1"]
    assert push(hooked, "origin", "of-a-tree", "of-a-blob") == []


def test_a_forced_push(hooked: Repository, tmp_path: Path) -> None:
    hooked.git("push", "--quiet", "--no-verify", "origin", "main")
    hooked.git("commit", "--quiet", "--amend", "--message", "amended")
    assert push(hooked, "--force", "origin", "main") == ["amended", f"{A}:1"]
    # The remote has what is not here.
    hooked.git("clone", "--quiet", str(tmp_path / "origin.git"), str(tmp_path / "other"))
    other = Repository(tmp_path / "other", hooked.home)
    other.git("commit", "--quiet", "--allow-empty", "--message", "theirs")
    other.git("push", "--quiet")
    assert push(hooked, "--force", "origin", "main") == ["amended", f"{A}:1"]


@pytest.mark.parametrize("has_remote", [True, False], ids=["beside-a-remote", "without-remotes"])
def test_a_push_to_a_url(hooked: Repository, tmp_path: Path, has_remote: bool) -> None:
    if not has_remote:
        hooked.git("remote", "remove", "origin")
    hooked.git("init", "--quiet", "--bare", str(tmp_path / "url.git"))
    assert push(hooked, f"file://{tmp_path}/url.git", "main") == ["bad", f"{A}:1"]
    assert push(hooked, f"file://{tmp_path}/url.git", "HEAD^:refs/heads/main") == []


# What is left out: what the remote has, and the one that the branch follows.


def add_remote(linux: Repository, name: str) -> Repository:
    """Make a remote of this NAME, which has nothing."""
    bare = Repository(linux.top.parent / f"{name}.git", linux.home)
    linux.git("init", "--quiet", "--bare", str(bare.top))
    linux.git("remote", "add", name, str(bare.top))
    return bare


def give(linux: Repository, remote: str, branch: str) -> None:
    """Have REMOTE get a BRANCH past the hook, and main without it."""
    linux.git("push", "--quiet", "--no-verify", remote, branch)


@pytest.fixture
def contributed(pushed: Repository) -> Repository:
    """Have a remote of a contributor, which was fetched, and whose branch has an export."""
    write_hook(pushed)
    add_remote(pushed, "contributor")
    pushed.git("checkout", "--quiet", "-b", "topic")
    pushed.record("theirs", {A: BAD})
    give(pushed, "contributor", "topic")
    pushed.git("checkout", "--quiet", "main")
    pushed.git("branch", "--quiet", "-D", "topic")
    return pushed


def test_what_was_pulled_from_a_contributor_is_judged(contributed: Repository) -> None:
    contributed.record("ours", {B: INTERNAL})
    contributed.git("pull", "--quiet", "--no-rebase", "--no-edit", "contributor", "topic")
    assert push(contributed, "origin", "main") == ["theirs", f"{A}:1"]


def test_a_remote_hides_nothing_in_one_whose_name_begins_with_its_own(
    contributed: Repository,
) -> None:
    # Git may refuse to rename it, but reads what has such names.
    contributed.git("config", "--rename-section", "remote.contributor", "remote.origin/contributor")
    contributed.git("update-ref", "refs/remotes/origin/contributor/topic", "contributor/topic")
    contributed.git("update-ref", "-d", "refs/remotes/contributor/topic")
    contributed.git("merge", "--quiet", "origin/contributor/topic")
    contributed.git("checkout", "--quiet", "--no-track", "-b", "new")
    assert push(contributed, "origin", "new") == ["theirs", f"{A}:1"]
    contributed.git("config", "branch.new.remote", "origin/contributor")
    assert push(contributed, "origin", "new") == []


def test_a_pull_request_that_was_fetched_hides_nothing(contributed: Repository) -> None:
    contributed.git(
        "push", "--quiet", "--no-verify", "origin", "contributor/topic:refs/pull/1/head"
    )
    contributed.git("fetch", "--quiet", "origin", "refs/pull/1/head:refs/remotes/pull/1/head")
    contributed.git("remote", "remove", "contributor")
    contributed.git("merge", "--quiet", "refs/remotes/pull/1/head")
    assert push(contributed, "origin", "main") == ["theirs", f"{A}:1"]


@parametrize(
    "setting",
    {
        "upstream": ("branch.topic.remote", "other"),
        "upstream-by-its-url": ("branch.topic.remote", "{}/other.git"),
        "default": ("checkout.defaultRemote", "other"),
        "origin": ("remote.origin.url", "{}/other.git"),
    },
)
def test_a_contributor_is_not_blamed_for_what_upstream_has(
    contributed: Repository, setting: tuple[str, str]
) -> None:
    if "remote.origin.url" in setting:
        contributed.git("remote", "remove", "origin")
        contributed.git("remote", "rename", "contributor", "origin")
    else:
        contributed.git("remote", "rename", "contributor", "other")
        contributed.git("config", setting[0], setting[1].format(contributed.top.parent))
        contributed.git("config", "remote.other.pushurl", f"{contributed.top.parent}/other.git")
    add_remote(contributed, "fork")
    moved_on = "origin/topic" if "remote.origin.url" in setting else "other/topic"
    contributed.git("checkout", "--quiet", "--no-track", "-b", "topic", moved_on)
    contributed.record("good", {B: INTERNAL})
    assert push(contributed, "fork", "topic") == []
    assert push(contributed, "fork", "HEAD:refs/heads/again") == []
    contributed.record("bad", {B: BAD})
    assert push(contributed, "fork", "topic") == ["bad", f"{B}:1"]


def test_each_ref_leaves_out_what_its_own_upstream_has(contributed: Repository) -> None:
    contributed.git("branch", "--quiet", "--track", "topic", "contributor/topic")
    contributed.git("merge", "--quiet", "topic")
    assert push(contributed, "--dry-run", "origin", "topic") == []
    assert push(contributed, "origin", "main") == ["theirs", f"{A}:1"]
    contributed.git("branch", "new")
    contributed.git("config", "branch.new.remote", "contributor")
    assert push(contributed, "origin", "main", "new") == ["theirs", f"{A}:1"]


def test_a_commit_of_two_refs_is_reported_once(contributed: Repository) -> None:
    contributed.git("branch", "--quiet", "--track", "topic", "contributor/topic")
    contributed.record("bad", {B: BAD})
    contributed.git("branch", "new")
    contributed.git("config", "branch.new.remote", "contributor")
    assert push(contributed, "origin", "main", "new") == ["bad", f"{B}:1"]


@parametrize("setting", {"url": "url", "pushurl": "pushurl"})
def test_a_url_of_a_remote_is_that_remote(contributed: Repository, setting: str) -> None:
    url = str(contributed.top.parent / "contributor.git")
    if setting == "pushurl":
        contributed.git("config", "remote.contributor.url", "https://example.com/x.git")
        contributed.git("config", "remote.contributor.pushurl", url)
    contributed.git("merge", "--quiet", "contributor/topic")
    status, output = contributed.run("git", "push", url, "main")
    assert (status, "kvm-export-hook" in output) == (0, False), output
    contributed.record("bad", {B: BAD})
    assert push(contributed, url, "main") == ["bad", f"{B}:1"]


def test_for_another_url_all_remotes_are_left_out_and_named(contributed: Repository) -> None:
    contributed.git("init", "--quiet", "--bare", "../elsewhere.git")
    contributed.git("merge", "--quiet", "contributor/topic")
    status, output = contributed.run("git", "push", "../elsewhere.git", "main")
    assert status == 0
    assert (
        "kvm-export-hook: the push goes to a URL that is not a remote of this repository: commits"
        " that one of these remotes has are not checked again: origin, contributor\n"
    ) in output


def test_a_whole_history(hooked: Repository, tmp_path: Path) -> None:
    hooked.git("init", "--quiet", "--bare", str(tmp_path / "fork.git"))
    hooked.git("remote", "remove", "origin")
    hooked.git("remote", "add", "fork", str(tmp_path / "fork.git"))
    assert push(hooked, "--all", "fork") == ["bad", f"{A}:1"]
    assert push(hooked, "--mirror", "fork") == ["bad", f"{A}:1"]


def test_an_expression_with_blanks(hooked: Repository) -> None:
    hooked.record("a fix", {A: INTERNAL})
    assert push(hooked, "origin", "HEAD^{/a fix}:refs/heads/x") == ["bad", f"{A}:1"]


# Nothing on stdin: nothing is pushed, or another hook has read it.

NOTHING = "kvm-export-hook: nothing checked: git says that nothing is pushed\n"
GUESSED = (
    "kvm-export-hook: stdin is empty: checked the commits of HEAD that were not pushed before."
)


def test_nothing_to_push(pushed: Repository) -> None:
    write_hook(pushed)
    status, output = pushed.run("git", "push", "origin", "main")
    assert status == 0
    assert NOTHING in output


@pytest.mark.parametrize("is_ahead", [False, True], ids=["pushed", "unpushed"])
@parametrize(
    "arguments",
    {
        "up-to-date": ["origin", "old"],
        "tags": ["origin", "--tags"],
        "dry-run": ["--dry-run", "origin", "old"],
        "all-of-a-pattern": ["origin", "refs/heads/ol*:refs/heads/ol*"],
        "a-url": ["{}", "old"],
        "followed-tags": ["--follow-tags", "origin", "old"],
    },
)
def test_a_push_of_nothing_is_never_refused(
    pushed: Repository, arguments: list[str], is_ahead: bool
) -> None:
    pushed.git("branch", "old")
    give(pushed, "origin", "old")
    if is_ahead:
        pushed.record("good", {A: INTERNAL})
    write_hook(pushed)
    url = str(pushed.top.parent / "origin.git")
    status, output = pushed.run("git", "push", *(each.format(url) for each in arguments))
    assert status == 0, output
    assert (GUESSED if is_ahead else NOTHING) in output


def test_a_push_of_nothing_before_the_first_commit(
    tmp_path: Path, pushed: Repository, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    (tmp_path / "new").mkdir()
    new = Repository(tmp_path / "new", pushed.home)
    new.git("init", "--quiet")
    monkeypatch.chdir(new.top)
    hand_over(monkeypatch, "")
    assert command("--pre-push", "origin", "url") == (0, "", NOTHING)


def test_a_hook_that_has_read_stdin(hooked: Repository) -> None:
    script = f'#!/bin/sh\ncat > lines\n{TYPED} --pre-push "$@"\n'
    write(hooked.top / ".git/hooks/pre-push", script.encode())
    assert push(hooked, "origin", "main") == ["bad", f"{A}:1"]
    hooked.git("reset", "--quiet", "--hard", "HEAD^")
    hooked.record("good", {A: INTERNAL})
    status, output = hooked.run("git", "push", "origin", "main")
    assert (status, GUESSED in output) == (0, True), output


def test_from_a_bare_repository(hooked: Repository, tmp_path: Path) -> None:
    bare = Repository(tmp_path / "bare.git", hooked.home)
    hooked.git("clone", "--quiet", "--bare", ".", str(bare.top))
    write(bare.top / "hooks/pre-push", (hooked.top / ".git/hooks/pre-push").read_bytes()).chmod(
        0o755
    )
    origin = str(tmp_path / "origin.git")
    assert push(bare, origin, "main") == ["bad", f"{A}:1"]
    assert push(bare, origin, "main^:refs/heads/x") == []


# The lines on stdin.


def hand_over(monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    data = io.BytesIO(os.fsencode(lines))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(data, "utf-8"))


def test_the_lines_of_git(
    pushed: Repository, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    bad = pushed.record("bad", {A: BAD})
    more = pushed.record("more", {B: BAD})

    def judge(*lines: str) -> list[str]:
        hand_over(monkeypatch, "".join(line + "\n" for line in lines))
        return find_added("--pre-push")

    line = "refs/heads/main {} refs/heads/main {}"
    assert judge(line.format(more, ZERO)) == [f"bad: {A}:1", f"more: {B}:1"]
    assert judge(line.format(more, bad)) == [f"more: {B}:1"]
    assert judge(line.format(more, UNKNOWN)) == [f"bad: {A}:1", f"more: {B}:1"]
    assert judge(line.format(more, bad), line.format(bad, ZERO)) == [f"more: {B}:1"]
    assert judge(f"(delete) {ZERO} refs/heads/x {more}") == []


@parametrize(
    "lines",
    {
        "none": "",
        "blank": "\n",
        "three-words": f"refs/heads/main {UNKNOWN} refs/heads/main\n",
    },
)
def test_lines_that_are_not_git_s(
    pushed: Repository, monkeypatch: pytest.MonkeyPatch, command: Command, lines: str
) -> None:
    hand_over(monkeypatch, lines)
    assert command("--pre-push") == (2, "", REFUSED)
    monkeypatch.setattr("sys.stdin", None)
    assert command("--pre-push") == (2, "", REFUSED)


def test_an_id_that_is_not_here(
    pushed: Repository, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    hand_over(monkeypatch, f"refs/heads/x {UNKNOWN} refs/heads/x {ZERO}\n")
    reason = "is not in this repository: fetch it, or use --commits RANGE"
    said = f"kvm-export-hook: error: '{UNKNOWN}' {reason}\n"
    assert command("--pre-push") == (2, "", said)


def test_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command, pushed: Repository
) -> None:
    other = Repository(tmp_path / "other", pushed.home)
    write(other.top / "README", BAD)
    other.git("init", "--quiet")
    id_ = other.record("first")
    monkeypatch.chdir(other.top)
    hand_over(monkeypatch, f"refs/heads/main {id_} refs/heads/main {ZERO}\n")
    assert command("--pre-push") == (0, "", f"kvm-export-hook: {NOTHING_CHECKED}\n")


# As frameworks say it.


def test_the_variables_of_frameworks(pushed: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = pushed.record("bad", {A: BAD})
    more = pushed.record("more", {B: BAD})
    hand_over(monkeypatch, "")
    monkeypatch.setenv("PRE_COMMIT_TO_REF", more)
    assert find_added("--pre-push") == [f"bad: {A}:1", f"more: {B}:1"]
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", bad)
    assert find_added("--pre-push") == [f"more: {B}:1"]
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD")
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "HEAD^^")
    assert find_added("--pre-push") == [f"bad: {A}:1", f"more: {B}:1"]


@pytest.mark.parametrize("rev", ["gone", "HEAD\n--all", UNKNOWN])
def test_a_variable_that_names_nothing(
    pushed: Repository, monkeypatch: pytest.MonkeyPatch, command: Command, rev: str
) -> None:
    monkeypatch.setenv("PRE_COMMIT_TO_REF", rev)
    status, out, err = command("--pre-push")
    assert (status, out) == (2, "")
    assert err.endswith(" is not in this repository: fetch it, or use --commits RANGE\n"), err
    assert err.count("\n") == 1


CONFIGURATION = f"""\
repos:
  - repo: local
    hooks:
      - id: push
        name: push
        entry: {json.dumps(TYPED + " --pre-push")}
        language: system
        stages: [pre-push]
        always_run: true
        pass_filenames: false
"""


@pytest.mark.parametrize("framework", ["pre-commit", "prek"])
def test_pushes_under_a_framework(pushed: Repository, tmp_path: Path, framework: str) -> None:
    pushed.write(".git/info/exclude", b".*\n")
    pushed.write(".pre-commit-config.yaml", CONFIGURATION.encode())
    pushed.git("add", "--force", ".pre-commit-config.yaml")
    pushed.record("configuration")
    assert pushed.run(framework, "install", "--hook-type", "pre-push").status == 0
    assert push(pushed, "origin", "main") == []
    pushed.record("bad", {A: BAD})
    pushed.record("fix", {A: INTERNAL})
    assert push(pushed, "origin", "main") == ["bad", f"{A}:1"]
    assert push(pushed, "origin", "main:new") == ["bad", f"{A}:1"]
    pushed.git("checkout", "--quiet", "HEAD~2")
    assert push(pushed, "origin", "main") == ["bad", f"{A}:1"]
    assert push(pushed, "origin", "HEAD:refs/heads/good") == []
    # To where nothing was fetched from.
    add_remote(pushed, "fork")
    assert push(pushed, "fork", "main") == ["bad", f"{A}:1"]
    assert push(pushed, "fork", "HEAD:refs/heads/good") == []
    url = str(add_remote(pushed, "url").top)
    pushed.git("remote", "remove", "url")
    assert push(pushed, url, "main") == ["bad", f"{A}:1"]
    assert push(pushed, url, "main~2:refs/heads/good") == []
    assert push(pushed, url, f"{pushed.git('rev-parse', 'main~2').strip()}:refs/heads/id") == []
    # A whole history.
    pushed.git("remote", "remove", "origin")
    assert push(pushed, "fork", "main:refs/heads/all") == ["bad", f"{A}:1"]


def test_a_tag_of_a_commit_that_cannot_be_read(linux: Repository) -> None:
    id_ = linux.record("bad", {A: BAD})
    linux.git("tag", "--annotate", "--message", "x", "v1")
    tag = linux.git("rev-parse", "v1").strip()
    (linux.top / ".git/objects" / id_[:2] / id_[2:]).unlink()
    line = f"refs/tags/v1 {tag} refs/tags/v1 {'0' * 40}\n"
    done = linux.run(str(COMMAND), "--pre-push", "origin", "url", stdin=line.encode())
    assert done.status == 2
    assert f"'{tag}' is not in this repository: fetch it" in done.output
