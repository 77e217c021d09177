# SPDX-License-Identifier: MIT
"""The house: rooms one above the other, arrows that point down, one name for one thing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command.cli_test import CLEAN_PATH
from tests.helpers.support import CHECKOUT

PACKAGE = CHECKOUT / "kvm_export_hook"
MODULES = {
    path.relative_to(CHECKOUT)
    .with_suffix("")
    .as_posix()
    .replace("/", ".")
    .removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
MAP = (CHECKOUT / "CONTRIBUTING.md").read_text("utf-8").partition("| room | job |")[2]
MAP = MAP.partition("\n\n")[0]

# From the top: a room may import from those below it, and from itself.
ROOMS = (
    *("__main__", "cli", "usage", "show", "check", "report", "mend", "fix"),
    *("users", "patch", "git"),
    *("changes", "files", "values", "run", "rules", "options", "escape"),
)
# Each format has one of this name.
OF_EVERY_FORMAT = {"report"}


def list_imports(path: Path) -> set[str]:
    """List the modules of the package that PATH imports anywhere, for types as well."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
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


def test_no_two_modules_share_a_name() -> None:
    names = [name.rpartition(".")[2] for name in MODULES]
    assert sorted(names) == sorted(set(names))


def list_definitions(path: Path) -> Iterator[str]:
    """List the functions, classes, constants and types that PATH defines outside of classes."""
    pending: list[ast.stmt] = ast.parse(path.read_text("utf-8")).body
    for node in pending:  # which grows
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.If):
            pending += node.body
        elif isinstance(node, ast.Assign):
            targets = [inner for target in node.targets for inner in ast.walk(target)]
            yield from (each.id for each in targets if isinstance(each, ast.Name))


def test_one_name_stands_for_one_thing() -> None:
    places: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        for name in list_definitions(path):
            places.setdefault(name, []).append(module)
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert twice.keys() - OF_EVERY_FORMAT == {"TYPE_CHECKING"}, twice


def test_the_rules_read_nothing_and_print_nothing() -> None:
    for name, path in MODULES.items():
        if room_of(name) in ("changes", "rules", "report"):
            text = path.read_text("utf-8")
            assert not re.search(r"\b(open|print)\(|\bimport (os|sys|subprocess)\b", text), name


def list_mapped_rooms() -> list[str]:
    """List what the map of CONTRIBUTING.md has in its first column, in order."""
    rows = re.findall(r"(?m)^\| (`[^|]*) \|", MAP)
    return [
        name.removesuffix(".py").strip("/") for row in rows for name in re.findall("`(.*?)`", row)
    ]


def test_the_map_has_every_room_from_top_to_bottom() -> None:
    assert list_mapped_rooms() == [room for room in ROOMS if room != "__main__"]


def test_the_map_names_every_module_of_a_room() -> None:
    rows = dict(re.findall(r"(?m)^\| `(\w+)/` (?:\* )?\| (.*) \|$", MAP))
    for room, row in rows.items():
        modules = {path.stem for path in (PACKAGE / room).glob("*.py")} - {"__init__"}
        assert set(re.findall(r"`(\w+)`", row)) == modules, room


def test_what_a_clean_run_loads_is_marked_in_the_map() -> None:
    marked = {f"kvm_export_hook.{name}" for name in re.findall(r"`(\w+)(?:\.py)?`\*", MAP)}
    marked |= {f"kvm_export_hook.{name}" for name in re.findall(r"`(\w+)(?:\.py|/)` \*", MAP)}
    loaded = {name for name in CLEAN_PATH if name.startswith("kvm_export_hook.")}
    by_room = {
        name if name.count(".") == 1 else f"kvm_export_hook.{name.rpartition('.')[2]}"
        for name in loaded
    }
    assert marked == by_room


@pytest.mark.parametrize("name", MODULES)
def test_a_module_fits_on_a_few_screens(name: str) -> None:
    assert MODULES[name].read_text("utf-8").count("\n") <= 260


@pytest.mark.parametrize("name", MODULES)
def test_a_function_does_one_thing(name: str) -> None:
    for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, node.name
