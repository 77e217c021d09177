# SPDX-License-Identifier: MIT
"""The make check is recognised or said to be unknown: real make on edits of a kernel's Makefile."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from kvm_export_hook.changes.find import Finder
from kvm_export_hook.changes.state import Change, State
from kvm_export_hook.git.compare import choose_old_facts, remove_list
from kvm_export_hook.rules import facts, policy
from kvm_export_hook.rules.makefile import read_logical_lines
from kvm_export_hook.values import Text
from tests.helpers.cases import parametrize
from tests.helpers.kernel_files import HEADER, KBUILD, MAKEFILE
from tests.helpers.support import run_in_process, write
from tests.kernel.makefiles import EDITS, KNOWN, NONE, UNKNOWN, Edit, make_random

INCLUDED = Path("virt/kvm/Makefile.kvm")
DRIVER = b"""\
CONFIG_KVM_X86 := y
srctree := .
obj := arch/x86/kvm
include scripts/Kbuild.include
include arch/x86/kvm/Makefile
all: ; @:
"""
FAILURES = ("unwanted occurrences of EXPORT_SYMBOL", "unterminated call to function 'error'")

# On each, the kernel's own check and the hook agree.
GOOD, BAD = b"EXPORT_SYMBOL_GPL(kvm_get_kvm);\n", b"EXPORT_SYMBOL_GPL(kvm_foo);\n"
SOURCES = {
    "good": ("virt/kvm/good.c", GOOD),
    "bad": ("virt/kvm/bad.c", BAD),
    "bad-in-a-directory": ("arch/x86/kvm/vmx/bad.h", BAD),
    "bad-macro": ("arch/x86/kvm/bad.c", b"EXPORT_SYMBOL(kvm_foo);\n"),
    "mention": ("virt/kvm/mention.h", b"/* EXPORT_SYMBOL_GPL is not for KVM */\n"),
    "split": ("arch/x86/kvm/split.c", b"EXPORT_SYMBOL_GPL(\n\tkvm_get_kvm);\n"),
}
FAILING = [name for name in SOURCES if name != "good"]


class Linux:
    """A tree of a kernel's Makefiles and header, and of one C file at a time."""

    def __init__(self, kernel: Path, top: Path) -> None:
        self.top = top
        for name in (HEADER, KBUILD, INCLUDED):
            write(top / name, (kernel / name).read_bytes())
        self.header = (kernel / HEADER).read_bytes()
        self.makefile = (kernel / MAKEFILE).read_bytes()
        self.facts: dict[bytes, facts.Facts] = {}
        self.driver = write(top / "driver.mk", DRIVER)
        write(top / "virt/kvm/kvm_main.c", b"int kvm;\n")

    def make_passes(self, makefile: bytes, source: str) -> bool | None:
        """Whether real make passes; None: it cannot read MAKEFILE."""
        path, text = SOURCES[source]
        write(self.top / MAKEFILE, makefile)
        write(self.top / path, text)
        done = subprocess.run(
            ["make", "--no-print-directory", "-f", str(self.driver), "all"],
            cwd=self.top,
            capture_output=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            check=False,
        )
        said = done.stderr.decode("utf-8", "replace")
        (self.top / path).unlink()
        if done.returncode and not any(failure in said for failure in FAILURES):
            return None
        return done.returncode == 0

    def hook_passes(self, makefile: bytes, source: str) -> tuple[bool, bool]:
        """Whether the hook finds nothing, and whether it notes that the check is unknown."""
        path, text = SOURCES[source]
        write(self.top / MAKEFILE, makefile)
        write(self.top / path, text)
        outcome = run_in_process("--format=json", str(self.top))
        (self.top / path).unlink()
        notes = [note["message"] for note in json.loads(outcome.out)["notes"]]
        assert notes in ([], [facts.UNKNOWN_CHECK])
        return outcome.status == 0, bool(notes)

    def read_facts(self, makefile: bytes) -> facts.Facts:
        """Read the facts of a tree with MAKEFILE, once."""
        if makefile not in self.facts:
            self.facts[makefile] = facts.read_facts(self.header, makefile)
        return self.facts[makefile]


