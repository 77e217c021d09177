# SPDX-License-Identifier: MIT
"""Runs git, without the module subprocess, which costs more than a bare start of Python.

No git is ever killed: if its output is not read to the end, the closed pipe ends it.
Its stderr is an unnamed file, and so is its stdin, unless ``ask`` writes that: so no two
pipes wait for each other.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import BufferedReader

# Settings of the user for replace refs and literal pathspecs must not change what is read.
GIT = (b"git", b"--no-pager", b"--no-replace-objects", b"--no-literal-pathspecs")

OLDEST_GIT = (2, 30)
# What git says if it finds no repository. If one was named, it names that instead.
NO_REPOSITORY = "not a git repository (or any "
NO_REPOSITORY_HERE = (
    "git finds no repository here: name its directory with --srctree, or, for a kernel without"
    " git, check its files: kvm-export-hook PATH"
)

# What git says to type if it does not trust the owner of a repository.
OWNER_REMEDY = "\tgit config --global --add safe.directory "

# The variables that belong to one repository, which git sets for its hooks: those that git
# rev-parse --local-env-vars lists, except for grafts and settings of a command line.
OF_ONE_REPOSITORY = frozenset(
    b"GIT_" + name
    for name in (
        *(b"ALTERNATE_OBJECT_DIRECTORIES", b"COMMON_DIR", b"CONFIG", b"DIR", b"IMPLICIT_WORK_TREE"),
        *(b"INDEX_FILE", b"INTERNAL_SUPER_PREFIX", b"NO_REPLACE_OBJECTS"),
        *(b"OBJECT_DIRECTORY", b"PREFIX", b"REPLACE_REF_BASE", b"SHALLOW_FILE", b"WORK_TREE"),
    )
)

READ_BYTES = 1 << 16
LONGEST_REASON = 300


class GitError(OSError):
    """Git is missing, too old, or has failed; ``reason`` says why in one line."""

    def __init__(self, reason: str) -> None:
        super().__init__(None, reason)
        self.reason = reason


class RefusalError(GitError):
    """Git has refused its input, with an exit STATUS. The machine is not the cause."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class Git:
    """A git that runs with ARGUMENTS; a context, whose end raises GitError if git has failed.

    ``directory``: where to run it, empty for the working directory. ``stdin``: what it
    reads; None: what ``ask`` writes. ``environment``: all of its variables, by default
    those of this process. ``may_fail``: the caller looks at the exit status itself.
    """

    def __init__(
        self,
        *arguments: bytes,
        directory: bytes = b"",
        stdin: bytes | None = b"",
        environment: dict[bytes, bytes] | None = None,
        may_fail: bool = False,
    ) -> None:
        self.arguments = arguments
        self.may_fail = may_fail
        self.status: int | None = None
        keep_standard_streams_apart()
        self._stderr = open_unnamed(b"")
        self._input: int | None = None
        if stdin is None:
            source, self._input = os.pipe()
        else:
            source = open_unnamed(stdin)
        output, write_end = os.pipe()
        place = (b"-C", directory) if directory else ()
        try:
            self._pid = os.posix_spawnp(
                GIT[0],
                [*GIT, *place, *arguments],
                make_environment() if environment is None else environment,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, source, 0),
                    (os.POSIX_SPAWN_DUP2, write_end, 1),
                    (os.POSIX_SPAWN_DUP2, self._stderr, 2),
                ],
            )
        except OSError as error:
            os.close(output)
            os.close(self._stderr)
            self.end_input()
            raise GitError(f"cannot run git: {error.strerror}: install git") from error
        finally:
            os.close(source)
            os.close(write_end)
        self.output: BufferedReader = open(output, "rb")  # noqa: SIM115

    def __enter__(self) -> Git:
        """Return this git."""
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        """Wait for git to end. Raises GitError if it failed, unless another error came first."""
        self.end_input()
        self.output.close()
        try:
            _, status = os.waitpid(self._pid, 0)
            self.status = os.waitstatus_to_exitcode(status)
            # If git failed, that explains why its output could not be read.
            if self.status != 0 and not self.may_fail and isinstance(error, GitError | None):
                raise self.explain()
        finally:
            os.close(self._stderr)

    def ask(self, text: bytes) -> None:
        """Write TEXT to git's stdin. If git has ended, reading its output will show that."""
        assert self._input is not None
        try:
            while text:
                text = text[os.write(self._input, text) :]
        except BrokenPipeError:
            pass

    def end_input(self) -> None:
        """Close git's stdin, if that is a pipe."""
        if self._input is not None:
            os.close(self._input)
            self._input = None

    def explain(self) -> GitError:
        """Return the error that says why git failed."""
        from kvm_export_hook.git.faults import is_refusal

        said = os.fsdecode(os.pread(self._stderr, READ_BYTES, 0)).splitlines()
        reason = find_reason(said, self.status or 0)
        if reason.startswith(NO_REPOSITORY):
            return GitError(NO_REPOSITORY_HERE)
        name = os.fsdecode(find_subcommand(self.arguments))
        if () < find_version() < OLDEST_GIT:
            oldest = ".".join(map(str, OLDEST_GIT))
            return GitError(
                f"git {name} failed: this git is older than {oldest}: install a newer one"
            )
        remedies = [": " + line.strip() for line in said if line.startswith(OWNER_REMEDY)]
        shown = f"git {name} failed: {reason[:LONGEST_REASON]}" + "".join(remedies[:1])
        return RefusalError(shown, self.status or 0) if is_refusal(said) else GitError(shown)


