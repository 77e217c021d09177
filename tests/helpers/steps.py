# SPDX-License-Identifier: MIT
"""Makes a program that sends itself a signal after so many steps: lines of some modules."""

from __future__ import annotations

from collections.abc import Sequence

PROGRAM = """\
import os, sys
{imports}
number, left = int(sys.argv[1]), int(sys.argv[2])
files = {{sys.modules[name].__file__ for name in {modules!r}}}
def trace(frame, event, argument):
    global left
    if frame.f_code.co_filename in files:
        left -= event == "line"
        if left < 0:
            left = 1_000_000
            os.kill(os.getpid(), number)
    return trace
sys.settrace(trace)
{code}
"""


def make_steps(modules: Sequence[str], code: str) -> str:
    """Make the program that runs CODE; its arguments: the signal, the step in MODULES, and more."""
    imports = "\n".join(f"import {name}" for name in modules)
    return PROGRAM.format(imports=imports, modules=list(modules), code=code)
