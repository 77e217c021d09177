# SPDX-License-Identifier: MIT
"""Finds the users of symbols in a tree.

A symbol is the name that is linked: ``exported.name_linked`` gives that of an export.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Timer

from kvm_export_hook.git.process import GitError
from kvm_export_hook.users.closure import reach, trace_chain
from kvm_export_hook.users.exported import is_name, name_linked
from kvm_export_hook.users.gather import Gatherer
from kvm_export_hook.users.outside import NO_GIT, find_outside
from kvm_export_hook.users.words import WantedNames
from kvm_export_hook.users.working_tree import WorkingTree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
    from contextlib import AbstractContextManager
    from typing import Any, TypeAlias

    from kvm_export_hook.changes.effect import Effect
    from kvm_export_hook.rules.exports import Export
    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.run import T
    from kvm_export_hook.users.searched import SearchedTree
    from kvm_export_hook.values import Result

    # Makes a context that prints a remark if its work takes long.
    SayIfSlow = Callable[[str], AbstractContextManager[object]]
    # Both belong to one tree.
    Checked: TypeAlias = "Result | Effect"
    FindUsers = Callable[[Checked], "Users"]

REMARK = "looking for the users of the symbols in the whole tree ..."

# The module that has the exports: virt/kvm is linked into it.
MAIN_MODULE = b"kvm"
# The remark if macros expand to much more than KVM's ever do.
TOO_MUCH_MESSAGE = b"include/linux: the macros of KVM's headers make too much"


class Use:
    """One place that uses a symbol.

    ``module``: of KVM, None outside KVM. ``path``: from the top of the tree;
    ``line``: 1-based. ``through``: the macros and inline functions that lead from
    there to the symbol; empty where the place names the symbol itself.
    """

    __slots__ = ("line", "module", "path", "through")

    def __init__(
        self, module: bytes | None, path: bytes, line: int, through: tuple[bytes, ...] = ()
    ) -> None:
        self.module = module
        self.path = path
        self.line = line
        self.through = through


class Users:
    """Who uses the symbols that were asked for.

    ``uses``: for each symbol that was looked up, sorted: the nearest use of each module,
    then the first place in each file outside KVM. ``missing``: the parts of KVM that
    are not here. ``unclear``: the lines of its Makefiles that were not understood, as
    ``path:line: text``. If there is any of these, modules may be missing in ``uses``.
    ``missing_outside``: why users outside KVM are not known, a reason of ``outside``;
    None if they are known. ``is_older``: the tree lacks what is checked, for example if
    a patch does not apply: any user may be missing. ``provided``: the used symbols
    that KVM exports or defines in a header; only if asked for.
    """

    def __init__(self) -> None:
        self.uses: dict[bytes, list[Use]] = {}
        self.missing: list[bytes] = []
        self.unclear: list[bytes] = []
        self.missing_outside: str | None = None
        self.is_older = False
        self.provided: set[bytes] = set()

    def is_missed(self, symbol: bytes | None) -> bool:
        """Whether something uses SYMBOL, and KVM does not provide it."""
        return symbol is not None and bool(self.uses.get(symbol)) and symbol not in self.provided

    @property
    def are_modules_known(self) -> bool:
        """Whether a symbol that no module of KVM is seen to use is used by none."""
        return not (self.missing or self.unclear or self.is_older)

    @property
    def are_known(self) -> bool:
        """Whether a symbol without a use here has none in the whole tree."""
        return self.are_modules_known and self.missing_outside is None


def find_users(
    tree: SearchedTree, symbols: Collection[bytes], wants_provided: bool = False
) -> Users:
    """Find who uses SYMBOLS in TREE, and what is provided if WANTS_PROVIDED.

    A file that cannot be read is no error: the result lists it.
    """
    users = Users()
    users.uses = {symbol: [] for symbol in symbols if is_name(symbol)}
    gatherer = Gatherer(tree)
    for directory in gatherer.makefiles:
        for symbol, use in find_module_uses(gatherer, directory, users.uses.keys()):
            users.uses[symbol].append(use)
    add_outside_uses(tree, gatherer, users)
    if wants_provided:
        users.provided = gatherer.find_provided({name for name, uses in users.uses.items() if uses})
    users.missing = sorted(gatherer.missing)
    users.unclear = list(dict.fromkeys(gatherer.unclear))
    if not gatherer.macros.is_whole:
        users.unclear.append(TOO_MUCH_MESSAGE)
    for uses in users.uses.values():
        uses.sort(key=lambda use: (use.module is None, use.module or b"", use.path))
    return users


def find_module_uses(
    gatherer: Gatherer, directory: bytes, symbols: Set[bytes]
) -> Iterator[tuple[bytes, Use]]:
    """Yield the nearest use of SYMBOLS in each module of a KVM DIRECTORY, except kvm.ko."""
    bodies = gatherer.find_bodies(symbols, directory)
    names = WantedNames(bodies.keys() | symbols)
    pasters = gatherer.macros.choose(names.all)
    for module in gatherer.makefiles[directory].modules:
        places: dict[bytes, tuple[bytes, int]] = {}
        own: set[bytes] = set()
        for name in module.objects if module.name != MAIN_MODULE else ():
            path, uses = gatherer.find_uses(name, names, pasters)
            own |= uses.exported | uses.defined
            for word, line in uses.lines.items():
                places.setdefault(word, (path, line))
        namers = reach(places, bodies)
        for symbol in (namers.keys() & symbols) - own:
            through = trace_chain(symbol, namers)
            yield symbol, Use(module.name, *places[through[0] if through else symbol], through)


def add_outside_uses(tree: SearchedTree, gatherer: Gatherer, users: Users) -> None:
    """Add the uses outside KVM."""
    symbols = users.uses.keys()
    if not symbols:
        return
    bodies = gatherer.find_bodies(symbols)
    try:
        users.missing_outside = tree.find_obstacle()
        if users.missing_outside is None:
            for symbol, path, line, through in find_outside(tree, symbols, bodies):
                users.uses[symbol].append(Use(None, path, line, through))
    except GitError:
        users.missing_outside = NO_GIT


class ResultUsers:
    """Finds who uses the symbols of results, by one search of each tree.

    HERE: the tree to search instead of one that cannot be opened. ARE_EFFECTS: the results
    are effects.
    """

    def __init__(self, here: bytes, say_if_slow: SayIfSlow, are_effects: bool = False) -> None:
        self._here = here
        self._say_if_slow = say_if_slow
        self._are_effects = are_effects
        self._users: dict[bytes | None, Users] = {}

    def read(self, results: Iterable[T]) -> Iterator[T]:
        """Read all RESULTS, find the users of their symbols, and return the results.

        For results that are not on this disk, their source may have called ``look_up``.
        """
        by_top: dict[bytes | None, list[Any]] = {}
        read: list[Any] = list(results)
        for result in read:
            by_top.setdefault(self._find_top(result), []).append(result)
        for top, of_tree in by_top.items():
            if top not in self._users:
                tree = WorkingTree(self._here if top is None else top)
                self._users[top] = self._find_in(tree, of_tree)
        return iter(read)

    def look_up(
        self, results: Iterable[T], open_tree: Callable[[], SearchedTree | None]
    ) -> Iterator[T]:
        """Find the users for RESULTS, none of which is on this disk; then yield the results.

        OPEN_TREE opens the newest tree that they are from; None if it cannot.
        """
        read = list(results)
        if read:
            tree = open_tree()
            users = self._find_in(tree or WorkingTree(self._here), read)
            users.is_older = tree is None
            if tree:
                tree.close()
            self._users[None] = users
        yield from read

    def find(self, result: Checked) -> Users:
        """Return the users of the symbols of RESULT."""
        return self._users[self._find_top(result)]

    def _find_top(self, result: Any) -> bytes | None:
        """Return the top of the tree of RESULT; None if it is not on this disk."""
        top: bytes | None = result.top if self._are_effects else result.text.top
        return top

    def _find_in(self, tree: SearchedTree, results: Iterable[Any]) -> Users:
        """Find the users of the symbols of RESULTS in TREE."""
        names: set[bytes]
        if self._are_effects:
            names = name_exports(each for result in results for each in result.exports)
        else:
            names = {each.symbol for result in results for each in result.findings} - {None}
        with self._say_if_slow(REMARK):
            return find_users(tree, names, self._are_effects)


def name_exports(exports: Iterable[Export]) -> set[bytes]:
    """Return the names that are linked of those EXPORTS that are understood."""
    linked = (name_linked(each.macro, each.symbol) for each in exports)
    return {name for name in linked if name is not None}


def find_export_users(
    exports: Sequence[Export], trees: Mapping[bytes, Facts], say_if_slow: SayIfSlow
) -> dict[bytes, Users]:
    """Find who uses EXPORTS and the symbols of the allowlist; return it by the top of each tree."""
    users = {}
    for top, facts in trees.items():
        names = name_exports(each for each in exports if each.top == top)
        with say_if_slow(REMARK):
            users[top] = find_users(WorkingTree(top), names | facts.listed)
    return users


@contextmanager
def say_later(say: Callable[[], None] | None, patience: float) -> Iterator[None]:
    """Call SAY, if there is one, when the work in this context takes over PATIENCE seconds."""
    timer = Timer(patience, say or (lambda: None))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
