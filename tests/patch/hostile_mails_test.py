# SPDX-License-Identifier: MIT
"""Mails that mean ill change nothing, and do not hide what comes after them in the same mail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Repository, list_contents
from tests.helpers.support import BAD, write

HEADERS = b"From: A Developer <developer@example.org>\nSubject: [PATCH] hostile\n\nText.\n---\n"
MODE = b"100644"


def make_file(name: bytes, content: bytes = BAD, mode: bytes = MODE, quote: bytes = b"") -> bytes:
    """Write the diff of a new file."""
    lines = b"".join(b"+" + line for line in content.splitlines(keepends=True))
    old, new = (quote + side + name + quote for side in (b"a/", b"b/"))
    return (
        b"diff --git %s %s\nnew file mode %s\nindex 0000000..789abcd\n--- /dev/null\n+++ %s\n"
        b"@@ -0,0 +1,%d @@\n%s" % (old, new, mode, new, content.count(b"\n"), lines)
    )


GITLINK = b"Subproject commit 1234567890123456789012345678901234567890\n"
# What comes first in the mail, and the status: 2 where git refuses it in a directory of KVM.
HOSTILE = {
    "above": (make_file(b"../up.c"), 1),
    "above-in-quotes": (make_file(b"\\056./up.c", quote=b'"'), 1),
    "above-from-within-kvm": (make_file(b"virt/kvm/../../../up.c"), 2),
    "absolute": (make_file(b"/tmp/absolute.c"), 1),
    "absolute-of-kvm": (make_file(b"/virt/kvm/y.c"), 1),
    "configuration-of-git": (make_file(b".git/config", b"[core]\n\tbare = true\n"), 1),
    "the-same-in-capitals": (make_file(b".GIT/config", b"[core]\n\tbare = true\n"), 1),
    "the-same-in-kvm": (make_file(b"virt/kvm/.git/x.c"), 2),
    "the-same-on-windows": (make_file(b"virt/kvm/git~1/x.c"), 2),
    "a-hook": (make_file(b".git/hooks/pre-commit", b"#!/bin/sh\n", b"100755"), 1),
    "a-lock": (make_file(b".git/index.lock"), 1),
    "attributes": (make_file(b"virt/kvm/.gitattributes", b"*.c binary\n"), 1),
    "a-submodule": (make_file(b"virt/kvm/sub", GITLINK, b"160000"), 2),
    "a-submodule-in-the-place-of-a-file": (make_file(b"virt/kvm/s.c", GITLINK, b"160000"), 2),
    "a-mode-that-runs-as-its-owner": (make_file(b"virt/kvm/m.c", mode=b"104755"), 1),
    "mode-of-a-directory": (make_file(b"virt/kvm/m.c", mode=b"040000"), 1),
    "below-a-file": (make_file(b"virt/kvm/kvm_main.c/x.c"), 2),
    "no-name": (make_file(b""), 2),
    "a-name-of-two-lines": (make_file(b"virt/kvm/a\\nb.c", quote=b'"'), 1),
    "a-long-name": (make_file(b"virt/kvm/" + b"a/" * 3000 + b"x.c"), 1),
    "a-thousand-files": (b"".join(make_file(b"virt/kvm/%d.c" % each) for each in range(1000)), 1),
    "a-thousand-elsewhere": (b"".join(make_file(b"lib/%d.c" % each) for each in range(1000)), 1),
    "ten-megabytes": (make_file(b"lib/l.c", b"int l;\n" * 1_500_000), 1),
}


@parametrize(("first", "expected"), HOSTILE)
def test_a_hostile_mail(
    linux: Repository,
    tmp_path: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    first: bytes,
    expected: int,
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    path = write(tmp_path / "mail", HEADERS + first + make_file(b"virt/kvm/n.c"))
    before = list_contents(linux.top)
    status, out, err = command("--patch", str(path))
    assert status == expected, err
    if status == 1:
        assert "virt/kvm/n.c:1:1: error: " in out
    assert list_contents(linux.top) == before
    assert sorted(os.listdir(tmp_path)) == ["linux", "mail", "scratch"]
    assert not os.listdir(scratch)
