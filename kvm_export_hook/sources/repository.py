# SPDX-License-Identifier: MIT
"""Where the git repository around a directory begins, without asking git."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.sources import Input


def find_top(directory: bytes) -> bytes | None:
    """Return the top of the working tree around the absolute DIRECTORY, or None.

    It is where ``.git`` is: a directory, or a file in a linked worktree or a submodule.
    """
    while not os.path.lexists(os.path.join(directory, b".git")):
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above
    return directory


def name_in_repository(input_: Input) -> bytes:
    """Spell the path of INPUT_ from the top of its repository, or else of its kernel tree."""
    if input_.top is None:
        return input_.path
    kernel = os.path.abspath(input_.top or b".")
    top = find_top(kernel)
    if top is None:
        return input_.name
    return os.path.relpath(os.path.join(kernel, input_.name), top)
