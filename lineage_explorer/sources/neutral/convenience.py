"""What a row means: deployments, gates and datasets as people write them down, and the five record types.

One row says one fact. A reference may be written without its kind where the field says it already
(``"model": "churn@3"``); it is never guessed which of two things is meant.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, get_args

import msgspec

from ...errors import InvalidRecord
from ...records import (
    Activity,
    Agent,
    Basis,
    Entity,
    Evidence,
    GateType,
    Grade,
    Record,
    Ref,
    Relation,
    Status,
    format_instant,
    from_json,
    json_schema,
    parse_instant,
)
from ...redaction import redact, redact_text
from .rows import Row

AGENTS = ("person", "team", "service")
RELEASED = ("model", "ai_agent", "logged_model")
DATA = ("dataset", "feature_set", "index")
KINDS = (
    "endpoint", "deployment", *RELEASED, *DATA, "prompt", "base_model", "code", "environment", "run", "experiment",
    *AGENTS,
)  # fmt: skip

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type"):
    by: _Text | None = None
    observed_at: _Text | None = None
    attributes: dict[str, Any] = {}


class DeploymentRow(_Row, frozen=True, kw_only=True, tag="deployment"):
    """What was rolled out to an endpoint.

    Attributes
    ----------
    endpoint : str
        Its name.
    model : str
        The model version or agent: ``churn@3``, ``model:churn@3``, ``ai_agent:triage@2``.
    deployment : str, optional
        The name of the slot; the next row of the same name replaces this one. By default the site's
        name, or ``default``.
    traffic : float, optional
        Percent of requests, 0 to 100. Without ``deployment``: 100. Otherwise: not read.
    mirrored : bool
        Shadow traffic, which answers nobody.
    site : str, optional
        Plant, region or tenant, where one endpoint has several.
    environment : str, optional
        ``production``, ``staging``, ...
    at, until : str, optional
        When it began and ended, with a time zone. Without ``at``: from when the row is read.
    by : str, optional
        Who rolled it out: ``person:ada``, ``team:risk``, ``service:ci``.
    model_digest : str, optional
        Digest of the bytes that were rolled out.
    """

    endpoint: _Text
    model: _Text
    deployment: _Text | None = None
    traffic: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    mirrored: bool = False
    site: _Text | None = None
    environment: _Text | None = None
    at: _Text | None = None
    until: _Text | None = None
    model_digest: _Text | None = None


class GateRow(_Row, frozen=True, kw_only=True, tag="gate"):
    """A gate's result about exactly one thing.

    Attributes
    ----------
    subject : str
        What was judged, with its kind: ``model:churn@3``.
    gate : str
        The gate's name.
    status : str
        ``passed``, ``failed``, ``pending``, ``waived``, ``stale``, ``missing``; a word that is not
        understood becomes ``undetermined``, never ``passed``.
    gate_type : GateType, optional
        By default ``approval`` or ``evaluation`` if the name says so, else ``other``.
    at, until : str, optional
        When it was judged, and until when it holds (waivers).
    by : str, optional
        Who judged.
    expected, actual : str, optional
        The condition, and the value met.
    pointer : str, optional
        Where the proof is. With a run reference the grade is ``referenced``, else ``claimed``.
    grade : Grade, optional
        What the writer says; a row cannot vouch for itself, so it is kept beside the grade that holds.
    subject_digest : str, optional
        Digest of the bytes that were judged.
    """

    subject: _Text
    gate: _Text
    status: _Text
    gate_type: GateType | None = None
    at: _Text | None = None
    until: _Text | None = None
    expected: str | float | None = None
    actual: str | float | None = None
    pointer: _Text | None = None
    grade: Grade | None = None
    subject_digest: _Text | None = None


class DatasetRow(_Row, frozen=True, kw_only=True, tag="dataset"):
    """A version of a dataset, feature set or index.

    Attributes
    ----------
    dataset : str
        ``customers@2026-07``, ``dataset:customers@2026-07``, ``feature_set:...``, ``index:...``.
    sha256 : str, optional
        SHA-256 of its bytes. Without a written version it becomes the version.
    uri : str, optional
        Where it is kept. Never fetched.
    created_at : str, optional
        When it was made, with a time zone.
    derived_from : list of str, optional
        What it was made from. In CSV: parted by spaces or semicolons.
    by : str, optional
        Who made it.
    description : str, optional
        Free text.
    """

    dataset: _Text
    sha256: _Text | None = None
    uri: _Text | None = None
    created_at: _Text | None = None
    derived_from: list[_Text] = []
    description: str = ""


_ROWS: dict[str, type[DeploymentRow] | type[GateRow] | type[DatasetRow]] = {
    "deployment": DeploymentRow,
    "gate": GateRow,
    "dataset": DatasetRow,
}
_RECORDS: dict[str, type[msgspec.Struct]] = {
    "entity": Entity,
    "activity": Activity,
    "agent": Agent,
    "relation": Relation,
    "evidence": Evidence,
}
#: Every type a row may have, and the fields that belong to it.
FIELDS: dict[str, frozenset[str]] = {
    **{name: frozenset(row.__struct_fields__) for name, row in _ROWS.items()},
    **{name: frozenset(row.__struct_fields__) | {"observed_at"} for name, row in _RECORDS.items()},
}

_STATUSES: dict[str, Status] = {
    **dict.fromkeys(("passed", "pass", "approved", "ok", "true"), "passed"),
    **dict.fromkeys(("failed", "fail", "rejected", "denied", "false"), "failed"),
    **{status: status for status in get_args(Status)},
}
_APPROVALS = frozenset(["approval", "approve", "approved", "sign-off", "signoff", "sign_off"])


def row_json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a row: a convenience row or one of the five records.

    Examples
    --------
    >>> sorted(row_json_schema()["$defs"])[:3]
    ['Activity', 'Agent', 'DatasetRow']
    """
    rows = msgspec.json.schema(DeploymentRow | GateRow | DatasetRow)
    records = json_schema()
    for name in ("Entity", "Activity", "Agent", "Relation", "Evidence"):
        records["$defs"][name]["properties"]["observed_at"] = {"type": "string", "format": "date-time"}
    return {
        "$schema": records["$schema"],
        "$id": "urn:lineage-explorer:row:1",
        "title": "lineage-explorer row",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in sorted({*rows["$defs"], *records["$defs"]})],
        "$defs": {**records["$defs"], **rows["$defs"]},
    }


