# SPDX-License-Identifier: MIT
"""Findings to the JSON that b4 reads of a command in ``b4.review-perpatch-check-cmd``. Pure.

b4 takes one object with ``tool``, ``status`` (pass, warn or fail) and
``summary``; ``details`` is JSON in a string, a list of what it shows line by line.
"""

from __future__ import annotations

from kvm_export_hook.options import PROGRAM
from kvm_export_hook.report.as_checkpatch import write_findings
from kvm_export_hook.report.as_json import write_json
from kvm_export_hook.report.sentences import count, write_remark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.report.layout import Layout
    from kvm_export_hook.values import Result

PASS, WARN, FAIL = "pass", "warn", "fail"
PASSED = "passed all checks"


def report(results: Iterable[Result], layout: Layout) -> Iterator[str]:
    """Yield one object. The worst of its details decides its status."""
    details = [(FAIL, line) for line in write_findings(results, layout)]
    details += [(FAIL, write_remark(path, reason)) for path, reason in layout.errors]
    # The only note on the whole run is that there was nothing to check.
    details += [(WARN if path else PASS, write_remark(path, note)) for path, note in layout.notes]
    statuses = [status for status, _ in details]
    result = {
        "tool": PROGRAM,
        "status": next((each for each in (FAIL, WARN) if each in statuses), PASS),
        "summary": summarise(statuses) or (details[0][1] if details else PASSED),
    }
    if details:
        listed = [{"status": status, "description": said} for status, said in details]
        result["details"] = write_json(listed)
    yield write_json(result) + "\n"


def summarise(statuses: list[str]) -> str:
    """Count the errors and the warnings among STATUSES: ``1 error, 2 warnings``."""
    nouns = {FAIL: "error", WARN: "warning"}
    counts = {noun: statuses.count(status) for status, noun in nouns.items()}
    return ", ".join(count(number, noun) for noun, number in counts.items() if number)
