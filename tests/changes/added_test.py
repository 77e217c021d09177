# SPDX-License-Identifier: MIT
"""What a change adds: the same for the index, for a commit and for the working tree."""

from __future__ import annotations

import os
from typing import NamedTuple

from tests.helpers.cases import parametrize
from tests.helpers.repositories import VFS, Repository, find_added
from tests.helpers.support import (
    BAD,
    INTERNAL,
    MAKEFILE_WITH_CHECK,
    TYPES_WITHOUT_MACRO,
    make_makefile,
)

A, B = "virt/kvm/a.c", "virt/kvm/b.c"
MAKEFILE, HEADER = "arch/x86/kvm/Makefile", "include/linux/kvm_types.h"
NO_CHECK = b"obj-y += x86.o\n"
WITH_SAMPLE = MAKEFILE_WITH_CHECK.replace(b"-e kvm_get_kvm", b"-e kvm_get_kvm -e kvm_sample")
WITHOUT_PUT = make_makefile("kvm_get_kvm")
OTHER_NAMES = make_makefile("kvm_sample")
OTHER = b"EXPORT_SYMBOL_GPL(kvm_other);\n"


class Case(NamedTuple):
    """The files of a commit, those of the next, and what that adds. None: not there."""

    before: dict[str, bytes | None]
    after: dict[str, bytes | None]
    added: list[str]


def case(before: dict[str, bytes | None], after: dict[str, bytes | None], *added: str) -> Case:
    return Case(before, after, list(added))


ADDED = {
    "a-new-file": case({}, {A: BAD}, f"{A}:1"),
    "a-new-export": case({A: b"int a;\n"}, {A: b"int a;\n" + BAD}, f"{A}:2"),
    "a-new-export-beside-an-old-one": case({A: BAD}, {A: OTHER + BAD}, f"{A}:1"),
    "nothing-of-kvm": case({}, {"fs/open.c": VFS + VFS}),
    "a-good-export": case({}, {A: INTERNAL}),
    "old-export-in-a-file-that-is-touched": case({A: BAD}, {A: b"int a;\n" + BAD}),
    "old-export-in-a-file-that-is-not": case({A: BAD}, {B: b"int b;\n"}),
    "old-export-moved-within-the-file": case(
        {A: BAD + b"int a;\n" + OTHER}, {A: OTHER + b"int a;\n" + BAD}
    ),
    "old-export-moved-to-another-file": case({A: BAD + OTHER}, {A: OTHER, B: BAD}),
    "old-export-moved-to-a-file-before": case({B: BAD + OTHER}, {A: BAD, B: OTHER}),
    "old-export-moved-and-doubled": case({B: BAD}, {A: BAD, B: BAD}, f"{A}:1"),
    "old-export-doubled": case({A: BAD}, {A: BAD + b"int a;\n" + BAD}, f"{A}:3"),
    "old-export-indented": case({A: BAD}, {A: b"\t\t" + BAD}),
    "old-export-with-another-macro": case({A: BAD}, {A: BAD.replace(b"_GPL", b"")}, f"{A}:1"),
    "comment-around-an-old-export-taken-off": case(
        {A: b"/*\n * kvm_get_kvm " + BAD + b" */\n"}, {A: BAD}, f"{A}:1"
    ),
    "letter-before-an-old-export-taken-off": case(
        {A: "\N{LATIN SMALL LETTER E WITH ACUTE}".encode() + BAD}, {A: BAD}, f"{A}:1"
    ),
    "old-export-put-right": case({A: BAD}, {A: INTERNAL}),
    "old-export-taken-away": case({A: BAD}, {A: None}),
    "renamed-into-kvm": case({}, {"fs/open.c": None, "virt/kvm/open.c": VFS}, "virt/kvm/open.c:2"),
    "renamed-into-kvm-and-edited": case(
        {}, {"fs/open.c": None, A: VFS + b"int edited;\n"}, f"{A}:2"
    ),
    "copied-into-kvm": case({}, {A: VFS}, f"{A}:2"),
    "renamed-to-a-name-of-c": case(
        {"virt/kvm/a.txt": BAD}, {"virt/kvm/a.txt": None, A: BAD}, A + ":1"
    ),
    "renamed-out-of-kvm": case({A: BAD}, {A: None, "fs/a.c": BAD}),
    "copied-out-of-kvm": case({A: BAD}, {"fs/a.c": BAD}),
    "renamed-inside-kvm": case({A: BAD}, {A: None, "arch/x86/kvm/a.c": BAD}),
    "copied-inside-kvm": case({A: BAD}, {B: BAD}, f"{B}:1"),
    "nul": case({A: b"int a;\n"}, {A: b"\0\n" + BAD}, f"{A}:2"),
    "not-utf-8": case({A: b"int a;\n"}, {A: b"\xff\n" + BAD}, f"{A}:2"),
    "empty-file": case({}, {A: b""}),
    "attribute-no-diff": case({".gitattributes": b"*.c -diff\n"}, {A: BAD}, f"{A}:1"),
    "attribute-binary": case({".gitattributes": b"*.c binary\n"}, {A: BAD}, f"{A}:1"),
    "name-with-blanks": case({}, {"virt/kvm/a b .c": BAD}, "virt/kvm/a b .c:1"),
    "name-with-quotes": case({}, {"virt/kvm/\"'\\.c": BAD}, "virt/kvm/\"'\\.c:1"),
    "name-with-newlines": case({}, {"virt/kvm/\n:1\n.c": BAD}, "virt/kvm/\n:1\n.c:1"),
    "name-like-magic": case({}, {"virt/kvm/:(top)*.c": BAD}, "virt/kvm/:(top)*.c:1"),
    "name-like-an-option": case({}, {"virt/kvm/--fix.c": BAD}, "virt/kvm/--fix.c:1"),
    "name-not-utf-8": case(
        {}, {os.fsdecode(b"virt/kvm/\xe9.c"): BAD}, os.fsdecode(b"virt/kvm/\xe9.c:1")
    ),
    "name-not-ascii": case({}, {"virt/kvm/é.c": BAD}, "virt/kvm/é.c:1"),
}

