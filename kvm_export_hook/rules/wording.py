# SPDX-License-Identifier: MIT
"""What every report says of a finding: the export, what is wrong, what to type. Pure."""

from __future__ import annotations

from kvm_export_hook.report.escape import printable
from kvm_export_hook.rules import policy
from kvm_export_hook.rules.judge import (
    EXPORT_ALIAS,
    EXPORT_MENTION,
    FORBIDDEN_MACRO,
    NOT_ALLOWLISTED,
    SPLIT_EXPORT,
)
from kvm_export_hook.rules.place import DIRECTIVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.rules.judge import File, Finding

LONGEST_SHOWN_SYMBOL = 80

# What each rule is called, what it means, and what to do about it.
RULES = {
    FORBIDDEN_MACRO: (
        "KVM never uses this export macro",
        (
            "EXPORT_SYMBOL, and the other macros without _GPL, hand a symbol to every module,"
            " whatever its licence. KVM never uses them, not for allowlisted symbols either."
        ),
        (
            "Use EXPORT_SYMBOL_FOR_KVM_INTERNAL, for an allowlisted symbol EXPORT_SYMBOL_GPL,"
            " or drop the export."
        ),
    ),
    NOT_ALLOWLISTED: (
        "Export of a symbol that is not on the allowlist",
        (
            "EXPORT_SYMBOL_GPL and its kin hand a symbol to every GPL module. In KVM that is"
            " for the few symbols that modules outside KVM need: the allowlist."
        ),
        "Use EXPORT_SYMBOL_FOR_KVM_INTERNAL, or drop the export.",
    ),
    EXPORT_ALIAS: (
        "Export macro outside a plain call",
        "An export macro in a directive, or without a call, hides which symbols are exported.",
        "Write a plain call for each symbol.",
    ),
    SPLIT_EXPORT: (
        "Allowlisted symbol on another line than its macro",
        (
            "The make check of the tree reads line by line, and fails the build on an"
            " EXPORT_SYMBOL_GPL with no allowlisted name on its line."
        ),
        "Put the symbol on the macro's line.",
    ),
    EXPORT_MENTION: (
        "Export macro mentioned in a comment or string",
        (
            "The make check of the tree cannot tell a mention of EXPORT_SYMBOL or EXPORT_SYMBOL_GPL"
            " from an export, and fails the build on it."
        ),
        "Say it without the macro's name.",
    ),
}

WRONG = {
    FORBIDDEN_MACRO: "KVM never uses this macro",
    NOT_ALLOWLISTED: "symbol is not on the allowlist",
    EXPORT_ALIAS: "export macro without a call",
    SPLIT_EXPORT: "symbol is not on its macro's line, so the tree's make check fails",
    EXPORT_MENTION: "the tree's make check fails on the bare word",
}
REMEDY = {
    EXPORT_ALIAS: "write a plain call for each symbol",
    SPLIT_EXPORT: "put the symbol on the macro's line",
    EXPORT_MENTION: "say it without the macro's name",
}
LEFT = {
    EXPORT_ALIAS: "only calls are",
    SPLIT_EXPORT: "the macro is right",
    EXPORT_MENTION: "comments and strings never are",
}


def export(finding: Finding) -> str:
    """Write the export as its author did: ``MACRO(symbol)``, or the bare macro."""
    macro = finding.macro.decode()
    if finding.symbol is None:
        return macro
    symbol = printable(b" ".join(finding.symbol.split()))
    if len(symbol) > LONGEST_SHOWN_SYMBOL:
        symbol = symbol[:LONGEST_SHOWN_SYMBOL] + "..."
    return f"{macro}({symbol})"


def problem(finding: Finding) -> str:
    """Say what is wrong."""
    if finding.rule == EXPORT_ALIAS and finding.kind == DIRECTIVE:
        return "export macro in a preprocessor directive"
    if finding.rule == EXPORT_MENTION:
        return f"in a {finding.kind}, but {WRONG[finding.rule]}"
    return WRONG[finding.rule]


def remedy(finding: Finding) -> str:
    """Say what to type instead."""
    if finding.rule in REMEDY:
        return REMEDY[finding.rule]
    macro = (policy.GPL if finding.allowlisted else policy.INTERNAL).decode()
    if finding.macro not in policy.GREPPED:
        return f"use {macro}, of the symbol alone"
    if finding.replacement is None:
        return f"use {macro}, with the symbol on the same line"
    return f"use {macro}"


def why_left(file: File, finding: Finding) -> str:
    """Say why a fix does not rewrite a finding."""
    if not file.has_macro:
        return f"this tree has no {policy.INTERNAL.decode()}: its build would break"
    if finding.replacement is not None:
        return "the file could not be written"
    if finding.rule in LEFT:
        return LEFT[finding.rule]
    if finding.macro in policy.GREPPED:
        return "the tree's make check would fail all the same"
    return "this macro may have users that a rewrite would cut off"
