# SPDX-License-Identifier: MIT
"""The house: the map names each module, no import runs in a circle, arrows point down."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support import CHECKOUT

PACKAGE = CHECKOUT / "kvm_export_hook"
MODULES = {
    path.relative_to(CHECKOUT)
    .with_suffix("")
    .as_posix()
    .replace("/", ".")
    .removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
CONTRIBUTING = (CHECKOUT / "CONTRIBUTING.md").read_text("utf-8")

# From the top: a room may import from those below it, and from itself.
ROOMS = (
    *("__main__", "cli", "wiring", "reporting", "parser", "report", "users", "fix", "atomic"),
    *("changes", "sources", "rules", "options", "escape"),
)


def list_imports(path: Path) -> set[str]:
    """List the modules of the package that PATH imports anywhere, less those for types alone."""
    tree = ast.parse(path.read_text("utf-8"))
    typing = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    for_types = {id(inner) for node in typing for inner in ast.walk(node)}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in for_types and node.module:
            for name in node.names:
                full = f"{node.module}.{name.name}"
                found.add(full if full in MODULES else node.module)
    return found & set(MODULES)


IMPORTS = {name: list_imports(path) - {name, "kvm_export_hook"} for name, path in MODULES.items()}


def test_no_import_runs_in_a_circle() -> None:
    left = {name: set(imports) for name, imports in IMPORTS.items()}
    while free := {name for name, imports in left.items() if not imports & set(left)}:
        for name in free:
            del left[name]
    assert left == {}


def room_of(name: str) -> str:
    """Return the room of a module."""
    return name.partition(".")[2].partition(".")[0]


def test_every_arrow_between_rooms_points_down() -> None:
    for name, imports in IMPORTS.items():
        if room_of(name):
            for other in imports:
                below = ROOMS.index(room_of(name))
                assert ROOMS.index(room_of(other)) >= below, f"{name} imports {other}"


def test_the_rules_read_nothing_and_print_nothing() -> None:
    for name, path in MODULES.items():
        if room_of(name) in ("rules", "report"):
            text = path.read_text("utf-8")
            assert not re.search(r"\b(open|print)\(|\bimport (os|sys|subprocess)\b", text), name


def test_the_map_names_every_module() -> None:
    table = CONTRIBUTING.partition("| module | job |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-z_/]+(?:\.py)?)`", table))
    for path in MODULES.values():
        relative = path.relative_to(PACKAGE).as_posix()
        room = f"{relative.partition('/')[0]}/"
        assert relative in named or room in named or path.name in ("__init__.py", "__main__.py")
    for name in named - {"lookup.py", "formats.py", "sentences.py"}:
        if "/" in name or name.endswith(".py"):
            assert (PACKAGE / name).exists(), name


def test_what_a_clean_run_loads_is_marked_in_the_map() -> None:
    from tests.cli_test import CLEAN_PATH

    table = CONTRIBUTING.partition("| module | job |")[2].partition("\n\n")[0]
    marked = {
        f"kvm_export_hook.{name.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}"
        for name in re.findall(r"`([a-z_/]+\.py)` \*", table)
    }
    packages = {"kvm_export_hook", "kvm_export_hook.rules", "kvm_export_hook.sources"}
    assert marked | packages == {name for name in CLEAN_PATH if name.startswith("kvm_export_hook")}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_fits_on_a_few_screens(name: str) -> None:
    assert MODULES[name].read_text("utf-8").count("\n") <= 260


@pytest.mark.parametrize("name", MODULES)
def test_a_function_does_one_thing(name: str) -> None:
    for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, node.name
