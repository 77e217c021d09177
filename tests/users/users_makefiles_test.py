# SPDX-License-Identifier: MIT
"""Makefiles to modules: what each spelling links, and what is reported instead of guessed at."""

from __future__ import annotations

import tracemalloc

from kvm_export_hook.users.makefiles import Makefile
from tests.helpers.cases import parametrize

PATH = b"arch/x86/kvm/Makefile"
HERE = "arch/x86/kvm/"


def read_makefile(text: str, **included: str) -> Makefile:
    """Understand TEXT; INCLUDED are the files that it may include, by their names without dots."""
    files = {f"{name}.mk".encode(): content.encode() for name, content in included.items()}
    return Makefile(PATH, text.encode(), files.get)


def spell_modules(makefile: Makefile) -> dict[str, str]:
    """Write the modules, each with its objects in the Makefile's directory."""
    return {
        module.name.decode(): " ".join(each.decode().removeprefix(HERE) for each in module.objects)
        for module in makefile.modules
    }


MODULES = {
    "one source": ("obj-m += a.o", {"a": "a"}),
    "one source, by a condition": ("obj-$(CONFIG_A) += a.o", {"a": "a"}),
    "nothing built in": ("obj-y += a.o b/\nobj-n += b.o", {}),
    "several modules on a line": ("obj-m := a.o  b.o", {"a": "a", "b": "b"}),
    "the same module twice": ("obj-$(A) += a.o\nobj-$(B) += a.o", {"a": "a"}),
    "a list": ("obj-m := a.o\na-y := b.o c/d.o", {"a": "b c/d"}),
    "a list in the old spelling": ("obj-m := a.o\na-objs := b.o", {"a": "b"}),
    "a list in another directory": ("obj-m := a.o\na-y := ../kvm/b.o ./c.o", {"a": "b c"}),
    "an empty list": ("obj-m := a.o\na-y :=", {"a": ""}),
    "a list under conditions": (
        "obj-m := a.o\na-y := b.o\na-m += c.o\na-$(CONFIG_D) += d.o\na-${E} += e.o",
        {"a": "b c d e"},
    ),
    "a list for the other configuration": (
        "obj-m := a.o\nifdef X\na-y := b.o\nelse ifeq ($(Y),z.o)\n a-y = c.o\nendif",
        {"a": "b c"},
    ),
    "a list under ifeq": ("obj-m := a.o\nifeq ($(X),z.o)\na-y := b.o\nendif", {"a": "b"}),
    "every operator": (
        "obj-m = a.o\na-y = b.o\na-y := c.o\na-y ::= d.o\na-y += e.o\na-y ?= f.o\na-y:=g.o",
        {"a": "b c d e f g"},
    ),
    "modifiers": ("override obj-m := a.o\nexport  override a-y := b.o", {"a": "b"}),
    "continuation lines": (
        "obj-m := \\\n\ta.o \\\r\n  b.o\\\nc.o\r\n",
        {"a": "a", "b": "b", "c": "c"},
    ),
    "a continuation at the end": ("obj-m := a.o \\", {"a": "a"}),
    "comments": ("obj-m := a.o # b.o\n# obj-m += c.o \\\n obj-m += d.o", {"a": "a"}),
    "a variable": ("DIR := c\nobj-m := a.o\na-y := $(DIR)/b.o ${DIR}/d.o", {"a": "c/b c/d"}),
    "a variable of objects": ("x-objs = b.o c.o\nobj-m := a.o\na-y := $(x-objs)", {"a": "b c"}),
    "a variable under a condition": (
        "x-$(CONFIG_Z) := b.o\nobj-m := a.o\na-y := $(x-y) $(x-m) $(none-y)",
        {"a": "b"},
    ),
    "a variable of modules": ("ms-m := a.o\nobj-m := $(ms-m)", {"a": "a"}),
    "a variable's name in a variable": (
        "b-objs := c.o\nWHICH := b\nobj-m := a.o\na-y := $($(WHICH)-objs)",
        {"a": "c"},
    ),
    "a list that adds to itself": ("obj-m := a.o\na-y := b.o\na-y := $(a-y) c.o", {"a": "b c"}),
    "what is built in as well": ("obj-y := b.o\nobj-m := a.o\na-y := $(obj-y)", {"a": "b"}),
    "a module in a directory": ("obj-m := c/a.o\nc/a-y := b.o", {"a": "b"}),
    "no recipe": (
        "obj-m := a.o\nx: y.o\n\ta-y := z.o\n\n\techo $(obj)/z.o\na-y := b.o",
        {"a": "b"},
    ),
    "no recipe of one word": ("obj-m := a.o\nx:Y=z\n\ta-y := z.o\n", {"a": "a"}),
    "a tab after what ends a rule": ("obj-m := a.o\nx: y\nZ := z\n\ta-y := b.o", {"a": "b"}),
    "a tab without a rule": ("obj-m := a.o\n\ta-y := b.o", {"a": "b"}),
    "other lines": (
        "define check\n$(shell grep)\nendef\n$(eval $(call check,X))\nundefine check\n"
        "export PATH\n$(obj)/a.o: X := y\nccflags-y += $(call cc-option,-Wall)\nobj-m := a.o",
        {"a": "a"},
    ),
}
UNCLEAR = {
    "a function": ("obj-m := a.o\na-y := b.o $(wildcard *.o)", "2: $(wildcard *.o)"),
    "a function of a variable": (
        "x := c.o\nobj-m := a.o\na-y := $(filter-out b.o,$(x))",
        "3: $(filter-out b.o,c.o)",
    ),
    "a function that adds": ("$(eval obj-m += a.o)", "1: $(eval obj-m += a.o)"),
    "a function that adds a list": ("$(eval obj-m += $(x))", "1: $(eval obj-m += $(x))"),
    "a definition that adds": ("define x\nobj-m += a.o\nendef\n", "2: obj-m += a.o"),
    "a command's output": ("obj-m != ls *.o", "1: $(shell)"),
    "a subdirectory": ("obj-m := a/", "1: a/"),
    "a subdirectory on the next line": ("\nobj-m := \\\n\ta/", "2: a/"),
    "an archive": ("obj-m := a.o\na-y := lib.a", "2: lib.a"),
    "an unknown variable": ("obj-m := a.o\na-y := b$(BITS).o", "2: $(BITS)"),
    "an unknown list": ("x$(y)z := b.o", "1: x$(y)z = b.o"),
    "a condition that is a function": ("a-$(call e,f) += g.o", "1: a-$(call e,f) += g.o"),
    "a reference without an end": ("obj-m := a.o $(x", "1: a.o $(x"),
    "references too deep": (
        "x := x\nobj-m := " + "$(" * 9 + "x" + ")" * 9,
        "2: " + "$(" * 9 + "x" + ")" * 9,
    ),
    "a line without a meaning": ("a.o b.o", "1: a.o b.o"),
}


