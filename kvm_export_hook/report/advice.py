# SPDX-License-Identifier: MIT
"""What reports say about the users of a symbol: who, the remedy, and what is not known. Pure."""

from __future__ import annotations

from kvm_export_hook.escape import make_printable
from kvm_export_hook.rules.scope import MAKEFILE
from kvm_export_hook.users.outside import NO_GIT, PART_OF_KERNEL, SPARSE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from kvm_export_hook.users.lookup import Use, Users

USE_INTERNAL = "use EXPORT_SYMBOL_FOR_KVM_INTERNAL"
IF_NEEDED = "if that module needs it, "
LIST_HINT = 'add "-e {}" to the list in ' + MAKEFILE.decode()
OR_INTERNAL = "; if not, use EXPORT_SYMBOL_FOR_KVM_INTERNAL"
DROP = "if a later patch will, use EXPORT_SYMBOL_FOR_KVM_INTERNAL; if not, drop the export"

NOBODY = "no other module of this tree uses it"
NO_MODULE = "no other module of KVM uses it"
NOT_LOOKED_UP = "not looked up"
CANNOT_SEE = (
    "Not searched: modules outside this tree, names that a macro outside KVM's headers"
    " builds with ##, and what a later patch will use."
)

IS_OLDER = "users are not known: the searched tree does not have the change that is checked"
# Why users outside KVM are not known.
WHY_UNKNOWN = {
    PART_OF_KERNEL: "this is part of a kernel, without drivers/Makefile",
    SPARSE: "this is a sparse checkout",
    NO_GIT: "git could not search this tree",
}
# Whose modules are not known if files below these are missing.
ARCHITECTURE_NAMES = {b"arch/powerpc/": "PPC's", b"arch/x86/": "x86's"}

# Not shown at the start of a path: the module says it already.
MODULE_SOURCES = (b"arch/x86/kvm/", b"arch/powerpc/kvm/")
MOST_SHOWN = 3
LONGEST_SHOWN = 200  # of a line that is not understood


class Advice:
    """The advice for one finding: ``found`` says who uses the symbol, ``remedy`` what to do.

    ``remedy`` is None if too little is known to choose one.
    """

    __slots__ = ("found", "remedy")

    def __init__(self, found: str, remedy: str | None) -> None:
        self.found = found
        self.remedy = remedy

    def __str__(self) -> str:
        """Write both as one sentence."""
        return f"{self.found}: {self.remedy}" if self.remedy else self.found


def advise(users: Users, symbol: bytes, list_hint: str = LIST_HINT) -> Advice:
    """Choose the advice for an unwanted export of SYMBOL, which may not have been looked up.

    LIST_HINT: how to permit {}, the symbol, in its tree.
    """
    if symbol not in users.uses:
        return Advice(NOT_LOOKED_UP, None)
    uses = users.uses[symbol]
    found = describe_uses(uses)
    in_module = any(use.module is not None for use in uses)
    if any(use.module is None for use in uses):
        remedy = IF_NEEDED + list_hint.format(make_printable(symbol))
        return Advice(found, remedy + (OR_INTERNAL if in_module else ""))
    if in_module:
        if users.missing_outside is not None:
            found += f"; {describe_unknown_outside(users.missing_outside)}"
        return Advice(found, USE_INTERNAL)
    if users.are_known:
        return Advice(NOBODY, DROP)
    unknown = describe_unknown(users)
    return Advice("; ".join([NO_MODULE, *unknown] if users.are_modules_known else unknown), None)


def describe_uses(uses: Sequence[Use]) -> str:
    """Say who uses a symbol: the modules of KVM, the first with its place, and one file outside.

    Empty if USES is.
    """
    parts = []
    modules = [use for use in uses if use.module is not None]
    if modules:
        names = [make_printable(use.module or b"") for use in modules]
        names[0] += f" ({describe_place(modules[0])})"
        parts.append(f"used by {join_with_and(names)}")
    outside = [describe_place(use) for use in uses if use.module is None]
    if outside:
        more = f" and {len(outside) - 1} more" if len(outside) > 1 else ""
        parts.append(f"named outside KVM, {outside[0]}{more}")
    return "; ".join(parts)


def describe_place(use: Use) -> str:
    """Write where a symbol is used, and through what: ``svm/sev.c:4539, through x``."""
    path = use.path
    for directory in MODULE_SOURCES:
        path = path.removeprefix(directory)
    through = "".join(f", through {make_printable(name)}" for name in use.through)
    return f"{make_printable(path)}:{use.line}{through}"


def describe_column(users: Users, symbol: bytes | None) -> str:
    """Say in a few words who uses SYMBOL, for a column of a list; None: no known symbol."""
    if symbol is None or symbol not in users.uses:
        return NOT_LOOKED_UP
    uses = users.uses[symbol]
    names = [make_printable(use.module) for use in uses if use.module is not None]
    outside = [f"{make_printable(use.path)}:{use.line}" for use in uses if use.module is None]
    return " ".join(names + outside[:1]) or ("nobody" if users.are_known else "not known")


def describe_unused(users: Users, unused: Collection[bytes], total: int) -> str:
    """Say how many of TOTAL exports no other module uses: the heading of their list."""
    if not users.are_known:
        return "; ".join(describe_unknown(users))
    return (
        f"{len(unused)} of {total} exports: no use found in another module of this"
        " tree, in any configuration"
    )


def describe_outside(users: Users, symbol: bytes) -> str:
    """Say whether something outside KVM names SYMBOL, which is on the allowlist."""
    if symbol not in users.uses:
        return NOT_LOOKED_UP
    outside = [use for use in users.uses[symbol] if use.module is None]
    if outside:
        return describe_uses(outside)
    if users.missing_outside is not None:
        return describe_unknown_outside(users.missing_outside)
    return "not named outside KVM"


def describe_unknown(users: Users) -> list[str]:
    """Say which users are not known, and why; empty if all are known."""
    said = []
    if users.is_older:
        said.append(IS_OLDER)
    if users.missing:
        paths = [make_printable(path) for path in users.missing[:MOST_SHOWN]]
        if len(users.missing) > MOST_SHOWN:
            paths.append(f"{len(users.missing) - MOST_SHOWN} more")
        verb = "is" if len(users.missing) == 1 else "are"
        said.append(f"{describe_whose(users.missing)}: {join_with_and(paths)} {verb} not here")
    if users.unclear:
        place, _, text = users.unclear[0].partition(b": ")
        shown = make_printable(text[:LONGEST_SHOWN]) + "..." * (len(text) > LONGEST_SHOWN)
        what = f"{make_printable(place)} is not understood: {shown}"
        said.append(f"{describe_whose([place])}: {what}")
    if users.missing_outside is not None:
        said.append(describe_unknown_outside(users.missing_outside))
    return said


def describe_whose(paths: Sequence[bytes]) -> str:
    """Say whose users are not known because PATHS, which are sorted, are missing."""
    for directory, whose in ARCHITECTURE_NAMES.items():
        if paths[0].startswith(directory) and paths[-1].startswith(directory):
            return f"users in {whose} modules are not known"
    return "users in KVM's modules are not known"


def describe_unknown_outside(reason: str) -> str:
    """Say why users outside KVM are not known."""
    return f"users outside KVM are not known: {WHY_UNKNOWN[reason]}"


def join_with_and(names: Sequence[str]) -> str:
    """Join NAMES: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
