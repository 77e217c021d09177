# SPDX-License-Identifier: MIT
"""What --patch says of a mail, and what ``git am`` makes of it, must fit."""

from __future__ import annotations

import base64
import quopri
import random
import re
from pathlib import Path

import pytest

from kvm_export_hook.patch.patches import HUNKS_ALONE_MESSAGE
from tests.helpers.cases import parametrize
from tests.helpers.git_am import BASE, Verdicts, ask_both, make_repository
from tests.helpers.repositories import Repository
from tests.helpers.support import CHECKOUT

SHARED = CHECKOUT.parent / "shared/cases"

# How git format-patch can be asked to write a good mail.
FORMS = {
    "plain": (),
    "attach": ("--attach",),
    "inline": ("--inline",),
    "base": ("--base=HEAD~1",),
    "cover-letter": ("--cover-letter",),
    "cover-letter-attached": ("--cover-letter", "--attach"),
    "cover-letter-described": ("--cover-letter", "--base=HEAD~1", "--thread"),
    "signature": ("--signature=One\n\nTwo",),
    "no-signature": ("--no-signature",),
    "prefixes": ("--src-prefix=old/", "--dst-prefix=new/"),
    "no-prefix": ("--no-prefix",),
    "zero-commit": ("--zero-commit",),
    "notes": ("--notes",),
    "full-index": ("--full-index", "--binary"),
    "no-stat": ("-p",),
    "patience": ("--patience", "--function-context"),
    "minimal": ("--minimal", "--inter-hunk-context=5"),
    "mnemonic": ("--src-prefix=i/", "--dst-prefix=w/", "--no-numbered"),
    "resend": ("--rfc", "-v2", "--to=a@example.org", "--cc=b@example.org"),
    "keep-subject": ("--keep-subject", "--no-thread"),
}
CONTEXTS = ("-U3", "-U0", "-U1", "-U10", "-U25")
MOVES = ("-M", "--no-renames", "-B", "-C", "-D")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Make a repository whose last commit adds no unwanted export, around old ones."""
    repository = make_repository(tmp_path_factory.mktemp("good") / "linux", BASE)
    old = BASE["arch/x86/kvm/old.c"]
    changed = old.replace(b"int a;", b"int a2;").replace(b"int e;", b"int e;\nint more;")
    moved = (
        changed.replace(b"EXPORT_SYMBOL_GPL(kvm_old);\n\n", b"") + b"EXPORT_SYMBOL_GPL(kvm_old);\n"
    )
    repository.stage("arch/x86/kvm/old.c", moved)
    repository.stage("virt/kvm/new.c", b"int n;\nEXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_new);\n")
    repository.git("mv", "virt/kvm/long.c", "virt/kvm/longer.c")
    repository.stage("virt/kvm/longer.c", BASE["virt/kvm/long.c"] + b"int v31;\n")
    repository.stage("lib/l.c", BASE["lib/l.c"] + b"EXPORT_SYMBOL(lib_other);\n")
    repository.stage("doc.txt", "naïve\n".encode() + b"+EXPORT_SYMBOL_GPL(doc);\n")
    message = "KVM: Good\n\nIt quotes:\n\n  @@ -1 +1 @@\n  +EXPORT_SYMBOL_GPL(quoted);\n"
    repository.git("commit", "--quiet", "--message", message)
    repository.git("notes", "add", "--message", "---\n a note | 1 +\n\nof two paragraphs\n")
    return repository


@pytest.mark.parametrize("form", FORMS)
def test_good_mails_pass(good: Repository, tmp_path: Path, form: str) -> None:
    shift = list(FORMS).index(form)
    for number, context in enumerate(CONTEXTS):
        moves = MOVES[(number + shift) % len(MOVES)]
        mail = good.git("format-patch", "--stdout", *FORMS[form], context, moves, "-1")
        path = tmp_path / "mail"
        path.write_bytes(mail.encode("utf-8", "surrogateescape"))
        done = good.run("kvm-export-hook", "--patch", str(path))
        # git applies nothing that has no context.
        said = f"kvm-export-hook: {path}: {find_subject(mail)}: {HUNKS_ALONE_MESSAGE}\n"
        assert done == (0, said if context == "-U0" else ""), (context, moves)


def find_subject(mails: str) -> str:
    """Find the subject of the last of MAILS."""
    found: list[str] = re.findall(r"(?m)^Subject: (.*)$", mails)
    return found[-1]


@parametrize("path", {path.name: path for path in sorted(SHARED.glob("patches/*"))})
def test_the_shared_cases(path: Path, tmp_path: Path) -> None:
    files = {
        str(each.relative_to(SHARED / "base")): each.read_bytes()
        for each in sorted((SHARED / "base").rglob("*"))
        if each.is_file()
    }
    base = make_repository(tmp_path / "base", files)
    verdicts = ask_both(base, tmp_path / "applied", path.read_bytes())
    check(verdicts)
    if path.suffix == ".eml":
        assert verdicts.status == 1


def check(verdicts: Verdicts) -> None:
    """Hold --patch to what ``git am`` did."""
    assert "internal error" not in verdicts.output
    assert "Traceback" not in verdicts.output
    if verdicts.is_applied and verdicts.adds:
        assert verdicts.status in (1, 2), verdicts.output
    if verdicts.status == 2:
        assert ": error: " in verdicts.output


# The property: random edits, made into mails in random ways.

POOL = (
    *(b"int w%d;\n" % number for number in range(40)),
    b"EXPORT_SYMBOL_GPL(kvm_old);\n",
    b"EXPORT_SYMBOL_GPL(kvm_new);\n",
    b"EXPORT_SYMBOL(kvm_newer);\n",
    b"EXPORT_SYMBOL_GPL(kvm_get_kvm);\n",
    b"EXPORT_SYMBOL_FOR_KVM_INTERNAL(kvm_fine);\n",
    b"/* EXPORT_SYMBOL_GPL(kvm_get_kvm); */\n",
    b"/*\n * EXPORT_SYMBOL_GPL(kvm_said) in words\n */\n",
    b"#define f(x) EXPORT_SYMBOL_GPL(x)\n",
    b"\n",
)
NAMES = ("virt/kvm/x.c", "virt/kvm/long.c", "arch/x86/kvm/old.c", "arch/x86/kvm/y.h", "lib/l.c")
OPTIONS = (
    ("--attach", "--inline", "--base=HEAD~1", "--cover-letter", "--signature=a\nb"),
    ("--src-prefix=x/", "--dst-prefix=y/", "--no-prefix", "--full-index", "--binary"),
    tuple(f"-U{lines}" for lines in range(11)),
    ("-B", "-M", "-C", "--no-renames"),
)
SEEDS = range(40)


def edit(random_: random.Random, content: bytes) -> bytes:
    """Change some lines of CONTENT."""
    lines = content.splitlines(keepends=True)
    for _ in range(random_.randrange(1, 4)):
        at = random_.randrange(len(lines) + 1)
        kind = random_.randrange(3)
        if kind == 0:
            lines[at:at] = random_.choices(POOL, k=random_.randrange(1, 4))
        elif kind == 1:
            del lines[at : at + random_.randrange(1, 3)]
        else:
            lines[at : at + 1] = random_.choices(POOL)
    return b"".join(lines)


def commit_something(random_: random.Random, repository: Repository) -> None:
    """Commit some edits, renames and copies."""
    for name in random_.sample(NAMES, random_.randrange(1, 4)):
        path = repository.top / name
        content = path.read_bytes() if path.is_file() else b""
        if random_.random() < 0.2:
            other = random_.choice(("virt/kvm/moved.c", "lib/moved.c", "arch/x86/kvm/moved.c"))
            repository.stage(other, edit(random_, content) if random_.random() < 0.5 else content)
            if path.is_file() and random_.random() < 0.6:
                repository.git("rm", "--quiet", "--force", name)
        else:
            changed = edit(random_, content)
            line_ends = b"\r\n" if random_.random() < 0.1 else b"\n"
            repository.stage(name, changed.replace(b"\n", line_ends))
    repository.run("git", "commit", "--quiet", "--allow-empty", "--message", "KVM: Änderung")


def encode(random_: random.Random, mail: bytes) -> bytes:
    """Encode a plain mail, as mail programs do."""
    encoding = random_.choice(("", "", "quoted-printable", "base64"))
    head, _, body = mail.partition(b"\n\n")
    if not encoding or b"multipart" in head or mail.count(b"\nSubject: ") > 1:
        return mail
    lines = [line for line in head.split(b"\n") if not line.startswith((b"Content-", b"MIME-"))]
    lines += [b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=UTF-8"]
    lines += [b"Content-Transfer-Encoding: " + encoding.encode()]
    write_body = base64.encodebytes if encoding == "base64" else quopri.encodestring
    return b"\n".join(lines) + b"\n\n" + write_body(body)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_mail(seed: int, tmp_path: Path) -> None:
    random_ = random.Random(seed)  # noqa: S311
    base = make_repository(tmp_path / "base", BASE)
    commit_something(random_, base)
    base.run("git", "branch", "before")
    commit_something(random_, base)
    options = [random_.choice(group) for group in OPTIONS if random_.random() < 0.6]
    text = base.git("format-patch", "--stdout", *options, "before..HEAD")
    base.git("reset", "--quiet", "--hard", "before")
    mail = encode(random_, text.encode("utf-8", "surrogateescape"))
    verdicts = ask_both(base, tmp_path / "applied", mail)
    check(verdicts)
    if verdicts.is_applied and not verdicts.adds and verdicts.status:
        assert verdicts.status == 2, verdicts.output
        assert "comes into KVM" in verdicts.output or "is a copy" in verdicts.output
