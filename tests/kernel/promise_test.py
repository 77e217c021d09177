# SPDX-License-Identifier: MIT
"""The promise: a clean hook means a passing make check. By real make, on the real tree.

Each case is one mutation of the current kernel. Where the hook is stricter
than the make check, the case stands in STRICTER with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from kvm_export_hook.rules import policy
from tests.conftest import Command
from tests.helpers import snippets
from tests.helpers.cases import parametrize
from tests.helpers.kernel_files import HEADER, KBUILD, MAKEFILE
from tests.helpers.random_c import PIECES, SOURCES
from tests.helpers.support import run_in_process, write
from tests.kernel.conftest import make_check

SNIPPETS: dict[str, bytes] = {
    **snippets.SNIPPETS,
    **{f"macro-{macro.decode()}": macro + b"(kvm_foo);\n" for macro in policy.MACROS},
}

LONGER = "the grep takes a longer name for the allowlisted one in it"
ON_THE_LINE = "the grep is content with an allowlisted name anywhere on the line"
UNKNOWN = "the grep does not know this macro"
BINARY = "grep shows no lines of a file that it takes for binary"
DIRECTIVE = "a macro that hides an export has no place in KVM"

STRICTER = {
    "name-that-contains-an-allowlisted-one": LONGER,
    "allowlisted-name-elsewhere-on-the-line": ON_THE_LINE,
    "several-on-a-line": ON_THE_LINE,
    "forbidden-although-allowlisted": "the grep lets EXPORT_SYMBOL of an allowlisted symbol pass",
    "parenthesised": "only the name itself is the symbol",
    "unclosed": ON_THE_LINE,
    "unclosed-before-a-permitted-one": ON_THE_LINE,
    "a-very-deep-call": "a call of over 64 parentheses is read as none",
    "a-very-long-call": "a call of over 1,024 bytes of code is read as none",
    "namespace": UNKNOWN,
    "nested-parentheses-and-a-second-argument": UNKNOWN,
    "raw-macro": UNKNOWN,
    "define-of-an-allowlisted-call": DIRECTIVE,
    "define-on-the-second-line": DIRECTIVE,
    "define-by-a-digraph": DIRECTIVE,
    "define-continued-at-the-start-of-a-line": DIRECTIVE,
    "define-continued-with-crlf": DIRECTIVE,
    "cr-begins-a-directive": DIRECTIVE,
    "cr-continues-a-directive": DIRECTIVE,
    "byte-order-mark-and-directive": DIRECTIVE,
    "nul-bytes": BINARY,
    "invalid-utf-8": BINARY,
    **{
        f"macro-{macro.decode()}": UNKNOWN
        for macro, row in policy.MACROS.items()
        if row.permitted != policy.ALWAYS and not row.is_grepped
    },
}

PLACES = {
    "virt-c": "virt/kvm/kvm_main.c",
    "virt-h": "virt/kvm/kvm_mm.h",
    "x86-c": "arch/x86/kvm/x86.c",
    "x86-h": "arch/x86/kvm/vmx/vmx.h",
}


def copy_files(source: Path, target: Path, *sources: str) -> Path:
    """Copy the check of a kernel, what it needs, and SOURCES."""
    for name in (MAKEFILE, HEADER, KBUILD, *map(Path, sources)):
        write(target / name, (source / name).read_bytes())
    return target


@pytest.fixture(scope="module")
def tree(current: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some files of the kernel; every case changes one of them, and puts it back."""
    return copy_files(current, tmp_path_factory.mktemp("promise") / "linux", *PLACES.values())


@pytest.fixture
def mutated(tree: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The tree with one snippet at the end of one of its files, or in a file of its own."""
    name, place = request.param
    path = tree / place
    before = path.read_bytes() if path.exists() else None
    path.write_bytes((before + b"\n" if before is not None else b"") + SNIPPETS[name])
    yield tree
    if before is None:
        path.unlink()
    else:
        path.write_bytes(before)


CASES = [
    pytest.param((name, place), name, id=f"{name}-{where}")
    for name in SNIPPETS
    for where, place in {**PLACES, "new": "virt/kvm/new.c"}.items()
    if where == "new" or not name.startswith("byte-order-mark")  # which begins a file
]


@pytest.mark.parametrize(("mutated", "name"), CASES, indirect=["mutated"])
def test_a_clean_hook_means_a_passing_make(
    mutated: Path, name: str, command: Command, tmp_path: Path
) -> None:
    clean = command("--quiet", str(mutated)).status == 0
    passes = make_check(mutated, tmp_path)
    assert passes or not clean
    assert (passes and not clean) is (name in STRICTER)


@pytest.mark.parametrize("name", SNIPPETS)
def test_it_holds_in_the_c_locale_too(
    tree: Path, name: str, command: Command, tmp_path: Path
) -> None:
    path = tree / "virt/kvm/new.c"
    path.write_bytes(SNIPPETS[name])
    clean = command("--quiet", str(tree)).status == 0
    passes = make_check(tree, tmp_path, locale="C")
    path.unlink()
    assert passes or not clean


NAMES = {
    "upper-case": (b"virt/kvm/X.C", True),
    "allowlisted-name-in-the-path": (b"virt/kvm/kvm_get_kvm.c", True),
    "newline": (b"virt/kvm/a\nb.c", False),
    "not-utf-8": (b"virt/kvm/\xff.h", True),  # for grep -v, binary input
    "hidden": (b"virt/kvm/.x.c", False),
    "deep": (b"arch/x86/kvm/a/b/c/d.h", False),
    "nothing-but-an-ending": (b"virt/kvm/.c", False),
    "assembly": (b"virt/kvm/x.S", True),
}


@parametrize(("name", "passes"), NAMES)
def test_names(tree: Path, name: bytes, passes: bool, command: Command, tmp_path: Path) -> None:
    path = tree / os.fsdecode(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"EXPORT_SYMBOL_GPL(kvm_foo);\n")
    clean = command("--quiet", os.fspath(path), str(tree)).status == 0
    assert make_check(tree, tmp_path) is passes
    path.unlink()
    assert clean is (name == b"virt/kvm/x.S")


@pytest.fixture(scope="module")
def bare_tree(current: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The check and what it needs, without the sources, which every example writes anew."""
    return copy_files(current, tmp_path_factory.mktemp("random"))


# A single piece too, or one finding would hide that another is missing.
@given(one=st.one_of(PIECES, SOURCES), other=PIECES)
def test_random_trees(bare_tree: Path, one: bytes, other: bytes) -> None:
    write(bare_tree / "virt/kvm/x.c", one)
    write(bare_tree / "arch/x86/kvm/y.h", other)
    clean = run_in_process("--quiet", str(bare_tree)).status == 0
    passes = make_check(bare_tree, bare_tree)
    event(f"{'clean' if clean else 'not clean'}, make {'passes' if passes else 'fails'}")
    assert passes or not clean


def test_there_are_enough_kinds_of_mutation() -> None:
    assert len(SNIPPETS) >= 60
    assert set(STRICTER) <= set(SNIPPETS)
