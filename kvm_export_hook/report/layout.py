# SPDX-License-Identifier: MIT
"""How a report is wanted, which every format is given. No logic."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kvm_export_hook.mend import Mending
    from kvm_export_hook.users.lookup import Users
    from kvm_export_hook.values import Result, Text


class Layout:
    """How a report is wanted.

    ``color``: whether with colours. ``quiet``: a line for each finding and
    nothing else. ``notes``: what was said of whole trees, each with the path
    of the tree; complete when the last result has been read. ``mending``: is told
    what a fix can rewrite, and says how. ``name_in_repository``: spells the
    path of a text from the top of its git repository. ``find_users``: finds
    the users of the symbols of a result's tree; None: they were not asked for.
    """

    __slots__ = ("color", "find_users", "mending", "name_in_repository", "notes", "quiet")

    def __init__(
        self,
        color: bool = False,
        quiet: bool = False,
        notes: list[tuple[bytes, str]] | None = None,
        mending: Mending | None = None,
        name_in_repository: Callable[[Text], bytes] | None = None,
        find_users: Callable[[Result], Users] | None = None,
    ) -> None:
        self.color = color
        self.quiet = quiet
        self.notes = [] if notes is None else notes
        self.mending = mending
        self.name_in_repository = name_in_repository or (lambda text: text.name)
        self.find_users = find_users
