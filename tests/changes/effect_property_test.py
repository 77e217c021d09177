# SPDX-License-Identifier: MIT
"""What ``--list`` says of each commit of a branch adds up to what it says of the two ends."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests import conftest
from tests.helpers.repositories import Repository
from tests.helpers.support import TYPES_WITH_MACRO, make_makefile, run_in_process

MAKEFILE, HEADER = "arch/x86/kvm/Makefile", "include/linux/kvm_types.h"
PATHS = ["virt/kvm/a.c", "virt/kvm/b.h", "arch/x86/kvm/c.c", "arch/x86/kvm/kvm_a.c", "fs/f.c"]
MACROS = ["SYMBOL_GPL", "SYMBOL_GPL", "SYMBOL_FOR_KVM_INTERNAL", "SYMBOL", "TRACEPOINT_SYMBOL_GPL"]
# Both sides of a merge may do anything, but not to the same symbols: what one side has
# dropped twice would be dropped once.
SYMBOLS = {side: [f"kvm_{side}{number}" for number in range(3)] for side in ("main", "side", "odd")}
Exports = Counter[tuple[str, str, str]]


class Tree:
    """A tree: the lines of each file, and the names of the list."""

    def __init__(self, lines: list[tuple[str, str, str]], names: set[str]) -> None:
        self.lines = lines  # the path, the macro and the symbol of each
        self.names = names

    def edit(self, random_: random.Random, symbols: list[str]) -> Tree:
        """Return the same after a few edits of SYMBOLS."""
        lines, names = list(self.lines), set(self.names)
        for _ in range(random_.choice((1, 1, 2, 3))):
            own = [each for each in lines if each[2] in symbols]
            kind = random_.choice(("add", "add", "drop", "move", "change", "double", "list"))
            if kind == "list":
                names ^= {random_.choice(symbols)}
            elif kind == "add" or not own:
                path, macro = random_.choice(PATHS), random_.choice(MACROS)
                lines.insert(random_.randint(0, len(lines)), (path, macro, random_.choice(symbols)))
            else:
                path, macro, symbol = line = random_.choice(own)
                if kind != "double":
                    lines.remove(line)
                if kind in ("move", "double"):
                    lines.append((random_.choice(PATHS), macro, symbol))
                if kind == "change":
                    lines.append((path, random_.choice(MACROS), symbol))
        return Tree(lines, names)

    def join(self, other: Tree, symbols: list[str]) -> Tree:
        """Return the same with what OTHER has of SYMBOLS."""
        lines = [each for each in self.lines if each[2] not in symbols]
        lines += [each for each in other.lines if each[2] in symbols]
        return Tree(lines, self.names - {*symbols} | (other.names & {*symbols}))

    def rename(self, random_: random.Random) -> Tree:
        """Return the same with all of a file in another."""
        old, new = random_.choice(PATHS), random_.choice(PATHS)
        lines = [(new if path == old else path, *rest) for path, *rest in self.lines]
        return Tree([(path, macro, symbol) for path, macro, symbol in lines], self.names)

    def write(self) -> dict[str, bytes]:
        """Write its files."""
        files = dict.fromkeys(PATHS, b"int a;\n")
        for path, macro, symbol in self.lines:
            files[path] += f"EXPORT_{macro}({symbol});\n".encode()
        makefile = make_makefile("kvm_listed", *sorted(self.names))
        return {**files, MAKEFILE: makefile, HEADER: TYPES_WITH_MACRO}


def write_branch(random_: random.Random) -> bytes:
    """Write a random branch for ``git fast-import``: its base is commit 1, its end the last."""
    stream: list[bytes] = []

    def commit(tree: Tree, *parents: int) -> int:
        number = sum(each.startswith(b"commit ") for each in stream) + 1
        stream.append(b"commit refs/heads/made-up\nmark :%d\n" % number)
        stream.append(b"committer A <a@example.org> %d +0000\ndata 0\n" % number)
        for word, parent in zip((b"from", b"merge"), parents, strict=False):
            stream.append(b"%s :%d\n" % (word, parent))
        stream.append(b"deleteall\n")
        for path, content in tree.write().items():
            stream.append(b"M 100644 inline %s\n" % path.encode())
            stream.append(b"data %d\n%s\n" % (len(content), content))
        return number

    everything = [each for symbols in SYMBOLS.values() for each in symbols]
    tree = Tree([], set()).edit(random_, everything)
    tip = commit(tree)
    for _ in range(random_.randint(1, 5)):
        kind = random_.choice(("edit", "edit", "rename", "merge"))
        if kind == "merge":
            main, side = tree.edit(random_, SYMBOLS["main"]), tree.edit(random_, SYMBOLS["side"])
            sides = commit(main, tip), commit(side, tip)
            tree = main.join(side, SYMBOLS["side"])
            if random_.random() < 0.5:
                tree = tree.edit(random_, SYMBOLS["odd"])
            tip = commit(tree, *sides)
        else:
            tree = tree.rename(random_) if kind == "rename" else tree.edit(random_, everything)
            tip = commit(tree, tip)
    return b"".join(stream)


def read_list(*arguments: str) -> Any:
    """Run ``--list`` on ARGUMENTS; return the object that it prints."""
    outcome = run_in_process("--list", "--format=json", *arguments)
    assert outcome.status == 0, outcome
    return json.loads(outcome.out)


def count(exports: list[dict[str, str]]) -> Exports:
    """Count EXPORTS by macro, symbol and verdict."""
    return Counter((each["macro"], each["symbol"], each["verdict"]) for each in exports)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """An empty repository, to which each example adds a branch."""
    made = Repository(tmp_path_factory.mktemp("branches"), conftest.HOME)
    made.git("init", "--quiet", "--template=")
    return made


@settings(max_examples=max(settings().max_examples // 5, 1))
@given(random_=st.randoms(use_true_random=True))
def test_the_commits_add_up_to_the_difference_of_the_ends(
    repository: Repository, random_: random.Random
) -> None:
    branch = write_branch(random_)
    marks = Path(repository.top, ".git/marks")
    done = repository.run(
        "git", "fast-import", "--quiet", "--force", f"--export-marks={marks}", stdin=branch
    )
    assert done.status == 0, done
    ids = dict(line.split() for line in marks.read_text().splitlines())
    base, end = ids[":1"], ids[f":{len(ids)}"]
    ends = []
    for id_ in (base, end):
        repository.git("checkout", "--quiet", "--detach", "--force", id_)
        ends.append(count(read_list(f"--srctree={repository.top}")["exports"]))
    place = f"--srctree={repository.top}"
    # Of the commits, and at once of the working tree, which is at the last one.
    for source in (f"--commits={base}..{end}", f"--since={base}"):
        total = Counter(ends[0])
        changes = read_list(place, source)["changes"]
        for change in changes:
            total.update(count([*change["added"], *change["changed"]]))
            total.subtract(
                count([*change["dropped"], *(each["was"] for each in change["changed"])])
            )
        event(f"{source[:7]}: {'something' if changes else 'nothing'}")
        assert {key: number for key, number in total.items() if number} == ends[1], source
