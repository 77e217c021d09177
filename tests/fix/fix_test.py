# SPDX-License-Identifier: MIT
"""Repairs: what is rewritten, what is not, and that no byte of work is ever lost."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvm_export_hook.fix import rewrite
from kvm_export_hook.rules import lex
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.random_c import SOURCES
from tests.helpers.reference import find_macros
from tests.helpers.support import (
    BAD,
    COMMAND,
    INTERNAL,
    drop_rights,
    judge_file,
    make_environment,
    make_tree,
    make_unmeasured_environment,
    write,
)

REWRITTEN = {
    "gpl": (b"EXPORT_SYMBOL_GPL(a);\n", b"EXPORT_SYMBOL_FOR_KVM_INTERNAL(a);\n"),
    "plain": (b"EXPORT_SYMBOL(a);\n", b"EXPORT_SYMBOL_FOR_KVM_INTERNAL(a);\n"),
    "allowlisted": (b"EXPORT_SYMBOL(kvm_get_kvm);\n", b"EXPORT_SYMBOL_GPL(kvm_get_kvm);\n"),
    "with-everything-around-it": (
        b"\xff\0\r\n /* a */\tEXPORT_SYMBOL_GPL \\\n( /* b */ c\r\n) // d",
        b"\xff\0\r\n /* a */\tEXPORT_SYMBOL_FOR_KVM_INTERNAL \\\n( /* b */ c\r\n) // d",
    ),
    "after-an-empty-line": (b"\n \nEXPORT_SYMBOL(a);", b"\n \nEXPORT_SYMBOL_FOR_KVM_INTERNAL(a);"),
    "blank-after-a-splice": (b"a\\\n EXPORT_SYMBOL(b)", b"a\\\n EXPORT_SYMBOL_FOR_KVM_INTERNAL(b)"),
    "only-line-ends": (b"\r\nEXPORT_SYMBOL(a)", b"\r\nEXPORT_SYMBOL_FOR_KVM_INTERNAL(a)"),
    "several": (
        b"EXPORT_SYMBOL(a);EXPORT_SYMBOL_GPL(kvm_get_kvm);EXPORT_SYMBOL_NS(b, c);EXPORT_SYMBOL(d)",
        b"EXPORT_SYMBOL_FOR_KVM_INTERNAL(a);EXPORT_SYMBOL_GPL(kvm_get_kvm);"
        b"EXPORT_SYMBOL_NS(b, c);EXPORT_SYMBOL_FOR_KVM_INTERNAL(d)",
    ),
}


@parametrize(("source", "expected"), REWRITTEN)
def test_rewritten(source: bytes, expected: bytes) -> None:
    assert rewrite.fix_content(judge_file(source)) == expected


@parametrize(
    "source",
    {
        "internal": INTERNAL,
        "allowlisted": b"EXPORT_SYMBOL_GPL(kvm_get_kvm);\n",
        "namespace": b"EXPORT_SYMBOL_NS_GPL(a, b);\n",
        "raw": b"__EXPORT_SYMBOL(a);\n",
        "directive": b"#define A(a) EXPORT_SYMBOL(a)\n",
        "comment": b"/* EXPORT_SYMBOL(a) */\n",
        "string": b'"EXPORT_SYMBOL(a)"\n',
        "bare": b"EXPORT_SYMBOL;\n",
        "split": b"EXPORT_SYMBOL_GPL(\nkvm_get_kvm);\n",
        "forbidden-and-split": b"EXPORT_SYMBOL(\nkvm_get_kvm);\n",
        # For gcc, each is one word with what stands before it.
        "splice": b"_\\\nEXPORT_SYMBOL(a);\n",
        "splice-and-blanks": b"_\\ \t\nEXPORT_SYMBOL_GPL(a);\n",
        "splice-of-crlf": b"_\\\r\nEXPORT_SYMBOL(a);\n",
        "splice-of-cr": b"_\\\rEXPORT_SYMBOL(a);\n",
        "splices": b"_\\\n\\\nEXPORT_SYMBOL(a);\n",
        "splice-at-the-start": b"\\\nEXPORT_SYMBOL(a);\n",
    },
)
def test_not_rewritten(source: bytes) -> None:
    assert rewrite.fix_content(judge_file(source)) == source


def test_nothing_is_rewritten_where_the_build_would_break() -> None:
    assert rewrite.fix_content(judge_file(BAD, has_macro=False)) == BAD


def test_an_export_in_an_export_is_fixed_once() -> None:
    once = rewrite.fix_content(judge_file(b"EXPORT_SYMBOL(EXPORT_SYMBOL(a));\n"))
    assert once == b"EXPORT_SYMBOL(EXPORT_SYMBOL_FOR_KVM_INTERNAL(a));\n"
    assert rewrite.fix_content(judge_file(once)) == once


# Properties.


@given(SOURCES, st.booleans())
def test_fixing_twice_is_fixing_once(source: bytes, check: bool) -> None:
    once = rewrite.fix_content(judge_file(source, check=check))
    assert rewrite.fix_content(judge_file(once, check=check)) == once


@given(SOURCES, st.booleans())
def test_every_byte_outside_the_replaced_words_is_kept(source: bytes, check: bool) -> None:
    file = judge_file(source, check=check)
    new = rewrite.fix_content(file)
    for finding in reversed(list(file.findings)):
        assert source.startswith(finding.macro, finding.offset)
    read = written = 0
    for finding in file.findings:
        if finding.replacement is not None:
            kept = finding.offset - read
            assert new[written : written + kept] == source[read : finding.offset]
            written += kept
            assert new.startswith(finding.replacement, written)
            read, written = finding.offset + len(finding.macro), written + len(finding.replacement)
    assert new[written:] == source[read:]


@given(SOURCES, st.booleans())
def test_what_is_left_is_what_could_not_be_fixed(source: bytes, check: bool) -> None:
    file = judge_file(source, check=check)
    left = judge_file(rewrite.fix_content(file), check=check).findings
    assert [(found.rule, found.macro, found.line) for found in left] == [
        (found.rule, found.macro, found.line)
        for found in file.findings
        if found.replacement is None
    ]


@given(SOURCES)
def test_what_is_no_code_is_untouched_and_a_call_keeps_its_symbol(source: bytes) -> None:
    def places(text: bytes) -> list[tuple[str, bytes | None]]:
        words = list(find_macros(text))
        return [(place.kind, place.argument) for place in lex.lex_places(text, words)]

    assert places(source) == places(rewrite.fix_content(judge_file(source)))


# The patch.


def git_apply(top: Path, patch: bytes) -> None:
    subprocess.run(["git", "apply", "--whitespace=nowarn"], cwd=top, input=patch, check=True)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("apply")
    subprocess.run(["git", "init", "--quiet"], cwd=top, check=True)
    return top


@given(st.lists(st.one_of(SOURCES, st.just(BAD), st.just(b"\n" * 5)), max_size=6).map(b"".join))
def test_git_makes_the_same_of_the_patch(scratch: Path, source: bytes) -> None:
    new = rewrite.fix_content(judge_file(source))
    if new == source:
        return
    (scratch / "x.c").write_bytes(source)
    git_apply(scratch, b"".join(rewrite.make_patch(b"x.c", source, new)))
    assert (scratch / "x.c").read_bytes() == new


@pytest.mark.parametrize(
    "name",
    [b"a b.c", b'quo"te.c', b"back\\slash.c", b"new\nline\t.c", b"\xff\xc3\xa9.c", b"d/e f/\x01.c"],
)
def test_names_that_git_quotes(scratch: Path, name: bytes) -> None:
    path = write(scratch / os.fsdecode(name), BAD)
    git_apply(scratch, b"".join(rewrite.make_patch(name, BAD, INTERNAL)))
    assert path.read_bytes() == INTERNAL


@parametrize(
    ("name", "header"),
    {
        "plain": (b"x.c", b"diff --git a/x.c b/x.c\n--- a/x.c\n+++ b/x.c\n"),
        "blank": (b"x y.c", b"diff --git a/x y.c b/x y.c\n--- a/x y.c\t\n+++ b/x y.c\t\n"),
    },
)
def test_the_header_of_the_patch(name: bytes, header: bytes) -> None:
    assert b"".join(rewrite.make_patch(name, BAD, INTERNAL)).startswith(
        header + b"@@ -1,1 +1,1 @@\n"
    )


def test_changes_whose_contexts_meet_share_a_hunk() -> None:
    numbers = [0, 7, 14, 22, 23, 40]
    assert rewrite.group_lines(numbers) == [(0, 14), (22, 23), (40, 40)]


def test_the_patch_is_what_git_diff_writes(scratch: Path) -> None:
    lines = [BAD if number in (1, 8, 16, 30) else b"line %d\n" % number for number in range(33)]
    source = b"".join(lines)[:-1]
    new = rewrite.fix_content(judge_file(source))
    (scratch / "old").write_bytes(source)
    (scratch / "new").write_bytes(new)
    compared = subprocess.run(
        ["git", "diff", "--no-index", "old", "new"], cwd=scratch, capture_output=True, check=False
    )
    hunks = compared.stdout.partition(b"\n@@")[2].splitlines()
    ours = b"".join(rewrite.make_patch(b"x", source, new)).partition(b"\n@@")[2].splitlines()
    # git names the enclosing function after the second @@.
    assert [line.partition(b" @@")[0] for line in hunks] == [
        line.partition(b" @@")[0] for line in ours
    ]


# The command.


def test_fix_rewrites_and_says_what_it_did(top: Path, command: Command) -> None:
    path = write(top / "virt/kvm/x.c", BAD + b"EXPORT_SYMBOL_NS(a, b);\n")
    status, out, err = command("--fix", ".")
    assert (status, err) == (1, "")
    assert out.startswith(
        "virt/kvm/x.c:1: EXPORT_SYMBOL_GPL(kvm_sample)"
        " -> EXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_sample)\n"
        "virt/kvm/x.c:2:1: error: EXPORT_SYMBOL_NS(a): "
    )
    assert path.read_bytes() == INTERNAL + b"EXPORT_SYMBOL_NS(a, b);\n"
    assert command("--fix", ".").status == 1
    path.write_bytes(INTERNAL)
    assert command("--fix", ".") == (0, "", "")


def test_diff_prints_the_patch_and_changes_nothing(
    top: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(top / "arch/x86/kvm/vmx/x.c", b"a\r\n\xff\n" + BAD[:-1])
    before = path.read_bytes()
    monkeypatch.chdir(top / "arch/x86")
    done = subprocess.run([str(COMMAND), "--diff"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    assert path.read_bytes() == before
    subprocess.run(["git", "init", "--quiet"], cwd=top, check=True)
    git_apply(top, done.stdout)
    patched = path.read_bytes()
    path.write_bytes(before)
    assert command("--fix", ".").status == 1
    assert path.read_bytes() == patched == b"a\r\n\xff\n" + INTERNAL[:-1]
    assert command("--diff") == (0, "", "")


def test_diff_names_files_from_the_top_of_their_tree(
    top: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(top / "virt/kvm/x.c", BAD)
    monkeypatch.chdir(tmp_path)
    status, out, err = command("--diff", "linux")
    assert (status, err) == (1, "")
    assert out.startswith("diff --git a/virt/kvm/x.c b/virt/kvm/x.c\n")
    assert out.endswith(f"-{BAD.decode()}+{INTERNAL.decode()}")


def test_diff_says_on_stderr_what_it_leaves(top: Path, command: Command) -> None:
    write(top / "virt/kvm/x.c", b"EXPORT_SYMBOL_NS(a, b);\n")
    status, out, err = command("--diff")
    assert (status, out) == (1, "")
    assert err.startswith("virt/kvm/x.c:1:1: error: EXPORT_SYMBOL_NS(a): ")
    assert (
        "      = not rewritten: other modules may use this symbol, and a rewrite would break them\n"
        in err
    )


def test_a_patch_cannot_drive_the_terminal(top: Path) -> None:
    write(top / "virt/kvm/x.c", b"\x1b[2J\n" + BAD)
    near_end, far_end = os.openpty()
    subprocess.run([str(COMMAND), "--diff"], stdout=far_end, check=False, env=make_environment())
    os.close(far_end)
    shown = b""
    while b"+EXPORT" not in shown:
        shown += os.read(near_end, 4096)
    os.close(near_end)
    assert b" \\x1b[2J\r\n" in shown


def test_diff_with_stdout_closed(top: Path) -> None:
    write(top / "virt/kvm/x.c", BAD)
    done = subprocess.run(
        ["bash", "-c", '"$0" --diff >&-', str(COMMAND)], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, b"")


def test_the_patch_names_the_target_of_a_link_and_that_once(top: Path, command: Command) -> None:
    path = write(top / "arch/x86/kvm/sub/x.c", BAD)
    (top / "virt/kvm/sub").symlink_to("../../arch/x86/kvm/sub")
    status, out, _ = command("--diff", "virt/kvm/sub/x.c", "arch/x86/kvm/sub/x.c")
    assert (status, out.count("diff --git ")) == (1, 1)
    subprocess.run(["git", "init", "--quiet"], cwd=top, check=True)
    git_apply(top, out.encode())
    assert path.read_bytes() == INTERNAL


def test_a_fix_goes_on_without_a_reader(top: Path) -> None:
    paths = [write(top / f"virt/kvm/{name}.c", BAD * 5000) for name in "ab"]
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", '"$0" --fix . | head -n 1', str(COMMAND)],
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert [path.read_bytes() for path in paths] == [INTERNAL * 5000] * 2


@pytest.mark.parametrize("option", ["--fix", "--diff"])
def test_a_tree_without_the_macro_is_never_rewritten(
    top: Path, command: Command, option: str
) -> None:
    make_tree(top, macro=False)
    path = write(top / "virt/kvm/x.c", BAD)
    status, out, err = command(option, ".")
    assert (status, out) == (0, "")
    assert "nothing enforced" in err
    status, out, err = command(option, "--force", ".")
    assert status == 1
    assert (
        "      = not rewritten: this tree has no EXPORT_SYMBOL_FOR_KVM_INTERNAL:"
        " a rewrite would break its build\n"
    ) in out + err
    assert path.read_bytes() == BAD


# What is not written, and why.


@pytest.fixture
def refused(command: Command) -> Callable[..., str]:
    """Ask for a fix that is refused; return the reason."""

    def refuse(path: str) -> str:
        status, out, err = command("--fix", path)
        assert status == 2
        assert "      = not rewritten: the file could not be written\n" in out
        start, end = f"kvm-export-hook: error: {path}: not rewritten: ", "\n"
        assert err.startswith(start)
        assert err.endswith(end)
        return err[len(start) : -len(end)]

    return refuse


def test_a_symbolic_link_is_not_followed(top: Path, command: Command) -> None:
    path = write(top / "virt/kvm/x.c", BAD)
    link = top / "virt/kvm/link.c"
    link.symlink_to("x.c")
    status, out, err = command("--fix", "virt/kvm/link.c")
    assert (status, out) == (2, "")
    assert "virt/kvm/link.c: is a symbolic link, which is not followed" in err
    assert link.is_symlink()
    assert path.read_bytes() == BAD
    assert command("--fix", "virt/kvm/x.c").status == 1
    assert path.read_bytes() == INTERNAL


def test_of_a_whole_tree_only_what_was_named_is_rewritten(top: Path, command: Command) -> None:
    make_tree(top, check=True)
    named, other = write(top / "virt/kvm/x.c", BAD), write(top / "virt/kvm/y.c", BAD)
    status, out, err = command("--fix", "arch/x86/kvm/Makefile", "virt/kvm/x.c")
    assert (status, err) == (1, "")
    assert (named.read_bytes(), other.read_bytes()) == (INTERNAL, BAD)
    assert "      = not rewritten: only files that are named are rewritten\n" in out
    named.write_bytes(BAD)
    patch = command("--diff", "arch/x86/kvm/Makefile", "virt/kvm/x.c").out
    assert "+++ b/virt/kvm/x.c" in patch
    assert "y.c" not in patch
    assert command("--fix", "arch/x86/kvm/Makefile", "virt").status == 1
    assert (named.read_bytes(), other.read_bytes()) == (INTERNAL, INTERNAL)


OUT_OF_SCOPE = (
    "its path leads through a symbolic link out of the KVM directories: use the real path"
)


@pytest.mark.parametrize("where", ["fs", "../elsewhere", "other/virt", "Documentation/virt/kvm"])
@pytest.mark.parametrize("linked", ["virt/kvm/sub", "virt/kvm", "virt"])
def test_a_file_out_of_scope_is_not_rewritten(
    top: Path, command: Command, refused: Callable[..., str], where: str, linked: str
) -> None:
    name = "virt/kvm/sub/x.c"
    path = write(top / where / os.path.relpath(name, linked), BAD)
    shutil.rmtree(top / "virt")
    (top / linked).parent.mkdir(parents=True, exist_ok=True)
    (top / linked).symlink_to((top / where).resolve())
    assert refused(name) == OUT_OF_SCOPE
    assert command("--diff", name).out == ""
    assert path.read_bytes() == BAD


def test_a_linked_directory_of_the_same_tree_is_in_scope(top: Path, command: Command) -> None:
    path = write(top / "arch/x86/kvm/sub/x.c", BAD)
    (top / "virt/kvm/sub").symlink_to("../../arch/x86/kvm/sub")
    assert command("--fix", "virt/kvm/sub/x.c").status == 1
    assert path.read_bytes() == INTERNAL


def test_a_tree_after_a_link_is_rewritten(
    top: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(top / "virt/kvm/x.c", BAD)
    (tmp_path / "link").symlink_to(top)
    monkeypatch.chdir(tmp_path)
    assert command("--fix", "link/virt/kvm/x.c").status == 1
    assert path.read_bytes() == INTERNAL


def test_a_read_only_directory(top: Path) -> None:
    locked = write(top / "virt/kvm/locked/x.c", BAD)
    free = write(top / "virt/kvm/x.c", BAD)
    locked.parent.chmod(0o555)
    done = subprocess.run(
        drop_rights(str(COMMAND), "--fix", "."), capture_output=True, text=True, check=False
    )
    locked.parent.chmod(0o755)
    assert done.returncode == 2
    assert done.stderr == (
        "kvm-export-hook: error: virt/kvm/locked/x.c: not rewritten: Permission denied:"
        " make its directory writable\n"
    )
    assert "      = not rewritten: the file could not be written\n" in done.stdout
    assert (locked.read_bytes(), free.read_bytes()) == (BAD, INTERNAL)


def test_a_full_disk(top: Path) -> None:
    big = write(top / "virt/kvm/big.c", BAD + b"\n" * 100_000)
    small = write(top / "virt/kvm/small.c", BAD)
    done = subprocess.run(
        [str(COMMAND), "--fix", "."],
        capture_output=True,
        text=True,
        check=False,
        env=make_unmeasured_environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    assert done.returncode == 2
    assert done.stderr == "kvm-export-hook: error: virt/kvm/big.c: not rewritten: File too large\n"
    assert (big.read_bytes()[: len(BAD)], small.read_bytes()) == (BAD, INTERNAL)
    assert sorted(path.name for path in big.parent.iterdir()) == ["big.c", "kvm_main.c", "small.c"]
