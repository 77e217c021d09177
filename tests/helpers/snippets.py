# SPDX-License-Identifier: MIT
"""The verdict table: snippets of C with the findings expected of each."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """A snippet, and its findings as ``line:column MACRO(symbol) rule``."""

    source: bytes
    findings: list[str]


def case(source: bytes, *findings: str) -> Case:
    return Case(source, list(findings))


# Forms that are fine in every tree.
FINE = {
    "internal": b"EXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_foo);\n",
    "internal-in-a-directive": b"#define EXPORT EXPORT_SYMBOL_FOR_KVM_INTERNAL\n",
    "allowlisted": b"EXPORT_SYMBOL_GPL(kvm_get_kvm);\n",
    "allowlisted-indented": b"\tEXPORT_SYMBOL_GPL(kvm_get_kvm);\n",
    "allowlisted-spaced": b"EXPORT_SYMBOL_GPL ( kvm_get_kvm ) ;\n",
    "allowlisted-after-another": b"int a; EXPORT_SYMBOL_GPL(kvm_put_kvm);\n",
    "allowlisted-with-a-comment": b"EXPORT_SYMBOL_GPL(/* VFIO */ kvm_get_kvm /* ) */);\n",
    "allowlisted-per-cpu": b"EXPORT_PER_CPU_SYMBOL_GPL(kvm_get_kvm);\n",
    "allowlisted-namespace": b'EXPORT_SYMBOL_NS_GPL(kvm_get_kvm, "KVM");\n',
    "allowlisted-before-a-call": b"EXPORT_SYMBOL_NS_GPL(kvm_get_kvm, NAME(KVM));\n",
    "allowlisted-spliced": b"EXPORT_SYMBOL_GPL /* kvm_get_kvm */ \\\n(kvm_\\\nget_kvm)\n",
    "allowlisted-no-newline": b"EXPORT_SYMBOL_GPL(kvm_get_kvm)",
    "allowlisted-second-byte": b"\nEXPORT_SYMBOL_GPL(kvm_get_kvm);",
    "allowlisted-crlf": b"int a;\r\nEXPORT_SYMBOL_GPL(kvm_get_kvm);\r\n",
    "names-its-modules": b'EXPORT_SYMBOL_FOR_MODULES(kvm_foo, "kvm-intel");\n',
    "for-kvm": b"EXPORT_SYMBOL_FOR_KVM(kvm_foo);\n",
    "tracepoint": b"EXPORT_TRACEPOINT_SYMBOL_GPL(kvm_exit);\n",
    "static-call": b"EXPORT_STATIC_CALL_GPL(kvm_x86_foo);\n",
    "longer-word-after": b"EXPORT_SYMBOL_GPLX(kvm_foo);\nEXPORT_SYMBOL2(x);\n",
    "longer-word-before": b"MY_EXPORT_SYMBOL(kvm_foo);\nX__EXPORT_SYMBOL(x)",
    "four-underscores": b"____EXPORT_SYMBOL(kvm_foo);\n",
    "lower-case": b"export_symbol_gpl(kvm_foo);\n",
    "split-word": b"EXPORT_SYMBOL_\\\nGPL(kvm_foo);\n",
    "comment-open-after-a-closed-one": b"/* a */ /* b\nEXPORT_SYMBOL_NS(x);\n*/\n",
    "comment-that-its-opener-does-not-close": b"/*/\nEXPORT_SYMBOL_NS(x);\n*/\n",
    "comment-with-a-spliced-opener": b"/\\\n* a\nEXPORT_SYMBOL_NS(x);\n*/\n",
    "comment-with-a-spliced-opener-after-many-splices": (
        b"\\\n" * 2000 + b"/\\\n* a\nEXPORT_SYMBOL_NS(x);\n*/"
    ),
    "comment-with-a-spliced-opener-after-a-splice": b"\\\n/\\\n* a\nEXPORT_SYMBOL_NS(x);\n*/",
    "allowlisted-after-a-cr": b"int a;\rEXPORT_SYMBOL_GPL(kvm_get_kvm);\r",
    "allowlisted-call-over-crs": b"EXPORT_SYMBOL_GPL(\r/* kvm_get_kvm */\rkvm_get_kvm\r);\r",
    "comment-continued-by-a-cr": b"// a \\\rEXPORT_SYMBOL_NS(x);\r",
    "nothing": b"",
}

# Forms that are unwanted in every tree.
UNWANTED = {
    "not-allowlisted": case(
        b"EXPORT_SYMBOL_GPL(kvm_foo);\n",
        "1:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "name-that-contains-an-allowlisted-one": case(
        b"EXPORT_SYMBOL_GPL(kvm_put_kvm_no_destroy);\n",
        "1:1 EXPORT_SYMBOL_GPL(kvm_put_kvm_no_destroy) not-allowlisted",
    ),
    "name-that-ends-an-allowlisted-one": case(
        b"EXPORT_SYMBOL_GPL(get_kvm);\n",
        "1:1 EXPORT_SYMBOL_GPL(get_kvm) not-allowlisted",
    ),
    "allowlisted-name-elsewhere-on-the-line": case(
        b"EXPORT_SYMBOL_GPL(kvm_foo); /* like kvm_get_kvm */\n",
        "1:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "allowlisted-name-in-two-words": case(
        b"EXPORT_SYMBOL_GPL(kvm_get/**/_kvm);\n",
        "1:1 EXPORT_SYMBOL_GPL(kvm_get _kvm) not-allowlisted",
    ),
    "forbidden": case(
        b"EXPORT_SYMBOL(kvm_foo);\n",
        "1:1 EXPORT_SYMBOL(kvm_foo) forbidden-macro",
    ),
    "forbidden-although-allowlisted": case(
        b"EXPORT_SYMBOL(kvm_get_kvm);\n",
        "1:1 EXPORT_SYMBOL(kvm_get_kvm) forbidden-macro",
    ),
    "namespace": case(
        b'EXPORT_SYMBOL_NS_GPL(kvm_foo, "KVM");\n',
        "1:1 EXPORT_SYMBOL_NS_GPL(kvm_foo) not-allowlisted",
    ),
    "raw-macro": case(
        b'___EXPORT_SYMBOL(kvm_foo, "GPL", "");\n',
        "1:1 ___EXPORT_SYMBOL(kvm_foo) forbidden-macro",
    ),
    "indented": case(
        b"\tEXPORT_SYMBOL_GPL(kvm_foo);\n",
        "1:2 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "several-on-a-line": case(
        b"EXPORT_SYMBOL(a);EXPORT_SYMBOL_GPL(b); EXPORT_SYMBOL_GPL(kvm_get_kvm);EXPORT_SYMBOL(c)\n",
        "1:1 EXPORT_SYMBOL(a) forbidden-macro",
        "1:18 EXPORT_SYMBOL_GPL(b) not-allowlisted",
        "1:71 EXPORT_SYMBOL(c) forbidden-macro",
    ),
    "over-several-lines": case(
        b"int a;\n\nEXPORT_SYMBOL_GPL\n(\n\tkvm_foo\n)\n;\n",
        "3:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "comments-in-the-call": case(
        b"EXPORT_SYMBOL_GPL /* ( */ ( // )\n /* , */ kvm_foo /* ) */ );\n",
        "1:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "another-macro-in-the-comment": case(
        b" EXPORT_SYMBOL_GPL(/* was EXPORT_SYMBOL_NS(x) */ kvm_foo);\n",
        "1:2 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "splice-before-the-parenthesis": case(
        b"EXPORT_SYMBOL_GPL\\\n(kvm_foo);\n",
        "1:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "splice-with-blanks": case(
        b"EXPORT_SYMBOL_GPL\\ \t\n(kvm_\\\r\nfoo);\n",
        "1:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "splice-in-the-macro": case(
        b"EXPORT_SYMBOL\\\n_GPL(kvm_foo);\n",
        "1:1 EXPORT_SYMBOL export-alias",
    ),
    "nested-parentheses": case(
        b"EXPORT_SYMBOL_GPL(STATIC_CALL_KEY(kvm, (x)));\n",
        "1:1 EXPORT_SYMBOL_GPL(STATIC_CALL_KEY(kvm, (x))) not-allowlisted",
    ),
    "nested-parentheses-and-a-second-argument": case(
        b'EXPORT_SYMBOL_NS(KEY(kvm, x), "KVM, other");\n',
        "1:1 EXPORT_SYMBOL_NS(KEY(kvm, x)) forbidden-macro",
    ),
    "parenthesised": case(
        b"EXPORT_SYMBOL_GPL((kvm_get_kvm));\n",
        "1:1 EXPORT_SYMBOL_GPL((kvm_get_kvm)) not-allowlisted",
    ),
    "string-argument": case(
        b'EXPORT_SYMBOL_GPL(")");\n',
        '1:1 EXPORT_SYMBOL_GPL("") not-allowlisted',
    ),
    "empty-call": case(
        b"EXPORT_SYMBOL_GPL();\n",
        "1:1 EXPORT_SYMBOL_GPL() not-allowlisted",
    ),
    "division-in-the-call": case(
        b" EXPORT_SYMBOL_GPL(a / b);\n",
        "1:2 EXPORT_SYMBOL_GPL(a / b) not-allowlisted",
    ),
    "no-semicolon": case(
        b"EXPORT_SYMBOL_GPL(kvm_foo)\nint a;\n",
        "1:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "no-newline-at-the-end": case(
        b"EXPORT_SYMBOL_GPL(kvm_foo)",
        "1:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "crlf": case(
        b"int a;\r\nEXPORT_SYMBOL_GPL(kvm_foo);\r\n",
        "2:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "byte-order-mark": case(
        b"\xef\xbb\xbfEXPORT_SYMBOL_GPL(kvm_foo);\n",
        "1:4 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "byte-order-mark-and-directive": case(
        b"\xef\xbb\xbf#define X EXPORT_SYMBOL_GPL(kvm_get_kvm)\n",
        "1:14 EXPORT_SYMBOL_GPL export-alias",
    ),
    "nul-bytes": case(
        b"\0\0EXPORT_SYMBOL_GPL\0(\0kvm_foo\0)\n",
        "1:3 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "invalid-utf-8": case(
        b"\xff\xfeEXPORT_SYMBOL_GPL(kvm_\xff);\n",
        "1:3 EXPORT_SYMBOL_GPL(kvm_\xff) not-allowlisted",
    ),
    "if-0": case(
        b"#if 0\nEXPORT_SYMBOL_GPL(kvm_foo);\n#endif\n",
        "2:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "after-a-comment": case(
        b"/* a */ EXPORT_SYMBOL_GPL(kvm_foo);\n// b\nEXPORT_SYMBOL_GPL(kvm_bar);\n",
        "1:9 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
        "3:1 EXPORT_SYMBOL_GPL(kvm_bar) not-allowlisted",
    ),
    "after-a-string-with-comment-marks": case(
        b'char *a = "/*"; char b = \'"\'; char *c = "\\"//";\n EXPORT_SYMBOL_GPL(kvm_foo);\n',
        "2:2 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "after-an-unclosed-string": case(
        b"#error don't\n EXPORT_SYMBOL_GPL(kvm_foo);\n",
        "2:2 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "after-a-directive": case(
        b"#include <linux/kvm_types.h>\nEXPORT_SYMBOL_GPL(kvm_foo);\n",
        "2:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "hash-after-code": case(
        b"a # EXPORT_SYMBOL_GPL(kvm_foo);\n",
        "1:5 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "bare": case(b"EXPORT_SYMBOL_GPL;\n", "1:1 EXPORT_SYMBOL_GPL export-alias"),
    "bare-at-the-end": case(b"x EXPORT_SYMBOL", "1:3 EXPORT_SYMBOL export-alias"),
    "unclosed": case(b"EXPORT_SYMBOL_GPL(kvm_get_kvm;\n", "1:1 EXPORT_SYMBOL_GPL export-alias"),
    "unclosed-before-another": case(
        b"EXPORT_SYMBOL_GPL(kvm_get_kvm\nEXPORT_SYMBOL_GPL(kvm_foo);\n",
        "1:1 EXPORT_SYMBOL_GPL export-alias",
        "2:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "unclosed-before-a-plain-one": case(
        b" EXPORT_SYMBOL_GPL(kvm_get_kvm,\nEXPORT_SYMBOL_GPL(kvm_foo));\n",
        "1:2 EXPORT_SYMBOL_GPL export-alias",
        "2:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "unclosed-before-a-permitted-one": case(
        b"EXPORT_SYMBOL(kvm_get_kvm\nEXPORT_SYMBOL_GPL(kvm_get_kvm);\n)\n",
        "1:1 EXPORT_SYMBOL export-alias",
    ),
    "a-macro-for-a-symbol": case(
        b"EXPORT_SYMBOL(EXPORT_SYMBOL_GPL);\n",
        "1:1 EXPORT_SYMBOL(EXPORT_SYMBOL_GPL) forbidden-macro",
        "1:15 EXPORT_SYMBOL_GPL export-alias",
    ),
    "one-in-the-other": case(
        b"EXPORT_SYMBOL(EXPORT_SYMBOL(kvm_foo));\n",
        "1:1 EXPORT_SYMBOL export-alias",
        "1:15 EXPORT_SYMBOL(kvm_foo) forbidden-macro",
    ),
    "a-very-long-call": case(
        b"EXPORT_SYMBOL_GPL(kvm_get_kvm" + b" " * 2000 + b");\n",
        "1:1 EXPORT_SYMBOL_GPL export-alias",
    ),
    "a-very-deep-call": case(
        b"EXPORT_SYMBOL_GPL" + b"(" * 40 + b"kvm_get_kvm" + b")" * 40 + b";\n",
        "1:1 EXPORT_SYMBOL_GPL export-alias",
    ),
    "a-deep-call": case(
        b"EXPORT_SYMBOL_GPL" + b"(" * 30 + b"a, b" + b")" * 30 + b";\n",
        "1:1 EXPORT_SYMBOL_GPL(" + "(" * 29 + "a, b" + ")" * 29 + ") not-allowlisted",
    ),
    "a-very-long-string": case(
        b'char *a = "' + b'\\"' * 2000 + b'"; EXPORT_SYMBOL(kvm_foo);\n',
        "1:4015 EXPORT_SYMBOL(kvm_foo) forbidden-macro",
    ),
    "after-a-string-that-ends-in-a-backslash": case(
        b'char *s = "a\\\\\n\n EXPORT_SYMBOL_GPL(kvm_foo);\n',
        "3:2 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "define": case(
        b"#define EXPORT EXPORT_SYMBOL_GPL\n",
        "1:16 EXPORT_SYMBOL_GPL export-alias",
    ),
    "define-on-the-second-line": case(
        b"\n#define EXPORT EXPORT_SYMBOL_GPL(kvm_get_kvm)\n",
        "2:16 EXPORT_SYMBOL_GPL export-alias",
    ),
    "define-by-a-digraph": case(
        b"%:define EXPORT EXPORT_SYMBOL_GPL(kvm_get_kvm)\n",
        "1:17 EXPORT_SYMBOL_GPL export-alias",
    ),
    "define-of-an-allowlisted-call": case(
        b"# define EXPORT \\\n\tEXPORT_SYMBOL_GPL(kvm_get_kvm)\n",
        "2:2 EXPORT_SYMBOL_GPL export-alias",
    ),
    "define-continued-at-the-start-of-a-line": case(
        b"#define EXPORT \\\nEXPORT_SYMBOL_GPL(kvm_get_kvm)\n",
        "2:1 EXPORT_SYMBOL_GPL export-alias",
    ),
    "define-continued-with-crlf": case(
        b"#define EXPORT \\\r\nEXPORT_SYMBOL_GPL(kvm_get_kvm)\r\n",
        "2:1 EXPORT_SYMBOL_GPL export-alias",
    ),
    "define-after-a-comment": case(
        b"/* a */ /* b\n */ # /* c */ define EXPORT EXPORT_SYMBOL_GPL\n",
        "2:29 EXPORT_SYMBOL_GPL export-alias",
    ),
    "define-over-a-comment": case(
        b"#define EXPORT /* a\n b */ EXPORT_SYMBOL(x)\n",
        "2:7 EXPORT_SYMBOL export-alias",
    ),
    "define-of-two": case(
        b"#define EXPORT(a) EXPORT_SYMBOL(a) EXPORT_SYMBOL_GPL(a)\n",
        "1:19 EXPORT_SYMBOL export-alias",
        "1:36 EXPORT_SYMBOL_GPL export-alias",
    ),
    "ifdef": case(b"#ifdef EXPORT_SYMBOL\n#endif\n", "1:8 EXPORT_SYMBOL export-alias"),
    "spliced-comment-marks": case(
        b"/\\\n* a *\\\n/ EXPORT_SYMBOL(kvm_foo);\n",
        "3:3 EXPORT_SYMBOL(kvm_foo) forbidden-macro",
    ),
    "comment-that-does-not-close-at-once": case(
        b"/*/\nEXPORT_SYMBOL_NS(a, b)\n*/ EXPORT_SYMBOL(kvm_foo);\n",
        "3:4 EXPORT_SYMBOL(kvm_foo) forbidden-macro",
    ),
    "cr": case(
        b"int a;\r// hello\rEXPORT_SYMBOL_GPL(kvm_foo);\r",
        "1:17 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "cr-ends-a-line-comment": case(
        b"//\rEXPORT_SYMBOL_GPL(kvm_foo);\n",
        "1:4 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "cr-ends-a-string": case(
        b"'\rEXPORT_SYMBOL_GPL(kvm_foo);\n",
        "1:3 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "cr-ends-a-directive": case(
        b"#define A\rEXPORT_SYMBOL_GPL(kvm_foo);\n",
        "1:11 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "cr-begins-a-directive": case(
        b"int a;\r#define A EXPORT_SYMBOL_GPL(kvm_get_kvm);\n",
        "1:18 EXPORT_SYMBOL_GPL export-alias",
    ),
    "cr-continues-a-directive": case(
        b"#define A \\\rEXPORT_SYMBOL_GPL(kvm_get_kvm);\n",
        "1:13 EXPORT_SYMBOL_GPL export-alias",
    ),
    "cr-and-blank-are-no-splice": case(
        b"// a \\\r \nEXPORT_SYMBOL_GPL(kvm_foo);\n",
        "2:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "cr-and-crlf-are-no-splice": case(
        b"// a \\\r\r\nEXPORT_SYMBOL_GPL(kvm_foo);\n",
        "2:1 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
    "lines-end-at-a-newline-alone": case(
        b"\r\r\n\rEXPORT_SYMBOL_GPL(kvm_foo);\r",
        "2:2 EXPORT_SYMBOL_GPL(kvm_foo) not-allowlisted",
    ),
}

# Forms that only the make check of the tree makes unwanted.
FAIL_THE_BUILD = {
    "block-comment": case(
        b"/* once EXPORT_SYMBOL_GPL */\n",
        "1:9 EXPORT_SYMBOL_GPL export-mention",
    ),
    "block-comment-line": case(
        b"/*\nEXPORT_SYMBOL_GPL(kvm_foo);\n*/\n",
        "2:1 EXPORT_SYMBOL_GPL export-mention",
    ),
    "line-comment": case(b"// EXPORT_SYMBOL\n", "1:4 EXPORT_SYMBOL export-mention"),
    "line-comment-at-the-end": case(b"// EXPORT_SYMBOL", "1:4 EXPORT_SYMBOL export-mention"),
    "line-comment-continued": case(
        b"// a \\\nEXPORT_SYMBOL(kvm_foo)\n",
        "2:1 EXPORT_SYMBOL export-mention",
    ),
    "unclosed-comment": case(b"/* EXPORT_SYMBOL", "1:4 EXPORT_SYMBOL export-mention"),
    "string": case(b'char *a = "EXPORT_SYMBOL";\n', "1:12 EXPORT_SYMBOL export-mention"),
    "string-with-escapes": case(
        b'char *a = "\\"\\\\\\"EXPORT_SYMBOL";\n',
        "1:18 EXPORT_SYMBOL export-mention",
    ),
    "unclosed-string": case(b'"EXPORT_SYMBOL(kvm_foo)\n', "1:2 EXPORT_SYMBOL export-mention"),
    "character-constant": case(b"'EXPORT_SYMBOL'\n", "1:2 EXPORT_SYMBOL export-mention"),
    "comment-in-a-directive": case(
        b"#endif /* EXPORT_SYMBOL */\n",
        "1:11 EXPORT_SYMBOL export-mention",
    ),
    "string-in-a-directive": case(
        b'#define A "EXPORT_SYMBOL"\n',
        "1:12 EXPORT_SYMBOL export-mention",
    ),
    "several-in-a-comment": case(
        b"/* EXPORT_SYMBOL\n * EXPORT_SYMBOL_GPL(kvm_get_kvm) EXPORT_SYMBOL\n EXPORT_SYMBOL */\n",
        "1:4 EXPORT_SYMBOL export-mention",
        "3:2 EXPORT_SYMBOL export-mention",
    ),
    "split-export": case(
        b"EXPORT_SYMBOL_GPL(\n\tkvm_get_kvm);\n",
        "1:1 EXPORT_SYMBOL_GPL(kvm_get_kvm) split-export",
    ),
    "spliced-export": case(
        b"EXPORT_SYMBOL_GPL(kvm_\\\nget_kvm);\n",
        "1:1 EXPORT_SYMBOL_GPL(kvm_get_kvm) split-export",
    ),
}

# Each of them, by its name.
SNIPPETS = FINE | {name: case.source for name, case in (UNWANTED | FAIL_THE_BUILD).items()}
