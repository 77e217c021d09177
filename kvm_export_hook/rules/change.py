# SPDX-License-Identifier: MIT
"""What a change adds: the findings of a new state less those of the old, as multisets. Pure.

The diff does not matter, only the findings: moving an old export adds nothing,
and taking away the comment around one does.
"""

from __future__ import annotations

from kvm_export_hook.rules.judge import read_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kvm_export_hook.rules.judge import Finding
    from kvm_export_hook.rules.tree import Facts

    # What a text alone says of a finding: see mark_findings.
    Mark = tuple[str, bytes, bytes, bool]
    # What makes two findings equal: see make_key.
    Key = tuple[str, bytes, bytes, bool]
    # The keys of the findings of each file of a state, in order.
    Keys = dict[bytes, list[Key]]


def mark_findings(findings: Iterable[Finding], text: bytes) -> Iterator[Mark]:
    """Yield the rule, the macro, the symbol of each of FINDINGS, and whether the build fails on it.

    FINDINGS are those of TEXT, in order. The stripped line stands for the
    symbol where there is none, and where the locale decides. Grep takes a file
    with a NUL byte for binary, and passes it. What holds for a line, or for all
    of TEXT, is found once: a line may have thousands of findings.
    """
    is_binary = b"\0" in text
    line_start, line, is_ascii = -1, b"", True
    for finding in findings:
        if finding.line_start != line_start:
            line_start = finding.line_start
            line = read_line(text, line_start).strip()
            is_ascii = line.isascii()
        build_fails = finding.build_fails and not is_binary
        # In a line that is not ASCII, grep's locale decides what is a letter, and so a word.
        depends_on_locale = build_fails and not is_ascii
        symbol = None if depends_on_locale else finding.symbol
        yield finding.rule, finding.macro, line if symbol is None else symbol, build_fails


def make_key(mark: Mark, path_is_listed: bool) -> Key:
    """Return what makes findings equal; PATH_IS_LISTED: the path holds a listed name.

    The make check greps lines of ``path:line:text``. The last field makes the
    promise provable: where the check passed before, no old finding has it set.
    """
    rule, macro, symbol, build_fails = mark
    return rule, macro, symbol, build_fails and not path_is_listed


def choose_old_facts(new: Facts, old: Facts) -> Facts:
    """Choose the facts by which an old state is judged: its own, if the new one has the check.

    Otherwise those of the new state: the commit that brings the macro to a
    tree must not be blamed for all the exports that were there before.
    """
    return old if new.has_check else new


def find_added(new: Keys, olds: Sequence[Keys]) -> dict[bytes, list[int]]:
    """Find what NEW has more of than that of OLDS, the states it was made from, which has most.

    Returns for each file the indexes of its findings that are added, ascending.
    Equal findings cancel within the same file first, then across files; of
    several in a file, the later ones are added.
    """
    added: dict[bytes, list[int]] = {}
    old_positions = [index_keys(old) for old in olds]
    for key, positions in index_keys(new).items():
        candidates = [each.get(key, {}) for each in old_positions] or [{}]
        old = max(candidates, key=count_positions)
        excess = count_positions(positions) - count_positions(old)
        surplus = [
            (name, index)
            for name, indexes in positions.items()
            for index in indexes[len(old.get(name, ())) :]
        ]
        for name, index in surplus[len(surplus) - max(excess, 0) :]:
            added.setdefault(name, []).append(index)
    return {name: sorted(indexes) for name, indexes in added.items()}


def index_keys(keys: Keys) -> dict[Key, dict[bytes, list[int]]]:
    """Index the findings of a state by key and file."""
    positions: dict[Key, dict[bytes, list[int]]] = {}
    for name, of_file in keys.items():
        for index, key in enumerate(of_file):
            positions.setdefault(key, {}).setdefault(name, []).append(index)
    return positions


def count_positions(positions: dict[bytes, list[int]]) -> int:
    """Count the findings in POSITIONS."""
    return sum(map(len, positions.values()))
