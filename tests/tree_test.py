# SPDX-License-Identifier: MIT
"""What a kernel tree says of itself."""

from __future__ import annotations

import pytest

from kvm_export_hook.rules import tree
from tests.support import MAKEFILE_WITH_CHECK, TYPES_WITH_MACRO, TYPES_WITHOUT_MACRO

MACRO = b"EXPORT_SYMBOL_FOR_KVM_INTERNAL"


@pytest.mark.parametrize(
    ("header", "defined"),
    {
        "plain": (b"#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol)\n", True),
        "object-like": (b"#define EXPORT_SYMBOL_FOR_KVM_INTERNAL EXPORT_SYMBOL_GPL\n", True),
        "spaced": (b"\t# \tdefine\tEXPORT_SYMBOL_FOR_KVM_INTERNAL(symbol)\r\n", True),
        "in-an-ifdef": (TYPES_WITH_MACRO, True),
        "in-a-comment": (TYPES_WITHOUT_MACRO, False),
        "in-a-quoted-define": (b" * #define EXPORT_SYMBOL_FOR_KVM_INTERNAL\n", False),
        "another-macro": (b"#define EXPORT_SYMBOL_FOR_KVM_INTERNAL2(symbol)\n", False),
        "undefined": (b"#undef EXPORT_SYMBOL_FOR_KVM_INTERNAL\n", False),
        "empty": (b"", False),
    }.values(),
)
def test_a_header_that_does_not_define_the_macro(header: bytes, defined: bool) -> None:
    assert tree.learn(MACRO, header, None).lacks_macro is not defined


def test_a_header_that_is_not_there_proves_nothing() -> None:
    facts = tree.learn(MACRO, None, None)
    assert not facts.lacks_macro
    assert not facts.has_check
    assert facts.allowlist == frozenset()


@pytest.mark.parametrize(
    ("makefile", "names"),
    {
        "as-in-the-kernel": (MAKEFILE_WITH_CHECK, {b"kvm_get_kvm", b"kvm_put_kvm"}),
        "mentioned-before": (
            b"# exports_grep_trailer is -e gnarly\n" + MAKEFILE_WITH_CHECK,
            {b"kvm_get_kvm", b"kvm_put_kvm"},
        ),
        "quoted": (
            b"exports_grep_trailer := grep -v -e 'kvm_a' -e \"kvm_b\"\n",
            {b"kvm_a", b"kvm_b"},
        ),
        "added-to": (
            b"exports_grep_trailer := grep -v -e kvm_a\nexports_grep_trailer += -v -e kvm_b\n",
            {b"kvm_a", b"kvm_b"},
        ),
        "commented-out": (
            b"exports_grep_trailer := grep -v -e kvm_a \\\n# -e kvm_b \\\n -e kvm_c\n -e kvm_d\n",
            {b"kvm_a"},
        ),
        "of-another-grep": (
            b"exports_grep_trailer := -e kvm_a | grep -v -e kvm_b | grep -e kvm_c\n",
            {b"kvm_b"},
        ),
        "a-pattern-is-no-name": (
            b"exports_grep_trailer := grep -v -e kvm_.* -e kvm_foo\n",
            {b"kvm_foo"},
        ),
        "no-list": (b"exports_grep_trailer := grep\n", set()),
        "only-used": (b"x := $(exports_grep_trailer)\n", set()),
    }.values(),
)
def test_a_makefile_with_the_check_has_its_own_list(makefile: bytes, names: set[bytes]) -> None:
    facts = tree.learn(MACRO, None, makefile)
    assert facts.has_check
    assert facts.allowlist == names


def test_a_makefile_without_the_check() -> None:
    assert not tree.learn(MACRO, None, b"obj-y += x86.o\n").has_check
