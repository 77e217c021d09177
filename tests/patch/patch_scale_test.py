# SPDX-License-Identifier: MIT
"""Many mails, and long ones: the same findings as one by one, in memory that stays flat."""

from __future__ import annotations

import os
import signal
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from kvm_export_hook.patch import scratch
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.patches import ADDED, diff, mail, read
from tests.helpers.repositories import Repository
from tests.helpers.support import COMMAND, make_environment, restore_signals, write

OTHER = diff("+int a;", old="a/fs/x.c", new="b/fs/x.c")
# Names without a directory change how git reads the names after them.
BARE = b"--- x.c\n+++ x.c\n@@ -1 +1 @@\n-a\n+b\n"
BROKEN = ADDED[:-4]


def make_mails(count: int) -> list[bytes]:
    """Make mails of several kinds, each with a symbol of its own."""
    kinds = (ADDED, OTHER, ADDED + OTHER, BARE + ADDED, BROKEN, b"", OTHER + BROKEN, ADDED + BARE)
    return [
        mail(kinds[number % len(kinds)].replace(b"foo", b"foo%d" % number))
        for number in range(count)
    ]


def test_an_mbox_is_judged_as_its_mails_one_by_one() -> None:
    mails = make_mails(120)
    findings, complaints = read(b"".join(mails))
    alone = [read(each) for each in mails]
    assert findings == [finding for each, _ in alone for finding in each]
    assert complaints == [complaint for _, each in alone for complaint in each]
    # After a name without a directory git reads all names whole.
    assert len(findings) == 45
    assert len(complaints) == 45


def test_a_broken_mail_does_not_spoil_those_that_git_reads_with_it() -> None:
    findings, complaints = read(mail(ADDED) + mail(BROKEN) + mail(ADDED))
    assert len(findings) == 2
    assert len(complaints) == 1


def measure_peak(text: bytes, path: Path, top: Path) -> int:
    """Measure the peak of memory of a run on the patch TEXT, in KiB."""
    write(path, text)
    script = (
        "import os, sys; p = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ,"
        " file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]);"
        " print(os.wait4(p, 0)[2].ru_maxrss)"
    )
    command = ["python", "-c", script, str(COMMAND), "--patch", str(path)]
    done = subprocess.run(
        command, cwd=top, env=make_environment(), capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_memory_does_not_grow_with_the_mails(top: Path, tmp_path: Path) -> None:
    kinds = (mail(ADDED + OTHER), mail(OTHER * 20))
    few, many = (b"".join(kinds * count) for count in (50, 200))
    grown = measure_peak(many, tmp_path / "m", top) - measure_peak(few, tmp_path / "m", top)
    assert grown < 1024


HEAD = b"diff --git a/virt/kvm/x.c b/virt/kvm/x.c\n--- a/virt/kvm/x.c\n+++ b/virt/kvm/x.c\n"


def repeat(before: bytes, part: bytes, after: bytes = b"") -> Callable[[int], bytes]:
    """Make an input of any length: PART again and again."""
    return lambda length: before + part * (length // len(part)) + after


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "short-added-lines": lambda length: (
        HEAD
        + b"@@ -0,0 +1,%d @@\n+EXPORT_SYMBOL(a);\n" % (length // 2 + 1)
        + b"+\n" * (length // 2)
    ),
    "short-hunks": repeat(HEAD, b"@@ -1 +1 @@\n-a\n+b\n"),
    "remarks": repeat(ADDED, b"Binary files a and b differ\n"),
    "one-remark": repeat(ADDED + b"Binary files ", b"a and ", b"\n"),
    "names-without-hunks": repeat(ADDED, b"--- a/virt/kvm/x.c\n+++ b/virt/kvm/x.c\n"),
    "header-lines": repeat(HEAD.partition(b"---")[0], b"index 1..2 100644\n"),
    "lines-after-a-hunk": repeat(ADDED, b"+\n"),
    "content-type": repeat(b"From: a\nContent-Type: ", b"multipart/mixed; ", b"\n\n" + ADDED),
    "charsets": repeat(b"From: a\nContent-Type: a\n", b"\tcharset=utf-\n", b"\n" + ADDED),
    "blanks": repeat(b"", b"\n", ADDED),
    "blanks-in-a-name": repeat(b"--- a/virt/kvm/x.c", b" 2026-11-01 ", b"\n+++ b/virt/kvm/x.c\n"),
    "comment": lambda length: (
        HEAD + b"@@ -0,0 +1,%d @@\n" % (length // 4 + 1) + b"+ *\n" * (length // 4) + b"+int a;\n"
    ),
}


@parametrize("make", HOSTILE)
def test_hostile_patches_take_memory_in_proportion(make: Callable[[int], bytes]) -> None:
    peaks = []
    for length in (200_000, 400_000):
        text = make(length)
        tracemalloc.start()
        read(text)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 200_000 * 10


def test_nothing_is_left_in_the_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    read(mail(ADDED) * 3)
    read(ADDED)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_there_after_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        restore_signals(str(COMMAND), "--patch", "-"),
        stdin=subprocess.PIPE,
        env=make_environment(TMPDIR=str(tmp_path)),
    ) as process:
        assert process.stdin
        # More than a pipe holds: once it is written, the directory is there.
        process.stdin.write(b"\n" * 1_000_000)
        assert os.listdir(tmp_path) != []
        process.send_signal(number)
        process.stdin.close()  # Python may have begun to read just before it takes the signal
        assert process.wait() == 2
    assert os.listdir(tmp_path) == []


def test_signals_end_the_program_again_after_a_patch() -> None:
    before = [signal.signal(number, signal.SIG_DFL) for number in scratch.CAUGHT_SIGNALS]
    read(ADDED)
    after = [
        signal.signal(number, kept)
        for number, kept in zip(scratch.CAUGHT_SIGNALS, before, strict=True)
    ]
    assert after == [signal.SIG_DFL] * len(scratch.CAUGHT_SIGNALS)


@pytest.mark.parametrize("place", ["a:b", "a b", "é"])
def test_a_temporary_directory_inside_a_repository(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Git passes over what is outside of the directory that it runs in, in a repository."""
    inside = linux.top / place
    inside.mkdir()
    monkeypatch.setenv("TMPDIR", str(inside))
    bad = mail(ADDED)
    write(linux.top / "p", bad + bad)
    status, out, err = command("--quiet", "--patch=p")
    assert (status, err) == (1, "")
    assert out.count("virt/kvm/x.c:11:1: error: ") == 2
