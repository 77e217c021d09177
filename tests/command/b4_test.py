# SPDX-License-Identifier: MIT
"""The recipes for mails: b4's checks, and git's hook before send-email."""

from __future__ import annotations

import json
import re
import shlex
from email import message_from_bytes
from email.policy import default as default_policy
from pathlib import Path

import pytest

from tests.helpers.cases import parametrize
from tests.helpers.recipes import DOCUMENTS, recipe
from tests.helpers.repositories import Repository, initialise
from tests.helpers.support import (
    BAD,
    COMMAND,
    INTERNAL,
    MAKEFILE_WITH_UNKNOWN_CHECK,
    NOT_LISTED,
    TYPES_WITH_MACRO,
    TYPES_WITHOUT_MACRO,
    make_environment,
    make_tree,
    write,
)

PROBLEM = f"EXPORT_SYMBOL_GPL(kvm_sample): {NOT_LISTED}; use EXPORT_SYMBOL_FOR_KVM_INTERNAL"


@pytest.fixture
def linux(tmp_path: Path) -> Repository:
    """Make a kernel-like repository without any hook."""
    repository = Repository(tmp_path / "linux", tmp_path)
    make_tree(repository.top)
    initialise(repository)
    repository.git("config", "user.name", "A Developer")
    repository.git("config", "user.email", "developer@example.org")
    return repository


def commit(repository: Repository, content: bytes, message: str, name: str) -> None:
    repository.stage(f"virt/kvm/{name}", content)
    repository.git("commit", "--quiet", "--no-verify", "--message", message)


def test_b4_prep_fails_the_bad_patch_alone(linux: Repository) -> None:
    b4 = ("b4", "--no-interactive", "--offline-mode", "prep")
    status, output = linux.run(*b4, "--new", "series", "--fork-point", "main")
    assert status == 0, output
    commit(linux, b"int a;\n" + BAD, "KVM: Add the bad one", "bad.c")
    commit(linux, INTERNAL, "KVM: Add the good one", "good.c")
    ours, checkpatch = recipe("replaces b4's own, checkpatch, so set both:").splitlines()
    assert "checkpatch.pl" in checkpatch
    assert linux.run("sh", "-c", ours).status == 0
    linux.git("config", "--add", "b4.prep-perpatch-check-cmd", "true")
    _, output = linux.run(*b4, "--check")
    said = re.sub(r"\x1b\[[0-9;]*m", "", output).partition("---\n")[2]
    assert re.sub(r"[0-9a-f]{12}", "SHA", said) == (
        "● SHA: KVM: Add the bad one\n"
        f"  ● kvm-export-hook: virt/kvm/bad.c:2: ERROR: {PROBLEM}\n"
        "  ● true: passed all checks\n"
        "● SHA: KVM: Add the good one\n"
        "---\n"
        "Success: 2, Warning: 0, Error: 1\n"
    )


@parametrize(
    ("makefile", "header", "said"),
    {
        "unknown-check": (MAKEFILE_WITH_UNKNOWN_CHECK, TYPES_WITH_MACRO, "this tree's make check"),
        "before-linux-6.18": (b"obj-y += x86.o\n", TYPES_WITHOUT_MACRO, "nothing enforced"),
    },
)
def test_to_b4_a_note_on_the_tree_is_a_warning(
    linux: Repository, makefile: bytes, header: bytes, said: str
) -> None:
    files = {"arch/x86/kvm/Makefile": makefile, "include/linux/kvm_types.h": header}
    linux.record("The facts", files)
    b4 = ("b4", "--no-interactive", "--offline-mode", "prep")
    assert linux.run(*b4, "--new", "series", "--fork-point", "main").status == 0
    commit(linux, INTERNAL, "KVM: Add the good one", "good.c")
    linux.write("README", b"read me\n")
    linux.record("Document it")
    linux.git("config", "b4.prep-perpatch-check-cmd", recipe_command())
    _, output = linux.run(*b4, "--check")
    assert f"kvm-export-hook: WARNING: {said}" in output
    assert output.endswith("---\nSuccess: 1, Warning: 1, Error: 0\n")


def recipe_command() -> str:
    """Return the command of the recipe, as git's configuration has it."""
    return shlex.split(recipe("replaces b4's own, checkpatch, so set both:").splitlines()[0])[-1]