def looks_like_row(values: Mapping[str, Any]) -> bool:
    """Whether an object is a row of this format: a known type, and a field that belongs to it.

    Examples
    --------
    >>> looks_like_row({"type": "gate", "subject": "model:churn@3"})
    True
    """
    kind = values.get("type")
    return isinstance(kind, str) and kind in FIELDS and bool(FIELDS[kind] & (values.keys() - {"attributes"}))


def read_row(row: Row, namespace: str = "") -> tuple[list[Record], datetime | None]:
    """The records that a row states, and when it was seen if it says so.

    Parameters
    ----------
    row : Row
        Plain values and their place.
    namespace : str
        Put before the names that convenience rows issue (endpoints, deployments, datasets) where they
        carry none. What they refer to stays as written.

    Raises
    ------
    InvalidRecord
        With the position as ``file:line $.field``.
    """
    # Before names are put into references, where a percent-encoded secret would no longer be seen.
    values, place = redact(dict(row.values)), row.position
    kind = values.get("type")
    if not isinstance(kind, str) or kind not in FIELDS:
        close = difflib.get_close_matches(str(kind), FIELDS, n=1) if kind is not None else []
        said = f"{str(kind)[:80]!r} is no type of row" if kind is not None else "the row has no type"
        hint = f"; did you mean {close[0]!r}?" if close else f"; write one of {', '.join(FIELDS)}"
        raise InvalidRecord(said + hint, f"{place} $.type")
    _known_fields(values, kind, place)
    if kind in _RECORDS:
        seen = _instant(values.pop("observed_at", None), "observed_at", place)
        return [_record(values, row)], seen
    if not row.typed and "derived_from" in values:
        values["derived_from"] = [word for word in re.split(r"[\s;]+", values["derived_from"]) if word]
    said_row = _convert({key: value for key, value in values.items() if value is not None}, _ROWS[kind], row)
    records: Iterator[Record]
    if isinstance(said_row, DeploymentRow):
        records = _deployment(said_row, namespace, place)
    elif isinstance(said_row, GateRow):
        records = _gate(said_row, place)
    else:
        records = _dataset(said_row, namespace, place)
    return list(records), _instant(said_row.observed_at, "observed_at", place)


# --- shape ---


def _known_fields(values: Mapping[str, Any], kind: str, place: str) -> None:
    for field in values:
        if field != "type" and field not in FIELDS[kind]:
            close = difflib.get_close_matches(field, FIELDS[kind], n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(FIELDS[kind]))}"
            raise InvalidRecord(
                f"unknown field {field[:80]!r} in a row of type {kind!r}; {hint}", f"{place} $.{field[:80]}"
            )


