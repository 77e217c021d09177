# SPDX-License-Identifier: MIT
"""The promise for commits, along random histories on which real make passes.

A commit on which the make check fails is taken back: the next one starts from a tree
that passes, and that may hold old exports to which the check is blind.
"""

from __future__ import annotations

import os
from functools import reduce

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.helpers.random_kernels import BLIND, UNCHECKED, Kernel, edit, merge
from tests.helpers.support import write
from tests.kernel.conftest import Checked


# An example is a history, and takes more than a second at worst.
@settings(max_examples=max(settings().max_examples // 3, 1))
@given(data=st.data())
def test_nothing_found_means_that_make_goes_on_to_pass(
    checked: Checked, data: st.DataObject
) -> None:
    checked.reset(checked.initial, BLIND)
    checked.stage(data.draw(st.sampled_from([BLIND, UNCHECKED])))
    checked.repository.commit_index()
    for _ in range(data.draw(st.integers(2, 4))):
        before = checked.kernel
        checked.stage(data.draw(edit(before)))
        _, found = checked.commit()
        passes = checked.make_passes()
        event(f"{'found' if found else 'nothing found'}, make {'passes' if passes else 'fails'}")
        assert passes or found
        if not passes:
            checked.repository.git("reset", "--quiet", "--soft", "HEAD^")
            checked.kernel = before


# What no edit of a tree alone makes, and how many branches it takes.
KINDS = {"edit": 1, "merge": 2, "octopus": 3, "link": 0, "move": 0}
PLACES = ("virt/kvm", "arch/x86/kvm", "virt")


class Walk:
    """Random commits in a repository, of which some are merges or move the kernel."""

    def __init__(self, checked: Checked, data: st.DataObject) -> None:
        self.checked = checked
        self.repository = checked.repository
        self.data = data

    def record(self, subject: str) -> str:
        """Commit what is staged, after a look at it; return the id."""
        status, _ = self.checked.commit()
        passes = self.checked.make_passes()
        event(f"{subject}: status {status}, make {'passes' if passes else 'fails'}")
        assert passes or status, subject
        return self.repository.git("rev-parse", "HEAD").strip() if passes else ""

    def branch(self, start: str, tree: Kernel) -> tuple[str, Kernel]:
        """Commit a change of TREE, on which make passes, on a branch from START."""
        self.checked.reset(start, tree)
        changed = self.data.draw(edit(tree))
        self.checked.stage(changed)
        id_ = self.record("edit")
        if id_:
            return id_, changed
        self.checked.reset(start, tree)
        return start, tree

    def merge(self, start: str, tree: Kernel, count: int) -> tuple[str, Kernel]:
        """Merge COUNT branches from START into one tree, which may be evil."""
        made = [self.branch(start, tree) for _ in range(count)]
        self.checked.reset(*made[0])
        id_ = made[0][0]
        others = list(dict.fromkeys(each for each, _ in made[1:] if each not in (id_, start)))
        if id_ == start or not others:
            return made[0]
        self.repository.git("merge", "--quiet", "--no-commit", "--no-ff", "-s", "ours", *others)
        facts = self.data.draw(st.sampled_from([each for _, each in made]))
        merged = reduce(merge, [each for _, each in reversed(made)], facts._replace(files={}))
        if self.data.draw(st.booleans()):
            merged = self.data.draw(edit(merged))
        self.checked.stage(merged)
        done = self.record("merge")
        if done:
            return done, merged
        self.checked.reset(*made[0])
        return made[0]

    def link(self, start: str, tree: Kernel) -> None:
        """Put a link in the place of a directory of KVM: exit status 2 as long as it is there."""
        place = self.checked.top / self.data.draw(st.sampled_from(PLACES))
        elsewhere = self.checked.top / "elsewhere"
        place.rename(elsewhere)
        place.symlink_to(os.path.relpath(elsewhere, place.parent))
        self.repository.git("add", "--all")
        assert self.checked.find("--staged")[0] == 2
        self.repository.record("link")
        assert self.checked.find("--commits", "HEAD")[0] == 2
        write(elsewhere / "kvm/x.c", b"EXPORT_SYMBOL(kvm_foo);\n")
        self.repository.git("add", "--all")
        assert self.checked.find("--staged")[0] == 2
        event("link")
        self.checked.reset(start, tree)

    def move(self, start: str, tree: Kernel) -> None:
        """Move the kernel into a subdirectory, and change it there."""
        top = self.repository.top
        (top / "linux").mkdir()
        for name in ("arch", "include", "scripts", "virt"):
            if (top / name).exists():
                (top / name).rename(top / "linux" / name)
        self.repository.git("add", "--all")
        assert self.checked.find("--staged")[0] == 2
        self.checked.prefix = "linux/"
        if self.record("move"):
            self.checked.stage(self.data.draw(edit(tree)))
            self.record("edit after a move")
        self.checked.reset(start, tree)


@settings(max_examples=max(settings().max_examples // 10, 1), suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_the_same_through_merges_links_and_moves(checked: Checked, data: st.DataObject) -> None:
    checked.reset(checked.initial, BLIND)
    walk, id_, tree = Walk(checked, data), checked.initial, BLIND
    for _ in range(data.draw(st.integers(2, 4))):
        kind = data.draw(st.sampled_from(sorted(KINDS)))
        if kind == "link":
            walk.link(id_, tree)
        elif kind == "move":
            walk.move(id_, tree)
        else:
            id_, tree = walk.merge(id_, tree, KINDS[kind])
