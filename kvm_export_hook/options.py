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
    staged = False
    commits: str | None = None
    pre_push = False
    patch: str | None = None
    since: str | None = None
    fix = False
    diff = False
    list = False
    users = False
    allow: Sequence[str] = []  # argparse appends to a copy
    force = False
    format = "text"
    color = "auto"
    quiet = False
    version = False
    help = False

    @property
    def judges_changes(self) -> bool:
        """Whether findings are reported only where a change adds them."""
        named = (self.commits, self.patch, self.since)
        return self.staged or self.pre_push or any(value is not None for value in named)


class UsageError(Exception):
    """The command line makes no sense; says why."""


def read_options(arguments: Sequence[str], options: Options) -> bool:
    """Write what ARGUMENTS ask for into OPTIONS, if they are what git hooks pass.

    That is names alone, ``--staged``, or ``--pre-push`` with a remote. Any
    others return False: they need argparse, which costs as much as half of
    Python's start.
    """
    first, *rest = arguments or [""]
    if first == "--staged" and not rest:
        options.staged = True
        return True
    if any(argument.startswith("-") for argument in rest):
        return False
    if first == "--pre-push":
        options.pre_push = True
        options.paths = rest
        return True
    if first.startswith("-"):
        return False
    options.paths = arguments
    return True
