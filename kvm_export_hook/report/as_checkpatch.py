# SPDX-License-Identifier: MIT
"""Findings to the lines of checkpatch, which b4 reads: ``path:line: ERROR: text``. Pure.

To b4, a line with ``ERROR:`` is a failed check, and any other one a warning.
"""

from __future__ import annotations

from kvm_export_hook.escape import disarm, make_printable
from kvm_export_hook.report.sentences import describe, prefix_origin, write_remark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.report.layout import Layout
    from kvm_export_hook.values import Result


def report(results: Iterable[Result], layout: Layout) -> Iterator[str]:
    """Yield a line for each finding, then a warning for each note on a tree or a mail.

    A note on the whole run is left out: for each patch of a series that does not touch KVM,
    b4 would show a warning.
    """
    for line in write_findings(results, layout):
        yield disarm(line + "\n")
    for path, note in layout.notes:
        if path:
            yield disarm(f"WARNING: {write_remark(path, note)}\n")


def write_findings(results: Iterable[Result], layout: Layout) -> Iterator[str]:
    """Yield a line for each finding; it names the mail or commit if there are several."""
    for result in results:
        path = make_printable(result.text.path)
        origin = result.origin
        prefix = "" if origin and origin.is_alone else prefix_origin(origin)
        for finding in result.findings:
            yield f"{path}:{finding.line}: ERROR: {prefix}{describe(result, finding, layout)}"