def _convert(values: dict[str, Any], shape: Any, row: Row) -> Any:
    try:
        return msgspec.convert(values, shape, strict=row.typed)
    except msgspec.ValidationError as error:
        raise _told(error, values, row.position) from error


def _told(error: Exception, values: Mapping[str, Any], place: str) -> InvalidRecord:
    message, _, path = str(error).partition(" - at `")
    path = path.removesuffix("`")
    missing = re.fullmatch(r"Object missing required field `(\w+)`", message)
    if missing:
        return InvalidRecord(f"a row of type {values['type']!r} needs {missing[1]!r}", f"{place} $.{missing[1]}")
    value = values.get(path.removeprefix("$."))
    given = f", not {value!r:.80}" if isinstance(value, (str, int, float)) else ""
    return InvalidRecord(message + given, f"{place} {path or '$'}")


def _record(values: dict[str, Any], row: Row) -> Record:
    if not row.typed:
        # Every CSV cell is text: read numbers and truth values out of it, as the fields demand.
        values = msgspec.to_builtins(_convert(values, _RECORDS[values["type"]], row), builtin_types=(datetime,))
    try:
        return from_json(values)
    except InvalidRecord as error:
        cause = error.__cause__
        told = _told(cause, values, row.position) if isinstance(cause, msgspec.ValidationError) else None
        raise told or type(error)(error.reason, row.position) from error


# --- fields ---


def _instant(text: str | None, field: str, place: str) -> datetime | None:
    if text is not None and not isinstance(text, str):
        raise InvalidRecord(f"a time is text like 2026-03-01T12:00:00Z, not {text!r:.80}", f"{place} $.{field}")
    return None if text is None else parse_instant(text, f"{place} $.{field}")


def _ref(text: str, field: str, place: str, allowed: tuple[str, ...], default: str = "") -> Ref:
    """A reference as people write it, with or without its kind."""
    position = f"{place} $.{field}"
    head, colon, _ = text.partition(":")
    bare = not colon or any(mark in head for mark in "@~/ ")
    if bare and not default:
        raise InvalidRecord(f"{text[:80]!r} does not say what it is; write {allowed[0]}:{text[:80]}", position)
    if not bare and head not in KINDS:
        close = difflib.get_close_matches(head, allowed, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(allowed)}"
        raise InvalidRecord(f"{head[:80]!r} is no kind of thing{hint}", position)
    try:
        ref = Ref.parse(f"{default}:{text}" if bare else text)
    except InvalidRecord as error:
        raise type(error)(error.reason, position) from error
    ref = Ref(ref.kind, redact_text(ref.name), redact_text(ref.version), ref.namespace, ref.alias)
    if ref.kind not in allowed:
        raise InvalidRecord(f"{field} names a {' or '.join(allowed)}, not a {ref.kind}", position)
    return ref


def _agent(text: str | None, place: str) -> Ref | None:
    """Who did it; a name without a kind is a person's, whatever signs are in it (an e-mail address)."""
    if text is None:
        return None
    return _ref(text, "by", place, AGENTS) if ":" in text else Ref("person", text)


def _placed(ref: Ref, namespace: str) -> Ref:
    return Ref(ref.kind, ref.name, ref.version, ref.namespace or namespace, ref.alias)


def _digest(text: str | None, field: str, place: str) -> str:
    if text is None:
        return ""
    word = text.strip()
    if re.fullmatch(r"(?i)(sha256:)?[0-9a-f]{64}", word):
        return "sha256:" + word[-64:].lower()
    if field != "sha256" and re.fullmatch(r"[a-z0-9-]+:\S+", word):
        return word
    raise InvalidRecord(f"{text[:80]!r} is no SHA-256: 64 hexadecimal digits", f"{place} $.{field}")


def basis_of(ref: Ref) -> Basis:
    """How firmly a written reference names its thing."""
    if ref.version.startswith("sha256:"):
        return "content_hash"
    return "name_version" if ref.version else "name"


# --- what rows state ---


