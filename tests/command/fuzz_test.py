# SPDX-License-Identifier: MIT
"""Any input at all. ``make fuzz`` takes longer over this, and over every other property."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from kvm_export_hook.report.formats import FORMATS
from tests.helpers.random_c import SOURCES
from tests.helpers.reference import Expected, find_findings
from tests.helpers.support import (
    ALLOWLIST,
    MAKEFILE_WITH_CHECK,
    TYPES_WITH_MACRO,
    TYPES_WITHOUT_MACRO,
    judge_file,
    run_in_process,
    write,
)
from tests.patch.patch_test import BROKEN, SHAPES


@given(SOURCES, st.booleans())
def test_what_is_found_is_what_the_reference_finds(source: bytes, has_check: bool) -> None:
    found = judge_file(source, check=has_check).findings
    reported = [Expected(each.offset, each.rule, each.symbol) for each in found]
    for each in reported:
        event(each.rule)
    assert reported == find_findings(source, ALLOWLIST, has_check)


# The command.

MAKEFILES = st.one_of(
    st.just(MAKEFILE_WITH_CHECK),
    st.lists(
        st.sampled_from([*MAKEFILE_WITH_CHECK.split(b" "), b"\n", b"'", b"#", b"\xff"]), max_size=20
    ).map(b" ".join),
)
HEADERS = st.one_of(
    st.sampled_from([TYPES_WITH_MACRO, TYPES_WITHOUT_MACRO]), st.binary(max_size=20)
)


@st.composite
def patches(draw: st.DrawFn) -> bytes:
    """Take a patch of the tests, cut lines out of it, and put others in."""
    known = [text for text, _ in (*SHAPES.values(), *BROKEN.values())]
    lines = draw(st.sampled_from(known)).splitlines(keepends=True)
    for at in draw(st.lists(st.integers(0, len(lines)), max_size=3)):
        cut = draw(st.integers(0, 2))
        put = draw(st.one_of(st.sampled_from([b"", b"+", b"@@", *lines]), SOURCES, st.binary()))
        lines[at : at + cut] = [put]
    return b"".join(lines)


ARGUMENTS = st.lists(
    st.one_of(
        st.sampled_from(["--fix", "--diff", "--list", "--quiet", "--force", "--color=always"]),
        st.sampled_from(sorted(FORMATS)).map("--format={}".format),
        st.sampled_from(["--allow=kvm_foo", "--allow", "--srctree=.", "--srctree", "--", "--help"]),
        st.sampled_from(["--patch=patch", "--patch", "patch", "virt/kvm/x.c", "virt", "no.c", ""]),
        st.binary(max_size=5).map(lambda raw: os.fsdecode(raw.replace(b"\0", b""))),
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A tree whose files every example writes anew; the working directory."""
    before = Path.cwd()
    top = tmp_path_factory.mktemp("fuzz")
    os.chdir(top)
    yield top
    os.chdir(before)


@given(source=SOURCES, patch=patches(), makefile=MAKEFILES, header=HEADERS, arguments=ARGUMENTS)
@example(b"", b"", b"", b"", ["--format=json", "--list"])
def test_the_command_ends_well(
    tree: Path, source: bytes, patch: bytes, makefile: bytes, header: bytes, arguments: list[str]
) -> None:
    write(tree / "virt/kvm/x.c", source)
    write(tree / "patch", patch)
    write(tree / "arch/x86/kvm/Makefile", makefile)
    write(tree / "include/linux/kvm_types.h", header)
    status, out, err = run_in_process(*arguments)
    event(f"exit status {status}")
    assert status in (0, 1, 2)
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    forms = [option for option in options if option.startswith("--format=")]
    if out and "--help" not in options and forms[-1:] == ["--format=json"]:
        assert json.loads(out)["format_version"] == 2
    if "--diff" not in options:  # which says there what it would leave
        assert all(line.startswith("kvm-export-hook: ") for line in err.splitlines())
        assert status == 2 or not any("error: " in line for line in err.splitlines())
