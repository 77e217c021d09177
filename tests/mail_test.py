# SPDX-License-Identifier: MIT
"""The README's recipes for mails, pushes and merges, with real git, b4, pre-commit and prek."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.recipes import recipe
from tests.repository import Repository, initialise, kernel, publish
from tests.support import BAD, INTERNAL, make_tree

pytestmark = pytest.mark.xdist_group("pre-commit")

FINDING = "virt/kvm/x.c:1:1: error: EXPORT_SYMBOL_GPL(kvm_sample): "


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Make a kernel-like repository without any hook."""
    repository = Repository(tmp_path / "linux", tmp_path)
    make_tree(repository.top)
    initialise(repository)
    return repository


def install(repository: Repository, name: str, script: str) -> None:
    hook = repository.top / ".git/hooks" / name
    hook.write_text(script)
    hook.chmod(0o755)


def commit(repository: Repository, content: bytes, message: str, name: str = "x.c") -> None:
    repository.stage(f"virt/kvm/{name}", content)
    repository.git("commit", "--quiet", "--no-verify", "--message", message)


def test_b4_fails_the_bad_patch_alone(repository: Repository) -> None:
    b4 = ("b4", "--no-interactive", "--offline-mode", "prep")
    repository.git("config", "user.name", "A Developer")
    repository.git("config", "user.email", "developer@example.org")
    status, output = repository.run(*b4, "--new", "series", "--fork-point", "main")
    assert status == 0, output
    commit(repository, b"int a;\n" + BAD, "KVM: Add the bad one", "bad.c")
    commit(repository, INTERNAL, "KVM: Add the good one", "good.c")
    ours, checkpatch = recipe("**b4**").splitlines()
    assert "checkpatch.pl" in checkpatch
    assert repository.run("sh", "-c", ours).status == 0
    repository.git("config", "--add", "b4.prep-perpatch-check-cmd", "true")
    _, output = repository.run(*b4, "--check")
    output = re.sub(r"\x1b\[[0-9;]*m", "", output)
    said = output.partition("---\n")[2]
    assert re.sub(r"[0-9a-f]{12}", "SHA", said) == (
        "● SHA: KVM: Add the bad one\n"
        "  ● kvm-export-hook: virt/kvm/bad.c:2: ERROR: EXPORT_SYMBOL_GPL(kvm_sample):"
        " symbol is not on the allowlist; use EXPORT_SYMBOL_FOR_KVM_INTERNAL\n"
        "  ● true: passed all checks\n"
        "● SHA: KVM: Add the good one\n"
        "---\n"
        "Success: 2, Warning: 0, Error: 1\n"
    )


def test_git_am_refuses_the_bad_mail_and_takes_the_good_one(repository: Repository) -> None:
    commit(repository, INTERNAL, "KVM: Good", "good.c")
    commit(repository, BAD, "KVM: Bad")
    mails = repository.git("format-patch", "HEAD~2").split()
    repository.git("reset", "--quiet", "--hard", "HEAD~2")
    install(repository, "pre-applypatch", recipe("**git am**"))
    assert repository.run("git", "am", mails[0]).status == 0
    status, output = repository.run("git", "am", mails[1])
    assert status != 0
    assert FINDING in output
    assert "KVM: Good" in repository.git("log", "-1", "--format=%s")


def test_a_hook_without_any_framework(repository: Repository) -> None:
    install(repository, "pre-commit", recipe("**git am**"))
    repository.stage("virt/kvm/x.c", BAD)
    status, output = repository.commit()
    assert status == 1
    assert FINDING in output
    repository.stage("virt/kvm/x.c", INTERNAL)
    assert repository.commit().status == 0
    assert repository.commit("--allow-empty").status == 0
    repository.stage("arch/x86/kvm/old.c", BAD)
    assert repository.commit("--no-verify").status == 0
    repository.stage("arch/x86/kvm/old.c", BAD + b"int a;\n")
    assert repository.commit().status == 0


def test_a_branch(repository: Repository) -> None:
    repository.git("branch", "master")
    repository.git("checkout", "--quiet", "-b", "topic")
    commit(repository, BAD, "KVM: Bad")
    commit(repository, INTERNAL, "KVM: Put it right")
    as_one_diff, patch_by_patch = recipe("**A branch**").splitlines()
    assert repository.run("sh", "-c", as_one_diff) == (0, "")
    status, output = repository.run("sh", "-c", patch_by_patch)
    assert status == 1
    assert output.startswith("mail: [PATCH 1/2] KVM: Bad\n" + FINDING)


