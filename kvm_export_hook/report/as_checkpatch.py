# SPDX-License-Identifier: MIT
"""Findings to the lines of checkpatch, which b4 reads: ``path:line: ERROR: text``. Pure."""

from __future__ import annotations

from kvm_export_hook.report.escape import printable
from kvm_export_hook.rules.wording import export, problem, remedy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.rules.judge import File


def report(files: Iterable[File]) -> Iterator[str]:
    """Yield a line for each finding, and nothing else."""
    for file in files:
        path = printable(file.path)
        for finding in file.findings:
            what = f"{export(finding)}: {problem(finding)}; {remedy(finding)}"
            yield f"{path}:{finding.line}: ERROR: {what}\n"
