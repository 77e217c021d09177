# SPDX-License-Identifier: MIT
"""For the tests of patches: write a diff or a mail, and read what is found in it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from kvm_export_hook.check import find_findings
from kvm_export_hook.patch.patches import Patches
from kvm_export_hook.patch.scratch import Scratch
from kvm_export_hook.patch.series import Series
from kvm_export_hook.rules.facts import read_facts
from kvm_export_hook.values import Result
from tests.helpers.support import MAKEFILE_WITH_CHECK, TYPES_WITH_MACRO, read_fact_files

if TYPE_CHECKING:
    from kvm_export_hook.run import ReadFacts

FACTS = read_facts(TYPES_WITH_MACRO, MAKEFILE_WITH_CHECK)

MAIL = b"""\
From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001
From: A Developer <developer@example.org>
Date: Mon, 2 Nov 2026 10:00:00 +0100
Subject: [PATCH] KVM: Add foo
%s
A message that quotes a hunk:

@@ -1,2 +1,2 @@
+EXPORT_SYMBOL_GPL(quoted);

and a header in a word: diff --git a/virt/kvm/y.c b/virt/kvm/y.c

Signed-off-by: A Developer <developer@example.org>
---
 virt/kvm/x.c | 1 +
 1 file changed, 1 insertion(+)

"""
SIGNATURE = b"-- \n2.39.5\n\n"


def diff(
    *lines: str, old: str = "a/virt/kvm/x.c", new: str = "b/virt/kvm/x.c", start: int = 10
) -> bytes:
    """Write a diff of one hunk."""
    before = sum(line[0] in " -" for line in lines)
    after = sum(line[0] in " +" for line in lines)
    head = f"diff --git {old} {new}\nindex 0123456..789abcd 100644\n--- {old}\n+++ {new}\n"
    hunk = f"@@ -{start},{before} +{start},{after} @@ int f(void)\n"
    return (head + hunk + "".join(f"{line}\n" for line in lines)).encode("latin-1")


ADDED = diff(" a;", "+EXPORT_SYMBOL_GPL(foo);", " b;")
FOUND = ["virt/kvm/x.c:11 foo"]


def mail(body: bytes, headers: bytes = b"") -> bytes:
    """Write a mail as ``git format-patch`` does."""
    return MAIL % headers + body + SIGNATURE


NOWHERE = Path("/nowhere")


def read_results(
    text: bytes, top: Path = NOWHERE, learn: ReadFacts = read_facts
) -> tuple[list[Result], list[str]]:
    """Judge the patch TEXT for the tree at TOP; return the results and the complaints."""
    complaints: list[str] = []

    def complain(place: bytes, error: OSError) -> None:
        complaints.append(f"{place.decode('utf-8', 'backslashreplace')}: {error.strerror}")

    kvm_types, makefile = read_fact_files(top)
    facts = read_facts(kvm_types, makefile) if makefile else FACTS
    series = Series(bytes(top), facts, learn)
    with Scratch() as scratch:
        patches = Patches(scratch, lambda: (None, series), find_findings, complain, lambda *_: None)
        return list(patches.find(b"p", io.BytesIO(text))), complaints


def read(
    text: bytes, top: Path = NOWHERE, learn: ReadFacts = read_facts
) -> tuple[list[str], list[str]]:
    """Judge the patch TEXT: the findings as ``path:line symbol``, and the complaints."""
    results, complaints = read_results(text, top, learn)
    findings = [
        f"{result.text.path.decode()}:{finding.line} {(finding.symbol or b'-').decode('latin-1')}"
        for result in results
        for finding in result.findings
    ]
    return findings, complaints
