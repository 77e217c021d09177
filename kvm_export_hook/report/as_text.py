# SPDX-License-Identifier: MIT
"""Findings to text for people, in the form of compiler errors. Pure.

Every finding's first line stands on its own: ``path:line:column: error: ...``
is what editors and terminals make into a link.
"""

from __future__ import annotations

from kvm_export_hook.escape import disarm, make_printable
from kvm_export_hook.report.sentences import (
    Sum,
    choose_remedy,
    describe_export,
    describe_origin,
    describe_problem,
    explain_why_left,
    find_advice,
    write_call,
)
from kvm_export_hook.rules.scope import MAKEFILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.report.layout import Layout
    from kvm_export_hook.rules.judge import Finding
    from kvm_export_hook.values import Origin, Result

TAB = 8
# How many columns of source are shown: with the line number, they fill 80. In a long line,
# LEAD of them are before the export.
EXCERPT, LEAD = 72, 16
CUT = "..."

BOLD, RED, GREEN, RESET = "\x1b[1m", "\x1b[1;31m", "\x1b[1;32m", "\x1b[m"

REWROTE_VERB, LEFT_VERB, FOUND_VERB = "rewrote", "could not rewrite", "found"

ADVICE = """\
Use EXPORT_SYMBOL_FOR_KVM_INTERNAL for what only KVM's own modules need, or drop
the export: EXPORT_SYMBOL_GPL hands a symbol to every GPL module, EXPORT_SYMBOL
to every module. If a module outside KVM needs the symbol, say which in the
"""
TO_LIST = f"commit message, and add the symbol to the allowlist in {MAKEFILE.decode()}.\n"
TO_ALLOW = "commit message, and {}.\n"  # where the Makefile has no list
LACKING = "This tree does not have EXPORT_SYMBOL_FOR_KVM_INTERNAL yet (Linux before 6.18).\n"


def report(results: Iterable[Result], layout: Layout) -> Iterator[str]:
    """Yield the text for RESULTS, then the sums and the advice."""
    sums = {verb: Sum() for verb in (REWROTE_VERB, LEFT_VERB, FOUND_VERB)}
    origin: Origin | None = None
    for result in results:
        if result.origin is not origin:
            origin = result.origin
            yield from write_heading(origin, layout)
        for finding in result.findings:
            verb = choose_verb(result, finding)
            sums[verb].add(result, finding)
            if layout.mending and verb != LEFT_VERB and can_rewrite(result, finding):
                layout.mending.add(result, finding)
            yield disarm(write_finding(result, finding, verb, layout))
    if not layout.quiet:
        yield from write_sums(sums, layout)


def write_heading(origin: Origin | None, layout: Layout) -> Iterator[str]:
    """Yield the heading of what follows from ORIGIN, a mail or a commit, if it has one."""
    if origin and not origin.is_alone:
        shown = describe_origin(origin)
        yield disarm(f"{BOLD}{shown}{RESET}\n" if layout.color else f"{shown}\n")


def choose_verb(result: Result, finding: Finding) -> str:
    """Choose the verb for what was done to a finding."""
    if result.is_rewritten is None:
        return FOUND_VERB
    return REWROTE_VERB if result.is_rewritten and can_rewrite(result, finding) else LEFT_VERB


def can_rewrite(result: Result, finding: Finding) -> bool:
    """Whether a fix rewrites FINDING."""
    return finding.replacement is not None and not result.facts.lacks_macro


def write_finding(result: Result, finding: Finding, verb: str, layout: Layout) -> str:
    """Write the lines for a finding."""
    path = make_printable(result.text.path)
    if verb == REWROTE_VERB:
        return write_rewriting(path, finding)
    lines = write_headline(path, finding, layout.color)
    if not layout.quiet:
        advice = find_advice(result, finding, layout)
        remedy = choose_remedy(finding, advice)
        lines += write_excerpt(result.content, finding, remedy, layout.color)
        if advice:
            lines += f"      = {advice.found}\n"
        if verb == LEFT_VERB:
            lines += f"      = not rewritten: {explain_why_left(result, finding)}\n"
    return lines


def write_sums(sums: dict[str, Sum], layout: Layout) -> Iterator[str]:
    """Yield the sums, a line each: ``found 2 unwanted exports in 1 file: ...``; and advice."""
    gap = "\n"
    for verb, sum_ in sums.items():
        if sum_.macros:
            yield f"{gap}{verb} {sum_}\n"
            gap = ""
    if sums[FOUND_VERB].has_advice or sums[LEFT_VERB].has_advice:
        yield ADVICE
        has_list = sums[FOUND_VERB].has_check or sums[LEFT_VERB].has_check
        yield TO_LIST if has_list else TO_ALLOW.format(layout.allow_hint.format("SYMBOL"))
        if sums[FOUND_VERB].lacks_macro or sums[LEFT_VERB].lacks_macro:
            yield LACKING
    if layout.mending:
        yield layout.mending.write()


def write_rewriting(path: str, finding: Finding) -> str:
    """Write what a fix did: ``path:line: old -> new``."""
    new = write_call(finding.replacement or finding.macro, finding.symbol)
    return f"{path}:{finding.line}: {describe_export(finding)} -> {new}\n"


def write_headline(path: str, finding: Finding, color: bool) -> str:
    """Write the first line of a finding, which is complete in itself."""
    place = f"{path}:{finding.line}:{finding.column}:"
    what = f"{describe_export(finding)}: {describe_problem(finding)} [{finding.rule}]\n"
    if color:
        return f"{BOLD}{place}{RESET} {RED}error:{RESET} {what}"
    return f"{place} error: {what}"


def write_excerpt(text: bytes, finding: Finding, remedy: str, color: bool) -> str:
    """Quote the line of source, cut around the finding, with a caret under the macro."""
    start, offset = finding.line_start, finding.offset
    before = after = ""
    if offset - start > EXCERPT // 2:
        start, before = skip_to_character(text, offset - LEAD), CUT
    end = text.find(b"\n", offset, start + EXCERPT + 1)
    if end < 0:
        end = skip_to_character(text, start + EXCERPT)
        after = CUT if end < len(text) else ""
    lead = before + expand_tabs(text[start:offset])
    line = before + expand_tabs(text[start:end].rstrip()) + after
    macro = finding.macro.decode()
    rest = line[len(lead) + len(macro) :]
    marks = "^" + "~" * (len(macro) - 1)
    if color:
        macro, marks = RED + macro + RESET, GREEN + marks + RESET
    number = f"{finding.line:5}"
    return (
        f"{number} | {lead}{macro}{rest}\n"
        f"{' ' * len(number)} | {' ' * count_columns(lead)}{marks} {remedy}\n"
    )


def skip_to_character(text: bytes, offset: int) -> int:
    """Move OFFSET to the start of a UTF-8 character, so that none is cut in two."""
    for byte in text[offset : offset + 3]:
        if byte & 0xC0 != 0x80:
            break
        offset += 1
    return offset


def expand_tabs(source: bytes) -> str:
    """Decode SOURCE for display, with spaces up to the next stop for each tab."""
    first, *others = source.split(b"\t")
    text = make_printable(first)
    for piece in others:
        text += " " * (TAB - count_columns(text) % TAB) + make_printable(piece)
    return text


def count_columns(text: str) -> int:
    """Count the columns that TEXT takes in a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    # A mark stands over the character before it.
    return sum(
        0 if category(char) in ("Mn", "Me") else 2 if east_asian_width(char) in "WF" else 1
        for char in text
    )
