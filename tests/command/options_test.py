# SPDX-License-Identifier: MIT
"""The options: what is understood, what is refused in which words, the table, and argparse."""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvm_export_hook.options import NO_SOURCES, OPTIONS, Options, read_options
from kvm_export_hook.report.formats import FORMATS
from kvm_export_hook.usage import add_guess, write_help
from tests.conftest import Command
from tests.helpers.cases import parametrize

if TYPE_CHECKING:
    from kvm_export_hook.options import Row

ROWS: dict[str, Row] = {names: row for rows in OPTIONS.values() for names, row in rows.items()}
BY_NAME = {names.split(", ")[-1]: row for names, row in ROWS.items()}


def read(*arguments: str) -> tuple[str, dict[str, object]]:
    """Read ARGUMENTS; return what is wrong with them, and what they ask for."""
    options = Options()
    wrong = read_options(arguments, options)
    return add_guess(wrong), {
        name: value for name, value in vars(options).items() if value not in ([], False)
    }


# What is understood.


@parametrize(
    ("line", "wanted"),
    {
        "nothing": ("", {}),
        "paths": ("a b", {"paths": ["a", "b"]}),
        "a flag": ("--staged", {"staged": True}),
        "a short name": ("-q", {"quiet": True}),
        "a flag twice": ("--staged --staged", {"staged": True}),
        "a value after a blank": ("--since HEAD a", {"since": "HEAD", "paths": ["a"]}),
        "a value after an equals sign": ("--since=HEAD a", {"since": "HEAD", "paths": ["a"]}),
        "a value with an equals sign": ("--commits=a=b", {"commits": "a=b"}),
        "an empty value": ("--commits=", {"commits": ""}),
        "a value that is a dash": ("--patch -", {"patch": "-"}),
        "several patches": (
            "--patch a.patch - b.eml",
            {"patch": "a.patch", "paths": ["-", "b.eml"]},
        ),
        "names after the options": ("-- a.patch -", {"paths": ["a.patch", "-"]}),
        "a value that looks like an option": ("--srctree=--fix", {"srctree": "--fix"}),
        "a value of two dashes": ("--srctree=--", {"srctree": "--"}),
        "options among paths": ("a --fix b", {"fix": True, "paths": ["a", "b"]}),
        "paths after two dashes": (
            "-q a -- --fix --",
            {"quiet": True, "paths": ["a", "--fix", "--"]},
        ),
        "several values": ("--allow a --allow=b", {"allow": ["a", "b"]}),
        "the last one counts": ("--format json --format text", {"format": "text"}),
        "the words of the remote": (
            "--pre-push origin u",
            {"pre_push": True, "paths": ["origin", "u"]},
        ),
        "a list of any tree": ("--list", {"list": True, "force": True}),
        "a list of what a change does": (
            "--list --since HEAD a --users",
            {"list": True, "force": True, "since": "HEAD", "users": True, "paths": ["a"]},
        ),
        "a list for programs": (
            "--list --format=json --users",
            {"list": True, "force": True, "format": "json", "users": True},
        ),
        "help beside what makes no sense": (
            "--fix -h --list",
            {"fix": True, "help": True, "list": True},
        ),
        "the version as well": ("--version --fix", {"version": True, "fix": True}),
        "a name that is no text": (
            "\udcff --srctree \udcfe",
            {"paths": ["\udcff"], "srctree": "\udcfe"},
        ),
    },
)
def test_what_is_understood(line: str, wanted: dict[str, object]) -> None:
    assert read(*line.split()) == ("", wanted)


def test_an_empty_word_is_a_path() -> None:
    assert read("", "--", "") == ("", {"paths": ["", ""]})


# What is refused, and what to type instead.


