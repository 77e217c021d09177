# SPDX-License-Identifier: MIT
"""Files that are made to be slow or to break things, for the tests and the benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator


def repeated(unit: bytes, before: bytes = b"", after: bytes = b"") -> Callable[[int], bytes]:
    """Fill a file of a size with UNIT."""
    return lambda size: before + unit * (size // len(unit)) + after


def hostile_files() -> Iterator[tuple[str, Callable[[int], bytes]]]:
    """Yield the names and contents of files that are made to be slow."""
    last = b"\n EXPORT_SYMBOL(x)"
    yield "empty strings", repeated(b'""', after=last)
    yield "escaped quotes in a string", repeated(b'\\"', b'"', last)
    yield "backslashes in a string", repeated(b"\\", b'"', last)
    yield "unclosed quotes", repeated(b"'\n", after=last)
    yield "comments", repeated(b"/**/", after=last)
    yield "comments before an export on its line", repeated(b"/**/", after=last[1:])
    yield "comment openers", repeated(b"/*", after=last)
    yield "line comments", repeated(b"//\n", after=last)
    yield "newlines", repeated(b"\n", after=last)
    yield "splices", repeated(b"\\\n", after=last)
    yield "splices with blanks", repeated(b"\\ \n", after=last)
    yield "line comments over lines", repeated(b"//\\\n", after=last)
    yield "characters over lines", repeated(b"'\\\n", after=last)
    yield "words over lines", repeated(b"a\\ \t\n", after=last)
    yield "a comment over lines in a call", repeated(b"a\\\n", b" EXPORT_SYMBOL(/*", b"*/x)")
    yield "line comments before lone CRs", repeated(b"//\r", after=last)
    yield "splices at lone CRs", repeated(b"a\\\r", after=last)
    yield "words in a comment", repeated(b"EXPORT_SYMBOL ", b"/*\\\n", b"*/ EXPORT_SYMBOL(x)")
    yield "words in strings", repeated(b"'EXPORT_SYMBOL'", after=last)
    yield "splices in a call", repeated(b"\\\n", b" EXPORT_SYMBOL(", b"x)")
    yield "parentheses", repeated(b"(", b" EXPORT_SYMBOL")
    yield "commas in calls", repeated(b" EXPORT_SYMBOL(((((" + b"," * 800 + b")))))\n")
    yield "parentheses in calls", repeated(b" EXPORT_SYMBOL" + b"(" * 450 + b")" * 449 + b"\n")
    yield "stems", repeated(b"EXPORT_")
    yield "longer words", repeated(b"_EXPORT_SYMBOL")
    yield "a line of blanks and exports", repeated(b"EXPORT_SYMBOL(a)" + b" " * 1000)
    yield "exports on lines", repeated(b"EXPORT_SYMBOL(a);\n")
    yield "exports on one line", repeated(b"EXPORT_SYMBOL(a);")
    yield "unclosed calls", repeated(b" EXPORT_SYMBOL(")
    yield "calls in calls", repeated(b"EXPORT_SYMBOL(a,")
    yield "exports of strings", repeated(b'EXPORT_SYMBOL(""')
    yield "exports of comments", repeated(b"EXPORT_SYMBOL(/**/")
    yield "exports in a directive", repeated(b"EXPORT_SYMBOL ", b"#define ")
