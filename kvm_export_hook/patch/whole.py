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

    ``options``: git's options for the names in the current patch of KVM. ``unknown``: the
    names in patches that did not apply. ``is_exact``: so far, all applied.
    """

    def __init__(self, scratch: Scratch) -> None:
        self.options: tuple[bytes, ...] = ()
        self.unknown: set[bytes] = set()
        self.is_exact = True
        self._scratch = scratch
        # The length of each patch that was not applied yet, and git's options for its names.
        self._waiting: list[tuple[int, tuple[bytes, ...] | None]] = []
        self._offset = 0  # that of the first of these in the file
        self._made = b""  # the id of the tree, once there is one

    def keep(self, patch: bytes, options: tuple[bytes, ...] | None = None) -> None:
        """Keep PATCH, the next one, and git's OPTIONS for its names; None: ``self.options``.

        Raises OSError.
        """
        with open(self._scratch.join(KEPT_PATCHES), "ab") as file:
            file.write(patch)
        self._waiting.append((len(patch), options))

    def make(self, tree: bytes) -> bytes:
        """Apply the kept patches to TREE, the same at each call; return the id of the result.

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
        """Apply PATCH; if it neither applies nor has been applied, note its names.

        Raises GitError.
        """
        undo = (b"--check", b"-R")
        if self._try_apply(patch, *options) or self._try_apply(patch, *options, *undo):
            return
        self.is_exact = False
        try:
            records = list_records(self._scratch, patch, *options)
        except RefusalError:
            return  # git am refuses it, too
        self.unknown |= {record.name for record in records}

    def _try_apply(self, patch: bytes, *options: bytes) -> bool:
        """Apply PATCH with OPTIONS, and return whether git could. Raises GitError."""
        return self._scratch.try_apply(patch, WHOLE_INDEX, b"--cached", *options)

    def _run(self, *arguments: bytes) -> bytes:
        """Run git on the index of the whole tree. Raises GitError."""
        return self._scratch.run(*arguments, index=WHOLE_INDEX)
