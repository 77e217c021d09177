# SPDX-License-Identifier: MIT
"""How git is run: what it says, what it does not, and what becomes of a git that fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kvm_export_hook.git.objects import NOT_HERE_MESSAGE, Objects
from kvm_export_hook.git.process import Git, GitError, ask_git, find_version, read_fields, run_git
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Repository
from tests.helpers.support import BAD, COMMAND, PYTHON, drop_rights, make_environment, write

A = "virt/kvm/a.c"
LARGE = 3_000_000  # more than any pipe holds


def put_first(directory: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program named git first on the PATH."""
    write(directory / "bin/git", f"#!/bin/sh\n{script}\n".encode()).chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory / 'bin'}{os.pathsep}{os.environ['PATH']}")


# A git that cannot be run, or fails.


def test_no_git(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = "cannot run git: No such file or directory: install git"
    for source in ("--staged", "--commits=HEAD", "--since=HEAD"):
        assert command(source) == (2, "", f"kvm-export-hook: error: {said}\n")
    (tmp_path / "git").mkdir()
    assert command("--staged").err == (
        "kvm-export-hook: error: cannot run git: Permission denied: install git\n"
    )


@parametrize(
    ("script", "said"),
    {
        "without-a-word": ("exit 3", "git diff-index failed: exit status 3"),
        "with-words": ("echo 'fatal: no' >&2; exit 128", "git diff-index failed: no"),
        "the-first-of-them": (
            "echo 'warning: x' >&2; echo 'error: a' >&2; echo 'fatal: b' >&2; exit 1",
            "git diff-index failed: a",
        ),
        "other-words": ("echo 'git: odd' >&2; exit 1", "git diff-index failed: odd"),
        "by-a-signal": ("kill -TERM $$", "git diff-index failed: ended by signal 15"),
        "by-a-signal-after-words": (
            "echo 'progress' >&2; kill -KILL $$",
            "git diff-index failed: ended by signal 9",
        ),
        "after-a-hint": (
            "echo 'hint: Support for <GIT_DIR>/info/grafts is deprecated' >&2; exit 3",
            "git diff-index failed: exit status 3",
        ),
        "after-a-hint-and-by-a-signal": (
            "echo 'hint: x: y' >&2; kill -SEGV $$",
            "git diff-index failed: ended by signal 11",
        ),
        "bytes": (
            r"printf 'fatal: \033[31m\377\n' >&2; exit 1",
            r"git diff-index failed: \x1b[31m\xff",
        ),
        "at-length": (
            "printf 'fatal: '; printf 'fatal: %0500d\\n' 0 >&2; exit 1",
            f"git diff-index failed: {'0' * 300}",
        ),
    },
)
def test_a_git_that_fails(
    linux: Repository,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    script: str,
    said: str,
) -> None:
    put_first(
        tmp_path, f'case "$*" in *diff-index*) {script};; esac; exec /usr/bin/git "$@"', monkeypatch
    )
    assert command("--staged") == (2, "", f"kvm-export-hook: error: {said}\n")


def test_a_git_with_settings_is_named_by_its_subcommand(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = 'case "$*" in *" log "*) echo "fatal: no" >&2; exit 1;; esac; exec /usr/bin/git "$@"'
    put_first(tmp_path, script, monkeypatch)
    said = "kvm-export-hook: error: git log failed: no\n"
    assert command("--commits=HEAD") == (2, "", said)


@parametrize(
    "version",
    {
        "2.29": "git version 2.29.7",
        "1.8": "git version 1.8.3.1",
        "of-a-vendor": "git version 2.17.1 (Vendor Git-99)",
    },
)
def test_a_git_that_is_too_old(
    linux: Repository,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    version: str,
) -> None:
    script = f"""
case "$*" in *version*) echo '{version}'; exit 0;; esac
echo 'usage: git diff-index [<options>]' >&2
exit 129"""
    put_first(tmp_path, script, monkeypatch)
    said = "git diff-index failed: this git is older than 2.30: install a newer one"
    assert command("--staged") == (2, "", f"kvm-export-hook: error: {said}\n")


@parametrize(
    ("version", "expected"),
    {
        "plain": ("git version 2.39.5", (2, 39)),
        "of-apple": ("git version 2.39.3 (Apple Git-146)", (2, 39)),
        "of-windows": ("git version 2.45.1.windows.1", (2, 45)),
        "a-candidate": ("git version 3.0-rc1", (3,)),
        "odd": ("odd", ()),
    },
)
def test_versions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, expected: tuple[int, ...]
) -> None:
    put_first(tmp_path, f"echo '{version}'", monkeypatch)
    assert find_version() == expected


def test_a_git_whose_version_is_not_known_is_not_called_old(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_first(tmp_path, "exit 3", monkeypatch)
    said = "kvm-export-hook: error: git diff-index failed: exit status 3\n"
    assert command("--staged") == (2, "", said)


@parametrize(
    ("script", "said"),
    {
        "nothing": ("exit 0", "its output cannot be read"),
        "half-a-line": ("printf '1234'", "its output cannot be read"),
        "another-line": ("echo 'something else'", "its output cannot be read"),
        "half-an-object": ("printf '1 blob 9\\n123'", "its output ends too early"),
        "no-end": ("printf '1 blob 3\\n123x'", "its output ends too early"),
        "fails-within": ("printf '1 blob 3\\n1'; echo 'fatal: disk' >&2; exit 1", "disk"),
    },
)
def test_objects_that_are_cut(
    linux: Repository,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    script: str,
    said: str,
) -> None:
    linux.stage(A, BAD)
    put_first(
        tmp_path,
        f'case "$*" in *cat-file*) {script}; exit;; esac; exec /usr/bin/git "$@"',
        monkeypatch,
    )
    said = f"kvm-export-hook: error: git cat-file failed: {said}\n"
    assert command("--staged") == (2, "", said)


def test_a_git_that_talks_and_succeeds_has_succeeded(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_first(tmp_path, 'echo "fatal: only words" >&2; exec /usr/bin/git "$@"', monkeypatch)
    assert command("--staged") == (0, "", "")


# What is read and written.


def test_output_and_input_that_no_pipe_holds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_first(tmp_path, f"head -c {LARGE} /dev/zero >&2; cat; exit 0", monkeypatch)
    data = bytes(range(256)) * (LARGE // 256)
    assert run_git(b"x", stdin=data) == data


def test_output_that_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    endless = 'case "$*" in *version*) echo git version 2.39.5;; *) yes;; esac'
    put_first(tmp_path, endless, monkeypatch)
    with pytest.raises(GitError), Git(b"x") as git:
        assert git.output.read(2) == b"y\n"


def test_nothing_is_left_open_and_no_process(linux: Repository) -> None:
    before = os.listdir("/proc/self/fd")
    names = [b"HEAD", b"gone", b"HEAD:virt/kvm/kvm_main.c"]
    objects = Objects()
    assert [bool(found) for found in objects.find(names)] == [True, False, True]
    assert next(objects.read(names * 1000))
    # What was not taken does not stand in the way.
    assert [bool(found) for found in objects.find(names * 1000)] == [True, False, True] * 1000
    objects.close()
    assert ask_git(b"rev-parse", b"--verify", b"gone") is None
    with pytest.raises(GitError):
        run_git(b"rev-parse", b"--verify", b"gone")
    assert os.listdir("/proc/self/fd") == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@parametrize(
    ("chunks", "fields"),
    {
        "whole": ("printf 'a\\0bc\\0'", [b"a", b"bc"]),
        "cut": ("printf 'a\\0b'; sleep 0.1; printf 'c\\0'", [b"a", b"bc"]),
        "without-an-end": ("printf 'a\\0bc'", [b"a", b"bc"]),
        "empty": ("printf '\\0\\0a\\0'", [b"", b"", b"a"]),
        "nothing": ("exit 0", []),
    },
)
def test_fields(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chunks: str, fields: list[bytes]
) -> None:
    put_first(tmp_path, chunks, monkeypatch)
    with Git(b"x") as git:
        assert list(read_fields(git.output)) == fields


def test_objects_by_name(linux: Repository) -> None:
    id_ = linux.git("rev-parse", "HEAD").strip().encode()
    blob = linux.git("rev-parse", "HEAD:fs/open.c").strip().encode()
    linux.git("tag", "--annotate", "--message", "x", "v1")
    objects = Objects()
    assert objects.find_commits([b"HEAD", b"v1", b"main^{tree}", b"gone", b"HEAD\nHEAD", b""]) == [
        id_,
        id_,
        None,
        None,
        None,
        None,
    ]
    found, *others = objects.find([b"HEAD:fs/open.c", b"HEAD:a b 1", b"1"])
    assert found
    assert (found.id, found.type, found.content) == (blob, b"blob", BAD_VFS)
    assert others == [None, None]
    assert objects.find([]) == []
    objects.close()


BAD_VFS = b"int open;\nEXPORT_SYMBOL(vfs_open);\n"


def test_an_ambiguous_id_names_nothing(linux: Repository) -> None:
    # The ids of these two contents begin with the same four digits.
    for number in range(2000):
        linux.write(f"many/{number}", b"%d\n" % number)
    linux.git("add", "many")
    ids = [line.split()[1] for line in linux.git("ls-files", "-s", "many").splitlines()]
    starts = sorted(id_[:4] for id_ in ids)
    twice = next(one for one, two in zip(starts, starts[1:], strict=False) if one == two)
    objects = Objects()
    assert objects.find([twice.encode()]) == [None]
    objects.close()


def test_objects_that_are_not_all_read(linux: Repository) -> None:
    large = linux.run("git", "hash-object", "-w", "--stdin", stdin=b"x" * LARGE).output.strip()
    objects = Objects()
    names = [b"HEAD", large.encode()]
    assert next(objects.read(names))
    objects.close()  # git, which is still writing, fails, and that is no fault
    assert len(list(objects.read(names))) == 2
    objects.close()


def test_an_environment_of_its_own(linux: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/gone")
    variables = {b"PATH": os.environb[b"PATH"]}
    assert run_git(b"rev-parse", b"--git-dir", environment=variables) == b".git\n"


@pytest.mark.parametrize("source", ["--staged", "--commits=HEAD", "--patch=../patch"])
@pytest.mark.parametrize("name", ["arch/x86/kvm/Makefile", "include/linux/kvm_types.h", "virt/kvm"])
def test_an_object_that_cannot_be_read_is_not_absent(
    linux: Repository, command: Command, source: str, name: str
) -> None:
    linux.record("more", {A: b"int a;\n"})
    linux.stage(A, b"int b;\n")
    write(linux.top.parent / "patch", linux.git("diff", "--cached").encode())
    id_ = linux.git("rev-parse", f"HEAD:{name}").strip()
    (linux.top / ".git/objects" / id_[:2] / id_[2:]).unlink()
    status, out, err = command(source)
    assert (status, out) == (2, "")
    assert NOT_HERE_MESSAGE in err or id_ in err  # git log says it in its own words


def test_a_submodule_in_the_place_of_a_file_is_no_object_that_is_missing(linux: Repository) -> None:
    linux.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},fs/sub")
    linux.git("commit", "--quiet", "--message", "submodule")
    objects = Objects()
    names = (b"HEAD:fs/sub", b"HEAD:fs/none/x", b"HEAD:fs/open.c/x", b"0" * 40)
    assert objects.find_paths(names) == [None] * 4
    for name in (b"1" * 40, b"gone:fs", b"1" * 41):
        with pytest.raises(GitError):
            objects.find_paths([name])
    objects.close()


# The streams of this process, and its temporary files.


@parametrize(
    ("redirections", "status", "err"),
    {
        "no-stdin": ("<&-", 1, ""),
        "no-stdout": (">&-", 1, ""),
        "no-stderr": ("2>&-", 1, ""),
        "none": ("<&- >&- 2>&-", 1, ""),
    },
)
@pytest.mark.parametrize("source", ["--staged", "--commits=HEAD^!", "--since=HEAD^"])
def test_closed_streams(
    linux: Repository, source: str, redirections: str, status: int, err: str
) -> None:
    linux.record("bad", {A: BAD})
    linux.stage("virt/kvm/b.c", BAD)
    done = subprocess.run(
        ["bash", "-c", f'"$0" {source} {redirections}', str(COMMAND)],
        capture_output=True,
        text=True,
        check=False,
        env=make_environment(),
    )
    assert (done.returncode, done.stderr) == (status, err)
    assert ("virt/kvm/b.c:1:1: error: " in done.stdout or "a.c:1:1" in done.stdout) is (
        ">&-" not in redirections.replace("2>&-", "")
    )


def test_no_stdin_for_a_push(linux: Repository) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" --pre-push origin url <&-', str(COMMAND)],
        capture_output=True,
        text=True,
        check=False,
        env=make_environment(),
    )
    assert done.returncode == 2
    assert done.stderr.startswith("kvm-export-hook: error: cannot tell what is pushed: ")


@parametrize(
    "directory",
    {"not-there": "/gone", "no-directory": "/dev/null", "not-writable": "locked"},
)
def test_nowhere_to_write_a_temporary_file(
    linux: Repository, tmp_path: Path, directory: str
) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    where = str(tmp_path / directory)
    done = subprocess.run(
        drop_rights(str(COMMAND), "--patch", "-"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=make_environment(TMPDIR=where, COVERAGE_FILE=os.environ.get("COVERAGE_FILE", "")),
    )
    assert done.returncode == 2
    assert done.stderr.startswith(
        f"kvm-export-hook: error: cannot write a temporary file in {where}: "
    ), done.stderr
    assert done.stderr.endswith(": set TMPDIR to another\n")
    assert done.stderr.count("\n") == 1


def test_what_git_reads_is_never_a_file_of_the_temporary_directory(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux.stage(A, BAD)
    monkeypatch.setenv("TMPDIR", "/gone")
    assert command("--staged").status == 1


def test_a_system_that_has_no_files_in_memory(
    linux: Repository, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("os.memfd_create")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    linux.stage(A, BAD)
    assert command("--staged").status == 1
    assert list((tmp_path / "scratch").iterdir()) == []
    monkeypatch.setenv("TMPDIR", "")
    assert command("--staged").status == 1
    monkeypatch.setenv("TMPDIR", "/gone")
    status, out, err = command("--staged")
    assert (status, out) == (2, "")
    assert err.startswith("kvm-export-hook: error: /gone/kvm-export-hook.")


# What a clean commit pays for.


@parametrize(
    "arguments",
    {
        "staged": ["--staged"],
        "push": ["--pre-push", "origin", "url"],
    },
)
@pytest.mark.parametrize("is_clean", [True, False], ids=["clean", "with-a-note"])
def test_a_hook_loads_nothing_that_costs_as_much_as_python(
    linux: Repository, arguments: list[str], is_clean: bool
) -> None:
    linux.stage(A, b"int a;\n")
    id_ = linux.record("good")
    linux.stage(A, b"int b;\n")
    program = (
        "import sys\n"
        "from kvm_export_hook.cli import main\n"
        f"status = main({arguments!r})\n"
        "print(status, *sys.modules)"
    )
    line = f"refs/heads/main {id_} refs/heads/main {'0' * 40}\n" if is_clean else ""
    done = subprocess.run(
        # No site: what a coverage run or an editable install adds would count.
        [PYTHON, "-S", "-c", program],
        input=line,
        capture_output=True,
        text=True,
        check=True,
        env={
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
        },
    )
    status, *modules = done.stdout.split()
    assert status == "0", done.stderr
    costly = {"argparse", "json", "re", "shutil", "signal", "subprocess", "tempfile", "threading"}
    assert not costly & set(modules)
