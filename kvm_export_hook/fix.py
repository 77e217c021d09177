# SPDX-License-Identifier: MIT
"""Repairs: findings to new bytes, pure; to the patch between; and the atomic write."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress

from kvm_export_hook.rules.judge import Result
from kvm_export_hook.sources.git_names import quoted
from kvm_export_hook.sources.worktree import read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


CONTEXT = 3
NO_NEWLINE = b"\n\\ No newline at end of file\n"


def rewrite(
    results: Iterable[Result], complain: Callable[[bytes, OSError], object]
) -> Iterator[Result]:
    """Rewrite what can be of RESULTS, and pass them on; COMPLAIN of what could not be written."""
    for result in results:
        input_ = result.input
        result = Result(input_, list(result.findings), is_rewritten=False)
        new = fixed(result)
        try:
            if new != input_.text:
                replace_file(input_.path, input_.text, new)
                result = Result(input_, result.findings, is_rewritten=True)
        except OSError as error:
            remedy = ": make its directory writable" if isinstance(error, PermissionError) else ""
            complain(input_.path, OSError(None, f"not rewritten: {error.strerror}{remedy}"))
        yield result


def print_patches(results: Iterable[Result], write: Callable[[bytes], object]) -> Iterator[Result]:
    """Print what a fix would change, line by line; pass on what it would leave."""
    printed = set()
    for result in results:
        input_ = result.input
        findings = list(result.findings)
        new = fixed(Result(input_, findings))
        if new != input_.text:
            # Of a symbolic link, the target; which may have a second name.
            top = os.path.realpath(input_.top or b".")
            name = os.path.relpath(os.path.realpath(input_.path), top)
            for line in patch(name, input_.text, new) if name not in printed else ():
                write(line)
            printed.add(name)
            findings = [each for each in findings if each.replacement is None]
        yield Result(input_, findings, is_rewritten=False)


def fixed(result: Result) -> bytes:
    """Put every macro right that has a replacement; keep every other byte.

    Nothing changes in a tree without the macro, whose build would break.
    """
    text = result.input.text
    pieces = []
    behind = 0
    for finding in result.findings:
        if finding.replacement is not None and not result.input.facts.lacks_macro:
            pieces += [text[behind : finding.offset], finding.replacement]
            behind = finding.offset + len(finding.macro)
    return b"".join([*pieces, text[behind:]])


def patch(name: bytes, old: bytes, new: bytes) -> Iterator[bytes]:
    """Yield the patch from OLD to NEW, line by line, as git apply takes it.

    NAME is relative to the top of the tree. A fix changes words and no line
    ends: line by line, one side is the other's.
    """
    before, after = diff_lines(old), diff_lines(new)
    changed = [number for number, line in enumerate(before) if line != after[number]]
    sides = quoted(b"a/" + name), quoted(b"b/" + name)
    # A name with a blank needs a tab behind it, or it would end at the blank.
    tab = b"\t" if b" " in name else b""
    yield b"diff --git %s %s\n" % sides
    yield b"--- %s%s\n" % (sides[0], tab)
    yield b"+++ %s%s\n" % (sides[1], tab)
    for first, last in close_together(changed):
        start, end = max(first - CONTEXT, 0), min(last + CONTEXT + 1, len(before))
        yield b"@@ -%d,%d +%d,%d @@\n" % ((start + 1, end - start) * 2)
        for number in range(start, end):
            if before[number] == after[number]:
                yield b" " + before[number]
            else:
                yield b"-" + before[number]
                yield b"+" + after[number]


def diff_lines(text: bytes) -> list[bytes]:
    """Split TEXT into lines, the last with the remark of diff where it has no newline."""
    *lines, rest = text.split(b"\n")
    whole = [line + b"\n" for line in lines]
    return [*whole, rest + NO_NEWLINE] if rest else whole


def close_together(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Group the ascending NUMBERS of lines whose contexts meet; tell the ends of each group."""
    groups: list[tuple[int, int]] = []
    for number in numbers:
        if groups and number - groups[-1][1] <= 2 * CONTEXT + 1:
            groups[-1] = groups[-1][0], number
        else:
            groups.append((number, number))
    return groups


def replace_file(path: bytes, old: bytes, new: bytes) -> None:
    """Make NEW the content of the file at PATH, if it still is OLD.

    At any moment the file is whole, the old one or the new one: NEW is written
    and synced beside it under another name, then renamed over it. Of a symbolic
    link, the target is replaced. Raises OSError, and the file is as it was.
    """
    target = os.path.realpath(path)
    directory = os.path.dirname(target)
    descriptor, temporary = tempfile.mkstemp(prefix=b".kvm-export-hook.", dir=directory)
    try:
        with open(descriptor, "wb") as file:
            file.write(new)
            file.flush()
            keep_owner_and_mode(target, descriptor)
            os.fsync(descriptor)
        if read_file(target) != old:
            raise OSError(None, "it was changed in the meantime: run the command again")
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    with suppress(OSError):  # the rename is done, if not yet sure to last
        sync_directory(directory)


def keep_owner_and_mode(target: bytes, descriptor: int) -> None:
    """Give the file at DESCRIPTOR the mode of TARGET, and where permitted its owner."""
    status = os.stat(target)
    with suppress(PermissionError):
        os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


def sync_directory(directory: bytes) -> None:
    """Make a rename in DIRECTORY last."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
