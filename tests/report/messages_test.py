# SPDX-License-Identifier: MIT
"""Every message that is not a finding: how to meet it, and the exit status.

What no case here meets is listed by name; other tests meet most of that.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from kvm_export_hook.cli import INTERRUPTED
from kvm_export_hook.options import OPTIONS
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.repositories import Repository
from tests.helpers.support import CHECKOUT, make_tree

if TYPE_CHECKING:
    from kvm_export_hook.options import Row

# What takes a message, the modules that return one, and the constants that are one and are
# handed on by other ways.
RETURNING = {"cli.py", "options.py", "usage.py"}
TAKERS = {"OSError", "GitError", "DiffError", "complain", "note", "give_up", "note_if_nothing"}
NAMED = re.compile(
    r"[A-Z_]+_MESSAGE|NOT_ENFORCED|LINK_REFUSED|NOTHING_CHECKED|LEADS_OUT|NO_REPOSITORY_HERE"
    r"|NOTHING_PUSHED|NO_COMMITS|ONE_RANGE|UNKNOWN_REVISION|UNKNOWN_PUSH|WHOLE_HISTORY|NO_MEMORY"
    r"|INTERRUPTED|NO_THREAD|NO_WORKING_TREE|ONLY_EXCLUDES|PLEASE_REPORT|REMARK|UNKNOWN"
)


def read_text(node: ast.expr) -> str:
    """Read the longest fixed part of the string that NODE is; empty if it is none."""
    if isinstance(node, ast.IfExp):
        return read_text(node.body)
    if isinstance(node, ast.BinOp):
        return max(read_text(node.left), read_text(node.right), key=len)
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [each.value for each in parts if isinstance(each, ast.Constant)]
    pieces = [
        piece for text in texts if isinstance(text, str) for piece in re.split(r"%\w|{}", text)
    ]
    return max(pieces, key=len, default="").strip()


def list_messages() -> Iterator[str]:
    """List the messages in the package, each by its longest fixed part."""
    for path in (CHECKOUT / "kvm_export_hook").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                texts = [read_text(each) for each in node.args] if name in TAKERS else []
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                texts = [read_text(node.value)] if NAMED.fullmatch(node.targets[0].id) else []
            elif isinstance(node, ast.Return) and node.value and path.name in RETURNING:
                texts = [read_text(node.value)]
            else:
                continue
            yield from (text for text in texts if " " in text or text == INTERRUPTED)


MESSAGES = set(list_messages())
HUNK = "@@ -0,0 +1 @@\n+int a;\n"


def patch(text: str) -> Callable[[Repository], None]:
    return lambda linux: linux.write("p", text.encode())


def nothing(_: Repository) -> None:
    pass


def enter(name: str) -> Callable[[Repository], None]:
    return lambda linux: os.chdir(linux.top / name)


def lose_macro(linux: Repository) -> None:
    make_tree(linux.top, macro=False)


def stage_link(linux: Repository) -> None:
    (linux.top / "virt/kvm/link.c").symlink_to("kvm_main.c")
    linux.git("add", "--all")


def make_fifo(linux: Repository) -> None:
    os.mkfifo(linux.top / "virt/kvm/z.c")


def leave(linux: Repository) -> None:
    (linux.top / "gone").mkdir()
    os.chdir(linux.top / "gone")
    (linux.top / "gone").rmdir()


def diff(text: str, name: str = "virt/kvm/x.c") -> Callable[[Repository], None]:
    return patch(f"diff --git a/{name} b/{name}\n{text}")


def unset_git(linux: Repository) -> None:
    (linux.top / ".git").rename(linux.top / "git")


def conflict(linux: Repository) -> None:
    linux.git("checkout", "--quiet", "-b", "other")
    linux.record("a", {"virt/kvm/kvm_main.c": b"int a;\n"})
    linux.git("checkout", "--quiet", "-")
    linux.record("b", {"virt/kvm/kvm_main.c": b"int b;\n"})
    assert linux.run("git", "merge", "other").status == 1


P = ["--patch=p"]
NAMES = "--- a/virt/kvm/x.c\n+++ b/virt/kvm/x.c\n"
FROM_FS = "similarity index 100%\nrename from fs/a.c\nrename to virt/kvm/a.c\n"
COMBINED = "diff --cc virt/kvm/x.c\n--- a/virt/kvm/x.c\n+++ b/virt/kvm/x.c\n@@@ -1 -1 +1 @@@\n++a\n"
BINARY = "new file mode 100644\nindex 000..111\nBinary files /dev/null and b/virt/kvm/x.c differ\n"

# How to prepare the repository of a kernel; the arguments; what is said, in part; the status.
MET = {
    "no-c": (nothing, ["fs"], "nothing checked: found no C source", 0),
    "not-of-kvm": (patch(NAMES.replace("virt/kvm", "fs") + HUNK), P, "no patch here changes", 0),
    "empty-patch": (patch(""), P, "nothing checked: the patch is empty", 0),
    "empty-range": (nothing, ["--commits=HEAD..HEAD"], "there are no commits in this range", 0),
    "old-kernel": (lose_macro, [], "nothing enforced: this tree has no EXPORT_SYMBOL", 0),
    "does-not-apply": (patch(NAMES + "@@ -9 +9 @@\n-z\n+y\n"), P, "does not apply here", 0),
    "not-a-tree": (nothing, ["--srctree=fs"], "is not a kernel tree (no C source", 2),
    "no-tree-for-a-patch": (patch(""), [*P, "--srctree=x"], "no such directory: name a", 2),
    "tree-without-kvm": (
        nothing,
        ["--staged", "--srctree=fs"],
        "the --srctree directory has no virt",
        2,
    ),
    "outside": (nothing, ["--srctree=.", "/etc"], "is not in the kernel tree that --srctree", 2),
    "no-repository": (unset_git, ["--staged"], "git finds no repository here: name its", 2),
    "no-commit": (nothing, ["--since=x", "."], "does not name a commit: check the name", 2),
    "no-commits": (nothing, ["--commits=x"], "does not name commits: check the name", 2),
    "only-excluded": (nothing, ["--commits=^HEAD"], "this range only excludes commits", 2),
    "two-ranges": (nothing, ["--commits=a b"], "expected one range of commits", 2),
    "not-pushed": (nothing, ["--pre-push"], "cannot tell what is pushed", 2),
    "from-the-top": (enter("virt/kvm"), ["virt/kvm/kvm_main.c"], "no such file in this", 2),
    "gone": (leave, ["--staged"], "the working directory is gone: change to another", 2),
    "fifo": (make_fifo, [], ", not a regular file: name a source file", 2),
    "link": (stage_link, ["virt/kvm/link.c"], "is a symbolic link, which is not followed", 2),
    "conflict": (conflict, ["--staged"], "is unmerged: resolve the conflict", 2),
    "no-diff": (patch("kvm\n"), P, "has no diff that git can read", 2),
    "colours": (patch("\x1b[1m" + NAMES), P, "has terminal colours in its diff", 2),
    "short": (patch(NAMES + HUNK.replace("+1 ", "+1,2 ")), P, "is shorter than its header", 2),
    "long": (patch(NAMES + "@@ -1,2 +1,2 @@\n a;\n+x\n b;\n"), P, "is longer than its header", 2),
    "extra": (patch(NAMES + HUNK.replace("+1 ", "+0,0 ")), P, "the added lines after the hunk", 2),
    "no-hunk": (diff(""), P, "the header of a file has no hunk after it", 2),
    "bad-hunk": (patch(NAMES + "@@ -0,0 +x @@\n+a\n"), P, "header of the hunk cannot be read", 2),
    "combined": (patch(COMBINED), P, "this is the combined diff of a merge", 2),
    "binary": (diff(BINARY), P, "is a binary patch, which shows no lines", 2),
    "renamed": (diff(FROM_FS, "virt/kvm/a.c"), P, "the patch does not show its lines", 2),
}

# The command line.
MET |= {
    "unknown-option": (nothing, ["--zzz"], "unknown option: --zzz: see --help", 2),
    "a-range-as-a-path": (nothing, ["master.."], "for a commit or a range, use --commits", 2),
    "misspelt-option": (nothing, ["--prepush"], "(did you mean --pre-push?): see --help", 2),
    "value-too-many": (nothing, ["--staged=x"], "--staged takes no value: use --staged", 2),
    "value-missing": (nothing, ["--srctree"], "--srctree needs a value: use --srctree=DIR", 2),
    "value-wrong": (nothing, ["--color=pink"], "cannot be 'pink': use auto, always or", 2),
    "symbol-wrong": (nothing, ["--allow=a-b"], "cannot be 'a-b': use --allow=SYMBOL", 2),
    "option-twice": (nothing, ["--since=a", "--since=b"], "--since can be given only once", 2),
    "path-missing": (nothing, ["--fix"], "--fix needs a PATH: use . for the whole tree", 2),
    "patch-as-path": (nothing, ["a.patch"], "'a.patch' cannot be a PATH: use --patch a.patch", 2),
}


def type_option(name: str) -> str:
    """Type the option NAME as one word, with a value if it takes one."""
    row = ROWS.get(name, {})
    return f"{name}={row.get('choices', ['x'])[-1]}" if "value" in row else name


def list_conflicts() -> Iterator[tuple[list[str], str]]:
    """List each pair of options that makes no sense, and what is said of it."""
    for name, row in ROWS.items():
        for others, instead in row.get("excludes", {}).items():
            for other in others.split():
                said = f"{name} cannot be combined with {other}: {instead.format(other)}"
                yield [type_option(name), type_option(other)], said
        for form in ROWS["--format"]["choices"]:
            if form not in row.get("formats", [form]):
                said = f"{name} cannot be combined with --format {form}: use --format "
                yield [type_option(name), f"--format={form}"], said


ROWS: dict[str, Row] = {
    names.rpartition(" ")[2]: row for rows in OPTIONS.values() for names, row in rows.items()
}
MET |= {" ".join(line): (nothing, line, said, 2) for line, said in list_conflicts()}

# Messages that no case meets, by how they begin.
NOT_MET = {
    "; format=flowed may have joined its lines",  # tests/patch/patch_mail_test.py
    "becomes something other than a plain file",  # tests/patch/patch_names_test.py
    ", which may have unwanted exports",
    "names files of KVM below an unknown directory",
    "has names that do not all begin at the same directory",  # tests/patch/apply_test.py
    "git and this hook read the patch differently",
    "cannot be judged: its parent is not here",  # tests/git/commits_test.py
    "cannot be read from the repository: run git fsck",  # tests/git/staged_test.py
    "cannot run git:",  # tests/git/process_test.py
    "failed: this git is older than",
    "git cat-file failed: its output cannot be read",
    "git cat-file failed: its output ends too early",
    "cannot search this tree",  # is not printed: "users are not known" is
    "the commit has no such directory",
    "git cannot read a path that contains a newline",  # tests/git/checkout_test.py
    "git says that nothing is pushed",  # tests/git/push_test.py
    "is not in this repository: fetch it",
    "is not in the kernel that is checked: name its tree",  # tests/git/checkout_test.py
    # tests/command/cli_test.py, tests/command/closed_test.py
    "needs more memory than this machine has",
    "can't start new thread",
    "interrupted",
    "please report this, with the input",
    "looking for the users of the symbols in the whole tree ...",  # users_command_test.py
    "this repository has no working tree",  # tests/fix/staged_fix_test.py
    "is closed: name a file",  # tests/command/closed_test.py
    "it was changed in the meantime",  # tests/fix/atomic_test.py
    "its path leads through a symbolic link",
    "not rewritten:",
    "the working directory is a git directory inside",  # tests/git/stranger_test.py
    "the --srctree directory is not in this repository",  # tests/git/checkout_test.py
    "a hunk has no file names before it",  # tests/patch/patch_test.py
    "No newline at end of file",
    # tests/git, tests/fix, tests/patch
    "--staged --fix cannot run in a hook of git commit or git merge: use --staged there, a",
    "another kvm-export-hook is writing it: run the command again",
    "as one name, with a slash in it, which git never writes: run git fsck",
    "git does not look at its working copy: run git update-index --no-skip-worktree --no-a",
    "git is using it, index.lock is there: wait, or remove that file if no git is running",
    "have no commit in common: name another",
    "is a directory: name the files in it, in their order",
    "is a file where the kernel has a directory: restore the directory",
    "it is not in the sparse checkout: run git sparse-checkout add on its directory",
    "its working copy does not have this export as often as the index: edit it, then git add it",
    "the push goes to a URL that is not a remote of this repository: commits that one of",
    "there is a symbolic link in the path of its working copy",
}


def test_every_message_is_met_or_listed() -> None:
    said = {text for *_, text, _ in MET.values()} | NOT_MET
    unknown = {each for each in MESSAGES if not any(is_of(text, each) for text in said)}
    assert unknown == set()
    stale = {text for text in said if not any(is_of(text, each) for each in MESSAGES)}
    assert stale == set()


def is_of(said: str, message: str) -> bool:
    """Whether what is SAID is a part of a MESSAGE, or has its longest fixed part."""
    return said in message or message in said


@parametrize(("prepare", "arguments", "said", "status"), MET)
def test_a_message_is_said(
    linux: Repository,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Repository], None],
    arguments: list[str],
    said: str,
    status: int,
) -> None:
    prepare(linux)
    with open(os.devnull) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        outcome = command(*arguments)
    assert (outcome.status, outcome.out) == (status, "")
    assert said in outcome.err
