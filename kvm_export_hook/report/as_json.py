# SPDX-License-Identifier: MIT
"""Findings to JSON, for programs; the README documents the form. Pure."""

from __future__ import annotations

import json

from kvm_export_hook import __version__
from kvm_export_hook.rules.wording import problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.rules.judge import File, Finding

# To be raised when a reader of the form before would be misled.
FORM = 1


def report(files: Iterable[File]) -> Iterator[str]:
    """Yield one object, a finding a line."""
    yield f'{{"form": {FORM}, "version": "{__version__}", "findings": ['
    comma = ""
    for file in files:
        for finding in file.findings:
            yield comma + "\n" + json.dumps(told(file, finding))
            comma = ","
    yield "\n]}\n"


def told(file: File, finding: Finding) -> dict[str, object]:
    """Tell all of a finding. Lines and columns are 1-based, columns count bytes."""
    line, column = end_of(file, finding)
    return {
        "path": exact(file.path),
        "line": finding.line,
        "column": finding.column,
        "end": {"line": line, "column": column},
        "macro": finding.macro.decode(),
        "symbol": None if finding.symbol is None else exact(finding.symbol),
        "rule": finding.rule,
        "message": problem(finding),
        "replacement": finding.replacement.decode() if finding.replacement else None,
    }


def exact(raw: bytes) -> str:
    """Decode RAW so that no byte is lost: what is not UTF-8 becomes a lone surrogate."""
    return raw.decode("utf-8", "surrogateescape")


def end_of(file: File, finding: Finding) -> tuple[int, int]:
    """Tell the line and the column behind the call of a finding."""
    newlines = file.data.count(b"\n", finding.offset, finding.end)
    line_start = finding.line_start
    if newlines:
        line_start = file.data.rfind(b"\n", finding.offset, finding.end) + 1
    return finding.line + newlines, finding.end - line_start + 1
