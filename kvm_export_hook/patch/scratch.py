# SPDX-License-Identifier: MIT
"""A directory of its own in which git reads and applies patches.

Configuration and variables of the user have no effect there. In a repository, ``git apply``
would ignore files outside of the directory that it runs in.
"""

from __future__ import annotations

import os
import signal

from kvm_export_hook.git.faults import FULL, blame_temporary, name_temporary
from kvm_export_hook.git.process import RefusalError, run_git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object] | int | None

# Signals that end a program; here they raise an exception, like SIGINT in Python.
CAUGHT_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
USUAL_HANDLERS = (signal.SIG_DFL, signal.default_int_handler)


class Scratch:
    """An empty directory, a context; at its end, also by a signal, it is removed with its files.

    ``path``: that of the directory, absolute.
    """

    def __init__(self) -> None:
        self.path = os.path.abspath(name_temporary())
        self._usual: dict[signal.Signals, Handler] = {}
        self._waiting: list[int] = []
        kept = {name: value for name, value in os.environb.items() if not name.startswith(b"GIT_")}
        nothing = os.fsencode(os.devnull)
        self.environment = kept | {
            b"HOME": self.path,
            b"XDG_CONFIG_HOME": self.path,
            b"GIT_CONFIG_GLOBAL": nothing,
            b"GIT_CONFIG_NOSYSTEM": b"1",
            # Or git would find a repository around TMPDIR.
            b"GIT_DIR": nothing,
            b"LC_ALL": b"C",
        }

    def __enter__(self) -> Scratch:
        """Make the directory, and return this. Raises OSError."""
        for number in CAUGHT_SIGNALS:
            usual = signal.getsignal(number)
            if usual in USUAL_HANDLERS:
                self._usual[number] = usual
                signal.signal(number, self._interrupt)
        try:
            os.mkdir(self.path, 0o700)
        except OSError as error:
            self._let_signals_pass()
            raise OSError(None, blame_temporary(self.path, error)) from error
        if self._waiting:
            self.__exit__()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the directory."""
        for directory, directories, files in os.walk(self.path, topdown=False):
            for name in files:
                os.unlink(os.path.join(directory, name))
            for name in directories:
                os.rmdir(os.path.join(directory, name))
        os.rmdir(self.path)
        self._let_signals_pass()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal NUMBER; it waits while the directory is made or removed."""
        own = (Scratch.__enter__.__code__, Scratch.__exit__.__code__)
        while frame:
            if frame.f_code in own:
                self._waiting.append(number)
                return
            frame = frame.f_back
        raise KeyboardInterrupt

    def _let_signals_pass(self) -> None:
        """Restore the usual handlers, and send the signals that wait."""
        for number, usual in self._usual.items():
            signal.signal(number, usual)
        for waiting in self._waiting:
            os.kill(os.getpid(), waiting)

    def join(self, name: bytes) -> bytes:
        """Return the path of the file NAME in the directory."""
        return os.path.join(self.path, name)

    def read(self, name: bytes) -> bytes:
        """Read the file NAME."""
        with open(self.join(name), "rb") as file:
            return file.read()

    def run(self, *arguments: bytes, stdin: bytes = b"", index: bytes | None = None) -> bytes:
        """Run git in the directory, with an INDEX of its own; return what it prints.

        Raises GitError if it fails.
        """
        environment = self.environment
        if index is not None:
            environment = environment | {b"GIT_INDEX_FILE": self.join(index)}
        return run_git(*arguments, directory=self.path, stdin=stdin, environment=environment)

    def try_apply(self, patch: bytes, index: bytes, *options: bytes) -> bool:
        """Have git apply PATCH with OPTIONS, and return whether it did. Raises GitError."""
        try:
            self.run(b"apply", *options, stdin=patch, index=index)
        except RefusalError:
            return False
        return True

    def blame(self, error: OSError) -> OSError:
        """Return ERROR, or one that says that there is no space for this directory."""
        if not str(error.strerror).endswith(FULL):
            return error
        return OSError(None, blame_temporary(self.path, error))

    def make_repository(self, objects: bytes, form: bytes) -> None:
        """Make the directory a repository that reads OBJECTS, a directory of another, as its own.

        FORM is the name of the hash that both use. It has no remote, so that
        nothing is ever fetched.
        """
        is_old = form == b"sha1"
        extension = b"" if is_old else b"[extensions]\n\tobjectFormat = %s\n" % form
        config = b"[core]\n\trepositoryFormatVersion = %d\n\tbare = true\n" % (not is_old)
        quoted = objects.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
        for name in (b"objects/info", b"refs"):
            os.makedirs(self.join(name), exist_ok=True)
        for name, content in (
            (b"HEAD", b"ref: refs/heads/none\n"),
            (b"config", config + extension),
            (b"objects/info/alternates", b'"%s"\n' % quoted),
        ):
            with open(self.join(name), "wb") as file:
                file.write(content)
        self.environment = self.environment | {b"GIT_DIR": self.path}
