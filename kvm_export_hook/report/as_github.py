# SPDX-License-Identifier: MIT
"""Findings to workflow commands, which GitHub Actions shows at the line. Pure."""

from __future__ import annotations

from kvm_export_hook.report.escape import printable
from kvm_export_hook.rules.wording import export, problem, remedy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.rules.judge import File


def report(files: Iterable[File]) -> Iterator[str]:
    """Yield a command for each finding. It marks the macro: Actions wants one line for columns."""
    for file in files:
        path = escaped_property(printable(file.path))
        for finding in file.findings:
            start, end = finding.column, finding.column + len(finding.macro)
            place = f"line={finding.line},col={start},endLine={finding.line},endColumn={end}"
            message = escaped(f"{export(finding)}: {problem(finding)}; {remedy(finding)}")
            yield f"::error file={path},{place},title={finding.rule}::{message}\n"


def escaped(text: str) -> str:
    """Escape what would end a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escaped_property(text: str) -> str:
    """Escape what would end a property of a command."""
    return escaped(text).replace(":", "%3A").replace(",", "%2C")
