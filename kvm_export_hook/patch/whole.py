# SPDX-License-Identifier: MIT
"""The whole tree after the patches, with their changes outside KVM.

It is only made when it is asked for; until then the patches are kept in a file.
"""

from __future__ import annotations

from kvm_export_hook.git.process import RefusalError
from kvm_export_hook.patch.patch_names import list_records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.patch.scratch import Scratch


# Files in the scratch directory.
KEPT_PATCHES = b"kept"
WHOLE_INDEX = b"whole"


class WholeTree:
    """Patches, each to be applied after those before it, in the repository SCRATCH.

    ``options``: git's for the names of those of KVM. ``unknown``: the names in patches
    that did not apply. ``is_exact``: so far, all did.
    """

    def __init__(self, scratch: Scratch) -> None:
        self.options: tuple[bytes, ...] = ()
        self.unknown: set[bytes] = set()
        self.is_exact = True
        self._scratch = scratch
        # How long each is, and git's options for its names.
        self._waiting: list[tuple[int, tuple[bytes, ...] | None]] = []
        self._offset = 0  # in the file, of the first that waits
        self._made = b""  # what git calls the tree, once there is one

    def keep(self, patch: bytes, options: tuple[bytes, ...] | None = None) -> None:
        """Keep PATCH, the next one, and git's OPTIONS for its names; None: as of KVM's.

        Raises OSError.
        """
        with open(self._scratch.join(KEPT_PATCHES), "ab") as file:
            file.write(patch)
        self._waiting.append((len(patch), options))

    def make(self, tree: bytes) -> bytes:
        """Apply all patches to TREE, the same each time; return the id that git gives to that.

        Raises GitError, OSError.
        """
        if self._made and not self._waiting:
            return self._made
        if not self._made:
            self._run(b"read-tree", tree)
        with open(self._scratch.join(KEPT_PATCHES), "ab+") as file:
            file.seek(self._offset)
            for length, options in self._waiting:
                self._apply(file.read(length), self.options if options is None else options)
            self._offset = file.tell()
        self._waiting.clear()
        self._made = self._run(b"write-tree", b"--missing-ok").strip()
        return self._made

    def _apply(self, patch: bytes, options: tuple[bytes, ...]) -> None:
        """Apply PATCH, unless the tree has what it makes. Raises GitError."""
        undo = (b"--check", b"-R")
        if self._can_apply(patch, *options) or self._can_apply(patch, *options, *undo):
            return
        self.is_exact = False
        try:
            records = list_records(self._scratch, patch, *options)
        except RefusalError:
            return  # git am refuses it, too
        self.unknown |= {record.name for record in records}

    def _can_apply(self, patch: bytes, *options: bytes) -> bool:
        """Apply PATCH with OPTIONS, and return whether git could. Raises GitError."""
        return self._scratch.can_apply(patch, WHOLE_INDEX, b"--cached", *options)

    def _run(self, *arguments: bytes) -> bytes:
        """Run git on the index of the whole tree. Raises GitError."""
        return self._scratch.run(*arguments, index=WHOLE_INDEX)
