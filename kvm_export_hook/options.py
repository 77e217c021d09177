# SPDX-License-Identifier: MIT
"""The options and their defaults; what git hooks pass is read here, all else by ``parser``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "kvm-export-hook"


class Options:
    """What can be asked for; the parser writes over the defaults what is given."""

    paths: Sequence[str] = ()
    srctree: str | None = None
    patch: str | None = None
    fix = False
    diff = False
    list = False
    allow: Sequence[str] = []  # argparse appends to a copy
    force = False
    format = "text"
    color = "auto"
    quiet = False
    version = False
    help = False


class UsageError(Exception):
    """The command line makes no sense; says why."""


def read_options(arguments: Sequence[str], options: Options) -> str | None:
    """Write what ARGUMENTS ask for into OPTIONS; return the text of --help and --version.

    Names alone, which is what git hooks pass, need no argparse: that costs as
    much as half of Python's start. Raises UsageError.
    """
    if not any(argument.startswith("-") for argument in arguments):
        options.paths = arguments
        return None
    from kvm_export_hook import parser

    return parser.parse(arguments, options)
