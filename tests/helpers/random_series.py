# SPDX-License-Identifier: MIT
"""Random series of commits to the files of a kernel, as people make them, and mistakes.

Each edit takes the content of every file, by its name, and changes some of it. It reads no
C: a line may come anywhere, so that comments open and close, and calls are torn.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from kvm_export_hook.rules import policy
from kvm_export_hook.rules.scope import is_in_scope
from tests.helpers.kernel_files import HEADER, MAKEFILE

# Mode and content, from the top of the kernel.
Files = dict[str, tuple[bytes, bytes]]

PLAIN, EXECUTABLE, LINK = b"100644", b"100755", b"120000"
EXPORT_PATTERN = re.compile(rb"(?m)^(EXPORT_SYMBOL\w*)([^\n]*\n)")
SYMBOLS = (b"kvm_get_kvm", b"kvm_put_kvm", b"kvm_foo", b"kvm_bar", b"kvm_get_kvm_x")
MACROS = (policy.GPL, policy.GPL, policy.PLAIN, policy.INTERNAL, b"EXPORT_SYMBOL_NS_GPL")
FORMS = (
    *(b"%s(%s);",) * 6,
    *(b"%s(%s); /* like kvm_get_kvm */", b"\t%s( %s /* kvm_put_kvm */ );", b"// %s(%s)"),
    *(b"/* %s(%s) */", b"%s(\n\t%s);", b"%s(" + b"\n" * 9 + b"%s);", b"#define X(a) %s(a) %s"),
    *(b"/*\n * %s(%s)\n */", b"#ifdef %s\nint %s;\n#endif", b'char *a = "%s %s";'),
    b"int \xff; " + b"int a; " * 200 + b"%s(%s);",
)
FILLERS = (
    *(b"int a;", b"int b;", b"", b"/*", b"*/", b" * more", b"#if 0", b"#endif", b"int a; \\"),
    *(b"-- ", b"-- a/virt/kvm/x.c", b"++ b/virt/kvm/x.c", b"From a@example.org", b"---", b"\0"),
    *(b"@@ -1 +1 @@", b"diff --git a/virt/kvm/x.c b/virt/kvm/x.c", "naïve".encode(), b" ", b"\f"),
)
NAMES = (
    *("virt/kvm/new.c", "arch/x86/kvm/new.h", "arch/x86/kvm/vmx/new.c", "virt/kvm/a b.c"),
    *('virt/kvm/"q".c', "virt/kvm/ü.c", "virt/kvm/*[a].c", "virt/kvm/kvm_get_kvm.c"),
    *("virt/kvm/new.S", "lib/new.c", "include/kvm/new.h"),
)
# Without a C source, this would be no kernel.
SOURCE = "virt/kvm/kvm_main.c"
OUTSIDE = {
    "fs/open.c": b"int open;\nEXPORT_SYMBOL(vfs_open);\nint close;\n" + b"int more;\n" * 9,
    "lib/kvm/x.c": b"int lib;\n" + b"EXPORT_SYMBOL_GPL(kvm_get_kvm);\n" * 2,
}
MESSAGES = (
    b"An ordinary text.\n",
    "Grüße\n".encode(),
    b"It quotes:\n\n  @@ -1 +1 @@\n  +EXPORT_SYMBOL_GPL(quoted);\n",
    b"From here on\n>From there\n\n---\n a/virt/kvm/x.c | 1 +\n",
    b"Call +49 30 1234\n\n+EXPORT_SYMBOL_GPL(kvm_told);\n",
    b"-- >8 --\nSubject: cut\n\nBelow the scissors\n",
)


class Commit(NamedTuple):
    """A commit of a series: its message, the files after it, whether the facts are others."""

    message: bytes
    files: Files


def make_export(random: Random) -> list[bytes]:
    """Make the lines of an export, or of what looks like one."""
    text = random.choice(FORMS) % (random.choice(MACROS), random.choice(SYMBOLS))
    return [line + b"\n" for line in text.split(b"\n")]


def choose(random: Random, files: Files, *, is_c: bool = True) -> str:
    """Choose a file, mostly one that was changed or is small."""
    names = [name for name in files if is_in_scope(name.encode()) is is_c] or [*files]
    small = [name for name in names if len(files[name][1]) < 4000]
    return random.choice(small if small and random.random() < 0.5 else names)


def change_lines(
    random: Random, files: Files, change: Callable[[list[bytes], int], object]
) -> None:
    """Make a CHANGE of the lines of a file, at one of them."""
    name = choose(random, files)
    mode, content = files[name]
    lines = content.splitlines(keepends=True)
    change(lines, random.randrange(len(lines) + 1))
    files[name] = mode, b"".join(lines)


def add_export(random: Random, files: Files) -> None:
    """Add an export somewhere."""
    added = make_export(random)
    change_lines(random, files, lambda lines, at: lines.__setitem__(slice(at, at), added))


def add_lines(random: Random, files: Files) -> None:
    """Add lines that are no exports, and may hide one, or show it."""
    added = [line + b"\n" for line in random.choices(FILLERS, k=random.randrange(1, 4))]
    change_lines(random, files, lambda lines, at: lines.__setitem__(slice(at, at), added))


def remove_lines(random: Random, files: Files) -> None:
    """Remove some lines."""
    count = random.choice((1, 1, 2, 12))
    change_lines(random, files, lambda lines, at: lines.__delitem__(slice(at, at + count)))


def edit_export(random: Random, files: Files) -> None:
    """Change the macro of an export that is there, remove it, or move it to another file."""
    names = [name for name, (_, content) in files.items() if EXPORT_PATTERN.search(content)]
    if not names:
        return
    name = random.choice(names)
    mode, content = files[name]
    at = random.choice(list(EXPORT_PATTERN.finditer(content)))
    kind = random.choice(("macro", "remove", "move", "away"))
    instead = random.choice(MACROS) + at[2] if kind == "macro" else b""
    files[name] = mode, content[: at.start()] + instead + content[at.end() :]
    if kind in ("move", "away"):
        name = choose(random, files) if kind == "away" else name
        mode, content = files[name]
        place = content.find(b"\n", random.randrange(len(content) + 1)) + 1
        files[name] = mode, content[:place] + at[0] + content[place:]


def move_file(random: Random, files: Files) -> None:
    """Rename or copy a file: into KVM, within it, or out of it."""
    old = choose(random, files, is_c=random.random() < 0.6)
    if old in (str(HEADER), str(MAKEFILE), SOURCE):
        return
    mode, content = files[old] if random.random() < 0.6 else files.pop(old)
    if random.random() < 0.5:
        content += b"".join(make_export(random))
    files[random.choice(NAMES)] = mode, content


def make_file(random: Random, files: Files) -> None:
    """Make a file, which may be empty or have no end of line, or delete one."""
    if random.random() < 0.3:
        name = choose(random, files)
        if name != SOURCE:
            del files[name]
        return
    content = random.choice((b"", b"int new;\n")) + b"".join(make_export(random))
    files[random.choice(NAMES)] = PLAIN, random.choice((content, content.rstrip(b"\n"), b""))


def change_file(random: Random, files: Files) -> None:
    """Change the mode of a file, the ends of its lines, or its last one; or make it a link."""
    name = choose(random, files)
    mode, content = files[name]
    kind = random.choice(("mode", "mode", "crlf", "end", "nul", "link"))
    if kind == "crlf":
        content = content.replace(b"\n", b"\r\n")
    elif kind == "end":
        content = content[:-1] if content.endswith(b"\n") else content + b"\n"
    elif kind == "nul":
        content += b"int \0;\n" + b"".join(make_export(random))
    mode = EXECUTABLE if kind == "mode" and mode == PLAIN else PLAIN
    files[name] = (LINK, b"kvm_main.c") if kind == "link" else (mode, content)


def edit_facts(random: Random, files: Files) -> None:
    """Change the list of the make check, drop the check, or take the macro away."""
    name = str(random.choice((MAKEFILE, MAKEFILE, MAKEFILE, HEADER)))
    mode, content = files.get(name, (PLAIN, b""))
    if name == str(HEADER):
        content = content.replace(policy.INTERNAL, b"EXPORT_SYMBOL_FOR_NOBODY")
    elif random.random() < 0.1:
        content = content.partition(b"ifdef CONFIG_KVM_X86")[0]
    else:
        kept = list(dict.fromkeys(re.findall(rb"-e (\w+)", content)))
        if random.random() < 0.5 and kept:
            kept.remove(random.choice(kept))
        else:
            kept.insert(random.randrange(len(kept) + 1), random.choice(SYMBOLS))
        listed = b" \\\n\t\t\t\t".join(b"-e " + each for each in kept or [b"kvm_none"])
        content = re.sub(rb"-e \w+(?:\s+\\\n\s+-e \w+)*", lambda _: listed, content, count=1)
    files[name] = mode, content


EDITS = (
    *(add_export,) * 5,
    *(add_lines,) * 2,
    *(remove_lines,) * 2,
    *(edit_export,) * 4,
    *(move_file,) * 3,
    *(make_file, change_file, edit_facts),
)


def make_series(random: Random, base: Files) -> list[Commit]:
    """Make a series of up to six commits on top of BASE."""
    files = dict(base)
    series = []
    for number in range(1, random.choice((1, 1, 1, 2, 3, 6)) + 1):
        for _ in range(random.choice((1, 1, 2, 4))):
            random.choice(EDITS)(random, files)
        message = b"KVM: change %d\n\n%b" % (number, random.choice(MESSAGES))
        series.append(Commit(message, dict(files)))
    return series