@pytest.fixture(scope="module")
def linux(current: Path, tmp_path_factory: pytest.TempPathFactory) -> Linux:
    return Linux(current, tmp_path_factory.mktemp("check"))


def test_each_row_of_a_shape_is_what_a_kernel_has(trees: Path) -> None:
    """Print the rows of kernels whose check has no row yet."""
    found = {}
    for kernel in sorted(trees.glob("linux-*")):
        makefile = (kernel / MAKEFILE).read_bytes()
        if facts.has_check_word(makefile):
            for what, lines in (
                ("the bytes", makefile.replace(b"\\\n", b" ") + b"\n"),
                ("the lines", read_logical_lines(makefile)),
            ):
                _, check, names = facts.find_check(lines)
                assert names
                found[int.from_bytes(check, "big") % policy.PRIME] = f"{kernel.name}: {what}"
    missing = [f"0x{row:08X}: {found[row]}" for row in found if row not in policy.SHAPES]
    assert not missing, "rows for policy.SHAPES: " + ", ".join(missing)
    assert found.keys() == policy.SHAPES.keys()


@parametrize("edit", KNOWN)
def test_what_does_not_matter_leaves_the_check_known(linux: Linux, edit: Edit) -> None:
    for seed in range(12):
        makefile = edit(linux.makefile, make_random(seed))
        assert linux.read_facts(makefile).is_known, makefile


@parametrize("edit", UNKNOWN)
def test_what_may_matter_makes_it_unknown(linux: Linux, edit: Edit) -> None:
    for seed in range(12):
        read = linux.read_facts(edit(linux.makefile, make_random(seed)))
        assert (read.has_check, read.is_known, read.note) == (True, False, facts.UNKNOWN_CHECK)


@parametrize("edit", NONE)
def test_without_its_words_there_is_none(linux: Linux, edit: Edit) -> None:
    read = linux.read_facts(edit(linux.makefile, make_random(0)))
    assert (read.has_check, read.note) == (False, "")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", KNOWN)
def test_where_it_is_known_make_and_the_hook_agree(linux: Linux, name: str, source: str) -> None:
    makefile = KNOWN[name](linux.makefile, make_random(source))
    is_good = source == "good"
    assert linux.make_passes(makefile, source) is is_good
    assert linux.hook_passes(makefile, source) == (is_good, False)


@st.composite
def edited(draw: st.DrawFn, makefile: bytes) -> bytes:
    """Edit MAKEFILE in one to three ways, mostly in such as do not matter."""
    for _ in range(draw(st.integers(1, 3))):
        table = draw(st.sampled_from([KNOWN, KNOWN, EDITS]))
        edit = table[draw(st.sampled_from(sorted(table)))]
        makefile = edit(makefile, make_random(draw(st.integers(0, 1 << 16))))
    return makefile


@given(data=st.data())
def test_what_is_known_is_what_make_does(linux: Linux, data: st.DataObject) -> None:
    makefile = data.draw(edited(linux.makefile))
    source = data.draw(st.sampled_from(sorted(SOURCES)))
    make_passes = linux.make_passes(makefile, source)
    hook_passes, has_note = linux.hook_passes(makefile, source)
    read = linux.read_facts(makefile)
    kind = "known" if read.is_known else "unknown" if read.has_check else "none"
    event(f"{kind}, make passes: {make_passes}")
    assert has_note is (kind == "unknown")
    if kind == "known":
        assert make_passes is hook_passes
    elif kind == "none":
        assert make_passes is not False


