# SPDX-License-Identifier: MIT
"""The README's installation, as it is written there, in a home without anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import kvm_export_hook
from tests.helpers.recipes import README, recipe
from tests.helpers.repositories import Repository, initialise, publish
from tests.helpers.support import BAD, INTERNAL, make_tree, write

pytestmark = pytest.mark.xdist_group("pre-commit")

ADDRESS = "https://github.com/OWNER/kvm-export-hook"
FINDING = "virt/kvm/x.c:1:1: error: EXPORT_SYMBOL_GPL(kvm_sample): "


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home whose git finds this checkout at the project's address."""
    path = tmp_path_factory.mktemp("home")
    published = publish(path)
    published.git("tag", f"v{kvm_export_hook.__version__}")
    published.git("config", "--global", f"url.{published.top}.insteadOf", ADDRESS)
    return path


@pytest.fixture
def linux(home: Path, tmp_path: Path) -> Repository:
    """Make a kernel-like repository, which hides dotfiles as the kernel does."""
    repository = Repository(tmp_path / "linux", home)
    make_tree(repository.top)
    write(repository.top / ".gitignore", b".*\n!.gitignore\n")
    return initialise(repository)


def run(repository: Repository, commands: str) -> tuple[int, str]:
    """Run COMMANDS as somebody would in this home, who has what pipx installs on the PATH."""
    scripts = repository.home / ".local/bin"
    return repository.run("sh", "-e", "-c", f'PATH="{scripts}:$PATH"\n{commands}')


def succeed(repository: Repository, commands: str) -> str:
    status, output = run(repository, commands)
    assert status == 0, output
    return output


def list_hooks(repository: Repository) -> list[str]:
    names = (path.name for path in (repository.top / ".git/hooks").iterdir())
    return sorted(name for name in names if not name.endswith(".sample"))


@pytest.fixture
def hooked(linux: Repository) -> Repository:
    """Install pre-commit, and paste what the README begins with."""
    command = "pipx install pre-commit"
    assert f"`{command}`" in README
    succeed(linux, command)
    assert (linux.home / ".local/bin/pre-commit").exists()
    (linux.top / ".pre-commit-config.yaml").write_text(recipe("at the top of the kernel tree:"))
    said = succeed(linux, recipe("There, install the git hooks."))
    assert said.rstrip().endswith("Passed")
    assert list_hooks(linux) == ["pre-commit", "pre-merge-commit", "pre-push"]
    return linux


def test_a_bad_commit_is_blocked_and_a_good_one_passes(hooked: Repository) -> None:
    hooked.stage("virt/kvm/x.c", BAD)
    status, output = run(hooked, "git commit --message 'KVM: Bad'")
    assert status == 1
    assert FINDING in output
    succeed(hooked, recipe("How do I skip it once?"))
    hooked.stage("virt/kvm/x.c", INTERNAL)
    succeed(hooked, "git commit --message 'KVM: Good'")


def test_prek_installs_the_same_hooks(linux: Repository) -> None:
    (linux.top / ".pre-commit-config.yaml").write_text(recipe("at the top of the kernel tree:"))
    succeed(linux, "prek install")
    assert list_hooks(linux) == ["pre-commit", "pre-merge-commit", "pre-push"]


def test_pre_commit_takes_its_hooks_away(linux: Repository) -> None:
    (linux.top / ".pre-commit-config.yaml").write_text(recipe("at the top of the kernel tree:"))
    succeed(linux, "pre-commit install")
    assert "`pre-commit uninstall`" in README
    succeed(linux, "pre-commit uninstall")
    assert list_hooks(linux) == []


def test_the_traps(hooked: Repository) -> None:
    write(hooked.top / "virt/kvm/x.o", b"")
    succeed(hooked, recipe("And `git clean -x` deletes it"))
    assert not (hooked.top / "virt/kvm/x.o").exists()
    succeed(hooked, recipe("commits fail there until it is copied"))
    stable = Repository(hooked.top.parent / "stable", hooked.home)
    stable.stage("virt/kvm/x.c", BAD)
    status, output = run(stable, "git commit --message 'KVM: Bad'")
    assert status == 1
    assert FINDING in output
    hooked.git("config", "core.hooksPath", "hooks")
    status, output = run(hooked, recipe("There, install the git hooks."))
    assert status == 1
    assert "core.hooksPath" in output


def test_a_whole_history_is_pushed(hooked: Repository, tmp_path: Path) -> None:
    hooked.git("init", "--quiet", "--bare", str(tmp_path / "fork.git"))
    hooked.git("remote", "add", "fork", str(tmp_path / "fork.git"))
    hooked.git("checkout", "--quiet", "-b", "master")
    hooked.git("tag", "v7.3")
    succeed(hooked, "git commit --allow-empty --message 'KVM: Good'")
    succeed(hooked, "git push fork master")
    succeed(hooked, "git commit --allow-empty --message 'KVM: Good, too'")
    hooked.stage("virt/kvm/x.c", BAD)
    succeed(hooked, recipe("How do I skip it once?"))
    status, output = run(hooked, "git push fork master")
    assert status == 1
    assert FINDING in output


def test_the_command_itself(linux: Repository) -> None:
    succeed(linux, recipe("**With plain git**"))
    version = kvm_export_hook.__version__
    assert succeed(linux, "kvm-export-hook --version") == f"kvm-export-hook {version}\n"
    write(linux.top / "include/linux/kvm_types.h", b"")
    linux.stage("virt/kvm/x.c", BAD)
    assert "nothing enforced" in succeed(linux, "kvm-export-hook")
    status, output = run(linux, recipe("What would it say on 6.12?"))
    assert status == 1
    assert FINDING in output
    assert os.fspath(linux.home) not in output
