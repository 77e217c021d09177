# SPDX-License-Identifier: MIT
"""The lexer and the glance: what surrounds a word, read twice and alike."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given

from kvm_export_hook.rules import lex
from kvm_export_hook.rules.glance import find_plain_places
from kvm_export_hook.rules.place import Place
from tests.helpers.hostile_input import hostile_files
from tests.helpers.random_c import SOURCES
from tests.helpers.reference import find_macros


def as_tuple(place: Place) -> tuple[str, bytes | None, int]:
    return place.kind, place.argument, place.end


@given(SOURCES)
def test_what_shows_at_a_glance_is_what_the_lexer_reads(source: bytes) -> None:
    words = find_macros(source)
    for at_a_glance, lexed in zip(
        find_plain_places(source, words), lex.lex_places(source, words), strict=True
    ):
        assert at_a_glance is None or as_tuple(at_a_glance) == as_tuple(lexed)


@given(SOURCES)
def test_a_place_does_not_depend_on_which_other_words_are_asked_for(source: bytes) -> None:
    words = find_macros(source)
    kinds = [place.kind for place in lex.lex_places(source, words)]
    for word, kind in zip(words, kinds, strict=True):
        (alone,) = lex.lex_places(source, [word])
        assert alone.kind == kind


HOSTILE = dict(hostile_files())
SIZE = 200_000


@pytest.mark.parametrize("shape", HOSTILE.values(), ids=HOSTILE)
def test_places_take_little_memory(shape: Callable[[int], bytes]) -> None:
    source = shape(SIZE)
    words = find_macros(source)
    tracemalloc.start()
    for _ in lex.lex_places(source, words):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * SIZE
