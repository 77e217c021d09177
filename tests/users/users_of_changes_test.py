# SPDX-License-Identifier: MIT
"""``--list --users`` of changes: who needs what they add, and who what they drop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.kernel_tree import make_kernel
from tests.helpers.repositories import Repository, initialise
from tests.helpers.support import write

INTERNAL = "EXPORT_SYMBOL_FOR_KVM_INTERNAL"
NEW, SVM, VFIO = "virt/kvm/new.c", "arch/x86/kvm/svm/svm.c", "drivers/vfio/vfio_main.c"
HOST = "include/linux/kvm_host.h"
EXPORT = f"{INTERNAL}(kvm_new);\n".encode()
TRACED = b"EXPORT_TRACEPOINT_SYMBOL_GPL(kvm_exit);\n"
USE = b"void use(void) { kvm_new(); }\n"


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linux: Repository) -> Repository:
    """Make a whole small kernel in a repository, and stand in it."""
    repository = Repository(make_kernel(tmp_path / "kernel", {}), linux.home)
    initialise(repository)
    monkeypatch.chdir(repository.top)
    return repository


def list_users(command: Command, *arguments: str) -> dict[str, Any]:
    """List the exports of the only change, by what has become of them and the symbol."""
    listed = json.loads(command("--list", "--users", "--format=json", *arguments).out)
    (change,) = listed["changes"]
    return {
        f"{kind} {each['symbol']}": each
        for kind in ("added", "dropped", "changed")
        for each in change[kind]
    }


def test_who_needs_what_a_commit_adds_is_looked_up_after_the_last(
    kernel: Repository, command: Command
) -> None:
    kernel.record("export", {NEW: EXPORT + f"{INTERNAL}(kvm_lone);\n".encode()})
    kernel.record("use", {SVM: USE})
    start = kernel.git("rev-parse", "HEAD~2").strip()
    (kernel.top.parent / "mails").write_text(kernel.git("format-patch", "--stdout", "-2"))
    kernel.git("checkout", "--quiet", "-b", "other", start)
    rows = (
        f"  + kvm_new   {INTERNAL}  {NEW}:1  kvm-amd\n  + kvm_lone  {INTERNAL}  {NEW}:2  nobody\n"
    )
    said = "2 exports added (1 that nobody uses), 0 dropped, 0 changed\n"
    for source in (["--commits=main~2..main"], ["--patch", "../mails"]):
        status, out, err = command("--list", "--users", *source)
        assert (status, err) == (0, "")
        heading, *lines = out.splitlines(keepends=True)
        assert heading.endswith(" export\n")
        assert "".join(lines).startswith(rows)
        assert lines[-1].endswith(said)
    found = list_users(command, "--commits=main~2..main")
    assert [use["module"] for use in found["added kvm_new"]["users"]] == ["kvm-amd"]
    lone = found["added kvm_lone"]
    assert (lone["users"], lone["users_known"], lone["users_missing"]) == ([], True, [])


def test_what_is_not_committed_is_looked_up_on_the_disk(
    kernel: Repository, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.stage_all({NEW: EXPORT, SVM: USE})
    row = f"  + kvm_new  {INTERNAL}  {NEW}:1  kvm-amd\n"
    for source in ("--staged", "--since=HEAD"):
        assert command("--list", "--users", source).out.startswith(row)
    monkeypatch.chdir("..")
    out = command("--list", "--users", "--since=HEAD", "kernel").out
    assert out.startswith(row.replace(NEW, f"kernel/{NEW}"))


def test_a_change_of_the_macro_has_the_users_before_the_verdicts(
    kernel: Repository, command: Command
) -> None:
    kernel.record("old", {NEW: EXPORT, SVM: USE})
    kernel.stage_all({NEW: b"EXPORT_SYMBOL_GPL(kvm_new);\n"})
    assert command("--list", "--users", "--staged").out == (
        f"  ~ kvm_new  {INTERNAL} -> EXPORT_SYMBOL_GPL  {NEW}:1  kvm-amd  internal -> unwanted\n"
        "0 exports added, 0 dropped, 1 changed (1 unwanted)\n"
    )


STILL_USED = {
    "by-a-module": ({SVM: b"\n" + USE}, "kvm_new", "used by kvm-amd (svm/svm.c:2)"),
    "outside": ({VFIO: USE}, "kvm_new", f"named outside KVM, {VFIO}:1"),
    "through-a-macro": (
        {HOST: b"#define kvm_do() kvm_new()\n", SVM: b"kvm_do();\n"},
        "kvm_new",
        "used by kvm-amd (svm/svm.c:1, through kvm_do)",
    ),
    "a-tracepoint": (
        {SVM: b"void f(void) { trace_kvm_exit(0); }\n"},
        "kvm_exit",
        "used by kvm-amd (svm/svm.c:1, through trace_kvm_exit)",
    ),
    "and-only-declared-by-a-header": (
        {HOST: b"void kvm_new(void);\n", SVM: USE},
        "kvm_new",
        "used by kvm-amd (svm/svm.c:1)",
    ),
}


@parametrize(("files", "symbol", "who"), STILL_USED)
def test_what_is_dropped_and_still_used_is_marked_with_the_place(
    kernel: Repository, command: Command, files: dict[str, bytes | None], symbol: str, who: str
) -> None:
    kernel.record("export", {NEW: EXPORT + TRACED, **files})
    kernel.record("drop", {NEW: None})
    out = command("--list", "--users", "--commits=HEAD").out
    assert f"  - {symbol}" in out
    assert f"  still {who}\n" in out
    assert out.count("still") == 2
    assert out.endswith("0 exports added, 2 dropped (1 still used), 0 changed\n")
    found = list_users(command, "--commits=HEAD")
    assert {name: each["still_used"] for name, each in found.items()} == {
        "dropped kvm_new": symbol == "kvm_new",
        "dropped kvm_exit": symbol == "kvm_exit",
    }


@parametrize(
    "files",
    {
        "a-source-exports-it-again": {"arch/x86/kvm/x86.c": b"EXPORT_SYMBOL_GPL(kvm_new);\n"},
        "a-header-has-it-inline": {HOST: b"static inline void kvm_new(void)\n{\n}\n"},
        "a-header-has-a-macro": {HOST: b"#define kvm_new() 0\n"},
        "the-module-has-it-now": {SVM: USE + b"void kvm_new(void)\n{\n}\n"},
        "a-later-commit-takes-the-use-away": {SVM: b"int svm;\n"},
    },
)
def test_what_somebody_else_provides_is_not_still_used(
    kernel: Repository, command: Command, files: dict[str, bytes | None]
) -> None:
    kernel.record("export", {NEW: EXPORT, SVM: USE})
    kernel.record("drop", {NEW: None})
    assert "(1 still used)" in command("--list", "--users", "--commits=HEAD").out
    kernel.record("mend", files)
    out = command("--list", "--users", "--commits=HEAD~3..").out
    assert f"\n  - kvm_new  {INTERNAL}  {NEW}:1\n" in out
    assert "still" not in out


def test_a_part_of_a_kernel_never_says_nobody(kernel: Repository, command: Command) -> None:
    kernel.record("old", {NEW: EXPORT, "drivers/Makefile": None})
    kernel.record("new", {NEW: f"{INTERNAL}(kvm_lone);\n".encode()})
    out = command("--list", "--users", "--commits=HEAD").out
    assert out.partition("\n")[2] == (
        f"  + kvm_lone  {INTERNAL}  {NEW}:1  not known\n"
        f"  - kvm_new   {INTERNAL}  {NEW}:1  not known\n"
        "in 1 commit: 1 export added, 1 dropped, 0 changed\n"
        "users outside KVM are not known: this is part of a kernel, without drivers/Makefile\n"
    )
    found = list_users(command, "--commits=HEAD")
    assert found["added kvm_lone"]["users_known"] is False
    assert found["dropped kvm_new"]["still_used"] is False


def test_a_patch_that_does_not_apply_is_not_said_to_be_still_used(
    kernel: Repository, command: Command
) -> None:
    kernel.record("old", {NEW: EXPORT, SVM: USE})
    name = NEW.encode()
    hunk = b"@@ -7,2 +7 @@\n a\n-" + EXPORT
    write(kernel.top.parent / "p", b"--- a/%b\n+++ b/%b\n%b" % (name, name, hunk))
    out = command("--list", "--users", "--patch", "../p").out
    assert out.startswith(f"  - kvm_new  {INTERNAL}  {NEW}:8\n")
    assert "(1 still used)" not in out
    assert "users are not known: the searched tree does not have the change that is checked" in out


def test_what_is_not_looked_up(kernel: Repository, command: Command) -> None:
    kernel.record("old", {NEW: b"EXPORT_OP_LOADER(kvm_none);\n"})
    assert "  not looked up\n" in command("--list", "--users", "--commits=HEAD").out
    kernel.stage_all({NEW: None})
    out = command("--list", "--users", "--staged").out
    assert out.startswith(f"  - kvm_none  EXPORT_OP_LOADER  {NEW}:1\n")
