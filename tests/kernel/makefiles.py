# SPDX-License-Identifier: MIT
"""Edits of a kernel's own Makefile, and what the hook is to make of each.

Each takes the bytes of the Makefile and a source of chance, and returns others.
Where another edit has taken away what it looks for, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Edit = Callable[[bytes, Random], bytes]

TRAILER = b"\nexports_grep_trailer := "
START = b"\nifdef CONFIG_KVM_X86\n"
END = b"\nendif # CONFIG_KVM_X86\n"
FIRST, LAST = b" -e kvm_page_track_register_notifier", b"-e kvm_put_kvm"
RULE = b"\nkvm-made.o:\n\t@echo made\n"


def make_random(seed: int | str) -> Random:
    """Make a source of chance, which is the same for the same SEED."""
    return Random(seed)  # noqa: S311


def replace(old: bytes, new: bytes) -> Edit:
    """Replace OLD by NEW, once."""
    return lambda text, _: text.replace(old, new, 1)


def wrap(before: bytes, after: bytes) -> Edit:
    """Put the check between BEFORE and AFTER."""
    return lambda text, _: text.replace(START, b"\n" + before + START, 1) + after


def put_before(*choices: bytes) -> Edit:
    """Put one of CHOICES before the check, between two lines that no backslash joins."""

    def edit(text: bytes, random: Random) -> bytes:
        at = text.find(START)
        places = [at + 1]
        while (at := text.rfind(b"\n", 0, at)) > 0:
            if not text[:at].endswith(b"\\") and not text.startswith(b"\t", at + 1):
                places.append(at + 1)
        place = random.choice(places)
        return text[:place] + random.choice(choices) + b"\n" + text[place:]

    return edit


def put_after(*choices: bytes) -> Edit:
    """Put one of CHOICES at the end of the Makefile."""
    return lambda text, random: text.rstrip(b"\n") + b"\n" + random.choice(choices) + b"\n"


def put_inside(*choices: bytes) -> Edit:
    """Put one of CHOICES before a line of the check."""

    def edit(text: bytes, random: Random) -> bytes:
        line = random.choice(INSIDE)
        return text.replace(b"\n" + line, b"\n" + random.choice(choices) + b"\n" + line, 1)

    return edit


def edit_list(change: Callable[[list[bytes], Random], list[bytes]]) -> Edit:
    """Write the list anew, as CHANGE makes it."""

    def edit(text: bytes, random: Random) -> bytes:
        start = text.find(FIRST)
        end = text.find(b"\n\n", start)
        if start < 0 or end < 0:
            return text
        names = [b"-e " + name for name in change(list(NAMES), random)]
        blanks = random.choice([b" ", b"\t", b" \\\n\t\t", b"  \\\n "])
        return text[:start] + blanks + blanks.join(names) + text[end:]

    return edit


def shuffle(names: list[bytes], random: Random) -> list[bytes]:
    """Put NAMES in another order."""
    return random.sample(names, len(names))


def widen(text: bytes, random: Random) -> bytes:
    """Double some blanks that separate words of the check."""
    old, new = random.choice(BLANKS)
    start = text.find(START)
    return text[:start] + text[start:].replace(old, new)


NAMES = (
    b"kvm_page_track_register_notifier",
    b"kvm_page_track_unregister_notifier",
    b"kvm_write_track_add_gfn",
    b"kvm_write_track_remove_gfn",
    b"kvm_get_kvm",
    b"kvm_get_kvm_safe",
    b"kvm_put_kvm",
)
INSIDE = (
    b"exports_grep_trailer := ",
    b"define check_kvm_exports",
    b"nr_kvm_exports := ",
    b"ifneq (0,",
    b"$(shell grep ",
    b"endef",
    b"$(eval $(call check_kvm_exports,EXPORT_SYMBOL))",
    b"undefine exports_grep_trailer",
    b"endif # CONFIG_KVM_X86",
)
BLANKS = (
    (b" | ", b"\t| "),
    (b" -C0 ", b"  -C0\t"),
    (b"\\\n\t\t\t\t", b"\\\n "),
    (b" := ", b"  :=\t"),
    (b"$(eval $(call ", b"$(eval  $(call\t"),
    (b"\nundefine ", b"\n  undefine  "),
    (b"\ndefine ", b"\n define\t"),
)

# The check works as the kernel's does, and the hook knows it.
KNOWN: dict[str, Edit] = {
    "as-it-is": lambda text, _: text,
    "a-comment-before": put_before(
        b"# EXPORT_SYMBOL_GPL", b"  # why", b"# goes on \\\nifdef NEVER"
    ),
    "a-comment-inside": put_inside(b"# EXPORT_SYMBOL", b"  # check_kvm_exports", b"# a \\\nb"),
    "a-comment-after": put_after(b"# exports_grep_trailer := x"),
    "a-comment-at-the-end-of-a-line": replace(START, START[:-1] + b" # for x86\n"),
    "a-comment-after-the-list": replace(LAST, LAST + b" # VFIO"),
    "a-comment-that-ends-the-list": replace(LAST, b"# $(shell false) " + LAST),
    "without-its-comments": replace(b"\n# Search recursively", b"\n\n#"),
    "blanks": widen,
    "line-breaks": replace(b"-nrw ", b"-nrw \\\n\t"),
    "a-line-break-in-the-grep": replace(b'"$(1)" -C0', b'"$(1)" \\\n -C0'),
    "a-list-on-one-line": edit_list(lambda names, _: names),
    "a-list-in-another-order": edit_list(shuffle),
    "a-longer-list": edit_list(lambda names, _: [*names, b"kvm_bar", b"_kvm2"]),
    "a-shorter-list": edit_list(lambda names, _: names[4:]),
    "a-list-of-one": edit_list(lambda *_: [b"kvm_get_kvm"]),
    "a-list-of-many": edit_list(lambda names, _: [*names, *(b"kvm_%d" % n for n in range(999))]),
    "a-name-twice": edit_list(lambda names, _: names * 2),
    "empty-lines-inside": put_inside(b"", b"\t", b"  ", b"\n\n"),
    "spaces-before-a-line": replace(TRAILER, b"\n  " + TRAILER[1:]),
    "crlf": lambda text, _: text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "no-newline-at-the-end": lambda text, _: text.rstrip(b"\n"),
    "a-byte-order-mark": lambda text, _: b"\xef\xbb\xbf" + text,
    "an-object": put_before(b"kvm-$(CONFIG_KVM_X)\t+= x.o", b"kvm-y += y.o \\\n z.o"),
    "a-flag": put_before(b"CFLAGS_x86.o := -DX=1", b"ccflags-$(subst m,y,$(CONFIG_X)) += -Wx"),
    "a-flag-of-a-target": put_before(b"$(obj)/x86.o: ccflags-y += -DX"),
    "a-condition-that-ends": put_before(b"ifdef CONFIG_X\nkvm-y += x.o\nelse\nkvm-y += y.o\nendif"),
    "conditions-in-one": put_before(b"ifeq ($(X),y)\nifneq (,$(Y))\nkvm-y += x.o\nendif\nendif"),
    "a-rule": put_before(RULE, b"$(obj)/y.h: $(obj)/y.s FORCE\n\t$(call filechk,y,Y) # 'y'"),
    "a-rule-after": put_after(RULE, b"SHELL := /bin/sh", b"define x\nendef", b"srctree ?= /x"),
}

# The check may work in another way, or not at all.
UNKNOWN: dict[str, Edit] = {
    "in-both-branches": replace(TRAILER, b"\nifdef X" + TRAILER + b"-e x\nelse" + TRAILER),
    "added-to-under-a-condition": replace(
        b"\ndefine get_",
        b"\nifdef X\nexports_grep_trailer += | grep -v -e kvm_foo\nendif\ndefine get_",
    ),
    "for-a-target": replace(
        b"\ndefine get_", b"\nx.o: exports_grep_trailer := -e kvm_foo\ndefine get_"
    ),
    "if-not-set": replace(TRAILER, b"\nifndef exports_grep_trailer" + TRAILER),
    "defined-and-not-called": put_after(b"define x\nexports_grep_trailer := -e kvm_foo\nendef"),
    "appended": replace(b"\ndefine get_", b"\nexports_grep_trailer += -e kvm_foo\ndefine get_"),
    "another-grep": replace(LAST, LAST + b" | grep -v kvm_foo"),
    "a-sed": replace(LAST, LAST + b" | sed /kvm_foo/d"),
    "quoted": replace(LAST, LAST + b" -e 'kvm_foo'"),
    "joined": replace(LAST, LAST + b" -ekvm_foo"),
    "another-variable": lambda text, _: text.replace(b"exports_grep_trailer", b"kvm_trailer"),
    "inline": replace(b'grep "$(1)" $(exports_grep_trailer)', b'grep -rw "$(1)" $(srctree)/virt'),
    "a-third-directory": replace(b" | \\\n\t\t\tgrep", b" $(srctree)/lib | \\\n\t\t\tgrep"),
    "a-third-macro": put_after(b"$(eval $(call check_kvm_exports,EXPORT_SYMBOL_NS))"),
    "another-macro": replace(b"exports,EXPORT_SYMBOL)", b"exports,EXPORT_SYMBOL_NS)"),
    "no-whole-words": replace(b"-nrw", b"-nr"),
    "one-directory": replace(b" $(srctree)/arch/x86/kvm | ", b" | "),
    "a-directory-left-out": replace(b"-nrw", b"--exclude-dir=vmx -nrw"),
    "other-files": replace(b"*.[ch]", b"*.c"),
    "a-pattern": replace(b"-e kvm_put_kvm", b"-e kvm_.*"),
    "a-variable": replace(b"-e kvm_put_kvm", b"-e $(name)"),
    "a-number": edit_list(lambda names, _: [*names, b"1"]),
    "part-of-every-path": edit_list(
        lambda names, random: [*names, random.choice([b"virt", b"kvm"])]
    ),
    "part-of-every-line": edit_list(lambda names, _: [*names, b"EXPORT"]),
    "an-empty-list": edit_list(lambda *_: []),
    "never": wrap(b"ifdef CONFIG_KVM_NEVER", b"endif\n"),
    "never-after-a-comment": wrap(b"ifdef NEVER\n# ends \\\nendif", b"endif\n"),
    "never-by-a-hidden-endif": wrap(b"ifdef NEVER\nx.o:\n\tendif", b"endif\n"),
    "never-by-a-variable-endif": wrap(b"ifdef NEVER\nendif := x", b"endif\n"),
    "never-by-a-joined-condition": wrap(b"ifdef \\\nNEVER", b"endif\n"),
    "never-by-an-indented-condition": wrap(b" \tifdef NEVER", b"endif\n"),
    "never-by-a-form-feed": wrap(b"\f ifdef NEVER", b"endif\n"),
    "never-by-else": wrap(b"ifndef NEVER\nelse", b"endif\n"),
    "in-a-define": wrap(b"define never", b"endef\n"),
    "in-an-exported-define": wrap(b"export define never =", b"endef\n"),
    "undefined": put_before(b"undefine CONFIG_KVM_X86", b"override undefine CONFIG_KVM_X86"),
    "emptied": put_before(
        b"CONFIG_KVM_X86 :=", b"export CONFIG_KVM_X86=", b"CONFIG_$(K)KVM_X86 :="
    ),
    "elsewhere": put_before(
        b"srctree := /x", b"\tsrctree := /x", b"srctree \\\n := /x", b"private srctree ::= /x"
    ),
    "elsewhere-by-a-computed-name": put_before(
        b"s$(X)rctree := /x", b"$(X)srctree := /x", b"$(subst a,s,a$(X)rctree) := /x"
    ),
    "elsewhere-by-eval": put_before(b"$(eval srctree := /x)", b"x := ${eval\tsrctree := /x}"),
    "another-shell": put_before(
        b"SHELL := /bin/true", b"SHELL=/bin/true", b"export SHELL = /bin/true"
    ),
    "other-flags-of-the-shell": put_before(b".SHELLFLAGS := -c 'exit;'"),
    "another-path": put_before(b"PATH := /x", b"export PATH := /x", b"unexport PATH"),
    "other-recipes": put_before(b"x.o:\n.RECIPEPREFIX = $"),
    "another-newline": put_before(b"newline := x"),
    "in-a-recipe": replace(TRAILER, RULE + b"\t" + TRAILER[1:]),
    "overridden": put_before(b"override exports$(U)_grep_trailer := /x"),
    "a-blank-in-the-count": replace(b" | wc -l)", b" | wc -l) "),
    "a-comment-in-the-count": replace(b" | wc -l)", b" | wc -l) # lines"),
    "a-reference-in-a-comment": replace(b"\nnr_kvm", b"\n# $(error fails)\nnr_kvm"),
    "twice": lambda text, _: text + text[text.find(START) :],
    "a-nul": put_before(b"\0"),
    "a-lone-cr": replace(b" | wc", b" |\r wc"),
    "a-blank-after-the-backslash": replace(b"\\\n\t\t\t\t-e kvm_w", b"\\ \n\t\t\t\t-e kvm_w"),
    "an-escaped-backslash": replace(b"\\\n\t\t\t\t-e kvm_w", b"\\\\\n\t\t\t\t-e kvm_w"),
}

# There is no check.
NONE: dict[str, Edit] = {
    "taken-away": lambda text, _: text[: text.find(START) + 1],
    "commented-out": lambda text, _: (
        text[: text.find(START) + 1]
        + b"".join(b"#" + line for line in text[text.find(START) + 1 :].splitlines(keepends=True))
    ),
    "commented-out-by-one": lambda text, _: (
        text[: text.find(START) + 1]
        + b"# \\\n"
        + text[text.find(START) + 1 :].replace(b"\\\n", b"\n").replace(b"\n", b"\\\n")
    ),
}

EDITS = KNOWN | UNKNOWN | NONE
