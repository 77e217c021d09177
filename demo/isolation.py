# SPDX-License-Identifier: MIT
"""Makes an environment and a repository that do not depend on whose machine this is.

The demonstration, the tests and the benchmarks run in it: nothing that the caller has
set for git, pre-commit or Python changes what they show, and they write to no file of
the caller but pip's cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKOUT = Path(__file__).resolve().parent.parent

# git sets GIT_DIR and GIT_INDEX_FILE for its hooks: a git that inherits them works on the
# caller's repository, wherever it is started.
DROPPED = (
    *("GIT_", "PRE_COMMIT", "PREK_", "PIPX_", "VIRTUALENV_", "PYTHON"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"),
    *("BASH_ENV", "CDPATH", "POSIXLY_CORRECT", "SKIP"),
)
# These say where programs are, and how they reach the network.
KEPT = ("GIT_EXEC_PATH", "GIT_SSL_", "GIT_SSH", "GIT_PROXY_", "PYTHONHOME", "PYTHONPATH")

# In a file in HOME, because pre-commit removes most GIT_* variables for the git that clones.
# No maintenance: it would go on in the background while the directory is deleted.
GIT_CONFIGURATION = """\
[user]
	name = A Developer
	email = developer@example.org
[init]
	defaultBranch = main
[safe]
	directory = *
[protocol "file"]
	allow = always
[maintenance]
	auto = false
"""
# How pip and uv reach an index on this machine.
INDEX_FILES = (".config/pip", ".config/uv", ".pip", ".netrc")


def make_environment(home: Path, base: Mapping[str, str]) -> dict[str, str]:
    """Make the directory HOME, and an environment for programs that use it.

    BASE is the environment from which the rest is taken.
    """
    caches = base.get("XDG_CACHE_HOME") or os.path.join(base.get("HOME", "/"), ".cache")
    fill_home(home, base)
    kept = {name: value for name, value in base.items() if not is_dropped(name)}
    scripts = str(Path(sys.executable).parent)
    return {
        "PIP_CACHE_DIR": os.path.join(caches, "pip"),
        **kept,
        "PATH": os.pathsep.join([scripts, kept.get("PATH", os.defpath)]),
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PAGER": "cat",
    }


def is_dropped(name: str) -> bool:
    """Whether the caller's variable NAME is kept from the programs."""
    return name.startswith(DROPPED) and not name.startswith(KEPT)


def fill_home(home: Path, base: Mapping[str, str]) -> None:
    """Make HOME with a git configuration, and links to how BASE's home reaches package indexes."""
    (home / ".config").mkdir(parents=True, exist_ok=True)
    if not (home / ".gitconfig").exists():
        (home / ".gitconfig").write_text(GIT_CONFIGURATION)
    its_home = Path(base.get("HOME", "/"))
    for name in INDEX_FILES:
        source = its_home / name
        if name.startswith(".config/") and base.get("XDG_CONFIG_HOME"):
            source = Path(base["XDG_CONFIG_HOME"], name.removeprefix(".config/"))
        if source.exists() and not (home / name).exists():
            (home / name).symlink_to(source.resolve())


def publish(top: Path, environment: Mapping[str, str], checkout: Path = CHECKOUT) -> str:
    """Commit the files of CHECKOUT as they stand into a new repository at TOP; return its revision.

    It has a git directory of its own, because the checkout may be an unpacked archive, or
    belong to somebody else. Raises CalledProcessError if git fails.
    """

    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        done = subprocess.run(
            command, cwd=checkout, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "--quiet", str(top))
    from_here = (f"--git-dir={top / '.git'}", f"--work-tree={checkout}")
    git(*from_here, "add", "--all")
    git(*from_here, "commit", "--quiet", "--message", "published")
    git("-C", str(top), "reset", "--quiet", "--hard")
    return git("-C", str(top), "rev-parse", "HEAD")
