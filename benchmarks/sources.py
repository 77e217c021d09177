# SPDX-License-Identifier: MIT
"""What the benchmark runs on: a kernel's sources or generated ones, and a mail."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from kvm_export_hook.git.entries import RAW
from kvm_export_hook.git.process import GIT
from kvm_export_hook.rules.scope import FACT_FILES, KVM_DIRECTORIES
from tests.helpers.kernel_files import DIRECTORIES, HEADER, MACRO, MAKEFILE, copy_kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

# The large files that people edit most.
LARGE = (
    "arch/x86/kvm/x86.c",
    "arch/x86/kvm/vmx/vmx.c",
    "arch/x86/kvm/vmx/nested.c",
    "arch/x86/kvm/emulate.c",
    "virt/kvm/kvm_main.c",
)

READ_FOR_USERS = (
    *("virt/kvm", "arch/x86/kvm", "arch/powerpc/kvm"),
    *("include/linux", "arch/x86/include/asm", "arch/powerpc/include/asm"),
)
EXPORTING = "virt/kvm/kvm_main.c"
UNWANTED = "_FOR_KVM_INTERNAL(__kvm_vcpu_map)", "_GPL(__kvm_vcpu_map)"

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


def write_tree(target: Path) -> None:
    """Write sources of the size of a kernel's: 104 files, 3.2 MB, 240 exports."""
    for number in range(104):
        directory = DIRECTORIES[number % 5 != 0]
        path = target / directory / f"sample{number}.{'h' if number % 3 == 0 else 'c'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(write_function(number * 100 + each) for each in range(56)))
    (target / MAKEFILE).write_text("obj-y += sample.o\n")
    (target / HEADER).parent.mkdir(parents=True)
    (target / HEADER).write_text(MACRO)


def write_function(number: int) -> str:
    """Write one function; some are exported."""
    is_exported = number % 24 == 0
    export = f"EXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_sample_{number});" if is_exported else ""
    return FUNCTION.format(number=number, export=export)


def copy_with_macro(clean: Path, target: Path) -> Path:
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


def copy_for_users(source: Path, target: Path) -> str:
    """Copy what ``--users`` reads of the kernel SOURCE, with one unwanted export; return its file.

    Without the rest of the kernel, so that no ``git grep`` searches that.
    """
    for name in READ_FOR_USERS:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, symlinks=True)
    path = target / EXPORTING
    path.write_text(path.read_text().replace(*UNWANTED))
    return EXPORTING


def select_large(names: Sequence[str]) -> list[str]:
    """Select the large files among NAMES, or else the first five."""
    return [name for name in LARGE if name in names] or list(names[:5])


class Staged:
    """A repository at TOP, a copy of TREE, in which each of NAMES has a line more staged.

    ``commands``: what ``--staged`` has git do there; the last reads ``stdin``.
    """

    def __init__(self, tree: Path, top: Path, names: Sequence[str]) -> None:
        self.top = top
        copy_kernel(tree, top)
        run_git(top, "init", "--quiet")
        run_git(top, "add", "--all")
        run_git(top, "commit", "--quiet", "--message=initial")
        for name in names:
            with (top / name).open("a") as file:
                file.write("/* one line more */\n")
        run_git(top, "add", "--all")
        ours = [os.fsdecode(word) for word in GIT]
        places = [f":(top,literal){os.fsdecode(name)}" for name in (*KVM_DIRECTORIES, *FACT_FILES)]
        raw = [os.fsdecode(word) for word in RAW]
        self.commands = [
            [*ours, "diff-index", "--cached", *raw, "HEAD", "--", *places],
            [*ours, "cat-file", "--batch", "--buffer"],
        ]
        self.stdin = top / ".git" / "objects-to-read"
        facts = [f"HEAD:{os.fsdecode(name)}\n" for name in FACT_FILES]
        ids = [run_git(top, "rev-parse", f":{name}") for name in names]
        self.stdin.write_text("".join((*facts, *ids)))


def run_git(top: Path, *arguments: str) -> str:
    """Run git at TOP; return what it prints. Raise CalledProcessError if it fails."""
    done = subprocess.run(["git", *arguments], cwd=top, check=True, capture_output=True, text=True)
    return done.stdout


def multiply_tree(tree: Path, target: Path, times: int) -> Path:
    """Make a tree with the sources of TREE many times over, as hard links."""
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(tree / HEADER.parent, target / HEADER.parent)
    for name in DIRECTORIES:
        # The first in its place: without a C file there, it would be no kernel tree.
        for number in range(times):
            copy = target / name / f"copy{number}" if number else target / name
            shutil.copytree(tree / name, copy, symlinks=True, copy_function=link)
    (target / MAKEFILE).write_bytes((tree / MAKEFILE).read_bytes())
    return target


def link(source: str, target: str) -> None:
    """Link a file instead of copying it."""
    Path(target).hardlink_to(source)


def write_mail() -> str:
    """Write a mail with a patch of 300 lines, which makes a file."""
    added = "".join(f"+int a{number};\n" for number in range(280))
    return (
        "From 0123456789abcdef Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\n"
        "Subject: [PATCH] KVM: a\n\nA message.\n---\n virt/kvm/x.c | 280 +\n\n"
        "diff --git a/virt/kvm/x.c b/virt/kvm/x.c\nnew file mode 100644\nindex 0000000..789abcd\n"
        f"--- /dev/null\n+++ b/virt/kvm/x.c\n@@ -0,0 +1,280 @@\n{added}-- \n2.39.5\n\n"
    )
