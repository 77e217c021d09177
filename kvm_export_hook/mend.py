# SPDX-License-Identifier: MIT
"""Makes the last line of a report: the command that mends what was reported, ready to type.

Git runs a hook at the top of the working tree, and sets GIT_PREFIX to the directory of the
user: names are spelled from there.
"""

from __future__ import annotations

import os
import sys

from kvm_export_hook.fix.shell import join_words
from kvm_export_hook.options import PROGRAM
from kvm_export_hook.values import SHORT_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kvm_export_hook.options import Options
    from kvm_export_hook.rules.judge import Finding
    from kvm_export_hook.values import Result, Text

MAIN_FILE = "__main__.py"
GIT_HERE = "git"

SAFE = "To rewrite what is safe:"
SAFE_AND_COMMIT = "To rewrite what is safe, before you repeat the commit:"
SAFE_AND_AMEND = "To rewrite what is safe in this commit:"
STOP_AT_EACH = "To stop after each commit with such an export, and fix it there:"
ADD_MENDED = "The working copy is already fixed. To stage it:"
REVIEW = "Review the change, stage it, and commit again.\n"
REVIEW_STAGED = "Review the change, and commit again.\n"
REVIEW_AND_ADD = "Review the change, stage it, and commit again:"


class Mending:
    """What a fix can rewrite or has rewritten, and the command for it, with the same OPTIONS."""

    def __init__(self, options: Options) -> None:
        self._options = options
        # The texts, by path. If they are from commits: only those of the first one, that
        # commit, and whether there is no other.
        self._texts: dict[bytes, Text] = {}
        self._commit: str | None = None
        self._is_alone = True
        # What the index adds to each file; only used for --staged.
        self._calls: dict[bytes, tuple[Result, list[Finding]]] = {}

    def add(self, result: Result, finding: Finding) -> None:
        """Note that a fix can rewrite FINDING of RESULT, or has rewritten it."""
        commit = result.origin.commit if result.origin else None
        if not self._texts:
            self._commit = commit
        if commit != self._commit:
            self._is_alone = False
            return
        self._texts[result.text.path] = result.text
        if self._options.staged:
            self._calls.setdefault(result.text.path, (result, []))[1].append(finding)

    def write(self) -> str:
        """Write the last lines of the report: what to type, and why; or an empty text."""
        options = self._options
        if not self._texts:
            return ""
        is_in_framework = bool(os.environ.get("PRE_COMMIT"))
        if options.fix and not is_in_framework:
            return REVIEW_STAGED if options.staged else REVIEW
        if options.staged or options.commits is not None or options.pre_push:
            return self._write_for_git()
        if options.judges_changes and options.since is None:
            return ""  # a patch has no files here to rewrite
        names = self._name_files(b"")
        if options.fix:
            return write_hint(REVIEW_AND_ADD, f"git add {names}")
        since = [] if options.since is None else [b"--since=" + os.fsencode(options.since)]
        fix = self._make_command(b"--fix", *since)
        if is_in_framework:
            return write_hint(SAFE, f"{fix} {names}; git add {names}")
        return write_hint(SAFE, f"{fix} {self._name_paths(names)}")

    def _name_paths(self, names: str) -> str:
        """Name the paths that were asked for, or the files, by their NAMES, if these are fewer.

        Without a path, name the tree, if there is only one. If some text is checked only
        because its tree is, name the files.
        """
        tops = {text.top or b"." for text in self._texts.values()}
        paths = [name_for_user(os.fsencode(path)) for path in self._options.paths]
        if not paths and len(tops) == 1:
            return join_words(map(name_for_user, tops))
        is_each_named = all(text.is_named for text in self._texts.values())
        return join_words(paths) if is_each_named and 0 < len(paths) <= len(self._texts) else names

    def _name_files(self, top: bytes) -> str:
        """Name the files, whose paths are from TOP, relative to the user's directory."""
        return join_words(name_for_user(os.path.join(top, path)) for path in self._texts)

    def _make_command(self, *arguments: bytes, kernel: bytes | None = None) -> str:
        """Make the command with ARGUMENTS and the options that decide which exports are unwanted.

        KERNEL: the path of the kernel, if the user is outside of it.
        """
        if self._options.srctree is not None:
            kernel = os.fsencode(self._options.srctree)
        return self._spell_command(kernel and name_for_user(kernel), *arguments)

    def _spell_command(self, kernel: bytes | None, *arguments: bytes) -> str:
        """Write that command, with KERNEL as its --srctree."""
        srctree = [b"--srctree=" + kernel] if kernel else []
        allow = [b"--allow=" + os.fsencode(symbol) for symbol in self._options.allow]
        return f"{name_command()} {join_words([*srctree, *allow, *arguments])}"

    def _write_for_git(self) -> str:
        """Write what to type if the source is the index or commits."""
        from kvm_export_hook.git.discover import find_kernel
        from kvm_export_hook.git.process import ask_git
        from kvm_export_hook.rules.scope import is_below

        options = self._options
        srctree = None if options.srctree is None else os.fsencode(options.srctree)
        directory, prefix, top = find_kernel(srctree)
        if top is None:
            return ""
        user, kernel = find_user(), os.path.join(top, prefix)
        outside = None if is_below(user + b"/", kernel) else kernel
        git = name_git(top, user)
        if not options.staged:
            return self._write_for_commits(git, directory, top, prefix)
        add = f"{git} add {self._name_for_git(git, top)}"
        if all(is_mended(os.path.join(top, path), *each) for path, each in self._calls.items()):
            return write_hint(ADD_MENDED, add)
        fix_staged = self._make_command(b"--staged", b"--fix", kernel=outside)
        index = os.environb.get(b"GIT_INDEX_FILE")
        if index is not None and not index.endswith(b"index"):
            if is_under_way(b"MERGE_HEAD", directory):
                # --since=HEAD would count what the merged side brings as new.
                return write_hint(SAFE_AND_COMMIT, f"{add}; {fix_staged}")
            has_head = ask_git(b"rev-parse", b"--verify", b"HEAD", directory=directory)
            since = [b"--since=HEAD"] if has_head else []
            fix = self._make_command(b"--fix", *since)
            return write_hint(SAFE_AND_COMMIT, f"{fix} {self._name_files(top)}")
        if index is None and is_under_way(b"rebase-apply/applying", directory):
            return write_hint(SAFE, f"{fix_staged}; {git} am --continue")
        return write_hint(SAFE, fix_staged)

    def _name_for_git(self, git: str, top: bytes) -> str:
        """Name the files for the command GIT: from TOP, if it runs there."""
        return self._name_files(top) if git == GIT_HERE else join_words(map(guard, self._texts))

    def _write_for_commits(self, git: str, directory: bytes, top: bytes, prefix: bytes) -> str:
        """Write what to type, with GIT, for commits that are on the current branch.

        The --exec command of a rebase runs at TOP; the kernel is at PREFIX below that.
        """
        from kvm_export_hook.git.entries import TOP_LITERAL
        from kvm_export_hook.git.process import ask_git

        commit = os.fsencode(self._commit or "")
        head = list_parents(b"HEAD", directory)
        if self._is_alone and head.startswith(commit):
            since = [b"--since=HEAD~"] if b" " in head else []
            fix = f"{self._make_command(b'--fix', *since)} {self._name_files(top)}"
            names = self._name_for_git(git, top)
            amend = f"{fix}; {git} commit --amend --no-edit {names}"
            specs = [TOP_LITERAL + path for path in self._texts]
            if ask_git(b"diff", b"--quiet", b"HEAD", b"--", *specs, directory=directory) is None:
                # The commit takes each file as it is, also what was not meant for it.
                amend = f"{git} stash push {names}; {amend}; {git} stash pop"
            return write_hint(SAFE_AND_AMEND, amend)
        if ask_git(b"merge-base", b"--is-ancestor", commit, b"HEAD", directory=directory) is None:
            return ""
        has_parent = b" " in list_parents(commit, directory)
        onto = f"{commit[:SHORT_ID].decode()}~" if has_parent else "--root"
        check = self._spell_command(prefix.rstrip(b"/"), b"--commits", b"HEAD")
        command = join_words([os.fsencode(check)])
        rebase = f"{git} rebase -r --reschedule-failed-exec --exec {command} {onto}"
        return write_hint(STOP_AT_EACH, rebase)


