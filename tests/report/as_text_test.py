# SPDX-License-Identifier: MIT
"""The text report: what a person reads."""

from __future__ import annotations

from kvm_export_hook.mend import REVIEW, Mending
from kvm_export_hook.options import Options
from kvm_export_hook.report import as_text as text
from kvm_export_hook.report.layout import ALLOW_BY_HOOK, Layout
from kvm_export_hook.values import Result
from tests.helpers.cases import parametrize
from tests.helpers.support import NOT_LISTED, judge_file

# In a tree with the make check.
ADVICE = text.ADVICE + text.TO_LIST
WITHOUT_A_LIST = text.ADVICE + "commit message, and pass --allow SYMBOL.\n"


def report(
    source: bytes, path: bytes = b"virt/kvm/x.c", *, color: bool = False, quiet: bool = False
) -> str:
    """Write the report on one file of a tree with the make check."""
    return "".join(text.report([judge_file(source, path)], Layout(color, quiet)))


def rewrite(source: bytes, *, is_rewritten: bool) -> Result:
    result = judge_file(source)
    return result.replace_findings(result.findings, is_rewritten)


def lines(source: bytes) -> list[str]:
    """Write what the report says before the summary."""
    return report(source).partition("\n\nfound")[0].splitlines()


def test_a_finding_with_the_advice_after_it() -> None:
    assert report(b"\nEXPORT_SYMBOL_GPL(kvm_foo);\n") == (
        "virt/kvm/x.c:2:1: error: EXPORT_SYMBOL_GPL(kvm_foo):"
        f" {NOT_LISTED} [not-allowlisted]\n"
        "    2 | EXPORT_SYMBOL_GPL(kvm_foo);\n"
        "      | ^~~~~~~~~~~~~~~~~ use EXPORT_SYMBOL_FOR_KVM_INTERNAL\n"
        "\n"
        "found 1 unwanted export in 1 file: 1 EXPORT_SYMBOL_GPL\n" + ADVICE
    )


def test_the_advice_for_a_tree_whose_makefile_has_no_list() -> None:
    file = judge_file(b"EXPORT_SYMBOL(a);\n", check=False)
    assert "".join(text.report([file], Layout())).endswith(WITHOUT_A_LIST)
    by_hook = "".join(text.report([file], Layout(allow_hint=ALLOW_BY_HOOK)))
    said = 'commit message, and add "args: [--allow=SYMBOL]" to the hook\'s configuration.\n'
    assert by_hook.endswith(said)


def test_the_advice_for_a_tree_without_the_macro() -> None:
    file = judge_file(b"EXPORT_SYMBOL(a);\n", has_macro=False, check=False)
    reported = "".join(text.report([file], Layout()))
    assert reported.endswith(WITHOUT_A_LIST + text.LACKING)
    assert text.LACKING not in report(b"EXPORT_SYMBOL(a);\n")


def test_the_advice_fits_a_terminal() -> None:
    assert max(map(len, (ADVICE + text.LACKING).splitlines())) <= 80


def test_quiet_leaves_the_first_line() -> None:
    assert report(b"EXPORT_SYMBOL(a);\nEXPORT_SYMBOL(b);\n", quiet=True) == (
        "virt/kvm/x.c:1:1: error: EXPORT_SYMBOL(a): KVM never uses this macro [forbidden-macro]\n"
        "virt/kvm/x.c:2:1: error: EXPORT_SYMBOL(b): KVM never uses this macro [forbidden-macro]\n"
    )


def test_nothing_found() -> None:
    assert report(b"/* EXPORT_SYMBOL_NS */\n") == ""


def test_the_summary_counts_macros_and_files() -> None:
    source = b"EXPORT_SYMBOL_GPL(a);\nEXPORT_SYMBOL(b);\nEXPORT_SYMBOL_GPL(c);\n"
    clean = b"int a;\n"
    files = [judge_file(source, b"a.c"), judge_file(clean, b"b.c"), judge_file(source, b"c.c")]
    printed = "".join(text.report(files, Layout()))
    assert (
        "\nfound 6 unwanted exports in 2 files: 2 EXPORT_SYMBOL, 4 EXPORT_SYMBOL_GPL\n" in printed
    )
    assert printed.count(ADVICE) == 1


