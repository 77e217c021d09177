# SPDX-License-Identifier: MIT
"""Turn findings into new bytes, or into a patch. ``atomic`` writes the bytes."""

from __future__ import annotations

import os

from kvm_export_hook.fix.quote import quote_name
from kvm_export_hook.rules.scope import is_in_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kvm_export_hook.values import Result, Text

LEADS_OUT = "its path leads through a symbolic link out of the KVM directories: use the real path"

CONTEXT = 3
NO_NEWLINE = b"\n\\ No newline at end of file\n"


def rewrite_files(
    results: Iterable[Result], complain: Callable[[bytes, OSError], object]
) -> Iterator[Result]:
    """Rewrite what can be rewritten of RESULTS, and pass them on; COMPLAIN of write errors.

    Only named files are rewritten: not a whole tree because of its fact file.
    """
    from kvm_export_hook.fix.atomic import replace_file

    for result in results:
        text, findings = result.text, list(result.findings)
        new = fix_content(result.replace_findings(findings))
        is_rewritten = False
        try:
            if new != result.content and text.is_named:
                replace_file(find_target(text), result.content, new)
                is_rewritten = True
        except OSError as error:
            remedy = ": make its directory writable" if isinstance(error, PermissionError) else ""
            complain(text.path, OSError(None, f"not rewritten: {error.strerror}{remedy}"))
        yield result.replace_findings(findings, is_rewritten)


def find_target(text: Text) -> bytes:
    """Return the path to write TEXT to, without symbolic links.

    Raises OSError where that would leave the KVM directories of the tree.
    """
    if not is_in_scope(find_real_name(text)):
        raise OSError(None, LEADS_OUT)
    return os.path.realpath(text.path)


def find_real_name(text: Text) -> bytes:
    """Return the name of TEXT from the top of its tree, without symbolic links."""
    return os.path.relpath(os.path.realpath(text.path), os.path.realpath(text.top or b"."))


def print_patches(results: Iterable[Result], write: Callable[[bytes], object]) -> Iterator[Result]:
    """Print what a fix would change in RESULTS, line by line; pass on what it would leave.

    Like a fix, a patch never changes a file outside of its tree. A file with two names gets
    one patch.
    """
    printed = set()
    for result in results:
        findings = list(result.findings)
        new = fix_content(result.replace_findings(findings))
        name = find_real_name(result.text)
        if new != result.content and result.text.is_named and is_in_scope(name):
            for line in make_patch(name, result.content, new) if name not in printed else ():
                write(line)
            printed.add(name)
            findings = [each for each in findings if each.replacement is None]
        yield result.replace_findings(findings, is_rewritten=False)


def fix_content(result: Result) -> bytes:
    """Replace every macro that has a replacement; keep every other byte.

    Nothing changes in a tree without the macro, whose build would break.
    """
    text = result.content
    pieces = []
    end = 0
    for finding in result.findings:
        if finding.replacement is not None and not result.facts.lacks_macro:
            pieces += [text[end : finding.offset], finding.replacement]
            end = finding.offset + len(finding.macro)
    return b"".join([*pieces, text[end:]])


def make_patch(name: bytes, old: bytes, new: bytes) -> Iterator[bytes]:
    """Yield the patch from OLD to NEW, line by line, as git apply takes it.

    NAME is relative to the top of the tree. A fix changes no line end, so the lines of both
    sides correspond.
    """
    before, after = split_lines(old), split_lines(new)
    changed = [number for number, line in enumerate(before) if line != after[number]]
    sides = quote_name(b"a/" + name), quote_name(b"b/" + name)
    # After a name with a blank comes a tab: else the name would end at the blank.
    tab = b"\t" if b" " in name else b""
    yield b"diff --git %s %s\n" % sides
    yield b"--- %s%s\n" % (sides[0], tab)
    yield b"+++ %s%s\n" % (sides[1], tab)
    for first, last in group_lines(changed):
        start, end = max(first - CONTEXT, 0), min(last + CONTEXT + 1, len(before))
        yield b"@@ -%d,%d +%d,%d @@\n" % ((start + 1, end - start) * 2)
        for number in range(start, end):
            if before[number] == after[number]:
                yield b" " + before[number]
            else:
                yield b"-" + before[number]
                yield b"+" + after[number]


def split_lines(text: bytes) -> list[bytes]:
    """Split TEXT into lines; add diff's remark to a last line without a newline."""
    *lines, rest = text.split(b"\n")
    whole = [line + b"\n" for line in lines]
    return [*whole, rest + NO_NEWLINE] if rest else whole


def group_lines(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Group ascending line NUMBERS whose contexts meet; return the first and last of each group."""
    groups: list[tuple[int, int]] = []
    for number in numbers:
        if groups and number - groups[-1][1] <= 2 * CONTEXT + 1:
            groups[-1] = groups[-1][0], number
        else:
            groups.append((number, number))
    return groups
