# SPDX-License-Identifier: MIT
"""What holds in every format: its row, its status, the notes, where a finding is from."""

from __future__ import annotations

import json
import os
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from kvm_export_hook.escape import disarm
from kvm_export_hook.report import as_text
from kvm_export_hook.report.formats import FORMATS
from kvm_export_hook.report.layout import Layout
from kvm_export_hook.run import NOTHING_CHECKED
from kvm_export_hook.values import Origin
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.support import (
    BAD,
    CHECKOUT,
    COMMAND,
    MAKEFILE_WITH_UNKNOWN_CHECK,
    TYPES_WITH_MACRO,
    TYPES_WITHOUT_MACRO,
    judge_file,
    make_environment,
    write,
)

REPORTS = {
    name: import_module(f"kvm_export_hook.report.{row.module}").report
    for name, row in FORMATS.items()
}


def test_every_module_of_a_format_has_a_row() -> None:
    modules = {path.stem for path in (CHECKOUT / "kvm_export_hook/report").glob("as_*.py")}
    assert modules == {row.module for row in FORMATS.values()} | {"as_list", "as_changes"}


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_prints_for_nothing(top: Path, command: Command, name: str) -> None:
    printed = command("--format", name)
    assert (printed.status, printed.err) == (0, "")
    assert bool(printed.out) is (name in ("b4", "json", "sarif"))


NOTED = {
    "nothing-is-enforced": (
        b"obj-y += x86.o\n",
        TYPES_WITHOUT_MACRO,
        "nothing enforced: this tree",
    ),
    "the-check-is-not-known": (
        MAKEFILE_WITH_UNKNOWN_CHECK,
        TYPES_WITH_MACRO,
        "this tree's make check is not one that this hook knows: it may fail on what is passed",
    ),
}


@parametrize(("makefile", "header", "note"), NOTED)
@pytest.mark.parametrize("name", FORMATS)
def test_a_note_on_a_tree_is_in_every_format(
    top: Path, command: Command, name: str, makefile: bytes, header: bytes, note: str
) -> None:
    write(top / "arch/x86/kvm/Makefile", makefile)
    write(top / "include/linux/kvm_types.h", header)
    status, out, err = command("--format", name)
    assert status == 0
    assert (note in err) is FORMATS[name].notes_on_stderr
    assert (note in out) is (name != "text")
    starts = {"github": "::warning::", "checkpatch": "WARNING: ", "text": ""}
    if name in starts:
        assert out.startswith(starts[name])
        assert out.count("\n") == (name != "text")


def test_findings_come_before_notes_in_checkpatch(top: Path, command: Command) -> None:
    write(top / "arch/x86/kvm/Makefile", MAKEFILE_WITH_UNKNOWN_CHECK)
    write(top / "virt/kvm/x.c", BAD)
    status, out, err = command("--format", "checkpatch")
    assert (status, err) == (1, "")
    first, second = out.splitlines()
    assert first.startswith("virt/kvm/x.c:1: ERROR: ")
    assert second.startswith("WARNING: ")


@pytest.mark.parametrize("name", ["text", "json"])
def test_a_note_on_a_tree_is_in_the_list(top: Path, command: Command, name: str) -> None:
    write(top / "arch/x86/kvm/Makefile", MAKEFILE_WITH_UNKNOWN_CHECK)
    status, out, err = command("--list", "--format", name)
    assert (status, err.count("\n")) == (0, 1)
    assert "this hook knows" in err
    if name == "json":
        (note,) = json.loads(out)["notes"]
        assert note["path"] == "."
        assert note["message"] in err


def test_a_note_on_no_tree_in_particular(top: Path, command: Command) -> None:
    (top / "scripts").mkdir()
    assert command("--format=github", "scripts") == (0, f"::warning::{NOTHING_CHECKED}\n", "")
    # A patch of anything but KVM is no reason for b4 to warn.
    assert command("--format=checkpatch", "scripts") == (0, "", "")


ORIGINS = {
    "commit": (
        Origin("0123456789abcdef0123456789abcdef01234567", "KVM: x: ::error::x"),
        "commit 0123456789ab: KVM: x: ::error::x",
    ),
    "mail": (Origin(None, "::add-mask::e"), "mail: ::add-mask::e"),
}


