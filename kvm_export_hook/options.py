# SPDX-License-Identifier: MIT
"""The options, one row each. The command line is read by these rows, and --help is made of them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Literal, TypedDict

    class Row(TypedDict, total=False):
        """An option: ``help`` or ``choices``, and what is unusual about it."""

        help: str
        value: str  # the name of its value, if it takes one
        choices: Sequence[str]  # the values that it can have, if only these
        check: Callable[[str], bool]  # whether a text can be its value
        second: Literal["replaces", "is added"]  # what a second one does; by default: refused
        # Options that it cannot be combined with, and what to do instead, where {} is the
        # other option. A pair is in the row of one of the two.
        excludes: Mapping[str, str]
        formats: Sequence[str]  # the formats that it works with, if not with all
        without_path: str  # what to do if it needs a PATH, and none is given
        instead_of_path: str  # an option with which it needs no PATH


PROGRAM = "kvm-export-hook"
UNKNOWN = "unknown option: "
# Files that are taken for patches, not for a PATH; stdin is, too.
PATCH_ENDINGS = (".patch", ".diff", ".mbox", ".mbx", ".eml")
# The options of "what to check" that are not sources of a change.
NO_SOURCES = {"PATH", "--srctree"}
ONE_BY_ONE = "run the command once for each"


def is_symbol(text: str) -> bool:
    """Whether TEXT can be the name of a symbol."""
    return text.isascii() and text.isidentifier()


# By the headings of --help, in its order. Dicts, because a class would make a start twice as
# expensive.
OPTIONS: Mapping[str, Mapping[str, Row]] = {
    "what to check": {
        "PATH": {"help": "files or directories to check (default: the whole tree)"},
        "--staged": {
            "help": "what the index adds to HEAD",
            "excludes": {
                "--commits --pre-push --patch": ONE_BY_ONE,
                "--since": "use --since REV .",
                "--diff": "use --diff --since HEAD .",
                "PATH": "use --since HEAD PATH",
            },
        },
        "--commits": {
            "value": "RANGE",
            "help": "what each commit of RANGE adds",
            "excludes": {
                "--pre-push --patch": ONE_BY_ONE,
                "--since": "use --commits REV..",
                "--fix --diff": "use {} --since REV .",
                "PATH": "use A..B for a range, or --since REV PATH",
            },
        },
        # Its PATHs are what git says of the remote.
        "--pre-push": {
            "help": "what each pushed commit adds (for a pre-push hook)",
            "excludes": {
                "--patch": ONE_BY_ONE,
                "--since": "use --commits REV..",
                "--fix --diff": "use {} --since REV .",
            },
        },
        # Its PATHs are more FILEs.
        "--patch": {
            "value": "FILE...",
            "help": "what diffs, mails or mboxes add, in order (-: stdin)",
            "excludes": {
                "--since": "apply the patch and use --since REV .",
                "--fix --diff": "apply the patch and use {} --since REV .",
            },
        },
        "--since": {"value": "REV", "help": "of PATHs, only what is new since REV"},
        "--srctree": {"value": "DIR", "help": "the kernel tree (default: around PATH or here)"},
    },
    "what to do": {
        "--fix": {
            "help": "rewrite in place where it is safe",
            "excludes": {"--diff --list --users": ONE_BY_ONE},
            "formats": ("text",),
            "without_path": "use . for the whole tree",
            "instead_of_path": "--staged",
        },
        "--diff": {
            "help": "print what --fix would change, as a patch",
            "excludes": {"--list --users": ONE_BY_ONE},
            "formats": ("text",),
        },
        "--list": {
            "help": "list every export; of a change, what it adds, drops, changes",
            "excludes": {"--quiet --color": "leave out {}"},
            "formats": ("text", "json"),
        },
    },
    "how": {
        "--users": {"help": "say which modules use each symbol"},
        "--allow": {
            "value": "SYMBOL",
            "help": "permit one more symbol (repeatable)",
            "check": is_symbol,
            "second": "is added",
        },
        "--force": {"help": "enforce the rule also in trees before Linux 6.18"},
        "--format": {
            "value": "FORM",
            "choices": ("text", "checkpatch", "b4", "json", "sarif", "github"),
            "second": "replaces",
        },
        "--color": {
            "value": "WHEN",
            "choices": ("auto", "always", "never"),
            "second": "replaces",
            "formats": ("text",),
        },
        "-q, --quiet": {"help": "only the first line of each finding", "formats": ("text",)},
        "--version": {"help": "print the version"},
        "-h, --help": {"help": "print this help"},
    },
}


class Options:
    """What was asked for, by default nothing; has an attribute for each row."""

    paths: Sequence[str] = ()
    srctree: str | None = None
    staged = False
    commits: str | None = None
    pre_push = False
    patch: str | None = None
    since: str | None = None
    fix = False
    diff = False
    list = False
    users = False
    allow: Sequence[str] = ()
    force = False
    format = "text"
    color = "auto"
    quiet = False
    version = False
    help = False

    @property
    def judges_changes(self) -> bool:
        """Whether findings are reported only where a change adds them."""
        sources = OPTIONS["what to check"].keys() - NO_SOURCES
        return any(getattr(self, make_attribute(name)) not in (None, False) for name in sources)


def read_options(arguments: Iterable[str], options: Options) -> str:
    """Write what ARGUMENTS ask for into OPTIONS; return what is wrong, or an empty text."""
    words = iter(arguments)
    paths: list[str] = []
    after: list[str] = []  # what comes after --, where any word is a PATH
    given: dict[str, Row] = {}
    for word in words:
        if word == "--":
            after += words
        elif not is_option(word):
            paths.append(word)
        elif wrong := read_option(word, words, given, options):
            return wrong
    options.paths = paths + after
    if "--patch" not in given and "--pre-push" not in given:
        for path in paths:
            if path == "-" or path.endswith(PATCH_ENDINGS):
                return f"'{path}' cannot be a PATH: use --patch {path}"
    if not given or options.help or options.version:
        return ""
    options.force |= options.list  # a list must show the verdicts of any tree
    return find_conflict(given, options)


def is_option(word: str) -> bool:
    """Whether WORD is read as an option; ``-`` alone is not."""
    return word[:1] == "-" and word != "-"


def read_option(word: str, rest: Iterator[str], given: dict[str, Row], options: Options) -> str:
    """Read the option WORD; its value is in it or is the next word of REST.

    Writes it into OPTIONS and its row into GIVEN; returns what is wrong with it, or an
    empty text.
    """
    typed, has_value, value = word.partition("=")
    name, row = find_row(typed)
    if not name:
        return f"{UNKNOWN}{word}"
    is_second = name in given
    given[name] = row
    if "value" not in row:
        setattr(options, make_attribute(name), True)
        return f"{name} takes no value: use {name}" if has_value else ""
    use = join_with_or(row.get("choices", [f"{name}={row['value'].rstrip('.')}"]))
    if not has_value:
        value = next(rest, "--")
        if is_option(value):
            return f"{name} needs a value: use {use}"
    if is_second and "second" not in row:
        return f"{name} can be given only once"
    if value not in row.get("choices", [value]) or ("check" in row and not row["check"](value)):
        return f"{name} cannot be '{value}': use {use}"
    if row.get("second") == "is added":
        vars(options).setdefault(make_attribute(name), []).append(value)
    else:
        setattr(options, make_attribute(name), value)
    return ""


def find_row(typed: str) -> tuple[str, Row]:
    """Find the name and the row of the TYPED option; both are empty if it is unknown."""
    for rows in OPTIONS.values():
        for names, row in rows.items():
            if typed in names.split(", "):
                return names.rpartition(" ")[2], row
    return "", {}


def make_attribute(name: str) -> str:
    """Make the name of the attribute of Options for the option NAME."""
    return name[2:].replace("-", "_")


def find_conflict(given: Mapping[str, Row], options: Options) -> str:
    """Return which of the GIVEN options conflict, and what to do instead; or an empty text."""
    for name, row in given.items():
        for others, instead in row.get("excludes", {}).items():
            for other in others.split():
                if other in given or (other == "PATH" and options.paths):
                    return f"{name} cannot be combined with {other}: {instead.format(other)}"
        if options.format not in row.get("formats", [options.format]):
            use = f"use --format {join_with_or(row['formats'])}"
            return f"{name} cannot be combined with --format {options.format}: {use}"
        if "without_path" in row and not options.paths and row["instead_of_path"] not in given:
            return f"{name} needs a PATH: {row['without_path']}"
    return ""


def join_with_or(names: Sequence[str]) -> str:
    """Join NAMES for a sentence: ``a, b or c``."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
