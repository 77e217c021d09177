# SPDX-License-Identifier: MIT
"""The rule once more, slow and obvious. The package must find what this finds.

``find_findings`` judges a source, ``find_added`` compares two states. It is
written from the text of the rule, and shares only the tables of policy with
the package.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from kvm_export_hook.rules import policy

WORD = re.compile(rb"[A-Za-z0-9_]+")
SPLICE = re.compile(rb"\\[ \t\v\f\0]*(?:\r\n|\r|\n)")
WHITE = b" \t\v\f\0\n"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MOST_PARENTHESES = 64

Word = tuple[int, bytes]


class Token(NamedTuple):
    """A byte of code, a comment or a literal: its kind, its offset, and its text."""

    kind: str
    start: int
    text: bytes

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.start + len(self.text)


class Expected(NamedTuple):
    """A finding as the reference sees it."""

    offset: int
    rule: str
    symbol: bytes | None


def find_macros(source: bytes) -> list[Word]:
    """List every macro of the table."""
    words = ((match.start(), match[0]) for match in WORD.finditer(source))
    return [word for word in words if word[1] in policy.MACROS]


def remove_splices(source: bytes) -> tuple[bytes, dict[int, int]]:
    """Take the line splices out, make each CR an LF; say where each byte of SOURCE is then."""
    text = bytearray()
    position = {}
    at = 0
    while at < len(source):
        splice = SPLICE.match(source, at)
        if splice:
            at = splice.end()
        else:
            position[at] = len(text)
            text += b"\n" if source[at] in b"\r" else source[at : at + 1]
            at += 1
    position[at] = len(text)
    return bytes(text), position


def cut_tokens(text: bytes) -> list[Token]:
    """Cut TEXT into comments, literals, and single bytes of code."""
    cut: list[Token] = []
    at = 0
    while at < len(text):
        kind, end = "code", at + 1
        if text[at : at + 2] == b"/*":
            close = text.find(b"*/", at + 2)
            kind, end = "comment", close + 2 if close >= 0 else len(text)
        elif text[at : at + 2] == b"//":
            kind, end = "comment", (text + b"\n").find(b"\n", at)
        elif text[at] in b"\"'":
            kind = "string"
            while end < len(text) and text[end] not in (text[at], 0x0A):
                escapes = text[end] in b"\\" and text[end + 1 : end + 2] not in (b"\n", b"")
                end += 2 if escapes else 1
            end += text[end : end + 1] == text[at : at + 1]
        cut.append(Token(kind, at, text[at:end]))
        at = end
    return cut


def join_code(cut: list[Token]) -> bytes:
    """Put tokens together, with a space for each comment and an empty string for each literal."""
    shown = {"comment": b" ", "string": b'""'}
    return b"".join(shown.get(token.kind, token.text) for token in cut)


def is_on_directive(cut: list[Token], at: int) -> bool:
    """Whether AT is on a line whose first code is a hash; no line ends in a comment."""
    before = [token for token in cut if token.start <= at]
    if b"".join(token.text for token in cut).startswith(BYTE_ORDER_MARK):
        before = before[3:]
    line = join_code(before).rpartition(b"\n")[2]
    return line.lstrip(WHITE).startswith((b"#", b"%:"))


def first_argument(code: bytes) -> bytes | None:
    """Read the first argument of the call that CODE begins with, if it does."""
    code = code.lstrip(WHITE)
    if not code.startswith(b"("):
        return None
    depth = parentheses = 0
    argument: bytes | None = None
    for at, byte in enumerate(code):
        if byte in b"()":
            parentheses += 1
            depth += 1 if byte in b"(" else -1
        if argument is None and (depth == 0 or (depth == 1 and byte in b",")):
            argument = code[1:at].strip(WHITE)
        if depth == 0:
            return argument
        if parentheses == MOST_PARENTHESES:
            break
    return None


def find_findings(source: bytes, allowlist: frozenset[bytes], has_check: bool) -> list[Expected]:
    """Judge every macro of SOURCE, as the table of the rule says."""
    text, position = remove_splices(source)
    cut = cut_tokens(text)
    kinds = {at: token.kind for token in cut for at in range(token.start, token.end)}
    words = find_macros(source)
    in_code = [position[start] for start, _ in words if kinds[position[start]] == "code"]
    found = []
    for start, macro in words:
        at = position[start]
        line = source[source.rfind(b"\n", 0, start) + 1 :].partition(b"\n")[0]
        build_fails = (
            has_check
            and macro in (b"EXPORT_SYMBOL", b"EXPORT_SYMBOL_GPL")
            and not any(name in line for name in allowlist)
        )
        symbol, rule = None, ""
        if policy.MACROS[macro].permitted == policy.ALWAYS:
            continue
        if kinds[at] != "code":
            rule = "export-mention" if build_fails else ""
        elif is_on_directive(cut, at):
            rule = "export-alias"
        else:
            after = at + len(macro)
            # A lone name is the symbol, be it a macro's; else no call goes on over an export.
            lone = re.compile(rb"\([A-Za-z0-9_]+\)").match(text, after)
            stop = (
                lone.end()
                if lone
                else min([each for each in in_code if each > at], default=len(text))
            )
            symbol = first_argument(
                join_code([token for token in cut if after <= token.start < stop])
            )
            if symbol is None:
                rule = "export-alias"
            elif policy.MACROS[macro].permitted == policy.NEVER:
                rule = "forbidden-macro"
            elif symbol not in allowlist:
                rule = "not-allowlisted"
            elif build_fails:
                rule = "split-export"
        if rule:
            found.append(Expected(start, rule, symbol))
    return found


State = Mapping[str, bytes]
Key = tuple[str, bytes, bytes, bool, bytes]


def find_added(old: State, new: State) -> Counter[Key]:
    """List what the files of NEW have that those of OLD have not, as keys."""
    old_facts, new_facts = learn(old), learn(new)
    _, has_check, _ = new_facts
    counted = count(old, old_facts if has_check else new_facts)
    if has_check and read_lines(old) != read_lines(new):
        # Make passed before, whatever the check may have been.
        passed: Counter[Key] = Counter()
        for (rule, macro, symbol, _, content), number in counted.items():
            passed[rule, macro, symbol, False, content] += number
        counted = passed
    return count(new, new_facts) - counted


def read_lines(state: State) -> list[bytes]:
    """Read the words of the Makefile, without comments and without its list."""
    makefile = state.get("arch/x86/kvm/Makefile", b"")
    return re.sub(rb"#.*|-e \w+|\\\n", b"", makefile).split()


def learn(state: State) -> tuple[bool, bool, frozenset[bytes]]:
    """Say whether the rule is enforced, whether there is the check, and what is allowed."""
    makefile = state.get("arch/x86/kvm/Makefile", b"")
    header = state.get("include/linux/kvm_types.h", policy.INTERNAL)
    header = re.sub(rb"/\*.*?\*/", b" ", header, flags=re.DOTALL)
    has_check = b"exports_grep_trailer :=" in makefile
    names = re.findall(rb"-e (\w+)", makefile) if has_check else policy.ALLOWLIST
    return has_check or policy.INTERNAL in header, has_check, frozenset(names)


def count(state: State, facts: tuple[bool, bool, frozenset[bytes]]) -> Counter[Key]:
    """Count the findings of each kind in the C files of KVM."""
    is_enforced, has_check, allowlist = facts
    counted: Counter[Key] = Counter()
    for path, source in state.items():
        if is_enforced and re.match(r"(virt/kvm|arch/x86/kvm)/.*\.[chCH]$", path):
            # The check passes all of a file whose path holds a listed name.
            is_read = (
                has_check
                and path[-1] in "ch"
                and not any(name in path.encode() for name in allowlist)
            )
            for found in find_findings(source, allowlist, is_read):
                counted[make_key(found, source, allowlist, is_read)] += 1
    return counted


def make_key(found: Expected, source: bytes, allowlist: frozenset[bytes], has_check: bool) -> Key:
    """Say what makes a finding equal to another; whether the build's grep fails on it."""
    ((_, macro),) = [word for word in find_macros(source) if word[0] == found.offset]
    line = source[source.rfind(b"\n", 0, found.offset) + 1 :].partition(b"\n")[0]
    build_fails = (
        has_check
        and macro in (b"EXPORT_SYMBOL", b"EXPORT_SYMBOL_GPL")
        and not any(name in line for name in allowlist)
    )
    depends_on_locale = build_fails and any(byte > 127 for byte in line)
    shown = line.strip() if found.symbol is None or depends_on_locale else found.symbol
    # Grep prints what comes before a late NUL, and nothing where there is an early one.
    return found.rule, macro, shown, build_fails, source if b"\0" in source else b""
