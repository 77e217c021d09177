# SPDX-License-Identifier: MIT
"""What is said of a symbol's users: the advice for each case, and what is not known."""

from __future__ import annotations

from kvm_export_hook.report import advice
from kvm_export_hook.report.layout import ALLOW_BY_COMMAND
from kvm_export_hook.users import outside
from kvm_export_hook.users.lookup import Use, Users
from tests.helpers.cases import parametrize

AMD = Use(b"kvm-amd", b"arch/x86/kvm/svm/sev.c", 4539, (b"kvm_vcpu_map",))
INTEL = Use(b"kvm-intel", b"arch/x86/kvm/vmx/vmx.c", 7)
HV = Use(b"kvm-hv", b"arch/powerpc/kvm/book3s_hv.c", 3, (b"a", b"b"))
COMMON = Use(b"kvm-hv", b"virt/kvm/vfio.c", 5)
VFIO = Use(None, b"drivers/vfio/vfio_main.c", 486)
AP = Use(None, b"drivers/s390/crypto/vfio_ap_ops.c", 9)

INTERNAL = "use EXPORT_SYMBOL_FOR_KVM_INTERNAL"
LIST = 'if that module needs it, add "-e kvm_foo" to the list in arch/x86/kvm/Makefile'


def make_users(
    *uses: Use,
    missing: tuple[bytes, ...] = (),
    unclear: tuple[bytes, ...] = (),
    missing_outside: str | None = None,
) -> Users:
    """Make what was found of kvm_foo."""
    users = Users()
    users.uses = {b"kvm_foo": list(uses)}
    users.missing, users.unclear = list(missing), list(unclear)
    users.missing_outside = missing_outside
    return users


ADVICE = {
    "a module": (make_users(INTEL), f"used by kvm-intel (vmx/vmx.c:7): {INTERNAL}"),
    "two modules": (
        make_users(AMD, INTEL),
        "used by kvm-amd (svm/sev.c:4539, through kvm_vcpu_map) and kvm-intel: " + INTERNAL,
    ),
    "three modules": (
        make_users(HV, AMD, INTEL),
        "used by kvm-hv (book3s_hv.c:3, through a, through b), kvm-amd and kvm-intel: " + INTERNAL,
    ),
    "a module with a common source": (
        make_users(COMMON),
        f"used by kvm-hv (virt/kvm/vfio.c:5): {INTERNAL}",
    ),
    "a module, in a tree with little else": (
        make_users(INTEL, missing=(b"arch/powerpc/kvm",), missing_outside=outside.PART_OF_KERNEL),
        "used by kvm-intel (vmx/vmx.c:7); users outside KVM are not known:"
        f" this is part of a kernel, without drivers/Makefile: {INTERNAL}",
    ),
    "a file outside KVM": (
        make_users(VFIO),
        f"named outside KVM, drivers/vfio/vfio_main.c:486: {LIST}",
    ),
    "files outside KVM": (
        make_users(AP, VFIO, VFIO),
        f"named outside KVM, drivers/s390/crypto/vfio_ap_ops.c:9 and 2 more: {LIST}",
    ),
    "a file outside KVM, through an inline function": (
        make_users(Use(None, b"drivers/a.c", 7, (b"kvm_bar",))),
        f"named outside KVM, drivers/a.c:7, through kvm_bar: {LIST}",
    ),
    "a module, and a file outside KVM": (
        make_users(INTEL, VFIO),
        "used by kvm-intel (vmx/vmx.c:7); named outside KVM, drivers/vfio/vfio_main.c:486: "
        f"{LIST}; if not, {INTERNAL}",
    ),
    "nobody": (
        make_users(),
        f"no other module of this tree uses it: if a later patch will, {INTERNAL}; if not,"
        " drop the export",
    ),
    "nobody, without PPC": (
        make_users(missing=(b"arch/powerpc/kvm",)),
        "users in PPC's modules are not known: arch/powerpc/kvm is not here",
    ),
    "nobody, without x86 and the rest": (
        make_users(missing=(b"arch/x86/kvm/Makefile",), missing_outside=outside.PART_OF_KERNEL),
        "users in x86's modules are not known: arch/x86/kvm/Makefile is not here;"
        " users outside KVM are not known: this is part of a kernel, without drivers/Makefile",
    ),
    "nobody, without much": (
        make_users(missing=(b"arch/x86/a", b"arch/powerpc/b", b"c", b"d", b"e")),
        "users in KVM's modules are not known: arch/x86/a, arch/powerpc/b, c and 2 more"
        " are not here",
    ),
    "nobody, with a Makefile that is not understood": (
        make_users(unclear=(b"arch/x86/kvm/Makefile:12: $(wildcard *.o)", b"arch/x86/b:1: c")),
        "users in x86's modules are not known: arch/x86/kvm/Makefile:12 is not understood:"
        " $(wildcard *.o)",
    ),
    "nobody, with a long line that is not understood": (
        make_users(unclear=(b"arch/x86/kvm/Makefile:12: " + b"$" * 1000,)),
        "users in x86's modules are not known: arch/x86/kvm/Makefile:12 is not understood: "
        + "$" * 200
        + "...",
    ),
    "nobody in a part of a kernel": (
        make_users(missing_outside=outside.PART_OF_KERNEL),
        "no other module of KVM uses it; users outside KVM are not known:"
        " this is part of a kernel, without drivers/Makefile",
    ),
    "nobody in a sparse checkout": (
        make_users(missing_outside=outside.SPARSE),
        "no other module of KVM uses it; users outside KVM are not known:"
        " this is a sparse checkout",
    ),
    "nobody that git could find": (
        make_users(missing_outside=outside.NO_GIT),
        "no other module of KVM uses it; users outside KVM are not known:"
        " git could not search this tree",
    ),
    "a name that drives a terminal": (
        make_users(Use(b"kvm-\x1b[m", b"a\xff\n", 1)),
        f"used by kvm-\\x1b[m (a\\xff\\n:1): {INTERNAL}",
    ),
}
COLUMNS = {
    "modules": (make_users(AMD, INTEL), "kvm-amd kvm-intel"),
    "a module and files outside KVM": (
        make_users(AMD, VFIO, AP),
        "kvm-amd drivers/vfio/vfio_main.c:486",
    ),
    "nobody": (make_users(), "nobody"),
    "nobody is known": (make_users(missing_outside=outside.NO_GIT), "not known"),
}
OUTSIDE = {
    "a file": (make_users(AMD, VFIO), "named outside KVM, drivers/vfio/vfio_main.c:486"),
    "none": (make_users(AMD), "not named outside KVM"),
    "none is known": (
        make_users(AMD, missing_outside=outside.SPARSE),
        "users outside KVM are not known: this is a sparse checkout",
    ),
}


