# SPDX-License-Identifier: MIT
"""The hot path: find the export macros of a file, unless all are plainly fine. Pure.

A suspect is not yet a finding: it may be in a comment, or its symbol may be
permitted after all. But everything that could be a finding is a suspect.
"""

from __future__ import annotations

from kvm_export_hook.rules import policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    Word = tuple[int, bytes]  # its byte offset in the text, and the word
    Words: TypeAlias = "Sequence[Word] | Suspects"

EXPORT_STEM = b"EXPORT_"
# The most underscores that a macro has before the stem.
LONGEST_LEAD = max(macro.find(EXPORT_STEM) for macro in policy.MACROS)
# One object for each macro, however often it is found.
NAMES = {macro: macro for macro in policy.MACROS}
WINDOW = max(map(len, policy.MACROS)) + 1
# The bytes that may follow the stem. They rule out most other words.
AFTER_STEM = frozenset(macro.partition(EXPORT_STEM)[2][:1] for macro in policy.MACROS)

# Each macro of the table has one of these in it.
HEADS = (policy.PLAIN, b"EXPORT_PER_CPU_SYMBOL")

WORD_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
OTHER_BYTES = bytes(range(256)).translate(None, WORD_BYTES)
# Maps every byte that is not part of a word to a space, so that find() finds a word's ends.
ONLY_WORDS = bytes.maketrans(OTHER_BYTES, b" " * len(OTHER_BYTES))

INTERNAL_CALL = policy.INTERNAL + b"("
GPL_CALL = policy.GPL + b"("

# The bytes before a newline that may end a line splice, also as part of a CRLF.
# The empty one: the text begins with that newline.
UNCLEAR = frozenset((b"", b"\\", b" ", b"\t", b"\v", b"\f", b"\r", b"\0"))


class Suspects:
    """The suspects of a text, in order: two lists, which take half the memory of one of pairs."""

    __slots__ = ("macros", "offsets")

    def __init__(self) -> None:
        self.offsets: list[int] = []
        self.macros: list[bytes] = []

    def __len__(self) -> int:
        """Count the suspects."""
        return len(self.offsets)

    def __iter__(self) -> Iterator[Word]:
        """Yield the byte offset of each, and its macro."""
        return zip(self.offsets, self.macros, strict=True)


def find_suspects(text: bytes, allowlist: frozenset[bytes]) -> Words:
    """Find the suspects of TEXT: every macro of the table, or nothing if all are fine.

    The fine ones are needed, too: a call ends at the next macro.
    """
    if has_only_internal(text):
        return ()
    found = Suspects()
    all_fine = True
    for start, macro in find_macros(text):
        found.offsets.append(start)
        found.macros.append(macro)
        if all_fine and policy.MACROS[macro].permitted != policy.ALWAYS:
            all_fine = is_plainly_permitted(text, start, allowlist)
    return () if all_fine else found


def has_only_internal(text: bytes) -> bool:
    """Whether each macro of the table in TEXT is KVM's own, which is always permitted.

    Most files are like that, and counting costs less than looking at each macro.
    """
    head, other = HEADS
    return text.count(head) == text.count(INTERNAL_CALL) and other not in text


def find_macros(text: bytes) -> Iterator[Word]:
    """Yield each macro of the table in TEXT, also in comments: its byte offset, and the macro."""
    hit = text.find(EXPORT_STEM)
    while hit >= 0:
        after = hit + len(EXPORT_STEM)
        if text[after : after + 1] in AFTER_STEM:
            first = max(hit - LONGEST_LEAD - 1, 0)
            words = text[first : hit + WINDOW].translate(ONLY_WORDS)
            start = words.rfind(b" ", 0, hit - first) + 1
            end = words.find(b" ", hit - first)
            macro = NAMES.get(words[start : end if end >= 0 else None])
            if macro is not None:
                yield first + start, macro
        hit = text.find(EXPORT_STEM, after)


def is_plainly_permitted(text: bytes, start: int, allowlist: frozenset[bytes]) -> bool:
    """Whether an allowlisted export begins a line of its own, as all in the kernel do.

    Such a line is not part of a directive, and it has an allowlisted name. So it
    is not a finding, whether it is code, comment or string.
    """
    if not text.startswith(GPL_CALL, start) or not begins_plain_line(text, start):
        return False
    symbol = start + len(GPL_CALL)
    end = text.find(b")", symbol)
    return end >= 0 and text[symbol:end] in allowlist


def begins_plain_line(data: bytes, start: int) -> bool:
    """Whether a line begins at START, and no line splice joins it to the one before.

    False if only the lexer can tell: gcc permits blanks in a splice. A line after a
    lone CR is not plain either.
    """
    return start == 0 or (data[start - 1] == 0x0A and data[start - 2 : start - 1] not in UNCLEAR)
