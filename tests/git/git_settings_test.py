# SPDX-License-Identifier: MIT
"""What a user has set for git changes nothing of what is judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import VFS, Repository, find_added
from tests.helpers.support import BAD, INTERNAL, make_makefile, write

A, B = "virt/kvm/a.c", "virt/kvm/é \n.c"

# Programs that would change a diff, or that nobody runs.
FAIL = "false #"
SETTINGS = {
    "core.quotePath": ["true", "false"],
    "core.abbrev": ["4", "40"],
    "core.pager": [FAIL],
    "core.attributesFile": ["/dev/null"],
    "core.autocrlf": ["true", "input"],
    "core.safecrlf": ["true"],
    "core.fileMode": ["false"],
    "core.precomposeUnicode": ["true"],
    "core.ignoreCase": ["true"],
    "core.commentChar": ["%"],
    "core.notesRef": ["refs/notes/x"],
    "color.ui": ["always"],
    "color.diff": ["always"],
    "color.diff.meta": ["red"],
    "diff.renames": ["copies", "true", "false"],
    "diff.renameLimit": ["1"],
    "diff.external": [FAIL],
    "diff.relative": ["true"],
    "diff.orderFile": ["/gone"],
    "diff.ignoreSubmodules": ["all"],
    "diff.submodule": ["log", "diff"],
    "diff.noprefix": ["true"],
    "diff.mnemonicPrefix": ["true"],
    "diff.srcPrefix": ["x/"],
    "diff.context": ["0"],
    "diff.interHunkContext": ["9"],
    "diff.wordRegex": ["x"],
    "diff.algorithm": ["patience"],
    "diff.colorMoved": ["zebra"],
    "diff.wsErrorHighlight": ["all"],
    "diff.suppressBlankEmpty": ["true"],
    "diff.statGraphWidth": ["1"],
    "diff.dirstat": ["lines"],
    "diff.autoRefreshIndex": ["false"],
    "diff.indentHeuristic": ["false"],
    "diff.it.textconv": [FAIL],
    "diff.it.command": [FAIL],
    "diff.it.binary": ["true"],
    "log.showRoot": ["false"],
    "log.diffMerges": ["off", "first-parent", "combined", "remerge"],
    "log.showSignature": ["true"],
    "log.follow": ["true"],
    "log.date": ["relative"],
    "log.decorate": ["full"],
    "log.abbrevCommit": ["true"],
    "log.mailmap": ["true"],
    "log.graphColors": ["red"],
    "format.pretty": ["oneline", "fuller"],
    "notes.displayRef": ["refs/notes/*"],
    "i18n.logOutputEncoding": ["UTF-16", "latin1"],
    "i18n.commitEncoding": ["latin1"],
    "apply.whitespace": ["error"],
    "apply.ignoreWhitespace": ["change"],
    "status.showUntrackedFiles": ["no"],
    "index.threads": ["2"],
    "core.untrackedCache": ["true"],
    "feature.manyFiles": ["true"],
    "core.useReplaceRefs": ["true"],
    "pager.log": ["true"],
    "alias.log": ["!false"],
    "alias.diff-index": ["!false"],
}
# As many at once as there are values for the one that has most.
ROUNDS = {
    str(number): [
        (name, values[number]) for name, values in SETTINGS.items() if number < len(values)
    ]
    for number in range(max(map(len, SETTINGS.values())))
}


@pytest.fixture
def staged(linux: Repository) -> Repository:
    """Have a commit and a merge that add exports, and stage two more."""
    linux.write(".git/info/attributes", b"*.c diff=it filter=it\n")
    linux.git("config", "filter.it.clean", "cat")
    linux.git("tag", "start")
    linux.record("café", {A: BAD})
    linux.git("notes", "add", "--message", "a note")
    linux.git("checkout", "--quiet", "-b", "topic", "HEAD^")
    linux.record("topic", {"virt/kvm/topic.c": INTERNAL})
    linux.git("merge", "--quiet", "--no-commit", "main")
    linux.record("merge", {"virt/kvm/merge.c": BAD})
    linux.record("renamed", {"virt/kvm/topic.c": None, "virt/kvm/new.c": INTERNAL + BAD})
    sign(linux)
    linux.git("checkout", "--quiet", "--orphan", "other")
    linux.record("root")
    linux.git("tag", "root")
    linux.git("checkout", "--quiet", "topic")
    linux.stage_all({B: BAD, "fs/open.c": None, "virt/kvm/open.c": VFS})
    return linux


def sign(linux: Repository) -> None:
    """Sign the last commit, with what looks like a signature."""
    script = """\
