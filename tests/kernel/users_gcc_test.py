# SPDX-License-Identifier: MIT
"""Who uses a symbol in each shape of C, as gcc and nm see it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.helpers.cases import parametrize
from tests.helpers.kernel_tree import make_kernel
from tests.helpers.shapes import PRELUDE, SHAPES
from tests.helpers.support import write

# The sources of each module that the shapes change; those outside KVM are a module each.
MODULES = {
    "kvm-amd": ("arch/x86/kvm/svm/svm.c", "arch/x86/kvm/svm/avic.c"),
    "kvm-intel": ("arch/x86/kvm/vmx/vmx.c",),
    "-": ("drivers/vfio/main.c",),
}
INCLUDED = ("include", "arch/x86/include", "arch/x86/kvm")


def link(top: Path, module: str) -> set[str]:
    """Compile and link the sources of MODULE; return what it leaves undefined."""
    sources = [name for name in MODULES[module] if (top / name).is_file()]
    if not sources:
        return set()
    command = ["gcc", "-std=gnu11", "-O2", "-w", "-r", "-nostdlib", "-include", "prelude.h"]
    directories = [f"-I{name}" for name in INCLUDED]
    subprocess.run([*command, *directories, "-o", "module.o", *sources], cwd=top, check=True)
    listed = subprocess.run(
        ["nm", "-u", "-j", "module.o"], cwd=top, check=True, capture_output=True, text=True
    )
    return set(listed.stdout.split())


@pytest.mark.parametrize("module", MODULES)
@parametrize(("changes", "symbol", "uses"), SHAPES)
def test_gcc_finds_the_same_users(
    changes: dict[str, str], symbol: str, uses: list[str], module: str, tmp_path: Path
) -> None:
    top = make_kernel(tmp_path, changes)
    write(top / "prelude.h", PRELUDE.encode())
    assert (symbol in link(top, module)) == any(use.startswith(f"{module} ") for use in uses)
