# SPDX-License-Identifier: MIT
"""For most tests: small kernel trees, the rule on a snippet, and a run of the command."""

from __future__ import annotations

import io
import os
import shlex
import sys
import sysconfig
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from demo.makefile import write_makefile
from kvm_export_hook.cli import main
from kvm_export_hook.rules import policy
from kvm_export_hook.rules.facts import BUNDLED_LIST, Facts
from kvm_export_hook.rules.judge import Finding, judge
from kvm_export_hook.rules.scan import find_suspects
from kvm_export_hook.rules.scope import FACT_FILES
from kvm_export_hook.values import Origin, Result, Text

CHECKOUT = Path(__file__).resolve().parent.parent.parent
COMMAND = Path(sysconfig.get_path("scripts")) / "kvm-export-hook"
TYPED = shlex.quote(str(COMMAND))  # for a shell: the path may have blanks
ALLOWLIST = frozenset(policy.ALLOWLIST)

INTERNAL = b"EXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_sample);\n"
BAD = b"EXPORT_SYMBOL_GPL(kvm_sample);\n"
NOT_LISTED = "not on the allowlist of what modules outside KVM need"


def make_makefile(*names: str) -> bytes:
    """Make a Makefile that has the make check, which permits NAMES."""
    return write_makefile(*names).encode()


MAKEFILE_WITH_CHECK = make_makefile("kvm_get_kvm", "kvm_put_kvm")
MAKEFILE_WITH_UNKNOWN_CHECK = MAKEFILE_WITH_CHECK + b"exports_grep_trailer += -e kvm_foo\n"
TYPES_WITH_MACRO = b"""\
#ifdef KVM_SUB_MODULES
#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol) \\
\tEXPORT_SYMBOL_FOR_MODULES(symbol, __stringify(KVM_SUB_MODULES))
#endif
"""
TYPES_WITHOUT_MACRO = b"""\
/* Here is no EXPORT_SYMBOL_FOR_KVM_INTERNAL. */
struct kvm;
"""


def write(path: Path | str, content: bytes) -> Path:
    """Write a file, and the directories on the way to it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def make_tree(top: Path, *, check: bool = False, macro: bool | None = True) -> Path:
    """Make a kernel-like tree; MACRO None leaves out the header that would define it."""
    write(top / "virt/kvm/kvm_main.c", b"int kvm_main;\n" + INTERNAL)
    write(top / "arch/x86/kvm/x86.c", b"int x86;\n")
    write(top / "arch/x86/kvm/Makefile", MAKEFILE_WITH_CHECK if check else b"obj-y += x86.o\n")
    if macro is not None:
        types = TYPES_WITH_MACRO if macro else TYPES_WITHOUT_MACRO
        write(top / "include/linux/kvm_types.h", types)
    return top


def read_fact_files(top: Path) -> list[bytes | None]:
    """Read the header and the Makefile of the tree at TOP; None for one that is not there."""
    files = [top / name.decode() for name in FACT_FILES]
    return [file.read_bytes() if file.is_file() else None for file in files]


def make_facts(
    *,
    check: bool = True,
    allow: str = "",
    has_macro: bool = True,
    allowlist: frozenset[bytes] = ALLOWLIST,
) -> Facts:
    """Make the facts of a tree, which has the make check unless told otherwise."""
    names = allowlist | {allow.encode()} if allow else allowlist
    return Facts(not has_macro, names, BUNDLED_LIST, "", MAKEFILE_WITH_CHECK if check else b"")


def list_verdicts(source: bytes, *, check: bool = False, allow: str = "") -> list[str]:
    """Judge SOURCE; describe each finding."""
    return list(map(describe, find_all(source, make_facts(check=check, allow=allow))))


def describe(found: Finding) -> str:
    """Write a finding as ``line:column MACRO(symbol) rule``."""
    symbol = f"({found.symbol.decode('latin-1')})" if found.symbol is not None else ""
    return f"{found.line}:{found.column} {found.macro.decode()}{symbol} {found.rule}"


def find_all(source: bytes, facts: Facts) -> list[Finding]:
    """Judge SOURCE."""
    return list(judge(source, find_suspects(source, facts.listed), facts))


def judge_file(
    source: bytes,
    path: bytes = b"virt/kvm/x.c",
    *,
    check: bool = True,
    has_macro: bool = True,
    origin: Origin | None = None,
) -> Result:
    """Judge SOURCE as a file of a tree, which has the make check unless told otherwise."""
    facts = make_facts(check=check, has_macro=has_macro)
    text = Text(path, path, top=b"")
    return Result(text, source, facts, find_all(source, facts), origin)


class Outcome(NamedTuple):
    """What a run of the command came to."""

    status: int
    out: str
    err: str


def run_in_process(*arguments: str) -> Outcome:
    """Run the command as its script would, less the new process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        status = main(arguments)
    for stream in (out, err):
        stream.seek(0)
    return Outcome(status, out.read(), err.read())


def make_environment(**changes: str) -> dict[str, str]:
    """Copy the environment for a program, less what would change the output of this one."""
    kept = {name: value for name, value in os.environ.items() if "COLOR" not in name}
    scripts = f"{COMMAND.parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, "PATH": scripts, **changes}


def make_unmeasured_environment(**changes: str) -> dict[str, str]:
    """The same, for a program that is to be killed or starved: coverage would write files too."""
    changed = make_environment(**changes)
    return {name: value for name, value in changed.items() if not name.startswith("COVERAGE_")}


def drop_rights(*command: str) -> list[str]:
    """Run COMMAND without root's right to read everything."""
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]


def restore_signals(*command: str) -> list[str]:
    """Run COMMAND with the signals that nohup and shells in the background ignore."""
    script = (
        "import os, signal, sys\n"
        "for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):\n"
        "    signal.signal(number, signal.SIG_DFL)\n"
        "os.execvp(sys.argv[1], sys.argv[1:])"
    )
    return [PYTHON, "-c", script, *command]


PYTHON = sys.executable
