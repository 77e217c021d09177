# SPDX-License-Identifier: MIT
"""Random small kernels, and random edits of them, as people make commits."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from kvm_export_hook.rules import policy

# The content of each file, from the top of the tree, in pieces of whole lines.
Pieces = dict[str, list[bytes]]

HEADER, MAKEFILE = "include/linux/kvm_types.h", "arch/x86/kvm/Makefile"
SOURCES = (
    *("virt/kvm/x.c", "virt/kvm/z.h", "arch/x86/kvm/y.c", "arch/x86/kvm/vmx/v.c"),
    *("virt/kvm/kvm_get_kvm.c", "lib/l.c", "lib/kvm_put_kvm.h"),
)
SYMBOLS = (b"kvm_get_kvm", b"kvm_put_kvm", b"kvm_put_kvm_evil", b"kvm_foo", b"kvm_bar")
CALLS = [
    macro + b"(" + symbol + b");" + after
    for macro in (policy.PLAIN, policy.GPL, policy.GPL, policy.INTERNAL, b"EXPORT_SYMBOL_NS_GPL")
    for symbol in SYMBOLS
    for after in (b"\n", b" /* like kvm_get_kvm */\n")
]
OTHERS = [
    *(macro + b"(kvm_foo);\n" for macro in policy.MACROS),
    b"EXPORT_SYMBOL_GPL(kvm_foo /* kvm_get_kvm */);\n",
    b"\tEXPORT_SYMBOL_GPL( kvm_foo );\n",
    b"EXPORT_SYMBOL_GPL(\n\tkvm_foo);\n",
    b"EXPORT_SYMBOL_GPL(\n\tkvm_get_kvm);\n",
    b"/* EXPORT_SYMBOL_GPL */\n",
    b"/* EXPORT_SYMBOL of kvm_put_kvm */\n",
    b'char *a = "EXPORT_SYMBOL";\n',
    b"#define kvm_get_kvm_x(s) EXPORT_SYMBOL_GPL(s)\n",
    b"#define X(s) EXPORT_SYMBOL(s)\n",
    b"#ifdef EXPORT_SYMBOL\n#endif\n",
    b"int EXPORT_SYMBOL_GPL;\n",
    *(b"/*\n", b"*/\n", b"int a;\n", b"int a;\n", b"int \0;\n"),
]
PIECES = st.one_of(st.sampled_from(CALLS), st.sampled_from(OTHERS))
FILES = st.lists(PIECES, min_size=1, max_size=4)
NAMES = st.sampled_from(SOURCES)

TREES = st.dictionaries(NAMES, FILES, max_size=4)
LISTS = st.lists(st.sampled_from(SYMBOLS[:4]), min_size=1, max_size=3, unique=True)


@st.composite
def edited(draw: st.DrawFn, before: Pieces) -> Pieces:
    """Edit a tree in one to three places."""
    after = {name: list(pieces) for name, pieces in before.items()}
    for _ in range(draw(st.integers(1, 3))):
        draw(st.sampled_from(EDITS))(draw, after)
    return after


def put(draw: st.DrawFn, tree: Pieces) -> None:
    """Add a piece to a file, which may be new."""
    pieces = tree.setdefault(draw(NAMES), [])
    pieces.insert(draw(st.integers(0, len(pieces))), draw(PIECES))


def take(draw: st.DrawFn, tree: Pieces) -> bytes | None:
    """Take a piece out of a file."""
    name = draw(st.sampled_from(sorted(tree))) if tree else ""
    pieces = tree.get(name)
    return pieces.pop(draw(st.integers(0, len(pieces) - 1))) if pieces else None


def move(draw: st.DrawFn, tree: Pieces) -> None:
    """Move a piece within a file, or to another."""
    piece = take(draw, tree)
    if piece is not None:
        tree.setdefault(draw(NAMES), []).append(piece)


def double(draw: st.DrawFn, tree: Pieces) -> None:
    """Double a file's pieces."""
    if tree:
        tree[draw(st.sampled_from(sorted(tree)))] *= 2


def uncomment(draw: st.DrawFn, tree: Pieces) -> None:
    """Take the comments off a file."""
    if tree:
        pieces = tree[draw(st.sampled_from(sorted(tree)))]
        for comment in (b" /* like kvm_get_kvm */", b" /* kvm_get_kvm */"):
            pieces[:] = [piece.replace(comment, b"") for piece in pieces]


def rename(draw: st.DrawFn, tree: Pieces) -> None:
    """Rename a file."""
    if tree:
        content = tree.pop(draw(st.sampled_from(sorted(tree))))
        tree[draw(NAMES)] = content


def delete(draw: st.DrawFn, tree: Pieces) -> None:
    """Delete a file."""
    if tree:
        del tree[draw(st.sampled_from(sorted(tree)))]


EDITS: list[Callable[[st.DrawFn, Pieces], object]] = [
    *(put, take, move, double),
    *(uncomment, rename, delete),
]


def join(tree: Pieces) -> dict[str, bytes]:
    """Put the pieces of each file together."""
    return {name: b"".join(pieces) for name, pieces in tree.items()}
