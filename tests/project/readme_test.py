# SPDX-License-Identifier: MIT
"""The README against the code that it describes."""

from __future__ import annotations

import re

import pytest
import yaml

import kvm_export_hook
from demo.demo import EDITED, MISTAKE, SAMPLES
from kvm_export_hook.mend import Mending
from kvm_export_hook.options import OPTIONS, Options
from kvm_export_hook.report import as_text as text
from kvm_export_hook.report.layout import Layout
from kvm_export_hook.report.wording import RULES
from kvm_export_hook.rules import policy
from tests.conftest import Command
from tests.helpers.kernel_tree import make_kernel as make_whole_kernel
from tests.helpers.recipes import DOCUMENTS, README, recipe, recipes
from tests.helpers.repositories import Repository
from tests.helpers.support import CHECKOUT, COMMAND, judge_file

PAGES = sorted(f"docs/{path.name}" for path in (CHECKOUT / "docs").glob("*.md"))
# Between the choices of a value; in a table it is escaped.
BAR = r"\|"


def test_the_transcript_is_what_the_demo_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRE_COMMIT", "1")
    monkeypatch.setenv("PATH", str(COMMAND.parent))
    file = judge_file((SAMPLES[EDITED] + MISTAKE).encode(), EDITED.encode())
    printed = "".join(text.report([file], Layout(mending=Mending(Options()))))
    assert printed in DOCUMENTS


EXPORT = "EXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_vcpu_wake_all);\n"
SERIES = {
    "KVM: x86: Add peek and poke": {
        EDITED: SAMPLES[EDITED] + MISTAKE.replace("_GPL(", "_FOR_KVM_INTERNAL("),
        "arch/x86/kvm/vmx/vmx.c": "int peek(struct kvm_vcpu *v) { return kvm_lapic_peek(v); }\n",
    },
    "KVM: Tidy wake-ups": {"virt/kvm/kvm_main.c": ""},
}


def test_the_transcript_of_a_branch_is_what_is_printed(linux: Repository, command: Command) -> None:
    wakes = "void svm_wake(void) { kvm_vcpu_wake_all(); }\n"
    sources = {"arch/x86/kvm/svm/svm.c": wakes, "virt/kvm/kvm_main.c": EXPORT}
    make_whole_kernel(linux.top, {**sources, EDITED: SAMPLES[EDITED]})
    linux.record("before")
    linux.git("branch", "master")
    for subject, files in SERIES.items():
        linux.record(subject, {name: text.encode() for name, text in files.items()})
    _, _, transcript = recipe("who needs it").partition("\n")
    id_pattern = "(?m)^commit [0-9a-f]{12}:"
    printed = command("--list", "--users", "--commits", "master..").out
    assert re.sub(id_pattern, "commit:", printed) == re.sub(id_pattern, "commit:", transcript)


def test_every_option_is_in_it() -> None:
    spelled = {
        f"{name} {BAR.join(row.get('choices', [row.get('value', '')]))}".rstrip()
        for options in OPTIONS.values()
        for names, row in options.items()
        for name in names.split(", ")
    }
    listed = " ".join(option for option, _ in rows("| option | meaning |"))
    assert set(re.findall("`(.*?)`", listed)) == spelled - {"PATH"}


def test_every_rule_is_in_it() -> None:
    table = DOCUMENTS.partition("| rule | what it found |")[2].partition("\n\n")[0]
    assert set(re.findall(r"(?m)^\| `([a-z-]+)`", table)) == set(RULES)


def test_the_tables_of_the_policy_are_in_it() -> None:
    verdicts = {
        "always fine": policy.ALWAYS,
        "fine for a symbol on the allowlist": policy.IF_ALLOWLISTED,
        "never": policy.NEVER,
    }
    assert {
        name.encode(): verdicts[verdict]
        for names, verdict in rows("| macro | in KVM |")
        for name in re.findall("`(.*?)`", names)
        if verdict in verdicts
    } == {macro: row.permitted for macro, row in policy.MACROS.items()}
    assert {
        name.encode(): user.replace("`", "")
        for names, user in rows("| symbol | needed by |")
        for name in re.findall("`(.*?)`", names)
    } == policy.ALLOWLIST


