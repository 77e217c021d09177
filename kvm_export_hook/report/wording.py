# SPDX-License-Identifier: MIT
"""What reports say about each rule: one row each. No logic.

To add a rule, add its row here and its verdict to ``judge``;
``tests/report/wording_test.py`` checks that no row is missing or incomplete.
"""

from __future__ import annotations

from kvm_export_hook.rules.judge import (
    EXPORT_ALIAS,
    EXPORT_MENTION,
    FORBIDDEN_MACRO,
    NOT_ALLOWLISTED,
    SPLIT_EXPORT,
)

UNWANTED = "unwanted export"


class Wording:
    """A row of RULES.

    ``title``, ``why`` and ``advice``: whole sentences or headings, for SARIF.
    ``problem``: what is wrong with this finding; ``{kind}`` is its place.
    ``problem_in_directive``: the same in a directive. ``remedy``: what to type;
    ``{use}`` names the right macro. ``noun``: its name in the sum. ``why_left``: why a fix
    does not rewrite it.
    ``has_advice``: whether the text report ends with the general advice.
    """

    __slots__ = (
        "advice",
        "has_advice",
        "noun",
        "problem",
        "problem_in_directive",
        "remedy",
        "title",
        "why",
        "why_left",
    )

    def __init__(
        self,
        *,
        title: str,
        why: str,
        advice: str,
        problem: str,
        problem_in_directive: str | None = None,
        remedy: str,
        why_left: str,
        has_advice: bool,
        noun: str = UNWANTED,
    ) -> None:
        self.title = title
        self.why = why
        self.advice = advice
        self.problem = problem
        self.problem_in_directive = problem_in_directive or problem
        self.remedy = remedy
        self.why_left = why_left
        self.has_advice = has_advice
        self.noun = noun


OTHER_USERS = "other modules may use this symbol, and a rewrite would break them"

RULES = {
    FORBIDDEN_MACRO: Wording(
        title="KVM never uses this export macro",
        why=(
            "EXPORT_SYMBOL, and the other macros without _GPL, hand a symbol to every module,"
            " GPL or not. KVM never uses them, not even for allowlisted symbols."
        ),
        advice=(
            "Use EXPORT_SYMBOL_FOR_KVM_INTERNAL (for an allowlisted symbol, EXPORT_SYMBOL_GPL),"
            " or drop the export."
        ),
        problem="KVM never uses this macro",
        remedy="use {use}",
        why_left=OTHER_USERS,
        has_advice=True,
    ),
    NOT_ALLOWLISTED: Wording(
        title="Export of a symbol that is not on the allowlist",
        why=(
            "EXPORT_SYMBOL_GPL and similar macros hand a symbol to every GPL module. In KVM only"
            " the symbols on the allowlist may use them: those that modules outside KVM need."
        ),
        advice=(
            "Use EXPORT_SYMBOL_FOR_KVM_INTERNAL, or drop the export. If a module outside KVM"
            " needs the symbol, add it to the allowlist."
        ),
        problem="not on the allowlist of what modules outside KVM need",
        remedy="use {use}",
        why_left=OTHER_USERS,
        has_advice=True,
    ),
    EXPORT_ALIAS: Wording(
        title="Export macro outside a plain call",
        why="An export macro in a directive, or without a call, hides which symbols are exported.",
        advice="Write a plain call for each symbol.",
        problem="export macro without a call",
        problem_in_directive="export macro in a preprocessor directive",
        remedy="write a plain call for each symbol",
        why_left="only plain calls can be fixed",
        has_advice=True,
    ),
    SPLIT_EXPORT: Wording(
        title="Allowlisted symbol on another line than its macro",
        why=(
            "The make check of the tree reads line by line, and fails the build on an"
            " EXPORT_SYMBOL_GPL with no allowlisted name on its line."
        ),
        advice="Put the symbol on the macro's line.",
        problem="symbol is not on its macro's line, so the tree's make check fails",
        remedy="put the symbol on the macro's line",
        why_left="only the line break is wrong",
        has_advice=False,
        noun="split export",
    ),
    EXPORT_MENTION: Wording(
        title="Export macro mentioned in a comment or string",
        why=(
            "The make check of the tree cannot tell a mention of EXPORT_SYMBOL or EXPORT_SYMBOL_GPL"
            " from an export, and fails the build on it."
        ),
        advice="Reword it without the macro's name.",
        problem="mentioned in a {kind}: the tree's make check cannot tell, and fails",
        remedy="reword it without the macro's name",
        why_left="comments and strings are never rewritten",
        has_advice=False,
        noun="mention",
    ),
}
