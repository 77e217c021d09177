# SPDX-License-Identifier: MIT
"""The safe write: the file is whole, keeps who may use it, and nothing is left beside it."""

from __future__ import annotations

import errno
import os
import signal
import stat
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kvm_export_hook.fix.atomic import (
    copy_extended,
    copy_owner,
    names_without_support,
    read_extended,
    replace_file,
)
from tests.helpers.steps import make_steps
from tests.helpers.support import PYTHON, make_unmeasured_environment, restore_signals

OLD, NEW = b"old\n", b"new\n"
ACL = "system.posix_acl_access"
DEFAULT_ACL = "system.posix_acl_default"
USER_OBJ, USER, GROUP_OBJ, MASK, OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
NOBODY = 0xFFFFFFFF


def acl(*entries: tuple[int, int, int]) -> bytes:
    """Write an ACL as Linux keeps it: tag, permissions and id of each entry."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


# One user may write, the group nothing; the mode shows the mask for the group: 0670.
FOR_A_USER = acl(
    (USER_OBJ, 6, NOBODY),
    (USER, 6, 1234),
    (GROUP_OBJ, 0, NOBODY),
    (MASK, 7, NOBODY),
    (OTHER, 0, NOBODY),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in a directory of its own."""
    file = tmp_path / "folder/x.c"
    file.parent.mkdir()
    file.write_bytes(OLD)
    return file


def replace(path: Path) -> None:
    replace_file(os.fsencode(path), OLD, NEW)


def leftovers(path: Path) -> list[Path]:
    return [each for each in path.parent.iterdir() if each != path]


def set_attribute(path: Path, name: str, value: bytes) -> None:
    """Set an extended attribute, where the file system of the test has them."""
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            pytest.skip(f"{name} is not supported here")
        raise


def test_the_content_is_replaced(path: Path) -> None:
    replace(path)
    assert path.read_bytes() == NEW
    assert leftovers(path) == []


def test_a_name_without_a_directory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    replace_file(b"x.c", OLD, NEW)
    assert path.read_bytes() == NEW


