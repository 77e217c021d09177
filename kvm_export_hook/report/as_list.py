# SPDX-License-Identifier: MIT
"""The exports of a tree to aligned text or JSON, with the audit of its allowlist. Pure."""

from __future__ import annotations

import json

from kvm_export_hook import __version__
from kvm_export_hook.report.as_json import FORM, decode_exactly
from kvm_export_hook.report.escape import make_printable
from kvm_export_hook.rules import policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kvm_export_hook.rules.exports import Export
    from kvm_export_hook.rules.tree import Facts


class Audit:
    """The allowlist in force: where it is from, and which of its symbols nothing exports."""

    def __init__(
        self, exports: Sequence[Export], facts: Sequence[Facts], extra: Sequence[str]
    ) -> None:
        exported = {each.symbol for each in exports if each.macro in policy.MACROS}
        allowlist: set[bytes] = set().union(*(each.allowlist for each in facts))
        self.source = " and ".join(sorted({each.list_source for each in facts})) or "none"
        self.extra = sorted(extra)
        self.symbols = sorted(allowlist)
        self.stale = sorted(allowlist - exported)


def write_text(exports: Sequence[Export], audit: Audit) -> Iterator[str]:
    """Yield a line for each export, the totals, and the audit of the allowlist."""
    rows = [
        (
            each.macro.decode(),
            make_printable(b" ".join(each.symbol.split())),
            f"{make_printable(each.path)}:{each.line}",
            each.verdict,
        )
        for each in exports
    ]
    widths = [max(map(len, column), default=0) for column in zip(*rows)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths))
        yield "  ".join(cells).rstrip() + "\n"
    if rows:
        yield "\n"
    yield f"{len(rows):6} exports\n"
    for macro, count in count_by_macro(exports).items():
        yield f"{count:6} {macro}\n"
    unwanted = sum(each.verdict == "unwanted" for each in exports)
    yield f"{unwanted:6} unwanted\n"
    extra = f" and --allow {' '.join(audit.extra)}" if audit.extra else ""
    yield f"allowlist: {audit.source}{extra}, {len(audit.symbols)} symbols\n"
    stale = ", ".join(map(make_printable, audit.stale)) or "none"
    yield f"allowlisted, but not exported here: {stale}\n"


def write_object(exports: Sequence[Export], audit: Audit) -> Iterator[str]:
    """Yield one object with the same."""
    listed = {
        "form": FORM,
        "version": __version__,
        "exports": [
            {
                "macro": each.macro.decode(),
                "symbol": decode_exactly(each.symbol),
                "path": decode_exactly(each.path),
                "line": each.line,
                "verdict": each.verdict,
            }
            for each in exports
        ],
        "totals": count_by_macro(exports),
        "allowlist": {
            "source": audit.source,
            "extra": audit.extra,
            "symbols": list(map(decode_exactly, audit.symbols)),
            "stale": list(map(decode_exactly, audit.stale)),
        },
    }
    yield json.dumps(listed, indent=1) + "\n"


def count_by_macro(exports: Sequence[Export]) -> dict[str, int]:
    """Count the exports by macro, the most first."""
    counts: dict[str, int] = {}
    for each in exports:
        macro = each.macro.decode()
        counts[macro] = counts.get(macro, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
