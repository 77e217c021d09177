# SPDX-License-Identifier: MIT
"""No fault of the machine passes in silence: each system call fails in turn, for each source.

A few of them in a usual run; ``EXAMPLES=100000`` tests all, which takes hours.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

from tests.conftest import HOME
from tests.helpers.cases import parametrize
from tests.helpers.faults import Tracer
from tests.helpers.repositories import Repository, make_kernel
from tests.helpers.support import BAD, INTERNAL, make_makefile, write

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

# Of each source, so many faults are tried, of at least so many that there are.
MOST_FAULTS = settings().max_examples // 33
FEWEST_FAULTS = 50

A, B, LISTED = "virt/kvm/a.c", "arch/x86/kvm/b.c", "virt/kvm/listed.c"
MAKEFILE = "arch/x86/kvm/Makefile"
EXPORT = b"EXPORT_SYMBOL_GPL(kvm_put_kvm);\n"


class Change(NamedTuple):
    """What is committed as two files, and then staged; all of it is also a patch."""

    committed: bytes
    staged: bytes
    names: tuple[str, ...]


# A list that shrinks makes an old export unwanted: only who reads the whole tree sees that.
CHANGES = {
    "unwanted": Change(BAD, b"int b;\n", ("kvm_get_kvm",)),
    "clean": Change(b"int a;\n", b"int b;\n", ("kvm_get_kvm", "kvm_put_kvm", "kvm_foo")),
}
SOURCES = {
    "paths": [A, B, LISTED],
    "walk": [],
    "staged": ["--staged"],
    "since": ["--since=HEAD", "."],
    "since-left": ["--since=HEAD~..."],
    "commits": ["--commits=HEAD~.."],
    "push": ["--pre-push", "origin", "/nowhere"],
    "patch": ["--patch", "../patch"],
    "list": ["--list"],
    "users": ["--staged", "--users"],
}


@pytest.fixture(scope="module", params=list(CHANGES))
def changed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A kernel with a change in its last commit, another one staged, and that as a patch."""
    change = CHANGES[request.param]
    top = tmp_path_factory.mktemp(request.param) / "linux"
    linux = make_kernel(top, HOME)
    linux.record("listed", {LISTED: EXPORT})
    linux.record("change", {A: change.committed})
    linux.stage_all({B: change.staged, MAKEFILE: make_makefile(*change.names)})
    write(top.parent / "patch", linux.git("diff", "--cached").encode())
    return linux


def check_faults(tracer: Tracer) -> None:
    """Run without a fault, and then with many; check that none passes in silence."""
    expected, faults = tracer.list_faults()
    assert expected.status in (0, 1), expected
    assert len(faults) >= FEWEST_FAULTS
    step = max(len(faults) // MOST_FAULTS, 1)
    for fault in faults[step // 2 :: step]:
        found = tracer.run(fault)
        assert found.status in (expected.status, 2), (fault, found)
        assert found.status != 2 or found.err, fault
        for word in ("Traceback", "internal error"):
            assert word not in found.err, (fault, found)


@parametrize("arguments", SOURCES)
def test_a_source(changed: Repository, tmp_path: Path, arguments: list[str]) -> None:
    id_ = changed.git("rev-parse", "HEAD").strip()
    pushed = f"refs/heads/main {id_} refs/heads/main {'0' * 40}\n".encode()
    stdin = pushed if "--pre-push" in arguments else b""
    check_faults(Tracer(tmp_path, changed.top, arguments, stdin))


def test_hunks_alone(tmp_path: Path) -> None:
    top = make_kernel(tmp_path / "linux", HOME).top
    shutil.rmtree(top / ".git")
    added = f"+{BAD.decode()}"
    patch = (
        f"diff --git a/{A} b/{A}\nnew file mode 100644\n--- /dev/null\n+++ b/{A}\n@@ -0,0 +1 @@\n"
    )
    write(tmp_path / "patch", (patch + added).encode())
    check_faults(Tracer(tmp_path / "scratch", top, ["--patch", "../patch"]))


@parametrize("arguments", {"files": ["--fix", A, B], "index": ["--staged", "--fix"]})
def test_a_fix_leaves_every_file_whole(
    linux: Repository, tmp_path: Path, arguments: list[str]
) -> None:
    old = dict.fromkeys((A, B), b"int a;\n" + BAD)
    linux.stage_all(old)
    index = (linux.top / ".git/index").read_bytes()

    def prepare() -> None:
        for name in old:
            content = (linux.top / name).read_bytes()
            assert content in (old[name], b"int a;\n" + INTERNAL), name
            linux.write(name, old[name])
        assert linux.run("git", "ls-files", "-s", A, B).status == 0
        for left in (linux.top / ".git").glob("index*"):
            left.unlink()
        write(linux.top / ".git/index", index)

    check_faults(Tracer(tmp_path / "scratch", linux.top, arguments, prepare=prepare))
    prepare()
