# SPDX-License-Identifier: MIT
"""What must hold of the tables, whatever is added to them."""

from __future__ import annotations

from kvm_export_hook.rules import policy
from kvm_export_hook.rules.scan import HEADS
from kvm_export_hook.users.exported import name_linked


def test_macros_are_sorted() -> None:
    assert list(policy.MACROS) == sorted(policy.MACROS)


def test_every_macro_is_an_export_macro() -> None:
    for macro in policy.MACROS:
        assert macro.lstrip(b"_").startswith(b"EXPORT_")
        assert macro.decode().isidentifier()


def test_the_scan_counts_each_macro_by_its_head() -> None:
    for macro in policy.MACROS:
        assert sum(head in macro for head in HEADS) == 1


def test_what_each_macro_exports_is_known_to_those_who_look_for_users() -> None:
    for macro in policy.MACROS:
        assert name_linked(macro, b"kvm_foo") == b"kvm_foo"


def test_every_macro_that_ends_as_the_internal_one_is_permitted() -> None:
    for macro, row in policy.MACROS.items():
        assert row.permitted == policy.ALWAYS or not macro.endswith(policy.INTERNAL)


def test_macros_for_gpl_modules_may_be_allowlisted_and_others_never() -> None:
    for macro, row in policy.MACROS.items():
        if macro != policy.INTERNAL:
            expected = policy.IF_ALLOWLISTED if macro.endswith(b"_GPL") else policy.NEVER
            assert row.permitted == expected


def test_the_macros_with_a_part_in_the_rule_are_in_the_table() -> None:
    assert policy.MACROS[policy.INTERNAL].permitted == policy.ALWAYS
    assert policy.MACROS[policy.GPL].permitted == policy.IF_ALLOWLISTED
    assert policy.MACROS[policy.PLAIN].permitted == policy.NEVER


def test_the_make_check_greps_for_two_macros_which_a_fix_may_rewrite() -> None:
    grepped = {macro for macro, row in policy.MACROS.items() if row.is_grepped}
    assert grepped == {policy.PLAIN, policy.GPL}
    assert {macro for macro, row in policy.MACROS.items() if row.is_rewritable} == grepped


def test_the_allowlist_is_sorted() -> None:
    assert list(policy.ALLOWLIST) == sorted(policy.ALLOWLIST)


def test_every_allowlisted_symbol_is_of_kvm_and_names_its_user() -> None:
    for symbol, user in policy.ALLOWLIST.items():
        assert symbol.decode().isidentifier()
        assert symbol.startswith(b"kvm_")
        who, _, where = user.partition(": ")
        assert who
        assert where.startswith("drivers/")
        assert where.endswith(".c")
