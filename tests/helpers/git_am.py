# SPDX-License-Identifier: MIT
"""Give a patch to ``git am`` and to --patch: what the tree has more after it, and what was said."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from kvm_export_hook.changes.added import make_keys
from kvm_export_hook.rules.facts import read_facts
from kvm_export_hook.rules.fit import fit_facts
from kvm_export_hook.rules.scope import is_in_scope
from tests.helpers.repositories import Repository, copy_repository, initialise
from tests.helpers.support import COMMAND, MAKEFILE_WITH_CHECK, find_all, read_fact_files, write

BASE = {
    "virt/kvm/x.c": b"int a;\nint b;\nint c;\n",
    "virt/kvm/long.c": b"".join(b"int v%d;\n" % number for number in range(1, 31)),
    "virt/kvm/commented.c": b"int a;\nint b;\nint c;\n/*\nEXPORT_SYMBOL_GPL(kvm_old);\n */\n"
    b"int d;\nint e;\nint f;\n",
    "virt/kvm/product.c": b'int a = 1\n * 2;\nint b;\nint c;\nint d;\nchar *s = "*/";\n',
    "arch/x86/kvm/old.c": b"int a;\n\nEXPORT_SYMBOL_GPL(kvm_old);\n\nint b;\nint c;\nint d;\n"
    b"/*\n * A comment.\n */\nint e;\nEXPORT_SYMBOL_GPL(kvm_older);\n",
    "arch/x86/kvm/Makefile": MAKEFILE_WITH_CHECK,
    "include/linux/kvm_types.h": b"#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(s) s\n",
    "lib/l.c": b"int l1;\nint l2;\nint l3;\nint l4;\nEXPORT_SYMBOL_GPL(lib_symbol);\n",
    "doc.txt": b"doc\n",
}


class Verdicts(NamedTuple):
    """Whether git applied a patch, whether the tree then has more findings, what --patch said."""

    is_applied: bool
    adds: bool
    status: int
    output: str


def make_repository(top: Path, files: Mapping[str, bytes]) -> Repository:
    """Commit FILES to a repository of their own."""
    return initialise(Repository(top, top.parent), files)


def ask_both(base: Repository, scratch: Path, patch: bytes) -> Verdicts:
    """Give PATCH to --patch and to ``git am``, in a copy of BASE at SCRATCH."""
    shutil.rmtree(scratch, ignore_errors=True)
    repository = copy_repository(base, scratch)
    path = write(scratch.parent / "patch", patch)
    status, output = repository.run(str(COMMAND), "--patch", str(path))
    before = count_findings(scratch)
    is_applied = repository.run("git", "am", "--quiet", str(path)).status == 0
    return Verdicts(is_applied, bool(count_findings(scratch) - before), status, output)


def count_findings(top: Path) -> Counter[object]:
    """Count the findings of the tree at TOP by what makes them equal."""
    kvm_types, makefile = read_fact_files(top)
    facts = read_facts(kvm_types, makefile)
    return Counter(
        key
        for name, text in list_files(top)
        for key in make_keys(find_all(text, fit_facts(facts, name)), text)
    )


def list_files(top: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the content of each file in scope, also through links."""
    for path in sorted(top.rglob("*")):
        name = bytes(path.relative_to(top))
        if is_in_scope(name) and path.is_file():
            yield name, path.read_bytes()
