# SPDX-License-Identifier: MIT
"""The exports of a tree to aligned text or JSON, with the audit of its allowlist. Pure."""

from __future__ import annotations

from itertools import zip_longest

from kvm_export_hook import __version__
from kvm_export_hook.escape import disarm, make_printable
from kvm_export_hook.report.as_json import (
    FORMAT_VERSION,
    decode_exactly,
    list_remarks,
    list_users,
    write_json,
)
from kvm_export_hook.report.as_text import count_columns
from kvm_export_hook.rules import policy
from kvm_export_hook.rules.exports import ALLOWLISTED_EXPORT, UNWANTED_EXPORT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kvm_export_hook.report.layout import Layout
    from kvm_export_hook.rules.exports import Export
    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.users.lookup import Users


class Audit:
    """The allowlist in force: its source, and which of its symbols nothing exports.

    ``users``: who uses the symbols of each tree, by its top; empty: not asked for.
    """

    def __init__(
        self,
        exports: Sequence[Export],
        facts: Sequence[Facts],
        extra: Sequence[str],
        users: Mapping[bytes, Users],
    ) -> None:
        exported = {each.symbol for each in exports if each.macro in policy.MACROS}
        allowlist: set[bytes] = set().union(*(each.allowlist for each in facts))
        listed: set[bytes] = set().union(*(each.listed for each in facts))
        self.source = " and ".join(sorted({each.list_source for each in facts})) or "none"
        self.extra = sorted(extra)
        # If the make check is unknown, all its words are permitted, but few are symbols.
        self.symbols = sorted(listed | (allowlist & exported))
        self.stale = sorted(listed - exported)
        self.users = users

    def find_users(self, export: Export) -> Users | None:
        """Return the users in the tree of EXPORT, if they were asked for."""
        return self.users.get(export.top or b"")


def write_text(exports: Sequence[Export], audit: Audit) -> Iterator[str]:
    """Yield a line for each export, the totals, and the audits."""
    yield from align([write_row(each, audit.find_users(each)) for each in exports])
    if exports:
        yield "\n"
    yield f"{len(exports):6} exports\n"
    for macro, count in count_by_macro(exports).items():
        yield f"{count:6} {macro}\n"
    unwanted = sum(each.verdict == UNWANTED_EXPORT for each in exports)
    yield f"{unwanted:6} unwanted\n"
    extra = f" and --allow {' '.join(audit.extra)}" if audit.extra else ""
    yield f"allowlist: {audit.source}{extra}, {len(audit.symbols)} symbols\n"
    stale = ", ".join(map(make_printable, audit.stale)) or "none"
    yield f"on the allowlist, but not exported in what was listed: {stale}\n"
    for top, users in audit.users.items():
        yield from write_users(exports, audit, top, users)


def align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a line for each of ROWS, with its cells in columns; the last may have any width."""
    columns = zip_longest(*(row[:-1] for row in rows), fillvalue="")
    widths = [max(map(count_columns, column)) for column in columns]
    for row in rows:
        *cells, last = row
        padded = [
            cell + " " * (width - count_columns(cell))
            for cell, width in zip(cells, widths, strict=False)
        ]
        yield disarm("  ".join([*padded, last]).rstrip() + "\n")


def write_row(export: Export, users: Users | None) -> list[str]:
    """Write the cells for an export."""
    row = [
        export.macro.decode(),
        make_printable(b" ".join(export.symbol.split())),
        f"{make_printable(export.path)}:{export.line}",
        export.verdict,
    ]
    if users:
        from kvm_export_hook.report.advice import describe_column
        from kvm_export_hook.users.exported import name_linked

        row.append(describe_column(users, name_linked(export.macro, export.symbol)))
    return row


def write_users(exports: Sequence[Export], audit: Audit, top: bytes, users: Users) -> Iterator[str]:
    """Yield the audit by users of the tree at TOP: who needs the allowlist, what nobody uses."""
    from kvm_export_hook.report.advice import CANNOT_SEE, describe_outside, describe_unused

    for symbol in audit.symbols:
        yield f"allowlisted {make_printable(symbol)}: {describe_outside(users, symbol)}\n"
    unused, total = list_unused(exports, top, users)
    yield f"\n{describe_unused(users, unused, total)}\n"
    if users.are_known:
        yield "".join(f"  {make_printable(symbol)}\n" for symbol in unused)
    yield f"{CANNOT_SEE}\n"


def list_unused(exports: Sequence[Export], top: bytes, users: Users) -> tuple[list[bytes], int]:
    """List the unused exports of the tree at TOP; count all that were looked up.

    Allowlisted exports are left out: they have lines of their own.
    """
    from kvm_export_hook.users.exported import name_linked

    linked = {
        (each.symbol, name_linked(each.macro, each.symbol))
        for each in exports
        if each.top == top and each.verdict != ALLOWLISTED_EXPORT
    }
    found = [(symbol, users.uses[name]) for symbol, name in linked if name in users.uses]
    return sorted(symbol for symbol, uses in found if not uses), len(found)


def write_object(exports: Sequence[Export], audit: Audit, layout: Layout) -> Iterator[str]:
    """Yield one object with the exports, the audits, the errors and the notes."""
    listed = {
        "format_version": FORMAT_VERSION,
        "version": __version__,
        "exports": [list_export(each, audit.find_users(each)) for each in exports],
        "totals": count_by_macro(exports),
        "allowlist": {
            "source": audit.source,
            "extra": audit.extra,
            "symbols": list(map(decode_exactly, audit.symbols)),
            "stale": list(map(decode_exactly, audit.stale)),
        },
    }
    if audit.users:
        listed["unused"] = [
            list_audit(exports, audit, top, users) for top, users in audit.users.items()
        ]
    listed["errors"] = list_remarks(layout.errors)
    listed["notes"] = list_remarks(layout.notes)
    yield write_json(listed, indent=1) + "\n"


def list_export(export: Export, users: Users | None) -> dict[str, object]:
    """List the fields of an export."""
    fields: dict[str, object] = {
        "macro": export.macro.decode(),
        "symbol": decode_exactly(export.symbol),
        "path": decode_exactly(export.path),
        "line": export.line,
        "verdict": export.verdict,
    }
    if users:
        from kvm_export_hook.users.exported import name_linked

        fields |= list_users(users, name_linked(export.macro, export.symbol))
    return fields


def list_audit(
    exports: Sequence[Export], audit: Audit, top: bytes, users: Users
) -> dict[str, object]:
    """List the audit by users of the tree at TOP."""
    from kvm_export_hook.report.advice import describe_outside, describe_unknown

    unused, total = list_unused(exports, top, users)
    return {
        "tree": decode_exactly(top),
        "users_known": users.are_known,
        "users_missing": describe_unknown(users),
        "looked_up": total,
        "unused": list(map(decode_exactly, unused)) if users.are_known else None,
        "allowlisted": {
            decode_exactly(symbol): describe_outside(users, symbol) for symbol in audit.symbols
        },
    }


def count_by_macro(exports: Sequence[Export]) -> dict[str, int]:
    """Count the exports by macro, the most first."""
    counts: dict[str, int] = {}
    for each in exports:
        macro = each.macro.decode()
        counts[macro] = counts.get(macro, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
