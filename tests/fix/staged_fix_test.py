# SPDX-License-Identifier: MIT
"""``--staged --fix``: what is staged is put right, and no byte of anybody's work is lost."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kvm_export_hook.fix.index_lock import BUSY_MESSAGE, LOCKED_MESSAGE, lock_index
from kvm_export_hook.fix.staged import (
    LINK_MESSAGE,
    MOVED_ON_MESSAGE,
    NOT_CHECKED_OUT_MESSAGE,
    NOT_COMPARED_MESSAGE,
)
from tests.conftest import HOME
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Repository, initialise
from tests.helpers.steps import make_steps
from tests.helpers.support import (
    BAD,
    COMMAND,
    INTERNAL,
    PYTHON,
    TYPED,
    drop_rights,
    make_tree,
    make_unmeasured_environment,
    run_in_process,
    write,
)

A, B = "virt/kvm/a.c", "arch/x86/kvm/b.c"
OLD = b"EXPORT_SYMBOL_GPL(kvm_old);\n"
MORE = b"int more;\n"
OURS = ".git/index.kvm-export-hook"


def fix(*arguments: str) -> tuple[int, str, str]:
    return run_in_process("--staged", "--fix", *arguments)


def staged(linux: Repository, name: str = A) -> bytes:
    """Return what the index has of a file."""
    return linux.git("show", f":{name}").encode("utf-8", "surrogateescape")


def read(linux: Repository, name: str = A) -> bytes:
    return (linux.top / name).read_bytes()


def leaves_nothing(linux: Repository) -> bool:
    """Whether nothing of ours is in the repository, and git can write the index."""
    directory = Path(linux.git("rev-parse", "--absolute-git-dir").strip())
    names = os.listdir(directory)
    assert "index.lock" not in linux.run("git", "update-index", "--refresh").output
    return not [each for each in names if "kvm-export-hook" in each or each.endswith(".lock")]


# In the index, and in the working copy.
CASES: dict[str, tuple[bytes, bytes, bytes, bytes, bytes]] = {
    # what HEAD has, what is staged, the working copy; then the index and the working copy
    "new": (b"", BAD, BAD, INTERNAL, INTERNAL),
    "old": (OLD, OLD + BAD, OLD + BAD, OLD + INTERNAL, OLD + INTERNAL),
    "old-of-the-same": (BAD, BAD + BAD, BAD + BAD, BAD + INTERNAL, BAD + INTERNAL),
    "more": (b"", BAD, BAD + MORE + OLD, INTERNAL, INTERNAL + MORE + OLD),
    "moved": (b"", MORE + BAD, BAD + MORE, MORE + INTERNAL, INTERNAL + MORE),
    "dropped-there": (b"", BAD + MORE, MORE, INTERNAL + MORE, MORE),
    "mended-there": (b"", BAD, INTERNAL + MORE, INTERNAL, INTERNAL + MORE),
    "mended-there-beside-an-old": (
        BAD,
        BAD + BAD,
        BAD + INTERNAL,
        BAD + INTERNAL,
        BAD + INTERNAL,
    ),
    "crlf": (b"", b"a\r\n" + BAD, b"a\r\n" + BAD, b"a\r\n" + INTERNAL, b"a\r\n" + INTERNAL),
    "two": (b"", BAD + OLD, OLD + BAD, INTERNAL + OLD.replace(b"GPL", b"FOR_KVM_INTERNAL"),
            OLD.replace(b"GPL", b"FOR_KVM_INTERNAL") + INTERNAL),
}  # fmt: skip


@parametrize(("head", "index", "copy", "new_index", "new_copy"), CASES)
def test_what_is_rewritten(
    linux: Repository, head: bytes, index: bytes, copy: bytes, new_index: bytes, new_copy: bytes
) -> None:
    linux.record("before", {A: head})
    linux.stage(A, index)
    linux.write(A, copy)
    status, out, err = fix()
    assert (status, err) == (1, "")
    assert "rewrote " in out
    assert (staged(linux), read(linux)) == (new_index, new_copy)
    assert leaves_nothing(linux)
    assert fix() == (0, "", "")


def test_it_says_what_it_did(linux: Repository) -> None:
    linux.stage(A, BAD + b"EXPORT_SYMBOL_NS(a, b);\n")
    status, out, err = fix()
    assert (status, err) == (1, "")
    assert out.startswith(
        f"{A}:1: EXPORT_SYMBOL_GPL(kvm_sample) -> EXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_sample)\n"
        f"{A}:2:1: error: EXPORT_SYMBOL_NS(a): "
    )
    assert staged(linux) == INTERNAL + b"EXPORT_SYMBOL_NS(a, b);\n"


def test_the_index_keeps_its_mode(linux: Repository) -> None:
    linux.stage(A, BAD)
    index = linux.top / ".git/index"
    index.chmod(0o664)  # as in a repository that is shared
    assert fix()[0] == 1
    assert index.stat().st_mode & 0o777 == 0o664


def test_what_cannot_be_rewritten_touches_nothing(linux: Repository) -> None:
    linux.stage(A, b"EXPORT_SYMBOL_NS(a, b);\n")
    before = (linux.top / ".git/index").stat()
    assert fix()[0] == 1
    assert os.path.samestat(before, (linux.top / ".git/index").stat())


def test_a_file_that_is_deleted_only_in_the_working_tree(linux: Repository) -> None:
    linux.stage(A, BAD)
    (linux.top / A).unlink()
    assert fix()[0] == 1
    assert staged(linux) == INTERNAL
    assert not (linux.top / A).exists()


def test_renamed_executable_and_deleted_files(linux: Repository) -> None:
    linux.record("before", {A: MORE * 20, B: BAD})
    linux.git("mv", A, "virt/kvm/c.c")
    linux.write("virt/kvm/c.c", MORE * 20 + BAD + BAD)
    (linux.top / "virt/kvm/c.c").chmod(0o755)
    linux.git("add", "virt/kvm/c.c")
    linux.git("rm", "--quiet", B)
    assert fix()[0] == 1
    # One of the two is the one that was deleted elsewhere.
    assert staged(linux, "virt/kvm/c.c") == MORE * 20 + BAD + INTERNAL
    assert linux.git("ls-files", "-s", "virt/kvm/c.c").startswith("100755 ")
    assert linux.git("status", "--short").split("\n")[0] == f"D  {B}"


def test_a_file_that_is_only_intended_to_be_added(linux: Repository) -> None:
    linux.write(B, BAD)
    linux.git("add", "--intent-to-add", B)
    linux.stage(A, BAD)
    assert fix()[0] == 1
    assert (staged(linux), read(linux, B)) == (INTERNAL, BAD)
    assert linux.git("status", "--short") == f" A {B}\nA  {A}\n"


def refuse(linux: Repository, reason: str, name: str = A) -> None:
    """A fix of what is staged is refused, for NAME; another file is rewritten all the same."""
    before = staged(linux, name)
    linux.stage("virt/kvm/other.c", OLD)
    status, out, err = fix()
    assert status == 2
    assert err == f"kvm-export-hook: error: {name}: not rewritten: {reason}\n"
    assert "      = not rewritten: the file could not be written\n" in out
    assert staged(linux, name) == before
    assert staged(linux, "virt/kvm/other.c") != OLD
    assert leaves_nothing(linux)


def test_a_working_copy_that_has_moved_on(linux: Repository) -> None:
    linux.stage(A, BAD)
    linux.write(A, BAD + BAD)
    refuse(linux, MOVED_ON_MESSAGE)
    assert read(linux) == BAD + BAD


@pytest.mark.parametrize("flag", ["--skip-worktree", "--assume-unchanged"])
def test_a_file_that_git_does_not_look_at(linux: Repository, flag: str) -> None:
    linux.stage(A, BAD)
    linux.git("update-index", flag, A)
    refuse(linux, NOT_COMPARED_MESSAGE)
    assert read(linux) == BAD


def test_a_file_that_is_not_in_the_sparse_checkout(linux: Repository) -> None:
    linux.stage(B, BAD)
    linux.git("sparse-checkout", "set", "--cone", "virt")
    refuse(linux, NOT_CHECKED_OUT_MESSAGE, B)
    linux.git("sparse-checkout", "add", "arch/x86/kvm")
    assert fix()[0] == 1
    assert staged(linux, B) == read(linux, B) == INTERNAL


def test_a_working_copy_that_is_a_link(linux: Repository) -> None:
    linux.stage(A, BAD)
    write(linux.top / "fs/a.c", BAD)
    (linux.top / A).unlink()
    (linux.top / A).symlink_to("../../fs/a.c")
    refuse(linux, LINK_MESSAGE)
    assert read(linux, "fs/a.c") == BAD


def test_a_directory_that_is_a_link(linux: Repository) -> None:
    linux.stage("virt/kvm/d/a.c", BAD)
    (linux.top / "virt/kvm/d").rename(linux.top / "fs/d")
    (linux.top / "virt/kvm/d").symlink_to("../../fs/d")
    refuse(linux, LINK_MESSAGE, "virt/kvm/d/a.c")
    assert read(linux, "fs/d/a.c") == BAD


def test_a_directory_that_became_a_file(linux: Repository) -> None:
    linux.stage("virt/kvm/d/a.c", BAD)
    (linux.top / "virt/kvm/d/a.c").unlink()
    (linux.top / "virt/kvm/d").rmdir()
    linux.write("virt/kvm/d", MORE)
    assert fix()[0] == 1
    assert staged(linux, "virt/kvm/d/a.c") == INTERNAL
    assert read(linux, "virt/kvm/d") == MORE


def run_command(
    linux: Repository, *wrapper: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [*wrapper, str(COMMAND), "--staged", "--fix"],
        cwd=linux.top,
        env={**make_unmeasured_environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("place", ["virt/kvm", ".git", ".git/objects"])
def test_a_directory_that_cannot_be_written(linux: Repository, place: str) -> None:
    linux.stage(A, BAD)
    path = linux.top / place
    # An object goes into a directory below, which may be there.
    closed = [path, *(each for each in path.glob("??") if place == ".git/objects")]
    for each in closed:
        each.chmod(0o555)
    done = run_command(linux, *drop_rights())
    for each in closed:
        each.chmod(0o755)
    assert done.returncode == 2
    assert "not rewritten: " in done.stderr
    assert "ermission denied" in done.stderr or "insufficient permission" in done.stderr
    assert (staged(linux), read(linux)) == (BAD, BAD)
    assert leaves_nothing(linux)
    assert fix()[0] == 1
    assert (staged(linux), read(linux)) == (INTERNAL, INTERNAL)


def test_an_index_that_cannot_be_written_whole(linux: Repository) -> None:
    linux.stage(A, BAD)
    for number in range(100):
        linux.write(f"Documentation/{number}", b"")
    linux.git("add", "--all")
    size = (linux.top / ".git/index").stat().st_size
    limit = ("bash", "-c", f'ulimit -f {size // 1024 - 1}; exec "$0" "$@"')
    done = run_command(linux, *limit)
    assert done.returncode == 2
    assert "index: not rewritten: " in done.stderr
    assert staged(linux) == BAD
    assert leaves_nothing(linux)


# Whose lock it is.


@pytest.fixture
def index(linux: Repository) -> bytes:
    linux.stage(A, BAD)
    return os.fsencode(linux.top / ".git/index")


def test_the_lock_of_git(linux: Repository, index: bytes) -> None:
    write(linux.top / ".git/index.lock", b"")
    status, _, err = fix()
    assert (status, err) == (2, f"kvm-export-hook: error: index: not rewritten: {LOCKED_MESSAGE}\n")
    assert (staged(linux), read(linux)) == (BAD, BAD)
    assert os.listdir(linux.top / ".git").count("index.lock") == 1
    assert not (linux.top / OURS).exists()


def test_git_waits_for_ours(linux: Repository, index: bytes) -> None:
    with lock_index(index):
        assert "index.lock': File exists" in linux.run("git", "add", A).output
        status, _, err = fix()
    assert (status, err) == (2, f"kvm-export-hook: error: index: not rewritten: {BUSY_MESSAGE}\n")
    assert leaves_nothing(linux)


@pytest.mark.parametrize("name", ["index", "index.lock", "none"])
def test_what_a_killed_run_has_left(linux: Repository, index: bytes, name: str) -> None:
    git = linux.top / ".git"
    if name == "index":  # it was killed after it had put the new index in place
        os.link(index, linux.top / OURS)
    else:
        write(linux.top / OURS, b"half of an index")
    if name == "index.lock":
        os.link(linux.top / OURS, git / name)
    assert fix()[0] == 1
    assert (staged(linux), read(linux)) == (INTERNAL, INTERNAL)
    assert leaves_nothing(linux)


def test_an_index_that_is_not_there_yet(tmp_path: Path) -> None:
    with lock_index(os.fsencode(tmp_path / "index")):
        assert len(os.listdir(tmp_path)) == 2
    assert os.listdir(tmp_path) == []


MEANTIME = b"""\
#!/bin/sh
PATH=${PATH#*:}
case "$*" in *rev-parse*index*)
  printf "$CONTENT" > $FILE
  git add $FILE
  git rm --quiet --cached $CONFLICT
  printf "$STAGES" | git update-index --index-info;;