# What is kept.


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o444, 0o4751, 0o2775])
def test_mode(path: Path, mode: int) -> None:
    path.chmod(mode)
    replace(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == NEW


def test_an_acl(path: Path) -> None:
    set_attribute(path, ACL, FOR_A_USER)
    before = path.stat().st_mode
    replace(path)
    assert os.getxattr(path, ACL) == FOR_A_USER
    assert path.stat().st_mode == before


def test_no_acl_in_a_directory_that_gives_one(path: Path) -> None:
    set_attribute(path.parent, DEFAULT_ACL, FOR_A_USER)
    path.chmod(0o664)
    replace(path)
    assert path.read_bytes() == NEW
    assert ACL not in os.listxattr(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664


def test_an_acl_in_a_directory_that_gives_the_same(path: Path) -> None:
    set_attribute(path.parent, DEFAULT_ACL, FOR_A_USER)
    path.unlink()
    path.write_bytes(OLD)
    path.chmod(0o670)
    before = os.getxattr(path, ACL)
    replace(path)
    assert os.getxattr(path, ACL) == before


def test_user_attributes(path: Path) -> None:
    set_attribute(path, "user.note", b"\0\xff")
    replace(path)
    assert os.getxattr(path, "user.note") == b"\0\xff"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can set one")
def test_security_attributes_where_that_is_permitted(path: Path) -> None:
    set_attribute(path, "security.note", b"a")
    replace(path)
    assert os.getxattr(path, "security.note") == b"a"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_owner(path: Path) -> None:
    os.chown(path, 1234, 4321)
    replace(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)


def test_another_link_keeps_the_old_content(path: Path) -> None:
    other = path.parent / "y.c"
    other.hardlink_to(path)
    replace(path)
    assert (path.read_bytes(), other.read_bytes()) == (NEW, OLD)


def test_a_file_system_without_attributes() -> None:
    assert names_without_support(OSError(errno.ENOTSUP, "")) == []


def test_attributes_that_cannot_be_read(path: Path) -> None:
    file = os.open(path, os.O_PATH)
    with pytest.raises(OSError, match="Bad file descriptor"):
        read_extended(file)
    os.close(file)


# What is refused: the file is as it was, and nothing is left beside it.


def test_a_file_that_changed_in_the_meantime(path: Path) -> None:
    path.write_bytes(b"typed just now\n")
    with pytest.raises(OSError, match="changed in the meantime"):
        replace(path)
    assert path.read_bytes() == b"typed just now\n"
    assert leftovers(path) == []


def test_a_file_that_is_gone_in_the_meantime(path: Path) -> None:
    path.unlink()
    with pytest.raises(FileNotFoundError):
        replace(path)
    assert leftovers(path) == []


def test_a_file_that_became_a_symbolic_link(path: Path) -> None:
    target = path.rename(path.parent / "y.c")
    path.symlink_to("y.c")
    with pytest.raises(OSError, match="symbolic links"):
        replace(path)
    assert target.read_bytes() == OLD
    assert leftovers(path) == [target]


# Runs without some of root's rights; prints what is refused.
RESTRICTED = """\
import os, sys
from kvm_export_hook.fix.atomic import replace_file
try:
    replace_file(os.fsencode(sys.argv[1]), b"old\\n", b"new\\n")
except OSError as error:
    print(error.strerror)
"""


def replace_without(capability: str, path: Path) -> str:
    done = subprocess.run(
        ["setpriv", f"--bounding-set=-{capability}", PYTHON, "-c", RESTRICTED, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert leftovers(path) == []
    return done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_an_owner_that_cannot_be_kept(path: Path) -> None:
    os.chown(path, 1234, 4321)
    assert replace_without("chown", path) == (
        "its owner and group 1234:4321 cannot be kept: edit it by hand\n"
    )
    assert path.read_bytes() == OLD


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can set one")
def test_a_security_attribute_that_cannot_be_kept_is_let_go(path: Path) -> None:
    set_attribute(path, "security.note", b"a")
    assert replace_without("sys_admin", path) == ""
    assert path.read_bytes() == NEW
    assert "security.note" not in os.listxattr(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root keeps both")
def test_what_only_root_can_keep(path: Path) -> None:
    status = os.stat("/")
    reason = f"its owner and group {status.st_uid}:{status.st_gid} cannot be kept: edit it by hand"
    with path.open("rb") as file:
        with pytest.raises(OSError, match=reason):
            copy_owner(status, file.fileno())
        copy_extended({"security.note": b"a"}, file.fileno())
    assert "security.note" not in os.listxattr(path)


def test_a_user_attribute_that_cannot_be_kept(path: Path) -> None:
    with path.open("rb") as file, pytest.raises(OSError, match=r"user\.note cannot be kept: "):
        copy_extended({"user.note": bytes(100_000)}, file.fileno())


# At every step of the write.

STEPS = make_steps(
    ["kvm_export_hook.fix.atomic"],
    r'kvm_export_hook.fix.atomic.replace_file(os.fsencode(sys.argv[3]), b"old\n", b"new\n")',
)


def signalled_at_each_step(path: Path, number: int) -> Iterator[int]:
    """Replace the file over and over, with a signal one step later each time; yield the status."""
    for step in range(200):
        path.write_bytes(OLD)
        done = subprocess.run(
            restore_signals(PYTHON, "-c", STEPS, str(int(number)), str(step), str(path)),
            capture_output=True,
            check=False,
            env=make_unmeasured_environment(),
        )
        if done.returncode == 0:
            return
        yield done.returncode
    raise AssertionError


def test_killed_at_every_step(path: Path) -> None:
    # The directory's ACL would let a user in, the file does not.
    set_attribute(path.parent, DEFAULT_ACL, FOR_A_USER)
    path.unlink()
    path.write_bytes(OLD)
    os.removexattr(path, ACL)
    path.chmod(0o640)
    contents = []
    left = 0
    for status in signalled_at_each_step(path, signal.SIGKILL):
        assert status == -signal.SIGKILL
        contents.append(path.read_bytes())
        for each in leftovers(path):
            assert each.name.startswith(".kvm-export-hook.")  # hidden, and it shows whose it is
            mode = stat.S_IMODE(each.stat().st_mode)
            assert mode in (0o600, 0o640)
            assert ACL not in os.listxattr(each) or mode == 0o600  # which masks it
            each.unlink()
            left += 1
    assert left > 10
    changed_at = contents.index(NEW)
    assert contents == [OLD] * changed_at + [NEW] * (len(contents) - changed_at)
    assert changed_at > 20


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT, signal.SIGINT])
def test_ended_at_every_step(path: Path, number: signal.Signals) -> None:
    contents = []
    for status in signalled_at_each_step(path, number):
        assert status == -number
        contents.append(path.read_bytes())
        assert leftovers(path) == []
    # Whatever came while there were two files waits until the new one is in place.
    assert contents.count(NEW) > 20