#!/bin/sh
case "$*" in *--verify*) echo 'gpg: this is bad' >&2; exit 1;; esac
cat > /dev/null
echo '[GNUPG:] SIG_CREATED ' >&2
printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nx\\n-----END PGP SIGNATURE-----\\n'
"""
    program = write(linux.top.parent / "gpg", script.encode())
    program.chmod(0o755)
    linux.git("config", "gpg.program", str(program))
    linux.git("commit", "--quiet", "--amend", "--no-edit", "--gpg-sign=x")


EXPECTED_COMMITS = [
    f"café: {A}:1",
    "merge: virt/kvm/merge.c:1",
    "renamed: virt/kvm/new.c:2",
]
ROOT = [f"root: {A}:1", "root: virt/kvm/merge.c:1", "root: virt/kvm/new.c:2"]
EXPECTED = ["virt/kvm/open.c:2", f"{B}:1"]


def check(linux: Repository) -> None:
    """Check that what is judged is what it always is."""
    assert find_added("--staged") == EXPECTED
    assert find_added("--since=HEAD") == EXPECTED
    assert find_added("--commits=start..") == EXPECTED_COMMITS
    assert find_added("--commits=root") == ROOT


@parametrize("settings", ROUNDS)
def test_settings(
    staged: Repository, monkeypatch: pytest.MonkeyPatch, settings: list[tuple[str, str]]
) -> None:
    for name, value in settings:
        staged.git("config", name, value)
    check(staged)
    monkeypatch.chdir(staged.top / "fs")
    assert find_added("--staged") == EXPECTED
    assert find_added("--commits=start..") == EXPECTED_COMMITS


ENVIRONMENT = {
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_TRACE": "1",
    "GIT_TRACE_SETUP": "1",
    "GIT_EXTERNAL_DIFF": "false",
    "GIT_DIFF_OPTS": "--unified=0",
    "GIT_PAGER": "false",
    "GIT_PAGER_IN_USE": "1",
    "GIT_CURL_VERBOSE": "1",
    "GIT_NOTES_REF": "refs/notes/x",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ADVICE": "1",
    "GIT_PREFIX": "virt/",
    "GIT_EDITOR": ":",
    "LC_ALL": "de_DE.UTF-8",
    "LANGUAGE": "de",
    "GREP_OPTIONS": "-v",
    "COLUMNS": "1",
    "TERM": "xterm",
}


@parametrize(
    "variables",
    {
        "all": ENVIRONMENT,
        "glob": {"GIT_GLOB_PATHSPECS": "1"},
        "no-glob": {"GIT_NOGLOB_PATHSPECS": "1"},
        "no-case": {"GIT_ICASE_PATHSPECS": "1"},
    },
)
def test_variables(
    staged: Repository, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    check(staged)
    # Everything is judged: the facts have changed.
    staged.stage("arch/x86/kvm/Makefile", make_makefile("kvm_x"))
    assert find_added("--staged") == EXPECTED
    staged.stage_all({"virt/kvm/kvm_main.c": None})
    assert find_added("--staged") == EXPECTED


@pytest.mark.parametrize("attribute", ["-diff", "binary", "diff=it", "-text", "export-ignore"])
def test_attributes(staged: Repository, attribute: str) -> None:
    staged.write(".git/info/attributes", f"* {attribute}\n".encode())
    staged.git("config", "diff.it.command", "false")
    staged.git("config", "diff.it.textconv", "false")
    check(staged)


def test_hooks_of_git_that_would_run(staged: Repository, tmp_path: Path, command: Command) -> None:
    # Nothing that is run here writes anything.
    before = sorted((path, path.stat().st_mtime_ns) for path in (staged.top / ".git").rglob("*"))
    check(staged)
    assert before == sorted(
        (path, path.stat().st_mtime_ns) for path in (staged.top / ".git").rglob("*")
    )
