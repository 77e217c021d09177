# SPDX-License-Identifier: MIT
"""Names as git quotes them, and for a shell."""

from __future__ import annotations

import ast
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from kvm_export_hook.fix.quote import quote_name
from kvm_export_hook.fix.shell import quote_for_shell
from tests.helpers.cases import parametrize

NAMES = {
    "plain": (b"virt/kvm/x.c", b"virt/kvm/x.c"),
    "blank-and-tilde": (b"a b~.c", b"a b~.c"),
    "umlaut": ("ä.c".encode(), rb'"\303\244.c"'),
    "tab": (b"a\tb.c", rb'"a\tb.c"'),
    "quote": (b'a"b.c', rb'"a\"b.c"'),
    "backslash": (b"a\\b.c", rb'"a\\b.c"'),
    "lowest-and-delete": (b"\x01\x7f.c", rb'"\001\177.c"'),
    "highest": (b"\xff.c", rb'"\377.c"'),
}


@parametrize(("name", "written"), NAMES)
def test_names_that_may_be_mistaken_are_quoted(name: bytes, written: bytes) -> None:
    assert quote_name(name) == written


@given(st.binary())
def test_every_name_can_be_read_back(name: bytes) -> None:
    written = quote_name(name)
    assert b"\n" not in written
    if written != name:
        # Python reads what git writes in the same way.
        assert ast.literal_eval(f"b{written.decode('ascii')}") == name


WORDS = {
    "plain": (b"virt/kvm/x-1.c", "virt/kvm/x-1.c"),
    "empty": (b"", "''"),
    "blank": (b"a b", "'a b'"),
    "quote": (b"a'b", r"'a'\''b'"),
    "home": (b"~", "'~'"),
    "home-in-what-bash-takes-for-an-assignment": (b"a=~/x", "'a=~/x'"),
    "home-after-its-colon": (b"a=b:~/x", "'a=b:~/x'"),
    "parent": (b"HEAD~", "HEAD~"),
    "not-ascii": ("ä.c".encode(), r'''"$(printf %b '\0303\0244.c')"'''),
    "escape": (b"\x1b[2J", r'''"$(printf %b '\0033\01332J')"'''),
    "command": (b"a##[x", r'''"$(printf %b 'a\0043\0043\0133x')"'''),
    "other-command": (b"::x", r'''"$(printf %b '\0072\0072x')"'''),
}


@parametrize(("word", "written"), WORDS)
def test_words_for_a_shell(word: bytes, written: str) -> None:
    assert quote_for_shell(word) == written


@settings(max_examples=30)
@given(st.lists(st.binary().map(lambda word: word.replace(b"\0", b"").rstrip(b"\n")), min_size=5))
def test_a_shell_reads_them_back(words: list[bytes]) -> None:
    written = " ".join(map(quote_for_shell, words))
    assert written.isascii()
    assert written.isprintable()
    read = subprocess.run(
        ["sh", "-c", "for word in " + written + "; do printf '%s\\0' \"$word\"; done"],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    assert read.split(b"\0")[:-1] == words
