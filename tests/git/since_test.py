# SPDX-License-Identifier: MIT
"""--since: the working tree against a revision."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path

import pytest

from kvm_export_hook.changes.find import Finder
from kvm_export_hook.git import repository as repositories
from kvm_export_hook.git import since
from kvm_export_hook.report.formats import FORMATS
from kvm_export_hook.rules.facts import read_facts
from kvm_export_hook.run import NOTHING_CHECKED
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Repository, find_added, initialise
from tests.helpers.support import (
    BAD,
    INTERNAL,
    MAKEFILE_WITH_CHECK,
    TYPES_WITHOUT_MACRO,
    make_makefile,
    make_tree,
)

A, B, C = "virt/kvm/a.c", "virt/kvm/b.c", "virt/kvm/c.c"
MAKEFILE, HEADER = "arch/x86/kvm/Makefile", "include/linux/kvm_types.h"
OTHER = b"EXPORT_SYMBOL_GPL(kvm_other);\n"
OTHER_LIST = make_makefile("kvm_x")


@pytest.fixture
def old(linux: Repository) -> Repository:
    """Commit old exports into two files."""
    linux.record("old", {A: BAD + b"int a;\n", B: OTHER, C: INTERNAL})
    linux.git("update-index", "--refresh")
    return linux


def test_old_exports_are_no_matter(old: Repository, command: Command) -> None:
    assert command("--since=HEAD") == (0, "", "")
    assert command("--since=HEAD", A, B) == (0, "", "")
    assert command(A).status == 1


def test_only_what_is_named_is_reported(old: Repository) -> None:
    old.write(A, BAD + BAD)
    old.write(B, OTHER + OTHER)
    assert find_added("--since=HEAD", A) == [f"{A}:2"]
    assert find_added("--since=HEAD", B) == [f"{B}:2"]
    assert find_added("--since=HEAD", "virt") == [f"{A}:2", f"{B}:2"]
    assert find_added("--since", "HEAD") == [f"{A}:2", f"{B}:2"]
    assert find_added("--since=HEAD", "--", C) == []
    assert find_added("--since=HEAD^", A) == [f"{A}:1", f"{A}:2"]


def test_what_was_moved_from_a_file_that_is_not_named_is_old(old: Repository) -> None:
    old.write(A, b"int a;\n")
    old.write(C, BAD)
    assert find_added("--since=HEAD", C) == []
    (old.top / A).unlink()
    assert find_added("--since=HEAD", C) == []
    old.write("virt/kvm/untracked.c", BAD)
    assert find_added("--since=HEAD", C) == []


def test_a_file_that_is_saved_in_between_is_reported_as_it_was_checked(old: Repository) -> None:
    old.write(A, BAD + BAD)
    repository = repositories.Repository(b".", read_facts, refuse, refuse)
    with repository:
        facts = repository.read_facts_of(repository.name_facts(b"HEAD"))
        files = [(b"", A.encode(), A.encode(), True)]
        change = since.read_since(repository, b"HEAD", b"", files, facts)
        read_texts = since.make_reader(repository)

        def read_and_save(ids: Sequence[Hashable]) -> Iterator[tuple[Hashable, bytes]]:
            for id_, content in read_texts(ids):
                old.write(A, b"int saved;\n")
                yield id_, content

        (result,) = Finder(read_and_save).find([change])
    assert result.content == BAD + BAD
    assert [found.line for found in result.findings] == [2]


def refuse(path: bytes, reason: object) -> None:
    """Take no complaint and no note."""
    raise AssertionError(path, reason)


def test_untracked_files(old: Repository) -> None:
    old.write("virt/kvm/untracked.c", BAD)
    old.write(".git/info/exclude", b"*\n")
    assert find_added("--since=HEAD") == ["virt/kvm/untracked.c:1"]
    assert find_added("--since=HEAD", A) == []


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_does_not_look_at(old: Repository, flag: str) -> None:
    old.git("update-index", flag, A)
    old.write(A, BAD + BAD)
    assert find_added("--since=HEAD", A) == [f"{A}:2"]
    old.write(A, BAD + b"int b;\n")
    assert find_added("--since=HEAD", A) == []


def test_a_revision_in_between_and_one_elsewhere(old: Repository) -> None:
    old.git("tag", "--annotate", "--message", "tagged", "v1")
    old.record("more", {A: BAD + BAD})
    old.record("most", {A: BAD + BAD + BAD})
    assert find_added("--since=v1") == [f"{A}:2", f"{A}:3"]
    assert find_added("--since=HEAD^") == [f"{A}:3"]
    assert find_added("--since=HEAD@{0}") == []
    assert find_added("--since=HEAD^{/more}") == [f"{A}:3"]
    old.git("checkout", "--quiet", "--orphan", "other")
    old.git("rm", "-r", "--quiet", "--cached", ".")
    other = old.record("other", {})
    assert find_added(f"--since={other}") == []
    assert find_added("--since=v1") == [f"{A}:2", f"{A}:3"]


@parametrize(
    "rev",
    {
        "unknown": "gone",
        "empty": "",
        "tree": "HEAD^{tree}",
        "file": "HEAD:virt/kvm/a.c",
        "range": "HEAD^..HEAD",
        "option": "--output=x",
        "two-lines": "HEAD\nHEAD",
        "drives-a-terminal": "\x1b[31m\udcff",
    },
)
def test_what_is_no_revision(old: Repository, command: Command, rev: str) -> None:
    status, out, err = command(f"--since={rev}")
    assert (status, out) == (2, "")
    assert err.startswith("kvm-export-hook: error: ")
    assert err.endswith(" does not name a commit: check the name\n"), err
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert not (old.top / "x").exists()


# Where HEAD left a revision, and HEAD before there is any.


def test_where_head_left_a_revision(old: Repository) -> None:
    old.git("checkout", "--quiet", "-b", "topic")
    old.record("ours", {C: BAD})
    old.git("checkout", "--quiet", "main")
    old.record("theirs", {A: b"int a;\n"})
    old.git("checkout", "--quiet", "topic")
    # What main has dropped meanwhile is not new here.
    assert find_added("--since=main") == [f"{A}:1", f"{C}:1"]
    assert find_added("--since=main...") == [f"{C}:1"]
    assert find_added("--since=main...", A) == []
    assert find_added("--since=...") == []


@parametrize("rev", {"unknown": "gone...", "tree": "HEAD^{tree}...", "two-ends": "HEAD...main"})
def test_what_head_did_not_leave(old: Repository, command: Command, rev: str) -> None:
    status, out, err = command(f"--since={rev}")
    assert (status, out) == (2, "")
    assert err.endswith(" does not name a commit: check the name\n"), err


def test_a_revision_with_nothing_in_common(old: Repository, command: Command) -> None:
    old.git("checkout", "--quiet", "--orphan", "other")
    old.record("other", {})
    said = "HEAD and 'main' have no commit in common: name another"
    assert command("--since=main...") == (2, "", f"kvm-export-hook: error: {said}\n")


@pytest.mark.parametrize("rev", ["HEAD", "@", "HEAD...", "main..."])
def test_before_the_first_commit_everything_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rev: str
) -> None:
    linux = Repository(make_tree(tmp_path, check=True), tmp_path / ".home")
    linux.git("init", "--quiet", "--template=")
    monkeypatch.chdir(tmp_path)
    assert find_added(f"--since={rev}") == []
    linux.write(A, BAD)
    assert find_added(f"--since={rev}") == [f"{A}:1"]
    linux.git("add", "virt", "arch", "include")
    assert find_added(f"--since={rev}", A) == [f"{A}:1"]


def test_an_unknown_branch_before_the_first_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    linux = Repository(make_tree(tmp_path, check=True), tmp_path / ".home")
    linux.git("init", "--quiet", "--template=")
    monkeypatch.chdir(tmp_path)
    said = "kvm-export-hook: error: 'topic' does not name a commit: check the name\n"
    assert command("--since=topic") == (2, "", said)
    linux.write(".git/HEAD", b"ref: broken\n")
    assert command("--since=HEAD").status == 2


# The facts.


def test_the_list_of_the_working_tree_and_that_of_the_revision(old: Repository) -> None:
    old.write(MAKEFILE, MAKEFILE_WITH_CHECK.replace(b"kvm_get_kvm", b"kvm_sample"))
    old.write(C, BAD)
    assert find_added("--since=HEAD") == []
    old.git("add", "--all")
    old.git("commit", "--quiet", "--message", "listed")
    old.write(MAKEFILE, MAKEFILE_WITH_CHECK)
    assert find_added("--since=HEAD") == [f"{A}:1", f"{C}:1"]
    assert find_added("--since=HEAD", C) == [f"{C}:1"]
    # A fact file stands for all.
    assert find_added("--since=HEAD", MAKEFILE) == [f"{A}:1", f"{C}:1"]


def test_a_revision_without_the_macro_has_no_findings(linux: Repository, command: Command) -> None:
    linux.record("old", {MAKEFILE: b"", HEADER: TYPES_WITHOUT_MACRO, A: BAD})
    linux.write(MAKEFILE, MAKEFILE_WITH_CHECK)
    assert command("--since=HEAD", A)[::2] == (1, "")
    linux.git("checkout", MAKEFILE)
    status, out, err = command("--since=HEAD")
    assert (status, out) == (0, "")
    assert err.startswith("kvm-export-hook: nothing enforced: "), err
    assert find_added("--since=HEAD", "--force") == []
    linux.write(C, BAD)
    assert find_added("--since=HEAD", "--force") == [f"{C}:1"]


# What cannot be read.


def test_what_cannot_be_read_is_an_error(old: Repository, command: Command) -> None:
    (old.top / "virt/kvm/link.c").symlink_to("a.c")
    status, _, err = command("--since=HEAD", "virt/kvm/link.c", A)
    assert status == 2
    assert err.startswith("kvm-export-hook: error: virt/kvm/link.c: is a symbolic link"), err
    old.git("add", "virt/kvm/link.c")
    old.git("commit", "--quiet", "--message", "link")
    assert find_added("--since=HEAD", A) == []
    old.write(MAKEFILE, OTHER_LIST)
    assert find_added("--since=HEAD", A, status=2) == []


def test_two_trees_at_once(old: Repository, tmp_path: Path, command: Command) -> None:
    old.write(A, BAD + BAD)
    other = Repository(make_tree(tmp_path / "next", check=True), old.home)
    initialise(other, {A: BAD})
    other.write(B, BAD)
    assert find_added("--since=HEAD", ".", str(other.top)) == [f"{other.top}/{B}:1", f"{A}:2"]
    make_tree(tmp_path / "no-repository")
    status, _, err = command("--since=HEAD", ".", str(tmp_path / "no-repository"))
    assert status == 2
    assert "git finds no repository here: name" in err


def test_nothing_in_scope(old: Repository, command: Command) -> None:
    assert command("--since=HEAD", "fs") == (0, "", f"kvm-export-hook: {NOTHING_CHECKED}\n")


# With what else the command can do.


def test_fix_rewrites_only_what_is_new(old: Repository, command: Command) -> None:
    old.write(A, BAD + b"int a;\n" + OTHER)
    old.write(C, OTHER)
    status, out, err = command("--since=HEAD", "--fix", A)
    assert (status, err) == (1, "")
    assert f"{A}:3: EXPORT_SYMBOL_GPL(kvm_other) -> " in out
    assert (old.top / A).read_bytes() == (
        BAD + b"int a;\nEXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_other);\n"
    )
    assert (old.top / C).read_bytes() == OTHER
    assert command("--since=HEAD", "--fix", A) == (0, "", "")


def test_fix_rewrites_only_what_is_named(old: Repository, command: Command) -> None:
    old.record("the check", {MAKEFILE: MAKEFILE_WITH_CHECK, A: INTERNAL, B: INTERNAL})
    old.write(A, OTHER)
    old.write(B, OTHER)
    assert command("--since=HEAD", "--diff", MAKEFILE).out == ""
    status, out, _ = command("--since=HEAD", "--fix", MAKEFILE, A)
    assert status == 1
    assert "not rewritten: only files that are named are rewritten" in out
    assert (old.top / A).read_bytes() != OTHER
    assert (old.top / B).read_bytes() == OTHER


def test_diff(old: Repository, command: Command) -> None:
    old.write(A, BAD + OTHER)
    status, out, _ = command("--since=HEAD", "--diff")
    assert status == 1
    assert "\n-EXPORT_SYMBOL_GPL(kvm_other);\n" in out
    assert "\n-EXPORT_SYMBOL_GPL(kvm_sample);\n" not in out


@pytest.mark.parametrize("source", ["--since=HEAD", "--staged", "--commits=HEAD"])
@pytest.mark.parametrize("form", FORMATS)
def test_every_format(old: Repository, command: Command, source: str, form: str) -> None:
    old.stage(A, BAD + BAD)
    if source.startswith("--commits"):
        old.record("subject")
    status, out, _ = command(source, f"--format={form}")
    assert status == 1
    assert A in out
    assert "kvm_sample" in out
    if form in ("sarif", "json"):
        assert json.loads(out)
    if source.startswith("--commits"):
        assert "subject" in out
        assert old.git("rev-parse", "--short=12", "HEAD").strip() in out
