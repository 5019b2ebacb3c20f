"""What a side of a comparison may be: an audit, a saved audit, or a text that asks for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ..audits import FORMAT, FORMAT_VERSION, Audit
from ..errors import InvalidQuestion, InvalidRef
from ..gathering import instants
from ..policy import Policy
from ..questions import audit, gate
from ..records import Ref, format_instant, parse_instant
from ..roles import RELEASED_KINDS

if TYPE_CHECKING:
    from ..store import Store

Asked = Audit | Mapping[str, Any] | str
_COMPARED = "an endpoint, or a version of a model, an AI agent or a logged model"


def contents(
    sides: Sequence[Asked],
    store: Store | None,
    policy: str | Path | Policy | None,
    known_at: datetime | str | None,
) -> list[dict[str, Any]]:
    """The audits of all sides as plain JSON values; texts without an instant are asked of one and the same.

    Raises
    ------
    InvalidQuestion
        When a side is none of the three, or a text is given without a store.
    UnknownReference, AmbiguousReference, InvalidInstant, PolicyError
        As :func:`lineage_explorer.audit`.
    """
    asked: list[tuple[str, str] | dict[str, Any]] = []
    for side in sides:
        if isinstance(side, Audit):
            asked.append(side.to_dict())
        elif isinstance(side, str):
            asked.append(_parsed(side, store))
        elif isinstance(side, Mapping):
            asked.append(checked(side))
        else:
            raise InvalidQuestion(
                f"a {type(side).__name__} cannot be compared: give an audit, what its to_dict() gave, or a text"
            )
    if store is None:
        return [side for side in asked if isinstance(side, dict)]
    now, known = instants(store, None, known_at)
    return [
        side if isinstance(side, dict) else _answered(store, *side, now=now, known=known, policy=policy)
        for side in asked
    ]


def _parsed(text: str, store: Store | None) -> tuple[str, str]:
    """The reference that a text means, and its instant, empty for now."""
    if store is None:
        raise InvalidQuestion(f"{text[:120]!r} is a question to a store: give compare(..., store=...) or two audits")
    # A reference never holds two marks of a version, but a plain name may.
    name, mark, instant = text.rpartition("@@")
    if not mark:
        name, instant = text, ""
    elif not name or not instant:
        raise InvalidQuestion(f"{text[:120]!r}: write REF, or REF@@INSTANT as in churn-prod@@2026-10-20T00:00:00Z")
    if instant:
        parse_instant(instant)
    ref = store.resolve(name, "endpoint")
    parsed = Ref.parse(ref)
    if parsed.kind != "endpoint" and parsed.kind not in RELEASED_KINDS:
        raise InvalidQuestion(f"{ref} cannot be compared: what can is {_COMPARED}")
    if parsed.kind == "model" and not parsed.version and not parsed.alias:
        raise InvalidQuestion(f"{ref} names no version; write {ref}@VERSION")
    return ref, instant


def _answered(
    store: Store, ref: str, instant: str, *, now: datetime, known: datetime, policy: str | Path | Policy | None
) -> dict[str, Any]:
    as_of = parse_instant(instant) if instant else now
    ask = audit if Ref.parse(ref).kind == "endpoint" else gate
    return ask(store, ref, as_of=as_of, known_at=format_instant(known), policy=policy).to_dict()


# --- audits that were saved ---


class _Policy(msgspec.Struct):
    name: str
    version: str
    digest: str


class _Question(msgspec.Struct):
    endpoint: str
    as_of: str
    known_at: str
    policy: _Policy
    candidate: str | None = None


class _Serving(msgspec.Struct):
    deployment: str
    model: str | None
    traffic: float | None
    state: str
    mirrored: bool
    site: str
    verdict: Literal["PASSED", "FAILED", "INCOMPLETE"] | None


class _Node(msgspec.Struct):
    ref: str
    kind: str
    name: str
    version: str
    namespace: str
    label: str
    resolved: bool
    roles: list[str]
    digest: str
    identified_by: str
    since: str | None
    attributes: dict[str, Any]
    record: dict[str, Any] | None


class _Requirement(msgspec.Struct):
    requirement: str
    title: str
    required: bool
    outcome: Literal["holds", "fails", "undetermined"]
    why: str


class _Hop(msgspec.Struct):
    cause: str
    effect: str
    predicate: str
    role: str
    basis: str
    requirements: list[_Requirement]
    record: dict[str, Any] | None


class _Evidence(msgspec.Struct):
    subject: str
    gate: str
    status: str
    grade: str
    expected: str
    actual: str
    evaluator: str
    event_time: str | None


class _Dataset(msgspec.Struct):
    ref: str
    role: str
    digest: str


class _Saved(msgspec.Struct):
    """What of an audit is read here; it may hold more."""

    question: _Question
    verdict: Literal["PASSED", "FAILED", "INCOMPLETE"]
    serving: list[_Serving]
    nodes: list[_Node]
    hops: list[_Hop]
    evidence: list[_Evidence]
    datasets: list[_Dataset]


def checked(side: Mapping[str, Any]) -> dict[str, Any]:
    """A saved audit, if it is one.

    Raises
    ------
    InvalidQuestion
        When it is another document, of another version, or holds what an audit cannot hold.
    """
    found = side.get("format")
    if found != FORMAT:
        raise InvalidQuestion(f"this is no audit: its format is {str(found)[:80]!r} and not {FORMAT!r}")
    if side.get("format_version") != FORMAT_VERSION:
        raise InvalidQuestion(
            f"this audit has format version {str(side.get('format_version'))[:20]!r}; this release reads {FORMAT_VERSION}"
        )
    try:
        saved = msgspec.convert(side, _Saved)
        for ref in (node.ref for node in saved.nodes):
            Ref.parse(ref)
    except (msgspec.ValidationError, InvalidRef) as error:
        raise InvalidQuestion(f"this audit was damaged or changed: {error}") from error
    known = {node.ref for node in saved.nodes}
    root = saved.question.candidate or saved.question.endpoint
    strange = {end for hop in saved.hops for end in (hop.cause, hop.effect)} - known
    if strange or root not in known:
        raise InvalidQuestion(f"this audit was damaged or changed: {min(strange or {root})[:120]!r} is no node of it")
    return dict(side)


def asked_again(content: Mapping[str, Any]) -> tuple[str, str]:
    """The title of a side, and the text by which it can be asked again."""
    question = content["question"]
    ref = question.get("candidate") or question["endpoint"]
    return f"{ref} as of {question['as_of']}", f"{ref}@@{question['as_of']}"
