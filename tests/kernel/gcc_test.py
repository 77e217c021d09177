# SPDX-License-Identifier: MIT
"""The lexer against gcc: what is a comment, and what is a string."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given

from kvm_export_hook.rules import lex
from kvm_export_hook.rules.place import CODE, DIRECTIVE
from tests.helpers.cases import parametrize
from tests.helpers.random_c import SOURCES
from tests.helpers.reference import SPLICE, WORD
from tests.helpers.snippets import SNIPPETS

LITERAL = re.compile(
    rb"""(?x) "(?:[^"\\\n]|\\[^\n])* (?:"|\\?$|\\?(?=\n))
      | '(?:[^'\\\n]|\\[^\n])* (?:'|\\?$|\\?(?=\n))"""
)

PREPROCESS = ("gcc", "-E", "-P", "-w", "-x", "c", "-")
# Does no line splicing, and keeps directives.
TAKE_COMMENTS_OUT = (*PREPROCESS, "-fpreprocessed", "-dD")


def words_by_gcc(source: bytes, gcc: Sequence[str] = TAKE_COMMENTS_OUT) -> list[bytes]:
    """List the words outside comments, as gcc sees them, and outside literals."""
    done = subprocess.run(gcc, input=source, capture_output=True, check=False)
    return WORD.findall(LITERAL.sub(b" ", done.stdout))


def words_by_lexer(source: bytes) -> list[bytes]:
    """List the words that the lexer finds in code and in directives."""
    words = [(match.start(), match[0]) for match in WORD.finditer(source)]
    places = lex.lex_places(source, words)
    return [
        word[1]
        for word, place in zip(words, places, strict=True)
        if place.kind in (CODE, DIRECTIVE)
    ]


def sources(tree: Path) -> list[Path]:
    return sorted([*tree.glob("virt/kvm/**/*.[ch]"), *tree.glob("arch/x86/kvm/**/*.[ch]")])


@pytest.mark.parametrize("name", ["linux-current", "linux-6.12"])
def test_every_word_of_real_kernels(trees: Path, name: str) -> None:
    paths = sources(trees / name)
    assert len(paths) > 90
    for path in paths:
        # gcc carries pragmas out, and poisons words: they cannot be compared.
        source = re.sub(rb"(?m)^#pragma .*$", b"", path.read_bytes())
        assert words_by_lexer(source) == words_by_gcc(source.replace(b"\\\n", b"")), path


# gcc -fpreprocessed does no splicing, and prints nothing of an unclosed comment.
PLAIN = {
    name: source
    for name, source in SNIPPETS.items()
    if not SPLICE.search(source) and name != "unclosed-comment"
}


@parametrize("source", PLAIN)
def test_snippets(source: bytes) -> None:
    assert words_by_lexer(source) == words_by_gcc(source)


# gcc drops lines that are no directive of its own, and knows raw strings; what
# is no ASCII it may spell another way.
NOT_COMPARED = re.compile(rb"#|%:|R(?!T)|[\x80-\xff]")
COMPARABLE = SOURCES.map(lambda source: NOT_COMPARED.sub(b" ", source))
# It prints nothing of a comment that stays open.
CLOSE = b"\n/**/\n"


@given(COMPARABLE)
def test_random_text(source: bytes) -> None:
    while SPLICE.search(source):
        source = SPLICE.sub(b"", source)
    assert words_by_lexer(source + CLOSE) == words_by_gcc(source + CLOSE)


@given(COMPARABLE)
def test_random_text_with_splices(source: bytes) -> None:
    # A splice may stand in the middle of a word: the letters are what counts.
    expected = b"".join(words_by_gcc(source + CLOSE, PREPROCESS))
    assert b"".join(words_by_lexer(source + CLOSE)) == expected


SPLICED = {
    "in-a-line-comment": b"a // b \\\nc\nd\n",
    "in-a-line-comment-with-blanks": b"a // b \\ \t\nc\nd\n",
    "in-a-string": b'a "b \\\n c" d\n',
    "escaped-quote-over-a-splice": b'a "b \\\\\n" c" d\n',
    "in-the-opener": b"a /\\\n* b */ c\n",
    "in-the-closer": b"a /* b *\\\n/ c\n",
    "twice-in-a-row": b"a /\\\n\\\n/ b\nc\n",
    "crlf": b"a // b \\\r\nc\r\nd\r\n",
    "cr": b"a // b \\\rc\rd\r",
    "cr-with-blanks": b"a // b \\ \t\rc\rd\r",
    "cr-and-a-blank-before-the-newline": b"a // b \\\r \nc\nd\n",
    "cr-before-crlf": b"a // b \\\r\r\nc\nd\n",
    "cr-after-a-splice": b"a // b \\\n\rc\nd\n",
    "newline-after-a-cr-splice": b"a // b \\\r\\\nc\nd\n",
    "cr-in-a-string": b'a "b \\\r c" d\n',
    "cr-in-the-opener": b"a /\\\r* b */ c\n",
    "blanks-before-a-splice": b"a // b \\ \\\n\nc\n",
    "in-a-word": b"foo\\\nbar /* b */ c\n",
}
LINE_ENDS = {
    "cr-ends-a-line-comment": b"a // b\rc\n",
    "cr-ends-a-string": b'a "b\rc "d" e\n',
    "cr-does-not-end-a-block-comment": b"a /* b\rc */ d\n",
    "crlf-is-one-end": b"a // b\r\nc\r\n",
    "cr-and-crlf": b"a // b\r\r\nc\r\r\n",
    "cr-alone-in-the-file": b"int a;\r// b\rc\r",
    "cr-at-the-end-of-the-file": b"a // b\r",
}


@parametrize("source", SPLICED | LINE_ENDS)
def test_splices_and_line_ends(source: bytes) -> None:
    assert b"".join(words_by_lexer(source)) == b"".join(words_by_gcc(source, PREPROCESS))


DIRECTIVES = {
    "ends-at-a-cr": b"#define A\rEXPORT",
    "ends-at-a-cr-after-a-splice": b"#define A \\\n b\rEXPORT",
    "begins-after-a-cr": b"int a;\r#define A EXPORT",
    "goes-on-over-a-cr-splice": b"#define A \\\rEXPORT",
    "goes-on-over-a-crlf-splice": b"#define A \\\r\nEXPORT",
    "ends-at-crlf-after-a-cr-splice": b"#define A \\\r\r\nEXPORT",
    "ends-at-a-newline-after-a-cr-splice": b"#define A \\\r \nEXPORT",
    "does-not-begin-after-code": b"a # EXPORT",
}


@parametrize("source", DIRECTIVES)
def test_directives(source: bytes) -> None:
    # gcc takes a directive out, and prints what is code.
    is_code = words_by_gcc(source + b"\n", PREPROCESS)[-1:] == [b"EXPORT"]
    (place,) = lex.lex_places(source, [(source.index(b"EXPORT"), b"EXPORT")])
    assert place.kind == (CODE if is_code else DIRECTIVE)
