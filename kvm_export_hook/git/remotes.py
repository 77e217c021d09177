# SPDX-License-Identifier: MIT
"""The remotes of a repository: a push leaves out commits that they have, judged before."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kvm_export_hook.git.repository import Repository

SETTINGS_PATTERN = rb"^(remote\..*\.(push)?url|branch\..*\.remote|checkout\.defaultremote)$"
BRANCHES = b"refs/heads/"
DEFAULT_REMOTE = b"origin"
UNKNOWN_URL_MESSAGE = (
    "the push goes to a URL that is not a remote of this repository: commits that one of these"
    " remotes has are not checked again: "
)


class Remotes:
    """The remotes of a repository, by name, and which one each branch follows."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._urls: dict[bytes, set[bytes]] = {}
        self._of_branches: dict[bytes, bytes] = {}
        self._default = DEFAULT_REMOTE
        listed = repository.ask(b"config", b"--null", b"--get-regexp", SETTINGS_PATTERN) or b""
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

    def find(self, names: Iterable[bytes]) -> list[bytes]:
        """Find the remotes of these NAMES, or of these URLs."""
        wanted = set(names)
        return [name for name, urls in self._urls.items() if wanted & {name, *urls}]

    def find_targets(self, named: Sequence[bytes]) -> list[bytes]:
        """Find the remote that a push goes to, NAMED by its name and its URL.

        For a URL of no remote, returns all remotes, and makes a note that names them.
        """
        found = self.find(named[:1]) or self.find(named)
        if named and not found and self._urls:
            names = b", ".join(self._urls).decode("utf-8", "surrogateescape")
            self._repository.note(b"", UNKNOWN_URL_MESSAGE + names)
            return list(self._urls)
        return found

    def leave_out(self, names: Iterable[bytes]) -> tuple[bytes, ...]:
        """Make the options by which git leaves out what the remotes NAMES have.

        The refs of a remote ``korg/next`` look like refs of ``korg``, but are not.
        """
        options: list[bytes] = []
        for name in dict.fromkeys(names):
            inside = [other for other in self._urls if other.startswith(name + b"/")]
            options += [b"--exclude=refs/remotes/%s/*" % other for other in inside]
            options.append(b"--glob=refs/remotes/" + name)
        return (b"--not", *options) if options else ()

    def find_upstream(self, ref: bytes) -> list[bytes]:
        """Find the remote that the branch REF follows, or else git's default one."""
        if ref.startswith((b"HEAD", b"@")):
            said = self._repository.ask(b"symbolic-ref", b"--quiet", b"HEAD") or b""
            ref = said.rstrip(b"\n")
        followed = self._of_branches.get(ref.removeprefix(BRANCHES), b"")
        return self.find([followed]) or self.find([self._default])
