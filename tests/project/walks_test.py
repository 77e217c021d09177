# SPDX-License-Identifier: MIT
"""The walks of CONTRIBUTING.md: what they name is called, and in this order."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType

import pytest

from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.kernel_tree import make_kernel as make_whole_kernel
from tests.helpers.repositories import Repository
from tests.helpers.support import BAD, CHECKOUT, write
from tests.project.structure_test import MODULES

PAGE = (CHECKOUT / "CONTRIBUTING.md").read_text("utf-8")
CLASSES = {"Patches": "patches", "Base": "apply", "Reading": "reading", "Finder": "find"}
CLASSES |= {"ResultUsers": "lookup", "Gatherer": "gather"}


def read_walk(heading: str) -> dict[str, list[str]]:
    """Read the functions that each step of the walk under HEADING names."""
    text = PAGE.partition(f"\n{heading}:\n\n")[2].partition("\n\n")[0]
    steps = re.findall(r"(?m)^(\d+)\. (.*)$", text)
    assert [int(number) for number, _ in steps] == list(range(1, len(steps) + 1))
    return {number: re.findall(r"`(\w+\.[a-z]\w+)`", step) for number, step in steps}


def find_code(name: str) -> CodeType:
    """Find the code of a function, by the names of its module or class and its own."""
    owner, _, function = name.partition(".")
    stem = CLASSES.get(owner, owner)
    (module,) = [each for each in MODULES if each.rpartition(".")[2] == stem]
    found = import_module(module)
    code = getattr(getattr(found, owner) if owner in CLASSES else found, function).__code__
    assert isinstance(code, CodeType)
    return code


@contextmanager
def trace() -> Iterator[list[CodeType]]:
    """Note what is called in this context, each function once, in the order of the first calls."""
    called: dict[CodeType, None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.setdefault(frame.f_code)

    order: list[CodeType] = []
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield order
    finally:
        sys.setprofile(before)
        order += called


def stage(linux: Repository, mail: Path) -> list[str]:
    linux.stage("virt/kvm/x.c", BAD)
    return ["--staged"]


def write_mail(linux: Repository, mail: Path) -> list[str]:
    linux.record("bad", {"virt/kvm/x.c": BAD})
    write(mail, linux.git("format-patch", "--stdout", "-1").encode())
    linux.git("reset", "--quiet", "--hard", "HEAD^")
    return ["--patch", str(mail)]


def write_unknown_mail(linux: Repository, mail: Path) -> list[str]:
    linux.record("before", {"virt/kvm/x.c": b"int a;\n" * 9})
    linux.record("bad", {"virt/kvm/x.c": b"int a;\n" * 9 + BAD})
    text = linux.git("format-patch", "--stdout", "-1")
    write(mail, re.sub("(?m)^index .*\n", "", text).encode())
    linux.git("reset", "--quiet", "--hard", "HEAD~2")
    return ["--patch", str(mail)]


def add_a_user(linux: Repository, mail: Path) -> list[str]:
    use = "void svm_f(void) { kvm_sample(); }\n"
    make_whole_kernel(linux.top, {"virt/kvm/x.c": BAD.decode(), "arch/x86/kvm/svm/svm.c": use})
    return ["--users", "virt/kvm/x.c"]


WALKS = {
    "a-staged-blob": ("A staged blob, `--staged`", stage, "123456789"),
    "a-mail": ("A mail, `--patch FILE`", write_mail, "123456"),
    "a-mail-that-does-not-apply": ("A mail, `--patch FILE`", write_unknown_mail, "123457"),
    "users": ("A finding with `--users`", add_a_user, "12345678"),
}


@parametrize(("heading", "prepare", "steps"), WALKS)
def test_a_walk_names_what_is_called_in_this_order(
    linux: Repository,
    command: Command,
    tmp_path: Path,
    heading: str,
    prepare: Callable[[Repository, Path], list[str]],
    steps: str,
) -> None:
    arguments = prepare(linux, tmp_path / "x.mbx")
    walk = read_walk(heading)
    names = [name for step in steps for name in walk[step]]
    assert len(names) >= len(steps)
    with trace() as order:
        status = command(*arguments).status
    assert status == 1
    called = [order.index(find_code(name)) for name in names]
    assert called == sorted(called), names


def test_every_step_is_walked() -> None:
    for heading in {heading for heading, _, _ in WALKS.values()}:
        walked = {step for each, _, steps in WALKS.values() if each == heading for step in steps}
        assert set(read_walk(heading)) == walked


@pytest.mark.parametrize("name", sorted({*re.findall(r"`([a-z]\w*\.[a-z]\w+)`", PAGE)}))
def test_what_the_page_names_exists(name: str) -> None:
    stem, _, attribute = name.partition(".")
    if attribute not in ("py", "toml", "md"):
        (module,) = [each for each in MODULES if each.rpartition(".")[2] == stem]
        assert hasattr(import_module(module), attribute)


def test_what_it_says_of_a_file_is_in_that_file() -> None:
    found = re.findall(r"`(\w+)`\s+(?:of|in)\s+`([\w/]+\.(?:py|toml))`", PAGE)
    assert len(found) >= 4
    for name, path in found:
        file = CHECKOUT / path
        file = file if file.is_file() else CHECKOUT / "kvm_export_hook" / path
        assert re.search(rf"(?m)^{name}\b", file.read_text("utf-8")), (name, path)
