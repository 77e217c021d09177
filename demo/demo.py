# SPDX-License-Identifier: MIT
"""Show the hook at work: a commit with unwanted exports is blocked, the corrected one passes.

Everything is real: a git repository with sample sources in a directory of its
own, the hook installed there by pre-commit from this checkout, and commits. Where
SRCTREE names a kernel tree, the command is run over that instead.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from demo.isolation import make_environment, publish
from demo.makefile import write_makefile

# The most likely reason for a failure; pre-commit's long output hides it.
NO_INDEX = """\
pre-commit lets pip install the hook, and pip needs a package index such as PyPI. If it
cannot reach one, set PIP_INDEX_URL to a mirror, or HTTPS_PROXY to a proxy, or PIP_NO_INDEX=1
and PIP_FIND_LINKS to a directory with the wheels of flit_core and identify."""

SAMPLES = {
    "include/linux/kvm_types.h": """\
#ifdef KVM_SUB_MODULES
#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol) \\
	EXPORT_SYMBOL_FOR_MODULES(symbol, __stringify(KVM_SUB_MODULES))
#else
#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol)
#endif
""",
    "arch/x86/kvm/Makefile": write_makefile("kvm_get_kvm"),
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
COMMIT = "git commit --all --message 'KVM: x86: Add peek and poke'"
EDITED = "arch/x86/kvm/lapic.c"
MISTAKE = """\
EXPORT_SYMBOL_GPL(kvm_lapic_peek);

void kvm_lapic_poke(struct kvm_vcpu *vcpu)
{
	kvm_make_request(KVM_REQ_EVENT, vcpu);
}
EXPORT_SYMBOL(kvm_lapic_poke);
"""

COLOUR = re.compile(r"\x1b\[[0-9;]*m")

MEANINGS = {0: "nothing unwanted", 1: "unwanted exports, which are listed above"}

CONFIGURATION = """\
repos:
  - repo: "{repository}"
    rev: {revision}
    hooks:
      - id: kvm-exports
"""


def main() -> int:
    """Run the demonstration, or the command on SRCTREE; return the exit status."""
    srctree = os.environ.get("SRCTREE")
    try:
        return judge_tree(srctree) if srctree else demonstrate()
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{error.stderr}the demonstration cannot go on: {error}") from None
    except OSError as error:  # for example, git is missing
        raise SystemExit(f"the demonstration cannot go on: {error}") from None


def judge_tree(srctree: str) -> int:
    """Run the command over SRCTREE, and print its exit status; return that."""
    print(f"$ kvm-export-hook --srctree {shlex.quote(srctree)}", flush=True)
    command = Path(sys.executable).parent / "kvm-export-hook"
    done = subprocess.run([str(command), "--srctree", srctree], check=False, stderr=subprocess.PIPE)
    sys.stderr.buffer.write(done.stderr)
    sys.stderr.flush()
    meaning = MEANINGS.get(done.returncode, "not everything could be checked, see the errors")
    if done.stderr and not done.returncode:  # a note, which says why nothing was judged
        meaning = "see the note"
    print(f"exit status {done.returncode}: {meaning}")
    # Findings are not an error of the demonstration.
    return 0 if done.returncode == 1 else done.returncode


def demonstrate() -> int:
    """Run the demonstration; return 1 if the hook does not do what it should."""
    with tempfile.TemporaryDirectory(prefix="kvm-export-hook-") as directory:
        demo = Demonstration(Path(directory))
        demo.prepare()
        print(
            "A change adds two exports, with the macros that people type out of habit:\n",
            flush=True,
        )
        demo.append(EDITED, MISTAKE)
        blocked, report = demo.show(COMMIT)
        print("\nThe commit is blocked. Run the command at the end of the report:\n", flush=True)
        demo.show(find_command(report))
        passed, _ = demo.show(COMMIT)
        if blocked == 0 or passed != 0:
            print(
                "\nIt failed: the hook should block the first commit, and not the second.",
                file=sys.stderr,
            )
            return 1
        print("\nThe corrected commit passes.")
        return 0


def find_command(report: str) -> str:
    """Find the command in the last line of REPORT, which may have colours."""
    return COLOUR.sub("", report).rstrip().rpartition("\n")[2].strip()


class Demonstration:
    """A repository of sample sources in DIRECTORY."""

    def __init__(self, directory: Path) -> None:
        self.top = directory / "linux"
        self.published = directory / "kvm-export-hook"
        self.environment = make_environment(directory / "home", os.environ)

    def prepare(self, quiet: bool = False) -> None:
        """Commit the samples, and install the hook with pre-commit."""
        for name, content in SAMPLES.items():
            path = self.top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.run("git init --quiet")
        if sys.stdout.isatty():  # the output of the commands goes through a pipe
            self.run("git config color.diff always")
            self.environment["PRE_COMMIT_COLOR"] = "always"
        self.run("git add --all")
        self.run("git commit --quiet --message initial")
        revision = publish(self.published, self.environment)
        configuration = CONFIGURATION.format(repository=self.published, revision=revision)
        (self.top / ".pre-commit-config.yaml").write_text(configuration)
        if not quiet:
            print("Installing the hook into a small kernel-like repository ...\n", flush=True)
        self.run("pre-commit install --install-hooks", NO_INDEX)

    def append(self, name: str, content: str) -> None:
        """Append CONTENT to the source NAME, and show the change."""
        with (self.top / name).open("a") as file:
            file.write(content)
        self.show(f"git diff --unified=1 {name}")
        print()

    def run(self, command: str, advice: str = "") -> None:
        """Run COMMAND, which must succeed; if it fails, end with its output and ADVICE."""
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
            failure = f"the demonstration cannot go on: {command} failed"
            raise SystemExit("\n".join(filter(None, [done.stdout, failure, advice])))

    def show(self, command: str) -> tuple[int, str]:
        """Run COMMAND as a person would; return its exit status and what it printed."""
        print(f"$ {command}", flush=True)
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.top,
            env=self.environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        sys.stdout.buffer.write(done.stdout)
        sys.stdout.flush()
        return done.returncode, os.fsdecode(done.stdout)


if __name__ == "__main__":
    raise SystemExit(main())
