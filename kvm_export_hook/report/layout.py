# SPDX-License-Identifier: MIT
"""What was asked for of a report; every format gets this. No logic."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kvm_export_hook.mend import Mending
    from kvm_export_hook.users.lookup import FindUsers
    from kvm_export_hook.values import Text

# What permits a symbol where the tree has no list; {} is its name.
ALLOW_BY_COMMAND = "pass --allow {}"
ALLOW_BY_HOOK = 'add "args: [--allow={}]" to the hook\'s configuration'


class Layout:
    """What was asked for of a report.

    ``color``: whether to use colours. ``quiet``: one line for each finding and nothing
    else. ``errors``: the path of what could not be checked, and why. ``notes``: the path
    of a tree, and a remark on it. Both are complete when the last result has been read.
    ``mending``: collects what a fix can rewrite, and makes the command for it.
    ``allow_hint``: how to permit a symbol in a tree without a list.
    ``name_in_repository``: spells the path of a text from the top of its git repository.
    ``find_users``: finds the users of the symbols of a result's tree; None: not asked for.
    """

    __slots__ = (
        "allow_hint",
        "color",
        "errors",
        "find_users",
        "mending",
        "name_in_repository",
        "notes",
        "quiet",
    )

    def __init__(
        self,
        color: bool = False,
        quiet: bool = False,
        errors: list[tuple[bytes, str]] | None = None,
        notes: list[tuple[bytes, str]] | None = None,
        mending: Mending | None = None,
        allow_hint: str = ALLOW_BY_COMMAND,
        name_in_repository: Callable[[Text], bytes] | None = None,
        find_users: FindUsers | None = None,
    ) -> None:
        self.color = color
        self.quiet = quiet
        self.errors = [] if errors is None else errors
        self.notes = [] if notes is None else notes
        self.mending = mending
        self.allow_hint = allow_hint
        self.name_in_repository = name_in_repository or (lambda text: text.name)
        self.find_users = find_users