def rows(heading: str) -> list[tuple[str, str]]:
    """Read the rows of the table of two columns under HEADING."""
    assert DOCUMENTS.count(heading) == 1
    table = DOCUMENTS.partition(heading)[2].partition("\n\n")[0]
    return re.findall(r"(?m)^\| (.*?) \| (.*?) \|$", table)


def test_the_revision_to_install_is_this_version() -> None:
    assert set(re.findall(r"\brev: (\S+)", DOCUMENTS)) == {f"v{kvm_export_hook.__version__}"}


def test_the_page_is_short_and_begins_with_what_to_paste() -> None:
    lines = README.splitlines()
    assert len(lines) < 200
    assert max(map(len, lines)) <= 120
    start = "\n".join(lines[:45])
    assert "KVM on x86 or to `virt/kvm`" in start
    assert "![A commit with two unwanted exports is blocked" in start
    for before in ("at the top of the kernel tree:", "There, install", "**With plain git**"):
        assert recipe(before) in start
    assert "`OWNER` stands for" in start


ADDRESS = "https://github.com/OWNER/kvm-export-hook"


def test_the_address_stands_in_one_form() -> None:
    found = re.findall(r"https?://[^\s)]*kvm-export-hook[^\s)`]*", DOCUMENTS)
    assert {address[: len(ADDRESS)] for address in found} == {ADDRESS}
    assert {re.sub("(/(blob|raw)/main/|$).*", "", rest) for rest in map(after_address, found)} == {
        *("", "/issues")
    }


def after_address(address: str) -> str:
    return address[len(ADDRESS) :]


LINK = re.compile(r"(?m)\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", *PAGES])
def test_every_link_leads_somewhere(name: str) -> None:
    page = CHECKOUT / name
    text = page.read_text("utf-8")
    for link in (plain or referred for plain, referred in LINK.findall(text)):
        inside = re.sub(f"^{ADDRESS}/(blob|raw)/main/", "", link)
        if inside.startswith("https://"):
            continue
        # The README is shown by package registries, too, where there are no other files.
        assert name != "README.md" or inside != link or link.startswith("#"), link
        path, _, heading = inside.partition("#")
        target = (CHECKOUT if inside != link else page.parent) / path if path else page
        assert target.is_file(), link
        assert not heading or heading in make_anchors(target.read_text("utf-8")), link


def make_anchors(text: str) -> set[str]:
    """Name the headings of a page as GitHub does."""
    headings = re.findall(r"(?m)^#+ (.*)$", text)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def test_every_reference_is_defined_and_used() -> None:
    prose = re.sub(r"(?s)```.*?```|`[^`\n]*`", "", README)
    defined = set(re.findall(r"(?m)^\[([^\]]+)\]: ", prose))
    body = re.sub(r"(?m)^\[[^\]]+\]: .*$", "", prose)
    used = re.findall(r"\[([^\]]+)\](?![\[(])", body)
    assert set(used) == defined


def test_the_yaml_in_it_can_be_read() -> None:
    assert len(recipes("yaml")) >= 4
    for block in recipes("yaml"):
        assert yaml.safe_load(block)


def test_every_command_in_it_is_run() -> None:
    sources = "".join(path.read_text("utf-8") for path in (CHECKOUT / "tests").rglob("*_test.py"))
    run = {recipe(before) for before in re.findall(r'recipe\("([^"]+)"\)', sources)}
    # What b4 reads from a setting is run by b4.
    settings = re.findall(r'recipe_of\("([^"]+)"\)', sources)
    run |= {each for each in recipes("sh") if any(setting in each for setting in settings)}
    # These are the gate, which runs all tests: no test can run them.
    gate = (CHECKOUT / ".ci/run").read_text("utf-8")
    for command in re.findall(r"(?m)^make \w+(?: SRCTREE=|$| )", recipe("## Try it")):
        assert re.search(rf"(?m)^\t?{command.rstrip()}", gate)
    assert set(recipes("sh")) <= run
