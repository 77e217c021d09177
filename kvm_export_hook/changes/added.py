# SPDX-License-Identifier: MIT
"""What a change adds: the findings of a new state less those of the old, as multisets. Pure.

Findings are compared, not lines of a diff: moving an old export adds nothing,
uncommenting one does.
"""

from __future__ import annotations

from bisect import bisect_left

from kvm_export_hook.rules.judge import read_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kvm_export_hook.rules.judge import Finding
    from kvm_export_hook.values import Text

    # The rule, the macro, the symbol, and whether the build fails on it: see make_keys.
    Key = tuple[str, bytes, bytes, bool]
    # The keys of the findings of each file of a state, in order.
    Keys = dict[bytes, list[Key]]


def make_keys(findings: Iterable[Finding], content: bytes) -> list[Key]:
    """Make the keys of FINDINGS, in order: rule, macro, symbol, and whether the build fails.

    Findings with equal keys cancel each other. The last field makes the promise
    provable: where the make check passed before, it is False for each old finding. The
    stripped line replaces the symbol if there is none, or if the locale decides what a
    word is. If CONTENT has a NUL byte, grep prints only what comes before it, or
    nothing: then a key only equals one of the same bytes.
    """
    keys = []
    of_content = b"\0%d" % hash(content) if b"\0" in content else b""
    line_start, line, is_ascii = -1, b"", True
    for finding in findings:
        if finding.line_start != line_start:  # a line may have thousands
            line_start = finding.line_start
            line = read_line(content, line_start).strip()
            is_ascii = line.isascii()
        # In a line that is not ASCII, grep's locale decides what is a letter, and so a word.
        symbol = None if finding.build_fails and not is_ascii else finding.symbol
        shown = (line if symbol is None else symbol) + of_content
        keys.append((finding.rule, finding.macro, shown, finding.build_fails))
    return keys


def find_added(new: Keys, olds: Sequence[Keys]) -> dict[bytes, list[int]]:
    """Find what NEW has more of than each of OLDS, the states that it was made from.

    Returns for each file the indexes of its added findings, ascending. Equal findings
    cancel within the same file first, then across files. If a file has several equal
    ones, the later ones count as added.
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
        for name, index in surplus[len(surplus) - excess :]:
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


def assign_to_texts(
    added: dict[bytes, list[int]], texts: Sequence[Text], counts: Sequence[int]
) -> Iterator[tuple[Text, set[int]]]:
    """Yield each of TEXTS that has ADDED findings, with their indexes in this text.

    COUNTS: how many findings each text has. A patch may have thousands of texts of one file.
    """
    passed: dict[bytes, int] = {}
    for text, number in zip(texts, counts, strict=True):
        if text.name in added:
            start = passed.get(text.name, 0)
            end = passed[text.name] = start + number
            of_file = added[text.name]
            of_text = of_file[bisect_left(of_file, start) : bisect_left(of_file, end)]
            if of_text:
                yield text, {index - start for index in of_text}
