# SPDX-License-Identifier: MIT
"""The directory for git: no signal leaves it, with the mails in it, behind."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.helpers.steps import make_steps
from tests.helpers.support import PYTHON, make_unmeasured_environment, restore_signals

STEPS = make_steps(
    ["kvm_export_hook.patch.scratch"],
    """\
with kvm_export_hook.patch.scratch.Scratch() as directory:
    open(directory.join(b"mail"), "wb").close()
""",
)


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
