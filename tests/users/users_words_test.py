# SPDX-License-Identifier: MIT
"""The words of C that count, where they stand, and what a header defines."""

from __future__ import annotations

import re

import pytest

from kvm_export_hook.users.closure import find_leading_bodies
from kvm_export_hook.users.exported import find_exported_names
from kvm_export_hook.users.headers import Header
from kvm_export_hook.users.macros import Macros
from kvm_export_hook.users.uses import find_uses
from kvm_export_hook.users.words import WantedNames, find_offsets, find_words, hide_text
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
    "assembler": (r'asm volatile("\tcall a\n" : "=r"(b) /* c */); "d"', "asm volatile call a r b"),
    "assembler in assembler": ('asm("a" : : "i"(asm("b"))); "c"', "asm a i b"),
    "the place of the assembler": ('asm goto(".long a - .\\n"\n"b")', "asm goto a b"),
    "assembler without an end": ('asm("a"; "b"', "asm"),
    "directives": ("#define a b\n#if c\n#endif", "a b c define endif if"),
    "includes": ('#include <a/b.h>\n# include "c.h"\n#included d', "included d"),
}
DEFINITIONS = {
    "a macro": ("#define a b", "a: b"),
    "a macro without a body": ("#define a\n#define b c", "a: | b: c"),
    "a macro with arguments": ("#define a(x) b(x)", "a: b"),
    "a macro with any number of arguments": ("#define a(x, ...) b(x, __VA_ARGS__)", "a: b"),
    "a macro with a name for these": ("#define a(x, y...) b(x, y)", "a: b"),
    "a class": ("DEFINE_CLASS(a, struct b, c(_T), ({\n\td();\n}), int e)", "a: c _T d int e"),
    "a class, its exit a statement": ("DEFINE_GUARD(a, b *, c(_T), if (_T) d())", "a: b c _T if d"),
    "no event, which is another module's": ("TRACE_EVENT(a, b(c));\nDEFINE_EVENT(d, e, f)", ""),
    "no call without an argument": ("a();", ""),
    "no statement that is empty": (";;\n;", ""),
    "a function that a macro makes": (
        "#define M(n) static int n##_get(void) { return n##_set(); }\nM(a)\nM(b);",
        "M: static int _get void return _set | a_get: return a_set | b_get: return b_set",
    ),
    "a function that a macro makes of many arguments": (
        "#define M(n, x, ...) static int n##_get(void) { return x(__VA_ARGS__); }\nM(a, f, b, c)",
        "M: static int _get void return | a_get: return f b c",
    ),
    "a call without an end": (
        "DEFINE_FREE(a, b, c\nint f(void)\n{\n\tg();\n}",
        "a: b c int f void g",
    ),
    "a function with parameters": (
        "int f(int a, int b[2], int (*c)(int d)) { e(a, b, c); }",
        "f: e",
    ),
    "a macro with spaces": (" # \tdefine  a\tb", "a: b"),
    "a macro of several lines": ("#define a \\\n b \\\n c\nd", "a: b c"),
    "a macro after a comment": ("/*\n#define a b\n*/\n#define c d", "c: d"),
    "a macro in a function": ("int f(void)\n{\n#define a b\n\tc();\n}", "a: b | f: c"),
    "no other directive": ("#undef a\n#if b\n#endif", ""),
    "a function": ("static inline int f(int x)\n{\n\treturn g(x);\n}\n", "f: return g"),
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
    "no structure and no enumeration": ("struct a { b c; }; enum { d = 1 }; enum { e };", ""),
    "a list": ("int a[] = { b(1) };", "a: b 1"),
    "a list of a size": ("static const int a[sizeof(b)] __read_mostly = { c };", "a: c"),
    "a value": ("static int a = b;", "a: b"),
    "a pointer to a function": ("static int (*const a[])(int x) = { b, [c] = d };", "a: b c d"),
    "a value without a name": ("(a) = b;", ""),
    "a brace too many": ("}\n}\nint f(void)\n{\n\tg();\n}", "f: g"),
    "a list that a macro fills": ("int a[] = M(b) { c };", "a: M b c"),
    "parentheses without a name": ("(int) { a };", ""),
    "a function without an end": ("int f(void)\n{\n\tg();\n", ""),
}


@parametrize(("source", "words"), WORDS)
def test_words_that_count(source: str, words: str) -> None:
    code = hide_text(source.encode(), keeps_lines=False)
    assert sorted(find_words(code)) == sorted(words.encode().split())
    every = set(re.findall(rb"\w+", code)) - {b"struct", b"union", b"enum"}
    named = [word for word in every if list(find_offsets(code, word))]
    assert sorted(named) == sorted(words.encode().split())


