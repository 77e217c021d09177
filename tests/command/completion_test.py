# SPDX-License-Identifier: MIT
"""A real bash completes the command line by what ``make completion`` writes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.cases import parametrize
from tests.helpers.support import CHECKOUT, write

# Completes the last of its arguments as bash does where a tab is typed after them.
COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
set -- $(complete -p kvm-export-hook)
while [ "$1" != -F ]; do shift; done
"$2" kvm-export-hook "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
TYPED = {
    "an-option": (["--s"], ["--staged", "--since", "--srctree"]),
    "a-value": (["--format", "s"], ["sarif"]),
    "a-value-among-others": (["--staged", "--color", ""], ["auto", "always", "never"]),
    "a-patch": (["--patch", "0"], ["0001.patch"]),
    "a-tree": (["--srctree", ""], ["linux"]),
    "a-path": ([""], ["0001.patch", "linux"]),
}


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@parametrize(("words", "expected"), TYPED)
def test_bash_completes(tmp_path: Path, words: list[str], expected: list[str]) -> None:
    write(tmp_path / "here/0001.patch", b"")
    (tmp_path / "here/linux").mkdir()
    written = subprocess.run(
        [sys.executable, "-m", "demo.completion", "bash"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    source = write(tmp_path / "completion.bash", written)
    done = subprocess.run(
        ["bash", "--norc", "-c", COMPLETE, "bash", source, "kvm-export-hook", *words],
        cwd=tmp_path / "here",
        stdout=subprocess.PIPE,
        check=True,
    )
    assert done.stdout.decode().split() == expected
