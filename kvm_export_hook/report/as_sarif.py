# SPDX-License-Identifier: MIT
"""Findings to SARIF 2.1.0, for code scanning. Pure."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import quote

from kvm_export_hook import __version__
from kvm_export_hook.rules.wording import RULES, export, problem, remedy
from kvm_export_hook.sources.scope import name_in_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.rules.judge import File, Finding

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
HOME = "https://github.com/OWNER/kvm-export-hook"
ROOT = "SRCROOT"


def report(files: Iterable[File]) -> Iterator[str]:
    """Yield one log with one run, a result a line."""
    # All but the results, which are put in where the list ends.
    head, _, tail = json.dumps(log()).partition('"results": [')
    yield head + '"results": ['
    comma = ""
    seen: dict[str, int] = {}
    for file in files:
        for result in results(file, seen):
            yield comma + "\n" + json.dumps(result)
            comma = ","
    yield "\n" + tail + "\n"


def log() -> dict[str, object]:
    """Write the log with no result yet."""
    driver = {
        "name": "kvm-export-hook",
        "version": __version__,
        "semanticVersion": __version__,
        "informationUri": HOME,
        "rules": [rule(name) for name in RULES],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The top of the kernel tree."}}},
        "results": [],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def rule(name: str) -> dict[str, object]:
    """Describe a rule."""
    short, full, advice = RULES[name]
    return {
        "id": name,
        "shortDescription": {"text": short},
        "fullDescription": {"text": full},
        "help": {"text": f"{full} {advice}", "markdown": f"{full}\n\n**What to do:** {advice}"},
        "helpUri": HOME,
        "defaultConfiguration": {"level": "error"},
    }


def results(file: File, seen: dict[str, int]) -> Iterator[dict[str, object]]:
    """Yield the results of a FILE; count in SEEN those that look alike."""
    name = file.name or name_in_tree(file.path, file.top)
    columns = Columns(file.data)
    for finding in file.findings:
        print_ = fingerprint(name, finding)
        seen[print_] = seen.get(print_, 0) + 1
        yield {
            "ruleId": finding.rule,
            "ruleIndex": list(RULES).index(finding.rule),
            "level": "error",
            "message": {"text": f"{export(finding)}: {problem(finding)}; {remedy(finding)}"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(name), "uriBaseId": ROOT},
                        "region": region(file, finding, columns),
                    }
                }
            ],
            "partialFingerprints": {"exportOfFile/v1": f"{print_}:{seen[print_]}"},
        }


def fingerprint(name: bytes, finding: Finding) -> str:
    """Name what is found, wherever in the file it has moved to."""
    parts = (finding.rule.encode(), name, finding.macro, finding.symbol or b"")
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]


def region(file: File, finding: Finding, columns: Columns) -> dict[str, int]:
    """Tell where the call of a finding starts and ends; the end lies behind it."""
    start = columns.at(finding.line_start, finding.offset)
    newline = file.data.rfind(b"\n", finding.offset, finding.end)
    if newline < 0:
        end = start + utf16_units(file.data[finding.offset : finding.end])
    else:
        end = 1 + utf16_units(file.data[newline + 1 : finding.end])
    return {
        "startLine": finding.line,
        "startColumn": start,
        "endLine": finding.line + file.data.count(b"\n", finding.offset, finding.end),
        "endColumn": end,
    }


class Columns:
    """Counts columns in UTF-16 units, each part of a line once however many findings it has."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.line_start = self.behind = -1
        self.units = 0

    def at(self, line_start: int, offset: int) -> int:
        """Tell the column of OFFSET, which is not before the one of the last call."""
        if line_start != self.line_start:
            self.line_start = self.behind = line_start
            self.units = 0
        self.units += utf16_units(self.data[self.behind : offset])
        self.behind = offset
        return self.units + 1


def utf16_units(text: bytes) -> int:
    """Count the UTF-16 code units of TEXT; a byte that is not UTF-8 counts as one."""
    if text.isascii():
        return len(text)
    return len(text.decode("utf-8", "surrogateescape").encode("utf-16-le", "surrogatepass")) // 2
