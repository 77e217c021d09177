# SPDX-License-Identifier: MIT
"""Findings to SARIF 2.1.0, for code scanning. Pure."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import quote

from kvm_export_hook import __version__
from kvm_export_hook.report.as_json import write_json
from kvm_export_hook.report.sentences import describe, prefix_origin, write_remark
from kvm_export_hook.report.wording import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.report.layout import Layout
    from kvm_export_hook.rules.judge import Finding
    from kvm_export_hook.values import Result

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
HOME = "https://github.com/OWNER/kvm-export-hook"
# Has a heading for each rule.
RULES_PAGE = f"{HOME}/blob/main/docs/rules.md"
TAGS = ["kvm", "linux-kernel", "symbol-export"]
ROOT = "SRCROOT"


def report(results: Iterable[Result], layout: Layout) -> Iterator[str]:
    """Yield one log with one run, a result on each line."""
    # Everything but the results and the invocation, which is known only after them.
    head, _, tail = json.dumps(write_log()).partition("]}]}")
    yield head
    comma = ""
    seen: dict[str, int] = {}
    for result in results:
        for fields in list_results(result, seen, layout):
            yield comma + "\n" + write_json(fields)
            comma = ","
    yield f'\n], "invocations": {write_json([describe_invocation(layout)])}}}]}}{tail}\n'


def write_log() -> dict[str, object]:
    """Write the log with no result yet; the list of results comes last."""
    driver = {
        "name": "kvm-export-hook",
        "version": __version__,
        "semanticVersion": __version__,
        "informationUri": HOME,
        "rules": [describe_rule(name) for name in RULES],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The top of the repository."}}},
        "results": [],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def describe_invocation(layout: Layout) -> dict[str, object]:
    """Say whether everything was checked; list the errors and the notes."""
    remarks = [("error", *error) for error in layout.errors]
    remarks += [("note", *note) for note in layout.notes]
    return {
        "executionSuccessful": not layout.errors,
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": escape_message(write_remark(path, remark))}}
            for level, path, remark in remarks
        ],
    }


def describe_rule(name: str) -> dict[str, object]:
    """Describe a rule."""
    row = RULES[name]
    return {
        "id": name,
        "name": name.title().replace("-", ""),
        "shortDescription": {"text": row.title},
        "fullDescription": {"text": row.why},
        "help": {
            "text": f"{row.why} {row.advice}",
            "markdown": f"{row.why}\n\n**What to do:** {row.advice}",
        },
        "helpUri": f"{RULES_PAGE}#{name}",
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": TAGS},
    }


def list_results(
    result: Result, seen: dict[str, int], layout: Layout
) -> Iterator[dict[str, object]]:
    """Yield the fields of each finding of RESULT; count in SEEN those with one fingerprint."""
    name = layout.name_in_repository(result.text)
    columns = Columns(result.content)
    origin = result.origin
    commit = {"commit": origin.commit, "subject": origin.subject} if origin else None
    properties = {"properties": commit} if commit else {}
    for finding in result.findings:
        mark = make_fingerprint(name, finding)
        seen[mark] = seen.get(mark, 0) + 1
        message = prefix_origin(origin) + describe(result, finding, layout)
        yield {
            "ruleId": finding.rule,
            "ruleIndex": list(RULES).index(finding.rule),
            "level": "error",
            "message": {"text": escape_message(message)},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(name), "uriBaseId": ROOT},
                        "region": find_region(result, finding, columns),
                    }
                }
            ],
            "partialFingerprints": {"exportOfFile/v1": f"{mark}:{seen[mark]}"},
            **properties,
        }


def escape_message(text: str) -> str:
    """Escape what SARIF reads as a link, ``[text](target)``, or a placeholder, ``{0}``.

    SARIF 2.1.0, sections 3.11.5 and 3.11.6: a bracket or a backslash is
    escaped by a backslash, a brace is doubled.
    """
    for mark in ("\\", "[", "]"):
        text = text.replace(mark, "\\" + mark)
    return text.replace("{", "{{").replace("}", "}}")


def make_fingerprint(name: bytes, finding: Finding) -> str:
    """Make a fingerprint of FINDING that stays the same when it moves in its file."""
    parts = (finding.rule.encode(), name, finding.macro, finding.symbol or b"")
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]


def find_region(result: Result, finding: Finding, columns: Columns) -> dict[str, int]:
    """Return where the call of a finding starts and ends, 1-based; the end is after it."""
    text = result.content
    start = columns.count_to(finding.line_start, finding.offset)
    newline = text.rfind(b"\n", finding.offset, finding.end)
    if newline < 0:
        end = start + count_utf16(text[finding.offset : finding.end])
    else:
        end = 1 + count_utf16(text[newline + 1 : finding.end])
    return {
        "startLine": finding.line,
        "startColumn": start,
        "endLine": finding.last_line(text),
        "endColumn": end,
    }


class Columns:
    """Counts columns in UTF-16 units; reads each part of a line only once."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.line_start = self.counted = -1
        self.units = 0

    def count_to(self, line_start: int, offset: int) -> int:
        """Return the column of OFFSET, which is not before the one of the last call."""
        if line_start != self.line_start:
            self.line_start = self.counted = line_start
            self.units = 0
        self.units += count_utf16(self.text[self.counted : offset])
        self.counted = offset
        return self.units + 1


def count_utf16(text: bytes) -> int:
    """Count the UTF-16 code units of TEXT; a byte that is not UTF-8 counts as one."""
    if text.isascii():
        return len(text)
    return len(text.decode("utf-8", "surrogateescape").encode("utf-16-le", "surrogatepass")) // 2
