# SPDX-License-Identifier: MIT
"""What the benchmark runs on: a kernel's sources or generated ones, and hostile files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEADER = Path("include/linux/kvm_types.h")
MAKEFILE = Path("arch/x86/kvm/Makefile")
KBUILD = Path("scripts/Kbuild.include")
DIRECTORIES = ("virt/kvm", "arch/x86/kvm")

MACRO = "#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol) EXPORT_SYMBOL_GPL(symbol)\n"

# Where the make check begins in the Makefile, which goes on to its end; and what
# the build sets before it reads that Makefile.
CHECK = "\nifdef CONFIG_KVM_X86\n"
DRIVER = """\
CONFIG_KVM_X86 := y
srctree := .
include scripts/Kbuild.include
include $(CHECK)
all: ; @:
"""

FUNCTION = """\
/*
 * Look up the slot number {number} of the guest, with kvm->slots_lock held. It's
 * the caller's job to see that "memslots" are not freed meanwhile.
 */
static int kvm_sample_{number}(struct kvm_vcpu *vcpu, gpa_t gpa, u64 *data)
{{
	struct kvm *kvm = vcpu->kvm;

	if (!kvm || WARN_ONCE(gpa >= {number}, "slot %d: bad \\"gpa\\" %llx\\n", {number}, gpa))
		return -EINVAL;
	*data = kvm->slots[{number}].base + (gpa & ~PAGE_MASK);	// no overflow
	return 0;
}}
{export}

"""


def real_tree(source: Path, target: Path) -> None:
    """Copy what is read of a kernel."""
    for name in DIRECTORIES:
        shutil.copytree(source / name, target / name, symlinks=True)
    for file in (HEADER, KBUILD):
        if (source / file).exists():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / file, target / file)


def generated_tree(target: Path) -> None:
    """Write sources of the size of a kernel's: 104 files, 3.2 MB, 240 exports."""
    for number in range(104):
        directory = DIRECTORIES[number % 5 != 0]
        path = target / directory / f"sample{number}.{'h' if number % 3 == 0 else 'c'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(function(number * 100 + each) for each in range(56)))
    (target / MAKEFILE).write_text("obj-y += sample.o\n")
    (target / HEADER).parent.mkdir(parents=True)
    (target / HEADER).write_text(MACRO)


def function(number: int) -> str:
    """Write one function; some are exported."""
    is_exported = number % 24 == 0
    export = f"EXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_sample_{number});" if is_exported else ""
    return FUNCTION.format(number=number, export=export)


def with_macro(clean: Path, target: Path) -> Path:
    """Copy a tree with its exports turned into unwanted ones, no check, and the macro defined."""
    shutil.copytree(clean, target, symlinks=True)
    for name in DIRECTORIES:
        for path in (target / name).rglob("*.[ch]"):
            text = path.read_bytes()
            path.write_bytes(text.replace(b"_FOR_KVM_INTERNAL(", b"_GPL("))
    (target / MAKEFILE).write_text("obj-y += x86.o\n")
    with (target / HEADER).open("a") as header:
        header.write(MACRO)
    return target


def multiplied(tree: Path, target: Path, times: int) -> Path:
    """Make a tree with the sources of TREE many times over, as hard links."""
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(tree / HEADER.parent, target / HEADER.parent)
    for name in DIRECTORIES:
        for number in range(times):
            copy = target / name / f"copy{number}"
            shutil.copytree(tree / name, copy, symlinks=True, copy_function=link)
    (target / MAKEFILE).write_bytes((tree / MAKEFILE).read_bytes())
    return target


def link(source: str, target: str) -> None:
    """Link a file instead of copying it."""
    Path(target).hardlink_to(source)


def mail() -> str:
    """Write a mail with a patch of 300 lines."""
    added = "".join(f"+int a{number};\n" for number in range(280))
    return (
        "From 0123456789abcdef Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\n"
        "Subject: [PATCH] KVM: a\n\nA message.\n---\n virt/kvm/x.c | 280 +\n\n"
        "diff --git a/virt/kvm/x.c b/virt/kvm/x.c\nindex 0123456..789abcd 100644\n"
        f"--- a/virt/kvm/x.c\n+++ b/virt/kvm/x.c\n@@ -1 +1,281 @@\n a\n{added}-- \n2.39.5\n\n"
    )


def repeated(unit: bytes, before: bytes = b"", after: bytes = b"") -> Callable[[int], bytes]:
    """Fill a file of a size with UNIT."""
    return lambda size: before + unit * (size // len(unit)) + after


def hostile_files() -> Iterator[tuple[str, Callable[[int], bytes]]]:
    """Yield the names and contents of files that are made to be slow."""
    last = b"\n EXPORT_SYMBOL(x)"
    yield "empty strings", repeated(b'""', after=last)
    yield "escaped quotes in a string", repeated(b'\\"', b'"', last)
    yield "backslashes in a string", repeated(b"\\", b'"', last)
    yield "unclosed quotes", repeated(b"'\n", after=last)
    yield "comments", repeated(b"/**/", after=last)
    yield "comments before an export on its line", repeated(b"/**/", after=last[1:])
    yield "comment openers", repeated(b"/*", after=last)
    yield "line comments", repeated(b"//\n", after=last)
    yield "newlines", repeated(b"\n", after=last)
    yield "splices", repeated(b"\\\n", after=last)
    yield "splices with blanks", repeated(b"\\ \n", after=last)
    yield "splices in a call", repeated(b"\\\n", b" EXPORT_SYMBOL(", b"x)")
    yield "parentheses", repeated(b"(", b" EXPORT_SYMBOL")
    yield "commas in calls", repeated(b" EXPORT_SYMBOL(((((" + b"," * 800 + b")))))\n")
    yield "parentheses in calls", repeated(b" EXPORT_SYMBOL" + b"(" * 450 + b")" * 449 + b"\n")
    yield "stems", repeated(b"EXPORT_")
    yield "longer words", repeated(b"_EXPORT_SYMBOL")
    yield "a line of blanks and exports", repeated(b"EXPORT_SYMBOL(a)" + b" " * 1000)
    yield "exports on lines", repeated(b"EXPORT_SYMBOL(a);\n")
    yield "exports on one line", repeated(b"EXPORT_SYMBOL(a);")
    yield "unclosed calls", repeated(b" EXPORT_SYMBOL(")
    yield "calls in calls", repeated(b"EXPORT_SYMBOL(a,")
    yield "exports of strings", repeated(b'EXPORT_SYMBOL(""')
    yield "exports of comments", repeated(b"EXPORT_SYMBOL(/**/")
    yield "exports in a directive", repeated(b"EXPORT_SYMBOL ", b"#define ")