def _deployment(row: DeploymentRow, namespace: str, place: str) -> Iterator[Record]:
    endpoint = _placed(_ref(row.endpoint, "endpoint", place, ("endpoint",), "endpoint"), namespace)
    if endpoint.version or endpoint.alias:
        raise InvalidRecord("an endpoint has no version; write '@' in its name as %40", f"{place} $.endpoint")
    model = _ref(row.model, "model", place, RELEASED, "model")
    begun, ended = _instant(row.at, "at", place), _instant(row.until, "until", place)
    if begun and ended and ended < begun:
        raise InvalidRecord("it ends before it begins", f"{place} $.until")
    name = row.deployment or row.site or "default"
    site = row.site or ""
    # Two sites may call their deployments the same; they are two.
    own = name if site in ("", name) else f"{name}|{site}"
    revision = format_instant(begun) if begun else ""
    deployment = Ref("deployment", f"{endpoint.name}:{own}", revision, endpoint.namespace)
    digest = _digest(row.model_digest, "model_digest", place)
    facts = {"environment": row.environment, "site": row.site, "model_digest": digest or None}
    yield Entity(
        ref=str(deployment),
        identified_by="declared",
        created_at=begun,
        attributes={**row.attributes, **{key: value for key, value in facts.items() if value is not None}},
    )
    yield Relation(
        effect=str(endpoint),
        predicate="serves",
        cause=str(deployment),
        basis="declared",
        traffic=100.0 if row.traffic is None and row.deployment is None else row.traffic,
        mirrored=row.mirrored,
        site=site,
        slot=f"{name}|{site}" if site else name,
        valid_from=begun,
        valid_to=ended,
    )
    yield Relation(
        effect=str(deployment),
        predicate="deploys",
        cause=str(model),
        basis=basis_of(model),
        slot="model",
        valid_from=begun,
        valid_to=ended,
    )
    yield from _who(deployment, row.by, begun, place)


def _gate(row: GateRow, place: str) -> Iterator[Record]:
    subject = _ref(row.subject, "subject", place, KINDS)
    judge = _agent(row.by, place)
    status = _STATUSES.get(row.status.strip().lower(), "undetermined")
    grade: Grade = "referenced" if (row.pointer or "").startswith("run:") else "claimed"
    attributes = dict(row.attributes)
    if status != row.status:
        attributes["status_as_written"] = row.status
    if row.grade not in (None, grade):
        attributes["claimed_grade"] = row.grade
    yield Evidence(
        subject=str(subject),
        gate=row.gate,
        gate_type=row.gate_type or _gate_type(row.gate),
        status=status,
        grade=grade,
        expected="" if row.expected is None else str(row.expected),
        actual="" if row.actual is None else str(row.actual),
        evaluator=str(judge) if judge else "",
        event_time=_instant(row.at, "at", place),
        valid_to=_instant(row.until, "until", place),
        pointer=row.pointer or "",
        subject_digest=_digest(row.subject_digest, "subject_digest", place),
        attributes=attributes,
    )


def _gate_type(gate: str) -> GateType:
    word = gate.strip().lower()
    if word in _APPROVALS:
        return "approval"
    return "evaluation" if word.startswith("eval") else "other"


def _dataset(row: DatasetRow, namespace: str, place: str) -> Iterator[Record]:
    ref = _placed(_ref(row.dataset, "dataset", place, DATA, "dataset"), namespace)
    if ref.alias:
        raise InvalidRecord("a moving alias is no version of a dataset; write name@version", f"{place} $.dataset")
    digest = _digest(row.sha256, "sha256", place)
    if ref.version.startswith("sha256:"):
        written = _digest(ref.version, "dataset", place)
        if digest and digest != written:
            raise InvalidRecord("sha256 and the version of the dataset are different digests", f"{place} $.sha256")
        digest = written
    if digest and not ref.version:
        ref = ref.at(digest)
    made = _instant(row.created_at, "created_at", place)
    yield Entity(
        ref=str(ref),
        digest=digest,
        identified_by="content_hash" if digest else "name_version" if ref.version else "name",
        created_at=made,
        description=row.description,
        attributes={**row.attributes, **({"uri": row.uri} if row.uri else {})},
    )
    for number, text in enumerate(row.derived_from):
        cause = _ref(text, f"derived_from[{number}]", place, KINDS, "dataset")
        yield Relation(
            effect=str(ref), predicate="was_derived_from", cause=str(cause), basis=basis_of(cause), event_time=made
        )
    yield from _who(ref, row.by, made, place)


def _who(thing: Ref, by: str | None, when: datetime | None, place: str) -> Iterator[Record]:
    agent = _agent(by, place)
    if agent is not None:
        yield Relation(
            effect=str(thing), predicate="was_associated_with", cause=str(agent), basis="declared", event_time=when
        )
