# SPDX-License-Identifier: MIT
"""The command line in full, for the runs that have other options on it than hooks: by argparse."""

from __future__ import annotations

import argparse

from kvm_export_hook import __version__
from kvm_export_hook.options import PROGRAM, UsageError
from kvm_export_hook.report.formats import FORMATS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import NoReturn

    from kvm_export_hook.options import Options

DESCRIPTION = """\
Refuse exports in KVM's sources that hand a symbol to every kernel module.
Exit status: 0 nothing unwanted, 1 findings, 2 not everything could be judged.
Example: kvm-export-hook --commits master..
"""

COLORS = ("auto", "always", "never")

# The options of which only one makes sense. Each has an attribute in Options.
SOURCES = ("--staged", "--commits", "--pre-push", "--patch")
ACTIONS = ("--fix", "--diff", "--list")


class Parser(argparse.ArgumentParser):
    """Leaves it to its caller to print what is wrong."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing."""
        raise UsageError(message)

    def suggest(self, argument: str) -> str:
        """Suggest the option that is nearest to ARGUMENT, if one is near."""
        from difflib import get_close_matches

        name = argument.partition("=")[0]
        near = get_close_matches(name, self._option_string_actions, n=1)
        return f" (did you mean {near[0]}?)" if near else ""


class StoreOnce(argparse.Action):
    """Stores a value, and refuses a second one: nothing that was asked for is passed over."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: object,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Store VALUES, if there are none yet. Raises UsageError."""
        if self.dest in vars(namespace):
            parser.error(f"{option_string} can be given only once")
        setattr(namespace, self.dest, values)


def parse(arguments: Sequence[str], options: Options) -> str | None:
    """Write what ARGUMENTS ask for into OPTIONS; return the text of --help and --version.

    Raises UsageError.
    """
    parser = make_parser()
    names_from = arguments.index("--") if "--" in arguments else len(arguments)
    _, unknown = parser.parse_known_intermixed_args(arguments[:names_from], options)
    if unknown:
        parser.error(f"unknown option: {unknown[0]}{parser.suggest(unknown[0])}")
    options.paths = [*options.paths, *arguments[names_from + 1 :]]
    if options.help:
        return parser.format_help()
    if options.version:
        return f"{PROGRAM} {__version__}\n"
    refuse_combinations(options)
    options.force |= options.list  # which refuses nothing, in any tree
    return None


def refuse_combinations(options: Options) -> None:
    """Raise UsageError for options that make no sense together; names both."""
    sources = [name for name in SOURCES if is_given(options, name)]
    actions = [name for name in ACTIONS if is_given(options, name)]
    paths = ["PATH"] if options.paths and not options.pre_push else []
    since = ["--since"] if is_given(options, "--since") else []
    # All but PATHs exclude whatever needs the files.
    refuse_two([*sources, *(paths + since + actions if sources else [])])
    if is_given(options, "--list"):
        refuse_two(["--list", *since])
        if options.format not in ("text", "json"):
            raise UsageError(f"--list cannot be combined with --format {options.format}")
        for name in ("--quiet", "--color"):
            refuse_two(["--list", *[name] * is_given(options, name)])
    elif actions:
        refuse_two([*actions, *["--format"] * (options.format != "text")])
        refuse_two([*actions, *["--users"] * options.users])
    if options.fix and not options.paths:
        raise UsageError("--fix needs a PATH: use . for the whole tree")
    if options.format != "text":
        for name in ("--quiet", "--color"):
            if is_given(options, name):
                raise UsageError(f"{name} cannot be combined with --format {options.format}")


def refuse_two(names: Sequence[str]) -> None:
    """Raise UsageError if there is more than one of NAMES."""
    if len(names) > 1:
        raise UsageError(f"{names[0]} cannot be combined with {names[1]}")


def is_given(options: Options, name: str) -> bool:
    """Whether the option NAME is on the command line."""
    return name.strip("-").replace("-", "_") in vars(options)


def make_parser() -> Parser:
    """Describe the options; the help fits a terminal of 80 columns."""
    parser = Parser(
        prog=PROGRAM,
        usage="%(prog)s [OPTION ...] [PATH ...]",
        description=DESCRIPTION,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=80),
        argument_default=argparse.SUPPRESS,
        add_help=False,
        allow_abbrev=False,
    )
    add_sources(parser)
    todo = parser.add_argument_group("what to do").add_mutually_exclusive_group()
    todo.add_argument("--fix", action="store_true", help="rewrite in place where it is safe")
    todo.add_argument(
        "--diff", action="store_true", help="print what --fix would change, as a patch"
    )
    todo.add_argument("--list", action="store_true", help="list every export with its verdict")
    add_manner(parser)
    return parser


def add_sources(parser: Parser) -> None:
    """Add the options that say what is judged."""
    what = parser.add_argument_group("what to check")
    what.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files or directories to check (default: the whole tree)",
    )
    what.add_argument("--staged", action="store_true", help="what the index adds to HEAD")
    what.add_argument(
        "--commits", action=StoreOnce, metavar="RANGE", help="what each commit of RANGE adds"
    )
    what.add_argument(
        "--pre-push", action="store_true", help="what each pushed commit adds (for a pre-push hook)"
    )
    what.add_argument(
        "--patch",
        action=StoreOnce,
        metavar="FILE",
        help="what a diff, a mail or an mbox adds (-: stdin)",
    )
    what.add_argument(
        "--since", action=StoreOnce, metavar="REV", help="of PATHs, only what is new since REV"
    )
    what.add_argument(
        "--srctree",
        action=StoreOnce,
        metavar="DIR",
        help="the kernel tree (default: around PATH or here)",
    )


def add_manner(parser: Parser) -> None:
    """Add the options that say how."""
    how = parser.add_argument_group("how")
    how.add_argument("--users", action="store_true", help="say which modules use each symbol")
    how.add_argument(
        "--allow",
        metavar="SYMBOL",
        action="append",
        type=check_symbol,
        help="permit one more symbol (repeatable)",
    )
    how.add_argument(
        "--force",
        action="store_true",
        help="enforce the rule also in trees before Linux 6.18",
    )
    how.add_argument("--format", choices=FORMATS, metavar="FORM", help=join_with_or(FORMATS))
    how.add_argument(
        "--color",
        choices=COLORS,
        metavar="WHEN",
        help=f"{join_with_or(COLORS)} (default: auto)",
    )
    how.add_argument(
        "-q", "--quiet", action="store_true", help="only the first line of each finding"
    )
    how.add_argument("--version", action="store_true", help="print the version")
    how.add_argument("-h", "--help", action="store_true", help="print this help")


def join_with_or(names: Iterable[str]) -> str:
    """Join NAMES for a sentence: ``a, b or c``."""
    *others, last = names
    return f"{', '.join(others)} or {last}"


def check_symbol(text: str) -> str:
    """Check that TEXT can be a symbol's name."""
    if not (text.isascii() and text.isidentifier()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a valid symbol name")
    return text
