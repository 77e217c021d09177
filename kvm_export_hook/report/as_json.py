# SPDX-License-Identifier: MIT
"""Findings to JSON, for programs; ``docs/formats.md`` documents the form. Pure."""

from __future__ import annotations

import json

from kvm_export_hook import __version__
from kvm_export_hook.report.sentences import describe_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kvm_export_hook.report.layout import Layout
    from kvm_export_hook.rules.judge import Finding
    from kvm_export_hook.users.lookup import Use, Users
    from kvm_export_hook.values import Result

# The version of this format; an incompatible change raises it.
FORMAT_VERSION = 2


def report(results: Iterable[Result], layout: Layout) -> Iterator[str]:
    """Yield one object: a finding on each line, then the errors and the notes."""
    yield f'{{"format_version": {FORMAT_VERSION}, "version": "{__version__}", "findings": ['
    comma = ""
    for result in results:
        for finding in result.findings:
            yield comma + "\n" + write_json(list_fields(result, finding, layout))
            comma = ","
    errors, notes = map(list_remarks, (layout.errors, layout.notes))
    yield f'\n], "errors": {write_json(errors)}, "notes": {write_json(notes)}}}\n'


def list_fields(result: Result, finding: Finding, layout: Layout) -> dict[str, object]:
    """List all that is known of a finding. Lines and columns are 1-based, columns count bytes."""
    origin = result.origin
    users = layout.find_users(result) if layout.find_users else None
    return {
        "path": decode_exactly(result.text.path),
        "line": finding.line,
        "column": finding.column,
        "end": find_end(result, finding),
        "macro": finding.macro.decode(),
        "symbol": None if finding.symbol is None else decode_exactly(finding.symbol),
        "rule": finding.rule,
        "message": describe_problem(finding),
        "replacement": finding.replacement.decode() if finding.replacement else None,
        **({"commit": origin.commit, "subject": origin.subject} if origin else {}),
        **(list_users(users, finding.symbol) if users else {}),
    }


def list_users(users: Users, symbol: bytes | None) -> dict[str, object]:
    """List who uses SYMBOL, whether that is all, and if not, why."""
    from kvm_export_hook.report.advice import describe_unknown

    uses = users.uses.get(symbol) if symbol is not None else None
    return {
        "users": None if uses is None else list(map(list_use, uses)),
        "users_known": uses is not None and users.are_known,
        "users_missing": describe_unknown(users),
    }


def list_use(use: Use) -> dict[str, object]:
    """List the fields of a use; the module is null outside KVM."""
    return {
        "module": None if use.module is None else decode_exactly(use.module),
        "path": decode_exactly(use.path),
        "line": use.line,
        "through": list(map(decode_exactly, use.through)),
    }


def list_remarks(remarks: Sequence[tuple[bytes, str]]) -> list[dict[str, str]]:
    """List errors, or notes."""
    return [{"path": decode_exactly(path), "message": remark} for path, remark in remarks]


def write_json(value: object, indent: int | None = None) -> str:
    """Write VALUE, by default on one line, so that no CI service takes it for a command."""
    return json.dumps(value, indent=indent).replace("##[", r"#\u0023[")


def decode_exactly(raw: bytes) -> str:
    """Decode RAW so that no byte is lost: what is not UTF-8 becomes a lone surrogate."""
    return raw.decode("utf-8", "surrogateescape")


def find_end(result: Result, finding: Finding) -> dict[str, int]:
    """Return the line and the column after the call of a finding."""
    line_start = finding.line_start
    newline = result.content.rfind(b"\n", finding.offset, finding.end)
    if newline >= 0:
        line_start = newline + 1
    line = finding.last_line(result.content)
    return {"line": line, "column": finding.end - line_start + 1}
