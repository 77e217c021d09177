# SPDX-License-Identifier: MIT
"""``--users`` on the command line: the advice of each finding in each format, and the audit."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from kvm_export_hook.options import Options
from kvm_export_hook.report.formats import FORMATS
from kvm_export_hook.run import Run
from kvm_export_hook.show import choose_progress
from kvm_export_hook.users.lookup import say_later
from tests.conftest import Command
from tests.helpers.kernel_tree import make_kernel
from tests.helpers.support import write

MAIN = "virt/kvm/kvm_main.c"
SVM = "arch/x86/kvm/svm/svm.c"


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a small whole kernel with four unwanted exports, and stand at its top."""
    top = make_kernel(
        tmp_path / "linux",
        {
            "include/linux/kvm_host.h": "#define bar() kvm_inner()\n",
            SVM: "\nbar();\nkvm_put();\n",
            "drivers/vfio/vfio_main.c": "kvm_outer();\n",
            MAIN: (
                "EXPORT_SYMBOL_GPL(kvm_inner);\n"
                "EXPORT_SYMBOL_GPL(kvm_outer);\n"
                "EXPORT_SYMBOL_GPL(kvm_lonely);\n"
                "EXPORT_SYMBOL_NS(kvm_put, x);\n"
                "#define EXPORT EXPORT_SYMBOL\n"
            ),
        },
    )
    monkeypatch.chdir(top)
    return top


FOUND = {
    "kvm_inner": "used by kvm-amd (svm/svm.c:2, through bar)",
    "kvm_outer": "named outside KVM, drivers/vfio/vfio_main.c:1",
    "kvm_lonely": "no other module of this tree uses it",
    "kvm_put": "used by kvm-amd (svm/svm.c:3)",
}
REMEDIES = {
    "kvm_inner": "use EXPORT_SYMBOL_FOR_KVM_INTERNAL",
    "kvm_outer": "if that module needs it, pass --allow kvm_outer",
    "kvm_lonely": (
        "if a later patch will, use EXPORT_SYMBOL_FOR_KVM_INTERNAL; if not, drop the export"
    ),
    "kvm_put": "use EXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_put)",
}


def test_an_allowlisted_symbol_stays_exported_whoever_uses_it(
    kernel: Path, command: Command
) -> None:
    write(kernel / SVM, b"kvm_put_kvm();\n")
    write(kernel / MAIN, b"EXPORT_SYMBOL(kvm_put_kvm);\n")
    out = command("--users", MAIN).out
    assert " use EXPORT_SYMBOL_GPL\n      = used by kvm-amd (svm/svm.c:1)\n" in out


def test_the_text_has_a_line_for_the_users_and_the_remedy_that_fits(
    kernel: Path, command: Command
) -> None:
    status, out, err = command("--users", MAIN)
    assert (status, err) == (1, "")
    for symbol, found in FOUND.items():
        block = out.partition(f"({symbol})")[2].partition("error: ")[0]
        assert f"^ {REMEDIES[symbol]}\n      = {found}\n" in block.replace("~", "").replace(
            "^^", "^"
        )
    assert "write a plain call for each symbol\n\nfound 5" in out


@pytest.mark.parametrize("name", ["checkpatch", "github", "sarif"])
def test_the_message_says_it_in_every_other_format(
    kernel: Path, command: Command, name: str
) -> None:
    out = command("--users", "--format", name, MAIN).out
    for symbol, found in FOUND.items():
        assert f"; {found}: {REMEDIES[symbol]}" in out


def read_json(command: Command, *arguments: str) -> Any:
    """Run the command on ARGUMENTS for JSON."""
    return json.loads(command("--users", "--format", "json", *arguments).out)


def test_json_lists_the_uses(kernel: Path, command: Command) -> None:
    findings = {each["symbol"]: each for each in read_json(command, MAIN)["findings"]}
    assert findings["kvm_inner"]["users"] == [
        {"module": "kvm-amd", "path": SVM, "line": 2, "through": ["bar"]}
    ]
    assert findings["kvm_outer"]["users"] == [
        {"module": None, "path": "drivers/vfio/vfio_main.c", "line": 1, "through": []}
    ]
    assert findings["kvm_lonely"]["users"] == []
    assert findings["kvm_lonely"]["users_known"] is True
    assert (findings[None]["users"], findings[None]["users_known"]) == (None, False)


