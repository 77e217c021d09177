# SPDX-License-Identifier: MIT
"""Makes a change of a tree and the old ones that it is compared with.

A source gives the trees, the files that differ, and how to list all files of each
tree. All are needed where the facts differ, because then any verdict may differ.
"""

from __future__ import annotations

from kvm_export_hook.changes.state import Change, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kvm_export_hook.git.entries import Entry
    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.values import Origin, Text

    # The name and the id of each file.
    Files = Sequence[tuple[bytes, bytes]]


class Tree:
    """A tree of a kernel: its ``facts``; ``list_files`` lists all its C files.

    ``make_text``: makes the text of a file, by its name and id.
    """

    __slots__ = ("facts", "list_files", "make_text")

    def __init__(
        self,
        facts: Facts,
        list_files: Callable[[], Files],
        make_text: Callable[[bytes, bytes], Text],
    ) -> None:
        self.facts = facts
        self.list_files = list_files
        self.make_text = make_text

    def make_state(self, facts: Facts, files: Files) -> State:
        """Make the state of this tree that has these FILES, judged by FACTS."""
        return State(facts, [self.make_text(name, id_) for name, id_ in files], self.facts)


def compare(
    new: Tree, olds: Sequence[Tree], diffs: Sequence[Sequence[Entry]], origin: Origin | None = None
) -> Change:
    """Compare the tree NEW with each of OLDS, from which it differs by DIFFS.

    ORIGIN is the commit or mail of the new one. Raises GitError.
    """
    facts = [choose_old_facts(new.facts, old.facts) for old in olds]
    if any(each != new.facts for each in (*facts, *(old.facts for old in olds))):
        files, old_files = new.list_files(), [old.list_files() for old in olds]
    else:
        files, old_files = list_differing_files(diffs)
    states = zip(olds, facts, old_files, strict=True)
    return Change(
        origin,
        new.make_state(new.facts, files),
        [old.make_state(of_old, listed) for old, of_old, listed in states],
    )


def choose_old_facts(new: Facts, old: Facts) -> Facts:
    """Choose the facts by which an old state is judged: its own, if the new one has the check.

    Otherwise those of the new state: the commit that adds the macro to a tree must not
    be blamed for all old exports. If lines of the Makefile other than the list have
    changed, a known check may not have run before. Then make has passed in spite of old
    exports on which it fails now.
    """
    if not new.has_check:
        return new
    if not (new.is_known and old.has_check) or new.makefile == old.makefile:
        return old
    are_alike = remove_list(new.makefile) == remove_list(old.makefile)
    return old if are_alike else old.copy(has_passed=True)


def remove_list(makefile: bytes) -> bytes:
    """Return the logical lines of MAKEFILE without the check's list, if that has only names."""
    from kvm_export_hook.rules.facts import find_list
    from kvm_export_hook.rules.makefile import read_logical_lines

    lines = read_logical_lines(makefile)
    start, end, names = find_list(lines)
    return lines[:start] + lines[end:] if names else lines


def list_differing_files(diffs: Sequence[Sequence[Entry]]) -> tuple[Files, list[Files]]:
    """List the name and id of each file that differs in any of DIFFS: new, and old for each diff.

    Where a file does not differ in one of the diffs, its old id is the new one.
    """
    now: dict[bytes, bytes | None] = {}
    for diff in diffs:
        for each in diff:
            now[each.name] = None if each.is_gone else each.new_id
    olds: list[Files] = []
    for diff in diffs:
        old = dict(now)
        for each in diff:
            old[each.name] = each.old_id if each.was_file else None
        olds.append([(name, id_) for name, id_ in old.items() if id_])
    return [(name, id_) for name, id_ in sorted(now.items()) if id_], olds