def find_reason(said: Sequence[str], status: int) -> str:
    """Find the reason in what git SAID for its exit STATUS, which is below zero for a signal."""
    fatal = [line for line in said if line.startswith(("fatal: ", "error: "))]
    others = [line for line in said if not line.startswith(("hint: ", "warning: "))]
    if not fatal and status > 0:
        fatal = others[-1:]
    how = f"ended by signal {-status}" if status < 0 else f"exit status {status}"
    return " ".join(fatal[:1]).partition(": ")[2] or how


def find_subcommand(arguments: Sequence[bytes]) -> bytes:
    """Find the subcommand in the ARGUMENTS of git, after settings."""
    at = 0
    while arguments[at] == b"-c":
        at += 2
    return arguments[at]


def run_git(
    *arguments: bytes,
    directory: bytes = b"",
    stdin: bytes = b"",
    environment: dict[bytes, bytes] | None = None,
) -> bytes:
    """Run git to its end; return what it prints. Raises GitError if it fails."""
    with Git(*arguments, directory=directory, stdin=stdin, environment=environment) as git:
        return git.output.read()


def ask_git(
    *arguments: bytes, directory: bytes = b"", environment: dict[bytes, bytes] | None = None
) -> bytes | None:
    """Run git to its end; return what it prints, or None if its exit status is not 0."""
    with Git(*arguments, directory=directory, environment=environment, may_fail=True) as git:
        output = git.output.read()
    return output if git.status == 0 else None


def read_fields(stream: BufferedReader, separator: bytes = b"\0") -> Iterator[bytes]:
    """Yield the fields of STREAM, each ended by SEPARATOR, one chunk at a time in memory."""
    rest = b""
    while chunk := stream.read1(READ_BYTES):
        *fields, rest = (rest + chunk).split(separator)
        yield from fields
    if rest:
        yield rest


def find_version() -> tuple[int, ...]:
    """Return the major and the minor version of git."""
    digits = (ask_git(b"version") or b"").partition(b"version ")[2].split(b".")[:2]
    return tuple(int(part) for part in digits if part.isdigit())


def make_environment() -> dict[bytes, bytes]:
    """Return the variables for git: those of this process, without misleading ones.

    No file of grafts is read, because it would change the parents of commits.
    """
    off = dict.fromkeys((b"GIT_ICASE_PATHSPECS", b"GIT_GLOB_PATHSPECS"), b"0")
    return {**os.environb, **off, b"GIT_GRAFT_FILE": os.fsencode(os.devnull), b"LC_ALL": b"C"}


def forget_repository() -> dict[bytes, bytes]:
    """Return the variables for a git that finds its repository itself, as it does in a shell."""
    kept = make_environment()
    return {name: kept[name] for name in kept if name not in OF_ONE_REPOSITORY}


def keep_standard_streams_apart() -> None:
    """Open those of descriptors 0 to 2 that are closed, so that no pipe gets such a number."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def open_unnamed(content: bytes) -> int:
    """Open a file without a name that has CONTENT, at its start. Raises OSError."""
    try:
        descriptor = os.memfd_create("kvm-export-hook")
    except (AttributeError, PermissionError):  # not on Linux, or not permitted
        from kvm_export_hook.git.faults import name_temporary

        path = name_temporary()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.unlink(path)
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