@parametrize(("users", "text"), ADVICE)
def test_advice(users: Users, text: str) -> None:
    assert str(advice.advise(users, b"kvm_foo")) == text


def test_advice_in_a_tree_without_a_list() -> None:
    said = advice.advise(make_users(VFIO), b"kvm_foo", ALLOW_BY_COMMAND)
    assert said.remedy == "if that module needs it, pass --allow kvm_foo"


@parametrize(("users", "text"), COLUMNS)
def test_the_column_of_the_inventory(users: Users, text: str) -> None:
    assert advice.describe_column(users, b"kvm_foo") == text


@parametrize(("users", "text"), OUTSIDE)
def test_the_audit_of_the_allowlist(users: Users, text: str) -> None:
    assert advice.describe_outside(users, b"kvm_foo") == text


def test_what_was_not_looked_up() -> None:
    users = make_users()
    assert str(advice.advise(users, b"x y")) == "not looked up"
    assert advice.describe_column(users, b"x y") == "not looked up"
    assert advice.describe_column(users, None) == "not looked up"
    assert advice.describe_outside(users, b"x y") == "not looked up"


def test_the_line_over_the_list_of_unused_exports() -> None:
    assert advice.describe_unused(make_users(), [b"a", b"b"], 237) == (
        "2 of 237 exports: no use found in another module of this tree, in any configuration"
    )


def test_no_number_is_given_where_users_are_not_known() -> None:
    users = make_users(missing=(b"arch/powerpc/kvm",), missing_outside=outside.PART_OF_KERNEL)
    assert advice.describe_unused(users, [b"a"], 237) == (
        "users in PPC's modules are not known: arch/powerpc/kvm is not here;"
        " users outside KVM are not known: this is part of a kernel, without drivers/Makefile"
    )


def test_every_reason_has_its_words() -> None:
    assert advice.WHY_UNKNOWN.keys() == {outside.PART_OF_KERNEL, outside.SPARSE, outside.NO_GIT}
