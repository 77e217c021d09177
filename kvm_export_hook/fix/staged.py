# SPDX-License-Identifier: MIT
"""``--staged --fix``: rewrite what the index adds, in the index and in the working tree.

First the files are replaced, each in one step, then the index, in one step and under its
lock. So if the command is killed, the index still has the findings, and the same command
finishes the work.
"""

from __future__ import annotations

import os
from contextlib import suppress

from kvm_export_hook.changes.find import find_unwanted
from kvm_export_hook.files.look import exists
from kvm_export_hook.files.worktree import read_file
from kvm_export_hook.fix.atomic import hold_signals, replace_file
from kvm_export_hook.fix.index_lock import OURS, lock_index
from kvm_export_hook.fix.rewrite import fix_content
from kvm_export_hook.git.discover import find_kernel
from kvm_export_hook.git.entries import LS_FILES, TOP_LITERAL
from kvm_export_hook.git.process import make_environment, run_git
from kvm_export_hook.values import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.rules.judge import Finding
    from kvm_export_hook.run import Complain

    # Macro, symbol and replacement: exports for which these are equal are the same.
    Call = tuple[bytes, bytes | None, bytes | None]

# How ls-files -v marks a file that git compares with its working copy.
IS_COMPARED = b"H"

NO_WORKING_TREE = "this repository has no working tree"
CHANGED_MESSAGE = "it was changed in the meantime: run the command again"
NOT_COMPARED_MESSAGE = (
    "git does not look at its working copy: run git update-index --no-skip-worktree"
    " --no-assume-unchanged on it"
)
NOT_CHECKED_OUT_MESSAGE = (
    "it is not in the sparse checkout: run git sparse-checkout add on its directory"
)
MOVED_ON_MESSAGE = (
    "its working copy does not have this export as often as the index: edit it, then git add it"
)
LINK_MESSAGE = "there is a symbolic link in the path of its working copy"


def rewrite_staged(
    results: Iterable[Result], srctree: bytes | None, complain: Complain
) -> Iterator[Result]:
    """Rewrite what can be rewritten of RESULTS, which are from the index, and pass them on.

    SRCTREE is the kernel that was named, if one was. COMPLAIN of a file that could not be
    rewritten: the index keeps it as it was.
    """
    kept = [result.replace_findings(list(result.findings)) for result in results]
    wanted = {result.text.path: result for result in kept if fix_content(result) != result.content}
    written: set[bytes] = set()
    if wanted:
        try:
            directory, _, top = find_kernel(srctree)
            if top is None:
                raise OSError(None, NO_WORKING_TREE)
            written = Rewriting(directory, top, complain).rewrite(wanted)
        except OSError as error:
            complain(b"index", OSError(None, f"not rewritten: {error.strerror}"))
    for result in kept:
        yield result.replace_findings(result.findings, result.text.path in written)