@pytest.fixture
def remote(repository: Repository, tmp_path: Path) -> Path:
    """Make a repository to push to, which has main."""
    path = tmp_path / "remote.git"
    repository.git("init", "--quiet", "--bare", str(path))
    repository.git("remote", "add", "origin", str(path))
    repository.git("push", "--quiet", "origin", "main")
    return path


def test_a_push_is_judged_commit_by_commit(repository: Repository, remote: Path) -> None:
    install(repository, "pre-push", recipe("as `.git/hooks/pre-push`"))
    repository.git("checkout", "--quiet", "-b", "topic")
    commit(repository, BAD, "KVM: Bad")
    commit(repository, INTERNAL, "KVM: Put it right")
    # From another checkout than the branch's own.
    repository.git("checkout", "--quiet", "main")
    status, output = repository.run("git", "push", "origin", "topic")
    assert status != 0
    assert FINDING in output
    repository.git("branch", "--quiet", "clean", "main")
    commit(repository, INTERNAL, "KVM: Good", "good.c")
    assert repository.run("git", "push", "origin", "main").status == 0
    assert repository.run("git", "push", "origin", "clean").status == 0
    assert repository.run("git", "push", "origin", ":clean").status == 0
    commit(repository, BAD, "KVM: Bad", "y.c")
    assert repository.run("git", "push", str(remote), "main").status != 0


def test_a_first_push_is_judged_from_the_root(repository: Repository, tmp_path: Path) -> None:
    install(repository, "pre-push", recipe("as `.git/hooks/pre-push`"))
    repository.git("init", "--quiet", "--bare", str(tmp_path / "empty.git"))
    assert repository.run("git", "push", str(tmp_path / "empty.git"), "main:good").status == 0
    commit(repository, BAD, "KVM: Bad")
    commit(repository, INTERNAL, "KVM: Put it right")
    status, output = repository.run("git", "push", str(tmp_path / "empty.git"), "main")
    assert status != 0
    assert FINDING in output


# Through pre-commit, and through prek.


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return publish(tmp_path_factory.mktemp("home"))


@pytest.fixture
def hooked(tmp_path: Path, published: Repository) -> Repository:
    repository = kernel(tmp_path / "hooked", published)
    status, output = repository.run("sh", "-c", recipe("**Pushes and merges**"))
    assert status == 0, output
    return repository


def test_a_push_through_pre_commit(hooked: Repository, tmp_path: Path) -> None:
    hooked.git("init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    hooked.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    hooked.git("push", "--quiet", "--no-verify", "origin", "main")
    hooked.git("checkout", "--quiet", "-b", "topic")
    commit(hooked, BAD, "KVM: Bad")
    status, output = hooked.run("git", "push", "origin", "topic")
    assert status != 0
    assert FINDING in output
    # As the README says: a bad commit below its fix passes, as does a branch
    # that is not checked out.
    commit(hooked, INTERNAL, "KVM: Put it right")
    assert hooked.run("git", "push", "origin", "topic").status == 0


def test_a_merge_through_pre_commit(hooked: Repository) -> None:
    hooked.git("checkout", "--quiet", "-b", "topic")
    commit(hooked, BAD, "KVM: Bad")
    hooked.git("checkout", "--quiet", "main")
    status, output = hooked.run("git", "merge", "--no-ff", "--no-edit", "topic")
    assert status != 0
    assert FINDING in output


@pytest.mark.parametrize("hook", ["kvm-exports", "kvm-exports-fix"])
def test_prek_says_what_pre_commit_says(tmp_path: Path, published: Repository, hook: str) -> None:
    said = []
    for runner in ("pre-commit", "prek"):
        repository = kernel(tmp_path / runner, published, hook)
        repository.stage("virt/kvm/x.c", BAD + b"EXPORT_SYMBOL_NS(a, b);\n")
        status, output = repository.run(runner, "run", "--all-files")
        assert status == 1, output
        lines = output[output.index("virt/kvm/x.c:") :].splitlines()
        said.append([line.strip() for line in lines if line.strip()])
        content = (repository.top / "virt/kvm/x.c").read_bytes()
        assert content.startswith(INTERNAL if hook == "kvm-exports-fix" else BAD)
        repository.stage("virt/kvm/x.c", INTERNAL)
        assert repository.run(runner, "run", "--all-files").status == 0
    assert said[0] == said[1]
