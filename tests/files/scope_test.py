# SPDX-License-Identifier: MIT
"""Which paths are in scope, and how files are found and read."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from errno import EMFILE
from pathlib import Path

import pytest
from identify.extensions import EXTENSIONS, NAMES
from identify.identify import tags_from_filename

from kvm_export_hook.files import locate, walk, worktree
from kvm_export_hook.rules import scope
from kvm_export_hook.rules.facts import read_facts
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.support import BAD, make_tree, write


def search(
    *paths: str | bytes, srctree: Path | None = None
) -> tuple[list[str], list[tuple[str, str]]]:
    """List what is in scope, as ``tree: path``, and the complaints but those of missing files."""
    complaints: list[tuple[str, str]] = []

    def complain(path: bytes, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            complaints.append((os.fsdecode(path), str(error.strerror or error)))

    trees = worktree.KnownTrees(read_facts, complain, lambda *_: None)
    files = worktree.find_source_files(
        [os.fsencode(path) for path in paths],
        os.fsencode(srctree) if srctree else None,
        trees,
        complain,
    )
    listed = []
    for top, name, path, _ in files:
        assert os.path.samefile(
            os.path.dirname(os.path.join(top, name)), os.path.dirname(path) or b"."
        )
        listed.append(f"{os.fsdecode(top)}: {os.fsdecode(path)}")
    return listed, complaints


def found(*paths: str | bytes, srctree: Path | None = None) -> list[str]:
    """List what is in scope; only what is missing may be complained of."""
    listed, complaints = search(*paths, srctree=srctree)
    assert complaints == []
    return listed


@pytest.mark.parametrize(
    "name",
    [
        *(f"x.{extension}" for extension in EXTENSIONS),
        *(f"x.{extension.upper()}" for extension in EXTENSIONS),
        *NAMES,
        *(".x.c", "c", "x.c.", "x.c.orig", "x..c", "x.c~", "a.b.h", "\udcff.c", ".C", "..H"),
    ],
)
def test_identify_decides_what_is_c(name: str) -> None:
    is_tagged = "c" in tags_from_filename(name)
    for path in (os.fsencode(name), b"virt/kvm.c/" + os.fsencode(name)):
        assert scope.is_c(path) is is_tagged
        assert scope.is_c_to_identify(path) is is_tagged


@pytest.mark.parametrize("name", [".c", ".h", "..c", "..h"])
def test_the_make_check_reads_names_that_identify_takes_for_hidden(name: str) -> None:
    assert "c" not in tags_from_filename(name)
    assert scope.is_c(os.fsencode(name))
    assert scope.is_in_scope(b"virt/kvm/" + os.fsencode(name))


NAMED = {
    "from-the-top": ("virt/kvm/kvm_main.c", "virt/kvm/kvm_main.c"),
    "with-a-dot": ("./virt/kvm/kvm_main.c", "virt/kvm/kvm_main.c"),
    "with-dots-inside": ("virt/./kvm/../../virt/kvm/kvm_main.c", "virt/kvm/kvm_main.c"),
    "with-two-slashes": ("virt//kvm/kvm_main.c", "virt/kvm/kvm_main.c"),
    "hidden": ("virt/kvm/.hidden.c", "virt/kvm/.hidden.c"),
    "only-an-ending": ("virt/kvm/.c", "virt/kvm/.c"),
    "dots": ("virt/kvm/..h", "virt/kvm/..h"),
}


@parametrize(("spelling", "path"), NAMED)
def test_any_spelling_names_a_file(top: Path, spelling: str, path: str) -> None:
    for name in (".hidden.c", ".c", "..h"):
        write(top / "virt/kvm" / name, BAD)
    assert found(spelling) == [f": {path}"]
    assert found(str(top / spelling)) == [f": {path}"]


@pytest.mark.parametrize(
    "path",
    [
        "fs/x.c",
        "virt/kvm/Kconfig",
        "virt/kvm/entry.S",
        "virt/kvm_main.c",
        "arch/x86/kvm.c",
        "arch/arm64/kvm/x.c",
        "tools/virt/kvm/x.h",
        "Documentation/virt/kvm/x.h",
        "xvirt/kvm/x.c",
        "virt/kvm/../../fs/x.c",
        "virt",
        "fs",
    ],
)
def test_out_of_scope(top: Path, path: str) -> None:
    (top / "virt/kvm/kvm_main.c").unlink()
    (top / "fs").mkdir()
    if "." in path:
        write(top / path, BAD)
    assert found(path) == []
    assert found(str(top / path)) == []


def test_a_name_is_taken_from_the_working_directory(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(top / "arch/x86")
    assert found("kvm/x86.c") == [f"{top}: kvm/x86.c"]
    assert found("../../virt/kvm/kvm_main.c") == [f"{top}: {top}/virt/kvm/kvm_main.c"]
    monkeypatch.chdir(top / "arch/x86/kvm")
    assert found("x86.c") == [f"{top}: x86.c"]
    assert found() == [f"{top}: x86.c", f"{top}: {top}/virt/kvm/kvm_main.c"]


def test_a_directory_is_walked_as_far_as_it_is_in_scope(top: Path) -> None:
    write(top / "arch/x86/kvm/vmx/vmx.c", BAD)
    write(top / "arch/x86/kvm/vmx.c", BAD)
    write(top / "arch/x86/kvm/vmx/Makefile", b"")
    vmx = [": arch/x86/kvm/vmx.c", ": arch/x86/kvm/vmx/vmx.c"]
    x86 = ": arch/x86/kvm/x86.c"
    main = ": virt/kvm/kvm_main.c"
    assert found("arch/x86/kvm/vmx") == vmx[1:]
    assert found("arch") == found("arch/x86/kvm/") == [*vmx, x86]
    assert found("virt") == [main]
    assert found() == found(".") == found(str(top)) == [*vmx, x86, main]


def test_a_file_that_is_named_twice_is_found_once_and_in_order(top: Path) -> None:
    assert found("virt/kvm/kvm_main.c", "virt/kvm//kvm_main.c") == [": virt/kvm/kvm_main.c"]
    names = ("virt/kvm/kvm_main.c", "./virt/kvm/kvm_main.c", "virt", "arch/x86/kvm/x86.c", ".")
    assert found(*names) == [": arch/x86/kvm/x86.c", ": virt/kvm/kvm_main.c"]


def test_what_is_named_inside_a_walk_is_found_once_and_in_order(top: Path) -> None:
    assert found("virt", "virt/kvm/a.c") == [": virt/kvm/a.c", ": virt/kvm/kvm_main.c"]
    assert found("virt", "virt/kvm/z.c") == [": virt/kvm/kvm_main.c", ": virt/kvm/z.c"]


def test_a_file_of_the_working_directory_is_found_once(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(top / "virt/kvm/+x.c", BAD)
    monkeypatch.chdir(top / "virt/kvm")
    assert found(".", "./+x.c") == [f"{top}: +x.c", f"{top}: kvm_main.c"]


def test_a_path_outside_belongs_to_its_own_tree(
    top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_tree(tmp_path / "other")
    expected = f"{other}: {other}/virt/kvm/kvm_main.c"
    assert found(str(other / "virt/kvm/kvm_main.c")) == [expected]
    assert found("../other/virt") == [expected]
    assert found(str(other)) == [f"{other}: {other}/arch/x86/kvm/x86.c", expected]
    write(tmp_path / "x.c", BAD)
    assert found("../x.c", "..") == []
    monkeypatch.chdir(tmp_path)
    assert found("other/virt") == ["other: other/virt/kvm/kvm_main.c"]
    assert found("other/fs/x.c", "x.c") == found() == []


def test_a_tree_inside_the_tree_is_its_own(top: Path) -> None:
    make_tree(top / "stable")
    expected = ["stable: stable/arch/x86/kvm/x86.c", "stable: stable/virt/kvm/kvm_main.c"]
    assert found("stable/virt/kvm/kvm_main.c") == expected[1:]
    assert found("stable") == expected


@pytest.mark.parametrize("inner", ["arch/x86/kvm/virt/kvm/a.c", "virt/kvm/arch/x86/kvm/a.c"])
def test_a_kvm_directory_is_no_tree_of_its_own(top: Path, inner: str) -> None:
    write(top / inner, BAD)
    whole = found(".")
    assert f": {inner}" in whole
    assert found("arch/x86/kvm", "virt/kvm") == whole
    assert found("arch/x86/kvm", "virt/kvm", srctree=top) == whole
    assert found(inner) == [f": {inner}"]
    assert found(str(top / inner)) == [f": {inner}"]


def test_the_tree_that_is_given(top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert found(srctree=top) == [
        "linux: linux/arch/x86/kvm/x86.c",
        "linux: linux/virt/kvm/kvm_main.c",
    ]
    assert found("linux/virt", srctree=top) == ["linux: linux/virt/kvm/kvm_main.c"]


def test_the_tree_that_is_given_is_not_overridden(top: Path, tmp_path: Path) -> None:
    make_tree(top / "stable")
    other = make_tree(tmp_path / "other")
    assert found("stable/virt/kvm/kvm_main.c", srctree=top) == []
    listed, complaints = search(str(other), srctree=top)
    assert (listed, complaints) == ([], [(str(other), locate.OUTSIDE_SRCTREE_MESSAGE)])
    listed, complaints = search("virt/kvm/kvm_main.c", srctree=other)
    assert (listed, complaints) == ([], [("virt/kvm/kvm_main.c", locate.OUTSIDE_SRCTREE_MESSAGE)])


def test_what_cannot_be_listed_may_hold_a_tree_but_a_loop_does_not(tmp_path: Path) -> None:
    top = os.fsencode(tmp_path)
    (tmp_path / "virt").mkdir()
    (tmp_path / "virt/kvm").symlink_to("kvm")
    assert not locate.is_tree(top)
    descriptors: list[int] = []
    complaints: list[tuple[bytes, int | None]] = []

    def complain(path: bytes, error: OSError) -> None:
        complaints.append((path, error.errno))

    with suppress(OSError):
        while True:
            descriptors.append(os.open(os.devnull, os.O_RDONLY))
    try:
        # No directory can be opened now.
        is_tree = locate.is_tree(top)
        walked = list(walk.walk(top, complain))
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    assert (is_tree, walked, complaints) == (True, [], [(top, EMFILE)])


@pytest.mark.parametrize("directory", ["Documentation", "build"])
def test_documentation_and_build_directories_are_no_trees(
    top: Path, monkeypatch: pytest.MonkeyPatch, directory: str
) -> None:
    write(top / "Documentation/virt/kvm/api.rst", b"")
    write(top / "build/arch/x86/kvm/kvm-asm-offsets.h", b"")
    write(top / "build/arch/x86/kvm/kvm.mod.c", BAD)
    monkeypatch.chdir(top / directory)
    assert [line.partition(":")[0] for line in found()] == [str(top)] * 2


def test_dots_after_a_symbolic_link_go_where_the_kernel_goes(top: Path, tmp_path: Path) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "deep/er/link").symlink_to(top / "virt/kvm")
    link = tmp_path / "deep/er/link"
    assert found(f"{link}/../kvm/kvm_main.c") == [": virt/kvm/kvm_main.c"]
    assert found(f"{link}/..") == [": virt/kvm/kvm_main.c"]


def test_a_walk_follows_no_symbolic_link(top: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/y.c", BAD)
    (top / "virt/kvm/link.c").symlink_to(tmp_path / "elsewhere/y.c")
    (top / "virt/kvm/links").symlink_to(tmp_path / "elsewhere")
    (top / "virt/kvm/loop").symlink_to(".")
    (top / "virt/kvm/harmless").symlink_to("Kconfig")
    listed, complaints = search("virt")
    assert listed == [": virt/kvm/kvm_main.c"]
    names = ["link.c", "links", "loop"]
    assert sorted(complaints) == [(f"virt/kvm/{name}", scope.LINK_REFUSED) for name in names]


@pytest.mark.parametrize("link", ["virt", "virt/kvm"])
def test_no_walk_goes_through_a_symbolic_link(top: Path, tmp_path: Path, link: str) -> None:
    (top / link).rename(tmp_path / "elsewhere")
    (top / link).symlink_to(tmp_path / "elsewhere")
    assert search(".") == ([": arch/x86/kvm/x86.c"], [(link, scope.LINK_REFUSED)])


def test_a_named_symbolic_link_is_not_read(top: Path, command: Command) -> None:
    (top / "virt/kvm/x.c").symlink_to("kvm_main.c")
    assert command("virt/kvm/x.c") == (
        2,
        "",
        f"kvm-export-hook: error: virt/kvm/x.c: {scope.LINK_REFUSED}\n",
    )


FACT_FILES = ["arch/x86/kvm/Makefile", "include/linux/kvm_types.h"]


@pytest.mark.parametrize("name", FACT_FILES)
def test_a_file_of_facts_stands_for_the_whole_tree_with_the_check(top: Path, name: str) -> None:
    assert found(name) == []
    make_tree(top, check=True)
    whole = [": arch/x86/kvm/x86.c", ": virt/kvm/kvm_main.c"]
    assert found(name) == found(str(top / name)) == whole
    assert found("virt/kvm/kvm_main.c", *FACT_FILES, name) == whole


def test_a_very_deep_directory(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(top / "virt/kvm")
    for _ in range(1500):
        Path("d").mkdir()
        monkeypatch.chdir("d")
    assert "virt/kvm/kvm_main.c" in found()[-1]
    monkeypatch.chdir(top)
    write(top / "virt/kvm/zzz.c", BAD)
    assert found("virt")[-1] == ": virt/kvm/zzz.c"
    # Too deep for what pytest cleans up with.
    subprocess.run(["rm", "-rf", "virt/kvm/d"], check=True)


def test_bytes_of_any_kind_in_names(top: Path) -> None:
    names = [b"a b.c", b"quo'te\".c", b"new\nline.c", b"latin-\xe9.c", b"-dash.c"]
    for name in names:
        write(top / "virt/kvm" / os.fsdecode(name), BAD)
    expected = [*sorted(names), b"kvm_main.c"]
    assert found("virt") == [f": virt/kvm/{os.fsdecode(name)}" for name in sorted(expected)]


def test_a_file_that_is_longer_than_it_says(top: Path) -> None:
    status = worktree.read_file(b"/proc/self/status")
    assert status.startswith(b"Name:")
    assert status.endswith(b"\n")


def test_a_working_directory_that_is_gone(
    top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = command()
    assert result.status == 2
    assert "the working directory is gone" in result.err
    monkeypatch.chdir(top)
