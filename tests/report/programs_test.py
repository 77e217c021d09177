# SPDX-License-Identifier: MIT
"""What other programs make of a report: vim's quickfix list, and a validator of SARIF."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.repositories import Repository
from tests.helpers.support import BAD, COMMAND, INTERNAL, make_unmeasured_environment, write

NAMES = ("virt/kvm/a b.c", "virt/kvm/a:1:b.c", "virt/kvm/a:b.c", "virt/kvm/z.c", "virt/kvm/é.c")
SOURCE = b"int a;\n\tEXPORT_SYMBOL(a);\n" + INTERNAL + BAD
# Where each file has its two findings.
PLACES = [(2, 2), (4, 1)]

# Go to each error, and write where that is.
VISIT = """\
for entry in getqflist()
  if entry.valid
    execute 'cc' index(getqflist(), entry) + 1
    call writefile([join([expand('%'), line('.'), col('.')], '|')], 'visited', 'a')
  endif
endfor
"""


@pytest.fixture
def bad(linux: Repository) -> Repository:
    """Make a kernel with two findings in a file of each of NAMES."""
    for name in NAMES:
        linux.write(name, SOURCE)
    return linux


def run(top: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    """Run COMMAND at TOP."""
    environment = make_unmeasured_environment(DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1")
    return subprocess.run(
        command,
        cwd=top,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )


@pytest.mark.skipif(not shutil.which("vim"), reason="vim is not here")
@pytest.mark.parametrize("read", ["cfile report", "set makeprg=cat\\ report | silent make!"])
def test_vim_jumps_to_each_finding(bad: Repository, read: str) -> None:
    write(bad.top / "report", run(bad.top, str(COMMAND)).stdout)
    write(bad.top / "visit.vim", VISIT.encode())
    commands = ("set encoding=utf-8", read, "source visit.vim", "qall!")
    run(bad.top, "vim", "-N", "-u", "NONE", "-es", *(f"+{each}" for each in commands))
    visited = (bad.top / "visited").read_text("utf-8").splitlines()
    assert visited == [f"{name}|{line}|{column}" for name in NAMES for line, column in PLACES]


VALIDATOR = shutil.which("Sarif.Multitool")


@pytest.mark.skipif(not VALIDATOR, reason="npm's @microsoft/sarif-multitool-linux is not here")
def test_a_validator_of_sarif_has_no_complaint(bad: Repository) -> None:
    (bad.top / "virt/kvm/link.c").symlink_to("z.c")  # an error among the findings
    report = run(bad.top, str(COMMAND), "--format=sarif").stdout
    assert json.loads(report)["runs"][0]["invocations"][0]["executionSuccessful"] is False
    write(bad.top / "report.sarif", report)
    assert VALIDATOR
    rules = ("--rule-kind", "Sarif;Ghas", "--level", "Error;Warning")
    said = run(bad.top, VALIDATOR, "validate", "report.sarif", *rules).stdout.decode()
    assert "Analysis completed successfully." in said
    assert "report.sarif(" not in said
