# SPDX-License-Identifier: MIT
"""Says which lines and which files the make check passes, whatever they export. Pure.

It greps lines of ``path:line:text``, so a listed name in a path passes the whole file.
"""

from __future__ import annotations

from kvm_export_hook.rules.facts import Facts
from kvm_export_hook.rules.scope import is_grepped

# At most this many are looked for one by one.
FEW_NAMES = 32


def holds_name(line: bytes, facts: Facts) -> bool:
    """Whether LINE has a name of the list of FACTS, also inside a longer word, as for ``grep -v``.

    A long list is prepared once for all lines.
    """
    if len(facts.listed) <= FEW_NAMES:
        return any(name in line for name in facts.listed)
    if facts.names is None:
        from kvm_export_hook.rules.names import Names

        facts.names = Names(facts.listed)
    return facts.names.are_in(line)


def fit_facts(facts: Facts, name: bytes) -> Facts:
    """Fit the FACTS of a tree to its file NAME: drop the make check if it passes the whole file."""
    if not facts.has_check or (is_grepped(name) and not holds_name(name, facts)):
        return facts
    rest = facts.list_source, facts.note, b"", facts.listed
    return Facts(facts.lacks_macro, facts.allowlist, *rest)