def write_hint(reason: str, command: str) -> str:
    """Write REASON on a line, and below it COMMAND."""
    return f"{reason}\n    {command}\n"


def list_parents(commit: bytes, directory: bytes) -> bytes:
    """List the id of COMMIT and those of its parents on one line; empty if there is none."""
    from kvm_export_hook.git.process import ask_git

    return ask_git(b"rev-list", b"--parents", b"-n1", commit, b"--", directory=directory) or b""


def find_user() -> bytes:
    """Find the directory where the user is: the working directory, or where git was run."""
    from kvm_export_hook.git.discover import find_top

    here = os.getcwdb()
    prefix = os.environb.get(b"GIT_PREFIX")
    return here if prefix is None else os.path.join(find_top(here) or here, prefix).rstrip(b"/")


def name_for_user(path: bytes) -> bytes:
    """Spell PATH, which is from the working directory, relative to the user's directory."""
    user = find_user()
    if os.path.isabs(path) or user != os.getcwdb():
        path = os.path.relpath(os.path.abspath(path), user)
    return guard(path)


def guard(path: bytes) -> bytes:
    """Spell PATH so that it cannot be taken for an option, or by git for a pathspec."""
    return b"./" + path if path.startswith((b"-", b":")) else path


def name_git(top: bytes, user: bytes) -> str:
    """Name git, with ``-C`` if the USER is not in the repository at TOP."""
    from kvm_export_hook.git.discover import find_top, is_repository_set

    own = find_top(user)
    if is_repository_set() if own is None else os.path.samefile(own, top):
        return GIT_HERE
    return f"{GIT_HERE} -C {join_words([name_for_user(top)])}"