def test_the_summary_counts_as_exports_only_what_exports() -> None:
    source = (
        b"/* EXPORT_SYMBOL */\nEXPORT_SYMBOL(b);\nEXPORT_SYMBOL_GPL(\nkvm_get_kvm);\n"
        b"/* EXPORT_SYMBOL_GPL(a) */\n"
    )
    said = "found 1 unwanted export, 1 split export, 2 mentions in 1 file:"
    assert f"\n{said} 2 EXPORT_SYMBOL, 2 EXPORT_SYMBOL_GPL\n" in report(source)
    assert "\nfound 1 mention in 1 file: 1 EXPORT_SYMBOL\n" in report(b"/* EXPORT_SYMBOL */\n")


@parametrize(
    ("source", "wrong", "remedy"),
    {
        "not-allowlisted": (
            b"EXPORT_SYMBOL_GPL(a)",
            f"EXPORT_SYMBOL_GPL(a): {NOT_LISTED} [not-allowlisted]",
            "use EXPORT_SYMBOL_FOR_KVM_INTERNAL",
        ),
        "forbidden": (
            b"__EXPORT_SYMBOL(a)",
            "__EXPORT_SYMBOL(a): KVM never uses this macro [forbidden-macro]",
            "use EXPORT_SYMBOL_FOR_KVM_INTERNAL(a)",
        ),
        "forbidden-allowlisted": (
            b"EXPORT_SYMBOL(kvm_get_kvm)",
            "EXPORT_SYMBOL(kvm_get_kvm): KVM never uses this macro [forbidden-macro]",
            "use EXPORT_SYMBOL_GPL",
        ),
        "forbidden-allowlisted-namespace": (
            b"EXPORT_SYMBOL_NS(kvm_get_kvm, x)",
            "EXPORT_SYMBOL_NS(kvm_get_kvm): KVM never uses this macro [forbidden-macro]",
            "use EXPORT_SYMBOL_GPL(kvm_get_kvm)",
        ),
        "forbidden-allowlisted-and-split": (
            b"EXPORT_SYMBOL(\nkvm_get_kvm)",
            "EXPORT_SYMBOL(kvm_get_kvm): KVM never uses this macro [forbidden-macro]",
            "use EXPORT_SYMBOL_GPL, with the symbol on the same line",
        ),
        "split": (
            b"EXPORT_SYMBOL_GPL(\nkvm_get_kvm)",
            "EXPORT_SYMBOL_GPL(kvm_get_kvm): symbol is not on its macro's line,"
            " so the tree's make check fails [split-export]",
            "put the symbol on the macro's line",
        ),
        "alias": (
            b"EXPORT_SYMBOL;",
            "EXPORT_SYMBOL: export macro without a call [export-alias]",
            "write a plain call for each symbol",
        ),
        "alias-in-a-directive": (
            b"#define A EXPORT_SYMBOL",
            "EXPORT_SYMBOL: export macro in a preprocessor directive [export-alias]",
            "write a plain call for each symbol",
        ),
        "mention-in-a-comment": (
            b"/* EXPORT_SYMBOL */",
            "EXPORT_SYMBOL: mentioned in a comment: the tree's make check cannot tell, and fails"
            " [export-mention]",
            "reword it without the macro's name",
        ),
        "mention-in-a-string": (
            b'"EXPORT_SYMBOL"',
            "EXPORT_SYMBOL: mentioned in a string: the tree's make check cannot tell, and fails"
            " [export-mention]",
            "reword it without the macro's name",
        ),
        "white-space-in-the-symbol": (
            b"EXPORT_SYMBOL_GPL(a\n\t b)",
            f"EXPORT_SYMBOL_GPL(a b): {NOT_LISTED} [not-allowlisted]",
            "use EXPORT_SYMBOL_FOR_KVM_INTERNAL",
        ),
        "long-symbol": (
            b"EXPORT_SYMBOL_GPL(" + b"a" * 300 + b")",
            "EXPORT_SYMBOL_GPL(" + "a" * 80 + f"...): {NOT_LISTED} [not-allowlisted]",
            "use EXPORT_SYMBOL_FOR_KVM_INTERNAL",
        ),
    },
)
def test_what_is_wrong_and_what_to_do(source: bytes, wrong: str, remedy: str) -> None:
    headline, _quote, marks, *_ = lines(source)
    assert headline.partition(" error: ")[2] == wrong
    assert marks.partition("~ ")[2] == remedy


