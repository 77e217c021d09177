# SPDX-License-Identifier: MIT
"""The directory for git: no signal leaves it, and no full disk is taken for a bad patch."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from kvm_export_hook.patch.mail import split_mbox
from kvm_export_hook.patch.scratch import Scratch
from tests.conftest import Command
from tests.helpers.repositories import Repository
from tests.helpers.steps import make_steps
from tests.helpers.support import (
    BAD,
    CHECKOUT,
    PYTHON,
    make_environment,
    make_makefile,
    make_unmeasured_environment,
    restore_signals,
    write,
)

A, LISTED, MAKEFILE = "virt/kvm/a.c", "virt/kvm/listed.c", "arch/x86/kvm/Makefile"
EXPORT = b"EXPORT_SYMBOL_GPL(kvm_put_kvm);\n"

STEPS = make_steps(
    ["kvm_export_hook.patch.scratch"],
    """\
with kvm_export_hook.patch.scratch.Scratch() as directory:
    open(directory.join(b"mail"), "wb").close()
""",
)


@pytest.fixture
def small(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Make a file system that is soon full."""
    place = tmp_path / "small"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", request.param, "none", str(place)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a file system, and not everywhere")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


SIZES = [f"size={4 * pages}k" for pages in range(1, 11)]
FILES = [f"nr_inodes={number}" for number in range(1, 16)]


@pytest.mark.parametrize("small", [*SIZES, *FILES], indirect=True)
def test_a_full_disk_is_what_is_blamed(
    linux: Repository, small: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux.record("listed", {LISTED: EXPORT})
    linux.stage_all({A: BAD + b"int a;\n" * 1000, MAKEFILE: make_makefile("kvm_get_kvm")})
    linux.record("after")
    write(small.parent / "mail", linux.git("format-patch", "--stdout", "-1").encode())
    linux.git("reset", "--quiet", "--hard", "HEAD~")
    monkeypatch.setenv("TMPDIR", str(small))
    status, out, err = command("--patch=../mail")
    if status == 1:  # there was enough space
        assert f"{LISTED}:1:1: error: " in out
    else:
        assert (status, out) == (2, "")
        assert err.count("\n") == 1
        assert f"cannot write a temporary file in {small}: " in err
        assert err.endswith(": set TMPDIR to another\n")
    assert list(small.iterdir()) == []


# Sends itself a signal when the directory is made or removed: Python audits both.
AUDITED = """
import os, signal, sys
from kvm_export_hook.cli import start
event, number = sys.argv.pop(1), int(sys.argv.pop(1))
def send(name, arguments):
    if name == event and b"kvm-export-hook." in os.fsencode(arguments[0]):
        os.kill(os.getpid(), number)
send.__cantrace__ = True  # so that coverage sees what handles the signal
sys.addaudithook(send)
start()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("event", ["os.mkdir", "os.rmdir"])
def test_a_signal_waits_until_the_directory_is_made_or_removed(
    top: Path, tmp_path: Path, event: str, number: signal.Signals
) -> None:
    (tmp_path / "scratch").mkdir()
    done = subprocess.run(
        restore_signals(PYTHON, "-c", AUDITED, event, str(int(number)), "--patch", "gone"),
        capture_output=True,
        check=False,
        env=make_environment(TMPDIR=str(tmp_path / "scratch"), PYTHONPATH=str(CHECKOUT)),
    )
    assert done.returncode == (2 if number == signal.SIGINT else -number)
    # Nothing is read after the signal.
    gone = b"kvm-export-hook: error: gone: No such file or directory: check the name\n"
    interrupted = b"kvm-export-hook: error: interrupted\n"
    assert done.stderr == gone * (event == "os.rmdir") + interrupted * (number == signal.SIGINT)
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT])
def test_a_signal_at_every_step_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    for step in range(0, 150, 5):
        done = subprocess.run(
            restore_signals(PYTHON, "-c", STEPS, str(int(number)), str(step)),
            stderr=subprocess.DEVNULL,
            check=False,
            env=make_unmeasured_environment(TMPDIR=str(tmp_path)),
        )
        assert list(tmp_path.iterdir()) == [], step
        if done.returncode == 0:
            break
    assert 20 < step < 145


def test_no_space_for_a_file_is_what_is_blamed() -> None:
    with Scratch() as scratch:
        os.symlink(b"/dev/full", scratch.join(b"mbox"))
        with pytest.raises(OSError, match="No space") as caught:
            split_mbox(b"From a\n", BytesIO(), scratch)
        assert "TMPDIR" in str(scratch.blame(caught.value))


def test_a_signal_that_is_ignored_stays_so() -> None:
    usual = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Scratch():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, usual)