@parametrize(
    ("line", "said"),
    {
        "not known": ("--zzz", "unknown option: --zzz"),
        "a format": ("--json", "unknown option: --json (did you mean --format json?)"),
        "another format": ("--sarif", "unknown option: --sarif (did you mean --format sarif?)"),
        "a colour": ("--never", "unknown option: --never (did you mean --color never?)"),
        "misspelt": ("--colour=never", "unknown option: --colour=never (did you mean --color?)"),
        "as git diff says it": ("--cached", "unknown option: --cached (did you mean --staged?)"),
        "without the dash": ("--prepush", "unknown option: --prepush (did you mean --pre-push?)"),
        "one dash": ("-diff", "unknown option: -diff (did you mean --diff?)"),
        "two dashes": ("--q", "unknown option: --q (did you mean -q?)"),
        "not near --allow": ("--all", "unknown option: --all"),
        "not near --format checkpatch": ("--check", "unknown option: --check"),
        "no bundles": ("-qh", "unknown option: -qh"),
        "no numbers": ("-1", "unknown option: -1"),
        "the first of two": ("--zzz --format=x", "unknown option: --zzz"),
        "also beside help": ("--help --zzz", "unknown option: --zzz"),
        "no value": ("--srctree", "--srctree needs a value: use --srctree=DIR"),
        "an option for a value": ("--commits -q", "--commits needs a value: use --commits=RANGE"),
        "two dashes for a value": ("--patch -- x", "--patch needs a value: use --patch=FILE"),
        "no choice": ("--color", "--color needs a value: use auto, always or never"),
        "wrong choice": ("--color pink", "--color cannot be 'pink': use auto, always or never"),
        "empty choice": ("--color=", "--color cannot be '': use auto, always or never"),
        "not a symbol": ("--allow=a-b", "--allow cannot be 'a-b': use --allow=SYMBOL"),
        "an empty symbol": ("--allow=", "--allow cannot be '': use --allow=SYMBOL"),
        "not in ASCII": ("--allow \xe9", "--allow cannot be '\xe9': use --allow=SYMBOL"),
        "a value for a flag": ("--staged=HEAD", "--staged takes no value: use --staged"),
        "of a short name": ("-q=", "--quiet takes no value: use --quiet"),
        "twice": ("--since a --since=a", "--since can be given only once"),
        "fix of the index and path": (
            "--staged --fix a",
            "--staged cannot be combined with PATH: use --since HEAD PATH",
        ),
        "diff and index": (
            "--diff --staged",
            "--staged cannot be combined with --diff: use --diff --since HEAD .",
        ),
        "index and path": (
            "a --staged",
            "--staged cannot be combined with PATH: use --since HEAD PATH",
        ),
        "index and commits": (
            "--commits a --staged",
            "--staged cannot be combined with --commits: run the command once for each",
        ),
        "commits and path": (
            "--commits a b",
            "--commits cannot be combined with PATH: use A..B for a range, or --since REV PATH",
        ),
        "commits and fix": (
            "--commits a --fix",
            "--commits cannot be combined with --fix: use --fix --since REV .",
        ),
        "push and since": (
            "--pre-push --since=a",
            "--pre-push cannot be combined with --since: use --commits REV..",
        ),
        "patch and diff": (
            "--diff --patch a",
            "--patch cannot be combined with --diff: apply the patch and use --diff --since REV .",
        ),
        "a patch for a path": ("a.patch", "'a.patch' cannot be a PATH: use --patch a.patch"),
        "a mail for a path": (
            "virt --staged a.eml",
            "'a.eml' cannot be a PATH: use --patch a.eml",
        ),
        "stdin for a path": ("-", "'-' cannot be a PATH: use --patch -"),
        "patch and since": (
            "--patch a --since b",
            "--patch cannot be combined with --since: apply the patch and use --since REV .",
        ),
        "fix and diff": (
            "--diff --fix a",
            "--fix cannot be combined with --diff: run the command once for each",
        ),
        "list and quiet": (
            "-q --list",
            "--list cannot be combined with --quiet: leave out --quiet",
        ),
        "list and sarif": (
            "--list --format sarif",
            "--list cannot be combined with --format sarif: use --format text or json",
        ),
        "quiet and json": (
            "--format json -q",
            "--quiet cannot be combined with --format json: use --format text",
        ),
        "fix of everything": ("--fix", "--fix needs a PATH: use . for the whole tree"),
    },
)
def test_what_is_refused(line: str, said: str) -> None:
    assert read(*line.split())[0] == said


def test_it_is_one_line_on_stderr(command: Command) -> None:
    assert command("--allow", "\x1b\udcff") == (
        2,
        "",
        "kvm-export-hook: error: --allow cannot be '\\x1b\\xff': use --allow=SYMBOL: see --help\n",
    )


