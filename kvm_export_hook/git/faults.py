# SPDX-License-Identifier: MIT
"""Faults of the machine: what git says of one, and of a place that nothing can be written to."""

from __future__ import annotations

import os
from errno import EACCES, EIO, EMFILE, ENOMEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# How what git or the system says of a full disk ends, and of any fault.
FULL = ("No space left on device", "Out of diskspace")
FAULTS = (*FULL, *map(os.strerror, (EACCES, EIO, EMFILE, ENOMEM)))


def is_refusal(said: Sequence[str]) -> bool:
    """Whether git SAID that it was given something wrong, and nothing of the machine."""
    is_fault = any(line.startswith("fatal: ") or line.endswith(FAULTS) for line in said)
    return not is_fault and any(line.startswith("error: ") for line in said)


def name_temporary() -> bytes:
    """Return a new path for something that is soon gone again."""
    directory = os.environb.get(b"TMPDIR") or b"/tmp"
    name = b"kvm-export-hook.%d.%s" % (os.getpid(), os.urandom(8).hex().encode())
    return os.path.join(directory, name)


def blame_temporary(path: bytes, error: OSError) -> str:
    """Say that nothing can be written at PATH, and what to do."""
    where = os.fsdecode(os.path.dirname(path))
    return f"cannot write a temporary file in {where}: {error.strerror}: set TMPDIR to another"
