# SPDX-License-Identifier: MIT
"""The facts of a kernel tree, read from two of its files, with the allowlist in force. Pure.

Linux before 6.18 has no macro for KVM's own exports, so the rule cannot be followed there.
Newer trees have the macro, and since commit fc4d3a6558af a check in ``arch/x86/kvm/Makefile``
that fails the build and has an allowlist of its own. That check is either recognised or
unknown. It is never interpreted: an incomplete reader of make's language would silently
pass what make refuses.
"""

from __future__ import annotations

from kvm_export_hook.rules import policy, scan
from kvm_export_hook.rules.scope import FROM_THE_TOP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kvm_export_hook.rules.names import Names

# Where the allowlist of the make check stands, last in the value.
TRAILER = b"\nexports_grep_trailer := "
# The conditions, and by how much each changes how deep make is in them.
CONDITIONS = {b"ifdef": 1, b"ifndef": 1, b"ifeq": 1, b"ifneq": 1, b"else": 0, b"endif": -1}
# These may change the check if they come before it: a directive, an evaluation, or an
# assignment of one of these variables. STARTS: the first bytes of such lines.
DIRECTIVES = frozenset((b"define", b"undefine", b"override", b"unexport"))
EVALUATIONS = (b"(eval", b"{eval", b" eval,")
VARIABLES = b" SHELL .SHELLFLAGS .RECIPEPREFIX PATH srctree newline CONFIG_KVM_X86 "
STARTS = b"ieduopS.PsnC$ \t\v\f\r"
DIGITS = b"0123456789"
# If a listed name is part of this, every path or line that the grep sees has it.
EVERYWHERE = b" ".join((*FROM_THE_TOP, policy.GPL))

OWN_LIST, BUNDLED_LIST = "the tree's own", "bundled"
UNKNOWN_LIST = "bundled, and the words of the make check"

NOT_ENFORCED = (
    "nothing enforced: this tree has no EXPORT_SYMBOL_FOR_KVM_INTERNAL"
    " (Linux before 6.18); use --force to enforce the rule anyway"
)
UNKNOWN_CHECK = (
    "this tree's make check is not one that this hook knows: it may fail on what is passed here"
)


class Facts:
    """The facts about one state of a tree, by which its C files are judged.

    ``is_enforced``: whether the rule is enforced. ``lacks_macro``: there is no
    EXPORT_SYMBOL_FOR_KVM_INTERNAL to use. ``makefile``: its bytes, if it has the
    make check. ``has_check``: the build fails on what grep finds. ``is_known``: the
    check is one of policy.SHAPES. ``allowlist``: the symbols to permit. ``listed``:
    the names that make grep pass a line; by default the same. ``list_source``: whose
    list it is. ``note``: a remark about the tree, or "". ``has_passed``: make has
    passed, so the build fails on nothing. ``names``: ``listed``, prepared for a search.
    """

    __slots__ = (
        *("allowlist", "has_check", "has_passed", "is_enforced", "is_known", "key"),
        *("lacks_macro", "list_source", "listed", "makefile", "names", "note"),
    )

    def __init__(
        self,
        lacks_macro: bool,
        allowlist: frozenset[bytes],
        list_source: str,
        note: str = "",
        makefile: bytes = b"",
        listed: frozenset[bytes] | None = None,
        has_passed: bool = False,
    ) -> None:
        self.is_enforced = note != NOT_ENFORCED
        self.has_check = bool(makefile)
        self.is_known = self.has_check and note != UNKNOWN_CHECK
        self.lacks_macro = lacks_macro
        self.allowlist = allowlist
        self.listed = allowlist if listed is None else listed
        self.list_source = list_source
        self.note = note
        self.makefile = makefile
        self.has_passed = has_passed
        self.names: Names | None = None
        # Everything that decides how a file is judged.
        flags = self.is_enforced, lacks_macro, self.has_check, has_passed
        self.key = flags, allowlist, self.listed

    def __eq__(self, other: object) -> bool:
        """Whether both judge files in the same way; the notes do not count."""
        return isinstance(other, Facts) and self.key == other.key

    def __hash__(self) -> int:
        """Hash what decides how a file is judged."""
        return hash(self.key)

    def copy(self, more: Iterable[bytes] = (), has_passed: bool = False) -> Facts:
        """Copy these facts, with MORE names on the list, or where make HAS_PASSED."""
        allowlist, listed = self.allowlist.union(more), self.listed.union(more)
        rest = self.list_source, self.note, self.makefile, listed, has_passed
        return Facts(self.lacks_macro, allowlist, *rest)


