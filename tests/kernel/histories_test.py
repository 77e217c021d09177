# SPDX-License-Identifier: MIT
"""The promise for commits, along random histories on which real make passes.

A commit on which the make check fails is taken back: the next one starts from a tree
that passes, and that may hold old exports to which the check is blind.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
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
        self.top = top
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
        write_tree(self.top, self.make_contents(tree), list(former))
        self.tree = tree

    def make_passes(self) -> bool:
        """Whether the tree has no make check, or real make evaluates it and it passes."""
        return self.tree.names is None or make_check(self.top, self.scratch)

    def look(self, *arguments: str) -> tuple[int, Found]:
        """Find what a change adds; return the exit status, too."""
        outcome = run_in_process("--format=json", f"--srctree={self.top}", *arguments)
        findings = json.loads(outcome.out)["findings"]
        assert outcome.status in (bool(findings), 2), outcome
        names = ("path", "line", "column", "rule", "macro", "symbol")
        return outcome.status, [tuple(each[name] for name in names) for each in findings]

    def reset(self, revision: str, tree: Tree) -> None:
        """Go back to REVISION, which is of TREE."""
        self.repository.git("reset", "--quiet", "--hard", revision)
        self.repository.git("clean", "-ffdxq")
        self.tree = tree
        self.top = self.repository.top


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
        status, found = kernel.look("--staged")
        kernel.repository.record("next")
        assert kernel.look("--commits", "HEAD") == (status, found)
        passes = kernel.make_passes()
        event(f"{'found' if found else 'nothing found'}, make {'passes' if passes else 'fails'}")
        assert passes or found
        if not passes:
            kernel.reset("HEAD^", before)


# What no edit of a tree alone makes, and how many branches it takes.
KINDS = {"edit": 1, "merge": 2, "octopus": 3, "link": 0, "move": 0}
PLACES = ("virt/kvm", "arch/x86/kvm", "virt")


class Walk:
    """Random commits in the repository of KERNEL, of which some are merges or move the kernel."""

    def __init__(self, kernel: Kernel, data: st.DataObject) -> None:
        self.kernel = kernel
        self.repository = kernel.repository
        self.data = data

    def make_change(self, tree: Tree) -> Tree:
        """Edit TREE, also by what only names and bytes say."""
        kind = self.data.draw(st.sampled_from(["edit", "case", "nul"]))
        files = dict(tree.files)
        path = self.data.draw(st.sampled_from(sorted(files) or ["none"]))
        if kind == "case" and path in files:
            files[path[:-1] + path[-1].swapcase()] = files.pop(path)
        elif kind == "nul" and path in files:
            lines = tuple(each for each in files[path] if each != b"\0")
            files[path] = lines if lines != files[path] else (b"\0", *lines)
        return self.data.draw(edit(tree._replace(files=files)))

    def stage(self, tree: Tree) -> None:
        """Write TREE and stage it."""
        self.kernel.write(tree)
        self.repository.git("add", "--all")

    def record(self, subject: str) -> str:
        """Commit what is staged, after a look at it; return the id."""
        status, staged = self.kernel.look("--staged")
        self.repository.record(subject)
        committed = self.kernel.look("--commits", "HEAD")
        assert committed == (status, staged), subject
        passes = self.kernel.make_passes()
        event(f"{subject}: status {status}, make {'passes' if passes else 'fails'}")
        assert passes or status, subject
        return self.repository.git("rev-parse", "HEAD").strip() if passes else ""

    def branch(self, start: str, tree: Tree) -> tuple[str, Tree]:
        """Commit a change of TREE, on which make passes, on a branch from START."""
        self.kernel.reset(start, tree)
        changed = self.make_change(tree)
        self.stage(changed)
        id_ = self.record("edit")
        if id_:
            return id_, changed
        self.kernel.reset(start, tree)
        return start, tree

    def merge(self, start: str, tree: Tree, count: int) -> tuple[str, Tree]:
        """Merge COUNT branches from START into one tree, which may be evil."""
        made = [self.branch(start, tree) for _ in range(count)]
        self.kernel.reset(*made[0])
        id_ = made[0][0]
        others = list(dict.fromkeys(each for each, _ in made[1:] if each not in (id_, start)))
        if id_ == start or not others:
            return made[0]
        self.repository.git("merge", "--quiet", "--no-commit", "--no-ff", "-s", "ours", *others)
        files: dict[str, tuple[bytes, ...]] = {}
        for _, each in made:
            files |= each.files
        merged = self.data.draw(st.sampled_from([each for _, each in made]))._replace(files=files)
        if self.data.draw(st.booleans()):
            merged = self.make_change(merged)
        self.stage(merged)
        done = self.record("merge")
        if done:
            return done, merged
        self.kernel.reset(*made[0])
        return made[0]

    def link(self, start: str, tree: Tree) -> None:
        """Put a link in the place of a directory of KVM: exit status 2 as long as it is there."""
        place = self.kernel.top / self.data.draw(st.sampled_from(PLACES))
        elsewhere = self.kernel.top / "elsewhere"
        place.rename(elsewhere)
        place.symlink_to(os.path.relpath(elsewhere, place.parent))
        self.repository.git("add", "--all")
        assert self.kernel.look("--staged")[0] == 2
        self.repository.record("link")
        assert self.kernel.look("--commits", "HEAD")[0] == 2
        write(elsewhere / "kvm/x.c", b"EXPORT_SYMBOL(kvm_foo);\n")
        self.repository.git("add", "--all")
        assert self.kernel.look("--staged")[0] == 2
        event("link")
        self.kernel.reset(start, tree)

    def move(self, start: str, tree: Tree) -> None:
        """Move the kernel into a subdirectory, and change it there."""
        top = self.repository.top
        (top / "linux").mkdir()
        for name in ("arch", "include", "scripts", "virt"):
            if (top / name).exists():
                (top / name).rename(top / "linux" / name)
        self.repository.git("add", "--all")
        has_source = any(path.startswith(("arch", "virt/kvm/")) for path in tree.files)
        assert self.kernel.look("--staged")[0] == 2 or not has_source
        self.kernel.top = top / "linux"
        if self.record("move"):
            self.stage(self.make_change(tree))
            self.record("edit after a move")
        self.kernel.reset(start, tree)


@settings(max_examples=max(settings().max_examples // 10, 1), suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_the_same_through_merges_links_and_moves(kernel: Kernel, data: st.DataObject) -> None:
    kernel.reset(kernel.initial, START)
    walk, id_, tree = Walk(kernel, data), kernel.initial, START
    for _ in range(data.draw(st.integers(2, 4))):
        kind = data.draw(st.sampled_from(sorted(KINDS)))
        if kind == "link":
            walk.link(id_, tree)
        elif kind == "move":
            walk.move(id_, tree)
        else:
            id_, tree = walk.merge(id_, tree, KINDS[kind])
