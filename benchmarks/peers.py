# SPDX-License-Identifier: MIT
"""The peers: what else finds unwanted exports, and how well, on the same mutated tree.

Each is given the equivalent rule, as its own documentation would have it
written: the same macros, the same allowlist. But for checkpatch, which takes
none: it shows what its own rules on exports say.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kvm_export_hook.rules import policy
from tests.helpers.kernel_files import DIRECTORIES, write_check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CHECKOUT = Path(__file__).resolve().parent.parent
# The environment of ``make bench-peers``.
PEERS = CHECKOUT / ".peers" / "bin"
# As the script's first line would have it; with a blank in the path, that runs a shell first.
HOOK = [sys.executable, str(Path(sys.executable).parent / "kvm-export-hook")]

NEVER, IF_ALLOWLISTED = (
    "|".join(macro.decode() for macro, row in policy.MACROS.items() if row.permitted == verdict)
    for verdict in (policy.NEVER, policy.IF_ALLOWLISTED)
)
ALLOWLISTED = "|".join(name.decode() for name in policy.ALLOWLIST)
PATTERN = rf"\b({NEVER})\b|\b({IF_ALLOWLISTED})\b(?!\s*\(\s*({ALLOWLISTED})\s*[,)])"

# The make check's own pipeline.
GREP = (
    "grep -nrw --include='*.[ch]' -e EXPORT_SYMBOL_GPL -e EXPORT_SYMBOL virt/kvm arch/x86/kvm"
    f" | grep -v -e {ALLOWLISTED.replace('|', ' -e ')}"
)
PYGREP = [sys.executable, "-m", "pre_commit.languages.pygrep", PATTERN]

ALLOWLISTED_CALL = {
    "has": {"field": "arguments", "has": {"nthChild": 1, "regex": f"^({ALLOWLISTED})$"}}
}
AST_GREP_RULE = {
    "id": "kvm-exports",
    "language": "c",
    "severity": "error",
    "message": "unwanted export",
    "rule": {
        "kind": "call_expression",
        "any": [
            {"has": {"field": "function", "regex": f"^({NEVER})$"}},
            {
                "has": {"field": "function", "regex": f"^({IF_ALLOWLISTED})$"},
                "not": ALLOWLISTED_CALL,
            },
        ],
    },
}


def write_semgrep_calls(macros: str, *conditions: dict[str, object]) -> dict[str, object]:
    """Write the semgrep patterns for the calls of MACROS."""
    macro = {"metavariable": "$MACRO", "regex": f"^({macros})$"}
    return {
        "patterns": [
            {"pattern": "$MACRO($SYMBOL, ...)"},
            {"metavariable-regex": macro},
            *conditions,
        ]
    }


NOT_ALLOWLISTED: dict[str, object] = {
    "metavariable-regex": {"metavariable": "$SYMBOL", "regex": f"^(?!({ALLOWLISTED})$)"}
}
SEMGREP_RULES = {
    "rules": [
        {
            "id": "kvm-exports",
            "languages": ["c"],
            "severity": "ERROR",
            "message": "unwanted export",
            "pattern-either": [
                write_semgrep_calls(NEVER),
                write_semgrep_calls(IF_ALLOWLISTED, NOT_ALLOWLISTED),
            ],
        }
    ]
}

FUNCTION = b"int kvm_foo(void)\n{\n\treturn 0;\n}\n"

# Files that should be caught, by what is wrong in them; and files that should not.
BAD = {
    "plainly": b"EXPORT_SYMBOL_GPL(kvm_foo);\n",
    "for everybody": b"EXPORT_SYMBOL(kvm_foo);\n",
    "for everybody, although allowlisted": b"EXPORT_SYMBOL(kvm_get_kvm);\n",
    "a name that contains an allowlisted one": b"EXPORT_SYMBOL_GPL(kvm_put_kvm_no_destroy);\n",
    "an allowlisted name after it": b"EXPORT_SYMBOL_GPL(kvm_foo);\t/* see kvm_get_kvm() */\n",
    "an allowlisted name in a comment": b"EXPORT_SYMBOL_GPL(/* kvm_get_kvm */ kvm_foo);\n",
    "a namespace": b'EXPORT_SYMBOL_NS_GPL(kvm_foo, "KVM");\n',
    "a variable of each CPU": b"EXPORT_PER_CPU_SYMBOL_GPL(kvm_foo);\n",
    "the macro below the macro": b"__EXPORT_SYMBOL(kvm_foo);\n",
    "blanks": b"EXPORT_SYMBOL_GPL ( kvm_foo );\n",
    "two lines": b"EXPORT_SYMBOL_GPL(\n\tkvm_foo);\n",
    "a comment before the parenthesis": b"EXPORT_SYMBOL_GPL/* a */(kvm_foo);\n",
    "a line splice": b"EXPORT_SYMBOL_GPL\\\n(kvm_foo);\n",
    "line ends of Windows": b"int a;\r\nEXPORT_SYMBOL_GPL(kvm_foo);\r\n",
    "after an apostrophe": b"#if 0\ndon't\n#endif\nEXPORT_SYMBOL_GPL(kvm_foo);\n",
    "a macro of one's own": b"#define KVM_EXPORT(symbol) EXPORT_SYMBOL_GPL(symbol)\n",
    "a NUL byte": b'char a[] = "\0";\nEXPORT_SYMBOL_GPL(kvm_foo);\n',
    "a byte that is no UTF-8": b'char a[] = "\xe9";\nEXPORT_SYMBOL_GPL(kvm_foo);\n',
    "between macros": b"KVM_X86_OP(a)\nEXPORT_SYMBOL_GPL(kvm_foo);\nKVM_X86_OP(b)\n",
}
FINE = {
    "the right macro": b"EXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_foo);\n",
    "allowlisted": b"EXPORT_SYMBOL_GPL(kvm_get_kvm);\n",
    "allowlisted, with blanks": b"EXPORT_SYMBOL_GPL( kvm_put_kvm );\n",
    "allowlisted, with a comment": b"EXPORT_SYMBOL_GPL(kvm_put_kvm /* VFIO */);\n",
    "allowlisted, with a namespace": b'EXPORT_SYMBOL_NS_GPL(kvm_get_kvm, "VFIO");\n',
    "a comment": b"/*\n * EXPORT_SYMBOL_NS_GPL(kvm_foo) is gone.\n */\n",
    "a line comment": b"// was: EXPORT_PER_CPU_SYMBOL_GPL(kvm_foo);\n",
    "a string": b'char a[] = "EXPORT_SYMBOL_NS_GPL(kvm_foo)";\n',
    "named modules": b'EXPORT_SYMBOL_FOR_MODULES(kvm_foo, "kvm-intel");\n',
    "a longer word": b"MY_EXPORT_SYMBOL_GPL(kvm_foo);\nEXPORT_SYMBOL_GPL_TABLE(kvm_foo);\n",
    "a tracepoint": b"EXPORT_TRACEPOINT_SYMBOL_GPL(kvm_foo);\n",
}


class Peer:
    """A program that finds exports: its name, its command line, and how to read what it found."""

    def __init__(
        self, name: str, command: list[str], read: Callable[[bytes], Iterable[str]]
    ) -> None:
        self.name = name
        self.command = command
        self.read = read

    def list_reports(self, tree: Path) -> list[str]:
        """Run it in TREE; return the file of each of its reports."""
        done = subprocess.run(self.command, cwd=tree, capture_output=True, check=False)
        return list(self.read(done.stdout))


def read_first_fields(out: bytes) -> Iterable[str]:
    """Read ``path:line: ...``, of lines on exports."""
    lines = (line for line in out.split(b"\n") if b"EXPORT_" in line)
    return (line.partition(b":")[0].decode("latin-1") for line in lines)


def read_ast_grep_paths(out: bytes) -> Iterable[str]:
    """Read ast-grep's JSON."""
    return (match["file"] for match in json.loads(out))


