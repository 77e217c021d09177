# SPDX-License-Identifier: MIT
"""What a change does to the exports: the same from every source; and of merges."""

from __future__ import annotations

import os
from typing import NamedTuple

import pytest

from kvm_export_hook.changes.effect import find_effects
from kvm_export_hook.changes.state import Change, State
from kvm_export_hook.values import Text
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.effects import list_effects
from tests.helpers.repositories import Repository
from tests.helpers.support import (
    BAD,
    INTERNAL,
    MAKEFILE_WITH_CHECK,
    TYPES_WITHOUT_MACRO,
    make_facts,
    make_makefile,
    write,
)

A, B = "virt/kvm/a.c", "virt/kvm/b.c"
MAIN, MAKEFILE, HEADER = (
    "virt/kvm/kvm_main.c",
    "arch/x86/kvm/Makefile",
    "include/linux/kvm_types.h",
)
WITH_SAMPLE = make_makefile("kvm_get_kvm", "kvm_put_kvm", "kvm_sample")
GET = b"EXPORT_SYMBOL_GPL(kvm_get_kvm);\n"
SAMPLE_IS_INTERNAL = "SYMBOL_FOR_KVM_INTERNAL(kvm_sample) internal"
SAMPLE_IS_UNWANTED = "SYMBOL_GPL(kvm_sample) unwanted"
TRACEPOINT = b"EXPORT_TRACEPOINT_SYMBOL_GPL(kvm_exit);\n"
IS_TRACED = "TRACEPOINT_SYMBOL_GPL(kvm_exit) other"
Files = dict[str, bytes | None]


class Case(NamedTuple):
    """The files of a commit, those of the next, and what that does. None: not there."""

    before: Files
    after: Files
    does: list[str]


def case(before: Files, after: Files, *does: str) -> Case:
    return Case(before, after, list(does))


