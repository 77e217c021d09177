# SPDX-License-Identifier: MIT
"""--commits: each commit of a range against its parents."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from kvm_export_hook.git.objects import NOT_HERE_MESSAGE
from kvm_export_hook.run import NOTHING_CHECKED
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Repository, find_added
from tests.helpers.support import (
    BAD,
    INTERNAL,
    MAKEFILE_WITH_CHECK,
    MAKEFILE_WITH_UNKNOWN_CHECK,
    TYPES_WITHOUT_MACRO,
    make_makefile,
)

A, B, C = "virt/kvm/a.c", "virt/kvm/b.c", "virt/kvm/c.c"
MAKEFILE = "arch/x86/kvm/Makefile"
OTHER = b"EXPORT_SYMBOL_GPL(kvm_other);\n"
WITH_SAMPLE = MAKEFILE_WITH_CHECK.replace(b"-e kvm_get_kvm", b"-e kvm_get_kvm -e kvm_sample")


@pytest.fixture
def series(linux: Repository) -> Repository:
    """Make the commits good, bad, more and fix, in this order."""
    linux.record("good", {C: INTERNAL})
    linux.record("bad", {A: b"int a;\n" + BAD})
    linux.record("more", {B: OTHER + BAD})
    linux.git("tag", "--annotate", "--message", "tagged", "v1")
    linux.record("fix", {A: INTERNAL, B: INTERNAL})
    return linux


UNKNOWN = "this tree's make check is not one that this hook knows"


def test_a_check_that_is_not_known_is_noted_with_its_first_commit(
    linux: Repository, command: Command
) -> None:
    first = linux.record("unknown", {MAKEFILE: MAKEFILE_WITH_UNKNOWN_CHECK})
    linux.record("more", {A: b"EXPORT_SYMBOL_GPL(kvm_foo);\n"})
    status, out, err = command("--commits=HEAD~2..")
    assert (status, out, err.count("\n")) == (0, "", 1)
    assert f"commit {first[:12]}: {UNKNOWN}" in err
    linux.stage(B, b"int b;\n")
    assert UNKNOWN in command("--staged").err
    assert UNKNOWN in command("--since=HEAD").err
    assert command("--staged", "--quiet") == (0, "", "")


def test_a_commit_that_restores_the_check_is_told_what_it_fails_on(linux: Repository) -> None:
    never = b"ifdef CONFIG_KVM_NEVER\n" + MAKEFILE_WITH_CHECK + b"endif\n"
    linux.record("never", {MAKEFILE: never, A: BAD})
    linux.stage(MAKEFILE, MAKEFILE_WITH_CHECK)
    assert find_added("--staged") == [f"{A}:1"]
    linux.record("restored")
    assert find_added("--commits=HEAD") == [f"restored: {A}:1"]
    linux.record("a list", {MAKEFILE: make_makefile("kvm_get_kvm")})
    assert find_added("--commits=HEAD") == []


def test_names_that_leave_the_list_one_after_the_other(linux: Repository) -> None:
    names = ["kvm_one", "kvm_two", "kvm_three"]
    exports = b"".join(b"EXPORT_SYMBOL_GPL(%s);\n" % name.encode() for name in names)
    linux.record("start", {MAKEFILE: make_makefile(*names), A: exports})
    while names:
        linux.record(names.pop(0), {MAKEFILE: make_makefile(*names, "kvm_get_kvm")})
    assert find_added("--commits=HEAD~3..") == [
        f"kvm_one: {A}:1",
        f"kvm_two: {A}:2",
        f"kvm_three: {A}:3",
    ]


def test_a_bad_commit_and_its_fix_fail_with_a_heading_for_each_commit(
    series: Repository, command: Command
) -> None:
    bad, more = (series.git("rev-parse", "--short=12", f"HEAD~{n}").strip() for n in (2, 1))
    status, out, err = command("--commits", "HEAD~4..")
    assert (status, err) == (1, "")
    blocks = re.split(r"\ncommit (?=[0-9a-f]{12}: )", f"\n{out}")
    assert blocks[0] == ""
    assert blocks[1].startswith(f"{bad}: bad\nvirt/kvm/a.c:2:1: error: EXPORT_SYMBOL_GPL(")
    assert blocks[2].startswith(f"{more}: more\nvirt/kvm/b.c:1:1: error: EXPORT_SYMBOL_GPL(")
    assert "\nfound 3 unwanted exports in 2 files: 3 EXPORT_SYMBOL_GPL\n" in blocks[2]
    assert len(blocks) == 3


BAD_ONE, MORE = [f"bad: {A}:2"], [f"more: {B}:1", f"more: {B}:2"]


@parametrize(
    ("range_", "added"),
    {
        "all": ("HEAD~4..HEAD", BAD_ONE + MORE),
        "to-the-head": ("HEAD~4..", BAD_ONE + MORE),
        "from-the-first": ("HEAD~4...HEAD", BAD_ONE + MORE),
        "without-the-bad-one": ("HEAD~2..", MORE),
        "one-commit": ("HEAD~2", BAD_ONE),
        "one-commit-in-git's-words": ("HEAD~2^!", BAD_ONE),
        "the-fix": ("HEAD", []),
        "the-root": ("HEAD~4", []),
        "a-branch": ("main", []),
        "a-tag": ("v1", MORE),
        "up-to-a-tag": ("HEAD~4..v1", BAD_ONE + MORE),
        "a-tag-in-full": ("refs/tags/v1", MORE),
        "its-parent-alone": ("HEAD^@", MORE),
        "by-its-subject": ("HEAD^{/bad}", BAD_ONE),
    },
)
def test_ranges(series: Repository, range_: str, added: list[str]) -> None:
    assert find_added("--commits", range_) == added


def test_a_range_by_ids(series: Repository) -> None:
    assert find_added(f"--commits={series.git('rev-parse', 'HEAD~2').strip()}") == BAD_ONE


@pytest.mark.parametrize("range_", ["HEAD..HEAD", "..HEAD", "HEAD~2..HEAD~3"])
def test_an_empty_range_is_no_failure(series: Repository, command: Command, range_: str) -> None:
    said = "kvm-export-hook: nothing checked: there are no commits in this range\n"
    assert command("--commits", range_) == (0, "", said)
    assert command("--commits", range_, "--quiet") == (0, "", "")


def test_a_range_that_leaves_kvm_alone(series: Repository, command: Command) -> None:
    series.record("elsewhere", {"fs/x.c": BAD})
    assert command("--commits", "HEAD") == (0, "", "")


def test_a_range_without_a_kernel(linux: Repository, command: Command) -> None:
    linux.git("checkout", "--quiet", "--orphan", "docs")
    linux.git("rm", "-r", "--quiet", "--cached", ".")
    linux.stage("doc/index.html", b"")
    linux.git("commit", "--quiet", "--message", "docs")
    assert command("--commits", "HEAD") == (0, "", f"kvm-export-hook: {NOTHING_CHECKED}\n")


NO_COMMITS = "does not name commits: check the name\n"
ONE_RANGE = "expected one range of commits without blanks, for example master..\n"


@parametrize(
    ("range_", "said"),
    {
        "nothing": ("", ONE_RANGE),
        "an-option": ("--output=x", ONE_RANGE),
        "all": ("--all", ONE_RANGE),
        "two-revisions": ("HEAD~1 HEAD", ONE_RANGE),
        "two-lines": ("HEAD\n--all", ONE_RANGE),
        "a-blank-after-it": ("HEAD ", ONE_RANGE),
        "excluded-alone": (
            "^main",
            "this range only excludes commits: name one to include, for example master..\n",
        ),
        "a-tree": ("HEAD^{tree}", f"'HEAD^{{tree}}' {NO_COMMITS}"),
        "a-tree-in-a-range": ("HEAD^{tree}..HEAD", f"'HEAD^{{tree}}..HEAD' {NO_COMMITS}"),
        "a-file": (f"HEAD:{A}", f"'HEAD:{A}' {NO_COMMITS}"),
        "unknown": ("gone", f"'gone' {NO_COMMITS}"),
        "unknown-end": ("HEAD~1..gone", f"'HEAD~1..gone' {NO_COMMITS}"),
        "unknown-id": ("1" * 40, f"'{'1' * 40}' {NO_COMMITS}"),
        "path": (A, f"'{A}' {NO_COMMITS}"),
        "drives-a-terminal": ("\x1b[31m\udcff", r"'\x1b[31m\udcff' " + NO_COMMITS),
    },
)
def test_what_is_no_range(series: Repository, command: Command, range_: str, said: str) -> None:
    status, out, err = command(f"--commits={range_}")
    assert (status, out) == (2, "")
    assert err.startswith(f"kvm-export-hook: error: {said}"), err
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert not (series.top / "x").exists()


# Merges.


def branch(linux: Repository, name: str, files: dict[str, bytes | None]) -> None:
    """Commit FILES on a branch of their own, from the first commit on."""
    linux.git("checkout", "--quiet", "-b", name, "start")
    linux.record(name, files)


@pytest.fixture
def branches(linux: Repository) -> Repository:
    """Make two branches that add an export each."""
    linux.git("tag", "start")
    branch(linux, "one", {A: BAD})
    branch(linux, "two", {B: OTHER})
    return linux


def merge(linux: Repository, *names: str) -> None:
    linux.git("merge", "--quiet", "--no-ff", "--no-commit", *names)


def test_a_clean_merge_adds_nothing(branches: Repository) -> None:
    merge(branches, "one")
    branches.record("merge")
    assert find_added("--commits=HEAD") == []
    assert sorted(find_added("--commits=start..")) == [f"one: {A}:1", f"two: {B}:1"]
    assert find_added("--commits=HEAD^1..") == [f"one: {A}:1"]


def test_of_an_evil_merge_that_is_reported_which_no_parent_has(branches: Repository) -> None:
    merge(branches, "one")
    branches.stage_all({C: BAD + OTHER})
    branches.stage_all({B: None})
    branches.record("merge")
    # The other export has only moved.
    assert find_added("--commits=HEAD") == [f"merge: {C}:1"]


def test_a_merge_with_more_of_an_export_than_the_parent_that_has_most(
    branches: Repository,
) -> None:
    branches.git("checkout", "--quiet", "one")
    branches.record("more", {A: BAD + BAD})
    branch(branches, "three", {C: BAD})
    merge(branches, "one")
    branches.record("merge")
    assert find_added("--commits=HEAD") == [f"merge: {C}:1"]


def test_a_merge_of_a_list_without_a_name_and_an_export_of_it(branches: Repository) -> None:
    branches.git("checkout", "--quiet", "start")
    branches.record("list", {MAKEFILE: WITH_SAMPLE})
    branches.git("tag", "--force", "start")
    branch(branches, "user", {A: BAD})
    branch(branches, "shorter", {MAKEFILE: MAKEFILE_WITH_CHECK})
    merge(branches, "user")
    branches.record("merge")
    assert find_added("--commits=start..") == [f"merge: {A}:1"]


def test_parents_come_first_whatever_the_clocks_said(linux: Repository) -> None:
    def commit(name: str, date: int, files: dict[str, bytes | None]) -> None:
        linux.stage_all(files)
        dated = f"GIT_COMMITTER_DATE={date} +0000"
        assert linux.run("env", dated, "git", "commit", "--quiet", f"--message={name}") == (0, "")

    linux.git("tag", "start")
    commit("first", 500_000_000, {A: BAD})
    linux.git("checkout", "--quiet", "-b", "slow")
    commit("slow", 100_000_000, {B: OTHER})
    linux.git("checkout", "--quiet", "main")
    commit("fast", 200_000_000, {"fs/x.c": b""})
    merge(linux, "slow")
    linux.record("merge")
    assert find_added("--commits=start..") == [f"first: {A}:1", f"slow: {B}:1"]


def test_a_merge_that_is_as_one_of_its_parents(branches: Repository) -> None:
    branches.git("merge", "--quiet", "--strategy=ours", "--message=merge", "one")
    assert find_added("--commits=HEAD") == []
    # What was merged so is pushed all the same.
    assert sorted(find_added("--commits=start..")) == [f"one: {A}:1", f"two: {B}:1"]
    branches.git("checkout", "--quiet", "-b", "theirs", "one")
    branches.git("merge", "--quiet", "--no-commit", "--strategy=ours", "two")
    branches.git("checkout", "two", "--", ".")
    branches.git("rm", "--quiet", "-f", A)
    branches.record("theirs")
    assert find_added("--commits=HEAD") == []


@pytest.mark.parametrize("is_evil", [False, True], ids=["clean", "evil"])
def test_an_octopus(branches: Repository, is_evil: bool) -> None:
    branch(branches, "three", {"arch/x86/kvm/x86.c": BAD.replace(b"_sample", b"_third")})
    branch(branches, "four", {C: INTERNAL})
    branches.git("merge", "--quiet", "--no-commit", "one", "two", "three")
    if is_evil:
        branches.stage(C, OTHER + INTERNAL + OTHER)
    branches.record("octopus")
    assert len(branches.git("rev-parse", "HEAD^@").split()) == 4
    added = [f"octopus: {C}:1", f"octopus: {C}:3"] if is_evil else []
    assert find_added("--commits=HEAD") == added


def test_a_conflict_that_is_resolved_by_an_export(linux: Repository) -> None:
    linux.git("tag", "start")
    branch(linux, "one", {A: b"int one;\n"})
    branch(linux, "two", {A: b"int two;\n"})
    assert linux.run("git", "merge", "one").status == 1
    linux.record("merge", {A: b"int both;\n" + BAD})
    assert find_added("--commits=HEAD") == [f"merge: {A}:2"]


# The facts of each commit.


def test_each_commit_is_judged_by_its_own_tree(linux: Repository, command: Command) -> None:
    linux.git("tag", "start")
    linux.record("bad", {A: BAD})
    linux.record("listed", {MAKEFILE: WITH_SAMPLE, B: BAD})
    linux.record("elsewhere", {"fs/x.c": b""})
    linux.record("listed before", {C: BAD})
    linux.record("old kernel", {MAKEFILE: b"", "include/linux/kvm_types.h": TYPES_WITHOUT_MACRO})
    linux.record("free", {C: OTHER})
    old = linux.git("rev-parse", "--short=12", "HEAD~1").strip()
    linux.record("macro", {"include/linux/kvm_types.h": None})
    linux.record("last", {C: OTHER + OTHER})
    assert find_added("--commits=start..") == [f"bad: {A}:1", f"last: {C}:2"]
    err = command("--commits=start..").err
    assert err.startswith(f"kvm-export-hook: commit {old}: nothing enforced: this tree has no ")
    assert err.count("\n") == 1


# What else a repository can have.


def test_the_boundary_of_a_shallow_clone(
    series: Repository, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    series.git("clone", "--quiet", "--depth=2", f"file://{series.top}", str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    boundary = series.git("rev-parse", "--short=12", "HEAD~1").strip()
    assert find_added("--commits=HEAD") == []
    assert command("--commits=HEAD~1") == (
        2,
        "",
        f"kvm-export-hook: error: commit {boundary}: cannot be judged: its parent is not here,"
        " because the clone is shallow: run git fetch --unshallow, or fetch deeper\n",
    )


def test_a_first_commit_that_writes_of_a_parent(linux: Repository) -> None:
    linux.git("checkout", "--quiet", "--orphan", "first")
    linux.record("first\n\nbody\nparent and child\n", {A: BAD})
    assert find_added("--commits=HEAD") == [f"first: {A}:1"]


def test_a_link_in_the_place_of_a_file_had_no_exports(linux: Repository) -> None:
    (linux.top / A).symlink_to(os.fsdecode(BAD))
    linux.record("link")
    (linux.top / A).unlink()
    linux.record("file", {A: BAD})
    assert find_added("--commits=HEAD") == [f"file: {A}:1"]


def test_grafts_and_replace_refs_do_not_count(series: Repository) -> None:
    ids = [series.git("rev-parse", f"HEAD~{n}").strip() for n in range(3)]
    fix, more, bad = ids
    series.write(".git/info/grafts", f"{fix}\n{more} {fix}\n".encode())
    series.git("-c", "core.hooksPath=/", "replace", bad, fix)
    assert find_added("--commits=HEAD~2") == BAD_ONE
    assert find_added("--commits=HEAD~4..") == BAD_ONE + MORE


def test_subjects_in_any_encoding(linux: Repository, command: Command) -> None:
    linux.git("tag", "start")
    linux.stage(A, BAD)
    latin = ("-c", "i18n.commitEncoding=latin1", "commit", "--quiet", "--message")
    linux.git(*latin, os.fsdecode(b"caf\xe9"))
    linux.stage(B, BAD)
    unknown = ("-c", "i18n.commitEncoding=unknown", "commit", "--quiet", "--message")
    linux.git(*unknown, os.fsdecode(b"caf\xe9"))
    linux.stage(C, BAD)
    linux.git("commit", "--quiet", "--allow-empty-message", "--message", "")
    linux.record("::error::[31m\x1b[31m\n\nbody", {"virt/kvm/d.c": BAD})
    assert [each.partition(": virt")[0] for each in find_added("--commits=start..")] == [
        "café",
        "caf\\xe9",
        "",
        "::error::[31m\x1b[31m",
    ]
    assert "\x1b" not in command("--commits=start..").out


def test_a_long_subject_is_cut(linux: Repository) -> None:
    linux.record("a" * 5000, {A: BAD})
    assert find_added("--commits=HEAD") == [f"{'a' * 1000}: {A}:1"]


def test_a_commit_without_a_change(series: Repository) -> None:
    series.record("empty")
    assert find_added("--commits=HEAD~2..") == []
    assert find_added("--commits=HEAD~5..") == BAD_ONE + MORE


def test_a_blob_that_is_missing(series: Repository, command: Command) -> None:
    id_ = series.git("rev-parse", f"HEAD~1:{B}").strip()
    (series.top / ".git/objects" / id_[:2] / id_[2:]).unlink()
    status, _, err = command("--commits=HEAD~4..")
    assert status == 2
    assert err.startswith(f"kvm-export-hook: error: blob {id_}: cannot be read")
    assert find_added("--commits=HEAD~4..", status=2) == BAD_ONE


def test_a_commit_that_is_missing(series: Repository, command: Command) -> None:
    id_ = series.git("rev-parse", "HEAD~1").strip()
    (series.top / ".git/objects" / id_[:2] / id_[2:]).unlink()
    for range_ in ("HEAD", "HEAD~2..", "HEAD^!"):
        status, _, err = command("--commits", range_)
        assert status == 2
        assert err.startswith("kvm-export-hook: error: "), err
        assert err.count("\n") == 1


def test_a_directory_that_is_missing(series: Repository, command: Command) -> None:
    series.record("more", {"virt/kvm/sub/x.c": b"int x;\n"})
    series.record("check", {"arch/x86/kvm/Makefile": make_makefile("kvm_foo")})
    id_ = series.git("rev-parse", "HEAD:virt/kvm/sub").strip()
    (series.top / ".git/objects" / id_[:2] / id_[2:]).unlink()
    status, out, err = command("--commits=HEAD")
    assert (status, out) == (2, "")
    assert err == f"kvm-export-hook: error: object {id_} {NOT_HERE_MESSAGE}\n"


# Trees that git reads, and never writes.


def write_tree(linux: Repository, entries: list[tuple[str, str, str]]) -> str:
    """Write a tree of ENTRIES, each a mode, an id and a name; return its id."""
    content = b"".join(
        f"{mode} {name}".encode() + b"\0" + bytes.fromhex(id_) for mode, id_, name in entries
    )
    literally = ("git", "hash-object", "-t", "tree", "--literally", "-w", "--stdin")
    return linux.run(*literally, stdin=content).output.strip()


def list_tree(linux: Repository, name: str) -> list[tuple[str, str, str]]:
    """List the entries of a tree: the mode, the id and the name of each."""
    lines = [line.split() for line in linux.git("ls-tree", name).splitlines()]
    return [(mode.lstrip("0"), id_, name) for mode, _, id_, name in lines]


@parametrize(
    ("place", "entry"),
    {
        "at-the-top": ("", "virt/kvm/a.c"),
        "half-way": ("virt", "kvm/a.c"),
        "within": ("virt/kvm", "more/a.c"),
    },
)
def test_a_name_with_a_slash(linux: Repository, command: Command, place: str, entry: str) -> None:
    bad = linux.run("git", "hash-object", "-w", "--stdin", stdin=BAD).output.strip()
    name = entry
    id_ = write_tree(linux, [*list_tree(linux, f"HEAD:{place}"), ("100644", bad, entry)])
    odd = id_
    while place:
        place, _, name = place.rpartition("/")
        kept = [each for each in list_tree(linux, f"HEAD:{place}") if each[2] != name]
        id_ = write_tree(linux, sorted([*kept, ("40000", id_, name)], key=lambda each: each[2]))
    commit = linux.git("commit-tree", id_, "-p", "HEAD", "-m", "odd").strip()
    said = (
        f"tree {odd} has '{entry}' as one name, with a slash in it, which git never writes:"
        " run git fsck"
    )
    assert command("--commits", commit) == (2, "", f"kvm-export-hook: error: {said}\n")
    linux.git("update-ref", "refs/heads/odd", commit)
    assert command("--commits", "main..odd").status == 2


def test_a_mode_with_a_zero_before_it(linux: Repository) -> None:
    linux.record("list", {A: BAD, MAKEFILE: WITH_SAMPLE})
    kvm = linux.git("rev-parse", "HEAD:virt/kvm").strip()
    virt = write_tree(linux, [("040000", kvm, "kvm")])
    entries = [
        ("40000", virt, "virt") if each[2] == "virt" else each for each in list_tree(linux, "HEAD")
    ]
    old = linux.git("commit-tree", write_tree(linux, entries), "-p", "HEAD", "-m", "old").strip()
    linux.git("reset", "--quiet", "--hard", old)
    linux.record("shorter", {MAKEFILE: MAKEFILE_WITH_CHECK})
    assert find_added("--commits=HEAD") == [f"shorter: {A}:1"]
