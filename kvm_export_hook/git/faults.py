# SPDX-License-Identifier: MIT
"""Faults of the machine: how git reports one, and where a temporary file cannot be written."""

from __future__ import annotations

import os
from errno import EACCES, EIO, EMFILE, ENOMEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# The last words of git's or the system's message about a full disk, and about any fault.
FULL = ("No space left on device", "Out of diskspace")
FAULTS = (*FULL, *map(os.strerror, (EACCES, EIO, EMFILE, ENOMEM)))


def is_refusal(said: Sequence[str]) -> bool:
    """Whether git SAID that its input was wrong, rather than that the machine had a fault."""
    is_fault = any(line.startswith("fatal: ") or line.endswith(FAULTS) for line in said)
    return not is_fault and any(line.startswith("error: ") for line in said)


def name_temporary() -> bytes:
    """Return a new path for a temporary file or directory."""
    directory = os.environb.get(b"TMPDIR") or b"/tmp"
    name = b"kvm-export-hook.%d.%s" % (os.getpid(), os.urandom(8).hex().encode())
    return os.path.join(directory, name)


def blame_temporary(path: bytes, error: OSError) -> str:
    """Say that nothing can be written at PATH, and what to do."""
    where = os.fsdecode(os.path.dirname(path))
    return f"cannot write a temporary file in {where}: {error.strerror}: set TMPDIR to another"
