"""What a row means: deployments, gates and datasets as people write them down, and the five record types.

One row says one fact. A reference may be written without its kind where the field says it already
(``"model": "churn@3"``); it is never guessed which of two things is meant.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import datetime
from typing import get_args

import msgspec

from ...errors import InvalidRecord
from ...records import (
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
    parse_instant,
)
from ...redaction import redact, redact_text
from .rows import Row
from .shapes import FIELDS, RECORDS, ROWS, DatasetRow, DeploymentRow, GateRow, convert, known_fields, read_record

AGENTS = ("person", "team", "service")
RELEASED = ("model", "ai_agent", "logged_model")
DATA = ("dataset", "feature_set", "index")
KINDS = (
    "endpoint", "deployment", *RELEASED, *DATA, "prompt", "base_model", "code", "environment", "run", "experiment",
    *AGENTS,
)  # fmt: skip

_STATUSES: dict[str, Status] = {
    **dict.fromkeys(("passed", "pass", "approved", "ok", "true"), "passed"),
    **dict.fromkeys(("failed", "fail", "rejected", "denied", "false"), "failed"),
    **{status: status for status in get_args(Status)},
}
_APPROVALS = frozenset(["approval", "approve", "approved", "sign-off", "signoff", "sign_off"])


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
    known_fields(values, kind, place)
    if kind in RECORDS:
        seen = _instant(values.pop("observed_at", None), "observed_at", place)
        return [_unvouched(read_record(values, row))], seen
    if not row.typed and "derived_from" in values:
        values["derived_from"] = [word for word in re.split(r"[\s;]+", values["derived_from"]) if word]
    said_row = convert({key: value for key, value in values.items() if value is not None}, ROWS[kind], row)
    records: Iterator[Record]
    if isinstance(said_row, DeploymentRow):
        records = _deployment(said_row, namespace, place)
    elif isinstance(said_row, GateRow):
        records = _gate(said_row, place)
    else:
        records = _dataset(said_row, namespace, place)
    return list(records), _instant(said_row.observed_at, "observed_at", place)


def _unvouched(record: Record) -> Record:
    """Evidence with a grade that a file can give itself: nothing here was recomputed, and no signature was checked."""
    if not isinstance(record, Evidence) or record.grade in ("referenced", "claimed"):
        return record
    return msgspec.structs.replace(
        record,
        grade="referenced" if record.pointer else "claimed",
        attributes={**record.attributes, "claimed_grade": record.grade},
    )


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
        example = "model" if "model" in allowed else allowed[0]
        raise InvalidRecord(f"{text[:80]!r} does not say what it is; write for example {example}:{text[:80]}", position)
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
