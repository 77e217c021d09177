# SPDX-License-Identifier: MIT
"""Who uses a symbol, on small whole kernels: one rule each, with the uses of kvm_foo beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kvm_export_hook.users.exported import name_linked
from kvm_export_hook.users.lookup import find_users
from kvm_export_hook.users.working_tree import WorkingTree
from tests.helpers.cases import parametrize
from tests.helpers.kernel_tree import look_up, make_kernel, spell_uses

HOST = "include/linux/kvm_host.h"
SVM = "arch/x86/kvm/svm/svm.c"
VMX = "arch/x86/kvm/vmx/vmx.c"
HV = "arch/powerpc/kvm/book3s_hv.c"
MAKEFILE = "arch/x86/kvm/Makefile"

IN_SVM = f"kvm-amd {SVM}"
IN_VMX = f"kvm-intel {VMX}"

USED: dict[str, tuple[Mapping[str, str | None], list[str]]] = {
    "by a call": ({SVM: "\n\nvoid f(void)\n{\n\tkvm_foo();\n}\n"}, [f"{IN_SVM}:5"]),
    "by two modules": ({SVM: "kvm_foo();", VMX: "kvm_foo();"}, [f"{IN_SVM}:1", f"{IN_VMX}:1"]),
    "by its address": ({VMX: "ops.set = kvm_foo;"}, [f"{IN_VMX}:1"]),
    "by a module of PPC alone": ({HV: "\nkvm_foo();"}, [f"kvm-hv {HV}:2"]),
    "in the order of the Makefile": (
        {
            MAKEFILE: "+kvm-amd-y += svm/avic.o\n",
            "arch/x86/kvm/svm/avic.c": "kvm_foo();",
            SVM: "\nkvm_foo();",
        },
        [f"{IN_SVM}:2"],
    ),
    "through an inline function": (
        {HOST: "static inline int bar(int x)\n{\n\treturn kvm_foo(x);\n}\n", SVM: "\nbar(1);"},
        [f"{IN_SVM}:2 < bar"],
    ),
    "through two inline functions": (
        {
            HOST: "static inline void bar(void)\n{\n\tkvm_foo();\n}\n",
            "arch/x86/kvm/x86.h": "static inline void baz(void) { bar(); }\n",
            SVM: "baz();",
        },
        [f"{IN_SVM}:1 < baz < bar"],
    ),
    "the shorter of two ways": (
        {
            HOST: "#define far() near()\n#define near() kvm_foo()\n",
            SVM: "far();\n",
            VMX: "far();\nnear();\n",
        },
        [f"{IN_SVM}:1 < far < near", f"{IN_VMX}:2 < near"],
    ),
    "through a macro": ({HOST: "#define bar() kvm_foo()\n", SVM: "bar();"}, [f"{IN_SVM}:1 < bar"]),
    "through a macro of several lines": (
        {
            HOST: "# define bar(x) \\\n\tdo { \\\n\t\tkvm_foo(x); \\\n\t} while (0)\n",
            SVM: "bar(1);",
        },
        [f"{IN_SVM}:1 < bar"],
    ),
    "through a macro of its own source": ({SVM: "#define bar kvm_foo\nbar();"}, [f"{IN_SVM}:1"]),
    "through a header of its architecture": (
        {"arch/x86/include/asm/kvm_host.h": "#define bar kvm_foo\n", SVM: "bar();", HV: "bar();"},
        [f"{IN_SVM}:1 < bar"],
    ),
    "through a header below a directory with a dot": (
        {"arch/x86/kvm/v1.2/spte.h": "#define bar kvm_foo\n", SVM: "bar();"},
        [f"{IN_SVM}:1 < bar"],
    ),
    "through a header in a directory of KVM": (
        {"arch/x86/kvm/mmu/spte.h": "#define bar kvm_foo\n", SVM: "bar();"},
        [f"{IN_SVM}:1 < bar"],
    ),
    "by a conditional object": (
        {
            MAKEFILE: "+kvm-amd-$(CONFIG_KVM_AMD_SEV) += svm/sev.o\n",
            "arch/x86/kvm/svm/sev.c": "kvm_foo;",
        },
        ["kvm-amd arch/x86/kvm/svm/sev.c:1"],
    ),
    "by an object under ifdef": (
        {
            MAKEFILE: "+ifdef CONFIG_HYPERV\nkvm-amd-y += svm/hv.o\nelse\nendif\n",
            "arch/x86/kvm/svm/hv.c": "kvm_foo;",
        },
        ["kvm-amd arch/x86/kvm/svm/hv.c:1"],
    ),
    "by a module that is its own source": (
        {MAKEFILE: "+obj-m += probe.o\n", "arch/x86/kvm/probe.c": "kvm_foo();"},
        ["probe arch/x86/kvm/probe.c:1"],
    ),
    "by a source in two modules": (
        {
            MAKEFILE: "+kvm-intel-y += both.o\nkvm-amd-y += both.o\n",
            "arch/x86/kvm/both.c": "kvm_foo();",
        },
        ["kvm-amd arch/x86/kvm/both.c:1", "kvm-intel arch/x86/kvm/both.c:1"],
    ),
    "by a source that kvm.ko has, too": (
        {MAKEFILE: "+kvm-amd-y += x86.o\n", "arch/x86/kvm/x86.c": "kvm_foo();"},
        ["kvm-amd arch/x86/kvm/x86.c:1"],
    ),
    "by assembler": (
        {
            MAKEFILE: "+kvm-amd-y += svm/vmenter.o\n",
            "arch/x86/kvm/svm/vmenter.S": '#include "x.h"\n\tcall kvm_foo /* here */\n',
        },
        ["kvm-amd arch/x86/kvm/svm/vmenter.S:2"],
    ),
    "after a brace too many": (
        {SVM: "void f(void)\n{\n}\n\telse kvm_foo();\n}\n"},
        [f"{IN_SVM}:4"],
    ),
    "in a block without a name": ({SVM: "(a) {\n\tkvm_foo();\n}\n"}, [f"{IN_SVM}:2"]),
    "outside KVM": (
        {"drivers/vfio/main.c": "\nkvm_foo();\nkvm_foo();", "net/a.h": "#define bar kvm_foo\n"},
        ["- drivers/vfio/main.c:2", "- net/a.h:1"],
    ),
    "outside KVM, by a header that KVM includes": (
        {"arch/x86/include/asm/msr.h": "#define bar kvm_foo\n", SVM: "bar();"},
        ["- arch/x86/include/asm/msr.h:1"],
    ),
    "outside KVM, beside a function with that name": (
        {
            "net/a.h": "static inline int kvm_foo(void)\n{\n}\n",
            "drivers/a.c": "#include <net/a.h>\nint a = kvm_foo();\n",
            "drivers/b.c": "#include <linux/kvm_host.h>\nint b = kvm_foo();\n",
        },
        ["- drivers/b.c:2"],
    ),
    "outside KVM, through a header that replaces it where KVM is not built": (
        {
            "net/a.h": "#ifdef CONFIG_KVM\n#include <linux/kvm_host.h>\n#else\n"
            "static inline int kvm_foo(void)\n{\n}\n#endif\n",
            "drivers/a.c": "#include <net/a.h>\nint a = kvm_foo();\n",
        },
        ["- drivers/a.c:2"],
    ),
    "by symbol_get": (
        {"drivers/vfio/main.c": "fn = symbol_get(kvm_foo);"},
        ["- drivers/vfio/main.c:1"],
    ),
    "in KVM and outside": (
        {SVM: "kvm_foo();", "drivers/vfio/main.c": "kvm_foo();"},
        [f"{IN_SVM}:1", "- drivers/vfio/main.c:1"],
    ),
}
UNUSED: dict[str, Mapping[str, str | None]] = {
    "by kvm.ko itself": {
        "arch/x86/kvm/x86.c": "kvm_foo();",
        "arch/powerpc/kvm/book3s.c": "kvm_foo;",
    },
    "by a longer word": {SVM: "kvm_foo2(); _kvm_foo();"},
    "by a comment": {SVM: "/* kvm_foo */ // kvm_foo\n/*\nkvm_foo"},
    "by a string": {SVM: '"kvm_foo" "\\"kvm_foo" \'kvm_foo\''},
    "by a member": {SVM: ".kvm_foo = 1; a->kvm_foo = b.kvm_foo;"},
    "by a tag": {SVM: "struct kvm_foo *a; enum  kvm_foo b; union\tkvm_foo c;"},
    "by an include": {SVM: '#include <kvm_foo.h>\n# include "kvm_foo.h"\n'},
    "by an inline function that nobody calls": {HOST: "static inline int bar(void) { kvm_foo(); }"},
    "by a comment in a macro": {HOST: "#define bar() x /* kvm_foo */\n", SVM: "bar();"},
    "by a name that a macro of its own source pastes": {SVM: "#define bar(x) kvm_##x()\nbar(foo);"},
    "outside KVM, by a pasted name": {
        HOST: "#define bar(x) kvm_##x()\n",
        "drivers/a.c": "bar(foo);",
    },
    "by a function of kvm.ko that a module calls": {
        "arch/x86/kvm/x86.c": "void bar(void) { kvm_foo(); }",
        SVM: "bar();",
    },
    "by an inline function of another architecture": {
        "arch/powerpc/include/asm/kvm_ppc.h": "#define bar kvm_foo\n",
        SVM: "bar();",
    },
    "by the module that exports it": {SVM: "void kvm_foo(void) {}\nEXPORT_SYMBOL_GPL(kvm_foo);"},
    "by the module that defines it, also after the use": {
        SVM: "void f(void)\n{\n\tkvm_foo();\n}\nvoid kvm_foo(void)\n{\n}\n"
    },
    "by what is built in": {MAKEFILE: "+obj-y += boot.o\n", "arch/x86/kvm/boot.c": "kvm_foo();"},
    "outside KVM, by words that are none of C's": {
        "drivers/a.c": '/* kvm_foo */ "kvm_foo"; a.kvm_foo; struct kvm_foo;'
    },
    "outside KVM, by another architecture's KVM": {
        "arch/arm64/kvm/arm.c": "kvm_foo();",
        "arch/arm64/include/asm/kvm_host.h": "kvm_foo();",
    },
    "outside KVM, by KVM's own headers": {"include/linux/kvm_irqfd.h": "int kvm_foo(void);"},
    "outside KVM, by a function of its own with that name": {
        "drivers/a.c": "static int kvm_foo(void)\n{\n}\nint f(void)\n{\n\tkvm_foo();\n}\n"
    },
    "outside KVM, before a function of its own with that name": {
        "drivers/a.c": "int f(void)\n{\n\tkvm_foo();\n}\nstatic int kvm_foo(void)\n{\n}\n"
    },
    "outside KVM, by a macro of another header with that name": {
        "net/a.h": "#define kvm_foo() 1\n",
        "drivers/a.c": "#include <net/a.h>\nint a = kvm_foo();\n",
    },
    "by a declaration that says it twice": {SVM: "extern int kvm_foo, f(int kvm_foo);\n"},
    "outside KVM, by a program": {"tools/testing/a.c": "kvm_foo();"},
    "outside KVM, by a Makefile": {"drivers/Makefile": "obj-y += kvm_foo/\n"},
    "outside KVM, by what is no C": {"Documentation/a.rst": "kvm_foo", "drivers/a.S": "kvm_foo"},
}


@parametrize(("changes", "uses"), USED)
def test_a_symbol_is_used(
    changes: Mapping[str, str | None], uses: list[str], tmp_path: Path
) -> None:
    users = look_up(make_kernel(tmp_path, changes))
    assert spell_uses(users) == uses
    assert users.are_known


@parametrize("changes", UNUSED)
def test_a_symbol_is_not_used(changes: Mapping[str, str | None], tmp_path: Path) -> None:
    users = look_up(make_kernel(tmp_path, changes))
    assert spell_uses(users) == []
    assert users.are_known


def test_the_working_directory_is_a_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make_kernel(tmp_path, {SVM: "kvm_foo();", "net/a.c": "kvm_bar();"}))
    users = find_users(WorkingTree(b""), [b"kvm_foo", b"kvm_bar"])
    assert spell_uses(users) == [f"{IN_SVM}:1"]
    assert spell_uses(users, b"kvm_bar") == ["- net/a.c:1"]


@pytest.mark.parametrize("count", [9, 99], ids="{} symbols".format)
def test_symbols_have_the_users_that_each_has_alone(count: int, tmp_path: Path) -> None:
    symbols = [*(b"__kvm_%d" % number for number in range(count)), b"halt_poll_ns"]
    in_module, outside = symbols[: count // 3], symbols[count // 3 : count // 2]
    changes = {
        SVM: b"\n".join(in_module).decode(),
        "net/a.c": b"\n".join(outside).decode(),
        "net/b.c": "kvm_none",
        "net/c.c": '#include "c.h"\nhalt_poll_ns',
        "net/c.h": "#include <linux/kvm_host.h>\n",
    }
    top = make_kernel(tmp_path, changes)
    users = look_up(top, *symbols)
    for symbol in symbols:
        assert spell_uses(users, symbol) == spell_uses(look_up(top, symbol), symbol)
        assert bool(users.uses[symbol]) == (symbol in [*in_module, *outside, b"halt_poll_ns"])


def test_what_is_no_name_is_not_looked_up(tmp_path: Path) -> None:
    users = look_up(make_kernel(tmp_path, {}), b"", b"kvm foo", b"a\xff", b"kvm_foo")
    assert list(users.uses) == [b"kvm_foo"]
    assert look_up(tmp_path, b"kvm foo").uses == {}


@pytest.mark.parametrize(
    ("macro", "symbol", "expected"),
    [
        (b"EXPORT_SYMBOL_GPL", b"kvm_foo", b"kvm_foo"),
        (b"EXPORT_SYMBOL_FOR_KVM_INTERNAL", b"kvm_foo", b"kvm_foo"),
        (b"___EXPORT_SYMBOL", b"kvm_foo", b"kvm_foo"),
        (b"EXPORT_PER_CPU_SYMBOL_GPL", b"kvm_foo", b"kvm_foo"),
        (b"EXPORT_STATIC_CALL_GPL", b"kvm_foo", b"__SCT__kvm_foo"),
        (b"EXPORT_STATIC_CALL_TRAMP", b"kvm_foo", b"__SCT__kvm_foo"),
        (b"EXPORT_TRACEPOINT_SYMBOL_GPL", b"kvm_foo", b"__tracepoint_kvm_foo"),
        (b"EXPORT_SYMBOL_GPL", b"x(kvm_foo)", None),
        (b"EXPORT_SYMBOL_GPL", b"", None),
        (b"EXPORT_SYMBOL_GPL", b"a\xff", None),
        (b"EXPORT_OP_LOADER", b"kvm_foo", None),
    ],
)
def test_what_is_linked(macro: bytes, symbol: bytes, expected: bytes | None) -> None:
    assert name_linked(macro, symbol) == expected


MISSING: dict[str, tuple[Mapping[str, str | None], list[bytes]]] = {
    "all of PPC's KVM": (
        {"arch/powerpc/kvm/Makefile": None, "arch/powerpc/kvm/book3s.c": None, HV: None},
        [b"arch/powerpc/kvm"],
    ),
    "a Makefile": ({MAKEFILE: None}, [MAKEFILE.encode()]),
    "the common Makefile": ({"virt/kvm/Makefile.kvm": None}, [b"virt/kvm/Makefile.kvm"]),
    "the common header": ({HOST: None}, [HOST.encode()]),
    "the common header, beside another": (
        {HOST: None, "include/linux/kvm_types.h": ""},
        [HOST.encode()],
    ),
    "an architecture's header": (
        {"arch/x86/include/asm/kvm_host.h": None},
        [b"arch/x86/include/asm/kvm_host.h"],
    ),
    "a source": ({SVM: None}, [SVM.encode()]),
}


@parametrize(("changes", "missing"), MISSING)
def test_what_is_missing_is_named(
    changes: Mapping[str, str | None], missing: list[bytes], tmp_path: Path
) -> None:
    users = look_up(make_kernel(tmp_path, changes))
    assert users.missing == missing
    assert not users.are_known


def test_a_header_that_cannot_be_read_is_missing(tmp_path: Path) -> None:
    make_kernel(tmp_path, {}).joinpath("virt/kvm/kvm_mm.h").mkdir()
    assert look_up(tmp_path).missing == [b"virt/kvm/kvm_mm.h"]


def test_a_source_may_be_a_symbolic_link(tmp_path: Path) -> None:
    top = make_kernel(tmp_path, {SVM: None, "other": "kvm_foo();"})
    (top / SVM).parent.mkdir()
    (top / SVM).symlink_to(top / "other")
    assert spell_uses(look_up(top)) == [f"{IN_SVM}:1"]


def test_a_directory_that_cannot_be_listed_is_missing(tmp_path: Path) -> None:
    changes = {"virt/kvm/kvm_main.c": None, "virt/kvm/Makefile.kvm": None, "virt/kvm": "a file"}
    users = look_up(make_kernel(tmp_path, changes))
    assert users.missing == [b"virt/kvm", b"virt/kvm/Makefile.kvm"]


def test_what_is_no_tree_has_no_known_users(tmp_path: Path) -> None:
    users = look_up(tmp_path / "nowhere")
    assert users.missing == [b"arch/powerpc/kvm", b"arch/x86/kvm"]
    assert not users.are_known


def test_what_the_macros_make_is_not_known_if_it_is_too_much(tmp_path: Path) -> None:
    doubled = "".join(f"#define a{n + 1}(x) a{n}(x) a{n}(x)\n" for n in range(40))
    header = f"#define a0(x) x##x\n{doubled}a40(kvm_foo)\n"
    users = look_up(make_kernel(tmp_path, {HOST: header}))
    assert users.unclear == [b"include/linux: the macros of KVM's headers make too much"]
    assert not users.are_known


def test_a_construct_that_is_not_understood_is_reported(tmp_path: Path) -> None:
    changes = {MAKEFILE: "+kvm-amd-y += $(wildcard svm/*.o)\n"}
    users = look_up(make_kernel(tmp_path, changes))
    assert users.unclear == [b"arch/x86/kvm/Makefile:8: $(wildcard svm/*.o)"]
    assert not users.are_known
