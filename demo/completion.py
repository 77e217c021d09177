# SPDX-License-Identifier: MIT
"""Print what a shell needs to complete the command: ``python -m demo.completion bash``."""

from __future__ import annotations

import argparse
import sys

import shtab

from kvm_export_hook.options import OPTIONS, PROGRAM

FILES = {"PATH": shtab.FILE, "FILE...": shtab.FILE, "DIR": shtab.DIRECTORY}


def make_parser() -> argparse.ArgumentParser:
    """Make a parser of the rows of the options; shtab reads their names and values from it."""
    parser = argparse.ArgumentParser(PROGRAM, add_help=False)
    for rows in OPTIONS.values():
        for names, row in rows.items():
            text = row.get("help", "").replace("%", "%%")
            if not names.startswith("-"):
                added = parser.add_argument(names, nargs="*", help=text)
            elif "value" in row:
                added = parser.add_argument(names, choices=row.get("choices"), help=text)
            else:
                parser.add_argument(*names.split(", "), action="store_true", help=text)
                continue
            complete = FILES.get(row.get("value", names))
            if complete:
                added.complete = complete  # type: ignore[attr-defined]
    return parser


if __name__ == "__main__":
    print(shtab.complete(make_parser(), sys.argv[1]))
