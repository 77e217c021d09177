# SPDX-License-Identifier: MIT
"""The command line, for the runs that have an option on it: argparse takes 11 ms."""

from __future__ import annotations

import argparse

from kvm_export_hook import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from kvm_export_hook.cli import Options

DESCRIPTION = """\
Refuse exports in KVM's sources that hand a symbol to every kernel module.
Exit status: 0 nothing unwanted, 1 findings, 2 not all could be judged.
Example: git diff master... | kvm-export-hook --patch -
"""

FORMATS = ("text", "checkpatch", "json", "sarif", "github")
COLORS = ("auto", "always", "never")


class UsageError(Exception):
    """The command line makes no sense; says why."""


class Parser(argparse.ArgumentParser):
    """Leaves it to its caller to print what is wrong."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing."""
        raise UsageError(message)

    def suggestion(self, argument: str) -> str:
        """Suggest the option that is nearest to ARGUMENT, if one is near."""
        from difflib import get_close_matches

        name = argument.partition("=")[0]
        near = get_close_matches(name, self._option_string_actions, n=1)
        return f" (did you mean {near[0]}?)" if near else ""


def read(program: str, arguments: Sequence[str], options: Options) -> str | None:
    """Write what ARGUMENTS ask for into OPTIONS; return the text of --help and --version.

    Raises UsageError.
    """
    parser = described(program)
    names_from = arguments.index("--") if "--" in arguments else len(arguments)
    _, unknown = parser.parse_known_intermixed_args(arguments[:names_from], options)
    if unknown:
        parser.error(f"unknown option: {unknown[0]}{parser.suggestion(unknown[0])}")
    options.paths = [*options.paths, *arguments[names_from + 1 :]]
    if options.help:
        return parser.format_help()
    if options.version:
        return f"{program} {__version__}\n"
    if options.patch is not None and options.paths:
        parser.error("--patch takes no PATH beside it")
    if options.list and options.patch is not None:
        parser.error("--list goes with no --patch: it needs the files")
    if options.list and options.format not in ("text", "json"):
        parser.error("--list takes no --format but text and json")
    options.force |= options.list  # which judges nothing, in no tree
    if options.patch is not None and (options.fix or options.diff):
        parser.error("--fix and --diff need files: apply the patch first")
    if options.format != "text" and (options.fix or options.diff):
        parser.error("--fix and --diff take no --format but text")
    return None


def described(program: str) -> Parser:
    """Describe the options; the help fits a terminal of 80 columns and 24 lines."""
    parser = Parser(
        prog=program,
        usage="%(prog)s [OPTION ...] [PATH ...]",
        description=DESCRIPTION,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=80),
        argument_default=argparse.SUPPRESS,
        add_help=False,
        allow_abbrev=False,
    )
    what = parser.add_argument_group("what to check")
    what.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files, or directories to walk (default: the tree)",
    )
    what.add_argument(
        "--srctree",
        metavar="DIR",
        help="the kernel tree (default: the one around PATH, or here)",
    )
    what.add_argument(
        "--patch",
        metavar="FILE",
        help="only what a diff, a mail or an mbox adds (-: stdin)",
    )
    todo = parser.add_argument_group("what to do").add_mutually_exclusive_group()
    todo.add_argument("--fix", action="store_true", help="rewrite in place what is safe to rewrite")
    todo.add_argument("--diff", action="store_true", help="print what --fix would, for git apply")
    todo.add_argument("--list", action="store_true", help="list every export; refuse none")
    how = parser.add_argument_group("how")
    how.add_argument(
        "--allow",
        metavar="SYMBOL",
        action="append",
        type=symbol_name,
        help="permit one more symbol (repeatable)",
    )
    how.add_argument(
        "--force",
        action="store_true",
        help="enforce the rule before Linux 6.18, too",
    )
    how.add_argument(
        "--format",
        choices=FORMATS,
        metavar="FORM",
        help=f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}",
    )
    how.add_argument(
        "--color",
        choices=COLORS,
        metavar="WHEN",
        help=f"{', '.join(COLORS[:-1])} or {COLORS[-1]} (default: auto)",
    )
    how.add_argument("-q", "--quiet", action="store_true", help="one line a finding, no more")
    how.add_argument("--version", action="store_true", help="print the version")
    how.add_argument("-h", "--help", action="store_true", help="print this")
    return parser


def symbol_name(text: str) -> str:
    """Check that TEXT can be a symbol's name."""
    if not (text.isascii() and text.isidentifier()):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a symbol")
    return text