def test_b4_am_runs_what_the_recipe_names(linux: Repository) -> None:
    ours, checkpatch = recipe("`b4 am --check` and `b4 shazam --check` run").splitlines()
    assert "checkpatch.pl" in checkpatch
    assert linux.run("sh", "-c", ours).status == 0
    command = linux.git("config", "b4.am-perpatch-check-cmd").strip()
    commit(linux, BAD, "KVM: Bad", "x.c")
    mail = linux.git("format-patch", "--stdout", "-1").encode()
    status, output = linux.run(*shlex.split(command), stdin=mail)
    assert status == 1
    assert output == f"virt/kvm/x.c:1: ERROR: {PROBLEM}\n"


def take(linux: Repository, mail: Path, *options: str) -> str:
    """Have b4 take the MAIL; return what it says of the checks."""
    (msgid,) = re.findall(r"(?m)^Message-I[dD]: <(.*)>$", mail.read_text("utf-8"))
    b4 = ("b4", "--no-interactive", "--offline-mode", "am", "--check", *options)
    status, output = linux.run(*b4, "--use-local-mbox", str(mail), "-o", str(mail.parent), msgid)
    assert status == 0, output
    return "\n".join(re.findall("kvm-export-hook: (.*)", output))


def make_mail(linux: Repository) -> Path:
    """Commit a bad patch, write it as b4 takes it, and undo the commit."""
    commit(linux, BAD, "KVM: Bad", "x.c")
    text = linux.git("format-patch", "--stdout", "--thread", "-1")
    linux.git("reset", "--quiet", "--hard", "HEAD^")
    return write(linux.home / "series.mbx", text.encode())


def test_b4_am_shows_the_old_result_until_it_is_deleted(linux: Repository) -> None:
    mail = make_mail(linux)
    ours, _ = recipe("`b4 am --check` and `b4 shazam --check` run").splitlines()
    assert linux.run("sh", "-c", ours).status == 0
    assert take(linux, mail) == f"virt/kvm/x.c:1: ERROR: {PROBLEM}"
    linux.record("Before 6.18", {"include/linux/kvm_types.h": TYPES_WITHOUT_MACRO})
    assert take(linux, mail, "--no-cache") == f"virt/kvm/x.c:1: ERROR: {PROBLEM}"
    (kept,) = (linux.home / ".cache/b4").glob("*.checks")
    kept.unlink()
    assert take(linux, mail).startswith("WARNING: nothing enforced: ")


def test_b4_runs_a_command_in_a_path_with_blanks(linux: Repository) -> None:
    mail = make_mail(linux)
    tools = linux.home / "my tools"
    tools.mkdir()
    (tools / COMMAND.name).symlink_to(COMMAND)
    command = recipe("its path has blanks, quote it").replace("/opt/my tools", str(tools))
    assert linux.run("sh", "-c", command).status == 0
    assert take(linux, mail) == f"virt/kvm/x.c:1: ERROR: {PROBLEM}"


def test_b4_runs_what_is_set_globally_and_in_the_tree(linux: Repository) -> None:
    b4 = ("b4", "--no-interactive", "--offline-mode", "prep")
    assert linux.run(*b4, "--new", "series", "--fork-point", "main").status == 0
    commit(linux, BAD, "KVM: Bad", "x.c")
    assert linux.run("sh", "-c", recipe("set it globally.")).status == 0
    assert "b4.prep-perpatch-check-cmd" not in linux.git("config", "--local", "--list")
    linux.git("config", "--add", "b4.prep-perpatch-check-cmd", "true")
    _, output = linux.run(*b4, "--check")
    assert f"kvm-export-hook: virt/kvm/x.c:1: ERROR: {PROBLEM}" in output
    assert "true: passed all checks" in output


def test_b4_prep_shows_the_old_result_unless_told_otherwise(linux: Repository) -> None:
    b4 = ("b4", "--no-interactive", "--offline-mode", "prep")
    assert linux.run(*b4, "--new", "series", "--fork-point", "main").status == 0
    commit(linux, BAD, "KVM: Bad", "x.c")
    linux.git("config", "b4.prep-perpatch-check-cmd", recipe_command())
    assert "Error: 1\n" in linux.run(*b4, "--check").output
    for kept in (linux.home / ".cache/b4").glob("*.checks"):
        kept.write_text(json.dumps([["success", "kept"]]))
    assert "Success: 1, Warning: 0, Error: 0\n" in linux.run(*b4, "--check").output
    assert "Error: 1\n" in linux.run(*b4, "--check", "--no-cache").output


