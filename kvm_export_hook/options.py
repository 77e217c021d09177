# SPDX-License-Identifier: MIT
"""The options: a row each, from which a command line is read, or refused, and --help written."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Literal, TypedDict

    class Row(TypedDict, total=False):
        """What is known of an option: ``help`` or ``choices``, and what else is not usual."""

        help: str
        value: str  # what its value is called, if it takes one
        choices: Sequence[str]  # all that this can be, if it is not free
        check: Callable[[str], bool]  # whether it can be a text
        second: Literal["replaces", "is added"]  # what a second one does, if it is not refused
        # Options with which it makes no sense, and what to do instead, where {} is the other
        # option. A pair stands in the row of one of the two.
        excludes: Mapping[str, str]
        formats: Sequence[str]  # those with which it makes sense, if not with all
        without_path: str  # what to do where it needs a PATH, and none is given
        instead_of_path: str  # an option with which it needs none


PROGRAM = "kvm-export-hook"
UNKNOWN = "unknown option: "
# What is taken for a patch and not for a PATH: such a file, and stdin.
PATCH_ENDINGS = (".patch", ".diff", ".mbox", ".mbx", ".eml")
# Of what to check, all but these are sources of a change.
NO_SOURCES = {"PATH", "--srctree"}
ONE_BY_ONE = "run the command once for each"


def is_symbol(text: str) -> bool:
    """Whether TEXT can be the name of a symbol."""
    return text.isascii() and text.isidentifier()


# By the headings of --help, and in its order. Dicts, because on the clean path a class would
# cost twice as much.
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
    """What can be asked for, by default nothing; has an attribute for each row."""

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
    """Write what ARGUMENTS ask for into OPTIONS; return what is wrong with them, or nothing."""
    words = iter(arguments)
    paths: list[str] = []
    after: list[str] = []  # the end of the options, where a name may be any
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
    options.force |= options.list  # which refuses nothing, in any tree
    return find_conflict(given, options)


def is_option(word: str) -> bool:
    """Whether WORD is read as an option; ``-`` alone is not."""
    return word[:1] == "-" and word != "-"


def read_option(word: str, rest: Iterator[str], given: dict[str, Row], options: Options) -> str:
    """Read the option WORD, and its value from the REST if WORD has none.

    Writes it into OPTIONS and its row into GIVEN; returns what is wrong with it, or nothing.
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
    """Find the name and the row of the option that is TYPED; both are empty if there is none."""
    for rows in OPTIONS.values():
        for names, row in rows.items():
            if typed in names.split(", "):
                return names.rpartition(" ")[2], row
    return "", {}


def make_attribute(name: str) -> str:
    """Make the attribute of Options out of the NAME of an option."""
    return name[2:].replace("-", "_")


def find_conflict(given: Mapping[str, Row], options: Options) -> str:
    """Return what of GIVEN makes no sense together, and what does; or nothing."""
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
