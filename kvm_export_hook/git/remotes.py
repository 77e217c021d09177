# SPDX-License-Identifier: MIT
"""The remotes of a repository: which of them have what a push would judge again."""

from __future__ import annotations

from kvm_export_hook.git.process import ask_git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kvm_export_hook.git.repository import Repository

SETTINGS_PATTERN = rb"^(remote\..*\.(push)?url|branch\..*\.remote|checkout\.defaultremote)$"
BRANCHES = b"refs/heads/"
DEFAULT_REMOTE = b"origin"
UNKNOWN_URL_MESSAGE = (
    "the push goes to a URL that is no remote of this repository: what its remotes have is not"
    " checked again: "
)


class Remotes:
    """The remotes of a repository, by name, and which one each branch follows."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._urls: dict[bytes, set[bytes]] = {}
        self._of_branches: dict[bytes, bytes] = {}
        self._default = DEFAULT_REMOTE
        listed = self._ask(b"config", b"--null", b"--get-regexp", SETTINGS_PATTERN)
        for setting in listed.split(b"\0")[:-1]:
            key, _, value = setting.partition(b"\n")
            section, _, rest = key.partition(b".")
            name = rest.rpartition(b".")[0]
            if section == b"remote":
                self._urls.setdefault(name, set()).add(value)
            elif section == b"branch":
                self._of_branches[name] = value
            else:
                self._default = value

    def _ask(self, *arguments: bytes) -> bytes:
        """Ask git for what need not be there."""
        return ask_git(*arguments, directory=self._repository.directory) or b""

    def find(self, names: Iterable[bytes]) -> list[bytes]:
        """Find the remotes of these NAMES, or of these URLs."""
        wanted = set(names)
        return [name for name, urls in self._urls.items() if wanted & {name, *urls}]

    def find_targets(self, named: Sequence[bytes]) -> list[bytes]:
        """Find the remote that a push goes to, NAMED by its name and its URL.

        For another URL that is all of them, and a note names them.
        """
        found = self.find(named[:1]) or self.find(named)
        if named and not found and self._urls:
            names = b", ".join(self._urls).decode("utf-8", "surrogateescape")
            self._repository.note(b"", UNKNOWN_URL_MESSAGE + names)
            return list(self._urls)
        return found

    def find_upstream(self, ref: bytes) -> list[bytes]:
        """Find the remote that the branch REF follows, or else git's default one."""
        if ref.startswith((b"HEAD", b"@")):
            ref = self._ask(b"symbolic-ref", b"--quiet", b"HEAD").rstrip(b"\n")
        followed = self._of_branches.get(ref.removeprefix(BRANCHES), b"")
        return self.find([followed]) or self.find([self._default])
