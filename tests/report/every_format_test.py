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
from kvm_export_hook.values import Origin
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.support import (
    BAD,
    CHECKOUT,
    COMMAND,
    judge_file,
    make_environment,
    make_tree,
    write,
)

REPORTS = {
    name: import_module(f"kvm_export_hook.report.{row.module}").report
    for name, row in FORMATS.items()
}


def test_every_module_of_a_format_has_a_row() -> None:
    modules = {path.stem for path in (CHECKOUT / "kvm_export_hook/report").glob("as_*.py")}
    assert modules == {row.module for row in FORMATS.values()} | {"as_list"}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_prints_for_nothing_as_its_row_says(
    top: Path, command: Command, name: str
) -> None:
    printed = command("--format", name)
    assert (printed.status, printed.err) == (0, "")
    assert bool(printed.out) is (name in ("b4", "json", "sarif"))
    assert not printed.out or FORMATS[name].prints_when_clean


@pytest.mark.parametrize("name", FORMATS)
def test_a_tree_that_enforces_nothing_is_named(top: Path, command: Command, name: str) -> None:
    make_tree(top, macro=False)
    status, out, err = command("--format", name)
    assert status == 0
    assert ("nothing enforced" in err) is FORMATS[name].notes_on_stderr
    assert ("nothing enforced" in out) is (name != "text")
    if name in ("github", "checkpatch"):
        start = {"github": "::warning::", "checkpatch": "WARNING: "}[name]
        assert out.startswith(f"{start}nothing enforced: ")


def test_a_note_on_no_tree_in_particular(top: Path, command: Command) -> None:
    (top / "scripts").mkdir()
    said = "nothing checked: found no C source below virt/kvm or arch/x86/kvm"
    assert command("--format=github", "scripts") == (0, f"::warning::{said}\n", "")
    # A series has patches that touch nothing of KVM.
    assert command("--format=checkpatch", "scripts") == (0, "", "")


def read_remarks(name: str, out: str) -> list[str]:
    """Read from OUT, in the format NAME, what it says beside the findings."""
    if name == "json":
        reported = json.loads(out)
        remarks = [*reported["errors"], *reported["notes"]]
        return [": ".join(filter(None, each.values())) for each in remarks]
    if name == "sarif":
        (invocation,) = json.loads(out)["runs"][0]["invocations"]
        return [each["message"]["text"] for each in invocation["toolExecutionNotifications"]]
    if name == "b4":
        listed = json.loads(json.loads(out)["details"])
        return [each["description"] for each in listed if "ERROR: " not in each["description"]]
    lines = out.splitlines()
    return [line.partition("::not checked: ")[2] for line in lines if "::warning::" in line]


FIFO = "is a FIFO, not a regular file: name a source file"


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_not_checked_is_said_beside_the_findings(
    top: Path, command: Command, name: str
) -> None:
    write(top / "virt/kvm/b.c", BAD)
    os.mkfifo(top / "virt/kvm/a.c")
    os.mkfifo(top / "virt/kvm/\x1b[2J%.c")
    status, out, err = command("--format", name)
    assert status == 2
    assert "kvm_sample" in out
    names = ("virt/kvm/\\x1b[2J%.c", "virt/kvm/a.c")
    assert err == "".join(f"kvm-export-hook: error: {path}: {FIFO}\n" for path in names)
    if name in ("text", "checkpatch"):
        return
    said = [remark.replace("%25", "%") for remark in read_remarks(name, out)]
    if name == "json":  # which loses no byte
        said[0] = disarm(said[0]).replace("\x1b", r"\x1b")
    if name == "sarif":  # where a bracket begins a link
        said[0] = said[0].replace(r"\[", "[").replace(r"\\", "\\")
    assert said == [f"{path}: {FIFO}" for path in names]


@pytest.mark.parametrize("name", FORMATS)
def test_an_error_before_the_first_finding_is_in_the_report(
    top: Path, command: Command, name: str
) -> None:
    status, out, err = command("--format", name, "--staged")
    said = "git finds no repository here"
    assert status == 2
    assert err.startswith(f"kvm-export-hook: error: {said}")
    if name in ("text", "checkpatch"):
        assert out == ""
    else:
        (remark,) = read_remarks(name, out)
        assert remark.startswith(said)


@pytest.mark.parametrize("name", FORMATS)
def test_a_fault_of_ours_does_not_end_the_report(top: Path, command: Command, name: str) -> None:
    # Found by reading a patch of stdin that nobody can read: the stream has no descriptor.
    write(top / "virt/kvm/b.c", BAD)
    status, out, err = command("--format", name, "--patch", "nul\0byte")
    assert status == 2
    assert "internal error: ValueError: embedded null byte: please report this" in err
    if name not in ("text", "checkpatch"):
        (remark,) = read_remarks(name, out)
        assert remark.startswith("internal error: ValueError: ")


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
    if name in ("text", "checkpatch", "github", "b4"):
        assert heading in printed
    elif name == "json":
        (finding,) = json.loads(printed)["findings"]
        assert (finding["commit"], finding["subject"]) == (origin.commit, origin.subject)
    else:
        (result,) = json.loads(printed)["runs"][0]["results"]
        assert result["properties"] == {"commit": origin.commit, "subject": origin.subject}
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
    assert ("KVM: x" in printed) is (name in ("json", "sarif", "github"))


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
