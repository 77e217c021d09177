# SPDX-License-Identifier: MIT
"""Random series in random forms: --patch finds what git am and then --commits find.

With ``--trees`` the files are those of a real kernel.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from kvm_export_hook.fix.quote import quote_name
from kvm_export_hook.patch.patch_names import ELSEWHERE_MESSAGE, TORN_MESSAGE
from kvm_export_hook.patch.patches import HUNKS_ALONE_MESSAGE, NO_DIFF_MESSAGE
from tests.conftest import HOME
from tests.helpers.kernel_files import HEADER, MAKEFILE, copy_kernel
from tests.helpers.mail_forms import Form, choose_form, encode
from tests.helpers.random_series import OUTSIDE, PLAIN, Commit, Files, make_series
from tests.helpers.repositories import Repository
from tests.helpers.support import make_tree, run_in_process, write

# What a patch has of which git takes off too few directories, or too many; and a cover letter
# in parts whose subject does not say what it is, as git 2.55 makes one with --keep-subject.
UNREADABLE = ("git apply failed", ELSEWHERE_MESSAGE, TORN_MESSAGE, NO_DIFF_MESSAGE)
FACTS = (str(HEADER), str(MAKEFILE))


class Said(NamedTuple):
    """The exit status of a run, what it found in which commit, and whether by hunks alone."""

    status: int
    found: Counter[tuple[object, ...]]
    errors: tuple[str, ...]
    is_by_hunks: bool


class Workshop:
    """A repository of a kernel, at its top or in ``linux/``, in which series become mails."""

    def __init__(self, source: Path | None, top: Path, prefix: str) -> None:
        self.prefix = prefix
        self.kernel = top / prefix
        self.patch = top.parent / "patch"
        copy_kernel(source, self.kernel) if source else make_tree(self.kernel, check=True)
        for name, content in OUTSIDE.items():
            write(self.kernel / name, content)
        self.repository = Repository(top, HOME)
        self.repository.git("init", "--quiet", "--template=")
        self.repository.git("config", "gc.auto", "0")
        self.initial = self.repository.record("initial")
        paths = (path for path in sorted(self.kernel.rglob("*")) if path.is_file())
        self.base: Files = {
            str(path.relative_to(self.kernel)): (PLAIN, path.read_bytes())
            for path in paths
            if ".git" not in path.parts
        }

    def judge(self, *arguments: str) -> Said:
        """Run the command, standing at the top of the kernel."""
        outcome = run_in_process("--format=json", *arguments)
        report = json.loads(outcome.out)
        # A commit names files from the top of the repository, a patch from that of the kernel.
        found = Counter(
            (
                find_number(each.get("subject", "")),
                each["path"].removeprefix(self.prefix),
                *map(each.get, KEYS),
            )
            for each in report["findings"]
        )
        errors, notes = (
            tuple(each["message"] for each in report[name]) for name in ("errors", "notes")
        )
        assert "internal error" not in "".join(errors)
        return Said(outcome.status, found, errors, HUNKS_ALONE_MESSAGE in notes)

    def commit(self, before: Files, series: list[Commit]) -> None:
        """Make the branches before and after SERIES, and others that a form may name."""
        after = series[-1].files
        changed = [name for name in before if any(name_changes(name, before, series))]
        other = dict(before)
        # Not those that may only be renamed: such a patch does not say what they hold.
        for name in set(changed) - set(FACTS):
            if all(name in each.files for each in series):
                other[name] = PLAIN, b"/* Another file. */\n"
        stream = [self.write_commit("before", self.initial, b"before\n", self.base, before)]
        stream.append(b"reset refs/heads/after\nfrom refs/heads/before\n\n")
        former = before
        for each in series:
            stream.append(self.write_commit("after", "", each.message, former, each.files))
            former = each.files
        # What the interdiff of a cover letter compares with; it does not apply anywhere else.
        first = before | {"virt/kvm/v1.c": (PLAIN, b"int v1;\n")}
        trees = {"squash": after, "other": other, "index": before, "first": first}
        for branch, files in trees.items():
            text = branch.encode()
            stream.append(self.write_commit(branch, "refs/heads/before", text, before, files))
        stash = self.write_commit("stash", "refs/heads/before", b"WIP\n", before, after)
        head, mark, changes = stash.partition(b"from refs/heads/before\n")
        stream.append(head + mark + b"merge refs/heads/index\n" + changes)
        self.repository.git("checkout", "--quiet", "--force", "--detach", self.initial)
        done = self.repository.run(
            "git", "fast-import", "--quiet", "--force", stdin=b"".join(stream)
        )
        assert done == (0, ""), done

    def write_commit(
        self, branch: str, parent: str, message: bytes, old: Files, new: Files
    ) -> bytes:
        """Write a commit to BRANCH for git fast-import, by the files that differ."""
        lines = [b"commit refs/heads/%s\n" % branch.encode()]
        lines.append(b"committer A Developer <developer@example.org> 1700000000 +0000\n")
        lines.append(b"data %d\n%s\n" % (len(message), message))
        lines += [b"from %s\n" % parent.encode()] if parent else []
        for name in sorted(old.keys() - new.keys()):
            lines.append(b"D %s\n" % self.quote(name))
        for name, (mode, content) in sorted(new.items()):
            if old.get(name) != (mode, content):
                lines.append(b"M %s inline %s\n" % (mode, self.quote(name)))
                lines.append(b"data %d\n%s\n" % (len(content), content))
        return b"".join(lines) + b"\n"

    def quote(self, name: str) -> bytes:
        """Write a name as git fast-import reads it."""
        return quote_name((self.prefix + name).encode())

    def go_to(self, branch: str) -> None:
        """Check out BRANCH."""
        checkout = ("checkout", "--quiet", "--force", "--detach", branch)
        # Very rarely, git 2.39 fails to make a link in a directory that it has emptied.
        if self.repository.run("git", *checkout).status:
            self.repository.git(*checkout)

    def write_patch(self, form: Form) -> None:
        """Write the patch in its FORM."""
        command = ["git", "-C", str(self.kernel), *form.command]
        status, text = self.repository.run(*command)
        assert status == 0, text
        self.patch.write_bytes(encode(form.encoding, text.encode("utf-8", "surrogateescape")))

    def ask_git(self, form: Form) -> Said | None:
        """Let git am, or git apply, make commits of the patch; return what is said of these.

        None if it refuses.
        """
        directory = [f"--directory={self.prefix}"] if form.is_relative and self.prefix else []
        options = [form.strip, *directory, str(self.patch)]
        start = self.repository.git("rev-parse", "HEAD").strip()
        if form.is_mail:
            if self.repository.run("git", "am", "--quiet", *options).status:
                self.repository.run("git", "am", "--abort")
                return None
        else:
            if self.repository.run("git", "apply", "--index", *options).status:
                return None
            self.repository.git("commit", "--quiet", "--no-verify", "--message=applied")
        return self.judge("--commits", f"{start}..HEAD")

    def list_added_lines(self) -> defaultdict[tuple[str, str], str]:
        """Say what lines each commit adds to each file: by its number, and of all, by none."""
        options = ("-p", "-U0", "--text", "--no-renames", "--relative", "--format=%x00%s")
        log = self.repository.git(
            *("-C", str(self.kernel), "-c", "core.quotePath=false"),
            *("log", *options, "before..after"),
        )
        added: defaultdict[tuple[str, str], str] = defaultdict(str)
        for commit in log.split("\0")[1:]:
            number, path = find_number(commit.partition("\n")[0]), ""
            for line in commit.split("\n"):
                if line.startswith("+++ "):
                    path = line.strip('"+ ').removeprefix("b/").replace('\\"', '"')
                elif line.startswith("+"):
                    added[number, path] += line + "\n"
                    added["", path] += line + "\n"
        return added

    def has_tree(self, branch: str) -> bool:
        """Whether HEAD has the tree of BRANCH."""
        head, other = self.repository.git("rev-parse", "HEAD^{tree}", branch + "^{tree}").split()
        return head == other


KEYS = ("line", "column", "rule", "macro", "symbol")


def drop_lines(said: Said) -> Said:
    """Drop the line and the column of what was found from what is SAID."""
    found: Counter[tuple[object, ...]] = Counter()
    for (number, path, _, _, *rest), count in said.found.items():
        found[(number, path, *rest)] += count
    return said._replace(found=found)


def is_shown(found: Counter[tuple[object, ...]], added: defaultdict[tuple[str, str], str]) -> bool:
    """Whether a finding stands in lines that its own commit has ADDED to its file."""
    for number, path, _, _, rule, macro, symbol in found:
        lines = added[str(number), str(path)]
        words = (macro, symbol or ("#define" if rule == "export-alias" else ""))
        if all(str(word) in lines for word in words):
            return True
    return False


def find_number(subject: str) -> str:
    """Find the number of a commit in its SUBJECT."""
    return subject.partition("change ")[2]


def name_changes(name: str, before: Files, series: list[Commit]) -> list[bool]:
    """List whether the file NAME is another in each commit of SERIES."""
    return [each.files.get(name) != before.get(name) for each in series]


@pytest.fixture(scope="module", params=["", "linux/"], ids=["top", "below"])
def workshop(
    request: pytest.FixtureRequest,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Workshop:
    trees = pytestconfig.getoption("--trees")
    source = Path(trees).resolve() / "linux-current" if trees else None
    return Workshop(source, tmp_path_factory.mktemp("random") / "top", request.param)


def find_differences(workshop: Workshop, seed: int) -> list[str]:
    """Make the series and the form of SEED; list where --patch and the commits differ."""
    random = Random(seed)  # noqa: S311
    before = make_series(random, workshop.base)[-1].files if random.random() < 0.5 else None
    before = before or workshop.base
    series = make_series(random, before)
    form = choose_form(random)
    workshop.commit(before, series)
    workshop.write_patch(form)
    patch = ("--patch", str(workshop.patch))
    added = workshop.list_added_lines()
    differences = []

    def check(way: str, said: Said, expected: Said, *, is_exact: bool) -> None:
        missed = said.status == 0 and is_shown(expected.found, added)
        differs = said[:2] != expected[:2] if is_exact else missed
        kind = "hunks" if said.is_by_hunks else "git"
        event(f"{way}: by {kind}: {said.status}, expected {expected.status}")
        for error in said.errors if said.status == 2 and expected.status != 2 else ():
            event(f"{way}: by {kind}: exit 2: {error}")
        if differs:
            differences.append(f"{way}: {form.name}: {said}\nexpected {expected}")

    workshop.go_to("before")
    said = workshop.judge(*patch)
    oracle = workshop.ask_git(form)
    # What git am makes of a patch without context need not be what was meant.
    is_meant = workshop.has_tree("after")
    series_of = "before..after" if form.is_mail else "before..squash"
    truth = oracle if oracle and is_meant else workshop.judge("--commits", series_of)
    has_facts = any(any(name_changes(name, before, series)) for name in FACTS)
    is_unreadable = any(word in error for error in said.errors for word in UNREADABLE)
    # Below a directory, git reads renames without a prefix only from the top of the repository.
    if is_unreadable and (oracle is None or (workshop.prefix and form.strip == "-p0")):
        event("git cannot read the patch, or not at the top of the kernel")
        return []
    # Without context, git applies a hunk at the end of the file.
    is_vague = "-U0" in form.command
    is_exact = bool(oracle) or not (said.is_by_hunks or is_vague)
    check("here", said, oracle or truth, is_exact=is_exact)
    if is_meant and not has_facts:
        # A line that a later mail moves has another number than where the patch was made.
        said, expected = (drop_lines(each) for each in (workshop.judge(*patch), truth))
        check("again", said, expected, is_exact=True)
    workshop.go_to("other")
    said = workshop.judge(*patch)
    if not has_facts:
        here = workshop.ask_git(form)
        is_exact = bool(here) or not (said.is_by_hunks or is_vague)
        check("elsewhere", said, here or truth, is_exact=is_exact)
    workshop.go_to("before")
    git = workshop.repository.top / ".git"
    git.rename(git.with_name("git"))
    check("nowhere", workshop.judge(*patch), truth, is_exact=False)
    git.with_name("git").rename(git)
    return differences


@given(seed=st.integers(0, 2**32))
@settings(
    max_examples=int(os.environ.get("EXAMPLES", 6)),
    phases=[Phase.explicit, Phase.generate],  # a smaller seed is no simpler one
    suppress_health_check=[*HealthCheck],
)
def test_a_random_series(workshop: Workshop, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.chdir(workshop.kernel)
    assert find_differences(workshop, seed) == []
