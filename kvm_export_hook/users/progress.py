# SPDX-License-Identifier: MIT
"""A word for a person who waits."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def say_later(say: Callable[[], None] | None, patience: float) -> Iterator[None]:
    """Call SAY, if there is one, once what is done in this context takes over PATIENCE seconds."""
    timer = Timer(patience, say or (lambda: None))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
