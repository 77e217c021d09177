# SPDX-License-Identifier: MIT
"""Names that end as C does: which of them are checked, and which of them the make check reads."""

from __future__ import annotations

import pytest

from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Repository, find_added
from tests.helpers.support import BAD, MAKEFILE_WITH_CHECK

LOWER, UPPER = "virt/kvm/g.c", "virt/kvm/g.C"
MENTION = b"/* EXPORT_SYMBOL_GPL is not for this. */\n"
SPLIT = b"EXPORT_SYMBOL_GPL(\n\tkvm_get_kvm);\n"
LISTED = MAKEFILE_WITH_CHECK.replace(b"-e kvm_get_kvm", b"-e kvm_get_kvm -e kvm_sample")


@pytest.mark.parametrize("name", ["virt/kvm/.c", "arch/x86/kvm/..h", UPPER, "virt/kvm/x/.h"])
def test_every_source_checks_it(
    linux: Repository, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    linux.stage(name, BAD)
    found = [f"{name}:1"]
    assert find_added(name) == found
    assert find_added("./" + name) == found
    assert find_added() == found
    assert find_added("--staged") == found
    assert find_added("--since=HEAD") == found
    assert find_added("--since=HEAD", name) == found
    patch = linux.git("diff", "--cached")
    linux.write("new.patch", patch.encode())
    assert find_added("--patch", "new.patch") == found
    committed = [f"kvm: {name}:1"]
    linux.git("commit", "--quiet", "--message", "kvm")
    assert find_added("--commits=HEAD") == committed
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD")
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "HEAD^")
    assert find_added("--pre-push") == committed


@parametrize("ending", {"c": ".c", "h": ".h"})
def test_what_is_renamed_to_where_the_make_check_reads_it_is_new(
    linux: Repository, ending: str
) -> None:
    old, new = f"virt/kvm/g{ending.upper()}", f"virt/kvm/g{ending}"
    linux.record("old", {old: BAD})
    linux.git("mv", old, new)
    assert find_added("--staged") == [f"{new}:1"]
    assert find_added("--since=HEAD", new) == [f"{new}:1"]
    linux.record("renamed")
    assert find_added("--commits=HEAD") == [f"renamed: {new}:1"]
    linux.git("mv", new, old)


def test_equal_bytes_under_both_names(linux: Repository) -> None:
    linux.record("old", {LOWER: BAD, UPPER: BAD})
    linux.stage_all({"virt/kvm/h.c": BAD, "virt/kvm/h.C": BAD})
    assert find_added("--staged") == ["virt/kvm/h.C:1", "virt/kvm/h.c:1"]
    linux.stage_all({LOWER: None, UPPER: None})
    assert find_added("--staged") == []


@parametrize("source", {"mention": MENTION, "split": SPLIT})
def test_what_only_the_make_check_fails_on_is_found_only_where_it_reads(
    linux: Repository, command: Command, source: bytes
) -> None:
    linux.stage_all({UPPER: source, "virt/kvm/kvm_get_kvm.c": source})
    assert find_added() == []
    assert find_added("--staged") == []
    assert " 0 unwanted" in command("--list").out
    linux.stage_all({LOWER: source})
    assert find_added() == [f"{LOWER}:1"]
    assert find_added("--staged") == [f"{LOWER}:1"]
    # Of a call, the listing says so.
    assert f" {int(source == SPLIT)} unwanted" in command("--list").out


# A NUL byte, from which on grep shows nothing.


def test_what_a_nul_byte_hid_from_the_make_check_is_new(linux: Repository) -> None:
    linux.record("old", {LOWER: b"\0\n" + BAD})
    linux.stage(LOWER, b"\n" + BAD)
    assert find_added("--staged") == [f"{LOWER}:2"]
    linux.stage(LOWER, b"\n" + BAD + b"\0\n")
    assert find_added("--staged") == [f"{LOWER}:2"]
    linux.record("later")
    assert find_added("--commits=HEAD") == [f"later: {LOWER}:2"]
    linux.git("mv", LOWER, "virt/kvm/h.c")
    assert find_added("--staged") == []


def test_what_stands_unchanged_beside_a_nul_byte_is_old(linux: Repository) -> None:
    linux.record("old", {LOWER: b"\0\n" + BAD, "arch/x86/kvm/Makefile": LISTED})
    linux.stage("arch/x86/kvm/Makefile", LISTED + b"# more\n")
    assert find_added("--staged") == []