def read_semgrep_paths(out: bytes) -> Iterable[str]:
    """Read semgrep's JSON."""
    return (result["path"] for result in json.loads(out)["results"])


def list_peers(scratch: Path, sources: list[str]) -> list[Peer]:
    """List the peers that there are; SCRATCH takes their rules, SOURCES are the files."""
    found = [
        Peer("a lone grep", ["sh", "-c", GREP], read_first_fields),
        Peer("pre-commit's pygrep", [*PYGREP, *sources], read_first_fields),
    ]
    if (PEERS / "ast-grep").exists():
        rule = scratch / "ast-grep.yml"
        rule.write_text(json.dumps(AST_GREP_RULE))  # which is YAML, too
        command = [str(PEERS / "ast-grep"), "scan", "--json=compact", "--rule", str(rule)]
        found.append(Peer("ast-grep", [*command, *DIRECTORIES], read_ast_grep_paths))
    if (PEERS / "semgrep").exists():
        rules = scratch / "semgrep.yml"
        rules.write_text(json.dumps(SEMGREP_RULES))
        command = [str(PEERS / "semgrep"), "scan", "--json", "--config", str(rules)]
        quiet = ["--quiet", "--metrics=off", "--disable-version-check", "--no-git-ignore"]
        found.append(Peer("semgrep", [*command, *quiet, *DIRECTORIES], read_semgrep_paths))
    return found