CASES = {
    "an-internal-export": case({}, {A: INTERNAL}, f"+ {A}:1 {SAMPLE_IS_INTERNAL}"),
    "an-unwanted-export": case({}, {A: b"\n" + BAD}, f"+ {A}:2 {SAMPLE_IS_UNWANTED}"),
    "an-allowlisted-export": case({}, {A: GET}, f"+ {A}:1 SYMBOL_GPL(kvm_get_kvm) allowlisted"),
    "macros-that-are-not-judged": case(
        {A: b"EXPORT_STATIC_CALL_GPL(kvm_call);\n"},
        {A: b'EXPORT_TRACEPOINT_SYMBOL_GPL(kvm_exit);\nEXPORT_SYMBOL_FOR_MODULES(kvm_m, "a");\n'},
        f"+ {A}:1 TRACEPOINT_SYMBOL_GPL(kvm_exit) other",
        f"+ {A}:2 SYMBOL_FOR_MODULES(kvm_m) other",
        f"- {A}:1 STATIC_CALL_GPL(kvm_call) other",
    ),
    "an-export-dropped": case(
        {A: BAD + b"int a;\n"}, {A: b"int a;\n"}, f"- {A}:1 {SAMPLE_IS_UNWANTED}"
    ),
    "an-export-commented-out": case(
        {A: INTERNAL}, {A: b"// " + INTERNAL}, f"- {A}:1 {SAMPLE_IS_INTERNAL}"
    ),
    "a-file-deleted": case({A: INTERNAL}, {A: None}, f"- {A}:1 {SAMPLE_IS_INTERNAL}"),
    "nothing-of-kvm": case({}, {"fs/open.c": INTERNAL, A: b"int a;\n"}),
    "moved-within-the-file": case({A: BAD + GET}, {A: b"\n" + GET + BAD}),
    "moved-to-another-file": case({A: BAD + GET}, {A: GET, B: BAD}),
    "a-file-renamed": case({A: BAD}, {A: None, B: BAD}),
    "a-file-renamed-and-a-macro-changed": case(
        {A: BAD + GET},
        {A: None, B: GET + INTERNAL},
        f"~ {A}:1 {SAMPLE_IS_UNWANTED} -> {B}:2 {SAMPLE_IS_INTERNAL}",
    ),
    "moved-out-of-kvm": case({A: BAD}, {A: None, "fs/a.c": BAD}, f"- {A}:1 {SAMPLE_IS_UNWANTED}"),
    "another-macro": case(
        {A: BAD}, {A: INTERNAL}, f"~ {A}:1 {SAMPLE_IS_UNWANTED} -> {A}:1 {SAMPLE_IS_INTERNAL}"
    ),
    "another-macro-with-the-same-verdict": case(
        {A: BAD.replace(b"_GPL", b"")},
        {A: BAD},
        f"~ {A}:1 SYMBOL(kvm_sample) unwanted -> {A}:1 {SAMPLE_IS_UNWANTED}",
    ),
    "exported-once-more": case(
        {A: BAD}, {A: BAD + BAD, B: b"int b;\n"}, f"+ {A}:2 {SAMPLE_IS_UNWANTED}"
    ),
    "exported-once-less": case({A: BAD + BAD}, {A: BAD}, f"- {A}:2 {SAMPLE_IS_UNWANTED}"),
    "one-of-two-changed": case(
        {A: BAD, B: BAD},
        {A: BAD, B: GET.replace(b"kvm_get_kvm", b"kvm_b") + INTERNAL},
        f"+ {B}:1 SYMBOL_GPL(kvm_b) unwanted",
        f"~ {B}:1 {SAMPLE_IS_UNWANTED} -> {B}:2 {SAMPLE_IS_INTERNAL}",
    ),
    "one-of-two-changed-and-the-other-dropped": case(
        {A: BAD, B: BAD},
        {A: b"int a;\n", B: INTERNAL.replace(b"_FOR_KVM_INTERNAL", b"")},
        f"- {A}:1 {SAMPLE_IS_UNWANTED}",
        f"~ {B}:1 {SAMPLE_IS_UNWANTED} -> {B}:1 SYMBOL(kvm_sample) unwanted",
    ),
    "the-list-alone": case(
        {A: BAD},
        {MAKEFILE: WITH_SAMPLE},
        f"~ {A}:1 {SAMPLE_IS_UNWANTED} -> {A}:1 SYMBOL_GPL(kvm_sample) allowlisted",
    ),
    "the-list-and-the-line": case(
        {A: BAD, MAKEFILE: WITH_SAMPLE},
        {A: b"int a;\n" + BAD, MAKEFILE: MAKEFILE_WITH_CHECK},
        f"~ {A}:1 SYMBOL_GPL(kvm_sample) allowlisted -> {A}:2 {SAMPLE_IS_UNWANTED}",
    ),
    # No finding is new, because the old ones are judged by the new list.
    "the-check-and-its-list-are-taken-away": case(
        {A: BAD, MAKEFILE: WITH_SAMPLE},
        {MAKEFILE: b"obj-y += x86.o\n"},
        f"~ {A}:1 SYMBOL_GPL(kvm_sample) allowlisted -> {A}:1 {SAMPLE_IS_UNWANTED}",
    ),
    "a-tree-without-the-macro": case(
        {HEADER: TYPES_WITHOUT_MACRO, MAKEFILE: b"\n"}, {A: BAD}, f"+ {A}:1 {SAMPLE_IS_UNWANTED}"
    ),
    "no-export-is-left": case(
        {},
        {MAIN: None, A: b"int a;\n"},
        f"- {MAIN}:2 {SAMPLE_IS_INTERNAL}",
    ),
}


@parametrize(("before", "after", "does"), CASES)
def test_what_a_change_does(
    linux: Repository,
    monkeypatch: pytest.MonkeyPatch,
    before: Files,
    after: Files,
    does: list[str],
) -> None:
    start = linux.record("before", before)
    linux.stage_all(after)
    assert list_effects("--staged") == does
    assert list_effects("--since=HEAD") == does
    assert list_effects("--since=HEAD", ".") == does
    commit = linux.record("after")
    of_commit = [f"after: {each}" for each in does]
    assert list_effects("--commits=HEAD") == of_commit
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", start)
    monkeypatch.setenv("PRE_COMMIT_TO_REF", commit)
    assert list_effects("--pre-push") == of_commit
    mail = linux.git("format-patch", "-1", "--stdout", "--keep-subject")
    linux.git("reset", "--quiet", "--hard", start)
    write(linux.top.parent / "mail", mail.encode())
    assert list_effects("--patch", "../mail") == of_commit