def test_b4_prep_warns_of_a_note_and_passes_what_is_not_of_kvm(linux: Repository) -> None:
    b4 = ("b4", "--no-interactive", "--offline-mode", "prep")
    linux.git("rm", "--quiet", "virt/kvm/kvm_main.c")
    make_tree(linux.top, macro=False)
    linux.git("commit", "--quiet", "--all", "--no-verify", "--message", "Before 6.18")
    assert linux.run(*b4, "--new", "series", "--fork-point", "main").status == 0
    commit(linux, BAD, "KVM: Add the old way", "x.c")
    commit(linux, BAD, "fs: Touch no KVM", "../../fs/x.c")
    linux.git("config", "b4.prep-perpatch-check-cmd", recipe_of("b4.prep-perpatch-check-cmd"))
    _, output = linux.run(*b4, "--check")
    assert "kvm-export-hook: WARNING: nothing enforced: this tree has no " in output
    assert "kvm-export-hook: passed all checks" not in output
    assert output.endswith("Success: 1, Warning: 1, Error: 0\n")


def recipe_of(setting: str) -> str:
    """Read what the documents set SETTING to, of ours."""
    value: str
    (value,) = {*re.findall(rf"{re.escape(setting)} '(kvm-export-hook [^']*)'", DOCUMENTS)}
    return value


REVIEWED = {
    "clean": (INTERNAL, True, "pass", "passed all checks", []),
    "bad": (BAD, True, "fail", "1 error", [f"virt/kvm/new.c:1: ERROR: {PROBLEM}"]),
    "a-note": (BAD, False, "warn", "1 warning", ["nothing enforced: this tree has no "]),
}


@parametrize(("source", "macro", "status", "summary", "details"), REVIEWED)
def test_b4_review_shows_what_was_found(
    linux: Repository,
    monkeypatch: pytest.MonkeyPatch,
    source: bytes,
    macro: bool,
    status: str,
    summary: str,
    details: list[str],
) -> None:
    (result,) = review(linux, monkeypatch, source, macro=macro)
    assert result["tool"] == "kvm-export-hook"
    assert (result["status"], result["summary"]) == (status, summary)
    listed = json.loads(result["details"] or "[]")
    assert [each["status"] for each in listed] == [status] * len(details)
    for each, start in zip(listed, details, strict=True):
        assert each["description"].startswith(start)


def test_b4_review_passes_what_is_not_of_kvm(
    linux: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    (result,) = review(linux, monkeypatch, BAD, name="../../fs/x.c")
    said = "nothing checked: no patch here changes C source of KVM"
    assert (result["status"], result["summary"]) == ("pass", said)


def test_b4_review_fails_what_cannot_be_checked(
    linux: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    (result,) = review(linux, monkeypatch, b"int a;\n" + BAD, cut=b"+EXPORT_SYMBOL")
    (detail,) = json.loads(result["details"])
    assert (result["status"], result["summary"], detail["status"]) == ("fail", "1 error", "fail")
    assert "than its header says: make the patch again" in detail["description"]


def review(
    linux: Repository,
    monkeypatch: pytest.MonkeyPatch,
    source: bytes,
    *,
    name: str = "new.c",
    macro: bool = True,
    cut: bytes = b"",
) -> list[dict[str, str]]:
    """Have b4 review a patch that adds the file NAME; if asked to, CUT there."""
    checks = pytest.importorskip("b4.review.checks")  # since b4 0.15
    make_tree(linux.top, macro=macro)
    linux.git("commit", "--quiet", "--all", "--allow-empty", "--no-verify", "--message", "base")
    commit(linux, source, "A patch", name)
    mail = linux.git("format-patch", "--stdout", "-1").encode()
    linux.git("reset", "--quiet", "--hard", "HEAD~")
    mail = mail.partition(cut)[0] if cut else mail
    for variable, value in make_environment(HOME=str(linux.home)).items():
        monkeypatch.setenv(variable, value)
    message = message_from_bytes(mail, policy=default_policy)
    command = recipe_of("b4.review-perpatch-check-cmd")
    found = checks.run_perpatch_checks([("id", message)], [command], str(linux.top))
    (results,) = found.values()
    assert isinstance(results, list)
    return results


def test_a_bad_mail_is_not_sent(linux: Repository) -> None:
    hook = write(
        linux.top / ".git/hooks/sendemail-validate",
        recipe("As `.git/hooks/sendemail-validate`").encode(),
    )
    hook.chmod(0o755)
    commit(linux, INTERNAL, "KVM: Good", "good.c")
    commit(linux, BAD, "KVM: Bad", "x.c")
    good, bad = (str(linux.top / name) for name in linux.git("format-patch", "-2").split())
    assert linux.run("sh", "-c", f'"{hook}" "{good}"') == (0, "")
    status, output = linux.run("sh", "-c", f'"{hook}" "{bad}"')
    assert status == 1
    assert output.startswith("virt/kvm/x.c:1:1: error: EXPORT_SYMBOL_GPL(kvm_sample): ")
