# SPDX-License-Identifier: MIT
"""How it is written what changes do to the exports: text, JSON, and the exit status."""

from __future__ import annotations

import json
import os

import pytest

from kvm_export_hook import __version__
from tests.conftest import Command
from tests.helpers.repositories import Repository
from tests.helpers.support import BAD, INTERNAL, make_makefile

A, B = "virt/kvm/a.c", "arch/x86/kvm/b.c"
MAKEFILE = "arch/x86/kvm/Makefile"


def export(*symbols: str, macro: str = "EXPORT_SYMBOL_FOR_KVM_INTERNAL") -> bytes:
    """Export SYMBOLS, a line each."""
    return "".join(f"{macro}({symbol});\n" for symbol in symbols).encode()


def test_all_that_a_commit_may_do(linux: Repository, command: Command) -> None:
    long = export("kvm_dropped_with_a_long_name")
    linux.record("old", {A: long + export("kvm_kept", "kvm_a"), B: BAD})
    linux.record("add", {A: long + export("kvm_kept", "kvm_a", "kvm_b"), B: BAD + BAD})
    linux.record("list", {MAKEFILE: make_makefile("kvm_get_kvm", "kvm_sample")})
    linux.record("more", {A: export("kvm_kept") + export("kvm_a", macro="EXPORT_SYMBOL")})
    ids = linux.git("rev-list", "--reverse", "--abbrev-commit", "--abbrev=12", "HEAD~3..")
    first, second, third = ids.split()
    internal = "EXPORT_SYMBOL_FOR_KVM_INTERNAL"
    gap = " " * 18
    gpl = f"kvm_sample{gap}  EXPORT_SYMBOL_GPL"
    assert command("--list", "--commits=HEAD~3..") == (
        0,
        f"commit {first}: add\n"
        f"  + {gpl}               {B}:2  unwanted\n"
        f"  + kvm_b{gap}       {internal}  {A}:4\n"
        f"commit {second}: list\n"
        f"  ~ {gpl}  {B}:1  unwanted -> allowlisted\n"
        f"  ~ {gpl}  {B}:2  unwanted -> allowlisted\n"
        f"commit {third}: more\n"
        f"  - kvm_dropped_with_a_long_name  {internal}  {A}:1\n"
        f"  - kvm_b{gap}       {internal}  {A}:4\n"
        f"  ~ kvm_a{gap}       {internal} -> EXPORT_SYMBOL  {A}:2  internal -> unwanted\n"
        "in 3 commits: 2 exports added (1 unwanted), 2 dropped, 3 changed (1 unwanted)\n",
        "",
    )


def test_without_commits_there_is_no_heading(linux: Repository, command: Command) -> None:
    linux.stage_all({A: INTERNAL})
    said = (
        f"  + kvm_sample  EXPORT_SYMBOL_FOR_KVM_INTERNAL  {A}:1\n"
        "1 export added, 0 dropped, 0 changed\n"
    )
    assert command("--list", "--staged") == (0, said, "")
    assert command("--list", "--since=HEAD") == (0, said, "")


def test_nothing_is_said_so(linux: Repository, command: Command) -> None:
    said = "0 exports added, 0 dropped, 0 changed\n"
    assert command("--list", "--staged") == (0, said, "")
    status, out, err = command("--list", "--commits=HEAD..")
    assert (status, out) == (0, "")
    assert "there are no commits in this range" in err


def test_the_object(linux: Repository, command: Command) -> None:
    linux.record("old", {A: BAD + export("kvm_a")})
    id_ = linux.record("new", {A: INTERNAL + export("kvm_b")})
    reported = json.loads(command("--list", "--format=json", "--commits=HEAD").out)
    place = {"macro": "EXPORT_SYMBOL_FOR_KVM_INTERNAL", "path": A, "verdict": "internal"}
    was = {
        "macro": "EXPORT_SYMBOL_GPL",
        "symbol": "kvm_sample",
        "path": A,
        "line": 1,
        "verdict": "unwanted",
    }
    assert reported == {
        "format_version": 2,
        "version": __version__,
        "changes": [
            {
                "commit": id_,
                "subject": "new",
                "added": [{**place, "symbol": "kvm_b", "line": 2}],
                "dropped": [{**place, "symbol": "kvm_a", "line": 2}],
                "changed": [{**place, "symbol": "kvm_sample", "line": 1, "was": was}],
            }
        ],
        "errors": [],
        "notes": [],
    }
    linux.stage_all({A: BAD})
    (change,) = json.loads(command("--list", "--format=json", "--staged").out)["changes"]
    assert (change["commit"], change["subject"]) == (None, None)


@pytest.mark.parametrize("name", ["text", "json"])
def test_what_could_not_be_read_is_exit_status_2(
    linux: Repository, command: Command, name: str
) -> None:
    linux.record("old", {B: BAD})
    (linux.top / A).symlink_to("kvm_main.c")
    linux.stage_all({B: INTERNAL})
    status, out, err = command("--list", "--staged", "--format", name)
    assert status == 2
    assert f"error: {A}: is a symbolic link" in err
    assert "EXPORT_SYMBOL_FOR_KVM_INTERNAL" in out
    if name == "json":
        (error,) = json.loads(out)["errors"]
        assert error["path"] == A


@pytest.mark.parametrize("name", ["text", "json"])
def test_a_fault_is_said_in_the_report(linux: Repository, command: Command, name: str) -> None:
    status, out, err = command("--list", "--commits=nowhere", "--format", name)
    assert (status, err.count("\n")) == (2, 1)
    assert bool(out) is (name == "json")
    assert not out or json.loads(out)["errors"]


def test_hostile_names_drive_no_terminal(linux: Repository, command: Command) -> None:
    name = os.fsdecode(b"virt/kvm/\x1b[2J\xff.c")
    linux.record("\x1b[31m ::error::x", {name: export("a\x1b[31m")})
    out = command("--list", "--commits=HEAD").out
    assert "virt/kvm/\\x1b[2J\\xff.c:1" in out
    assert "a\\x1b[31m" in out
    assert all(char.isprintable() for char in out.replace("\n", ""))
