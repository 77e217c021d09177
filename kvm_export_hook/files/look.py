# SPDX-License-Identifier: MIT
"""Looks at paths. A path may be absent; anything else that prevents a look is an error."""

from __future__ import annotations

import os
import stat


def is_absent(error: OSError) -> bool:
    """Whether ERROR says that nothing is there, rather than that it cannot be read."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return True
    from errno import ELOOP, ENAMETOOLONG

    return error.errno in (ELOOP, ENAMETOOLONG)


def is_directory(path: bytes) -> bool:
    """Whether PATH leads to a directory. Raises OSError where that cannot be known.

    ``os.path.isdir`` returns False there.
    """
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except OSError as error:
        if is_absent(error):
            return False
        raise


def exists(path: bytes) -> bool:
    """Whether there is anything at PATH. Raises OSError where that cannot be known."""
    try:
        os.lstat(path)
    except OSError as error:
        if is_absent(error):
            return False
        raise
    return True
