# SPDX-License-Identifier: MIT
"""Findings to text for people, in the form of compiler errors. Pure.

Every finding's first line stands on its own: ``path:line:column: error: ...``
is what editors and terminals make into a link.
"""

from __future__ import annotations

from kvm_export_hook.report.escape import printable
from kvm_export_hook.rules.judge import EXPORT_ALIAS, FORBIDDEN_MACRO, NOT_ALLOWLISTED
from kvm_export_hook.rules.wording import export, problem, remedy, why_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.rules.judge import File, Finding

TAB = 8
# The columns of source shown, which with the line number fill a terminal's 80;
# and how many of them stand before an export far into a long line.
EXCERPT, LEAD = 72, 16
CUT = "..."

BOLD, RED, GREEN, RESET = "\x1b[1m", "\x1b[1;31m", "\x1b[1;32m", "\x1b[m"

REWROTE, LEFT, FOUND = "rewrote", "left", "found"
VERBS = {REWROTE: "export", LEFT: "unwanted export", FOUND: "unwanted export"}

REWRITTEN = "Look at the change, stage it, and commit again.\n"
ADVICE = """\
Use EXPORT_SYMBOL_FOR_KVM_INTERNAL for what only KVM's own modules need, or drop
the export: EXPORT_SYMBOL and EXPORT_SYMBOL_GPL hand a symbol to every module.
If a module outside KVM really needs one, say which in the commit message, and
add it to the allowlist in arch/x86/kvm/Makefile, or pass --allow SYMBOL.
"""
BY_FIX = "kvm-export-hook --fix PATH rewrites what it safely can.\n"
LACKING = "This tree has no EXPORT_SYMBOL_FOR_KVM_INTERNAL (Linux before 6.18) to use yet.\n"


def report(files: Iterable[File], color: bool, quiet: bool) -> Iterator[str]:
    """Yield the text for FILES, then what it sums up to and the advice.

    QUIET leaves one line for each finding, and nothing else.
    """
    sums = {verb: Sum() for verb in VERBS}
    subject: str | None = None
    for file in files:
        path = printable(file.path)
        for finding in file.findings:
            if file.subject != subject:
                subject = file.subject or ""
                shown = printable(subject.encode())
                yield f"{BOLD}{shown}{RESET}\n" if color else f"{shown}\n"
            if finding.replacement is not None and file.is_rewritten:
                verb = REWROTE
                yield rewriting(path, finding, finding.replacement)
            else:
                verb = FOUND if file.is_rewritten is None else LEFT
                yield headline(path, finding, color)
                if not quiet:
                    yield excerpt(file.data, finding, color)
                if not quiet and verb == LEFT:
                    yield f"      = not rewritten: {why_left(file, finding)}\n"
            sums[verb].add(file, finding)
    if not quiet:
        yield from closing(sums)


class Sum:
    """How many findings of which macros there are, and in which files."""

    def __init__(self) -> None:
        self.macros: dict[str, int] = {}
        self.files: set[bytes] = set()
        self.calls_for_advice = False
        self.lacks_macro = False

    def add(self, file: File, finding: Finding) -> None:
        """Count a finding."""
        macro = finding.macro.decode()
        self.macros[macro] = self.macros.get(macro, 0) + 1
        self.files.add(file.path)
        self.lacks_macro |= not file.has_macro
        # The other rules' remedies say all.
        self.calls_for_advice |= finding.rule in (FORBIDDEN_MACRO, NOT_ALLOWLISTED, EXPORT_ALIAS)


def closing(sums: dict[str, Sum]) -> Iterator[str]:
    """Yield the sums, a line each: ``found 2 unwanted exports in 1 file: ...``; and advice."""
    gap = "\n"
    for verb, sum_ in sums.items():
        if sum_.macros:
            total = plural(sum(sum_.macros.values()), VERBS[verb])
            macros = ", ".join(f"{count} {macro}" for macro, count in sorted(sum_.macros.items()))
            yield f"{gap}{verb} {total} in {plural(len(sum_.files), 'file')}: {macros}\n"
            gap = ""
    if sums[FOUND].calls_for_advice or sums[LEFT].calls_for_advice:
        yield ADVICE
        if sums[FOUND].lacks_macro or sums[LEFT].lacks_macro:
            yield LACKING
        elif sums[FOUND].macros:
            yield BY_FIX
    if sums[REWROTE].macros:
        yield REWRITTEN


def rewriting(path: str, finding: Finding, macro: bytes) -> str:
    """Write what a fix did: ``path:line: old -> new``."""
    old = export(finding)
    new = macro.decode() + old[len(finding.macro) :]
    return f"{path}:{finding.line}: {old} -> {new}\n"


def headline(path: str, finding: Finding, color: bool) -> str:
    """Write the line that tells it all."""
    place = f"{path}:{finding.line}:{finding.column}:"
    what = f"{export(finding)}: {problem(finding)} [{finding.rule}]\n"
    if color:
        return f"{BOLD}{place}{RESET} {RED}error:{RESET} {what}"
    return f"{place} error: {what}"


def excerpt(data: bytes, finding: Finding, color: bool) -> str:
    """Quote the line of source, cut around the finding, with a caret under the macro."""
    start, offset = finding.line_start, finding.offset
    before = after = ""
    if offset - start > EXCERPT // 2:
        start, before = next_character(data, offset - LEAD), CUT
    end = data.find(b"\n", offset, start + EXCERPT + 1)
    if end < 0:
        end = next_character(data, start + EXCERPT)
        after = CUT if end < len(data) else ""
    lead = before + expand(data[start:offset])
    line = before + expand(data[start:end].rstrip()) + after
    macro = finding.macro.decode()
    rest = line[len(lead) + len(macro) :]
    marks = "^" + "~" * (len(macro) - 1)
    if color:
        macro, marks = RED + macro + RESET, GREEN + marks + RESET
    number = f"{finding.line:5}"
    return (
        f"{number} | {lead}{macro}{rest}\n"
        f"{' ' * len(number)} | {' ' * width(lead)}{marks} {remedy(finding)}\n"
    )


def next_character(data: bytes, offset: int) -> int:
    """Move OFFSET past the tail of a UTF-8 character, so that none is cut in two."""
    for byte in data[offset : offset + 3]:
        if byte & 0xC0 != 0x80:
            break
        offset += 1
    return offset


def expand(source: bytes) -> str:
    """Decode SOURCE for display, with spaces up to the next stop for each tab."""
    first, *others = source.split(b"\t")
    text = printable(first)
    for piece in others:
        text += " " * (TAB - width(text) % TAB) + printable(piece)
    return text


def width(text: str) -> int:
    """Count the columns that TEXT takes in a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


def plural(count: int, noun: str) -> str:
    """Count a noun: ``1 file``, ``2 files``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