def read_facts(
    kvm_types: bytes | None,
    makefile: bytes | None,
    allow: Iterable[bytes] = (),
    force: bool = False,
) -> Facts:
    """Read the facts from the content of KVM_TYPES and MAKEFILE; None: no such file.

    ALLOW are more symbols to permit; FORCE enforces the rule in any tree. A sparse
    checkout may lack either file, so only an existing header proves that the macro
    is missing.
    """
    lacks_macro = kvm_types is not None and not has_macro(kvm_types)
    listed = frozenset(allow)
    if makefile and has_check_word(makefile):
        # The bytes first: it costs more to read the lines as make does.
        words, names = set[bytes](), recognise(makefile.replace(b"\\\n", b" ") + b"\n")
        if not names or b"\\\\" in makefile:
            from kvm_export_hook.rules.makefile import find_check_words, read_logical_lines

            lines = read_logical_lines(makefile)
            if not (names := recognise(lines)):
                words, names = find_check_words(lines)
        listed = listed.union(names)
        if words:
            allowlist = listed.union(words, policy.ALLOWLIST)
            return Facts(lacks_macro, allowlist, UNKNOWN_LIST, UNKNOWN_CHECK, makefile, listed)
        if names:
            return Facts(lacks_macro, listed, OWN_LIST, "", makefile)
    note = NOT_ENFORCED if lacks_macro and not force else ""
    return Facts(lacks_macro, listed.union(policy.ALLOWLIST), BUNDLED_LIST, note)


def has_macro(header: bytes) -> bool:
    """Whether HEADER defines EXPORT_SYMBOL_FOR_KVM_INTERNAL, or may: doubt means enforcing.

    The word counts in code and in directives, but not in comments and strings. A text
    without a newline is not a header: git gives the target of a symbolic link.
    """
    if header and b"\n" not in header:
        return True
    define = b"#define " + policy.INTERNAL
    for after in (b"(", b" ", b"\t", b"\n"):
        if b"\n" + define + after in header or header.startswith(define + after):
            return True
    if b"\\" not in header and policy.INTERNAL not in header:
        return False
    from kvm_export_hook.rules.lex import has_in_code

    return has_in_code(header, policy.INTERNAL)


def has_check_word(lines: bytes) -> bool:
    """Whether a word of the check is in LINES, apart from those that begin with ``#``."""
    first, *others = (b"\n" + lines).split(b"\n#", policy.MOST_LINES)
    code = b"\n".join([first, *(each.partition(b"\n")[2] for each in others)])
    return any(word in code for word in policy.CHECK_WORDS)


def recognise(lines: bytes) -> list[bytes]:
    """Read the list of the make check in LINES of a Makefile; no names if the check is unknown."""
    before, check, names = find_check(lines)
    is_shape = names and int.from_bytes(check, "big") % policy.PRIME in policy.SHAPES
    return names if is_shape and is_harmless(before) else []


def find_check(lines: bytes) -> tuple[bytes, bytes, list[bytes]]:
    """Find what comes before the make check in LINES, the check without its list, and the list.

    The check begins with the last condition before the list, and ends with the
    ``endif`` after the last of its words.
    """
    start, end, names = find_list(lines)
    first = lines.rfind(b"\nif", 0, start)
    last = max(map(lines.rfind, policy.CHECK_WORDS))
    last = lines.find(b"\n", lines.find(b"\nendif", last) + 1)
    return lines[:first], lines[first:start] + lines[end:last], names


def find_list(lines: bytes) -> tuple[int, int, list[bytes]]:
    """Find where the list in LINES begins and ends, and its names; [] if it has other words."""
    trailer = lines.find(TRAILER)
    end = lines.find(b"\n", trailer + 1)
    start = lines.find(b" -e ", trailer, end)
    value = lines[start:end]
    words = value.split()
    names = words[1::2]
    is_list = (
        0 <= trailer < start
        and value.count(b"-") == words.count(b"-e") == len(names) == len(words) / 2
        and not value.translate(None, scan.WORD_BYTES + b"- \t")
        and not any(name[0] in DIGITS or name in EVERYWHERE for name in names)
    )
    return start, end, names if is_list else []


def is_harmless(lines: bytes) -> bool:
    """Whether LINES, which come before the make check, change nothing about it.

    Doubt means no. In some locales, a byte that is not ASCII is a blank.
    """
    if not lines.isascii() or b"\0" in lines or lines.count(b"\n") > policy.MOST_LINES:
        return False
    if has_check_word(lines) or (b"eval" in lines and any(each in lines for each in EVALUATIONS)):
        return False
    depth = 0
    for line in lines.split(b"\n"):
        if line and line[0] in STARTS:
            words = line.split()
            if words and words[0] in CONDITIONS:
                depth += CONDITIONS[words[0]]
                if depth < 0 or line.startswith(b"\t") or (words[0] == b"endif" and len(words) > 1):
                    return False
            elif not DIRECTIVES.isdisjoint(words[:4]) or (b"=" in line and sets_variable(line)):
                return False
    return depth == 0


def sets_variable(line: bytes) -> bool:
    """Whether LINE, an assignment, sets one of VARIABLES, or may: the name may be computed."""
    target = line.partition(b"=")[0].rstrip(b":+?! \t\v\f\r")
    before, _, name = b" ".join(target.split()).rpartition(b" ")
    if b"$" in before and len(name.translate(None, b"({")) != len(name.translate(None, b")}")):
        # There is a blank in the reference that computes the name.
        name = before.partition(b"$")[0].rpartition(b" ")[2] + b"$"
    start, is_computed, _ = name.partition(b"$")
    return b" " + start + (b"" if is_computed else b" ") in VARIABLES
