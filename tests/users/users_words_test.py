# SPDX-License-Identifier: MIT
"""The words of C that count, where they stand, and what a header defines."""

from __future__ import annotations

import re

import pytest

from kvm_export_hook.users.closure import find_leading_bodies
from kvm_export_hook.users.words import (
    Header,
    find_definitions,
    find_exported_names,
    find_first_lines,
)
from tests.helpers.cases import parametrize

WORDS = {
    "calls": ("foo(bar)", "foo bar"),
    "arguments of every kind": ("a, b - c ... d", "a b c d"),
    "after a comment": ("/* a */ b // c\nd", "b d"),
    "after a comment of stars": ("/***/ a /**/ b /*/ c */ d", "a b d"),
    "after an open comment": ("a /* b", "a"),
    "after a division": ("a / b", "a b"),
    "after a string": (r'"a \" b" c', "c"),
    "after a string of escapes": (r'"\a \b \\" c', "c"),
    "after a string that is not closed": ('"a\nb', "b"),
    "after a character": (r"'a' '\'' '\a' b", "b"),
    "members": ("a.b a->b a . b a ->\nb c", "a c"),
    "designators": ("{ .a = b, [c] = d }", "b c d"),
    "tags": ("struct a b; union\nc d; enum e f; structure g", "b d f structure g"),
    "a tag's body": ("struct a { b c; }", "b c"),
    "directives": ("#define a b\n#if c\n#endif", "define a b if c endif"),
    "includes": ('#include <a/b.h>\n# include "c.h"\n#included d', "included d"),
}
DEFINITIONS = {
    "a macro": ("#define a b", "a: b"),
    "a macro without a body": ("#define a\n#define b c", "a: | b: c"),
    "a macro with arguments": ("#define a(x) b(x)", "a: b x"),
    "a macro with spaces": (" # \tdefine  a\tb", "a: b"),
    "a macro of several lines": ("#define a \\\n b \\\n c\nd", "a: b c"),
    "a macro after a comment": ("/*\n#define a b\n*/\n#define c d", "c: d"),
    "a macro in a function": ("int f(void)\n{\n#define a b\n\tc();\n}", "a: b | f: c"),
    "no other directive": ("#undef a\n#if b\n#endif", ""),
    "a function": ("static inline int f(int x)\n{\n\treturn g(x);\n}\n", "f: return g x"),
    "a function on a line": (
        "static void f(void) { g(); } static void h(void) { i(); }",
        "f: g | h: i",
    ),
    "a function with braces": (
        "void f(void)\n{\n\tif (a) {\n\t\tb();\n\t}\n\tc();\n}",
        "f: if a b c",
    ),
    "functions under #if": (
        "#if A\nvoid f(int a) {\n#else\nvoid f(int b) {\n#endif\n\tc();\n}\n"
        "void g(void)\n{\n\td();\n}",
        "f: void f int b c | g: d",
    ),
    "a function after one without an end": (
        "void f(void) {\n\tx();\nint g(void)\n{\n\th();\n}",
        "g: h",
    ),
    "a function with attributes": (
        "static __printf(1, 2) __attribute__((x)) void f(int y) __must_hold(z)\n{\n\tg();\n}",
        "f: g",
    ),
    "a function after a declaration": ("int a(void);\nint f(void)\n{\n\tg();\n}", "f: g"),
    "a function after a structure": ("struct a { int b; };\nint f(void)\n{\n\tg();\n}", "f: g"),
    "no structure, enumeration or list": ("struct a { b c; }; enum { d }; int e[] = { f(1) };", ""),
    "no list that a call begins": ("int a[sizeof(b)] = { c };", ""),
    "a brace too many": ("}\n}\nint f(void)\n{\n\tg();\n}", "f: g"),
    "a list that a macro fills": ("int a[] = M(b) { c };", "M: c"),
    "parentheses without a name": ("(int) { a };", ""),
    "a function without an end": ("int f(void)\n{\n\tg();\n", ""),
}


@parametrize(("source", "words"), WORDS)
def test_words_that_count(source: str, words: str) -> None:
    every = set(re.findall(rb"\w+", source.encode()))
    assert list(find_first_lines(source.encode(), every)) == words.encode().split()


def test_the_first_line_of_a_word() -> None:
    lines = find_first_lines(b'/*\na */\nb\n"a" a\na b c', {b"a", b"b", b"c", b"d"})
    assert lines == {b"b": 3, b"a": 4, b"c": 5}


@parametrize(("header", "definitions"), DEFINITIONS)
def test_definitions_of_a_header(header: str, definitions: str) -> None:
    found = {name.decode(): words for name, words in find_definitions(header.encode())}
    expected = dict(each.partition(":")[::2] for each in definitions.split(" | ") if each)
    assert found == {name: set(words.encode().split()) for name, words in expected.items()}


@pytest.mark.parametrize(
    ("source", "exported"),
    [
        (b"EXPORT_SYMBOL_GPL(a);\nEXPORT_SYMBOL ( b ); a(c);", {b"a", b"b"}),
        (b"/* EXPORT_SYMBOL_GPL(a); */", set()),
        (b"EXPORT_SYMBOL_GPL;", set()),
        (b"a(b);", set()),
    ],
)
def test_what_a_source_exports(source: bytes, exported: set[bytes]) -> None:
    assert find_exported_names(source) == exported


def test_only_headers_that_may_lead_to_a_symbol_are_taken_apart() -> None:
    texts = [b"#define a b\n", b"#define b kvm_foo\n", b"#define c d\n"]
    headers = [Header(text) for text in texts]
    assert find_leading_bodies(headers, {b"kvm_foo"}) == {b"a": [b"b"], b"b": [b"kvm_foo"]}
    assert [header.definitions is None for header in headers] == [False, False, True]


def test_each_definition_of_a_name_counts() -> None:
    headers = [Header(b"#define a kvm_foo\n#define a b\n"), Header(b"#define a kvm_bar\n")]
    bodies = find_leading_bodies(headers, {b"kvm_foo", b"kvm_bar"})
    assert bodies == {b"a": [b"kvm_bar", b"kvm_foo"]}


def test_names_that_lead_to_one_another_end() -> None:
    header = Header(b"#define a b kvm_foo\n#define b a c\n#define c c\n")
    assert find_leading_bodies([header], {b"kvm_foo"}) == {b"a": [b"b", b"kvm_foo"], b"b": [b"a"]}


SIZE = 100_000
HOSTILE = {
    "comment openers": b"/*" * SIZE,
    "quotes": b'"' * SIZE,
    "escapes": b'"' + b"\\" * SIZE,
    "members": b"->" * SIZE,
    "blanks after a tag": b"struct" + b" " * SIZE,
    "a long word": b"(" + b"a" * SIZE + b"{}",
    "a long export": b"EXPORT_" + b"a" * SIZE,
    "braces": b"f(){" * SIZE,
    "functions": b"f(){}" * SIZE,
    "macros that lead to one another": b"#define a0 kvm_foo\n"
    + b"".join(b"#define a%d a%d\n" % (number + 1, number) for number in range(50_000)),
}


@parametrize("source", HOSTILE)
def test_hostile_sources_end(source: bytes) -> None:
    bodies = find_leading_bodies([Header(source + b"\nkvm_foo")], {b"kvm_foo"})
    assert len(bodies) in (0, 50_001)
    assert not find_first_lines(source, {b"kvm_bar"})
    assert not find_exported_names(source)
