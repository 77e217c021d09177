# SPDX-License-Identifier: MIT
"""What every report says of a finding: the export, what is wrong, what to type. Pure."""

from __future__ import annotations

from kvm_export_hook.escape import make_printable
from kvm_export_hook.report.wording import OTHER_USERS, RULES
from kvm_export_hook.rules import policy
from kvm_export_hook.rules.judge import follows_splice
from kvm_export_hook.rules.place import DIRECTIVE
from kvm_export_hook.run import HERE
from kvm_export_hook.values import SHORT_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.report.advice import Advice
    from kvm_export_hook.report.layout import Layout
    from kvm_export_hook.rules.judge import Finding
    from kvm_export_hook.values import Origin, Result

LONGEST_SHOWN_SYMBOL = 80

NO_MACRO_YET = f"this tree has no {policy.INTERNAL.decode()}: a rewrite would break its build"
NOT_WRITTEN = "the file could not be written"
NOT_NAMED = "only files that are named are rewritten"
AFTER_SPLICE = "a backslash right before it joins it to the word before"
CHECK_WOULD_FAIL = "the tree's make check would still fail"


def describe(result: Result, finding: Finding, layout: Layout) -> str:
    """Say all of FINDING in one line: the export, what is wrong, who uses it, what to type."""
    advice = find_advice(result, finding, layout)
    found = f"{advice.found}: " if advice else ""
    remedy = found + choose_remedy(finding, advice)
    return f"{describe_export(finding)}: {describe_problem(finding)}; {remedy}"


def find_advice(result: Result, finding: Finding, layout: Layout) -> Advice | None:
    """Find who uses the symbol of FINDING, if that was asked for, and what to do about it."""
    if layout.find_users is None or finding.symbol is None:
        return None
    from kvm_export_hook.report.advice import LIST_HINT, advise

    users = layout.find_users(result)
    list_hint = LIST_HINT if result.facts.has_check else layout.allow_hint
    return advise(users, finding.symbol, list_hint)


def choose_remedy(finding: Finding, advice: Advice | None) -> str:
    """Choose what to type; if the users decide between two macros, by the users."""
    remedy = describe_remedy(finding)
    by_users = advice.remedy if advice else None
    if by_users is None or finding.is_allowlisted or remedy.startswith(by_users):
        return remedy
    return by_users if "{use}" in RULES[finding.rule].remedy else remedy


def describe_origin(origin: Origin) -> str:
    """Name the commit or the mail on one line."""
    subject = make_printable(origin.subject.encode("utf-8", "surrogateescape"))
    if origin.file is not None:
        return ": ".join(filter(None, [make_printable(origin.file), subject]))
    if origin.commit is None:
        return f"mail: {subject}"
    return f"commit {origin.commit[:SHORT_ID]}: {subject}"


def prefix_origin(origin: Origin | None) -> str:
    """Name the commit or the mail before a message; without an ORIGIN, nothing."""
    return f"{describe_origin(origin)}: " if origin else ""


class Sum:
    """Counts findings by noun, by macro and by file, and notes which advice they need."""

    def __init__(self) -> None:
        self.nouns: dict[str, int] = {}
        self.macros: dict[str, int] = {}
        self.files: set[bytes] = set()
        self.has_advice = False
        self.has_check = False
        self.lacks_macro = False

    def add(self, result: Result, finding: Finding) -> None:
        """Count FINDING, of RESULT."""
        row, macro = RULES[finding.rule], finding.macro.decode()
        self.nouns[row.noun] = self.nouns.get(row.noun, 0) + 1
        self.macros[macro] = self.macros.get(macro, 0) + 1
        self.files.add(result.text.path)
        self.has_check |= result.facts.has_check
        self.lacks_macro |= result.facts.lacks_macro
        # For the other rules, the remedy says everything.
        self.has_advice |= row.has_advice

    def __str__(self) -> str:
        """Write the sum: ``2 unwanted exports, 1 mention in 1 file: 1 EXPORT_SYMBOL, ...``."""
        # In the order of RULES.
        nouns = dict.fromkeys(row.noun for row in RULES.values())
        total = ", ".join(count(self.nouns[noun], noun) for noun in nouns if noun in self.nouns)
        listed = ", ".join(f"{number} {macro}" for macro, number in sorted(self.macros.items()))
        return f"{total} in {count(len(self.files), 'file')}: {listed}"


def write_remark(path: bytes, remark: str) -> str:
    """Write a note or an error on one line, with its PATH unless that is the tree here."""
    shown = b"" if path == HERE else path
    # A reason may quote a mail or git.
    parts = (shown, remark.encode("utf-8", "surrogateescape"))
    return ": ".join(filter(None, map(make_printable, parts)))


def count(number: int, noun: str) -> str:
    """Count a noun: ``1 file``, ``2 files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def describe_export(finding: Finding) -> str:
    """Write the export as its author did: ``MACRO(symbol)``, or the bare macro."""
    return write_call(finding.macro, finding.symbol)


def write_call(macro: bytes, symbol: bytes | None) -> str:
    """Write ``MACRO(symbol)`` on one line, or MACRO alone where SYMBOL is None."""
    if symbol is None:
        return macro.decode()
    shown = make_printable(b" ".join(symbol.split()))
    if len(shown) > LONGEST_SHOWN_SYMBOL:
        shown = shown[:LONGEST_SHOWN_SYMBOL] + "..."
    return f"{macro.decode()}({shown})"


def describe_problem(finding: Finding) -> str:
    """Say what is wrong."""
    wording = RULES[finding.rule]
    problem = wording.problem_in_directive if finding.kind == DIRECTIVE else wording.problem
    return problem.format(kind=finding.kind)


def describe_remedy(finding: Finding) -> str:
    """Say what to type instead."""
    macro = policy.GPL if finding.is_allowlisted else policy.INTERNAL
    use = macro.decode()
    if not policy.MACROS[finding.macro].is_rewritable:
        use = write_call(macro, finding.symbol)
    elif finding.is_allowlisted and finding.build_fails:
        use += ", with the symbol on the same line"
    return RULES[finding.rule].remedy.format(use=use)


def explain_why_left(result: Result, finding: Finding) -> str:
    """Say why a fix does not rewrite a finding."""
    if result.facts.lacks_macro:
        return NO_MACRO_YET
    if finding.replacement is not None:
        return NOT_WRITTEN if result.text.is_named else NOT_NAMED
    if follows_splice(result.content, finding.offset):
        return AFTER_SPLICE
    why_left = RULES[finding.rule].why_left
    if why_left == OTHER_USERS and policy.MACROS[finding.macro].is_rewritable:
        return CHECK_WOULD_FAIL
    return why_left