def list_hints() -> Iterator[str]:
    """List what the table says to use instead."""
    for row in ROWS.values():
        for others, instead in row.get("excludes", {}).items():
            for other in others.split():
                _, says_use, line = instead.format(other).partition("use ")
                if says_use:
                    yield line


@pytest.mark.parametrize("line", sorted(set(list_hints())))
def test_what_is_to_be_used_instead_is_understood(line: str) -> None:
    assert read(*line.split())[0] == ""


# The table.


@pytest.mark.parametrize("names", ROWS)
def test_every_row_is_complete(names: str) -> None:
    row = ROWS[names]
    assert row.get("help") or row.get("choices")
    if "value" not in row:
        assert not row.keys() & {"choices", "check", "second"}
    assert set(row.get("formats", ())) <= set(FORMATS)
    for others in row.get("excludes", {}):
        assert set(others.split()) <= set(BY_NAME) - {names}


def test_every_row_has_its_attribute_and_every_attribute_its_row() -> None:
    attributes = {name for name, value in vars(Options).items() if name[0] != "_"}
    names = {name.strip("-").replace("-", "_") for name in BY_NAME if name != "PATH"}
    assert names | {"paths", "judges_changes"} == attributes
    for name in names:
        kinds = {
            "value" in row for key, row in BY_NAME.items() if key[2:].replace("-", "_") == name
        }
        assert kinds == {getattr(Options, name) is not False}


def test_every_format_can_be_chosen() -> None:
    assert list(BY_NAME["--format"]["choices"]) == list(FORMATS)


def test_a_default_is_a_choice() -> None:
    assert Options.format in BY_NAME["--format"]["choices"]
    assert Options.color in BY_NAME["--color"]["choices"]


def list_pairs() -> list[frozenset[str]]:
    """List the pairs that the table excludes."""
    return [
        frozenset((name, other))
        for name, row in BY_NAME.items()
        for others in row.get("excludes", {})
        for other in others.split()
    ]


def test_a_pair_stands_in_one_row() -> None:
    assert len(list_pairs()) == len(set(list_pairs()))


def test_which_pairs_are_refused() -> None:
    changes = " ".join(OPTIONS["what to check"].keys() - NO_SOURCES - {"--since"})
    each_with_each = [
        (changes, f"{changes} --since --diff"),
        ("--commits --pre-push --patch", "--fix"),
        ("--staged --commits", "PATH"),
        ("--fix --diff --list", "--fix --diff --list"),
        ("--fix --diff", "--users"),
        ("--list", "--quiet --color"),
    ]
    assert set(list_pairs()) == {
        frozenset((one, other))
        for ones, others in each_with_each
        for one in ones.split()
        for other in others.split()
        if one != other
    }


def test_every_line_of_the_help_is_a_row_or_a_heading() -> None:
    lines = write_help().partition("\n\nwhat")[2].splitlines()
    assert sum(line.startswith("  ") for line in lines) == len(ROWS)
    for names, row in ROWS.items():
        spelled = f"  {names} {row.get('value', '')}".rstrip()
        assert any(re.match(rf"{re.escape(spelled)}  +\S", line) for line in lines), spelled


# Compared with argparse, which is told what stands in the table.


class Parser(argparse.ArgumentParser):
    """Raises ValueError where it refuses."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing."""
        raise ValueError(message)


def make_parser() -> Parser:
    """Make a parser of the rows."""
    parser = Parser(add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS)
    parser.add_argument("paths", nargs="*")
    for names, row in ROWS.items():
        if "value" in row:
            parser.add_argument(*names.split(", "), choices=row.get("choices"), action="append")
        elif names != "PATH":
            parser.add_argument(*names.split(", "), action="store_true")
    return parser


PARSER = make_parser()


# With these, the words that are no options are no PATHs.
WITH_OTHER_WORDS = {"--patch", "--pre-push"}