class Rewriting:
    """Rewrites the index of the repository in which git runs at DIRECTORY, and files below TOP."""

    def __init__(self, directory: bytes, top: bytes, complain: Complain) -> None:
        self._directory = directory
        self._top = top
        self._complain = complain

    def rewrite(self, wanted: dict[bytes, Result]) -> set[bytes]:
        """Rewrite the results WANTED, by their paths; return the paths of those that were.

        Raises OSError where the index cannot be written, which then is as it was.
        """
        said = run_git(b"rev-parse", b"--git-path", b"index", directory=self._directory)
        path = os.path.realpath(os.path.join(self._directory, said.removesuffix(b"\n")))
        with hold_signals(), lock_index(path) as lock:
            copy = b"%s%s.%s" % (path, OURS, os.urandom(8).hex().encode())
            try:
                copy_index(path, copy)
                lines = self._rewrite_files(wanted, copy)
                if lines:
                    listed = b"".join(lines.values())
                    self._run(b"update-index", b"-z", b"--index-info", index=copy, stdin=listed)
                    lock.replace(read_file(copy))
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(copy)
        return set(lines)

    def _run(self, *arguments: bytes, index: bytes, stdin: bytes = b"") -> bytes:
        """Run git with this INDEX; return what it prints. Raises GitError."""
        environment = {**make_environment(), b"GIT_INDEX_FILE": index}
        return run_git(*arguments, directory=self._directory, stdin=stdin, environment=environment)

    def _rewrite_files(self, wanted: dict[bytes, Result], index: bytes) -> dict[bytes, bytes]:
        """Rewrite the working copies of WANTED; return the new lines of INDEX, by their paths."""
        specs = [TOP_LITERAL + path for path in wanted]
        listed = self._run(*LS_FILES, b"-v", b"--", *specs, index=index)
        lines: dict[bytes, bytes] = {}
        for line in listed.split(b"\0")[:-1]:
            fields, _, path = line.partition(b"\t")
            tag, mode, id_, stage = fields.split(b" ")
            if stage != b"0" or id_ != wanted[path].text.id:
                continue
            result = wanted.pop(path)
            try:
                if tag != IS_COMPARED:
                    raise self._explain_no_comparison(path)
                new = self._write_blob(fix_content(result))
                self._rewrite_copy(result)
                lines[path] = b"%s %s 0\t%s\0" % (mode, new, path)
            except OSError as error:
                self._refuse(path, error.strerror or str(error))
        for path in wanted:
            self._refuse(path, CHANGED_MESSAGE)
        return lines

    def _explain_no_comparison(self, path: bytes) -> OSError:
        """Explain why git does not compare the file at PATH."""
        is_here = exists(os.path.join(self._top, path))
        return OSError(None, NOT_COMPARED_MESSAGE if is_here else NOT_CHECKED_OUT_MESSAGE)

    def _refuse(self, path: bytes, reason: str) -> None:
        """Complain of the file at PATH."""
        self._complain(path, OSError(None, f"not rewritten: {reason}"))

    def _write_blob(self, content: bytes) -> bytes:
        """Write CONTENT into the repository as it is; return its id. Raises GitError."""
        command = (b"hash-object", b"-w", b"--no-filters", b"--stdin")
        return run_git(*command, directory=self._directory, stdin=content).strip()

    def _rewrite_copy(self, result: Result) -> None:
        """Rewrite the same exports as in RESULT in its working copy. Raises OSError."""
        path = os.path.join(self._top, result.text.path)
        if os.path.realpath(path) != os.path.join(os.path.realpath(self._top), result.text.path):
            raise OSError(None, LINK_MESSAGE)
        try:
            content = read_file(path)
        except (FileNotFoundError, NotADirectoryError):
            return  # it was deleted after it was staged
        new = fix_same(result, content)
        if new != content:
            replace_file(path, content, new)


def copy_index(path: bytes, copy: bytes) -> None:
    """Copy the index at PATH to COPY.

    The copy has the same time: git compares the content of each file that was changed
    after that, even if its size is the same.
    """
    content = read_file(path)
    status = os.stat(path)
    with open(copy, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))


def fix_same(result: Result, content: bytes) -> bytes:
    """Rewrite in CONTENT, the working copy of RESULT's file, the same exports as in RESULT.

    Exports with an equal Call are the same. If CONTENT has as many of an export as
    the index, the same of them are rewritten. If it has no more than what stays in the
    index, nothing is left to rewrite. Otherwise, raises OSError.
    """
    staged = group_calls(result, result.content)
    here = group_calls(result, content)
    offsets = {each.offset for each in result.findings if each.replacement is not None}
    chosen: list[Finding] = []
    for call, of_call in staged.items():
        rewritten = [number for number, each in enumerate(of_call) if each.offset in offsets]
        copies = here.get(call, [])
        if not rewritten or len(copies) <= len(of_call) - len(rewritten):
            continue
        if len(copies) != len(of_call):
            raise OSError(None, MOVED_ON_MESSAGE)
        chosen += [copies[number] for number in rewritten]
    chosen.sort(key=lambda each: each.offset)
    return fix_content(Result(result.text, content, result.facts, chosen))


def group_calls(result: Result, content: bytes) -> dict[Call, list[Finding]]:
    """Group the findings of CONTENT, judged as RESULT was, by their Call."""
    calls: dict[Call, list[Finding]] = {}
    for each in find_unwanted(content, result.facts, 1)[1]:
        calls.setdefault((each.macro, each.symbol, each.replacement), []).append(each)
    return calls