def test_a_part_of_a_kernel_never_says_nobody(kernel: Path, command: Command) -> None:
    (kernel / "include/linux/kvm_host.h").unlink()
    (kernel / "drivers/Makefile").unlink()
    out = command("--users", MAIN).out
    assert "users in KVM's modules are not known: include/linux/kvm_host.h is not here" in out
    assert "no other module of this tree" not in out
    lonely = {each["symbol"]: each for each in read_json(command)["findings"]}["kvm_lonely"]
    assert (lonely["users"], lonely["users_known"]) == ([], False)
    assert len(lonely["users_missing"]) == 2
    listed = command("--list", "--users").out
    assert "nobody" not in listed
    assert "no use found" not in listed


def test_what_a_patch_exports_is_looked_for_in_the_working_tree(
    kernel: Path, command: Command
) -> None:
    added = b"+EXPORT_SYMBOL_GPL(kvm_inner);\n"
    header = b"--- a/virt/kvm/y.c\n+++ b/virt/kvm/y.c\n@@ -1 +1,2 @@\n a\n"
    patch = write(kernel / "p", header + added)
    assert f"      = {FOUND['kvm_inner']}\n" in command("--users", "--patch", str(patch)).out


def write_internal(kernel: Path) -> None:
    """Export what the kernel has to KVM's own modules, and a tracepoint."""
    write(
        kernel / MAIN,
        b"EXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_inner);\n"
        b"EXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_lonely);\n"
        b"EXPORT_SYMBOL_GPL(kvm_get_kvm);\n"
        b"EXPORT_TRACEPOINT_SYMBOL_GPL(kvm_exit);\n"
        b"EXPORT_OP_LOADER(kvm_none);\n",
    )
    write(kernel / "arch/x86/kvm/vmx/vmx.c", b"trace_kvm_exit(vcpu);\n")


def test_the_list_has_a_column_and_ends_with_what_nobody_uses(
    kernel: Path, command: Command
) -> None:
    write_internal(kernel)
    status, out, err = command("--list", "--users")
    assert (status, err) == (0, "")
    rows = {line.split()[1]: line.split()[-1] for line in out.splitlines()[:5]}
    assert rows == {
        "kvm_inner": "kvm-amd",
        "kvm_lonely": "nobody",
        "kvm_get_kvm": "nobody",
        "kvm_none": "up",  # not looked up
        "kvm_exit": "kvm-intel",
    }
    assert "allowlisted kvm_get_kvm: not named outside KVM\n" in out
    assert (
        "\n1 of 3 exports: no use found in another module of this tree,"
        " in any configuration\n  kvm_lonely\nNot searched: "
    ) in out


def test_the_list_in_json(kernel: Path, command: Command) -> None:
    write_internal(kernel)
    listed = read_json(command, "--list")
    users = {each["symbol"]: each["users"] for each in listed["exports"]}
    assert users["kvm_none"] is None
    assert users["kvm_exit"] == [
        {
            "module": "kvm-intel",
            "path": "arch/x86/kvm/vmx/vmx.c",
            "line": 1,
            "through": ["trace_kvm_exit"],
        }
    ]
    assert users["kvm_lonely"] == []
    (audit,) = listed["unused"]
    assert (audit["looked_up"], audit["unused"]) == (3, ["kvm_lonely"])
    assert audit["users_known"] is True
    assert audit["allowlisted"]["kvm_get_kvm"] == "not named outside KVM"


@pytest.mark.parametrize("name", FORMATS)
def test_it_changes_nothing_where_nothing_is_found(
    kernel: Path, command: Command, name: str
) -> None:
    write(kernel / MAIN, b"int a;\n")
    assert command("--users", "--format", name) == command("--format", name)


def test_a_person_who_waits_is_informed() -> None:
    said = Event()
    with say_later(said.set, patience=0.01):
        assert said.wait(10)
    with say_later(None, 0):
        pass


class Terminal(io.TextIOWrapper):
    """A stream that a person looks on; says when something has been shown."""

    shown = Event()

    def isatty(self) -> bool:
        """Say that it is one."""
        return True

    def flush(self) -> None:
        """Show what is there."""
        super().flush()
        self.shown.set()


def read_back(stream: io.TextIOWrapper) -> str:
    """Return what was printed to STREAM."""
    stream.seek(0)
    return stream.read()


def test_a_person_at_a_terminal_is_informed() -> None:
    stream = Terminal(io.BytesIO(), "utf-8")
    Terminal.shown.clear()
    with redirect_stderr(stream), choose_progress(Run(Options()), patience=0)("x"):
        assert Terminal.shown.wait(10)
    assert read_back(stream) == "kvm-export-hook: x\n"


def test_nobody_else_is() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with redirect_stderr(stream), choose_progress(Run(Options()), patience=0)("x"):
        pass
    assert read_back(stream) == ""