def read_by_argparse(*arguments: str) -> dict[str, object] | None:
    """Read ARGUMENTS by argparse; return what they ask for, or None if they are refused."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    try:
        found, unknown = PARSER.parse_known_intermixed_args(arguments[:end])
    except ValueError:
        return None
    asked = vars(found)
    paths = [*asked.pop("paths", []), *arguments[end + 1 :]]
    given = {name for name in BY_NAME if name[2:].replace("-", "_") in asked}
    for name in given:
        row, values = BY_NAME[name], asked[name[2:].replace("-", "_")]
        if "value" in row:
            is_valid = row.get("check", lambda _: True)
            if not all(map(is_valid, values)) or (len(values) > 1 and "second" not in row):
                return None
            if row.get("second") != "is added":
                asked[name[2:].replace("-", "_")] = values[-1]
    if paths:
        asked["paths"] = paths
        given.add("PATH")
    if "-" in paths[: len(paths) - len(arguments[end + 1 :])] and not given & WITH_OTHER_WORDS:
        return None
    return None if unknown or makes_no_sense(given, asked) else asked


def makes_no_sense(given: set[str], asked: dict[str, object]) -> bool:
    """Whether the table refuses what is GIVEN together; add what it implies to what is ASKED."""
    if asked.keys() & {"help", "version"}:
        return False
    if "list" in asked:
        asked["force"] = True
    rows = [BY_NAME[name] for name in given]
    return (
        any(pair <= given for pair in list_pairs())
        or any(asked.get("format", "text") not in row.get("formats", FORMATS) for row in rows)
        or any(
            not {"PATH", row["instead_of_path"]} & given for row in rows if "without_path" in row
        )
    )


# What argparse understands otherwise, on purpose. A name that may look like an option is given
# after two dashes, a value after an equals sign.
DIFFERENCES = {
    "a number as a path": (["-1"], {"paths": ["-1"]}, "unknown option: -1"),
    "a number as a value": (
        ["--since", "-1"],
        {"since": "-1"},
        "--since needs a value: use --since=REV",
    ),
    "a dash and a blank": (["-x y"], {"paths": ["-x y"]}, "unknown option: -x y"),
    "two dashes and a blank": (
        ["--srctree", "--x y"],
        {"srctree": "--x y"},
        "--srctree needs a value: use --srctree=DIR",
    ),
    "short names in a bundle": (["-qh"], {"quiet": True, "help": True}, "unknown option: -qh"),
}


@parametrize(("arguments", "argparse_reads", "said"), DIFFERENCES)
def test_what_argparse_reads_otherwise(
    arguments: list[str], argparse_reads: dict[str, object], said: str
) -> None:
    assert read_by_argparse(*arguments) == argparse_reads
    assert read(*arguments)[0] == said


def is_read_otherwise(word: str) -> bool:
    """Whether WORD is one of DIFFERENCES."""
    return bool(re.fullmatch(r"-\d+|-[^-].* .*|--[^=]* .*|-[qh].+", word))


PATHS = ("a", "b/c.c", "-", "", "PATH", "\udcff", "a b", "--")
VALUES = ("a", "HEAD~", "kvm_x", "-", "", "a=b", "a b", "\udcff", "1", "--", "--fix", "-1")
ODD = (
    *("--zzz", "--zzz=a", "-x", "--dif", "---", "--=", "--=a", "-=", "--PATH", "-fix", "-1"),
    *("--staged=", "--fix=x", "-q=", "-h=x", "-qh", "-qq", "-x y", "--x y", "--list=a b"),
    *("--format", "--format=xml", "--color=", "--allow", "--allow=a-b", "--commits"),
)


def make_line(random_: random.Random) -> list[str]:
    """Make a command line, most of which makes sense."""
    line = []
    for _ in range(random_.choice((1, 1, 2, 2, 3, 4, 6))):
        names, row = random_.choice(list(ROWS.items()))
        name = random_.choice(names.split(", "))
        if random_.random() < 0.1:
            line.append(random_.choice(ODD))
        elif "value" in row:
            value = random_.choice(row.get("choices", VALUES))
            line += random_.choice(([f"{name}={value}"], [name, value]))
        else:
            line.append(random_.choice(PATHS) if name == "PATH" else name)
    return line


@given(random_=st.randoms(use_true_random=True))
def test_any_line_is_read_as_argparse_reads_it(random_: random.Random) -> None:
    for _ in range(25):
        line = make_line(random_)
        wrong, asked = read(*line)
        options = line[: line.index("--")] if "--" in line else line
        if any(map(is_read_otherwise, options)):
            assert wrong, line
        # Before Python 3.13, argparse loses the value of --patch=--.
        elif not any(word.endswith("=--") for word in options):
            assert (None if wrong else asked) == read_by_argparse(*line), line
