# SPDX-License-Identifier: MIT
"""Random C, for tests of what holds for any source: some is like the kernel's, some is noise."""

from __future__ import annotations

from hypothesis import strategies as st

from kvm_export_hook.rules import policy

NAMES = st.sampled_from(
    [
        *(b"kvm_get_kvm", b"kvm_put_kvm", b"kvm_foo") * 2,  # the most common
        *(b"a", b"x1", b"kvm_put_kvm_no_destroy"),
        *(b"KEY(x)", b"kvm_get _kvm", b"(kvm_get_kvm)", b'"kvm_foo"', b"", b"\xc3\xa9"),
    ]
)
MACROS = st.sampled_from(
    [
        *policy.MACROS,
        *(policy.PLAIN, policy.GPL, policy.GPL, policy.GPL) * 3,  # the most common
        *(b"EXPORT_", b"XEXPORT_SYMBOL", b"EXPORT_SYMBOL_", b"EXPORT_SYMBOL_FOR_MODULES"),
    ]
)
# The last three go over the line only up to the CR.
SPLICES = st.sampled_from(
    [*(b"\\\n", b"\\ \t\n", b"\\\r\n", b"\\\0\n"), *(b"\\\r", b"\\ \r \n", b"\\\r\r\n")]
)
LINE_ENDS = st.sampled_from([*(b"\n", b"\n", b"\n", b"\r\n", b";\n", b" \n"), *(b"\r", b"\r\r\n")])


def joined(*parts: st.SearchStrategy[bytes] | bytes) -> st.SearchStrategy[bytes]:
    """Put one after the other."""
    strategies = [st.just(part) if isinstance(part, bytes) else part for part in parts]
    return st.tuples(*strategies).map(b"".join)


def several(part: st.SearchStrategy[bytes], most: int) -> st.SearchStrategy[bytes]:
    """Repeat, with something new each time."""
    return st.lists(part, max_size=most).map(b"".join)


SOUP = several(
    st.one_of(
        MACROS,
        NAMES,
        SPLICES,
        st.sampled_from([b"_", b"(", b")", b",", b";", b"#define ", b"%:if ", b"%:", b"R", b"\\"]),
        st.sampled_from([b" ", b"\t", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf"]),
        st.sampled_from([b"/*", b"*/", b"//", b"/", b"*", b'"', b"'"]),
    ),
    40,
)

# In a comment or a literal anything may stand, but for what ends it.
TEXT = several(st.one_of(MACROS, NAMES, st.sampled_from([b" ", b"(", b")", b"#", b"*", b"/"])), 5)
COMMENTS = st.one_of(
    joined(b"/*", several(st.one_of(TEXT, st.sampled_from([b"\n", b'"', b"'"])), 3), b"*/"),
    joined(b"//", TEXT, st.sampled_from([b"", b"\\", b"'", b'"']), LINE_ENDS),
)
LITERALS = st.one_of(
    joined(b'"', several(st.one_of(TEXT, st.sampled_from([b'\\"', b"\\\\", b"'"])), 3), b'"'),
    joined(b"'", st.sampled_from([b"a", b'"', b"\\'", b"\\\\", b"\\n", b""]), b"'"),
)
BLANKS = several(
    st.one_of(st.sampled_from([b" ", b"\t", b"\n", b"\0", b"\f"]), SPLICES, COMMENTS), 2
)
ARGUMENTS = st.recursive(
    st.one_of(NAMES, LITERALS, BLANKS),
    lambda inner: joined(b"(", inner, st.sampled_from([b"", b",", b", b"]), inner, b")"),
    max_leaves=4,
)
CALLS = joined(
    MACROS,
    BLANKS,
    b"(",
    BLANKS,
    ARGUMENTS,
    BLANKS,
    st.one_of(st.just(b""), joined(b",", ARGUMENTS)),
    st.sampled_from([b")", b")", b")", b""]),
)
PLAIN_CALLS = joined(b"\n", MACROS, b"(", NAMES, b");\n")
DIRECTIVES = joined(
    BLANKS,
    st.sampled_from([b"#", b"%:", b"# ", b"\n#", b"\n #"]),
    st.sampled_from([b"define A ", b"define A(x) ", b"ifdef ", b"if 0 ", b"include ", b""]),
    st.one_of(CALLS, MACROS, TEXT, COMMENTS),
    st.one_of(LINE_ENDS, SPLICES, COMMENTS),
)
CODE = st.sampled_from([b"int a;", b"return b / c * d;", b"a = 'b';", b"{", b"}", b"\n", b"\n\n"])
BROKEN = st.one_of(
    st.sampled_from([b"/*", b"*/", b'"', b"'", b"(", b")", b"\\", b"R"]), st.binary(max_size=3)
)
PIECES = st.one_of(PLAIN_CALLS, CALLS, COMMENTS, LITERALS, DIRECTIVES, CODE, LINE_ENDS, BROKEN)


@st.composite
def spliced(draw: st.DrawFn, sources: st.SearchStrategy[bytes]) -> bytes:
    """Put line splices anywhere into a source."""
    source = draw(sources)
    for at in draw(st.lists(st.integers(0, max(len(source), 1)), max_size=3)):
        source = source[:at] + draw(SPLICES) + source[at:]
    return source


SHAPED = several(PIECES, 8)
SOURCES = st.one_of(SOUP, SHAPED, spliced(SHAPED))
