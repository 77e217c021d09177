# SPDX-License-Identifier: MIT
"""Findings to workflow commands, which GitHub Actions shows at the line. Pure."""

from __future__ import annotations

from kvm_export_hook.escape import make_printable
from kvm_export_hook.report.sentences import count_findings, describe, prefix_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.report.layout import Layout
    from kvm_export_hook.rules.judge import Finding
    from kvm_export_hook.values import Result


def report(results: Iterable[Result], layout: Layout) -> Iterator[str]:
    """Yield a command for each finding and each note, then one with the sum.

    Actions shows ten annotations a step: the sum says how many there are.
    """
    macros: dict[str, int] = {}
    files = set()
    for result in results:
        files.add(result.text.path)
        for finding in result.findings:
            macro = finding.macro.decode()
            macros[macro] = macros.get(macro, 0) + 1
            yield write_error(result, finding, layout)
    for path, note in layout.notes:
        remark = ": ".join(filter(None, [make_printable(path), note]))
        yield f"::warning::{escape_command(remark)}\n"
    if macros:
        yield f"::error::found {count_findings(macros, 'unwanted export', len(files))}\n"


def write_error(result: Result, finding: Finding, layout: Layout) -> str:
    """Write the command for a finding. It marks the macro: columns need a single line."""
    path = make_printable(result.text.path)
    place = ",".join(
        (
            f"file={escape_property(path)}",
            f"line={finding.line}",
            f"col={finding.column}",
            f"endLine={finding.line}",
            f"endColumn={finding.column + len(finding.macro)}",
            f"title={finding.rule}",
        )
    )
    origin = prefix_origin(result.origin)
    message = f"{path}:{finding.line}: {origin}{describe(result, finding, layout)}"
    return f"::error {place}::{escape_command(message)}\n"


def escape_command(text: str) -> str:
    """Escape what would end a command."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace("##[", "#%23[")


def escape_property(text: str) -> str:
    """Escape what would end a property of a command."""
    return escape_command(text).replace(":", "%3A").replace(",", "%2C")
