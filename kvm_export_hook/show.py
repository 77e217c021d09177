# SPDX-License-Identifier: MIT
"""Prints the report, the fix or the list, once there is something to print."""

from __future__ import annotations

import os
from itertools import chain

from kvm_export_hook.files import worktree
from kvm_export_hook.mend import Mending
from kvm_export_hook.report.formats import FORMATS
from kvm_export_hook.report.layout import ALLOW_BY_COMMAND, ALLOW_BY_HOOK, Layout
from kvm_export_hook.run import CLEAN, NO_MEMORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from kvm_export_hook.rules.exports import Export
    from kvm_export_hook.rules.facts import Facts
    from kvm_export_hook.run import Output, Run
    from kvm_export_hook.users.lookup import FindUsers, ResultUsers, SayIfSlow
    from kvm_export_hook.values import Result, Text

PATIENCE = 1.0


def print_list(run: Run) -> None:
    """Print the exports in files, or what changes do to exports."""
    if run.options.judges_changes:
        print_effects(run)
        return
    from kvm_export_hook.report import as_list

    options = run.options
    trees = worktree.KnownTrees(run.read_facts, run.complain, run.note)
    paths = map(os.fsencode, options.paths)
    found: list[Export] = []
    for file, content, facts in worktree.read_files(paths, run.srctree, trees, run.complain):
        run.has_met_anything = True
        found.extend(list_text(worktree.make_file_text(file), content, facts, run))
    users = {}
    if options.users:
        from kvm_export_hook.users.lookup import find_export_users

        users = find_export_users(found, trees.facts, choose_progress(run))
    run.note_if_nothing()
    layout = Layout(errors=run.errors, notes=run.notes)
    audit = as_list.Audit(found, list(trees.facts.values()), options.allow, users)
    if options.format == "json":
        parts = as_list.write_object(found, audit, layout)
    else:
        # After an error or a note, empty totals would say that a kernel has no exports.
        has_said = run.errors or run.notes
        parts = as_list.write_text(found, audit) if found or not has_said else iter(())
    for part in parts:
        run.out.write(part)


def print_effects(run: Run) -> None:
    """Print what each change does to the exports."""
    from kvm_export_hook import check
    from kvm_export_hook.changes.effect import find_effects
    from kvm_export_hook.report import as_changes

    effects = run.read_all(check.check_change(run, find_effects), CLEAN)
    users = prepare_users(run) if run.options.users else None
    found = list(users.read(effects) if users else effects)
    layout = Layout(errors=run.errors, notes=run.notes, find_users=users.find if users else None)
    write = as_changes.write_changes if run.options.format == "json" else as_changes.write_lines
    for part in write(found, layout):
        run.out.write(part)


def list_text(text: Text, content: bytes, facts: Facts, run: Run) -> list[Export]:
    """List the exports of TEXT, or complain that there is not enough memory for that."""
    from kvm_export_hook.rules.exports import find_exports
    from kvm_export_hook.rules.fit import fit_facts

    try:
        return list(find_exports(content, fit_facts(facts, text.name), text.path, text.top))
    except MemoryError:
        pass  # frees the memory of the list before the complaint
    run.complain(text.path, OSError(None, NO_MEMORY))
    return []


def apply_options(
    results: Iterator[Result], run: Run
) -> tuple[Iterator[Result], Output, FindUsers | None]:
    """Fix RESULTS, print the fix as a patch, or find who uses their symbols.

    Returns the results to report, the stream to use, and what finds the users.
    """
    if run.options.users:
        users = prepare_users(run)
        kept = (result.replace_findings(list(result.findings)) for result in results)
        return users.read(kept), run.out, users.find
    if not (run.options.fix or run.options.diff):
        return results, run.out, None
    if run.options.staged:
        from kvm_export_hook.fix.staged import rewrite_staged

        return rewrite_staged(results, run.srctree, run.complain), run.out, None
    from kvm_export_hook.fix import rewrite

    if run.options.fix:
        return rewrite.rewrite_files(results, run.complain), run.out, None
    return rewrite.print_patches(results, choose_patch_writer(run.out)), run.err, None


def prepare_users(run: Run) -> ResultUsers:
    """Return what finds the users of symbols; made once, because a source may use it, too."""
    from kvm_export_hook.files.locate import find_tree
    from kvm_export_hook.users.lookup import ResultUsers

    if run.users is None:
        run.users = ResultUsers(find_tree(run.srctree), choose_progress(run), run.options.list)
    assert isinstance(run.users, ResultUsers)
    return run.users


def print_report(first: Result | None, rest: Iterator[Result], run: Run) -> None:
    """Apply the options to FIRST and the REST, and print them in the format asked for.

    All are judged, and all are fixed, even if nobody reads the output.
    """
    name = FORMATS[run.options.format].module
    results = rest if first is None else chain([first], rest)
    results, output, find_users = apply_options(results, run)
    # importlib would load as much code as the report itself.
    module = __import__(f"kvm_export_hook.report.{name}", fromlist=["report"])
    layout = Layout(
        color=wants_color(run.options.color, output.stream),
        quiet=run.options.quiet,
        errors=run.errors,
        notes=run.notes,
        mending=Mending(run.options),
        allow_hint=ALLOW_BY_HOOK if os.environ.get("PRE_COMMIT") else ALLOW_BY_COMMAND,
        name_in_repository=name_from_repository,
        find_users=find_users,
    )
    for part in module.report(results, layout):
        output.write(part)


def name_from_repository(text: Text) -> bytes:
    """Spell the path of TEXT from the top of its git repository."""
    from kvm_export_hook.git import discover

    return discover.name_in_repository(text)


def choose_progress(run: Run, patience: float = PATIENCE) -> SayIfSlow:
    """Return a context that prints a remark after PATIENCE seconds, on a terminal."""
    from kvm_export_hook.users.lookup import say_later

    stream = run.err.stream
    if stream is None or not stream.isatty():
        return lambda _: say_later(None, patience)
    return lambda remark: say_later(lambda: run.say("", b"", remark), patience)


def choose_patch_writer(output: Output) -> Callable[[bytes], None]:
    """Choose how to print a line of a patch: byte for byte, or escaped on a terminal."""
    if not (output.stream and output.stream.isatty()):
        return output.write_bytes
    from kvm_export_hook.escape import make_printable

    return lambda line: output.write(make_printable(line[:-1]) + "\n")


def wants_color(choice: str, stream: TextIO | None) -> bool:
    """Whether to use colours: as CHOICE says, or else the environment, or else on a terminal."""
    if choice != "auto":
        return choice == "always"
    wishes = os.environ
    if wishes.get("NO_COLOR"):
        return False
    if any(wishes.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    if wishes.get("CLICOLOR") == "0" or wishes.get("TERM") == "dumb":
        return False
    return stream is not None and stream.isatty()
