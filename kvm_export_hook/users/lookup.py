# SPDX-License-Identifier: MIT
"""Who uses a symbol: the way in. From the symbols to their users in the working tree.

KVM's own modules come first; the rest of the tree is searched only for the
symbols that none of them uses, and for those that are asked for.
"""

from __future__ import annotations

from kvm_export_hook.git.process import GitError
from kvm_export_hook.users.closure import find_leading_bodies, reach, trace_chain
from kvm_export_hook.users.gather import MODULE_DIRECTORIES, Gatherer
from kvm_export_hook.users.outside import NO_GIT, find_obstacle, find_outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Set

    from kvm_export_hook.users.makefiles import Makefile

# The module that has the exports: virt/kvm is linked into it.
KVM = b"kvm"
# The macros that export what their argument names; others build a name with ## first.
BY_NAME = (b"EXPORT_SYMBOL", b"EXPORT_PER_CPU_SYMBOL")


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

    ``uses``: of each symbol that was looked up, sorted: the nearest use of each
    module, then the first place in each file outside KVM. ``missing``: the
    parts of KVM that are not here; ``unclear``: what of its Makefiles was not
    understood, as ``path:line: text``; with either, modules may be missed.
    ``wanted_outside``: the symbols whose users outside KVM were looked for.
    ``missing_outside``: why users outside KVM are not known, a reason of
    ``outside``; None where they are, and where nobody had to look for them.
    """

    def __init__(self) -> None:
        self.uses: dict[bytes, list[Use]] = {}
        self.missing: list[bytes] = []
        self.unclear: list[bytes] = []
        self.wanted_outside: Set[bytes] = frozenset()
        self.missing_outside: str | None = None

    @property
    def are_modules_known(self) -> bool:
        """Whether a symbol that no module of KVM is seen to use is used by none."""
        return not self.missing and not self.unclear

    @property
    def are_known(self) -> bool:
        """Whether a symbol without a use here has none in the whole tree."""
        return self.are_modules_known and self.missing_outside is None


def is_linkable(macro: bytes, symbol: bytes) -> bool:
    """Whether MACRO(SYMBOL) exports what other sources name SYMBOL.

    Static calls and tracepoints do not: the name of theirs is built with ``##``.
    """
    return macro.lstrip(b"_").startswith(BY_NAME) and symbol.replace(b"_", b"a").isalnum()


def find_users(
    srctree: bytes, symbols: Collection[bytes], also_outside: Collection[bytes] = ()
) -> Users:
    """Find who uses SYMBOLS in the working tree at SRCTREE; empty: the working directory.

    ALSO_OUTSIDE: the symbols whose users outside KVM are wanted even if a module
    of KVM uses them. No file that cannot be read raises: it is on a list of the result.
    """
    users = Users()
    users.uses = {symbol: [] for symbol in symbols if symbol.replace(b"_", b"a").isalnum()}
    gatherer = Gatherer(srctree)
    unclear: list[bytes] = []
    for directory in MODULE_DIRECTORIES:
        makefile = gatherer.read_makefile(directory)
        if makefile:
            unclear += makefile.unclear
            for symbol, use in find_module_uses(gatherer, directory, makefile, users.uses.keys()):
                users.uses[symbol].append(use)
    users.missing = sorted(gatherer.missing)
    users.unclear = list(dict.fromkeys(unclear))
    add_outside_uses(srctree, users, also_outside)
    for uses in users.uses.values():
        uses.sort(key=lambda use: (use.module is None, use.module or b"", use.path))
    return users


def find_module_uses(
    gatherer: Gatherer, directory: bytes, makefile: Makefile, symbols: Set[bytes]
) -> Iterator[tuple[bytes, Use]]:
    """Yield each of SYMBOLS with the nearest use of each module of a KVM DIRECTORY but kvm.ko."""
    bodies = find_leading_bodies(gatherer.read_headers(directory), symbols)
    names = bodies.keys() | symbols
    for module in makefile.modules:
        places: dict[bytes, tuple[bytes, int]] = {}
        for name in module.objects if module.name != KVM else ():
            path, lines = gatherer.find_names(name, names)
            for word, line in lines.items():
                places.setdefault(word, (path, line))
        namers = reach(places, bodies)
        for symbol in namers.keys() & symbols:
            through = trace_chain(symbol, namers)
            yield symbol, Use(module.name, *places[through[0] if through else symbol], through)


def add_outside_uses(srctree: bytes, users: Users, also_outside: Collection[bytes]) -> None:
    """Add the uses outside KVM of what no module of KVM uses, and of ALSO_OUTSIDE."""
    names = {name for name, uses in users.uses.items() if not uses or name in also_outside}
    users.wanted_outside = names
    if not names:
        return
    try:
        users.missing_outside = find_obstacle(srctree)
        if users.missing_outside is None:
            for name, path, line in find_outside(srctree, names):
                users.uses[name].append(Use(None, path, line))
    except GitError:
        users.missing_outside = NO_GIT
