# SPDX-License-Identifier: MIT
"""System calls that fail, one in each run: of the hook, or of a git that it runs. By strace."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from tests.helpers.support import PYTHON, Outcome, make_unmeasured_environment, write

ERRORS = ("EACCES", "EIO", "ENOMEM", "ENOSPC", "EMFILE")
CALLS = (
    "access,chdir,clone,clone3,dup2,dup3,fchmod,fchown,fcntl,fdatasync,fgetxattr,flistxattr,flock,"
    "fork,fstat,fsync,ftruncate,getcwd,getdents64,ioctl,link,linkat,lseek,lstat,memfd_create,mkdir,"
    "mmap,mprotect,newfstatat,open,openat,pipe,pipe2,pread64,read,readlink,rename,renameat,"
    "renameat2,rmdir,stat,statx,truncate,unlink,unlinkat,utimensat,vfork,wait4,write"
)
CALL_PATTERN = re.compile(r"(?m)^(\w+)\((.*)")
PATH_PATTERN = re.compile(r'"(/.*?)"')
# What Python and the loader of programs read for themselves.
LOADED_PATTERN = re.compile(r"python3|kvm_export_hook/|\.so|/locale")

# The program looks here when all that every run loads is loaded.
START = "/kvm-export-hook-starts"
PROGRAM = f"""\
import os
from kvm_export_hook.cli import start
os.path.lexists("{START}")
start()
"""
# A git that is traced, if it is the one whose turn it is.
GIT = """\
#!/bin/sh
PATH=${PATH#*:}
read number < "$FAULTS/number"
echo $((number + 1)) > "$FAULTS/number"
case $FAULTS_GIT in
all | $number) exec strace -qq -o "$FAULTS/log.$number" $FAULTS_OPTION git "$@" ;;
esac
exec git "$@"
"""
MOST_SECONDS = 60


class Fault(NamedTuple):
    """The call NAME of the hook, or of its GIT of this number, fails the WHEN-th time."""

    git: int | None
    name: str
    when: int
    error: str


class Tracer:
    """Runs the hook on ARGUMENTS and STDIN at TOP, with a DIRECTORY for what that needs.

    PREPARE is called before each run.
    """

    def __init__(
        self,
        directory: Path,
        top: Path,
        arguments: Sequence[str],
        stdin: bytes = b"",
        prepare: Callable[[], object] = lambda: None,
    ) -> None:
        self._directory = directory
        self._top = top
        self._stdin = stdin
        self._prepare = prepare
        write(directory / "bin/git", GIT.encode()).chmod(0o755)
        program = write(directory / "kvm-export-hook", PROGRAM.encode())
        self._command = [PYTHON, str(program), *arguments]

    def list_faults(self) -> tuple[Outcome, list[Fault]]:
        """Run without a fault; list what can fail, of the hook and then of its gits.

        Each error in turn; all of them where the hook itself asks for something.
        """
        outcome = self._run("all", f"--trace={CALLS}")
        gits = range(int((self._directory / "number").read_text()))
        logs = [
            (each, self._directory / f"log.{'hook' if each is None else each}")
            for each in (None, *gits)
        ]
        found = (list_faults_of(git, CALL_PATTERN.findall(log.read_text())) for git, log in logs)
        return outcome, list(chain.from_iterable(found))

    def run(self, fault: Fault) -> Outcome:
        """Run the hook with a FAULT."""
        option = f"--inject={fault.name}:error={fault.error}:when={fault.when}"
        return self._run("none" if fault.git is None else str(fault.git), option)

    def _run(self, git: str, option: str) -> Outcome:
        """Run the hook, and trace it, its GIT of this number, or all, with an OPTION of strace."""
        self._prepare()
        write(self._directory / "number", b"0\n")
        strace = ["strace", "-qq", "-o", str(self._directory / "log.hook"), option]
        environment = make_unmeasured_environment(
            FAULTS=str(self._directory),
            FAULTS_GIT=git,
            FAULTS_OPTION=option,
            PYTHONDONTWRITEBYTECODE="1",
            PYTHONHASHSEED="0",
            TMPDIR=str(self._directory),
        )
        environment["PATH"] = f"{self._directory / 'bin'}{os.pathsep}{environment['PATH']}"
        process = subprocess.Popen(
            [*(() if git.isdigit() else strace), *self._command],
            cwd=self._top,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(self._stdin, MOST_SECONDS)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return Outcome(process.returncode, os.fsdecode(out), os.fsdecode(err))


def list_faults_of(git: int | None, calls: Sequence[tuple[str, str]]) -> Iterator[Fault]:
    """List the faults of the CALLS of the hook or of one GIT: the name of each, and the rest."""
    seen: dict[str, int] = {}
    loads: dict[str, bool] = {}  # by descriptor
    has_started = git is not None
    for number, (name, rest) in enumerate(calls):
        seen[name] = seen.get(name, 0) + 1
        descriptor = re.split("[,)]", rest)[0]
        path = PATH_PATTERN.search(rest)
        is_loading = bool(path and LOADED_PATTERN.search(path[1])) or loads.get(descriptor, False)
        if name == "openat":
            loads[rest.rpartition(" ")[2]] = is_loading
        elif name in ("pipe2", "memfd_create"):
            loads.clear()
        # A git that writes to a pipe meets none of these errors.
        if has_started and (git is None or name != "write" or descriptor != "1"):
            is_own = git is None and not is_loading
            for error in ERRORS if is_own else [ERRORS[number % len(ERRORS)]]:
                yield Fault(git, name, seen[name], error)
        has_started |= START in rest