def find_checkpatch(source: Path | None) -> list[str] | None:
    """Tell how to run the checkpatch of the kernel at SOURCE on a patch, if it is there."""
    script = source / "scripts/checkpatch.pl" if source else None
    if not script or not script.exists():
        return None
    return ["perl", str(script), "--no-tree", "--terse", "--showfile", "--no-summary"]


def score_peers(
    hook: list[str], tree: Path, scratch: Path, source: Path | None
) -> Iterator[tuple[str, set[str], str]]:
    """Plant every case in TREE; yield each peer, the cases that it catches, and its other reports.

    How many of these there are; nothing, where that is not reported.
    """
    contents = {
        f"virt/kvm/case{number}.c": FUNCTION + content
        for number, content in enumerate([*BAD.values(), *FINE.values()])
    }
    case_of = dict(zip(contents, [*BAD, *FINE], strict=True))
    for name, content in contents.items():
        (tree / name).write_bytes(content)
    found = [
        Peer("kvm-export-hook", [*hook, "--format=checkpatch"], read_first_fields),
        *list_peers(scratch, list_c_files(tree)),
    ]
    patch = scratch / "cases.patch"
    patch.write_bytes(b"".join(write_diff(name, content) for name, content in contents.items()))
    by_patch = [*hook, "--format=checkpatch", "--patch", str(patch)]
    found.append(Peer("kvm-export-hook --patch", by_patch, read_first_fields))
    script = find_checkpatch(source)
    if script:
        exports = [*script, "--types", "EXPORT_SYMBOL", str(patch)]
        found.append(Peer("checkpatch", exports, read_first_fields))
    for peer in found:
        reports = peer.list_reports(tree)
        others = sum(name not in case_of for name in reports)
        is_whole = "patch" not in peer.name
        caught = {case_of[name] for name in reports if name in case_of}
        yield peer.name, caught, str(others) if is_whole else ""
    for name in contents:
        (tree / name).unlink()
    check = write_check(tree, scratch)
    if check:
        yield "the make check", set(find_failing(check, tree, contents, case_of)), ""


def find_failing(
    check: list[str], tree: Path, contents: dict[str, bytes], case_of: dict[str, str]
) -> Iterator[str]:
    """Yield the cases that the make CHECK fails on: it ends with the first, so one by one."""
    for name, content in contents.items():
        (tree / name).write_bytes(content)
        if subprocess.run(check, cwd=tree, capture_output=True, check=False).returncode:
            yield case_of[name]
        (tree / name).unlink()


def write_diff(name: str, content: bytes) -> bytes:
    """Write the diff that adds a file."""
    lines = content.split(b"\n")[:-1]
    header = f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n"
    body = b"".join(b"+" + line + b"\n" for line in lines)
    return header.encode() + f"@@ -0,0 +1,{len(lines)} @@\n".encode() + body


def list_c_files(tree: Path) -> list[str]:
    """List the C files of KVM in TREE."""
    return sorted(
        str(path.relative_to(tree)) for top in DIRECTORIES for path in (tree / top).rglob("*.[ch]")
    )
