"""Every mistake in a policy file, with the whole of what is said about it, and what a file without mistakes comes to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lineage_explorer.errors import PolicyError
from lineage_explorer.policy import load_policy, parse_policy, read_policy, shipped_policies
from lineage_explorer.policy.checks.data import Recorded
from lineage_explorer.policy.checks.gates import EvidenceCheck, Metric
from lineage_explorer.policy.checks.people import Identity
from lineage_explorer.policy.checks.things import Name
from lineage_explorer.policy.format import CHECKS, AllOf, AnyOf, Guard, NotOf, plain
from lineage_explorer.policy.reading import misspelt
from lineage_explorer.policy.schema import policy_schema

ROOT = Path(__file__).resolve().parents[2]
HEAD = 'name = "p"\nversion = "1"\n'
REQUIRED = '[[requirement]]\nid = "r"\ntitle = "R"\nhop = ["model", "deploys", "deployment"]\n'
WAIVER = '[[waiver]]\nrequirement = "r"\nsubject = "model:m@1"\nby = "a"\nwhy = "b"\nuntil = 2026-07-01T00:00:00Z\n'


def one(rest: str) -> str:
    return HEAD + REQUIRED + rest


def several(*versions: str) -> str:
    return 'name = "p"\n' + "".join(f"[[version]]\n{version}\n" for version in versions)


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read_policy(text, "p.toml")
    told = str(caught.value).split("\n")
    assert told == [f"p.toml:{line}:{column}: {message}" for line, column, message in caught.value.problems]
    return [line.removeprefix("p.toml:") for line in told]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param('name = "p"\nversion = \n', ["2:11: Invalid value (at line 2, column 11)"], id="no-toml"),
        pytest.param('name = "p', ["1:1: Unterminated string (at end of document)"], id="an-end-too-early"),
        pytest.param('version = "1"', ['1:1: a policy has a name: name = "…"'], id="no-name"),
        pytest.param('name = ""\nversion = "1"', ['1:1: a policy has a name: name = "…"'], id="an-empty-name"),
        pytest.param('name = 7\nversion = "1"', ['1:1: a policy has a name: name = "…"'], id="a-name-that-is-no-text"),
        pytest.param(
            HEAD + "description = 7",
            ["3:1: description: Expected text, got a number"],
            id="a-description-that-is-no-text",
        ),
        pytest.param(HEAD + 'form = "guess"', ["3:1: form: Invalid enum value 'guess'"], id="another-form"),
        pytest.param('name = "p"', ['1:1: a version has a number: version = "1"'], id="no-version"),
        pytest.param('name = "p"\nversion = ""', ['1:1: a version has a number: version = "1"'], id="an-empty-version"),
        pytest.param(
            'name = "p"\nversion = 1', ["2:1: version: Expected text, got a number"], id="a-version-that-is-no-text"
        ),
        pytest.param(
            'name = "p"\nversion = ["1"]',
            ["2:12: a version is a table: [[version]]"],
            id="a-list-of-versions-that-are-no-tables",
        ),
        pytest.param(
            HEAD + 'descripton = "x"',
            ["3:1: unknown key 'descripton' of a policy; did you mean 'description'?"],
            id="an-unknown-key",
        ),
        pytest.param(
            HEAD + "zzz = 1",
            [
                "3:1: unknown key 'zzz' of a policy; there are: $schema, description, effective_from, form, name, requirement, version, waiver"
            ],
            id="an-unknown-key-like-no-other",
        ),
        pytest.param(
            several('version = "1"\nefective_from = 2026-01-01T00:00:00Z'),
            ["4:1: unknown key 'efective_from' of a version; did you mean 'effective_from'?"],
            id="an-unknown-key-of-a-version",
        ),
        pytest.param(
            "effective_from = 2026-01-01T00:00:00Z\n" + several('version = "1"'),
            ["1:1: unknown key 'effective_from' of a policy; there are: $schema, description, form, name, version"],
            id="a-key-of-a-version-beside-versions",
        ),
        pytest.param(
            several('version = "1"', 'version = "1"\neffective_from = 2026-01-01T00:00:00Z'),
            ["3:1: two versions have one number"],
            id="two-versions-of-one-number",
        ),
        pytest.param(
            several(
                'version = "1"\neffective_from = 2026-01-01T00:00:00Z',
                'version = "2"\neffective_from = 2026-01-01T00:00:00Z',
            ),
            ["3:1: two versions take effect at one time; only one of them can be in force"],
            id="two-versions-from-one-time",
        ),
        pytest.param(
            several('version = "1"', "effective_from = 2026-01-01T00:00:00Z"),
            ['5:1: a version has a number: version = "1"'],
            id="a-second-version-without-a-number",
        ),
        pytest.param(
            HEAD + "effective_from = 2026-01-01T00:00:00",
            ["3:1: effective_from: Expected a time with a time zone"],
            id="a-time-without-a-zone",
        ),
        pytest.param(HEAD + 'requirement = "r"', ["3:1: requirement is a list"], id="requirements-that-are-no-list"),
        pytest.param(HEAD + 'waiver = "w"', ["3:1: waiver is a list"], id="waivers-that-are-no-list"),
        pytest.param(
            one('check = "resolved"\n') + REQUIRED + 'check = "resolved"',
            ["9:1: two requirements have the id 'r'"],
            id="two-requirements-of-one-id",
        ),
        pytest.param(one(""), ["4:1: a requirement needs a check, or all, any or not"], id="no-check"),
        pytest.param(
            one('chek = "resolved"'), ["7:1: unknown key 'chek'; did you mean 'check'?"], id="a-misspelt-check-key"
        ),
        pytest.param(
            one('check = "evidense"'),
            ["7:1: there is no check 'evidense'; did you mean 'evidence'?"],
            id="an-unknown-check",
        ),
        pytest.param(
            one('check = "qqq"'),
            [
                "7:1: there is no check 'qqq'; there are: active_versions, canary, compared, different_approver, environment, evidence, identified, identity, kept, metric, name, order, pinned, recorded, resolved, rollback_target, same_subject, separate_data, training_data, unweakened"
            ],
            id="an-unknown-check-like-no-other",
        ),
        pytest.param(
            one("check = 7"),
            [
                "7:1: there is no check 7; there are: active_versions, canary, compared, different_approver, environment, evidence, identified, identity, kept, metric, name, order, pinned, recorded, resolved, rollback_target, same_subject, separate_data, training_data, unweakened"
            ],
            id="a-check-that-is-no-text",
        ),
        pytest.param(
            one('check = "evidence"\ngate_typ = "approval"'),
            ["8:1: unknown key 'gate_typ' of check 'evidence' or of a requirement; did you mean 'gate_type'?"],
            id="a-misspelt-parameter",
        ),
        pytest.param(
            one('all = [{ check = "evidence", gate_typ = "approval" }]'),
            ["7:30: unknown key 'gate_typ' of check 'evidence'; did you mean 'gate_type'?"],
            id="a-misspelt-parameter-inside",
        ),
        pytest.param(
            one('check = "evidence"\ngate_type = "aproval"'),
            ["8:1: gate_type: Invalid enum value 'aproval'"],
            id="a-word-that-is-none-of-those",
        ),
        pytest.param(
            one('check = "metric"\nmetric = "f1"\nat_least = "0.9"'),
            ["9:1: at_least: Expected a number, got text"],
            id="a-number-as-text",
        ),
        pytest.param(
            one('check = "metric"\nmetric = 7\nat_least = 0.9'),
            ["8:1: metric: Expected text, got a number"],
            id="a-text-as-a-number",
        ),
        pytest.param(
            one('check = "metric"\nmetric = "f1"\nat_least = nan'),
            ["9:1: at_least must be a finite number"],
            id="a-number-that-is-none",
        ),
        pytest.param(
            one('check = "metric"\nmetric = "f1"\nbelow = inf'),
            ["9:1: below must be a finite number"],
            id="a-number-without-end",
        ),
        pytest.param(
            one('check = "metric"\nmetric = "f1"'),
            ["4:1: check 'metric': it needs at_least, above, at_most or below"],
            id="no-bounds",
        ),
        pytest.param(
            one('check = "metric"\nmetric = ""\nbelow = 1'),
            ["4:1: check 'metric': it needs the name of a metric"],
            id="no-metric",
        ),
        pytest.param(one('check = "metric"\nbelow = 1'), ["4:1: missing `metric`"], id="a-metric-that-is-missing"),
        pytest.param(
            one('check = "evidence"\nnot_older_than = "soon"'),
            ["8:1: not_older_than: Expected text matching regex '^[1-9][0-9]{0,4}[hdwmy]$'"],
            id="no-duration",
        ),
        pytest.param(
            one('check = "evidence"\ngate = "(a+"'),
            ["8:1: '(a+' is no RE2 expression: missing ): (a+"],
            id="no-pattern",
        ),
        pytest.param(
            one('check = "identity"\nwho = "author"\nallowed = ["a", "(b"]'),
            ["9:1: '(b' is no RE2 expression: missing ): (b"],
            id="no-pattern-in-a-list",
        ),
        pytest.param(
            one('check = "name"\nversion = "["'),
            ["8:1: '[' is no RE2 expression: missing ]: ["],
            id="no-pattern-for-a-version",
        ),
        pytest.param(
            one('check = "name"'),
            ["4:1: check 'name': it needs name, version or semantic"],
            id="a-name-that-asks-nothing",
        ),
        pytest.param(
            one('check = "order"\nsteps = ["evaluation"]'),
            ["4:1: check 'order': steps are two or more, each once"],
            id="one-step",
        ),
        pytest.param(
            one('check = "order"\nsteps = ["evaluation", "approval", "evaluation"]'),
            ["4:1: check 'order': steps are two or more, each once"],
            id="a-step-twice",
        ),
        pytest.param(
            one('check = "canary"\nsteps = [100, 10]\nfor = "1d"'),
            ["4:1: the steps of a canary rise: write for example steps = [5, 25, 100]"],
            id="steps-that-fall",
        ),
        pytest.param(
            one('check = "canary"\nsteps = []\nfor = "1d"'),
            ["8:1: steps: Expected a list of length >= 1"],
            id="no-steps",
        ),
        pytest.param(
            one('check = "canary"\nsteps = [0, 100]\nfor = "1d"'),
            ["8:10: steps: Expected a number > 0.0"],
            id="a-step-of-nothing",
        ),
        pytest.param(
            one('check = "canary"\nsteps = [5, 5]\nfor = "1d"'),
            ["4:1: the steps of a canary rise: write for example steps = [5, 25, 100]"],
            id="a-step-twice-in-a-canary",
        ),
        pytest.param(one('check = "recorded"\nfacts = []'), ["4:1: check 'recorded': facts is empty"], id="no-facts"),
        pytest.param(
            one('check = "recorded"\nfacts = ["code", "algorthm"]'),
            ["8:18: facts: Invalid enum value 'algorthm'"],
            id="an-unknown-fact",
        ),
        pytest.param(
            one('check = "different_approver"\nfrom = []'),
            ["4:1: check 'different_approver': from is empty"],
            id="nobody-to-differ-from",
        ),
        pytest.param(
            one('check = "environment"\nallowed = []'),
            ["4:1: check 'environment': allowed is empty"],
            id="nowhere-allowed",
        ),
        pytest.param(
            one('check = "environment"\nallowed = "production"'),
            ["8:1: allowed: Expected a list, got text"],
            id="a-list-that-is-a-text",
        ),
        pytest.param(one("all = []"), ["7:1: all of nothing says nothing"], id="all-of-nothing"),
        pytest.param(one("any = []"), ["7:1: any of nothing says nothing"], id="any-of-nothing"),
        pytest.param(
            one('all = { check = "resolved" }'),
            ["7:1: all is a list", "7:1: all of nothing says nothing"],
            id="all-that-is-no-list",
        ),
        pytest.param(one('not = "resolved"'), ['7:1: a condition is a table: { check = "…" }'], id="not-of-no-table"),
        pytest.param(
            one('any = ["resolved"]'),
            ['7:8: a condition is a table: { check = "…" }'],
            id="a-condition-that-is-no-table",
        ),
        pytest.param(
            one('any = [{ gate = "a" }]'),
            ["7:10: a condition is one of: check, all, any, not"],
            id="a-condition-of-nothing",
        ),
        pytest.param(
            one('check = "resolved"\nall = [{ check = "resolved" }]'),
            ["4:1: a condition is one of: check, all, any, not"],
            id="a-check-and-a-list",
        ),
        pytest.param(
            one('any = [{ check = "resolved" }]\nall = [{ check = "resolved" }]'),
            ["4:1: a condition is one of: check, all, any, not"],
            id="two-lists",
        ),
        pytest.param(
            one('any = [{ all = [{ check = "resolved" }], gate = "a" }]'),
            ["7:42: unknown key 'gate' of a condition; there are: all"],
            id="a-list-with-something-beside-it",
        ),
        pytest.param(
            one('all = [{ check = "resolved" }]\ngate = "a"'),
            ["8:1: unknown key 'gate' of a condition; there are: all, cites, hop, id, of, role, title, when"],
            id="a-parameter-beside-a-list",
        ),
        pytest.param(
            one('any = [{ check = "resolved" }, { not = { check = "evidence", min_grade = "gold" } }]'),
            ["7:62: min_grade: Invalid enum value 'gold'"],
            id="a-mistake-deep-inside",
        ),
        pytest.param(
            one('any = [{ check = "a" }, { check = "b" }]'),
            [
                "7:10: there is no check 'a'; there are: active_versions, canary, compared, different_approver, environment, evidence, identified, identity, kept, metric, name, order, pinned, recorded, resolved, rollback_target, same_subject, separate_data, training_data, unweakened",
                "7:27: there is no check 'b'; there are: active_versions, canary, compared, different_approver, environment, evidence, identified, identity, kept, metric, name, order, pinned, recorded, resolved, rollback_target, same_subject, separate_data, training_data, unweakened",
            ],
            id="two-mistakes-inside",
        ),
        pytest.param(
            one('check = "resolved"\nwhen = { enviroment = "production" }'),
            ["8:10: unknown key 'enviroment' of a guard; did you mean 'environment'?"],
            id="a-misspelt-guard",
        ),
        pytest.param(
            one('check = "resolved"\nwhen = {}'),
            ["8:1: an empty guard says nothing; leave it out"],
            id="an-empty-guard",
        ),
        pytest.param(
            one('check = "resolved"\nwhen = "production"'),
            ['8:1: when is a table: when = { environment = "production" }'],
            id="a-guard-that-is-no-table",
        ),
        pytest.param(
            one('check = "resolved"\nwhen = { kind = 7 }'),
            ["8:10: kind: Expected text or a list, got a number"],
            id="a-guard-of-a-number",
        ),
        pytest.param(
            one('check = "resolved"\nwhen = { tag = { risk = 1 } }'),
            ["8:10: tag: Expected text, got a number"],
            id="a-tag-that-is-no-text",
        ),
        pytest.param(
            HEAD + '[[requirement]]\nid = "r"\ntitle = "R"\ncheck = "resolved"', ["4:1: missing `hop`"], id="no-hop"
        ),
        pytest.param(
            HEAD + '[[requirement]]\nid = "r"\ntitle = "R"\nhop = ["a", "b"]\ncheck = "resolved"',
            ["6:1: hop: Expected a list of length 3, got 2"],
            id="a-hop-of-two",
        ),
        pytest.param(
            HEAD + '[[requirement]]\nid = ""\ntitle = "R"\nhop = ["a", "b", "c"]\ncheck = "resolved"',
            ["4:1: id: Expected text of length >= 1"],
            id="an-empty-id",
        ),
        pytest.param(
            one('of = "middle"\ncheck = "resolved"'), ["7:1: of: Invalid enum value 'middle'"], id="another-end"
        ),
        pytest.param(
            HEAD + 'requirement = ["r"]',
            ["3:16: a requirement needs a check, or all, any or not"],
            id="a-requirement-that-is-no-table",
        ),
        pytest.param(
            one('check = "resolved"\n') + WAIVER.replace('why = "b"\n', ""),
            ["9:1: a waiver needs who (by), why and until when; missing: why"],
            id="a-waiver-without-a-reason",
        ),
        pytest.param(
            one('check = "resolved"\n') + '[[waiver]]\nrequirement = "r"\nsubject = "model:m@1"\nwhy = "b"',
            ["9:1: a waiver needs who (by), why and until when; missing: by, until"],
            id="a-waiver-without-who-and-when",
        ),
        pytest.param(
            one('check = "resolved"\n') + WAIVER.replace('"b"', '""'),
            ["12:1: why: Expected text of length >= 1"],
            id="a-waiver-with-an-empty-reason",
        ),
        pytest.param(
            one('check = "resolved"\n') + WAIVER.replace("2026-07-01T00:00:00Z", '"2026-07-01"'),
            ["13:1: until: Invalid RFC3339 encoded datetime"],
            id="a-waiver-until-a-text",
        ),
        pytest.param(
            one('check = "resolved"\n') + WAIVER.replace('"r"', '"q"'),
            ["9:1: no requirement 'q'; there are: r"],
            id="a-waiver-of-an-unknown-requirement",
        ),
        pytest.param(HEAD + WAIVER, ["4:1: no requirement 'r'; there are none"], id="a-waiver-of-nothing-like-it"),
        pytest.param(
            one('check = "resolved"\n') + WAIVER.replace("model:m@1", "m"),
            ["10:1: 'm' is not a reference; write kind:name@version, e.g. model:churn@3"],
            id="a-waiver-of-no-reference",
        ),
        pytest.param(
            one('check = "resolved"\n') + WAIVER + "untill = 7",
            ["14:1: unknown key 'untill' of a waiver; did you mean 'until'?"],
            id="a-waiver-with-more",
        ),
        pytest.param(
            'nme = "p"\nversion = "1"\n' + REQUIRED + 'chek = "a"\n' + REQUIRED + 'check = "b"',
            [
                "1:1: unknown key 'nme' of a policy; did you mean 'name'?",
                '1:1: a policy has a name: name = "…"',
                "7:1: unknown key 'chek'; did you mean 'check'?",
                "12:1: there is no check 'b'; there are: active_versions, canary, compared, different_approver, environment, evidence, identified, identity, kept, metric, name, order, pinned, recorded, resolved, rollback_target, same_subject, separate_data, training_data, unweakened",
            ],
            id="mistakes-in-order-of-their-lines",
        ),
    ],
)
def test_a_mistake_is_told_in_these_words(text: str, told: list[str]) -> None:
    assert mistakes(text) == told


def test_a_text_that_is_no_toml_is_not_read_any_further() -> None:
    with pytest.raises(PolicyError) as caught:
        read_policy("name = \n")
    ((line, column, message),) = caught.value.problems
    assert (line, column) == (1, 8)
    assert str(caught.value) == f"policy:1:8: {message}"


def test_a_table_that_was_read_already_has_no_places() -> None:
    table = {"name": "p", "version": "1", "requirement": [{"id": "r", "check": "x"}]}
    with pytest.raises(PolicyError, match=r"^policy:0:0: ") as caught:
        parse_policy(table)
    assert {problem[:2] for problem in caught.value.problems} == {(0, 0)}
    with pytest.raises(PolicyError, match=r"^here:0:0: "):
        parse_policy({}, "here")
    assert parse_policy({"name": "p", "version": "1"}).source == ""


def test_a_policy_is_found_by_its_name_or_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "default" in shipped_policies()
    assert shipped_policies() == sorted(shipped_policies())
    assert load_policy().name == load_policy("default").name == "default"
    path = tmp_path / "mine.toml"
    path.write_text(one('check = "resolved"') + '\n# "é"', encoding="utf-8")
    policy = load_policy(path)
    assert policy.source == path.read_text(encoding="utf-8")
    assert load_policy(policy) is policy
    assert load_policy(str(path)) == policy
    monkeypatch.chdir(tmp_path)
    (tmp_path / "default").write_text(one('check = "resolved"'), encoding="utf-8")
    assert load_policy("default").name == "default"  # the shipped one, whatever lies about


def test_a_policy_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    shipped = ", ".join(shipped_policies())
    with pytest.raises(PolicyError) as caught:
        load_policy("defalt")
    assert str(caught.value) == (
        f"no policy 'defalt': neither a file nor one of the shipped: {shipped}; did you mean 'default'?"
    )
    with pytest.raises(PolicyError) as caught:
        load_policy("zzzz")
    assert str(caught.value) == f"no policy 'zzzz': neither a file nor one of the shipped: {shipped}"
    path = tmp_path / "latin.toml"
    path.write_bytes('name = "é"'.encode("latin-1"))
    with pytest.raises(PolicyError, match=r"^policy '.*latin.toml' cannot be read: .*utf-8"):
        load_policy(path)
    broken = tmp_path / "broken.toml"
    broken.write_text("name = 7", encoding="utf-8")
    with pytest.raises(PolicyError, match=rf"^{broken}:1:1: "):
        load_policy(broken)


def test_a_metric_that_is_called_nearly_so_is_told_with_its_place() -> None:
    error = misspelt(read_policy(one('check = "metric"\nmetric = "f2"\nbelow = 1')), "f2", "f1")
    assert str(error) == "policy p:8:1: no record has the metric 'f2'; did you mean 'f1'?"
    assert error.problems == ((8, 1, "no record has the metric 'f2'; did you mean 'f1'?"),)


FULL = several(
    'version = "2"\neffective_from = 2026-03-01T00:00:00+01:00',
    'version = "1"\n'
    + (REQUIRED + 'of = "effect"\nrole = "training"\ncites = "c"\n').replace("[[", "[[version.")
    + 'when = { environment = ["a", "b"], kind = "model", tag = { risk = "high" } }\n'
    'any = [{ check = "metric", metric = "f1", at_least = 1, min_grade = "signed" }, { all = [{ check = "evidence", '
    'gate = "g" }, { not = { check = "recorded", facts = ["code"] } }] }]\n'
    + (REQUIRED.replace('"r"', '"named"') + 'check = "name"\nname = "n"\nversion = "v"\n').replace("[[", "[[version.")
    + WAIVER.replace("[[", "[[version."),
)


def test_everything_that_a_file_says_is_read() -> None:
    policy = read_policy('description = "d"\nform = "questions"\n"$schema" = "s"\n' + FULL)
    assert (policy.name, policy.description, policy.form) == ("p", "d", "questions")
    first, second = policy.versions
    assert (first.name, first.version, first.since, first.effective_from) == ("p", "1", None, None)
    assert second.effective_from == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert second.since == 1_772_319_600_000_000
    assert (second.requirement, second.waiver) == ((), ())
    requirement, named = first.requirement
    assert (requirement.id, requirement.title, requirement.hop) == ("r", "R", ("model", "deploys", "deployment"))
    assert (requirement.of, requirement.role, requirement.cites) == ("effect", "training", "c")
    assert requirement.when == Guard(environment=("a", "b"), kind="model", tag={"risk": "high"})
    metric = Metric(metric="f1", at_least=1, min_grade="signed")
    gate, fact = EvidenceCheck(gate="g"), Recorded(facts=("code",))
    assert requirement.condition == AnyOf(any=(metric, AllOf(all=(gate, NotOf(not_=fact)))))
    assert list(requirement.checks()) == [metric, gate, fact]
    assert named.condition == Name(name="n", version="v")
    assert (named.when, named.of, named.role, named.cites) == (None, "cause", "", "")
    (waiver,) = first.waiver
    assert (waiver.requirement, waiver.subject, waiver.by, waiver.why) == ("r", "model:m@1", "a", "b")
    assert waiver.until == datetime(2026, 7, 1, tzinfo=UTC)
    assert policy.metrics() == {"f1"}
    assert policy.needs == {"agents"}


def test_a_digest_is_of_everything_but_the_source() -> None:
    policy = read_policy(FULL)
    assert policy.digest == read_policy("# remark\n" + FULL).digest != read_policy('form = "questions"\n' + FULL).digest
    assert policy.digest.startswith("sha256:")
    assert policy.versions[0].digest != policy.versions[1].digest
    assert plain(policy)["name"] == "p"


def test_versions_up_to_an_instant() -> None:
    policy = read_policy(FULL)
    assert policy.versions[1].since is not None
    start = policy.versions[1].since
    assert [one.version for one in policy.until(start - 1)] == ["1"]
    assert [one.version for one in policy.until(start)] == ["1", "2"]
    assert [policy.in_force(when).version for when in (start - 1, start)] == ["1", "2"]  # type: ignore[union-attr]


def test_an_identity_may_ask_for_no_name() -> None:
    (version,) = read_policy(one('check = "identity"\nwho = "author"\nallowed = []')).versions
    assert version.requirement[0].condition == Identity(who="author")


def test_kinds_of_a_hop_match_as_whole_words() -> None:
    (version,) = read_policy(one('check = "resolved"').replace('"model", "deploys"', '"model|ai_agent", "*"')).versions
    (requirement,) = version.requirement
    assert requirement.matches("model", "deploys", "deployment")
    assert requirement.matches("ai_agent", "serves", "deployment")
    assert not requirement.matches("mod", "deploys", "deployment")
    assert not requirement.matches("model|ai_agent", "deploys", "deployment")
    assert not requirement.matches("model", "deploys", "endpoint")


def test_the_schema_is_the_one_that_is_published() -> None:
    assert json.loads(json.dumps(policy_schema())) == json.loads(
        (ROOT / "docs" / "policy.schema.json").read_text(encoding="utf-8")
    )


def test_the_checks_are_a_closed_set() -> None:
    text = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8").partition("\n## Checks\n")[2]
    assert set(CHECKS) == {
        line.split("`")[1] for line in text.partition("**Patterns**")[0].splitlines() if line.startswith("| `")
    }