def test_the_first_line_of_a_word() -> None:
    source = b'/*\na */\nb++;\n"a" a++;\nx(a, b, c)'
    assert find_uses(source, WantedNames({b"a", b"b", b"c", b"d"})).lines == {
        b"b": 3,
        b"a": 4,
        b"c": 5,
    }


def read(*texts: bytes) -> tuple[list[Header], Macros]:
    """Read headers with TEXTS, and the macros of all."""
    headers = [Header(b"x.h", text) for text in texts]
    return headers, Macros(macro for header in headers for macro in header.macros)


@parametrize(("header", "definitions"), DEFINITIONS)
def test_definitions_of_a_header(header: str, definitions: str) -> None:
    (taken,), macros = read(header.encode())
    found = {each.name.decode(): each.read_words() for each in taken.read_definitions(macros)}
    expected = dict(each.partition(":")[::2] for each in definitions.split(" | ") if each)
    assert found == {name: set(words.encode().split()) for name, words in expected.items()}


@pytest.mark.parametrize(
    ("source", "exported"),
    [
        (b"EXPORT_SYMBOL_GPL(a);\nEXPORT_SYMBOL ( b ); a(c);", {b"a", b"b"}),
        (b"EXPORT_TRACEPOINT_SYMBOL(a); EXPORT_OTHER(b);", {b"__tracepoint_a"}),
        (b"EXPORT_SYMBOL_GPL;", set()),
        (b"a(b);", set()),
    ],
)
def test_what_a_source_exports(source: bytes, exported: set[bytes]) -> None:
    assert find_exported_names(source) == exported


def test_each_definition_of_a_name_counts() -> None:
    read_headers = read(b"#define a kvm_foo\n#define a b\n", b"#define a kvm_bar\n")
    bodies = find_leading_bodies(*read_headers, {b"kvm_foo", b"kvm_bar"})
    assert bodies == {b"a": [b"kvm_bar", b"kvm_foo"]}


def test_names_that_lead_to_one_another_end() -> None:
    headers = read(b"#define a b kvm_foo\n#define b a c\n#define c c\n")
    assert find_leading_bodies(*headers, {b"kvm_foo"}) == {
        b"a": [b"b", b"kvm_foo"],
        b"b": [b"a"],
    }


def test_a_member_leads_nowhere() -> None:
    assert find_leading_bodies(*read(b"#define a b.kvm_foo\n"), {b"kvm_foo"}) == {}


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
    "parentheses": b"a(" * SIZE,
    "structures": b"struct a {} " * SIZE,
    "calls": b"a (b) " * SIZE,
    "blocks after a call": b"a(b)" + b"{}" * SIZE,
    "lines that begin with a brace": b"f()\n{" * SIZE,
    "assembler": b"asm(" * SIZE,
    "pasted names": b"#define a b" + b"##b" * SIZE,
    "calls in calls": b"#define f(x) x##x\n" + b"f(" * SIZE,
    "a directive of many lines": b"#define a \\\n" * SIZE,
    "macros that lead to one another": b"#define a0 kvm_foo\n"
    + b"".join(b"#define a%d a%d\n" % (number + 1, number) for number in range(50_000)),
}


@parametrize("source", HOSTILE)
def test_hostile_sources_end(source: bytes) -> None:
    bodies = find_leading_bodies(*read(source + b"\nkvm_foo"), {b"kvm_foo"})
    assert len(bodies) in (0, 1, 50_001)
    assert not find_uses(source, WantedNames({b"kvm_bar"})).lines
    assert not find_uses(source + b"\n;}kvm_bar", WantedNames({b"kvm_none"})).lines
    find_uses(source + b"\nkvm_bar", WantedNames({b"kvm_bar"}))


@pytest.mark.parametrize(
    "header",
    [
        b"#define a0(x) x##x\n"
        + b"".join(b"#define a%d(x) a%d(x) a%d(x)\n" % (n + 1, n, n) for n in range(40))
        + b"a12(a12(a12(y)))\na40(y)",
        b"#define a(x) " + b"x" * 10_000 + b" x##_\n" + b"a(y)\n" * 1000,
    ],
    ids=["macros that grow", "a long macro"],
)
def test_what_makes_too_much_is_not_expanded_to_its_end(header: bytes) -> None:
    (taken,), macros = read(header)
    taken.read_definitions(macros)
    assert not macros.is_whole
