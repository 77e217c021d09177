# SPDX-License-Identifier: MIT
"""Findings to workflow commands, which GitHub Actions shows at the line. Pure."""

from __future__ import annotations

from kvm_export_hook.escape import make_printable
from kvm_export_hook.report.sentences import Sum, describe, prefix_origin, write_remark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.report.layout import Layout
    from kvm_export_hook.rules.judge import Finding
    from kvm_export_hook.values import Result


def report(results: Iterable[Result], layout: Layout) -> Iterator[str]:
    """Yield a command for each finding, what was not checked and each note, then the sum.

    In a step, Actions shows only ten annotations of a kind. The sum is of another kind than
    the findings, and says how many there are.
    """
    sum_ = Sum()
    for result in results:
        for finding in result.findings:
            sum_.add(result, finding)
            yield write_error(result, finding, layout)
    for path, reason in layout.errors:
        yield f"::warning::{escape_command(f'not checked: {write_remark(path, reason)}')}\n"
    for path, note in layout.notes:
        yield f"::warning::{escape_command(write_remark(path, note))}\n"
    if sum_.macros:
        yield f"::notice::found {sum_}\n"


def write_error(result: Result, finding: Finding, layout: Layout) -> str:
    """Write the command for a finding. It marks the macro: columns need a single line.

    The file is named from the top of the repository, where Actions looks for it.
    """
    path = make_printable(layout.name_in_repository(result.text))
    line, start, end = finding.line, finding.column, finding.column + len(finding.macro)
    place = f"file={escape_property(path)},line={line},col={start},endLine={line},endColumn={end}"
    origin = prefix_origin(result.origin)
    message = f"{path}:{line}: {origin}{describe(result, finding, layout)}"
    return f"::error {place},title={finding.rule}::{escape_command(message)}\n"


def escape_command(text: str) -> str:
    """Escape what would end a command."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace("##[", "#%23[")


def escape_property(text: str) -> str:
    """Escape what would end a property of a command."""
    return escape_command(text).replace(":", "%3A").replace(",", "%2C")
