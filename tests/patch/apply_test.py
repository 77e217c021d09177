# SPDX-License-Identifier: MIT
"""A patch that git applies is judged as the commit is that ``git am`` makes of it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from kvm_export_hook.git.objects import NOT_HERE_MESSAGE
from kvm_export_hook.patch.patch_names import TORN_MESSAGE
from kvm_export_hook.patch.patches import HUNKS_ALONE_MESSAGE, INTERDIFF_MESSAGE
from kvm_export_hook.report.advice import IS_OLDER
from tests.conftest import HOME, Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import VFS, Repository, find_added, list_contents
from tests.helpers.support import (
    BAD,
    COMMAND,
    INTERNAL,
    MAKEFILE_WITH_CHECK,
    make_environment,
    make_tree,
    restore_signals,
    write,
)

A, B, LIB = "virt/kvm/a.c", "arch/x86/kvm/b.c", "lib/l.c"
MAKEFILE, MAKEFILE_KVM = "arch/x86/kvm/Makefile", "virt/kvm/Makefile.kvm"
LINES = b"".join(b"int a%d;\n" % number for number in range(12))
OTHER = LINES.replace(b"int", b"char")
LISTED = b"EXPORT_SYMBOL_GPL(kvm_put_kvm);\n"

Files = dict[str, bytes | None]


def case(before: Files, after: Files, *added: str) -> tuple[Files, Files, list[str]]:
    """Make a case: a commit, a change of it, and what that adds."""
    return before, after, list(added)


# Most of these no hunk can show.
CHANGES = {
    "an-export": case({A: LINES}, {A: LINES + BAD}, f"{A}:13"),
    "an-internal-export": case({A: LINES}, {A: LINES + INTERNAL}),
    "a-new-file": case({}, {A: BAD}, f"{A}:1"),
    "an-export-that-moves": case({A: BAD + LINES}, {A: LINES + BAD}),
    "to-another-file": case({A: BAD + LINES, B: LINES}, {A: LINES, B: LINES + BAD}),
    "a-name-leaves-the-list": case(
        {A: LISTED + LINES},
        {MAKEFILE: MAKEFILE_WITH_CHECK.replace(b" \\\n\t\t\t\t-e kvm_put_kvm", b"")},
        f"{A}:1",
    ),
    "a-name-comes-to-the-list": case(
        {A: LINES},
        {A: LINES + BAD, MAKEFILE: MAKEFILE_WITH_CHECK.replace(b"put_kvm", b"sample")},
    ),
    "a-comment-that-ends-earlier": case(
        {A: b"/*\n" + LINES + BAD + LINES + b"*/\n"},
        {A: b"/*\n*/\n" + LINES + BAD + LINES},
        f"{A}:15",
    ),
    "a-call-longer-than-the-context": case(
        {A: b"F(\n" + b"\n" * 9 + b"kvm_foo);\n"},
        {A: b"EXPORT_SYMBOL_NS(\n" + b"\n" * 9 + b"kvm_foo);\n"},
        f"{A}:1",
    ),
    "a-rename-into-kvm": case({LIB: VFS + LINES}, {LIB: None, A: VFS + LINES}, f"{A}:2"),
    "a-rename-beside-an-edit-elsewhere": case(
        {LIB: VFS + LINES, "fs/f.c": LINES},
        {LIB: None, A: VFS + LINES, "fs/f.c": LINES * 2},
        f"{A}:2",
    ),
    "a-rename-out-of-kvm": case({A: BAD + LINES, B: LINES}, {A: None, LIB: BAD + LINES}),
    "with-an-export-that-stays": case(
        {A: BAD + LINES * 3, B: LINES}, {A: None, LIB: LINES * 3, B: LINES + BAD}
    ),
    "to-a-name-with-brackets": case(
        {A: BAD + LINES * 3, B: LINES}, {A: None, "lib/[l].c": LINES * 3, B: LINES + BAD}
    ),
    "renames-out-of-kvm-and-into-it": case(
        {A: LINES, MAKEFILE_KVM: OTHER},
        {A: None, LIB: LINES, MAKEFILE_KVM: None, B: OTHER + BAD},
        f"{B}:13",
    ),
    "a-copy-into-kvm": case({LIB: VFS + LINES}, {A: VFS + LINES}, f"{A}:2"),
    "a-copy-within-kvm": case({A: BAD + LINES}, {B: BAD + LINES}, f"{B}:1"),
    "a-binary-patch": case({A: b"\0" + LINES}, {A: b"\0" + LINES + BAD}, f"{A}:13"),
    "a-name-with-a-star": case({}, {"virt/kvm/*[a].c": BAD}, "virt/kvm/*[a].c:1"),
    "nothing-of-kvm": case({LIB: LINES}, {LIB: LINES + BAD}),
    "only-its-makefile": case({}, {"virt/kvm/Makefile.kvm": b"# EXPORT_SYMBOL\n"}),
}
FORMS = {"plain": [], "renames": ["-M", "-C", "--find-copies-harder"], "binary": ["--binary"]}


def make_mail(linux: Repository, before: Files, after: Files, *options: str) -> bytes:
    """Commit BEFORE, make a mail of the commit of AFTER, and go back."""
    linux.record("before", before)
    linux.record("after", after)
    mail = linux.git("format-patch", "--stdout", *options, "-1")
    linux.git("reset", "--quiet", "--hard", "HEAD^")
    return mail.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("form", FORMS)
@parametrize(("before", "after", "added"), CHANGES)
def test_a_mail_is_judged_as_the_commit_that_it_becomes(
    linux: Repository, before: Files, after: Files, added: list[str], form: str
) -> None:
    mail = make_mail(linux, before, after, *FORMS[form])
    path = str(write(linux.top.parent / "mail", mail))
    expected = [f"[PATCH] after: {each}" for each in added]
    assert find_added("--patch", path) == expected
    linux.git("am", "--quiet", path)
    assert find_added("--commits=HEAD") == [f"after: {each}" for each in added]
    # What HEAD has already is judged as it was made.
    assert find_added("--patch", path) == expected


BARE = b"EXPORT_SYMBOL(a);\n"
# What earlier mails of a series make outside of KVM, and the last one renames or copies into it.
SERIES: dict[str, list[Files]] = {
    "changed": [{LIB: LINES + BAD}, {LIB: None, A: LINES + BAD}],
    "changed-and-copied": [{LIB: LINES + BAD}, {A: LINES + BAD}],
    "made": [{"lib/new.c": OTHER + BAD}, {"lib/new.c": None, A: OTHER + BAD}],
    "moved": [
        {LIB: None, "fs/l.c": LINES},
        {"fs/l.c": LINES + BAD},
        {"fs/l.c": None, A: LINES + BAD},
    ],
    "without-a-word-of-it": [{LIB: LINES + BARE}, {LIB: None, A: LINES + BARE}],
    "changed-and-copied-twice": [
        {LIB: LINES + b"int more;\n"},
        {B: LINES + b"int more;\n"},
        {LIB: LINES + BAD},
        {A: LINES + BAD},
    ],
    "copied-twice": [{B: LINES}, {LIB: LINES + BAD}, {A: LINES + BAD}],
}


def test_nor_does_a_rename_where_the_file_has_the_new_name_already(linux: Repository) -> None:
    old = "virt/kvm/old.c"
    broken = make_mail(
        linux, {old: BAD + LINES * 2}, {old: None, A: BAD + LINES * 2 + b"x;\n"}, "-M"
    )
    broken = broken.replace(b"\n int a10;", b"\n int other;").replace(b"\nindex ", b"\nindex 1111")
    good = make_mail(linux, {B: LINES}, {B: LINES + INTERNAL})
    linux.record("elsewhere", {old: None, A: BAD + LINES * 2, B: LINES})
    path = str(write(linux.top.parent / "mails", broken + good))
    assert find_added("--patch", path) == []


def make_series(linux: Repository, series: list[Files]) -> bytes:
    """Make the mails of a commit for each change in SERIES, and go back."""
    linux.record("before", {LIB: LINES})
    for files in series:
        linux.record("after", files)
    count = len(series)
    mails = linux.git("format-patch", "--stdout", "-N", *FORMS["renames"], f"-{count}")
    linux.git("reset", "--quiet", "--hard", f"HEAD~{count}")
    return mails.encode()


@parametrize("series", SERIES)
def test_a_file_from_outside_is_as_the_mails_before_made_it(
    linux: Repository, series: list[Files]
) -> None:
    mails = make_series(linux, series)
    path = str(write(linux.top.parent / "mails", mails))
    assert find_added("--patch", path) == [f"[PATCH] after: {A}:13"]
    first = mails[: mails.index(b"\nFrom ", 1) + 1]
    linux.git("am", "--quiet", str(write(linux.top.parent / "first", first)))
    assert find_added("--patch", path) == [f"[PATCH] after: {A}:13"]
    linux.git("reset", "--quiet", "--hard", "HEAD^")
    linux.git("am", "--quiet", path)
    assert find_added("--commits", f"HEAD~{len(series)}..HEAD") == [f"after: {A}:13"]


def test_a_file_from_outside_that_a_mail_before_could_not_make_is_unknown(
    linux: Repository, command: Command
) -> None:
    mails = make_series(linux, SERIES["changed"])
    path = str(write(linux.top.parent / "mails", mails))
    linux.record("elsewhere", {LIB: LINES.replace(b"int", b"long")})
    status, out, err = command("--quiet", "--patch", path)
    assert (status, out) == (2, "")
    assert f"renamed or copied into KVM from {LIB}" in err


def test_in_a_subdirectory_mails_about_something_else_are_read_as_those_about_kvm(
    linux: Repository, tmp_path: Path
) -> None:
    mails = make_series(linux, SERIES["made"])
    for before in (b" a/", b" b/", b"rename from ", b"rename to "):
        mails = mails.replace(before, before + b"linux/")
    outer = tmp_path / "outer"
    outer.mkdir()
    inner = Repository(linux.top.rename(outer / "linux"), HOME)
    shutil.rmtree(inner.top / ".git")
    outer_repository = Repository(outer, HOME)
    outer_repository.git("init", "--quiet")
    outer_repository.record("start", {})
    path = str(write(tmp_path / "mails", mails))
    srctree = f"--srctree={inner.top}"
    assert find_added(srctree, "--patch", path) == [f"[PATCH] after: {A}:13"]


def test_a_series_that_head_has_is_not_applied_at_an_offset(linux: Repository) -> None:
    before = b"int a;\n" * 30
    after = b"int a;\n" * 10 + BAD + b"int a;\n" * 20
    start = linux.record("before", {A: before})
    linux.record("one", {A: after})
    path = str(
        write(linux.top.parent / "mail", linux.git("format-patch", "--stdout", start).encode())
    )
    assert find_added("--patch", path) == [f"[PATCH] one: {A}:11"]
    linux.record("two", {A: after + b"int b;\n"})  # now the file has no id that the first has
    mails = linux.git("format-patch", "--stdout", start)
    path = str(write(linux.top.parent / "mails", mails.encode()))
    assert find_added("--patch", path) == [f"[PATCH 1/2] one: {A}:11"]
    linux.git("reset", "--quiet", "--hard", start)
    assert find_added("--patch", path) == [f"[PATCH 1/2] one: {A}:11"]


def test_a_mail_of_a_branch_that_went_on(linux: Repository, command: Command) -> None:
    mail = make_mail(linux, {A: LINES * 2}, {A: BAD + LINES * 2})
    path = str(write(linux.top.parent / "mail", mail))
    # git applies it at an offset, or by the blobs of its own index lines.
    linux.record("offset", {A: b"int b;\n" + LINES * 2})
    assert find_added("--patch", path) == [f"[PATCH] after: {A}:1"]
    linux.record("elsewhere", {A: LINES.replace(b"int", b"long")})
    assert find_added("--patch", path) == [f"[PATCH] after: {A}:1"]
    mail = mail.replace(b"\nindex ", b"\nindex 1111111")
    write(linux.top.parent / "mail", mail)
    status, out, err = command("--quiet", "--patch", path)
    assert (status, err) == (1, "")
    assert out.startswith(f"{A}:1:1: error: ")
    err = command("--patch", path).err
    assert err == f"kvm-export-hook: {path}: [PATCH] after: {HUNKS_ALONE_MESSAGE}\n"


def test_a_mode_that_changes_in_a_patch_for_another_tree(
    linux: Repository, command: Command
) -> None:
    start = linux.record("start", {A: LINES, B: LINES})
    (linux.top / B).chmod(0o755)
    linux.record("after", {A: LINES + BAD})
    mail = linux.git("format-patch", "--stdout", "-1")
    linux.git("reset", "--quiet", "--hard", start)
    linux.record("elsewhere", {A: LINES.replace(b"int", b"long")})
    path = str(write(linux.top.parent / "mail", mail.encode()))
    status, out, err = command("--quiet", "--patch", path)
    assert (status, err) == (1, "")  # no hunks alone
    assert out.startswith(f"{A}:13:1: error: ")


def test_a_patch_that_cannot_be_applied_leaves_nothing_to_the_next(linux: Repository) -> None:
    broken = make_mail(linux, {A: BAD + LINES}, {A: BAD + LINES + b"int more;\n"})
    broken = broken.replace(b"\n int a10;", b"\n int other;")
    good = make_mail(linux, {B: LINES}, {B: LINES + INTERNAL})
    linux.record("elsewhere", {A: LINES, B: LINES.replace(b"int", b"long")})
    path = str(write(linux.top.parent / "mails", broken + good))
    assert find_added("--patch", path) == []


def test_the_interdiff_of_a_cover_letter_is_no_patch(linux: Repository, command: Command) -> None:
    start = linux.record("start", {A: LINES})
    first = linux.record("first version", {A: b"int first;\n" + LINES})
    linux.git("reset", "--quiet", "--hard", start)
    linux.record("second version", {A: LINES + BAD})
    options = ("--stdout", "--cover-letter", f"--interdiff={first}", "-v2")
    mails = linux.git("format-patch", *options, start).encode()
    path = str(write(linux.top.parent / "mails", mails))
    linux.git("reset", "--quiet", "--hard", start)
    assert find_added("--patch", path) == [f"[PATCH v2 1/1] second version: {A}:13"]
    assert INTERDIFF_MESSAGE in command("--patch", path).err
    # Where git am applies it, it is a patch.
    linux.git("reset", "--quiet", "--hard", first)
    assert len(find_added("--patch", path)) == 2


def test_nor_is_it_where_only_hunks_are_read(linux: Repository, command: Command) -> None:
    header = "include/linux/kvm_types.h"
    macro = (linux.top / header).read_bytes()
    start = linux.record("start", {A: LINES})
    first = linux.record("first version", {header: macro * 2})
    linux.git("reset", "--quiet", "--hard", start)
    linux.record("second version", {header: b"\n" + macro, A: LINES + BAD})
    # It takes the macro out of the header, as far as its hunks show.
    write(linux.top / header, b"\n")
    interdiff = linux.git("diff", "HEAD", header).encode()
    mails = linux.git("format-patch", "--stdout", "--cover-letter", f"--interdiff={first}", start)
    start_of_diff, end = mails.index("diff --git"), mails.index("\nFrom ", 1)
    text = mails[:start_of_diff].encode() + interdiff + b"-- \n2.39.5\n" + mails[end:].encode()
    path = str(write(linux.top.parent / "mails", text))
    linux.git("reset", "--quiet", "--hard", start)
    shutil.rmtree(linux.top / ".git")
    assert find_added("--patch", path) == [f"[PATCH 1/1] second version: {A}:13"]
    assert INTERDIFF_MESSAGE in command("--patch", path).err


def test_nor_is_one_that_names_nothing_of_kvm(linux: Repository, command: Command) -> None:
    start = linux.record("start", {"fs/a.c": LINES})
    first = linux.record("first version", {"fs/a.c": b"int kvm;\n" + LINES, A: BAD})
    linux.git("reset", "--quiet", "--hard", start)
    linux.record("second version", {"fs/a.c": b"int kvm_more;\n" + LINES, A: BAD})
    options = ("--stdout", "--cover-letter", f"--interdiff={first}", "-v2")
    mails = linux.git("format-patch", *options, start).encode()
    path = str(write(linux.top.parent / "mails", mails))
    linux.git("reset", "--quiet", "--hard", start)
    out = command("--users", "--patch", path).out
    assert f"{A}:1:1: error: " in out
    # All of it applies, and so the users are those of the tree that it makes.
    assert IS_OLDER not in out


def test_hunks_alone_are_judged_by_what_the_mails_before_made_of_the_tree(
    linux: Repository, command: Command
) -> None:
    listed = MAKEFILE_WITH_CHECK.replace(b"put_kvm", b"sample")
    first = make_mail(linux, {A: LINES}, {MAKEFILE: listed})
    after = LINES + BAD + b"EXPORT_SYMBOL_GPL(kvm_other);\n"
    other: Files = {A: after, MAKEFILE: listed.replace(b"get_kvm", b"other")}
    second = make_mail(linux, {A: LINES, MAKEFILE: listed}, other)
    third = make_mail(linux, {A: LINES}, {A: LINES + BAD})
    linux.record("none of them", {MAKEFILE: MAKEFILE_WITH_CHECK})
    broken = re.sub(rb"index .*\n", b"", third + second).replace(b" int a", b" long a")
    path = str(write(linux.top.parent / "mails", first + broken))
    status, out, err = command("--patch", path)
    assert (status, out) == (0, "")
    assert HUNKS_ALONE_MESSAGE in err


def test_a_broken_patch_of_something_else_is_as_if_it_were_not_there(linux: Repository) -> None:
    renames = make_mail(linux, {LIB: VFS + LINES}, {LIB: None, A: VFS + LINES}, "-M")
    broken = make_mail(linux, {LIB: VFS + LINES}, {LIB: VFS}).replace(b"@@ -1,14", b"@@ -1,19")
    path = str(write(linux.top.parent / "mails", broken + renames))
    assert find_added("--patch", path) == [f"[PATCH] after: {A}:2"]


def test_a_repository_whose_head_has_no_file_of_kvm(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = make_mail(linux, {A: LINES}, {A: LINES + BAD})
    path = str(write(linux.top.parent / "mail", mail))
    linux.git("rm", "-r", "--quiet", "--cached", "virt", "arch")
    linux.git("commit", "--quiet", "--message", "a kernel that git does not track")
    status, out, err = command("--patch", path)
    assert (status, f"{A}:13:1: error: " in out) == (1, True)
    assert HUNKS_ALONE_MESSAGE in err
    # Which objects there are is asked of git, whose answer may be none.
    linux.git("config", "core.repositoryFormatVersion", "99")
    status, out, err = command("--patch", path)
    assert (status, out) == (2, "")
    assert "repo version" in err


def test_the_mails_of_a_series_are_applied_one_after_the_other(linux: Repository) -> None:
    start = linux.record("start", {A: LINES})
    listed = MAKEFILE_WITH_CHECK.replace(b"put_kvm", b"sample")
    linux.record("one", {A: LINES + BAD})
    linux.record("two", {MAKEFILE: listed})
    linux.record("three", {A: LINES + BAD + BAD, B: b"EXPORT_SYMBOL_GPL(kvm_put_kvm);\n"})
    mails = linux.git("format-patch", "--stdout", start)
    linux.git("reset", "--quiet", "--hard", start)
    path = str(write(linux.top.parent / "mails", mails.encode()))
    expected = [f"[PATCH 1/3] one: {A}:13", f"[PATCH 3/3] three: {B}:1"]
    assert find_added("--patch", path) == expected
    linux.git("am", "--quiet", path)
    assert find_added(f"--commits={start}..") == [each.partition("] ")[2] for each in expected]


def test_several_files_are_one_series(linux: Repository, command: Command) -> None:
    listed = MAKEFILE_WITH_CHECK.replace(b"put_kvm", b"sample")
    first = make_mail(linux, {A: LINES}, {MAKEFILE: listed})
    second = make_mail(linux, {}, {A: LINES + BAD + b"EXPORT_SYMBOL_GPL(kvm_other);\n"})
    paths = [
        str(write(linux.top.parent / name, mail))
        for name, mail in (("b.patch", first), ("a.patch", second))
    ]
    status, out, err = command("--patch", *paths)
    assert (status, err) == (1, "")
    assert out.startswith(f"{paths[1]}: [PATCH] after\n{A}:14:1: error: ")
    assert out.count(" error: ") == 1
    # The other way round the name is not yet on the list.
    assert command("--patch", *reversed(paths)).out.count(" error: ") == 2
    status, _, err = command("--patch", paths[0], str(linux.top))
    assert status == 2
    assert f"{linux.top}: is a directory: name the files in it, in their order" in err


@pytest.mark.parametrize(
    "series", [b"b.patch\na.patch -p1\nb.patch\n", None], ids=["series", "by-name"]
)
def test_under_pre_commit_the_order_is_that_of_the_file_series(
    linux: Repository, monkeypatch: pytest.MonkeyPatch, series: bytes | None
) -> None:
    listed = MAKEFILE_WITH_CHECK.replace(b"put_kvm", b"sample")
    write(linux.top.parent / "q/b.patch", make_mail(linux, {A: LINES}, {MAKEFILE: listed}))
    write(linux.top.parent / "q/a.patch", make_mail(linux, {}, {A: LINES + BAD}))
    if series:
        write(linux.top.parent / "q/series", series)
    monkeypatch.setenv("PRE_COMMIT", "1")
    found = find_added("--patch", "../q/a.patch", "../q/b.patch")
    assert found == ([] if series else [f"[PATCH] after: {A}:13"])


PREFIXES = {
    "no-prefix": ["--no-prefix"],
    "prefixes": ["--src-prefix=old/", "--dst-prefix=new/"],
    "a-longer-prefix": ["--src-prefix=a/linux/", "--dst-prefix=b/linux/"],
    "a-still-longer-prefix": ["--src-prefix=a/b/linux/", "--dst-prefix=b/b/linux/"],
}


@pytest.mark.parametrize("form", PREFIXES)
def test_names_as_git_may_be_told_to_read_them(linux: Repository, form: str) -> None:
    files: Files = {LIB: VFS + LINES}
    mail = make_mail(linux, files, {LIB: None, B: VFS + LINES}, "-M", *PREFIXES[form])
    path = str(write(linux.top.parent / "mail", mail))
    assert find_added("--patch", path) == [f"[PATCH] after: {B}:2"]


@pytest.mark.parametrize("form", PREFIXES)
def test_a_rename_does_not_hide_how_the_other_names_begin(
    linux: Repository, command: Command, form: str
) -> None:
    before: Files = {A: LINES, LIB: VFS + LINES}
    after: Files = {A: LINES + BAD, LIB: None, B: VFS + LINES}
    mail = make_mail(linux, before, after, "-M", *PREFIXES[form])
    path = str(write(linux.top.parent / "mail", mail))
    if "linux" in PREFIXES[form][0]:  # git takes one directory less off the names of the rename
        status, _, err = command("--patch", path)
        assert status == 2
        assert TORN_MESSAGE in err
    else:
        assert find_added("--patch", path) == [
            f"[PATCH] after: {B}:2",
            f"[PATCH] after: {A}:13",
        ]


def test_a_kernel_in_a_subdirectory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outer = Repository(tmp_path / "outer", HOME)
    make_tree(outer.top / "linux", check=True)
    outer.git("init", "--quiet")
    mail = make_mail(outer, {f"linux/{A}": LINES}, {f"linux/{A}": LINES + BAD})
    path = str(write(tmp_path / "mail", mail))
    monkeypatch.chdir(outer.top)
    assert find_added("--srctree=linux", "--patch", path) == [f"[PATCH] after: {A}:13"]
    monkeypatch.chdir(outer.top / "linux")
    assert find_added("--patch", path) == [f"[PATCH] after: {A}:13"]
    write(tmp_path / "mail", mail.replace(b"/linux/virt", b"/virt"))
    assert find_added("--patch", path) == [f"[PATCH] after: {A}:13"]


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_written_to_the_repository(
    linux: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    mail = make_mail(linux, {LIB: VFS + LINES, A: LINES}, {LIB: None, A: BAD}, *FORMS[form])
    path = str(write(linux.top.parent / "mail", mail))
    linux.git("config", "core.splitIndex", "true")
    linux.git("update-index", "--split-index")
    before = list_contents(linux.top)
    assert find_added("--patch", path) == [f"[PATCH] after: {A}:1"]
    assert list_contents(linux.top) == before
    assert not os.listdir(tmp_path / "scratch")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP])
def test_nor_is_it_where_a_signal_comes_between_two_patches(
    linux: Repository, tmp_path: Path, number: signal.Signals
) -> None:
    path = write(tmp_path / "mail", make_mail(linux, {A: LINES}, {A: BAD}))
    (tmp_path / "scratch").mkdir()
    os.mkfifo(tmp_path / "next")
    before = list_contents(linux.top)
    with subprocess.Popen(
        restore_signals(str(COMMAND), "--patch", str(path), str(tmp_path / "next")),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=make_environment(TMPDIR=str(tmp_path / "scratch")),
    ) as process:
        # Once that is opened for reading, the first patch has been applied.
        with open(tmp_path / "next", "wb"):
            assert os.listdir(tmp_path / "scratch")
            process.send_signal(number)
        assert process.wait() == 2
    assert list_contents(linux.top) == before
    assert not os.listdir(tmp_path / "scratch")


def make_repository_of(kind: str, linux: Repository, tmp_path: Path) -> Path:
    """Make a repository of a KIND that has what LINUX has."""
    place = tmp_path / ("a:b" if kind == "colon" else f'qu"ote\\{kind}')
    if kind == "colon":
        shutil.copytree(linux.top, place)
        return place
    options = {
        "bare": ["--bare"],
        "shallow": ["--depth=1"],
        "alternates": ["--shared"],
        "partial": ["--filter=blob:none"],
    }[kind]
    url = str(linux.top) if kind == "alternates" else f"file://{linux.top}"
    linux.git("config", "uploadpack.allowFilter", "true")
    linux.git("clone", "--quiet", *options, url, str(place))
    return place


@pytest.mark.parametrize("kind", ["colon", "bare", "shallow", "alternates", "partial"])
def test_repositories_of_every_kind(
    linux: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    mail = make_mail(linux, {LIB: VFS + LINES, A: LISTED}, {LIB: None, B: VFS + LINES}, "-M")
    path = str(write(tmp_path / "mail", mail))
    monkeypatch.chdir(make_repository_of(kind, linux, tmp_path))
    assert find_added("--patch", path) == [f"[PATCH] after: {B}:2"]


def test_a_repository_with_longer_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linux = Repository(make_tree(tmp_path / "long", check=True), HOME)
    linux.git("init", "--quiet", "--object-format=sha256")
    mail = make_mail(linux, {LIB: VFS + LINES}, {LIB: None, B: VFS + LINES}, "-M")
    monkeypatch.chdir(linux.top)
    path = str(write(tmp_path / "mail", mail))
    assert find_added("--patch", path) == [f"[PATCH] after: {B}:2"]
    linux.git("am", "--quiet", path)
    assert find_added("--patch", path) == [f"[PATCH] after: {B}:2"]


def test_nothing_is_fetched(
    linux: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    mail = make_mail(linux, {A: LINES}, {A: LINES + BAD})
    path = str(write(tmp_path / "mail", mail))
    linux.git("config", "uploadpack.allowFilter", "true")
    linux.git(
        *("clone", "--quiet", "--no-checkout", "--filter=blob:none"),
        *(f"file://{linux.top}", str(tmp_path / "partial")),
    )
    partial = Repository(tmp_path / "partial", linux.home)
    monkeypatch.chdir(partial.top)
    linux.top.rename(tmp_path / "away")
    status, out, err = command("--patch", path)
    assert (status, out) == (2, "")
    assert NOT_HERE_MESSAGE in err  # of a fact file
    (tmp_path / "away").rename(linux.top)
    partial.git("checkout", "HEAD", "--", "include", "arch/x86/kvm/Makefile")
    log = tmp_path / "log"
    server = write(
        tmp_path / "server", b'#!/bin/sh\ntouch "%s"\nexec git-upload-pack "$@"\n' % bytes(log)
    )
    server.chmod(0o755)
    partial.git("config", "remote.origin.uploadpack", str(server))
    status, out, err = command("--patch", path)
    assert status == 1
    assert out.startswith(f"{A}:13:1: error: ")
    assert HUNKS_ALONE_MESSAGE in err
    assert not log.exists()
    partial.git("show", "HEAD:virt/kvm/kvm_main.c")
    assert log.exists()  # had anything been fetched


def test_a_link_that_a_patch_puts_in_kvm(linux: Repository, command: Command) -> None:
    (linux.top / "virt/kvm/l.c").symlink_to("kvm_main.c")
    linux.record("link")
    mail = linux.git("format-patch", "--stdout", "-1")
    linux.git("reset", "--quiet", "--hard", "HEAD^")
    path = write(linux.top.parent / "mail", mail.encode())
    status, out, err = command("--patch", str(path))
    assert (status, out) == (2, "")
    assert err.startswith(
        f"kvm-export-hook: error: {path}: [PATCH] link: virt/kvm/l.c: is a symbolic link"
    )


def test_a_link_that_is_there_where_the_list_changes(linux: Repository, command: Command) -> None:
    (linux.top / "virt/kvm/l.c").symlink_to("kvm_main.c")
    listed = MAKEFILE_WITH_CHECK.replace(b"put_kvm", b"sample")
    path = write(linux.top.parent / "mail", make_mail(linux, {}, {MAKEFILE: listed}))
    status, out, err = command("--patch", str(path))
    assert (status, out) == (2, "")
    assert "[PATCH] after: virt/kvm/l.c: is a symbolic link" in err
    linux.git("am", "--quiet", str(path))
    assert command("--commits", "HEAD").status == 2
