# SPDX-License-Identifier: MIT
"""Show the hook at work: a commit with unwanted exports is blocked, the corrected one passes.

Everything is real: a git repository with sample sources in a directory of its
own, the hook installed there by pre-commit from this checkout, and commits.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKOUT = Path(__file__).resolve().parent.parent

SAMPLES = {
    "include/linux/kvm_types.h": """\
#ifdef KVM_SUB_MODULES
#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol) \\
	EXPORT_SYMBOL_FOR_MODULES(symbol, __stringify(KVM_SUB_MODULES))
#else
#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol)
#endif
""",
    "virt/kvm/kvm_main.c": """\
void kvm_get_kvm(struct kvm *kvm)
{
	refcount_inc(&kvm->users_count);
}
EXPORT_SYMBOL_GPL(kvm_get_kvm);
""",
    "arch/x86/kvm/lapic.c": """\
int kvm_lapic_peek(struct kvm_vcpu *vcpu)
{
	return vcpu->arch.apic ? 1 : 0;
}
""",
}
EDITED = "arch/x86/kvm/lapic.c"
MISTAKE = """\
EXPORT_SYMBOL_GPL(kvm_lapic_peek);

void kvm_lapic_poke(struct kvm_vcpu *vcpu)
{
	kvm_make_request(KVM_REQ_EVENT, vcpu);
}
EXPORT_SYMBOL(kvm_lapic_poke);
"""

CONFIGURATION = """\
repos:
  - repo: {checkout}
    rev: {revision}
    hooks:
      - id: kvm-exports
"""


def main() -> int:
    """Run the demonstration; return 1 when it did not go as it should."""
    with tempfile.TemporaryDirectory(prefix="kvm-export-hook-") as directory:
        demo = Demonstration(Path(directory))
        demo.prepare()
        print("A patch adds two exports, by the macros that habit types:\n", flush=True)
        demo.append(EDITED, MISTAKE)
        blocked = demo.show("git commit --all --message 'KVM: x86: Add peek and poke'")
        print("\nThe commit is blocked. The macro that the hook names puts it right:\n", flush=True)
        demo.show(
            f"sed -i -E 's/EXPORT_SYMBOL(_GPL)?\\(/EXPORT_SYMBOL_FOR_KVM_INTERNAL(/' {EDITED}"
        )
        passed = demo.show("git commit --all --message 'KVM: x86: Add peek and poke'")
        if blocked == 0 or passed != 0:
            print("\nThis did not go as it should.", file=sys.stderr)
            return 1
        print("\nThe corrected commit passes.")
        return 0


def git_environment(pre_commit_home: Path, base: Mapping[str, str]) -> dict[str, str]:
    """Change the environment BASE so that it does not matter whose git and machine this is."""
    kept = {name: value for name, value in base.items() if not name.startswith("GIT_")}
    return kept | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PAGER": "cat",
        "GIT_AUTHOR_NAME": "A Developer",
        "GIT_AUTHOR_EMAIL": "developer@example.org",
        "GIT_COMMITTER_NAME": "A Developer",
        "GIT_COMMITTER_EMAIL": "developer@example.org",
        "PRE_COMMIT_HOME": str(pre_commit_home),
    }


def head() -> str:
    """Tell the revision of this checkout that pre-commit is to install."""
    command = ["git", "rev-parse", "HEAD"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Demonstration:
    """A repository of sample sources in DIRECTORY."""

    def __init__(self, directory: Path) -> None:
        self.top = directory / "linux"
        self.environment = git_environment(directory / "pre-commit", os.environ)

    def prepare(self, quiet: bool = False) -> None:
        """Commit the samples, and install the hook with pre-commit."""
        for name, content in SAMPLES.items():
            path = self.top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.run("git init --quiet --initial-branch=main")
        self.run("git add --all")
        self.run("git commit --quiet --message initial")
        configuration = CONFIGURATION.format(checkout=CHECKOUT, revision=head())
        (self.top / ".pre-commit-config.yaml").write_text(configuration)
        if not quiet:
            print("Installing the hook into a small kernel-like repository ...\n", flush=True)
        self.run("pre-commit install --install-hooks")

    def append(self, name: str, content: str) -> None:
        """Add to a source, and show what."""
        with (self.top / name).open("a") as file:
            file.write(content)
        self.show(f"git diff --unified=1 {name}")
        print()

    def run(self, command: str) -> None:
        """Run COMMAND, which must succeed."""
        done = subprocess.run(
            shlex.split(command),
            cwd=self.top,
            env=self.environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"{done.stdout}\nthe demonstration cannot go on: {command}")

    def show(self, command: str) -> int:
        """Run COMMAND as a person would, and return its exit status."""
        print(f"$ {command}", flush=True)
        arguments = shlex.split(command)
        return subprocess.run(
            arguments, cwd=self.top, env=self.environment, check=False, stderr=subprocess.STDOUT
        ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
