# SPDX-License-Identifier: MIT
"""Files that are made to be slow or to break things, for the tests and the benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator


def repeat(unit: bytes, before: bytes = b"", after: bytes = b"") -> Callable[[int], bytes]:
    """Fill a file of a size with UNIT."""
    return lambda size: before + unit * (size // len(unit)) + after


def hostile_files() -> Iterator[tuple[str, Callable[[int], bytes]]]:
    """Yield the names and contents of files that are made to be slow."""
    last = b"\n EXPORT_SYMBOL(x)"
    yield "empty strings", repeat(b'""', after=last)
    yield "escaped quotes in a string", repeat(b'\\"', b'"', last)
    yield "backslashes in a string", repeat(b"\\", b'"', last)
    yield "unclosed quotes", repeat(b"'\n", after=last)
    yield "comments", repeat(b"/**/", after=last)
    yield "comments before an export on its line", repeat(b"/**/", after=last[1:])
    yield "comment openers", repeat(b"/*", after=last)
    yield "line comments", repeat(b"//\n", after=last)
    yield "newlines", repeat(b"\n", after=last)
    yield "splices", repeat(b"\\\n", after=last)
    yield "splices with blanks", repeat(b"\\ \n", after=last)
    yield "line comments over lines", repeat(b"//\\\n", after=last)
    yield "characters over lines", repeat(b"'\\\n", after=last)
    yield "words over lines", repeat(b"a\\ \t\n", after=last)
    yield "a comment over lines in a call", repeat(b"a\\\n", b" EXPORT_SYMBOL(/*", b"*/x)")
    yield "line comments before lone CRs", repeat(b"//\r", after=last)
    yield "splices at lone CRs", repeat(b"a\\\r", after=last)
    yield "words in a comment", repeat(b"EXPORT_SYMBOL ", b"/*\\\n", b"*/ EXPORT_SYMBOL(x)")
    yield "words in strings", repeat(b"'EXPORT_SYMBOL'", after=last)
    yield "splices in a call", repeat(b"\\\n", b" EXPORT_SYMBOL(", b"x)")
    yield "parentheses", repeat(b"(", b" EXPORT_SYMBOL")
    yield "commas in calls", repeat(b" EXPORT_SYMBOL(((((" + b"," * 800 + b")))))\n")
    yield "parentheses in calls", repeat(b" EXPORT_SYMBOL" + b"(" * 450 + b")" * 449 + b"\n")
    yield "stems", repeat(b"EXPORT_")
    yield "longer words", repeat(b"_EXPORT_SYMBOL")
    yield "a line of blanks and exports", repeat(b"EXPORT_SYMBOL(a)" + b" " * 1000)
    yield "exports on lines", repeat(b"EXPORT_SYMBOL(a);\n")
    yield "exports on one line", repeat(b"EXPORT_SYMBOL(a);")
    yield "unclosed calls", repeat(b" EXPORT_SYMBOL(")
    yield "calls in calls", repeat(b"EXPORT_SYMBOL(a,")
    yield "exports of strings", repeat(b'EXPORT_SYMBOL(""')
    yield "exports of comments", repeat(b"EXPORT_SYMBOL(/**/")
    yield "exports in a directive", repeat(b"EXPORT_SYMBOL ", b"#define ")
