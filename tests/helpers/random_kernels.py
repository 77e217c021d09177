# SPDX-License-Identifier: MIT
"""Random small kernels, and random edits of them: what people and mistakes do in a commit.

``KERNELS`` makes a kernel, ``edit`` edits one, ``merge`` puts two together. A line is
never an export alone: what is around it decides, so a comment, a string or a call may
go over several lines.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hypothesis import strategies as st

from kvm_export_hook.rules import policy
from tests.helpers.kernel_files import CHECK, HEADER, MAKEFILE
from tests.helpers.support import MAKEFILE_WITH_CHECK, TYPES_WITH_MACRO

# Some hold a name of the list: for the make check, that is an allowlisted export on each line.
PATHS = (
    *("virt/kvm/a.c", "virt/kvm/b.h", "arch/x86/kvm/c.c", "arch/x86/kvm/vmx/d.h") * 4,
    *("virt/kvm/e.C", "arch/x86/kvm/vmx/f.H"),
    *("virt/kvm/kvm_get_kvm.c", "arch/x86/kvm/kvm_put_kvm_x/g.c"),
    *("fs/h.c", "fs/kvm_put_kvm.h", "virt/kvm/a.txt", "virt/kvmx/i.c"),
)
DIRECTORIES = ("virt/kvm", "arch/x86/kvm", "arch/x86/kvm/vmx", "virt/kvmx", "fs")
LISTED = (b"kvm_get_kvm", b"kvm_put_kvm", b"kvm_get_kvm_safe")
SYMBOLS = st.sampled_from([*LISTED, *(b"kvm_foo", b"kvm_put_kvm_evil") * 2])
MACROS = st.sampled_from(
    [*policy.MACROS, b"EXPORT_SYMBOL_FOR_MODULES", *(policy.GPL, policy.PLAIN) * 12]
)
FORMS = st.sampled_from(
    [
        *(b"%(macro)s(%(symbol)s);",) * 8,
        *(b"%(macro)s(%(symbol)s); /* like %(name)s */",) * 4,
        *(b"\t%(macro)s( %(symbol)s /* %(name)s */ );", b"%(macro)s(\n\t%(symbol)s);"),
        *(b"%(macro)s(%(symbol)s", b"%(macro)s", b"(%(symbol)s);", b"int %(macro)s;"),
        *(b"/* %(macro)s(%(symbol)s) */", b"// %(macro)s", b"/* %(macro)s of %(name)s */"),
        *(b'"%(macro)s %(name)s";', b'char *a = "%(macro)s";'),
        *(b"#define %(name)s_x(s) %(macro)s(s)", b"#define X(s) %(macro)s(s)", b"#define X \\"),
        *(b"#ifdef %(macro)s", b"#ifdef %(macro)s\n#endif"),
        *(b"%(macro)s(%(symbol)s); %(macro)s(%(name)s);",),
    ]
)
FILLERS = st.sampled_from(
    [
        *(b"int a;\n", b"int a;\n", b"\n", b"/*\n", b"*/\n", b" * kvm_get_kvm\n"),
        *(b'"\n', b"\0\n", b"int \0;\n", b"a \\\n", b"#if 0\n"),
    ]
)
EXPORTS = st.builds(
    lambda form, macro, symbol, name: (
        form % {b"macro": macro, b"symbol": symbol, b"name": name} + b"\n"
    ),
    *(FORMS, MACROS, SYMBOLS, SYMBOLS),
)
PIECES = st.one_of(*(EXPORTS,) * 6, FILLERS)

# What an edit does, each as often as it stands here.
OF_PIECES = (
    *(*("add",) * 4, *("replace",) * 2, *("comment",) * 2),
    *("remove", "move", "double", "indent", "macro"),
)
OF_FILES = (
    *(*("rename",) * 4, "copy", "delete", "double", "uncomment", "case", "nul"),
    "move a directory",
)
OF_FACTS = ("add a name", "remove a name", "check", "start", "header", *("anew",) * 2)

COMMENT = re.compile(rb" /\* (?:like )?\w+ \*/")
# The names that the make check of a kernel permits, up to the end of their list.
PATTERNS = re.compile(rb"(?<=grep -v )-e \w+(?:[ \t]+\\\n[ \t]+-e \w+)*")
# What is not the macro of KVM's own exports, as a header may have it.
NO_MACRO = b"/* Here is no %s. */\n" % policy.INTERNAL


class Kernel(NamedTuple):
    """A small kernel.

    ``files``: the pieces of each C file, of whole lines. ``names``: the list of the
    make check, None without one. ``start``: what the Makefile has before all else.
    ``has_macro``: whether the header has the macro; None: there is no header.
    """

    files: dict[str, tuple[bytes, ...]]
    names: tuple[bytes, ...] | None = LISTED
    start: bytes = b""
    has_macro: bool | None = True

    def make_files(
        self, makefile: bytes = MAKEFILE_WITH_CHECK, header: bytes = TYPES_WITH_MACRO
    ) -> dict[str, bytes]:
        """Make all files: MAKEFILE and HEADER, which have the check and the macro, as edited."""
        if self.names is None:
            makefile = makefile.partition(CHECK.encode())[0] + b"\n"
        else:
            listed = b" \\\n\t\t".join(b"-e " + name for name in self.names)
            makefile = PATTERNS.sub(lambda _: listed, makefile)
        written = {name: b"".join(pieces) for name, pieces in self.files.items()}
        written[str(MAKEFILE)] = self.start + makefile
        if self.has_macro is not None:
            without = header.replace(policy.INTERNAL, b"OTHER") + NO_MACRO
            written[str(HEADER)] = header if self.has_macro else without
        # A file of no concern keeps it a kernel.
        return {**written, "virt/kvm/kvm_main.c": b"int kvm;\n"}


LISTS = st.one_of(
    *(st.just(LISTED), st.just(LISTED), st.none()),
    st.lists(st.sampled_from([*LISTED, b"kvm_foo"]), min_size=1, max_size=3, unique=True).map(
        tuple
    ),
)
STARTS = st.sampled_from([b"", b"", b"# of the build\n", b"obj-y += more.o\n"])
HEADERS = st.sampled_from([True, True, False, False, None])
FILES = st.dictionaries(
    st.sampled_from(PATHS), st.lists(PIECES, min_size=1, max_size=4).map(tuple), max_size=4
)
KERNELS = st.builds(Kernel, FILES, LISTS, STARTS, HEADERS)

# A kernel that the make check passes, although the hook finds something in each line: the
# check is blind to an export beside which, or in whose path, it sees a name of the list,
# and to a file that grep takes for binary.
BLIND = Kernel(
    {
        "virt/kvm/a.c": (
            b"EXPORT_SYMBOL_GPL(kvm_foo); /* like kvm_get_kvm */\n",
            b"EXPORT_SYMBOL_GPL(kvm_put_kvm_evil);\n",
            b"EXPORT_SYMBOL(kvm_get_kvm_safe);\n",
        ),
        "arch/x86/kvm/c.c": (
            b"EXPORT_SYMBOL( kvm_foo /* kvm_put_kvm */ );\n",
            b"#define kvm_get_kvm_x(s) EXPORT_SYMBOL_GPL(s)\n",
        ),
        "virt/kvm/kvm_get_kvm.c": (b"EXPORT_SYMBOL_GPL(kvm_foo);\n", b"// EXPORT_SYMBOL\n"),
        "virt/kvm/b.h": (b"\0\n", b"EXPORT_SYMBOL(kvm_foo);\n"),
    }
)

# A kernel without the make check, which would fail on the last line.
UNCHECKED = Kernel(
    {
        "virt/kvm/a.c": BLIND.files["virt/kvm/a.c"],
        "arch/x86/kvm/c.c": (b"EXPORT_SYMBOL_GPL(kvm_foo);\n",),
    },
    names=None,
)


def change_piece(piece: bytes, kind: str, name: bytes) -> bytes:
    """Change the comment at the end of PIECE, how far it is indented, or its macro."""
    if kind == "indent":
        return piece[1:] if piece.startswith(b"\t") else b"\t" + piece
    if kind == "macro":
        is_gpl = b"_GPL(" in piece
        return piece.replace(b"_GPL(", b"(") if is_gpl else piece.replace(b"(", b"_GPL(", 1)
    bare = piece.partition(b" /* like")[0].rstrip(b"\n")
    return bare + (b"\n" if b" /* like" in piece else b" /* like %s */\n" % name)


@st.composite
def edit_pieces(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """Add, take away, move, double or change a piece of a file."""
    path = draw(st.sampled_from([*kernel.files, *PATHS]))
    files = dict(kernel.files)
    pieces = files.get(path, ())
    at = draw(st.integers(0, max(len(pieces) - 1, 0)))
    before, piece, after = pieces[:at], pieces[at : at + 1], pieces[at + 1 :]
    kind = draw(st.sampled_from(OF_PIECES))
    if kind in ("add", "replace"):
        files[path] = (*before, *(piece if kind == "add" else ()), draw(PIECES), *after)
    elif kind in ("comment", "indent", "macro"):
        name = draw(SYMBOLS)
        files[path] = (*before, *(change_piece(each, kind, name) for each in piece), *after)
    elif piece:
        files[path] = pieces if kind == "double" else before + after
        if kind != "remove":
            target = draw(st.sampled_from(PATHS))
            files[target] = piece + files.get(target, ())
    return kernel._replace(files=files)


@st.composite
def edit_files(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """Rename, copy, delete or change a file as a whole, or move a directory."""
    files = dict(kernel.files)
    kind = draw(st.sampled_from(OF_FILES if files else ("move a directory",)))
    if kind == "move a directory":
        old, new = (draw(st.sampled_from(DIRECTORIES)) + "/" for _ in range(2))
        moved = [path for path in files if path.startswith(old)]
        files |= {path.replace(old, new, 1): files.pop(path) for path in moved}
        return kernel._replace(files=files)
    path = draw(st.sampled_from(sorted(files)))
    pieces = files.pop(path)
    if kind in ("rename", "copy"):
        files[draw(st.sampled_from(PATHS))] = pieces
    elif kind == "case":
        files[path[:-1] + path[-1].swapcase()] = pieces
    elif kind == "nul":
        others = tuple(piece for piece in pieces if b"\0" not in piece)
        files[path] = others if others != pieces else (b"\0\n", *pieces)
    if kind == "copy":
        files[path] = pieces
    elif kind == "double":
        files[path] = pieces * 2
    elif kind == "uncomment":
        files[path] = tuple(COMMENT.sub(b"", piece) for piece in pieces)
    return kernel._replace(files=files)


@st.composite
def edit_facts(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """Edit the list of the make check, bring or drop that, or edit what is beside it."""
    kind = draw(st.sampled_from(OF_FACTS))
    if kind == "anew":
        return Kernel(kernel.files, draw(LISTS), draw(STARTS), draw(HEADERS))
    if kind == "header":
        return kernel._replace(has_macro=draw(HEADERS))
    if kind == "start":
        return kernel._replace(start=draw(STARTS))
    if kind == "check":
        return kernel._replace(names=LISTED if kernel.names is None else None)
    names, name = kernel.names or (), draw(SYMBOLS)
    if kind == "add a name":
        return kernel._replace(names=(*names, name))
    # An empty list cannot be read.
    left = tuple(each for each in names if each != name)
    return kernel._replace(names=left or kernel.names)


@st.composite
def edit(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """Edit KERNEL in one to three places, and now and then a fact file as well."""
    edits = st.sampled_from([*(edit_pieces, edit_files) * 2, edit_facts])
    more = st.sampled_from([(), (), (edit_facts,)])
    for edit_some in (*draw(st.lists(edits, min_size=1, max_size=3)), *draw(more)):
        kernel = draw(edit_some(kernel))
    return kernel


def merge(kernel: Kernel, other: Kernel) -> Kernel:
    """Merge OTHER into KERNEL, which has the last word on a file that both have."""
    return kernel._replace(files={**other.files, **kernel.files})