@parametrize(("origin", "heading"), ORIGINS)
@pytest.mark.parametrize("name", FORMATS)
def test_the_commit_or_mail_is_named(name: str, origin: Origin, heading: str) -> None:
    printed = "".join(REPORTS[name]([judge_file(BAD, origin=origin)], Layout()))
    if name == "json":
        (finding,) = json.loads(printed)["findings"]
        assert (finding["commit"], finding["subject"]) == (origin.commit, origin.subject)
    elif name == "sarif":
        (result,) = json.loads(printed)["runs"][0]["results"]
        assert result["properties"] == {"commit": origin.commit, "subject": origin.subject}
    else:
        assert heading in printed
    for line in printed.splitlines():
        assert line.startswith("::") is (name == "github")


@pytest.mark.parametrize("name", FORMATS)
def test_no_subject_or_source_is_a_command_in_the_middle_of_a_line(name: str) -> None:
    result = judge_file(b"EXPORT_SYMBOL(##[error]a);\n", origin=Origin(None, "KVM: ##[group]x"))
    printed = "".join(REPORTS[name]([result], Layout()))
    assert "##[" not in printed
    if name == "json":
        (finding,) = json.loads(printed)["findings"]
        assert (finding["symbol"], finding["subject"]) == ("##[error]a", "KVM: ##[group]x")


COMMANDS = {
    "at-the-start": ("::error::x\n", r"\x3a:error::x" + "\n"),
    "after-blanks": (" \t::error::x", " \t\\x3a:error::x"),
    "on-the-second-line": ("a\n::b\n", "a\n" + r"\x3a:b" + "\n"),
    "inside-a-line": ("a ::error::x\n", "a ::error::x\n"),
    "of-another-service": ("a ##[error]x\n", r"a #\x23[error]x" + "\n"),
    "none": ("a: b\n", "a: b\n"),
}


@parametrize(("text", "disarmed"), COMMANDS)
def test_what_a_service_would_take_for_a_command_is_escaped(text: str, disarmed: str) -> None:
    assert disarm(text) == disarmed


@pytest.mark.parametrize("name", FORMATS)
def test_a_lone_mail_is_named_only_where_it_is_not_at_hand(name: str) -> None:
    result = judge_file(BAD, origin=Origin(None, "KVM: x", is_alone=True))
    printed = "".join(REPORTS[name]([result], Layout()))
    assert ("KVM: x" in printed) is (name not in ("text", "checkpatch", "b4"))


def test_each_origin_has_one_heading() -> None:
    results = [judge_file(BAD, origin=origin) for origin, _ in ORIGINS.values() for _ in range(2)]
    lines = "".join(as_text.report(results, Layout())).splitlines()
    headings = [line for line in lines if line.startswith(("commit 0", "mail: "))]
    assert headings == [heading for _, heading in ORIGINS.values()]
    quiet = "".join(as_text.report(results, Layout(quiet=True))).splitlines()
    assert [line for line in quiet if ": error: " not in line] == headings


def run_into(reader: str, name: str, **changes: str) -> tuple[int, bytes]:
    """Run the command in the format NAME, its output into READER; return status and stderr."""
    script = f'"$0" --format {name} . | {reader} > /dev/null; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", script, str(COMMAND)],
        capture_output=True,
        check=False,
        env=make_environment(**changes),
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("changes", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_the_status_does_not_depend_on_a_reader(
    top: Path, name: str, changes: dict[str, str]
) -> None:
    for number in range(3):
        write(top / f"virt/kvm/x{number}.c", BAD * 400)
    for reader in ("true", "head -c 1"):
        assert run_into(reader, name, **changes) == (1, b"")


@pytest.mark.parametrize("name", FORMATS)
def test_trouble_after_the_reader_has_gone_is_still_seen(top: Path, name: str) -> None:
    write(top / "virt/kvm/a.c", BAD * 4000)
    os.mkfifo(top / "virt/kvm/z.c")
    status, err = run_into("true", name)
    assert status == 2
    assert b"virt/kvm/z.c: is a FIFO" in err
