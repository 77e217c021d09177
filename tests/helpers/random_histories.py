# SPDX-License-Identifier: MIT
"""Random commits: small trees of C files, and what people and mistakes do to them.

For the tests of what a change adds. A line is never an export alone: what is
around it decides, so a comment, a string or a call may go over several lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from kvm_export_hook.rules import policy
from tests.helpers.support import write

# Some hold a name of the list, which the make check takes for an allowlisted export.
PATHS = [
    *("virt/kvm/a.c", "virt/kvm/b.h", "arch/x86/kvm/c.c", "arch/x86/kvm/sub/d.h"),
    *("virt/kvm/kvm_get_kvm.c", "arch/x86/kvm/kvm_put_kvm_x/e.c"),
    *("fs/f.c", "virt/kvm/a.txt", "virt/kvmx/g.c"),
]
LISTED = [b"kvm_get_kvm", b"kvm_put_kvm", b"kvm_get_kvm_safe"]
OTHERS = [b"kvm_foo", b"kvm_put_kvm_evil"]
SYMBOLS = LISTED + OTHERS

MACROS = st.sampled_from(
    [*policy.MACROS, b"EXPORT_SYMBOL_FOR_MODULES", *(policy.GPL, policy.PLAIN) * 8]
)
FORMS = st.sampled_from(
    [
        *(b"%(macro)s(%(symbol)s);",) * 4,
        *(b"%(macro)s(%(symbol)s); /* like %(name)s */",) * 4,
        b"\t%(macro)s( %(symbol)s /* %(name)s */ );",
        *(b"%(macro)s(%(symbol)s", b"%(macro)s", b"(%(symbol)s);"),
        *(b"/* %(macro)s(%(symbol)s) */", b"// %(macro)s", b'"%(macro)s %(name)s";'),
        *(b"#define %(name)s_x(s) %(macro)s(s)", b"#ifdef %(macro)s", b"#define X \\"),
        *(b"%(macro)s(%(symbol)s); %(macro)s(%(name)s);",),
    ]
)
LINE_EDITS = ["add", "remove", "replace", "move", "double", "indent", "macro", *["comment"] * 2]
FILLERS = st.sampled_from(
    [*(b"int a;", b"", b"/*", b"*/", b" * kvm_get_kvm", b'"', b"\0", b"a \\", b"#if 0")]
)
LINES = st.one_of(
    *(
        st.builds(
            lambda form, macro, symbol, name: (
                form % {b"macro": macro, b"symbol": symbol, b"name": name}
            ),
            FORMS,
            MACROS,
            st.sampled_from(SYMBOLS),
            st.sampled_from(SYMBOLS),
        ),
    )
    * 4,
    FILLERS,
)


class Tree(NamedTuple):
    """A small kernel tree.

    ``files``: the lines of each. ``names``: the list of the make check, None
    without one. ``has_macro``: whether the header has the macro; None: there is
    no header.
    """

    files: dict[str, tuple[bytes, ...]]
    names: tuple[bytes, ...] | None = tuple(LISTED)
    has_macro: bool | None = True

    @property
    def contents(self) -> dict[str, bytes]:
        """The bytes of each file."""
        return {path: b"\n".join((*lines, b"")) for path, lines in self.files.items()}


# A tree that the make check passes, although the hook finds something in each line: the
# check is blind to an export beside which, or in whose path, it sees a name of the list,
# and to a file that grep takes for binary.
START = Tree(
    {
        "virt/kvm/a.c": (
            b"EXPORT_SYMBOL_GPL(kvm_foo); /* like kvm_get_kvm */",
            b"EXPORT_SYMBOL_GPL(kvm_put_kvm_evil);",
            b"EXPORT_SYMBOL(kvm_get_kvm_safe);",
        ),
        "arch/x86/kvm/c.c": (
            b"EXPORT_SYMBOL( kvm_foo /* kvm_put_kvm */ );",
            b"#define kvm_get_kvm_x(s) EXPORT_SYMBOL_GPL(s)",
        ),
        "virt/kvm/kvm_get_kvm.c": (b"EXPORT_SYMBOL_GPL(kvm_foo);", b"// EXPORT_SYMBOL"),
        "virt/kvm/b.h": (b"\0", b"EXPORT_SYMBOL(kvm_foo);"),
    }
)

# A tree without the make check, which would fail on the last line.
UNCHECKED = Tree(
    {
        "virt/kvm/a.c": START.files["virt/kvm/a.c"],
        "virt/kvm/c.c": (b"EXPORT_SYMBOL_GPL(kvm_foo);",),
    },
    names=None,
)


def change_line(line: bytes, kind: str, name: bytes) -> bytes:
    """Change the comment at the end of LINE, how far it is indented, or its macro."""
    if kind == "indent":
        return line[1:] if line.startswith(b"\t") else b"\t" + line
    if kind == "macro":
        return line.replace(b"_GPL(", b"(") if b"_GPL(" in line else line.replace(b"(", b"_GPL(", 1)
    bare = line.partition(b" /* like")[0]
    return bare if bare != line else line + b" /* like %s */" % name


@st.composite
def edit_lines(draw: st.DrawFn, tree: Tree) -> Tree:
    """Add, take away, move, double or change a line of TREE."""
    path, target = draw(st.sampled_from([*tree.files, *PATHS])), draw(st.sampled_from(PATHS))
    files = dict(tree.files)
    lines = files.get(path, ())
    at = draw(st.integers(0, max(len(lines) - 1, 0)))
    before, line, after = lines[:at], lines[at : at + 1], lines[at + 1 :]
    kind = draw(st.sampled_from(LINE_EDITS))
    if kind in ("add", "replace"):
        files[path] = (*before, *(line if kind == "add" else ()), draw(LINES), *after)
    elif kind in ("comment", "indent", "macro"):
        name = draw(st.sampled_from(SYMBOLS))
        files[path] = (*before, *(change_line(each, kind, name) for each in line), *after)
    elif line:
        files[path] = lines if kind == "double" else before + after
        if kind != "remove":
            files[target] = line + files.get(target, ())
    return tree._replace(files=files)


@st.composite
def edit_files(draw: st.DrawFn, tree: Tree) -> Tree:
    """Rename, copy or delete a file of TREE."""
    path, target = draw(st.sampled_from([*tree.files, *PATHS[:1]])), draw(st.sampled_from(PATHS))
    kind = draw(st.sampled_from(["rename", "rename", "copy", "delete"]))
    files = dict(tree.files)
    if path in files:
        lines = files[path] if kind == "copy" else files.pop(path)
        if kind != "delete":
            files[target] = lines
    return tree._replace(files=files)


@st.composite
def edit_facts(draw: st.DrawFn, tree: Tree) -> Tree:
    """Edit the list of the make check, bring or drop that, or edit the header."""
    kind = draw(st.sampled_from(["add", "remove", "check", "header"]))
    names = tree.names or ()
    if kind == "header":
        return tree._replace(has_macro=draw(st.sampled_from([True, True, False, None])))
    if kind == "check":
        return tree._replace(names=tuple(LISTED) if tree.names is None else None)
    name = draw(st.sampled_from(SYMBOLS))
    if kind == "add":
        return tree._replace(names=(*names, name))
    # An empty list cannot be read.
    left = tuple(each for each in names if each != name)
    return tree._replace(names=left or tree.names)


@st.composite
def edit(draw: st.DrawFn, tree: Tree) -> Tree:
    """Make a commit's edits of TREE."""
    for edit_some in draw(
        st.lists(
            st.sampled_from([edit_lines, edit_lines, edit_files, edit_facts]),
            min_size=1,
            max_size=2,
        )
    ):
        tree = draw(edit_some(tree))
    return tree


def write_tree(top: Path, contents: dict[str, bytes], former: Sequence[str]) -> None:
    """Write the CONTENTS of files below TOP, and delete the FORMER ones that are not among them."""
    for path in former:
        if path not in contents:
            (top / path).unlink()
    for path, content in contents.items():
        write(top / path, content)