FACTS = {
    "list-gains-the-name": case({}, {A: BAD, MAKEFILE: WITH_SAMPLE}),
    "list-has-the-name": case({MAKEFILE: WITH_SAMPLE}, {A: BAD}),
    "list-loses-the-name": case(
        {A: BAD, MAKEFILE: WITH_SAMPLE}, {MAKEFILE: MAKEFILE_WITH_CHECK}, f"{A}:1"
    ),
    "list-gains-the-name-of-an-old-export": case({A: BAD}, {MAKEFILE: WITH_SAMPLE}),
    "makefile-with-the-same-list": case({A: BAD}, {MAKEFILE: MAKEFILE_WITH_CHECK + b"# more\n"}),
    "check-is-taken-away": case({A: BAD}, {MAKEFILE: NO_CHECK}),
    "check-and-header-are-taken-away": case(
        {A: b"/* EXPORT_SYMBOL */\n"}, {MAKEFILE: None, HEADER: None, A: b"// EXPORT_SYMBOL\n"}
    ),
    "macro-comes": case(
        {MAKEFILE: NO_CHECK, HEADER: TYPES_WITHOUT_MACRO, A: BAD},
        {HEADER: b"#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(x) EXPORT_SYMBOL_GPL(x)\n", B: OTHER},
        f"{B}:1",
    ),
    "no-macro-and-none-comes": case({MAKEFILE: NO_CHECK, HEADER: TYPES_WITHOUT_MACRO}, {A: BAD}),
    "everything-goes": case(
        {},
        dict.fromkeys((MAKEFILE, HEADER, "virt/kvm/kvm_main.c", "arch/x86/kvm/x86.c")),
    ),
}

# Without the last field of the key, each of these breaks the build, and nothing is reported.
BREAK_THE_BUILD = {
    "comment-with-a-listed-name-taken-off": case(
        {A: b"EXPORT_SYMBOL_GPL(kvm_sample); /* like kvm_get_kvm */\n"}, {A: BAD}, f"{A}:1"
    ),
    "the-same-inside-the-call": case(
        {A: b"EXPORT_SYMBOL_GPL(kvm_sample /* like kvm_get_kvm */);\n"}, {A: BAD}, f"{A}:1"
    ),
    "list-loses-a-part-of-a-name": case(
        {A: b"EXPORT_SYMBOL_GPL(kvm_put_kvm_evil);\n"}, {MAKEFILE: WITHOUT_PUT}, f"{A}:1"
    ),
    "list-loses-the-name-of-a-forbidden-export": case(
        {A: b"EXPORT_SYMBOL(kvm_put_kvm);\n"}, {MAKEFILE: WITHOUT_PUT}, f"{A}:1"
    ),
    "file-with-a-listed-name-is-renamed": case(
        {"virt/kvm/kvm_get_kvm.c": BAD}, {"virt/kvm/kvm_get_kvm.c": None, A: BAD}, f"{A}:1"
    ),
    "the-check-comes-to-an-old-export": case(
        {MAKEFILE: NO_CHECK, A: BAD}, {MAKEFILE: MAKEFILE_WITH_CHECK}, f"{A}:1"
    ),
    "list-loses-the-name-of-an-alias": case(
        {A: b"#define kvm_get_kvm_x(s) EXPORT_SYMBOL_GPL(s)\n"}, {MAKEFILE: OTHER_NAMES}, f"{A}:1"
    ),
    "nul-taken-out-of-an-old-export": case({A: b"\0" + BAD}, {A: BAD}, f"{A}:1"),
}


@parametrize(("before", "after", "added"), ADDED | FACTS | BREAK_THE_BUILD)
def test_what_a_change_adds(
    linux: Repository,
    before: dict[str, bytes | None],
    after: dict[str, bytes | None],
    added: list[str],
) -> None:
    linux.record("before", before)
    linux.stage_all(after)
    assert find_added("--staged") == added
    assert find_added("--since=HEAD") == added
    linux.record("after")
    assert find_added("--commits=HEAD") == [f"after: {each}" for each in added]
