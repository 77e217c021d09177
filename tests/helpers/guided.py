# SPDX-License-Identifier: MIT
"""Fuzzing led by coverage: ``make fuzz-guided``. The input is raw bytes.

The properties are those of the tests; atheris looks for the bytes that reach new
branches of the package. It has wheels for some Pythons only, so that no test
depends on it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["kvm_export_hook"]):
    from kvm_export_hook.fix import rewrite
    from kvm_export_hook.report import as_checkpatch as checkpatch
    from kvm_export_hook.report import as_github as github
    from kvm_export_hook.report import as_json as json
    from kvm_export_hook.report import as_sarif as sarif
    from kvm_export_hook.report import as_text as text
    from kvm_export_hook.report.layout import Layout
    from kvm_export_hook.rules import exports as inventory
    from kvm_export_hook.rules import policy
    from kvm_export_hook.rules.facts import read_facts
from tests.helpers.patches import read
from tests.helpers.reference import find_findings
from tests.helpers.snippets import FAIL_THE_BUILD, FINE, UNWANTED
from tests.helpers.support import ALLOWLIST, judge_file
from tests.patch.patch_test import BROKEN, SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = [
    *policy.MACROS,
    *policy.ALLOWLIST,
    *(
        b"/*",
        b"*/",
        b"//",
        b"\\\n",
        b"#define ",
        b"%:",
        b"\xef\xbb\xbf",
        b"define",
        b"grep -v",
    ),
    *(b"diff --git a/virt/kvm/x.c b/virt/kvm/x.c\n", b"--- a/virt/kvm/x.c\n", b"+++ /dev/null\n"),
    *(b"@@ -1,2 +1,3 @@\n", b"GIT binary patch\n", b"From a Mon Sep 17 00:00:00 2001\n"),
    *(b"Content-Transfer-Encoding: base64\n", b"Content-Type: multipart/mixed; boundary=a\n"),
    *(b"exports_grep_trailer", b"-e ", b"=?utf-8?q?", b"Subject: "),
]
# The reference takes time squared, and bounds no call.
LONGEST = 900


def check(data: bytes) -> None:
    """Hand DATA to everything that reads what it has not written itself."""
    source, has_check = data[1:], data[:1] < b"\x80"
    file = judge_file(source, check=has_check)
    if len(source) <= LONGEST:
        reported = [(each.offset, each.rule, each.symbol) for each in file.findings]
        assert reported == find_findings(source, ALLOWLIST, has_check)
    for report in (checkpatch, github, json, sarif):
        "".join(report.report([file], Layout())).encode()
    "".join(text.report([file], Layout())).encode()
    once = rewrite.fix_content(file)
    assert rewrite.fix_content(judge_file(once, check=has_check)) == once
    facts = read_facts(source, source)
    list(inventory.find_exports(source, facts, b"x.c", b""))
    _, complaints = read(source)
    assert not any("internal error" in complaint for complaint in complaints)


def seeds() -> Iterator[bytes]:
    """Yield what the tests know already, to begin with."""
    for case in (UNWANTED | FAIL_THE_BUILD).values():
        yield b"\0" + case.source
    for source in FINE.values():
        yield b"\xff" + source
    for text, _ in (*SHAPES.values(), *BROKEN.values()):
        yield b"\0" + text


def main() -> None:
    """Fuzz, with the words of the rule and of patches as a dictionary."""
    with tempfile.TemporaryDirectory() as directory:
        corpus, words = Path(directory, "corpus"), Path(directory, "words")
        corpus.mkdir()
        for number, seed in enumerate(seeds()):
            (corpus / str(number)).write_bytes(seed)
        quoted = ("".join(f"\\x{byte:02x}" for byte in word) for word in WORDS)
        words.write_text("".join(f'"{word}"\n' for word in quoted))
        options = [f"-dict={words}", "-max_len=4096", "-timeout=10", *sys.argv[1:]]
        atheris.Setup([sys.argv[0], *options, str(corpus)], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
