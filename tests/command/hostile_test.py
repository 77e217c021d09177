# SPDX-License-Identifier: MIT
"""Files that are made to be slow or to break things: 10 MB of each pattern get a right answer.

The benchmark measures how long they take; here nothing may hang.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.hostile_input import hostile_files
from tests.helpers.support import COMMAND, make_unmeasured_environment, write

FILES = dict(hostile_files())
# Those of exports and little else: half a million findings are too many for a test.
CROWDED = {
    "exports on lines",
    "exports on one line",
    "unclosed calls",
    "calls in calls",
    "exports of strings",
    "exports of comments",
    "exports in a directive",
}
CLEAN = {"backslashes in a string", "comment openers", "stems", "longer words"}


def run(content: bytes) -> subprocess.CompletedProcess[bytes]:
    write("virt/kvm/x.c", content)
    return subprocess.run(
        [str(COMMAND), "--quiet", "virt/kvm/x.c"],
        capture_output=True,
        check=False,
        env=make_unmeasured_environment(),
        timeout=60,
    )


@pytest.mark.parametrize("name", FILES)
def test_hostile_files(top: Path, name: str) -> None:
    size = 500_000 if name in CROWDED else 10_000_000
    content: Callable[[int], bytes] = FILES[name]
    done = run(content(size))
    assert done.stderr == b""
    assert done.returncode == (0 if name in CLEAN else 1)
    assert bool(done.stdout) is (name not in CLEAN)


def test_a_line_of_50_mb(top: Path) -> None:
    done = run(b"x" * 25_000_000 + b" EXPORT_SYMBOL(a); " + b"x" * 25_000_000)
    assert done.returncode == 1
    assert done.stdout == (
        b"virt/kvm/x.c:1:25000002: error: EXPORT_SYMBOL(a):"
        b" KVM never uses this macro [forbidden-macro]\n"
    )
    assert done.stderr == b""