def test_changes_that_do_nothing_are_not_listed_at_all(linux: Repository, command: Command) -> None:
    linux.record("moved", {MAIN: b"\n" + INTERNAL})
    linux.record("added", {A: BAD})
    linux.record("nothing", {A: b"\n" + BAD})
    first, *rest = command("--list", "--commits=HEAD~3..").out.splitlines()
    assert first.endswith(": added")
    assert rest == [
        f"  + kvm_sample  EXPORT_SYMBOL_GPL  {A}:1  unwanted",
        "in 1 commit: 1 export added (1 unwanted), 0 dropped, 0 changed",
    ]


def test_the_first_commit_of_all_adds_what_it_has(linux: Repository) -> None:
    assert list_effects("--commits=HEAD") == [f"initial: + {MAIN}:2 {SAMPLE_IS_INTERNAL}"]


# Merges.

ANOTHER = b"EXPORT_SYMBOL_GPL(kvm_other);\n"


class Merge(NamedTuple):
    """What both parents have, what each makes of it, the result, and what that does."""

    base: Files
    one: Files
    two: Files
    result: Files
    does: list[str]


MERGES = {
    "all-of-both": Merge({}, {A: BAD}, {B: ANOTHER}, {A: BAD, B: ANOTHER}, []),
    "one-parent-alone": Merge({}, {A: BAD}, {B: ANOTHER}, {B: None, A: BAD}, []),
    "an-export-that-no-parent-has": Merge(
        {}, {A: BAD}, {B: ANOTHER}, {A: BAD + GET}, [f"+ {A}:2 SYMBOL_GPL(kvm_get_kvm) allowlisted"]
    ),
    "dropped-and-all-parents-had-it": Merge(
        {A: BAD}, {B: ANOTHER}, {A: b"\n" + BAD}, {A: b"\n"}, [f"- {A}:1 {SAMPLE_IS_UNWANTED}"]
    ),
    "dropped-and-one-parent-had-it": Merge({}, {A: BAD}, {B: ANOTHER}, {A: b"\n"}, []),
    "dropped-and-one-parent-had-another-macro": Merge(
        {A: BAD}, {A: INTERNAL}, {B: ANOTHER}, {A: b"\n"}, [f"- {A}:1 {SAMPLE_IS_INTERNAL}"]
    ),
    "a-macro-that-one-parent-has": Merge(
        {A: BAD}, {A: INTERNAL}, {B: ANOTHER}, {A: INTERNAL, B: ANOTHER}, []
    ),
    "a-macro-that-no-parent-has": Merge(
        {A: BAD},
        {A: b"\n" + BAD},
        {B: ANOTHER},
        {A: INTERNAL},
        [f"~ {A}:2 {SAMPLE_IS_UNWANTED} -> {A}:1 {SAMPLE_IS_INTERNAL}"],
    ),
    "another-macro-of-what-the-second-parent-has": Merge(
        {},
        {B: ANOTHER},
        {A: b"\n" + BAD},
        {A: INTERNAL},
        [f"~ {A}:2 {SAMPLE_IS_UNWANTED} -> {A}:1 {SAMPLE_IS_INTERNAL}"],
    ),
    "twice-in-one-parent-and-once-in-the-other": Merge(
        {A: BAD}, {A: BAD + BAD}, {B: ANOTHER}, {A: b"\n"}, [f"- {A}:1 {SAMPLE_IS_UNWANTED}"]
    ),
    "one-of-two-in-both-parents-becomes-two": Merge(
        {A: BAD + BAD},
        {B: ANOTHER},
        {"virt/kvm/c.c": b"int c;\n"},
        {A: BAD + BAD.replace(b"_GPL", b"") + INTERNAL},
        [
            f"+ {A}:3 {SAMPLE_IS_INTERNAL}",
            f"~ {A}:2 {SAMPLE_IS_UNWANTED} -> {A}:2 SYMBOL(kvm_sample) unwanted",
        ],
    ),
    "the-list-alone": Merge(
        {A: BAD},
        {B: ANOTHER},
        {"virt/kvm/c.c": b"int c;\n"},
        {MAKEFILE: WITH_SAMPLE},
        [f"~ {A}:1 {SAMPLE_IS_UNWANTED} -> {A}:1 SYMBOL_GPL(kvm_sample) allowlisted"],
    ),
}


