# SPDX-License-Identifier: MIT
"""The hook on kernel trees, two of them real, two changed copies."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.helpers.support import COMMAND, NOT_LISTED
from tests.kernel.conftest import make_check


def grep_count(tree: Path, pattern: str) -> int:
    """Count the lines below the KVM directories that grep finds."""
    done = subprocess.run(
        ["grep", "-rhw", "--include=*.[ch]", pattern, "virt/kvm", "arch/x86/kvm"],
        cwd=tree,
        capture_output=True,
        check=False,
    )
    return done.stdout.count(b"\n")


def test_the_current_kernel_is_clean(current: Path, command: Command, tmp_path: Path) -> None:
    assert command(str(current)) == (0, "", "")
    assert make_check(current, tmp_path)


def test_the_current_kernel_without_the_check_is_clean(uncheck: Path, command: Command) -> None:
    assert command(str(uncheck)) == (0, "", "")


def test_linux_6_12_cannot_follow_the_rule(old: Path, command: Command) -> None:
    status, out, err = command(str(old))
    assert (status, out) == (0, "")
    assert err.count("\n") == 1
    assert "nothing enforced" in err


@pytest.mark.parametrize("forced", [True, False], ids=["forced", "macro-defined-by-hand"])
def test_linux_6_12_has_232_unwanted_exports(
    old: Path, defined: Path, command: Command, forced: bool
) -> None:
    status, out, err = command("--force", str(old)) if forced else command(str(defined))
    assert (status, err) == (1, "")
    assert out.count(f"{NOT_LISTED} [not-allowlisted]\n") == 232
    assert "found 232 unwanted exports in 14 files: 232 EXPORT_SYMBOL_GPL\n" in out
    # 239 exports less the 7 on the allowlist; the grep of the make check takes
    # kvm_put_kvm_no_destroy for kvm_put_kvm, and counts 231.
    assert grep_count(old, "EXPORT_SYMBOL_GPL") == 239
    assert "EXPORT_SYMBOL_GPL(kvm_put_kvm_no_destroy): " in out


def contents(tree: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(tree)): path.read_bytes()
        for directory in ("virt/kvm", "arch/x86/kvm")
        for path in sorted((tree / directory).rglob("*"))
        if path.is_file()
    }


def test_fixing_what_was_spoilt_restores_the_current_kernel(
    changeable: Path, command: Command, tmp_path: Path
) -> None:
    before = contents(changeable)
    exports = 0
    for name, content in before.items():
        exports += content.count(b"EXPORT_SYMBOL_FOR_KVM_INTERNAL(")
        spoilt = content.replace(b"EXPORT_SYMBOL_FOR_KVM_INTERNAL(", b"EXPORT_SYMBOL_GPL(")
        if spoilt != content:
            (changeable / name).write_bytes(spoilt)
    assert not make_check(changeable, tmp_path)
    status, out, err = command("--fix", str(changeable))
    assert (status, err) == (1, "")
    assert exports > 200
    assert f"\nrewrote {exports} unwanted exports in " in out
    assert contents(changeable) == before
    assert make_check(changeable, tmp_path)
    assert command("--fix", str(changeable)) == (0, "", "")


def test_fixing_linux_6_12_with_the_macro(defined: Path, command: Command) -> None:
    status, out, err = command("--fix", str(defined))
    assert (status, err) == (1, "")
    assert "\nrewrote 232 unwanted exports in 14 files: 232 EXPORT_SYMBOL_GPL\n" in out
    assert grep_count(defined, "EXPORT_SYMBOL_FOR_KVM_INTERNAL") == 232
    assert grep_count(defined, "EXPORT_SYMBOL_GPL") == 7
    assert command(str(defined)) == (0, "", "")


def test_the_patch_for_linux_6_12_does_what_the_fix_does(
    defined: Path, tmp_path: Path, command: Command
) -> None:
    patched = tmp_path / "patched"
    shutil.copytree(defined, patched)
    patch = subprocess.run([str(COMMAND), "--diff", str(defined)], capture_output=True, check=False)
    assert (patch.returncode, patch.stderr) == (1, b"")
    subprocess.run(["git", "init", "--quiet"], cwd=patched, check=True)
    subprocess.run(["git", "apply"], cwd=patched, input=patch.stdout, check=True)
    command("--fix", str(defined))
    assert contents(patched) == contents(defined)


def test_the_inventory_of_the_current_kernel(current: Path, command: Command) -> None:
    status, out, err = command("--list", "--format", "json", str(current))
    assert (status, err) == (0, "")
    reported = json.loads(out)
    by_grep = subprocess.run(
        ["grep", "-rhoE", "--include=*.[ch]", r"^EXPORT_[A-Z_]+\(", "virt/kvm", "arch/x86/kvm"],
        cwd=current,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.replace("(", "")
    counts = {macro: by_grep.split().count(macro) for macro in set(by_grep.split())}
    assert reported["totals"] == counts
    assert len(reported["exports"]) > 250
    assert {each["verdict"] for each in reported["exports"]} == {"internal", "allowlisted", "other"}
    assert reported["allowlist"]["source"] == "the tree's own"
    assert reported["allowlist"]["stale"] == []


def test_the_inventory_of_linux_6_12(old: Path, command: Command) -> None:
    status, out, err = command("--list", "--format", "json", str(old))
    assert (status, err) == (0, "")
    verdicts = [each["verdict"] for each in json.loads(out)["exports"]]
    assert verdicts.count("unwanted") == 232
    assert verdicts.count("allowlisted") == 7
