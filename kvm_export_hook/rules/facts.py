# SPDX-License-Identifier: MIT
"""What a kernel tree says, from the bytes of two of its files, and the allowlist in force. Pure.

Linux before 6.18 has no macro for KVM's own exports, so the rule cannot be
followed there. Newer trees have the macro, and since commit fc4d3a6558af a
check in ``arch/x86/kvm/Makefile`` that fails the build and has an allowlist of
its own.
"""

from __future__ import annotations

from kvm_export_hook.rules import policy, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kvm_export_hook.rules.names import Names

KVM_TYPES = b"include/linux/kvm_types.h"
MAKEFILE = b"arch/x86/kvm/Makefile"
FACT_FILES = (KVM_TYPES, MAKEFILE)

# The make variable that holds the check's grep, and in it the allowlist.
TRAILER = b"exports_grep_trailer"

# The flags of grep by which a pattern is not found as a plain part of a line.
CHANGE_MATCHING = b"iwx"

OWN_LIST, BUNDLED_LIST = "the tree's own", "bundled"

NOT_ENFORCED = (
    "nothing enforced: this tree has no EXPORT_SYMBOL_FOR_KVM_INTERNAL"
    " (Linux before 6.18); use --force to enforce the rule anyway"
)
LIST_UNREADABLE = (
    "cannot read the allowlist of the make check in arch/x86/kvm/Makefile: using the bundled one"
)
LIST_PARTLY_READABLE = (
    "cannot read all of the allowlist of the make check in arch/x86/kvm/Makefile:"
    " using the names that can be read"
)


class Facts:
    """The facts about one state of a tree, by which its C files are judged.

    ``is_enforced``: whether the rule is. ``lacks_macro``: it cannot be followed
    here, because there is no EXPORT_SYMBOL_FOR_KVM_INTERNAL. ``has_check``: the
    build fails on what its grep finds. ``allowlist``: the list in force.
    ``list_source``: whose list that is. ``note``: what to say of the tree, or "".
    ``names``: that list, once it is prepared to be looked for in lines.
    """

    __slots__ = (
        "allowlist",
        "has_check",
        "is_enforced",
        "lacks_macro",
        "list_source",
        "names",
        "note",
    )

    def __init__(
        self,
        lacks_macro: bool,
        has_check: bool,
        allowlist: frozenset[bytes],
        list_source: str,
        note: str,
    ) -> None:
        self.is_enforced = note != NOT_ENFORCED
        self.lacks_macro = lacks_macro
        self.has_check = has_check
        self.allowlist = allowlist
        self.list_source = list_source
        self.note = note
        self.names: Names | None = None

    def __eq__(self, other: object) -> bool:
        """Whether files are judged alike by both; the notes do not count."""
        return isinstance(other, Facts) and self.key == other.key

    def __hash__(self) -> int:
        """Hash what decides how a file is judged."""
        return hash(self.key)

    @property
    def key(self) -> tuple[object, ...]:
        """What decides how a file is judged."""
        return self.is_enforced, self.lacks_macro, self.has_check, self.allowlist


def read_facts(
    kvm_types: bytes | None,
    makefile: bytes | None,
    allow: Iterable[bytes] = (),
    force: bool = False,
) -> Facts:
    """Read the facts from the content of KVM_TYPES and MAKEFILE; None: it is not there.

    ALLOW are more symbols to permit; FORCE enforces the rule in any tree. A
    sparse checkout may lack either file: only a header that is there can prove
    that the macro is missing.
    """
    lacks_macro = kvm_types is not None and not has_macro(kvm_types)
    names, is_complete = read_list(makefile or b"")
    has_check = names is not None
    note = ""
    if names:
        note = "" if is_complete else LIST_PARTLY_READABLE
    elif has_check:
        note = LIST_UNREADABLE
    elif lacks_macro and not force:
        note = NOT_ENFORCED
    allowlist = frozenset(names or policy.ALLOWLIST).union(allow)
    return Facts(lacks_macro, has_check, allowlist, OWN_LIST if names else BUNDLED_LIST, note)