esac
exec git "$@"
"""


def test_what_was_staged_in_the_meantime(
    linux: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux.stage(A, BAD)
    linux.stage(B, OLD)
    id_ = linux.git("rev-parse", f":{B}").strip()
    stages = "".join(f"100644 {id_} {stage}\t{B}\n" for stage in (1, 2, 3))
    write(tmp_path / "bin/git", MEANTIME).chmod(0o755)
    content = (BAD + MORE).decode()
    with monkeypatch.context() as patched:
        variables = {"CONTENT": content, "FILE": A, "CONFLICT": B, "STAGES": stages}
        for name, value in variables.items():
            patched.setenv(name, value)
        patched.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        status, _, err = fix()
    assert status == 2
    for name in (A, B):
        changed = "it was changed in the meantime: run the command again"
        assert f"error: {name}: not rewritten: {changed}\n" in err
    assert (staged(linux), read(linux)) == (BAD + MORE, BAD + MORE)
    assert linux.git("ls-files", "-u") == stages


# Where it runs.


def test_in_a_directory_below(linux: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    linux.stage(A, BAD)
    monkeypatch.chdir(linux.top / "arch/x86")
    assert fix()[0] == 1
    assert (staged(linux), read(linux)) == (INTERNAL, INTERNAL)


@pytest.mark.parametrize("arguments", [(), ("--srctree=linux dir",)])
def test_a_kernel_in_a_subdirectory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    repository = Repository(tmp_path, HOME)
    make_tree(tmp_path / "linux dir", check=True)
    initialise(repository)
    repository.stage(f"linux dir/{A}", BAD)
    monkeypatch.chdir(tmp_path if arguments else tmp_path / "linux dir")
    assert fix(*arguments)[0] == 1
    assert staged(repository, f"linux dir/{A}") == INTERNAL
    assert read(repository, f"linux dir/{A}") == INTERNAL


def test_a_linked_worktree(
    linux: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux.git("worktree", "add", "--quiet", str(tmp_path / "next"))
    linked = Repository(tmp_path / "next", linux.home)
    linked.stage(A, BAD)
    monkeypatch.chdir(linked.top)
    assert fix()[0] == 1
    assert (staged(linked), read(linked)) == (INTERNAL, INTERNAL)
    assert leaves_nothing(linked)
    assert linux.git("status", "--short") == ""


def link_index(linux: Repository) -> None:
    """Put the index elsewhere."""
    index = linux.top / ".git/index"
    index.rename(linux.top / ".git/real")
    index.symlink_to("real")


FORMS: dict[str, Callable[[Repository], object]] = {
    "split": lambda linux: linux.git("update-index", "--split-index"),
    "version 4": lambda linux: linux.git("update-index", "--index-version", "4"),
    "untracked cache": lambda linux: linux.git("update-index", "--force-untracked-cache"),
    "sparse": lambda linux: linux.git(
        "sparse-checkout", "set", "--cone", "--sparse-index", "virt", "arch"
    ),
    "a link": link_index,
}


@parametrize("change", FORMS)
def test_an_index_of_another_form(
    linux: Repository, change: Callable[[Repository], object]
) -> None:
    linux.record("more", {f"Documentation/{number}/x": b"" for number in range(50)})
    change(linux)
    linux.stage(A, BAD)
    before = linux.git("ls-files", "--sparse", "-t")
    assert fix()[0] == 1
    assert (staged(linux), read(linux)) == (INTERNAL, INTERNAL)
    assert leaves_nothing(linux)
    assert linux.git("status", "--short") == f"A  {A}\n"
    assert linux.git("ls-files", "--sparse", "-t") == before
    assert linux.commit().status == 0
    assert linux.git("status", "--short") == ""


def test_a_repository_with_longer_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linux = Repository(make_tree(tmp_path, check=True), HOME)
    linux.git("init", "--quiet", "--object-format=sha256")
    linux.record("initial")
    linux.stage(A, BAD)
    monkeypatch.chdir(tmp_path)
    assert fix()[0] == 1
    assert (staged(linux), read(linux)) == (INTERNAL, INTERNAL)


def test_a_change_of_the_same_size_right_after_git_add_is_still_seen(linux: Repository) -> None:
    linux.stage(A, BAD)
    linux.stage(B, b"int a;\n")
    status = (linux.top / B).stat()
    for path in (B, ".git/index"):
        os.utime(linux.top / path, ns=(status.st_atime_ns, status.st_mtime_ns))
    linux.git("update-index", "-q", "--refresh")
    os.utime(linux.top / ".git/index", ns=(status.st_atime_ns, status.st_mtime_ns))
    with (linux.top / B).open("r+b") as file:
        file.write(b"int b;\n")
    os.utime(linux.top / B, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert fix()[0] == 1
    assert linux.git("status", "--short") == f"AM {B}\nA  {A}\n"


def test_a_repository_without_a_working_tree(
    linux: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linux.record("bad", {A: BAD})
    linux.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    bare = Repository(tmp_path / "bare", linux.home)
    bare.git("read-tree", "HEAD")
    bare.git("update-ref", "HEAD", "HEAD~")
    monkeypatch.chdir(bare.top)
    status, _, err = fix()
    assert status == 2
    assert err == (
        "kvm-export-hook: error: index: not rewritten: this repository has no working tree\n"
    )


@pytest.mark.parametrize("name", ["pre-commit", "pre-merge-commit"])
def test_it_is_refused_in_a_hook_of_a_commit(linux: Repository, name: str) -> None:
    linux.git("checkout", "--quiet", "-b", "topic")
    linux.record("topic", {B: MORE})
    linux.git("checkout", "--quiet", "main")
    hook = f"#!/bin/sh\nexec {TYPED} --staged --fix\n".encode()
    write(linux.top / ".git/hooks" / name, hook).chmod(0o755)
    linux.measured = True
    if name == "pre-commit":
        linux.stage(A, BAD)
        status, output = linux.commit()
    else:
        status, output = linux.run("git", "merge", "--no-ff", "--no-edit", "topic")
    assert status == 1
    assert "error: --staged --fix cannot run in a hook of git commit or git merge" in output


# At every step of the write.

STEPS = make_steps(
    [f"kvm_export_hook.fix.{name}" for name in ("atomic", "index_lock", "staged")],
    'import kvm_export_hook.cli; sys.exit(kvm_export_hook.cli.main(["--staged", "--fix"]))',
)


def run_steps(linux: Repository, number: int, step: int) -> int:
    """Run the command until STEP; there it gets the signal NUMBER."""
    done = subprocess.run(
        [PYTHON, "-c", STEPS, str(int(number)), str(step)],
        cwd=linux.top,
        env=make_unmeasured_environment(),
        capture_output=True,
        check=False,
    )
    return done.returncode


def test_killed_at_every_step(linux: Repository) -> None:
    states = []
    for step in range(1, 1000, 6):
        linux.stage(A, BAD + MORE)
        linux.write(A, BAD)
        if run_steps(linux, signal.SIGKILL, step) == 1:
            break
        states.append((staged(linux), read(linux)))
        assert fix()[0] == (0 if states[-1][0] != BAD + MORE else 1)
        assert (staged(linux), read(linux)) == (INTERNAL + MORE, INTERNAL)
        for each in (linux.top / ".git").glob("index.kvm-export-hook*"):
            each.unlink()
        for each in (linux.top / "virt/kvm").glob(".kvm-export-hook*"):
            each.unlink()
        assert leaves_nothing(linux)
    order = [(BAD + MORE, BAD), (BAD + MORE, INTERNAL), (INTERNAL + MORE, INTERNAL)]
    assert sorted(set(states), key=order.index) == order
    assert states == sorted(states, key=order.index)