SPACES = " " * 16

EXCERPTS = {
    "tabs": (
        b"\ta\tEXPORT_SYMBOL(b);\tc",
        "        a       EXPORT_SYMBOL(b);       c",
        SPACES,
    ),
    "wide-characters": ("字EXPORT_SYMBOL(b);".encode(), "字EXPORT_SYMBOL(b);", "  "),
    "fullwidth-characters": ("\uff01EXPORT_SYMBOL(b);".encode(), "\uff01EXPORT_SYMBOL(b);", "  "),
    "a-mark-around-a-character": (
        "a\u20dd EXPORT_SYMBOL(b);".encode(),
        "a\u20dd EXPORT_SYMBOL(b);",
        "  ",
    ),
    "combining-characters": (
        "e\u0301 EXPORT_SYMBOL(b);".encode(),
        "e\u0301 EXPORT_SYMBOL(b);",
        "  ",
    ),
    "tab-after-a-wide-character": (
        "字\tEXPORT_SYMBOL(b);".encode(),
        "字      EXPORT_SYMBOL(b);",
        "        ",
    ),
    "undecodable": (b"\xff EXPORT_SYMBOL(b);", r"\xff EXPORT_SYMBOL(b);", "     "),
    "control": (b"\x1b[2J EXPORT_SYMBOL(b);", r"\x1b[2J EXPORT_SYMBOL(b);", "        "),
    "right-to-left": ("\u202e EXPORT_SYMBOL(b);".encode(), "\\u202e EXPORT_SYMBOL(b);", "       "),
    "carriage-return": (b"EXPORT_SYMBOL(b);\r\n", "EXPORT_SYMBOL(b);", ""),
    "no-newline": (b"EXPORT_SYMBOL(b)", "EXPORT_SYMBOL(b)", ""),
    "long-after": (
        b"EXPORT_SYMBOL(b); " + b"x" * 1000,
        "EXPORT_SYMBOL(b); " + "x" * 54 + "...",
        "",
    ),
    "long-before": (
        b"x" * 1000 + b" EXPORT_SYMBOL(b);",
        "..." + "x" * 15 + " EXPORT_SYMBOL(b);",
        " " * 19,
    ),
    "just-fits": (b"EXPORT_SYMBOL(b);" + b"x" * 55 + b"\n", "EXPORT_SYMBOL(b);" + "x" * 55, ""),
    "cut-in-a-character": (
        "é".encode() * 500 + b" EXPORT_SYMBOL(b); " + "é".encode() * 500,
        "..." + "é" * 7 + " EXPORT_SYMBOL(b); " + "é" * 20 + "...",
        " " * 11,
    ),
    "far-down": (b"\n" * 1234567 + b"EXPORT_SYMBOL(b);", "EXPORT_SYMBOL(b);", ""),
}


@parametrize(("source", "quote", "lead"), EXCERPTS)
def test_the_excerpt_has_the_caret_under_the_macro(source: bytes, quote: str, lead: str) -> None:
    _headline, quoted, marks = lines(source)
    number, _, rest = quoted.partition(" | ")
    assert rest == quote
    assert marks.startswith(" " * len(number) + " | " + lead + "^~~~~~~~~~~~~ ")


