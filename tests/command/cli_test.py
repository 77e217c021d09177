# SPDX-License-Identifier: MIT
"""The command: options, exit status, bad input, and what a clean run costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import kvm_export_hook
from kvm_export_hook.cli import main
from kvm_export_hook.show import wants_color
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Repository
from tests.helpers.support import (
    BAD,
    COMMAND,
    INTERNAL,
    PYTHON,
    drop_rights,
    make_environment,
    make_makefile,
    make_tree,
    write,
)

UNKNOWN_CHECK = (
    "this tree's make check is not one that this hook knows: it may fail on what is passed here"
)
NOT_ENFORCED = (
    "nothing enforced: this tree has no EXPORT_SYMBOL_FOR_KVM_INTERNAL"
    " (Linux before 6.18); use --force to enforce the rule anyway\n"
)
NOTHING = (
    "kvm-export-hook: nothing checked: found no C source below virt/kvm or arch/x86/kvm;"
    " a kernel elsewhere must be named\n"
)


def test_a_clean_tree_passes_in_silence(top: Path, command: Command) -> None:
    assert command() == (0, "", "")


def test_a_finding_fails(top: Path, command: Command) -> None:
    write(top / "virt/kvm/bad.c", BAD)
    result = command("virt/kvm/bad.c", "virt/kvm/kvm_main.c")
    assert result.status == 1
    assert result.out.startswith("virt/kvm/bad.c:1:1: error: EXPORT_SYMBOL_GPL(kvm_sample): ")
    assert "\nfound 1 unwanted export in 1 file: 1 EXPORT_SYMBOL_GPL\n" in result.out
    assert result.err == ""


def test_suspects_that_are_no_findings_pass(top: Path, command: Command) -> None:
    write(top / "virt/kvm/x.c", b"/* EXPORT_SYMBOL_GPL */\n")
    assert command() == (0, "", "")


def test_findings_come_sorted_by_path(top: Path, command: Command) -> None:
    for name in ("virt/kvm/b.c", "virt/kvm/a/z.h", "virt/kvm/a.c", "arch/x86/kvm/c.c"):
        write(top / name, BAD)
    out = command("--quiet").out
    assert [line.partition(":")[0] for line in out.splitlines()] == [
        "arch/x86/kvm/c.c",
        "virt/kvm/a.c",
        "virt/kvm/a/z.h",
        "virt/kvm/b.c",
    ]


@pytest.mark.parametrize("names", ["fs/x.c", "virt/kvm/Kconfig MAINTAINERS", "fs"])
def test_nothing_in_scope(top: Path, command: Command, names: str) -> None:
    for name in ("fs/x.c", "virt/kvm/Kconfig", "MAINTAINERS"):
        write(top / name, BAD)
    assert command(*names.split()) == (0, "", NOTHING)
    assert command("--quiet", *names.split()) == (0, "", "")


def test_no_tree_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    monkeypatch.chdir(tmp_path)
    assert command() == (0, "", NOTHING)


# The tree speaks first.


def test_a_tree_without_the_macro_enforces_nothing(top: Path, command: Command) -> None:
    make_tree(top, macro=False)
    write(top / "virt/kvm/bad.c", BAD)
    assert command() == (0, "", f"kvm-export-hook: {NOT_ENFORCED}")
    assert command("virt/kvm/bad.c") == (0, "", f"kvm-export-hook: {NOT_ENFORCED}")
    assert command("--quiet") == (0, "", "")
    assert command("--force").status == 1
    status, out, err = command("--list")  # which refuses nothing
    assert (status, err) == (0, "")
    assert "kvm_sample" in out


def test_a_tree_without_the_macro_but_with_the_check_enforces(top: Path, command: Command) -> None:
    make_tree(top, macro=False, check=True)
    write(top / "virt/kvm/bad.c", BAD)
    assert command().status == 1


def test_a_sparse_tree_enforces(tmp_path: Path, command: Command) -> None:
    make_tree(tmp_path / "sparse", macro=None)
    write(tmp_path / "sparse/virt/kvm/bad.c", BAD)
    assert command(str(tmp_path / "sparse")).status == 1


def test_the_list_of_the_tree_replaces_the_bundled_one(top: Path, command: Command) -> None:
    make_tree(top, check=True)
    write(top / "virt/kvm/x.c", b"EXPORT_SYMBOL_GPL(kvm_get_kvm_safe);\nEXPORT_SYMBOL_GPL(kvm_a);")
    assert command("--quiet").out.count("\n") == 2
    write(top / "arch/x86/kvm/Makefile", make_makefile("kvm_a"))
    assert "kvm_get_kvm_safe" in command("--quiet").out


def test_a_check_that_is_not_known_permits_its_words_and_the_bundled_list(
    top: Path, command: Command
) -> None:
    make_tree(top)
    exports = b"EXPORT_SYMBOL_GPL(%s);\n"
    write(
        top / "virt/kvm/x.c", b"".join(exports % name for name in (b"kvm_a", b"kvm_get_kvm_safe"))
    )
    write(top / "arch/x86/kvm/Makefile", b"exports_grep_trailer := grep -v kvm_a\n")
    assert command() == (0, "", f"kvm-export-hook: {UNKNOWN_CHECK}\n")
    write(top / "virt/kvm/y.c", exports % b"kvm_b")
    assert "EXPORT_SYMBOL_GPL(kvm_b)" in command("--quiet").out


def test_trees_are_told_apart(top: Path, tmp_path: Path, command: Command) -> None:
    old = make_tree(tmp_path / "old", macro=False)
    write(old / "virt/kvm/bad.c", BAD)
    write(top / "virt/kvm/bad.c", BAD)
    result = command("--quiet", ".", str(old))
    assert result.status == 1
    assert result.out.count("\n") == 1
    assert command(str(old), str(old / "virt/kvm/bad.c")).err == (
        f"kvm-export-hook: {old}: {NOT_ENFORCED}"
    )


# Options.


def test_allow_permits_more_symbols(top: Path, command: Command) -> None:
    write(top / "virt/kvm/x.c", b"EXPORT_SYMBOL_GPL(kvm_a);\nEXPORT_SYMBOL_GPL(kvm_b);\n")
    assert command("--allow", "kvm_a").status == 1
    assert command("--allow", "kvm_a", "--allow=kvm_b") == (0, "", "")


def test_srctree_names_the_tree(
    top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    write(top / "virt/kvm/bad.c", BAD)
    monkeypatch.chdir(tmp_path)
    assert command("--srctree", "linux").out.startswith("linux/virt/kvm/bad.c:1:1: error: ")
    assert command("--srctree=linux", "virt/kvm/bad.c").err == (
        "kvm-export-hook: error: virt/kvm/bad.c: No such file or directory: check the name\n"
    )
    assert command("--srctree", "gone") == (
        2,
        "",
        "kvm-export-hook: error: gone: No such file or directory: check the name\n",
    )
    write(tmp_path / "there/x", b"")
    assert command("--srctree", "there") == (
        2,
        "",
        "kvm-export-hook: error: there:"
        " is not a kernel tree (no C source in virt/kvm or arch/x86/kvm): name the top of one\n",
    )


@parametrize(
    "arguments",
    {
        "a-file": ["virt/kvm/bad.c"],
        "among-others": ["virt/kvm/bad.c", "kvm_main.c"],
        "to-fix": ["--fix", "virt/kvm/bad.c"],
        "to-list": ["--list", "virt/kvm/bad.c"],
        "since": ["--since=HEAD", "virt/kvm/bad.c"],
    },
)
def test_a_name_from_git_is_explained_in_a_subdirectory(
    linux: Repository, command: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    linux.write("virt/kvm/bad.c", BAD)
    monkeypatch.chdir("virt/kvm")
    said = "virt/kvm/bad.c: no such file in this directory: name it as bad.c"
    assert command(*arguments)[0:3:2] == (2, f"kvm-export-hook: error: {said}\n")


def test_options_and_paths_in_any_order(top: Path, command: Command) -> None:
    write(top / "virt/kvm/a.c", BAD)
    write(top / "virt/kvm/b.c", BAD)
    assert command("virt/kvm/a.c", "--quiet", "virt/kvm/b.c").out.count("\n") == 2


def test_names_after_two_dashes_are_no_options(
    top: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    write(top / "virt/kvm/--quiet.c", BAD)
    monkeypatch.chdir(top / "virt/kvm")
    result = command("--quiet", "kvm_main.c", "--", "--quiet.c")
    assert result.out.startswith("--quiet.c:1:1: error: ")


def test_version(top: Path, command: Command) -> None:
    assert command("--version") == (0, f"kvm-export-hook {kvm_export_hook.__version__}\n", "")


def test_help_fits_a_terminal(top: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, err = command("--help")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 32
    for columns in ("20", "400"):
        monkeypatch.setenv("COLUMNS", columns)
        assert command("-h").out == out


@parametrize(
    ("choice", "variables", "terminal", "colored"),
    {
        "always-in-spite-of-no-color": ("always", {"NO_COLOR": "1"}, False, True),
        "never-in-spite-of-force-color": ("never", {"FORCE_COLOR": "1"}, True, False),
        "on-a-terminal": ("auto", {}, True, True),
        "into-a-pipe": ("auto", {}, False, False),
        "wished-for-but-not-in-a-pipe": ("auto", {"CLICOLOR": "1"}, False, False),
        "not-wished-for": ("auto", {"CLICOLOR": "0"}, True, False),
        "forced-by-its-other-name": ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        "forced-and-not-wished-for": (
            "auto",
            {"CLICOLOR_FORCE": "1", "CLICOLOR": "0"},
            False,
            True,
        ),
        "not-forced": ("auto", {"FORCE_COLOR": "0", "CLICOLOR_FORCE": "0"}, False, False),
        "no-color-wins-over-both": ("auto", {"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, True, False),
        "no-color-wins": ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        "empty-no-color": ("auto", {"NO_COLOR": ""}, True, True),
        "forced-into-a-pipe": ("auto", {"FORCE_COLOR": "1"}, False, True),
        "dumb-terminal": ("auto", {"TERM": "dumb"}, True, False),
    },
)
def test_when_to_color(
    monkeypatch: pytest.MonkeyPatch,
    choice: str,
    variables: dict[str, str],
    terminal: bool,
    colored: bool,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    far_end, near_end = os.openpty() if terminal else os.pipe()
    with os.fdopen(near_end, "w") as stream:
        assert wants_color(choice, stream) is colored
    os.close(far_end)


# Bad input: what can be judged still is, and the status is 2.


def test_a_usage_error_cannot_drive_the_terminal(top: Path, command: Command) -> None:
    assert "unknown option: --\\x1b[31m\\xff: see" in command("--\x1b[31m\udcff").err


def test_missing_file(top: Path, command: Command) -> None:
    write(top / "virt/kvm/bad.c", BAD)
    result = command("virt/kvm/gone.c", "virt/kvm/bad.c", "/gone/too")
    assert result.status == 2
    assert "found 1 unwanted export" in result.out
    assert result.err == (
        "kvm-export-hook: error: /gone/too: No such file or directory: check the name\n"
        "kvm-export-hook: error: virt/kvm/gone.c: No such file or directory: check the name\n"
    )


@pytest.mark.parametrize("name", ["fs/gone.c", "virt/kvm/gone", "arch/x86/kmv", "virt/kvm/d/"])
def test_a_missing_file_is_an_error_wherever_it_lies(
    top: Path, command: Command, name: str
) -> None:
    err = f"kvm-export-hook: error: {name}: No such file or directory: check the name\n"
    assert command(name, "virt/kvm/kvm_main.c") == (2, "", err)


def test_a_dangling_link_out_of_scope_is_no_matter(top: Path, command: Command) -> None:
    write(top / "fs/x.c", BAD)
    (top / "fs/link.c").symlink_to("gone.c")
    assert command("fs/link.c", "virt/kvm/kvm_main.c") == (0, "", "")


@pytest.mark.parametrize("by_name", [True, False], ids=["named", "walked-over"])
def test_fifo(top: Path, command: Command, by_name: bool) -> None:
    os.mkfifo(top / "virt/kvm/x.c")
    assert command(*["virt/kvm/x.c"] * by_name) == (
        2,
        "",
        "kvm-export-hook: error: virt/kvm/x.c: is a FIFO, not a regular file: name a source file\n",
    )


def test_device(top: Path, command: Command) -> None:
    (top / "arch/x86/kvm/Makefile").unlink()
    (top / "arch/x86/kvm/Makefile").symlink_to("/dev/zero")
    assert command("virt/kvm/kvm_main.c") == (
        2,
        "",
        "kvm-export-hook: error: arch/x86/kvm/Makefile:"
        " is a device, not a regular file: name a source file\n",
    )


@pytest.mark.parametrize("by_name", [True, False], ids=["named", "walked-over"])
def test_directory_with_the_name_of_a_file(top: Path, command: Command, by_name: bool) -> None:
    write(top / "virt/kvm/x.c/y.c", BAD)
    status, out, err = command(*["virt/kvm/x.c"] * by_name)
    assert status == 2
    assert err == ("kvm-export-hook: error: virt/kvm/x.c: Is a directory: expected a file\n")
    assert by_name or out.startswith("virt/kvm/x.c/y.c:1:1: error: ")


@pytest.mark.parametrize("name", ["virt/kvm/huge.c", "arch/x86/kvm/Makefile"])
def test_a_file_too_large_for_the_memory(top: Path, name: str) -> None:
    with (top / name).open("wb") as file:
        file.truncate(30 << 30)
    done = subprocess.run(
        ["bash", "-c", 'ulimit -v 2000000; "$0"', str(COMMAND)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        2,
        f"kvm-export-hook: error: {name}: needs more memory than this machine has\n",
    )


def test_an_empty_name_is_no_path(top: Path, command: Command) -> None:
    assert command("").err == (
        "kvm-export-hook: error: '': No such file or directory: check the name\n"
    )


def test_a_fifo_in_the_place_of_the_trees_own_files(top: Path, command: Command) -> None:
    (top / "arch/x86/kvm/Makefile").unlink()
    os.mkfifo(top / "arch/x86/kvm/Makefile")
    status, _, err = command()
    assert status == 2
    assert err.startswith("kvm-export-hook: error: arch/x86/kvm/Makefile: is a FIFO")


def test_a_file_in_the_place_of_a_directory(top: Path, command: Command) -> None:
    write(top / "arch/x86/kvm/Makefile", b"").unlink()
    (top / "include/linux/kvm_types.h").unlink()
    (top / "include/linux").rmdir()
    write(top / "include/linux", b"")
    assert command() == (0, "", "")


def test_unreadable_file_and_directory(top: Path) -> None:
    write(top / "virt/kvm/bad.c", BAD)
    write(top / "virt/kvm/secret.c", BAD).chmod(0)
    (top / "virt/kvm/secrets").mkdir(mode=0)
    done = subprocess.run(drop_rights(str(COMMAND)), capture_output=True, text=True, check=False)
    (top / "virt/kvm/secrets").chmod(0o700)
    assert done.returncode == 2
    assert "found 1 unwanted export in 1 file" in done.stdout
    assert done.stderr == (
        "kvm-export-hook: error: virt/kvm/secret.c: Permission denied: make it readable\n"
        "kvm-export-hook: error: virt/kvm/secrets: Permission denied: make it readable\n"
    )


@pytest.mark.parametrize("name", ["virt", "virt/kvm"])
@pytest.mark.parametrize("arguments", [[], ["."], ["virt/kvm/kvm_main.c"]], ids=str)
def test_a_directory_that_cannot_be_read_is_no_clean_one(
    tmp_path: Path, name: str, arguments: list[str]
) -> None:
    write(tmp_path / "virt/kvm/kvm_main.c", BAD)
    (tmp_path / name).chmod(0)
    done = subprocess.run(
        drop_rights(str(COMMAND), *arguments),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    (tmp_path / name).chmod(0o700)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("kvm-export-hook: error: virt")
    assert "Permission denied" in done.stderr


def test_hostile_names_cannot_drive_the_terminal(top: Path, command: Command) -> None:
    result = command("virt/kvm/\x1b[2J\n::error::\udcff.c")
    assert result.err == (
        "kvm-export-hook: error: virt/kvm/\\x1b[2J\\n::error::\\xff.c:"
        " No such file or directory: check the name\n"
    )


# Streams that are closed.


def run(*arguments: str, shell: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a shell that closes one of its streams."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", shell, str(COMMAND), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=make_environment(),
    )


@parametrize(
    ("shell", "status", "err"),
    {
        "reader-gone": ('"$0" "$@" | head -n 1 > /dev/null', 1, ""),
        "help-reader-gone": ('"$0" --help "$@" | true', 0, ""),
        "no-stdout": ('"$0" "$@" >&-', 1, ""),
        "stderr-reader-gone": (
            'exec 3> >(true); sleep 0.2; "$0" "$@" /gone 2>&3 > /dev/null',
            2,
            "",
        ),
        "stderr-full": ('"$0" "$@" /gone 2> /dev/full > /dev/null', 2, ""),
        "nowhere-to-print": ('"$0" "$@" /gone >&- 2> /dev/full', 2, ""),
        "usage-without-stderr": ('"$0" --bogus 2>&-', 2, ""),
        "no-stderr": ('"$0" "$@" gone.c 2>&- > /dev/null', 2, ""),
        "full-disk": (
            '"$0" "$@" > /dev/full',
            2,
            "kvm-export-hook: error: standard output: No space left on device\n",
        ),
    },
)
def test_closed_streams(top: Path, shell: str, status: int, err: str) -> None:
    write(top / "virt/kvm/bad.c", BAD * 5000)
    done = run("/gone" if "gone.c" in shell else "virt/kvm/bad.c", shell=shell)
    assert (done.returncode, done.stderr) == (status, err)


def test_the_output_takes_the_encoding_of_the_terminal(top: Path) -> None:
    write(top / "virt/kvm/é.c", BAD)
    done = subprocess.run(
        [str(COMMAND)],
        capture_output=True,
        check=False,
        env=make_environment(PYTHONIOENCODING="ascii"),
    )
    assert done.stdout.startswith(rb"virt/kvm/\xe9.c:1:1: error: ")


def test_an_interrupt_leaves_no_traceback(
    top: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(path: bytes, flags: int = 0) -> bytes:
        signal.raise_signal(signal.SIGINT)
        return path

    monkeypatch.setattr("kvm_export_hook.files.worktree.read_file", interrupted)
    # What runs in the background of a shell is started with the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    result = command()
    signal.signal(signal.SIGINT, before)
    assert result == (2, "", "kvm-export-hook: error: interrupted\n")


@pytest.mark.parametrize("option", ["--commits", "--patch", "--since", "--srctree"])
def test_what_is_judged_is_said_once(top: Path, command: Command, option: str) -> None:
    said = f"kvm-export-hook: error: {option} can be given only once: see --help\n"
    assert command(option, "a", "virt", option, "b") == (2, "", said)
    assert command(f"{option}=a", f"{option}=a") == (2, "", said)


# What a clean commit pays for.


def test_a_fault_of_ours_is_no_finding(top: Path, command: Command) -> None:
    # A path that no system call takes: nothing that can be typed on a command line.
    status, out, err = command("a\0b")
    assert (status, out) == (2, "")
    assert err.startswith("kvm-export-hook: error: internal error: ValueError: ")
    assert err.endswith(": please report this, with the input\n")


NEEDS_MORE = "kvm-export-hook: error: {}needs more memory than this machine has\n"


@parametrize(
    ("arguments", "out", "subject"),
    {
        "a-file": (["--quiet"], "virt/kvm/x.c:1:1: error: ", "virt/kvm/big.c: "),
        "a-patch": (["--patch", "p"], "", "p: "),
        "a-list": (["--list"], "EXPORT_SYMBOL", "virt/kvm/big.c: "),
    },
)
def test_what_memory_does_not_suffice_for_is_an_error(
    top: Path, arguments: list[str], out: str, subject: str
) -> None:
    # A copy of all of it is made at once. When that fails, there is room for what is small.
    big = b"/*" + b" " * 90_000_000 + b"*/ EXPORT_SYMBOL(x)\n"
    write(top / "virt/kvm/big.c", big)
    write(top / "virt/kvm/x.c", BAD)
    write(top / "p", b"--- a/virt/kvm/y.c\n+++ b/virt/kvm/y.c\n@@ -0,0 +1 @@\n+" + big)
    done = subprocess.run(
        ["bash", "-c", 'ulimit -v 250000; exec "$0" "$@"', str(COMMAND), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=make_environment(),
    )
    assert done.returncode == 2
    assert done.stdout.startswith(out)
    assert done.stderr.endswith(NEEDS_MORE.format(subject))


CLEAN_PATH = {
    "__future__",
    "kvm_export_hook",
    "kvm_export_hook.cli",
    "kvm_export_hook.files",
    "kvm_export_hook.files.worktree",
    "kvm_export_hook.options",
    "kvm_export_hook.rules",
    "kvm_export_hook.rules.facts",
    "kvm_export_hook.rules.policy",
    "kvm_export_hook.rules.scan",
    "kvm_export_hook.rules.scope",
    "kvm_export_hook.run",
}


def status_and_modules(arguments: list[str]) -> tuple[str, set[str]]:
    """Run the command; return its exit status, and which modules it has loaded."""
    program = (
        "import os, sys; before = set(sys.modules)\n"
        "from kvm_export_hook.cli import main\n"
        f"status = main({arguments!r})\n"
        "print('\\n', status, *sorted(set(sys.modules) - before))"
    )
    # No site: what a coverage run or an editable install adds would count.
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [PYTHON, "-S", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": paths},
    )
    status, *modules = done.stdout.rpartition("\n ")[2].split()
    return status, set(modules)


@parametrize(
    "arguments",
    {
        "files": ["virt/kvm/kvm_main.c", "arch/x86/kvm/x86.c"],
        "files-after-two-dashes": ["--", "virt/kvm/kvm_main.c"],
        "an-option": ["--color=never", "virt/kvm/kvm_main.c"],
        "fix": ["--fix", "virt/kvm/kvm_main.c"],
        "tree": [],
    },
)
def test_the_clean_path_imports_nothing_that_it_does_not_need(
    top: Path, arguments: list[str]
) -> None:
    write(top / "virt/kvm/vfio.c", b"int a;\nEXPORT_SYMBOL_GPL(kvm_get_kvm);\n" + INTERNAL)
    status, modules = status_and_modules(arguments)
    assert status == "0"
    walked = {f"kvm_export_hook.files.{name}" for name in ("locate", "look", "walk")}
    assert modules <= CLEAN_PATH | (set() if arguments else walked)


def test_an_export_that_shows_at_a_glance_needs_no_lexer(top: Path) -> None:
    write(top / "virt/kvm/x.c", b"/* a */\nint a;\n" + BAD)
    status, modules = status_and_modules([])
    assert status == "1"
    assert "kvm_export_hook.report.as_text" in modules
    assert not {"re", "argparse", "kvm_export_hook.rules.lex"} & modules


def test_module_entry_point(top: Path) -> None:
    write(top / "virt/kvm/bad.c", BAD)
    done = subprocess.run(
        [PYTHON, "-m", "kvm_export_hook", "--quiet"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.count("\n")) == (1, 1)


def test_argv_is_the_processes_own_by_default(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["kvm-export-hook", "virt/kvm/kvm_main.c"])
    assert main() == 0
