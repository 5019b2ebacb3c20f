"""References, canonical form, identity and redaction."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from lineage_explorer.errors import InvalidInstant, InvalidRecord, InvalidRef
from lineage_explorer.records import (
    BASES,
    Entity,
    Evidence,
    Ref,
    Relation,
    canonical,
    digest_of,
    format_instant,
    from_json,
    identity_of,
    json_schema,
    parse_instant,
    to_json,
    weaker,
)
from lineage_explorer.redaction import MARK, redact, redact_text

names = st.text(min_size=1, max_size=30)
kinds = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)


@given(kinds, names, st.text(max_size=20), st.text(max_size=20))
def test_every_reference_survives_its_text_form(kind: str, name: str, namespace: str, version: str) -> None:
    ref = Ref(kind, name, version, namespace)
    assert Ref.parse(str(ref)) == ref


@given(names, st.text(min_size=1, max_size=20))
def test_an_alias_is_never_read_as_a_version(name: str, alias: str) -> None:
    ref = Ref("model", name, alias=alias)
    again = Ref.parse(str(ref))
    assert again == ref
    assert again.version == ""
    assert str(ref) != str(Ref("model", name, alias))


@given(names, names)
def test_no_text_form_holds_characters_that_could_hide(name: str, namespace: str) -> None:
    text = str(Ref("dataset", name, "", namespace))
    assert text.isprintable()
    assert " " not in text


@pytest.mark.parametrize(
    "text",
    [
        "churn",
        "",
        ":x",
        "Model:churn",
        "model:",
        "model:churn@",
        "model:churn~",
        "model:a/b/c",
        "model:/churn",
        "model:a@b@c",
        "model:%zz",
        "model:%ff",
    ],
)
def test_what_is_not_a_reference_is_refused_with_the_text_in_the_message(text: str) -> None:
    with pytest.raises(InvalidRef):
        Ref.parse(text)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInstant, match="no time zone"):
        parse_instant("2026-03-01T12:00:00")
    with pytest.raises(InvalidInstant, match="line 3"):
        parse_instant("yesterday", "line 3")
    with pytest.raises(InvalidInstant, match="outside the calendar"):
        parse_instant("0001-01-01T00:00:00+14:00")


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_survive_their_text_form(when: datetime) -> None:
    assert parse_instant(format_instant(when)) == when


def test_azures_seven_digit_fractions_are_read() -> None:
    assert format_instant(parse_instant("2023-02-21T20:33:12.3098916+00:00")) == "2023-02-21T20:33:12.309891Z"


def test_a_digest_depends_on_every_asserted_field_and_not_on_their_order() -> None:
    one = Entity(ref="dataset:a@1", attributes={"x": 1, "y": [1, 2]})
    assert digest_of(one) == digest_of(Entity(attributes={"y": [1, 2], "x": 1}, ref="dataset:a@1"))
    assert digest_of(one) != digest_of(Entity(ref="dataset:a@1", attributes={"x": 1, "y": [2, 1]}))


def test_numbers_that_json_cannot_carry_are_kept_as_text() -> None:
    plain = to_json(Entity(ref="run:r", attributes={"nan": math.nan, "inf": -math.inf, "big": 2**63, "ok": 7}))
    assert plain["attributes"] == {"nan": "nan", "inf": "-inf", "big": str(2**63), "ok": 7}
    assert json.loads(canonical(plain)) == plain


def test_text_that_is_not_unicode_is_refused_and_not_hashed() -> None:
    with pytest.raises(InvalidRecord):
        canonical(Entity(ref="dataset:a", description="\ud800"))


def test_records_round_trip_and_unknown_fields_are_refused() -> None:
    record = Relation(
        effect="run:r",
        predicate="used",
        cause="dataset:d@1",
        basis="identifier",
        role="training",
        event_time=parse_instant("2026-01-01T00:00Z"),
    )
    assert from_json(to_json(record)) == record
    with pytest.raises(InvalidRecord, match="colour"):
        from_json({"type": "entity", "ref": "model:a@1", "colour": "red"})
    with pytest.raises(InvalidRecord, match="traffic"):
        from_json({**to_json(record), "traffic": 101})
    with pytest.raises(InvalidRef):
        from_json({"type": "entity", "ref": "nonsense"})


def test_evidence_by_two_people_is_two_observations_and_not_one_overwritten() -> None:
    one, two = (
        Evidence(subject="model:a@1", gate="approval", status="passed", evaluator=who)
        for who in ("person:a", "person:b")
    )
    assert identity_of(to_json(one)) != identity_of(to_json(two))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("https://u:hunter22@host/x", "hunter22"),
        ("https://acc.blob.core.windows.net/c/f.csv?sv=1&sig=AbC%2B1&se=2", "AbC%2B1"),
        ("s3://bucket/x?X-Amz-Signature=deadbeef&X-Amz-Credential=abc", "deadbeef"),
        ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=Zm9vYmFy==;", "Zm9vYmFy"),
        ("Authorization: Bearer abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx"),
        ("key AKIAIOSFODNN7EXAMPLE here", "AKIAIOSFODNN7EXAMPLE"),
        ("ghp_" + "a1" * 18, "a1a1a1"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----", "MIIabc"),
    ],
)
def test_secrets_are_gone_before_anything_is_hashed(text: str, secret: str) -> None:
    plain = to_json(Entity(ref="dataset:a@1", description=text, attributes={"list": [{"deep": text}]}))
    assert secret not in json.dumps(plain)
    assert MARK in plain["description"]


def test_parameters_that_only_sound_like_secrets_are_kept() -> None:
    kept = {"max_tokens": 256, "tokenizer": "bpe", "key": "id", "password_length": 12, "n_keys": 3}
    assert redact(kept) == kept
    assert redact({"api-key": "x", "Client_Secret": "y", "password": ""}) == {
        "api-key": MARK,
        "Client_Secret": MARK,
        "password": "",
    }


def test_redacting_twice_changes_nothing() -> None:
    once = redact("https://u:pw123456@h/?sig=abc;AccountKey=zzz")
    assert redact(once) == once


def test_the_published_schema_accepts_what_the_code_writes() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    assert validator.is_valid(to_json(Relation(effect="run:r", predicate="used", cause="dataset:d", basis="name")))
    assert not validator.is_valid({"type": "relation", "effect": "run:r"})


def test_the_weaker_of_two_bases_is_further_down_the_ladder() -> None:
    for index, basis in enumerate(BASES):
        assert weaker(BASES[0], basis) == basis
        assert weaker(basis, BASES[-1]) == BASES[-1]
        assert index == BASES.index(weaker(basis, basis))


_NAMES = st.text(alphabet=st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["a", "A", "\u20ac", "\U0001f600", "\ufb33"]
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _NAMES
    | st.sampled_from(['\b\f\n\r\t"\\/\x00\x1f\x7f', "1.5", '":-1e5', "[2.5"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(_JSON)
def test_canonical_json_is_that_of_the_reference_implementation(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("depth", [5_000, 100_000])
def test_a_record_nested_too_deeply_is_refused_as_a_record(depth: int) -> None:
    deep: Any = "x"
    for _ in range(depth):
        deep = [deep]
    with pytest.raises(InvalidRecord, match="nested too deeply"):
        canonical(to_json(Entity(ref="model:churn@1", attributes={"deep": deep})))


@pytest.mark.parametrize(
    "line",
    ['{"user": "mia", "password": "plain word", ', "{'api_key' : 'plain word', broken", '"accessToken":"plain word"'],
)
def test_a_secret_in_a_line_that_cannot_be_parsed_is_redacted(line: str) -> None:
    assert "plain word" not in redact_text(line)
    assert MARK in redact_text(line)


def test_a_key_that_only_resembles_a_secret_keeps_its_value() -> None:
    text = '{"max_tokens": "256", "token_count": "12", "secretary": "mia"}'
    assert redact_text(text) == text


def test_the_password_of_a_key_in_a_servers_address_is_hidden() -> None:
    assert (
        redact_text("postgresql://u@h/d?sslkey=k.pem&sslpassword=hush")
        == f"postgresql://u@h/d?sslkey=k.pem&sslpassword={MARK}"
    )