def test_a_path_cannot_drive_the_terminal() -> None:
    printed = report(b"EXPORT_SYMBOL(a)", path=b"virt/kvm/\x1b]0;\n\xff\r.c")
    assert printed.startswith(r"virt/kvm/\x1b]0;\n\xff\r.c:1:1: error:")


def test_color_is_put_around_and_changes_no_text() -> None:
    source = b"\tEXPORT_SYMBOL(a);\n"
    colored = report(source, color=True)
    assert "\x1b[1;31merror:\x1b[m" in colored
    assert "\x1b[1;31mEXPORT_SYMBOL\x1b[m(a);" in colored
    for code in (text.BOLD, text.RED, text.GREEN, text.RESET):
        colored = colored.replace(code, "")
    assert colored == report(source)


LEFT = {
    "alias": (b"EXPORT_SYMBOL;", "unwanted export", "only plain calls can be fixed"),
    "mention": (b"/* EXPORT_SYMBOL */", "mention", "comments and strings are never rewritten"),
    "split": (
        b"EXPORT_SYMBOL_GPL(\nkvm_get_kvm)",
        "split export",
        "only the line break is wrong",
    ),
    "forbidden-and-split": (
        b"EXPORT_SYMBOL(\nkvm_get_kvm)",
        "unwanted export",
        "the tree's make check would still fail",
    ),
    "namespace": (
        b"EXPORT_SYMBOL_NS_GPL(a, b)",
        "unwanted export",
        "other modules may use this symbol, and a rewrite would break them",
    ),
    "splice": (
        b"_\\\nEXPORT_SYMBOL(a);",
        "unwanted export",
        "a backslash right before it joins it to the word before",
    ),
    "not-written": (b"EXPORT_SYMBOL(a)", "unwanted export", "the file could not be written"),
}


@parametrize(("source", "noun", "reason"), LEFT)
def test_what_a_fix_leaves_has_its_reason(source: bytes, noun: str, reason: str) -> None:
    file = rewrite(source, is_rewritten=False)
    printed = "".join(text.report([file], Layout()))
    assert f"\n      = not rewritten: {reason}\n" in printed
    assert f"\n\ncould not rewrite 1 {noun} in 1 file: 1 " in printed
    # The remedies of the others leave nothing to advise.
    assert printed.endswith(ADVICE) is (noun == "unwanted export")
    quiet = "".join(text.report([file], Layout(quiet=True)))
    assert quiet == printed.partition("\n")[0] + "\n"


FIX = Options()
FIX.fix = True


def test_what_a_fix_rewrote() -> None:
    file = rewrite(b"EXPORT_SYMBOL(kvm_get_kvm);\n\nEXPORT_SYMBOL_GPL(\n\tb);\n", is_rewritten=True)
    assert "".join(text.report([file], Layout(mending=Mending(FIX)))) == (
        "virt/kvm/x.c:1: EXPORT_SYMBOL(kvm_get_kvm) -> EXPORT_SYMBOL_GPL(kvm_get_kvm)\n"
        "virt/kvm/x.c:3: EXPORT_SYMBOL_GPL(b) -> EXPORT_SYMBOL_FOR_KVM_INTERNAL(b)\n"
        "\n"
        "rewrote 2 unwanted exports in 1 file: 1 EXPORT_SYMBOL, 1 EXPORT_SYMBOL_GPL\n" + REVIEW
    )


def test_what_a_fix_rewrote_and_left() -> None:
    file = rewrite(b"EXPORT_SYMBOL(a);\nEXPORT_SYMBOL_NS(b, c);\n", is_rewritten=True)
    printed = "".join(text.report([file], Layout(mending=Mending(FIX))))
    assert (
        "\n\nrewrote 1 unwanted export in 1 file: 1 EXPORT_SYMBOL\n"
        "could not rewrite 1 unwanted export in 1 file: 1 EXPORT_SYMBOL_NS\n" + ADVICE + REVIEW
    ) in printed
