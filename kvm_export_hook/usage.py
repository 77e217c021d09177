# SPDX-License-Identifier: MIT
"""Explains the options: the text of --help, and a guess for an unknown option."""

from __future__ import annotations

from kvm_export_hook import __version__
from kvm_export_hook.options import OPTIONS, PROGRAM, UNKNOWN, Options, join_with_or, make_attribute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kvm_export_hook.options import Row

VERSION = f"{PROGRAM} {__version__}\n"

HELP_HEAD = f"""\
usage: {PROGRAM} [OPTION ...] [PATH ...]

Refuse exports in KVM's sources that hand a symbol to modules outside KVM.
Exit status: 0 nothing unwanted, 1 findings, 2 not everything could be checked.
Example: {PROGRAM} --commits master..
"""

# From this similarity on, an option may be the one that was meant; 1 is equal.
LEAST_SIMILARITY = 0.8


def write_help() -> str:
    """Write the text of --help, which fits a terminal of 80 columns."""
    text = HELP_HEAD
    width = max(len(name_with_value(*row)) for rows in OPTIONS.values() for row in rows.items())
    for heading, rows in OPTIONS.items():
        text += f"\n{heading}:\n"
        for names, row in rows.items():
            text += f"  {name_with_value(names, row):<{width}}  {describe_row(names, row)}\n"
    return text


def name_with_value(names: str, row: Row) -> str:
    """Write all NAMES of an option, with the name of its value."""
    return f"{names} {row.get('value', '')}".rstrip()


def describe_row(name: str, row: Row) -> str:
    """Describe what the option NAME of ROW does, or list its choices."""
    if "help" in row:
        return row["help"]
    default = getattr(Options, make_attribute(name))
    return f"{join_with_or(row['choices'])} (default: {default})"


def add_guess(wrong: str) -> str:
    """Add a guess to WRONG if it says that an option is unknown, and another one is similar."""
    if not wrong.startswith(UNKNOWN):
        return wrong
    from difflib import get_close_matches

    known = {"cached": "--staged"}  # the word of git diff
    for rows in OPTIONS.values():
        for names, row in rows.items():
            known |= {choice: f"{names} {choice}" for choice in row.get("choices", ())}
            known |= {name.strip("-"): name for name in names.split(", ")}
    typed = wrong.removeprefix(UNKNOWN).partition("=")[0].strip("-")
    near = get_close_matches(typed, known, n=1, cutoff=LEAST_SIMILARITY)
    return f"{wrong} (did you mean {known[near[0]]}?)" if near else wrong
