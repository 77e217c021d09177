# SPDX-License-Identifier: MIT
"""The hot path: find the export macros of a file, if not all are plainly fine. Pure.

A suspect is no finding yet: it may stand in a comment, or its symbol may be
permitted after all. But nothing that could be a finding is passed over.
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
# What may follow the stem, which rules out most other words.
AFTER_STEM = frozenset(macro.partition(EXPORT_STEM)[2][:1] for macro in policy.MACROS)

# Each macro of the table has one of these in it.
HEADS = (policy.PLAIN, b"EXPORT_PER_CPU_SYMBOL")

WORD_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
OTHER_BYTES = bytes(range(256)).translate(None, WORD_BYTES)
# Maps every byte that no word holds to a space: a word's ends become a find().
ONLY_WORDS = bytes.maketrans(OTHER_BYTES, b" " * len(OTHER_BYTES))

INTERNAL_CALL = policy.INTERNAL + b"("
GPL_CALL = policy.GPL + b"("

# The bytes before a newline that may end a line splice, also as part of a CRLF;
# none: the text begins with that newline.
UNCLEAR = frozenset((b"", b"\\", b" ", b"\t", b"\v", b"\f", b"\r", b"\0"))


class Suspects:
    """The suspects of a text, in order: two lists, which take half of what one of pairs takes."""

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
    """Find the suspects of TEXT.

    All macros of the table, or none: where one is not plainly fine, the others
    say how far its call can reach.
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
    """Whether each macro of the table in TEXT is KVM's own, which is permitted anywhere.

    That is so of most files, and three counts cost less than to look at each macro.
    """
    head, other = HEADS
    return text.count(head) == text.count(INTERNAL_CALL) and other not in text


def find_macros(text: bytes) -> Iterator[Word]:
    """Yield the macros of the table in TEXT, wherever they stand: byte offset and macro."""
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

    Such a line is no part of a directive, and it holds an allowlisted name:
    be it code, comment or string, it is no finding.
    """
    if not text.startswith(GPL_CALL, start) or not begins_plain_line(text, start):
        return False
    symbol = start + len(GPL_CALL)
    end = text.find(b")", symbol)
    return end >= 0 and text[symbol:end] in allowlist


def begins_plain_line(data: bytes, start: int) -> bool:
    """Whether a line begins at START, and no line splice joins it to the one before.

    False where that takes a closer look: gcc lets blanks stand in a splice. A line
    after a lone CR is not plain either.
    """
    return start == 0 or (data[start - 1] == 0x0A and data[start - 2 : start - 1] not in UNCLEAR)