def find_new(linux: Linux, before: bytes, after: bytes, sources: Iterable[str]) -> set[str]:
    """Find in which of SOURCES, all of them old, a commit of the Makefile alone adds findings."""
    new, old = linux.read_facts(after), linux.read_facts(before)
    texts = [Text(SOURCES[each][0].encode(), b"", SOURCES[each][1]) for each in sources]
    change = Change(None, State(new, texts), [State(choose_old_facts(new, old), texts)])
    return {result.text.name.decode() for result in Finder(yield_sources).find([change])}


def yield_sources(ids: Sequence[Hashable]) -> Iterator[tuple[Hashable, bytes]]:
    """Yield the sources that are their own ids."""
    return ((each, each) for each in ids if isinstance(each, bytes))


@pytest.fixture(scope="module")
def makefiles(linux: Linux) -> dict[str, bytes]:
    return {name: edit(linux.makefile, make_random(0)) for name, edit in EDITS.items()}


@pytest.mark.parametrize("after", KNOWN)
def test_only_where_the_lines_are_the_same_old_findings_cancel(
    linux: Linux, makefiles: dict[str, bytes], after: str
) -> None:
    """All pairs as commits."""
    for before, makefile in makefiles.items():
        found = find_new(linux, makefile, makefiles[after], FAILING)
        expected = set() if remove_list(makefile) == remove_list(makefiles[after]) else {*FAILING}
        assert found == {SOURCES[source][0] for source in expected}, before


@pytest.mark.parametrize("before", UNKNOWN | NONE)
def test_a_commit_that_restores_the_check_reports_what_make_fails_on_now(
    linux: Linux, makefiles: dict[str, bytes], before: str
) -> None:
    after = linux.makefile
    assert remove_list(makefiles[before]) != remove_list(after)
    passed = [source for source in FAILING if linux.make_passes(makefiles[before], source)]
    found = find_new(linux, makefiles[before], after, passed)
    assert found == {SOURCES[source][0] for source in passed}


@given(data=st.data())
def test_a_clean_commit_keeps_make_passing(linux: Linux, data: st.DataObject) -> None:
    before, after = (data.draw(edited(linux.makefile)) for _ in range(2))
    source = data.draw(st.sampled_from(sorted(SOURCES)))
    read = linux.read_facts(after)
    if read.has_check and not read.is_known:
        event("unknown after: nothing is promised")
        return
    found = find_new(linux, before, after, [source])
    passed, passes = (linux.make_passes(makefile, source) for makefile in (before, after))
    event(f"found {bool(found)}, make passed {passed}, passes {passes}")
    assert found or passes is not False or not passed


LARGE = 1 << 20
HUGE: dict[str, Callable[[bytes], bytes]] = {
    "comments": lambda text: b"# a comment\n" * (LARGE // 12) + text,
    "short-lines": lambda text: b"a\n" * (LARGE // 2) + text,
    "empty-lines": lambda text: b"\n" * LARGE + text,
    "objects": lambda text: b"kvm-$(CONFIG_X) += x.o\n" * (LARGE // 23) + text,
    "blanks": lambda text: b" \t" * (LARGE // 2) + text,
    "backslashes": lambda text: b"\\" * LARGE + text,
    "joined-lines": lambda text: b"\\\n" * (LARGE // 2) + text,
    "names": lambda text: text.replace(b" -e ", b" -e kvm_x" * (LARGE // 10) + b" -e ", 1),
    "words": lambda text: b"EXPORT_SYMBOL " * (LARGE // 14) + b"\n" + text,
    "lines-with-words": lambda text: b"EXPORT_SYMBOL\n" * (LARGE // 14) + text,
    "comments-with-words": lambda text: b"#EXPORT_SYMBOL\n" * (LARGE // 15) + text,
    "conditions": lambda text: b"ifdef X\nendif\n" * (LARGE // 14) + text,
    "hashes": lambda text: b"#" * LARGE + b"\n" + text,
}


@parametrize("enlarge", HUGE)
def test_a_huge_makefile_is_read(linux: Linux, enlarge: Callable[[bytes], bytes]) -> None:
    assert linux.read_facts(enlarge(linux.makefile)).has_check
