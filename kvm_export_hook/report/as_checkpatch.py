# SPDX-License-Identifier: MIT
"""Findings to the lines of checkpatch, which b4 reads: ``path:line: ERROR: text``. Pure.

To b4, a line with ``ERROR:`` is a failed check, and any other one a warning.
"""

from __future__ import annotations

from kvm_export_hook.escape import disarm, make_printable
from kvm_export_hook.report.sentences import describe, prefix_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.report.layout import Layout
    from kvm_export_hook.values import Result


def report(results: Iterable[Result], layout: Layout) -> Iterator[str]:
    """Yield a line for each finding, then one for each note on a tree or a patch.

    Not for a note on the whole run: that nothing was checked is no warning to
    the author of a patch that does not touch KVM.
    """
    for result in results:
        path = make_printable(result.text.path)
        origin = prefix_origin(result.origin)
        for finding in result.findings:
            yield disarm(
                f"{path}:{finding.line}: ERROR: {origin}{describe(result, finding, layout)}\n"
            )
    for place, note in layout.notes:
        if place:
            yield disarm(f"{make_printable(place)}: WARNING: {note}\n")