def has_macro(header: bytes) -> bool:
    """Whether HEADER defines EXPORT_SYMBOL_FOR_KVM_INTERNAL, or may: doubt means enforcing.

    A line that begins with ``#define`` and the name is enough. Any other word
    in code or in a directive counts too, but none in a comment or string. Text
    without a newline is no header: of a symbolic link, git gives the target.
    """
    if header and b"\n" not in header:
        return True
    define = b"#define " + policy.INTERNAL
    for after in (b"(", b" ", b"\t", b"\n"):
        if b"\n" + define + after in header or header.startswith(define + after):
            return True
    if b"\\" not in header and policy.INTERNAL not in header:
        return False
    from kvm_export_hook.rules import lex
    from kvm_export_hook.rules.place import CODE, DIRECTIVE

    text = b"".join(lex.remove_splices(header, 0, len(header)))
    words = [word for word in scan.find_macros(text) if word[1] == policy.INTERNAL]
    return any(place.kind in (CODE, DIRECTIVE) for place in lex.lex_places(text, words))


def read_list(makefile: bytes) -> tuple[set[bytes] | None, bool]:
    """Read the names that the make check permits, and whether these are all of its list.

    None where the Makefile assigns no TRAILER, and so has no check.
    """
    names: set[bytes] | None = None
    is_complete = True
    if TRAILER not in makefile:
        return None, True
    for operator, value in read_assignments(makefile):
        if names is None or operator in (b"=", b":=", b"::=", b":::=", b"!="):
            names, is_complete = set(), True
        elif operator == b"?=":
            continue
        for name in read_patterns(value):
            if name.replace(b"_", b"a").isalnum():
                names.add(name)
            else:
                is_complete = False
    return names, is_complete


def read_assignments(makefile: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the operator and the value of each assignment of TRAILER in MAKEFILE.

    Make reads logical lines: a backslash joins the next line, ``#`` begins a
    comment. ``define`` assigns the lines up to ``endef``. What stands before
    the name (``override``, a target, ``$(eval``) does not matter.
    """
    text = join_lines(makefile.replace(b"\r\n", b"\n"))
    end = 0
    while (start := text.find(TRAILER, end)) >= 0:
        after = start + len(TRAILER)
        before = text[text.rfind(b"\n", end, start) + 1 if end < start else start : start]
        end = find_or_end(text, b"\n", after)
        if b"#" in before or before[-1:].strip():
            continue
        rest = text[after:end]
        if before.split()[-1:] == [b"define"]:
            start, end = end, find_or_end(text, b"\nendef", end)
            yield rest.partition(b"#")[0].strip() or b"=", text[start:end]
            continue
        operator, equals, value = rest.partition(b"=")
        if equals and operator.strip() in (b"", b":", b"::", b":::", b"?", b"+", b"!"):
            yield operator.strip() + equals, value.partition(b"#")[0]


def join_lines(makefile: bytes) -> bytes:
    """Join the lines of MAKEFILE that end in a backslash which no other one escapes."""
    if b"\\\\\n" not in makefile:
        return makefile.replace(b"\\\n", b" ")
    *lines, rest = makefile.split(b"\n")
    joined = []
    for line in lines:
        count = len(line) - len(line.rstrip(b"\\"))
        joined += [line[:-1], b" "] if count % 2 else [line, b"\n"]
    return b"".join([*joined, rest])


def find_or_end(text: bytes, mark: bytes, start: int) -> int:
    """Find MARK in TEXT from START on, or else the end of TEXT."""
    found = text.find(mark, start)
    return found if found >= 0 else len(text)


def read_patterns(value: bytes) -> Iterator[bytes]:
    """Yield the pattern of each ``-e`` of each ``grep -v`` in VALUE, a shell pipeline.

    What adds patterns in another way, or reads them differently, comes out as it
    is, and is no name: ``-f FILE``, ``-w``, a variable of make.
    """
    for command in value.split(b"|"):
        words = [word.strip(b"\"'") for word in command.split()]
        options = [split_options(word) for word in words]
        if not any(b"v" in flags for flags, _, _ in options):
            continue
        is_pattern = False
        for word, (flags, option, pattern) in zip(words, options, strict=True):
            if is_pattern or b"$" in word or any(letter in CHANGE_MATCHING for letter in flags):
                yield word
                is_pattern = False
            elif option == b"e":
                is_pattern = not pattern
                if pattern:
                    yield pattern
            elif option == b"f":
                yield word


def split_options(word: bytes) -> tuple[bytes, bytes, bytes]:
    """Split a WORD of grep's command: the flags, the option with a value, and that value."""
    if word[:1] != b"-":
        return b"", b"", b""
    if word[:2] == b"--":
        name, _, value = word.partition(b"=")
        if name == b"--invert-match":
            return b"v", b"", b""
        # Any other may be short for one that adds patterns.
        return b"", b"e" if name == b"--regexp" else b"f", value
    for at, letter in enumerate(word):
        if letter in b"ef":
            return word[1:at], word[at : at + 1], word[at + 1 :]
    return word[1:], b"", b""
