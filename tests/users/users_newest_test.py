# SPDX-License-Identifier: MIT
"""Users are looked up in the newest state that is checked, which may not be on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Command
from tests.helpers.kernel_tree import make_kernel
from tests.helpers.repositories import Repository, initialise
from tests.helpers.support import write

EXPORT = b"void kvm_new(void) {}\nEXPORT_SYMBOL_GPL(kvm_new);\n"
USE = b"void use(void) { kvm_new(); }\n"
SVM, VFIO = "arch/x86/kvm/svm/svm.c", "drivers/vfio/vfio_main.c"


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linux: Repository) -> Repository:
    """Make a whole small kernel in a repository, and stand in it."""
    repository = Repository(make_kernel(tmp_path / "kernel", {}), linux.home)
    write(repository.top / "drivers/vfio/Makefile", b"obj-y += vfio_main.o\n")
    monkeypatch.chdir(repository.top)
    return initialise(repository)


def record_series(kernel: Repository, user: str) -> str:
    """Record an export, and a use of it in the file USER by a second commit; return the start."""
    start = kernel.git("rev-parse", "HEAD").strip()
    kernel.record("export", {"virt/kvm/new.c": EXPORT})
    old = (kernel.top / user).read_bytes() if (kernel.top / user).exists() else b""
    kernel.record("use", {user: old + USE})
    return start


@pytest.mark.parametrize(("user", "said"), [(SVM, "used by kvm-amd"), (VFIO, "named outside KVM")])
def test_what_a_series_uses_itself(
    kernel: Repository, command: Command, user: str, said: str
) -> None:
    start = record_series(kernel, user)
    assert said in command("--users", f"--commits={start}..").out
    mails = kernel.git("format-patch", "--stdout", start)
    path = write(kernel.top.parent / "mails", mails.encode())
    kernel.git("checkout", "--quiet", "-b", "other", start)
    # Neither is on the disk any more.
    assert said in command("--users", f"--commits={start}..main").out
    assert said in command("--users", "--patch", str(path)).out


def test_commits_that_add_nothing(kernel: Repository, command: Command) -> None:
    start = kernel.git("rev-parse", "HEAD").strip()
    kernel.record("clean", {"virt/kvm/new.c": b"void kvm_new(void) {}\n"})
    assert command("--users", f"--commits={start}..") == (0, "", "")


def test_a_kernel_that_the_last_commit_moves_away(kernel: Repository, command: Command) -> None:
    old = kernel.top / "old"
    old.mkdir()
    for each in list(kernel.top.iterdir()):
        if each.name not in (".git", "old"):
            each.rename(old / each.name)
    start = kernel.record("below old")
    kernel.record("export", {"old/virt/kvm/new.c": EXPORT})
    kernel.git("mv", "old", "new")
    kernel.record("away")
    status, out, err = command("--users", "--srctree=old", f"--commits={start}..")
    assert status == 2
    assert err.endswith("is not in the kernel that is checked: name its tree with --srctree=new\n")
    assert "users are not known: the searched tree does not have the change that is checked" in out


def test_a_patch_that_does_not_apply_is_not_said_to_have_no_user(
    kernel: Repository, command: Command
) -> None:
    start = record_series(kernel, SVM)
    mails = kernel.git("format-patch", "--stdout", f"{start}..HEAD^")
    broken = mails.replace("new file mode 100644\n", "").replace("/dev/null", "a/virt/kvm/new.c")
    path = write(kernel.top.parent / "mails", broken.replace("@@ -0,0", "@@ -1,0").encode())
    kernel.git("checkout", "--quiet", "-b", "other", start)
    out = command("--users", "--patch", str(path)).out
    assert "users are not known: the searched tree does not have the change that is checked" in out
    assert "no other module" not in out