@parametrize(("text", "modules"), MODULES)
def test_modules_and_their_objects(text: str, modules: dict[str, str]) -> None:
    makefile = read_makefile(text)
    assert spell_modules(makefile) == modules
    assert makefile.unclear == []


@parametrize(("text", "remark"), UNCLEAR)
def test_what_is_not_understood_is_reported(text: str, remark: str) -> None:
    assert read_makefile(text).unclear[0] == PATH + b":" + remark.encode()


def test_it_is_reported_once() -> None:
    makefile = read_makefile("x := $(shell ls)\nobj-m := a.o b.o\na-y := $(x)\nb-y := $(x)")
    assert makefile.unclear == [PATH + b":1: $(shell ls)"]


def test_what_is_included_counts() -> None:
    makefile = read_makefile(
        "X := more\ninclude $(srctree)/$(X).mk ./last.mk\n-include n.mk\nsinclude o.mk p.mk",
        more="obj-m := a.o\na-y := b.o\ninclude more.mk",
        p="a-y += e.o",
        last="a-y += c.o d.o $(wildcard *.o)",
    )
    assert spell_modules(makefile) == {"a": "b c d e"}
    assert makefile.missing == []
    assert makefile.unclear == [b"last.mk:1: $(wildcard *.o)"]


def test_what_is_included_may_lie_beside_it() -> None:
    assert read_makefile("include $(src)/more.mk").missing == [b"arch/x86/kvm/more.mk"]


def test_a_missing_include_is_named() -> None:
    makefile = read_makefile("include none.mk $(srctree)/virt/kvm/Makefile.kvm\ninclude")
    assert makefile.missing == [b"none.mk", b"virt/kvm/Makefile.kvm"]


def test_variables_that_double_end() -> None:
    doubling = "".join(f"x{number} := $(x{number + 1})$(x{number + 1})\n" for number in range(64))
    makefile = read_makefile(doubling + "x64 := a.o\nobj-m := $(x0)")
    assert makefile.unclear


LIST = b"x := " + b"a.o " * 16_000 + b"\n"


@parametrize(
    "text",
    {
        "one line": LIST + b"obj-m := " + b"$(x)" * 4096,
        "lines": LIST + b"obj-m := $(x)\n" * 4096,
        "variables": LIST
        + b"".join(b"x%d := $(x)\nobj-m := $(x%d)\n" % (n, n) for n in range(1000)),
        "one variable": LIST + b"y += $(x)\n" * 4096 + b"obj-m := $(y)",
    },
)
def test_what_references_stand_for_is_bounded(text: bytes) -> None:
    tracemalloc.start()
    makefile = Makefile(PATH, text, lambda _: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert makefile.unclear
    assert peak < 10_000_000


def test_a_long_chain_of_variables_ends() -> None:
    chain = "".join(f"x{number} := $(x{number + 1})\n" for number in range(10_000))
    assert read_makefile(chain + "x10000 := a.o\nobj-m := b.o $(x0)").unclear


def test_many_lines_that_are_not_understood_end() -> None:
    assert len(read_makefile("a.o\n" * 100_000).unclear) == 100_000


def test_recipes_and_rules_are_no_remark() -> None:
    assert read_makefile("x.o: y.o\n\tld x.o\nplain words").unclear == []
