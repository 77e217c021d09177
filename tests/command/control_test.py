# SPDX-License-Identifier: MIT
"""What is not made here, and is printed, drives no terminal: of a patch, of git, of a place."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvm_export_hook.report.formats import FORMATS
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.patches import mail
from tests.helpers.repositories import Repository
from tests.helpers.support import write

# An escape sequence, a return, and what stands for one alone; and a change of direction.
HOSTILE = "\x1b[2K\r\x9b2K\u202e"

RENAME = (
    rb'diff --git "a/d/\033[2K\rX\302\233\342\200\256.c" b/virt/kvm/x.c'
    b"\nsimilarity index 100%\n"
    rb'rename from "d/\033[2K\rX\302\233\342\200\256.c"'
    b"\nrename to virt/kvm/x.c\n"
)


def holds_control(text: str) -> bool:
    """Whether TEXT has a character that a terminal acts on, but the ends of its lines."""
    return not text.replace("\n", "").isprintable()


@pytest.mark.parametrize("form", FORMATS)
@parametrize(
    "text",
    {
        "name-of-a-rename": RENAME,
        "name-in-a-mail": mail(RENAME),
        "subject": mail(RENAME).replace(b"[PATCH] KVM", f"[PATCH] {HOSTILE}".encode()),
        "broken-hunk": mail(
            f"diff --git a/virt/kvm/{HOSTILE}.c b/virt/kvm/{HOSTILE}.c\n"
            f"--- a/virt/kvm/{HOSTILE}.c\n+++ b/virt/kvm/{HOSTILE}.c\n@@ -1 +1 @@\n".encode()
        ),
    },
)
def test_a_patch_that_cannot_be_judged(top: Path, command: Command, form: str, text: bytes) -> None:
    write(top / "p", text)
    status, out, err = command("--format", form, "--patch=p")
    assert status == 2
    assert err
    assert not holds_control(out + err)


def test_the_name_of_the_temporary_directory(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(linux.top / "p", mail(RENAME))
    monkeypatch.setenv("TMPDIR", f"/nowhere{HOSTILE}")
    status, out, err = command("--patch=p")
    assert (status, out) == (2, "")
    assert "set TMPDIR to another" in err
    assert not holds_control(err)


def test_what_git_says(linux: Repository, command: Command) -> None:
    write(linux.top / ".git/refs/heads" / f"b{HOSTILE[:4]}", b"not an id\n")
    for name in (f"b{HOSTILE[:4]}", HOSTILE, f"--{HOSTILE}"):
        status, _, err = command(f"--commits={name}..HEAD")
        assert status == 2
        assert not holds_control(err)
