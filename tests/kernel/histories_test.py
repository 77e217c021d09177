# SPDX-License-Identifier: MIT
"""The promise for commits, along random histories on which real make passes.

A commit on which the make check fails is taken back: the next one starts from a tree
that passes, and that may hold old exports to which the check is blind.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from kvm_export_hook.rules import policy
from tests.conftest import HOME
from tests.helpers.kernel_files import CHECK, HEADER, KBUILD, MAKEFILE
from tests.helpers.random_histories import START, UNCHECKED, Tree, edit, write_tree
from tests.helpers.repositories import Repository
from tests.helpers.support import run_in_process, write
from tests.kernel.conftest import make_check

# The names that the make check of the kernel permits, up to the end of their list.
PATTERNS = re.compile(rb"(?<=grep -v )-e \w+(?:[ \t]+\\\n[ \t]+-e \w+)*")

Found = list[tuple[object, ...]]


class Kernel:
    """A repository of a kernel's Makefile, header and check, and of small C files."""

    def __init__(self, source: Path, top: Path, scratch: Path) -> None:
        self.repository = Repository(top, HOME)
        self.scratch = scratch
        self.makefile = (source / MAKEFILE).read_bytes()
        self.header = (source / HEADER).read_bytes()
        write(top / KBUILD, (source / KBUILD).read_bytes())
        self.tree = START
        self.write(START)
        self.repository.git("init", "--quiet", "--template=")
        self.initial = self.repository.record("initial")

    def make_contents(self, tree: Tree) -> dict[str, bytes]:
        """Make the bytes of each file of TREE, those of the facts from the kernel's own."""
        makefile, header = self.makefile, self.header
        if tree.names is None:
            makefile = makefile.partition(CHECK.encode())[0] + b"\n"
        else:
            patterns = b" \\\n\t\t".join(b"-e " + name for name in tree.names)
            makefile = PATTERNS.sub(lambda _: patterns, makefile)
        if not tree.has_macro:
            header = header.replace(policy.INTERNAL, b"EXPORT_SYMBOL_FOR_NOBODY")
        facts = {str(MAKEFILE): makefile}
        return tree.contents | facts | ({} if tree.has_macro is None else {str(HEADER): header})

    def write(self, tree: Tree) -> None:
        """Write TREE."""
        former = self.make_contents(self.tree)
        write_tree(self.repository.top, self.make_contents(tree), list(former))
        self.tree = tree

    def make_passes(self) -> bool:
        """Whether the tree has no make check, or real make evaluates it and it passes."""
        return self.tree.names is None or make_check(self.repository.top, self.scratch)

    def find(self, *arguments: str) -> Found:
        """Find what a change adds."""
        top = self.repository.top
        outcome = run_in_process("--format=json", f"--srctree={top}", *arguments)
        findings = json.loads(outcome.out)["findings"]
        assert outcome.status == bool(findings), outcome
        names = ("path", "line", "column", "rule", "macro", "symbol")
        return [tuple(each[name] for name in names) for each in findings]

    def reset(self, revision: str, tree: Tree) -> None:
        """Go back to REVISION, which is of TREE."""
        self.repository.git("reset", "--quiet", "--hard", revision)
        self.repository.git("clean", "-ffdxq")
        self.tree = tree


@pytest.fixture(scope="module")
def kernel(current: Path, tmp_path_factory: pytest.TempPathFactory) -> Kernel:
    """The check and what it needs, without the sources, which every example writes anew."""
    return Kernel(current, tmp_path_factory.mktemp("commits"), tmp_path_factory.mktemp("scratch"))


# An example is a history, and takes more than a second at worst.
@settings(max_examples=max(settings().max_examples // 3, 1))
@given(data=st.data())
def test_nothing_found_means_that_make_goes_on_to_pass(kernel: Kernel, data: st.DataObject) -> None:
    kernel.reset(kernel.initial, START)
    kernel.write(data.draw(st.sampled_from([START, UNCHECKED])))
    kernel.repository.record("first")
    for _ in range(data.draw(st.integers(2, 4))):
        before = kernel.tree
        kernel.write(data.draw(edit(before)))
        kernel.repository.git("add", "--all")
        found = kernel.find("--staged")
        kernel.repository.record("next")
        assert kernel.find("--commits", "HEAD") == found
        passes = kernel.make_passes()
        event(f"{'found' if found else 'nothing found'}, make {'passes' if passes else 'fails'}")
        assert passes or found
        if not passes:
            kernel.reset("HEAD^", before)