@parametrize(("base", "one", "two", "result", "does"), MERGES)
def test_what_a_merge_does(
    linux: Repository, base: Files, one: Files, two: Files, result: Files, does: list[str]
) -> None:
    linux.record("base", base)
    linux.git("checkout", "--quiet", "-b", "side")
    linux.record("two", two)
    linux.git("checkout", "--quiet", "main")
    linux.record("one", one)
    linux.run("git", "merge", "--quiet", "--no-commit", "--no-ff", "side")
    linux.stage_all(result)
    assert list_effects("--staged") == does
    linux.record("merged")
    assert list_effects("--commits=HEAD") == [f"merged: {each}" for each in does]


# What only one source has.


def test_of_paths_only_what_they_have_or_had(
    linux: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = "arch/x86/kvm/sub/gone.c"
    linux.record("old", {A: BAD, B: ANOTHER, gone: TRACEPOINT + GET})
    linux.stage_all({A: INTERNAL, B: b"\n", gone: None, "arch/x86/kvm/x86.c": GET})
    changed = f"~ {A}:1 {SAMPLE_IS_UNWANTED} -> {A}:1 {SAMPLE_IS_INTERNAL}"
    dropped = f"- {B}:1 SYMBOL_GPL(kvm_other) unwanted"
    assert list_effects("--since=HEAD", A) == [changed]
    assert list_effects("--since=HEAD", "virt") == [dropped, changed]
    assert list_effects("--since=HEAD", "arch") == [f"- {gone}:1 {IS_TRACED}"]
    monkeypatch.chdir("arch/x86/kvm")
    assert list_effects("--since=HEAD", ".") == [f"- sub/gone.c:1 {IS_TRACED}"]
    assert len(list_effects("--since=HEAD")) == 3


def test_of_what_cannot_be_read_nothing_is_said_to_be_dropped(linux: Repository) -> None:
    linux.record("old", {A: BAD + GET, B: b"int b;\n"})
    linux.record("new", {A: BAD, B: ANOTHER})
    id_ = linux.git("rev-parse", f"HEAD:{A}").strip()
    (linux.top / ".git/objects" / id_[:2] / id_[2:]).unlink()
    assert list_effects("--commits=HEAD", status=2) == [
        f"new: + {B}:1 SYMBOL_GPL(kvm_other) unwanted"
    ]


def test_a_patch_of_which_only_the_hunks_are_read(linux: Repository, command: Command) -> None:
    hunk = b"@@ -7,3 +7,3 @@ int f;\n a\n-%b+%b b\n" % (BAD, INTERNAL)
    name = A.encode()
    text = b"--- a/%b\n+++ b/%b\n%b" % (name, name, hunk)
    write(linux.top.parent / "p", text)
    assert list_effects("--patch", "../p") == [
        f"~ {A}:8 {SAMPLE_IS_UNWANTED} -> {A}:8 {SAMPLE_IS_INTERNAL}"
    ]
    assert "only its hunks were read" in command("--list", "--patch", "../p").err


def test_mails_have_headings_and_are_counted(linux: Repository, command: Command) -> None:
    linux.record("one", {A: BAD})
    linux.record("two", {A: b"\n"})
    mails = linux.git("format-patch", "--stdout", "-2", "--keep-subject")
    write(linux.top.parent / "mails", mails.encode())
    linux.git("reset", "--quiet", "--hard", "HEAD~2")
    assert command("--list", "--patch", "../mails") == (
        0,
        "mail: one\n"
        f"  + kvm_sample  EXPORT_SYMBOL_GPL  {A}:1  unwanted\n"
        "mail: two\n"
        f"  - kvm_sample  EXPORT_SYMBOL_GPL  {A}:1\n"
        "in 2 mails: 1 export added (1 unwanted), 1 dropped, 0 changed\n",
        "",
    )


def test_a_change_without_an_old_state_drops_nothing() -> None:
    text = Text(b"a.c", b"a.c", "id")
    (effect,) = find_effects(
        lambda ids: ((each, INTERNAL) for each in ids),
        [Change(None, State(make_facts(), [text]), [])],
    )
    assert [each.path for each in effect.added] == [b"a.c"]
    assert not effect.dropped
    assert not effect.changed


def test_a_name_that_is_no_text_is_listed(linux: Repository) -> None:
    name = os.fsdecode(b"virt/kvm/\xff.c")
    linux.stage_all({name: INTERNAL})
    assert list_effects("--staged") == [f"+ {name}:1 {SAMPLE_IS_INTERNAL}"]
