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
Refuse exports in KVM's sources that hand a symbol to every module of the
kernel, where EXPORT_SYMBOL_FOR_KVM_INTERNAL would do.
"""
EPILOG = """\
exit status: 0 nothing unwanted, 1 findings, 2 not all could be judged

example: kvm-export-hook arch/x86/kvm/x86.c
"""


FORMATS = ("text", "checkpatch", "json", "sarif", "github")


class UsageError(Exception):
    """The command line makes no sense; says why."""


class Parser(argparse.ArgumentParser):
    """Leaves it to its caller to print what is wrong."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing."""
        raise UsageError(message)


def read(program: str, arguments: Sequence[str], options: Options) -> str | None:
    """Write what ARGUMENTS ask for into OPTIONS; return the text of --help and --version.

    Raises UsageError.
    """
    parser = Parser(
        prog=program,
        usage="%(prog)s [OPTION ...] [PATH ...]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        add_help=False,
        allow_abbrev=False,
    )
    what = parser.add_argument_group("what to check")
    what.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files, or directories to walk (default: the whole tree)",
    )
    what.add_argument(
        "--srctree",
        metavar="DIR",
        help="the kernel tree (default: where PATH or the working directory lies)",
    )
    what.add_argument(
        "--patch",
        metavar="FILE",
        help="judge only what a diff, a mail or an mbox adds (-: from stdin)",
    )
    what.add_argument(
        "--list",
        action="store_true",
        help="list every export with what becomes of it; judge nothing",
    )
    repair = parser.add_argument_group("repairs").add_mutually_exclusive_group()
    repair.add_argument(
        "--fix",
        action="store_true",
        help="rewrite unwanted exports in place, where it is safe",
    )
    repair.add_argument(
        "--diff",
        action="store_true",
        help="print what --fix would change, for git apply; change nothing",
    )
    rule = parser.add_argument_group("the rule")
    rule.add_argument(
        "--allow",
        metavar="SYMBOL",
        action="append",
        type=symbol_name,
        help="permit one more symbol (repeatable)",
    )
    rule.add_argument(
        "--force",
        action="store_true",
        help="enforce the rule in trees that lack the macro (before Linux 6.18)",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--format",
        choices=FORMATS,
        metavar="FORM",
        help=f"the form of the findings: {', '.join(FORMATS)}",
    )
    output.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        help="colour the findings (default: auto, on a terminal)",
    )
    output.add_argument(
        "--quiet",
        action="store_true",
        help="one line a finding, and nothing else",
    )
    output.add_argument("--version", action="store_true", help="print the version")
    output.add_argument("--help", action="store_true", help="print this help")
    names_from = arguments.index("--") if "--" in arguments else len(arguments)
    parser.parse_intermixed_args(arguments[:names_from], options)
    options.paths = [*options.paths, *arguments[names_from + 1 :]]
    if options.help:
        return parser.format_help()
    if options.version:
        return f"{program} {__version__}\n"
    if options.patch is not None and options.paths:
        parser.error("--patch takes no PATH beside it")
    if options.list and (options.patch is not None or options.fix or options.diff):
        parser.error("--list goes with no other thing to do")
    if options.list and options.format not in ("text", "json"):
        parser.error("--list takes no --format but text and json")
    options.force |= options.list  # which judges nothing, in no tree
    if options.patch is not None and (options.fix or options.diff):
        parser.error("--fix and --diff need files: apply the patch first")
    if options.format != "text" and (options.fix or options.diff):
        parser.error("--fix and --diff take no --format but text")
    return None


def symbol_name(text: str) -> str:
    """Check that TEXT can be a symbol's name."""
    if not (text.isascii() and text.isidentifier()):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a symbol")
    return text