def is_under_way(file: bytes, directory: bytes) -> bool:
    """Whether the git directory of the repository at DIRECTORY has this FILE."""
    from kvm_export_hook.files.look import exists
    from kvm_export_hook.git.process import ask_git

    said = ask_git(b"rev-parse", b"--git-path", file, directory=directory)
    return said is not None and exists(os.path.join(directory, said[:-1]))


def name_command() -> str:
    """Name this command as the user's shell finds it, in which pre-commit's PATH is not set."""
    own = os.fsencode(os.path.abspath(sys.argv[0]))
    if own == os.fsencode(os.path.join(os.path.dirname(os.path.abspath(__file__)), MAIN_FILE)):
        return f"{join_words([os.fsencode(sys.executable)])} -m {__name__.partition('.')[0]}"
    passed_over = os.path.dirname(own) if os.environ.get("PRE_COMMIT") else None
    for directory in map(os.fsencode, os.get_exec_path()):
        if directory != passed_over and os.access(
            os.path.join(directory, os.fsencode(PROGRAM)), os.X_OK
        ):
            return PROGRAM
    return join_words([own])


def is_mended(path: bytes, result: Result, findings: Iterable[Finding]) -> bool:
    """Whether the file at PATH, the working copy of RESULT's file, has none of FINDINGS left."""
    from kvm_export_hook.changes.find import find_unwanted
    from kvm_export_hook.files.worktree import read_file

    try:
        content = read_file(path)
    except OSError:
        return False
    left = {(each.macro, each.symbol) for each in find_unwanted(content, result.facts, 1)[1]}
    return all((each.macro, each.symbol) not in left for each in findings)
