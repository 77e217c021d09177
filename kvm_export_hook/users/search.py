# SPDX-License-Identifier: MIT
"""Who uses the symbols of findings and of exports: one search of each tree for all of them."""

from __future__ import annotations

from kvm_export_hook.rules.judge import Result
from kvm_export_hook.users.exported import name_linked
from kvm_export_hook.users.lookup import find_users
from kvm_export_hook.users.trees import WorkingTree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from kvm_export_hook.rules.exports import Export
    from kvm_export_hook.rules.tree import Facts
    from kvm_export_hook.sources import Input
    from kvm_export_hook.users.lookup import Users

    # Says a remark where what is done in its context takes long.
    SayIfSlow = Callable[[str], AbstractContextManager[object]]

REMARK = "looking for the users of the symbols in the whole tree ..."


def find_result_users(
    results: Iterable[Result], here: bytes, say_if_slow: SayIfSlow
) -> tuple[Iterator[Result], Callable[[Input], Users]]:
    """Read all RESULTS, and find who uses their symbols.

    Returns them again, and what finds the users of the symbols of an input. The
    users of what a commit or a patch exports are looked for in the working tree
    at HERE, which shows what a later one uses.
    """
    symbols: dict[bytes, set[bytes]] = {}
    read = []
    for result in results:
        findings = list(result.findings)
        read.append(Result(result.input, findings))
        names = {each.symbol for each in findings if each.symbol is not None}
        symbols.setdefault(choose_top(result.input, here), set()).update(names)
    users = {}
    for top, names in symbols.items():
        with say_if_slow(REMARK):
            users[top] = find_users(WorkingTree(top), names)
    return iter(read), lambda input_: users[choose_top(input_, here)]


def choose_top(input_: Input, here: bytes) -> bytes:
    """Return the tree of INPUT_, or HERE if it is not on this disk."""
    return here if input_.top is None else input_.top


def find_export_users(
    exports: Sequence[Export], trees: Mapping[bytes, Facts], say_if_slow: SayIfSlow
) -> dict[bytes, Users]:
    """Find who uses EXPORTS, and what is on the allowlist, of each of TREES, by its top."""
    users = {}
    for top, facts in trees.items():
        linked = {name_linked(each.macro, each.symbol) for each in exports if each.top == top}
        names = {name for name in linked if name is not None}
        with say_if_slow(REMARK):
            users[top] = find_users(WorkingTree(top), names | facts.allowlist)
    return users
