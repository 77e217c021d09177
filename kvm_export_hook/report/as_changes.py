# SPDX-License-Identifier: MIT
"""Writes what changes do to KVM's exports, as aligned text or JSON. Pure."""

from __future__ import annotations

from itertools import chain, islice

from kvm_export_hook import __version__
from kvm_export_hook.escape import make_printable
from kvm_export_hook.report.advice import describe_column, describe_unknown, describe_uses
from kvm_export_hook.report.as_json import FORMAT_VERSION, list_remarks, write_json
from kvm_export_hook.report.as_list import align, list_export
from kvm_export_hook.report.as_text import write_heading
from kvm_export_hook.report.sentences import count
from kvm_export_hook.rules.exports import UNWANTED_EXPORT
from kvm_export_hook.users.exported import name_linked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kvm_export_hook.changes.effect import Effect
    from kvm_export_hook.report.layout import Layout
    from kvm_export_hook.rules.exports import Export
    from kvm_export_hook.users.lookup import Users

    # With the users of the symbols, if these were asked for.
    UsedEffect = tuple[Effect, Users | None]
    UsedExport = tuple[Export, Users | None]


def add_users(effects: Sequence[Effect], layout: Layout) -> list[UsedEffect]:
    """Add to each of EFFECTS the users of its symbols."""
    return [(each, layout.find_users(each) if layout.find_users else None) for each in effects]


def write_lines(effects: Sequence[Effect], layout: Layout) -> Iterator[str]:
    """Yield a line for each export of EFFECTS, after a heading for each commit; then the sum."""
    used = add_users(effects, layout)
    rows = [list(write_rows(*each)) for each in used]
    lines = align(list(chain.from_iterable(rows)))
    for effect, its in zip(effects, rows, strict=True):
        yield from write_heading(effect.origin, layout)
        yield from islice(lines, len(its))
    # After a remark, a sum of nothing would say that nothing was changed.
    if effects or not (layout.errors or layout.notes):
        yield f"{write_sum(used)}\n"
    unknown = chain.from_iterable(describe_unknown(users) for _, users in used if users)
    yield from (f"{sentence}\n" for sentence in dict.fromkeys(unknown))


def write_rows(effect: Effect, users: Users | None) -> Iterator[list[str]]:
    """Yield the cells for each export of EFFECT: symbol, macro, place, users, and the rest."""
    for each in effect.added:
        unwanted = [each.verdict] if each.verdict == UNWANTED_EXPORT else []
        yield [*write_cells("+", each), *write_users_now(each, users), *unwanted]
    for each in effect.dropped:
        yield [*write_cells("-", each), *write_users_left(each, users)]
    for was, now in effect.changed:
        symbol, macro, place = write_cells("~", now)
        if was.macro != now.macro:
            macro = f"{was.macro.decode()} -> {macro}"
        verdict = [f"{was.verdict} -> {now.verdict}"] if was.verdict != now.verdict else []
        # One cell: before and after would widen the columns of all other rows.
        yield [symbol, "  ".join([macro, place, *write_users_now(now, users), *verdict])]


def write_cells(sign: str, export: Export) -> tuple[str, str, str]:
    """Write the symbol of EXPORT, after a SIGN for what was done to it; its macro; its place."""
    symbol = make_printable(b" ".join(export.symbol.split()))
    place = f"{make_printable(export.path)}:{export.line}"
    return f"  {sign} {symbol}", export.macro.decode(), place


def write_users_now(export: Export, users: Users | None) -> list[str]:
    """Write the cell with the users of EXPORT, if they were asked for."""
    return [describe_column(users, name_linked(export.macro, export.symbol))] if users else []


def write_users_left(export: Export, users: Users | None) -> list[str]:
    """Write the cell with those who still use EXPORT, which was dropped, if there may be any."""
    symbol = name_linked(export.macro, export.symbol)
    if users is None or symbol is None:
        return []
    if is_still_used(export, users):
        return [f"still {describe_uses(users.uses[symbol])}"]
    return [] if users.are_known or users.uses[symbol] else ["not known"]


def write_sum(used: Sequence[UsedEffect]) -> str:
    """Write the sum: ``in 2 commits: 1 export added (1 unwanted), 0 dropped, 1 changed``."""
    origins = [each.origin for each, _ in used if each.origin and not each.origin.is_alone]
    noun = "commit" if any(each.commit for each in origins) else "mail"
    added = [(each, users) for effect, users in used for each in effect.added]
    dropped = [(each, users) for effect, users in used for each in effect.dropped]
    changed = [(now, users) for effect, users in used for _, now in effect.changed]
    parts = (
        f"{count(len(added), 'export')} added"
        + write_remarks(added, {"unwanted": is_unwanted, "that nobody uses": is_unused}),
        f"{len(dropped)} dropped" + write_remarks(dropped, {"still used": is_still_used}),
        f"{len(changed)} changed" + write_remarks(changed, {"unwanted": is_unwanted}),
    )
    return (f"in {count(len(origins), noun)}: " if origins else "") + ", ".join(parts)


def write_remarks(
    exports: Sequence[UsedExport], remarks: Mapping[str, Callable[[Export, Users | None], bool]]
) -> str:
    """Write for how many of EXPORTS each of REMARKS holds: `` (1 unwanted)``; or nothing."""
    counts = {remark: sum(holds(*each) for each in exports) for remark, holds in remarks.items()}
    said = ", ".join(f"{number} {remark}" for remark, number in counts.items() if number)
    return f" ({said})" if said else ""


def is_unwanted(export: Export, _: Users | None) -> bool:
    """Whether EXPORT is unwanted."""
    return export.verdict == UNWANTED_EXPORT


def is_unused(export: Export, users: Users | None) -> bool:
    """Whether it is known that no other module uses EXPORT."""
    symbol = name_linked(export.macro, export.symbol)
    return users is not None and users.are_known and users.uses.get(symbol or b"") == []


def is_still_used(export: Export, users: Users | None) -> bool:
    """Whether something uses EXPORT, which was dropped, and nothing else provides its symbol."""
    return users is not None and users.is_missed(name_linked(export.macro, export.symbol))


def write_changes(effects: Sequence[Effect], layout: Layout) -> Iterator[str]:
    """Yield one object with the effects, the errors and the notes."""
    listed = {
        "format_version": FORMAT_VERSION,
        "version": __version__,
        "changes": [list_effect(*each) for each in add_users(effects, layout)],
        "errors": list_remarks(layout.errors),
        "notes": list_remarks(layout.notes),
    }
    yield write_json(listed, indent=1) + "\n"


def list_effect(effect: Effect, users: Users | None) -> dict[str, object]:
    """List the fields of EFFECT; a changed export has its new ones, and the old ones as ``was``."""
    origin = effect.origin
    dropped = [list_export(each, users) for each in effect.dropped]
    if users:
        for fields, export in zip(dropped, effect.dropped, strict=True):
            fields["still_used"] = is_still_used(export, users)
    return {
        "commit": origin.commit if origin else None,
        "subject": origin.subject if origin else None,
        "added": [list_export(each, users) for each in effect.added],
        "dropped": dropped,
        "changed": [
            {**list_export(now, users), "was": list_export(was, None)}
            for was, now in effect.changed
        ],
    }
