"""The nouns: references, the five kinds of record, their canonical form and their digests.

Records are frozen and content-addressed. The words are those of W3C PROV (Entity, Activity, Agent,
``used``, ``was_generated_by``) and OpenLineage (namespace + name); ``serves`` and ``deploys`` are
ours, because PROV has no word for a release.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

import msgspec
import rfc8785

from .errors import InvalidRecord, InvalidRef
from .redaction import redact, redact_text
from .references import Ref as Ref
from .references import format_instant as format_instant
from .references import parse_instant as parse_instant

#: Strength ladder for links and for what identifies a dataset, strongest first.
Basis = Literal[
    "content_hash",
    "identifier",
    "name_version",
    "truncated_digest",
    "time_order",
    "name",
    "containment",
    "declared",
]
BASES = get_args(Basis)
#: What data flows through; a trace walks these and no others.
FLOW = ("used", "was_generated_by", "was_derived_from", "serves", "deploys", "alias_of")
Predicate = Literal[
    "used",
    "was_generated_by",
    "was_derived_from",
    "serves",
    "deploys",
    "alias_of",
    "was_associated_with",
    "part_of",
]
#: Relations that hold over an interval; all others happened once and stay true.
HOLDING = ("serves", "deploys", "alias_of")
Status = Literal["passed", "failed", "pending", "waived", "stale", "missing", "undetermined"]
Grade = Literal["recomputed", "signed", "referenced", "claimed"]
GRADES = get_args(Grade)
GateType = Literal["evaluation", "approval", "data_quality", "safety", "fairness", "security", "monitoring", "other"]


# --- the five records -----------------------------------------------------------------------

_Time = Annotated[datetime, msgspec.Meta(tz=True)]
_RefText = Annotated[str, msgspec.Meta(description="kind:[namespace/]name[@version|~alias]")]
_Attributes = dict[str, Any]


class _Base(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    attributes: _Attributes = {}

    def refs(self) -> Iterator[Ref]:
        """Every reference the record makes."""
        raise NotImplementedError  # pragma: no cover - every record type overrides it


class Entity(_Base, frozen=True, kw_only=True, tag_field="type", tag="entity"):
    """A fixed thing: endpoint, deployment, model version, dataset, prompt, index, code... (PROV Entity).

    Attributes
    ----------
    ref : str
        Identity.
    digest : str
        Content digest as ``algorithm:value``; ``sha256:...`` is full, ``mlflow-md5-8:...`` is truncated.
    identified_by : Basis or ""
        The strongest thing the source knows this entity by.
    created_at, ended_at : datetime or None
        When the thing began and, if it did, ended to exist (deletion, retirement).
    description : str
        Free text from the source.
    """

    ref: _RefText
    digest: str = ""
    identified_by: Basis | Literal[""] = ""
    created_at: _Time | None = None
    ended_at: _Time | None = None
    description: str = ""

    def refs(self) -> Iterator[Ref]:
        """Every reference the record makes."""
        yield Ref.parse(self.ref)


class Activity(_Base, frozen=True, kw_only=True, tag_field="type", tag="activity"):
    """Something that happened: training, transform, evaluation, indexing, release (PROV Activity).

    Attributes
    ----------
    ref : str
        Identity, of kind ``run``.
    activity : str
        ``training``, ``transform``, ``evaluation``, ``indexing``, ``release`` or ``""`` (not recorded).
    status : str
        The source's own word (``FINISHED``, ``FAILED``). It is not a gate's verdict.
    started_at, ended_at : datetime or None
        When it ran.
    """

    ref: _RefText
    activity: str = ""
    status: str = ""
    started_at: _Time | None = None
    ended_at: _Time | None = None
    description: str = ""

    def refs(self) -> Iterator[Ref]:
        """Every reference the record makes."""
        yield Ref.parse(self.ref)


class Agent(_Base, frozen=True, kw_only=True, tag_field="type", tag="agent"):
    """A person, team or service (PROV Agent)."""

    ref: _RefText
    description: str = ""

    def refs(self) -> Iterator[Ref]:
        """Every reference the record makes."""
        yield Ref.parse(self.ref)


class Relation(_Base, frozen=True, kw_only=True, tag_field="type", tag="relation"):
    """``effect predicate cause``, as PROV states it: *run used dataset*.

    Attributes
    ----------
    effect, cause : str
        The two ends. Data flows from cause to effect.
    predicate : Predicate
        ``used``, ``was_generated_by``, ``was_derived_from``, ``serves``, ``deploys`` carry data flow.
    basis : Basis
        How firmly the two ends are linked.
    role : str
        What the data was for: ``training``, ``validation``, ``test``, ``evaluation``, ``retrieval``,
        ``serving``; ``input`` for what a transform reads; ``""`` when it was not recorded.
    traffic : float or None
        Percent of the endpoint's requests (``serves``). None: the split was not read.
    splits : bool
        False when the system has no traffic splits, so that being deployed is serving.
    mirrored : bool
        Shadow traffic: it receives copies of requests and answers nobody.
    site : str
        One endpoint at several sites (plants, regions).
    slot : str
        For relations that hold: an observation ends the earlier one with the same
        (effect, predicate, slot).
    event_time : datetime or None
        When it happened (for a write: when it was complete).
    event_start : datetime or None
        When a write began, if known; a read inside it may have seen either state.
    valid_from, valid_to : datetime or None
        The interval of a relation that holds. None: not recorded.
    overwrites : bool
        The write is known to replace all earlier content.
    complete : bool
        False when the writer failed, so that the write may be partial or absent.
    """

    effect: _RefText
    predicate: Predicate
    cause: _RefText
    basis: Basis
    role: str = ""
    traffic: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    splits: bool = True
    mirrored: bool = False
    site: str = ""
    slot: str = ""
    event_time: _Time | None = None
    event_start: _Time | None = None
    valid_from: _Time | None = None
    valid_to: _Time | None = None
    overwrites: bool = False
    complete: bool = True

    def refs(self) -> Iterator[Ref]:
        """Every reference the record makes."""
        yield Ref.parse(self.effect)
        yield Ref.parse(self.cause)


class Evidence(_Base, frozen=True, kw_only=True, tag_field="type", tag="evidence"):
    """A gate's result about a subject (OpenLineage TestExecution; in-toto subject).

    Attributes
    ----------
    subject : str
        What was judged. Evidence counts for exactly this reference.
    gate : str
        The gate's name, e.g. ``auc-threshold``.
    gate_type : GateType
        What sort of question it answers.
    status : Status
        Nothing unreadable becomes ``passed``: it is ``undetermined``.
    grade : Grade
        ``recomputed`` from raw metrics, ``signed``, ``referenced`` (points at a run) or ``claimed`` (a bare tag).
    expected, actual : str
        The condition and the value met, as text.
    evaluator : str
        Who or what judged, a reference or a name.
    event_time : datetime or None
        When it was judged.
    valid_to : datetime or None
        When it expires (waivers).
    pointer : str
        Where the proof is: a run reference or a URI. Never fetched.
    subject_digest : str
        Digest of the very bytes that were judged, where known.
    """

    subject: _RefText
    gate: str
    status: Status
    gate_type: GateType = "other"
    grade: Grade = "claimed"
    expected: str = ""
    actual: str = ""
    evaluator: str = ""
    event_time: _Time | None = None
    valid_to: _Time | None = None
    pointer: str = ""
    subject_digest: str = ""

    def refs(self) -> Iterator[Ref]:
        """Every reference the record makes."""
        yield Ref.parse(self.subject)


Record = Entity | Activity | Agent | Relation | Evidence
_CLASSES: dict[str, Any] = {
    "entity": Entity,
    "activity": Activity,
    "agent": Agent,
    "relation": Relation,
    "evidence": Evidence,
}


# --- canonical form -------------------------------------------------------------------------

_EXACT = 2**53  # the largest magnitude below which JSON numbers survive every reader (RFC 8785 § 3.2.2.3)


def _plain(value: Any) -> Any:
    """JSON values that RFC 8785 can hold: times as text, odd numbers as strings."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return value if -_EXACT < value < _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, msgspec.Struct):
        return _plain(msgspec.to_builtins(value, builtin_types=(datetime,)))
    raise InvalidRecord(f"a {type(value).__name__} cannot stand in a record")


def to_json(record: Record) -> dict[str, Any]:
    """The record as plain JSON values, secrets redacted: what is stored and hashed.

    Examples
    --------
    >>> to_json(Agent(ref="person:ada", attributes={"password": "x"}))["attributes"]
    {'password': '[redacted]'}
    """
    try:
        fields: dict[str, Any] = msgspec.to_builtins(record, builtin_types=(datetime,))
        # Words of the format's own (``_WORDS``) hold no secret; everything else is looked at.
        return {
            name: value
            if name in _WORDS
            else redact_text(value)
            if type(value) is str
            else format_instant(value)
            if isinstance(value, datetime)
            else redact(_plain(value))
            for name, value in fields.items()
        }
    except RecursionError as error:
        raise InvalidRecord("the record is nested too deeply") from error
    except (TypeError, ValueError, msgspec.ValidationError) as error:
        raise InvalidRecord(f"the record holds what cannot be written as JSON: {error}") from error


#: Fields that hold one of a few words, which a check of the format refuses otherwise.
_WORDS = frozenset({"type", "predicate", "basis", "identified_by", "status", "grade", "gate_type"})

_sorted_json = msgspec.json.Encoder(order="sorted").encode
# Where a number with a fraction or an exponent may stand; inside a text it costs time only.
_FRACTION = re.compile(rb'(?:^|":|[\[,])-?\d+[.eE]')


def canonical(value: Any) -> bytes:
    """RFC 8785 canonical JSON of a record or of plain JSON values.

    A compiled encoder writes it wherever the two cannot differ: they can in how a fraction is written and
    in the order of keys beyond ASCII. Canonical JSON in pure Python was a fifth of the time that a record
    takes to store, and most of the time that a large audit takes to digest.

    Raises
    ------
    InvalidRecord
        When the value holds text that is not Unicode (a lone surrogate).
    """
    try:
        return _canonical(to_json(value) if isinstance(value, _Base) else _plain(value))  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise InvalidRecord(f"the record cannot be written as canonical JSON: {error}") from error
    except RecursionError as error:
        raise InvalidRecord("the record is nested too deeply") from error


def _canonical(plain: Any) -> bytes:
    body = _sorted_json(plain)
    return body if body.isascii() and not _FRACTION.search(body) else rfc8785.dumps(plain)


def canonical_record(record: Record) -> tuple[dict[str, Any], bytes]:
    """A record as plain JSON values, checked, and its canonical JSON: what is stored and hashed.

    Raises
    ------
    InvalidRecord
        When the record breaks the format.
    """
    plain = to_json(record)
    try:
        body = _canonical(plain)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise InvalidRecord(f"the record cannot be written as canonical JSON: {error}") from error
    except RecursionError as error:
        raise InvalidRecord("the record is nested too deeply") from error
    from_json(plain)
    return plain, body


def digest_of(value: Any) -> str:
    """``sha256:`` and 64 hexadecimal digits over the canonical JSON (bytes are hashed as they are).

    Examples
    --------
    >>> digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1})
    True
    """
    data = value if isinstance(value, bytes) else canonical(value)
    return "sha256:" + hashlib.sha256(data).hexdigest()


def identity_of(plain: Mapping[str, Any]) -> str:
    """What a record is about: two records of one identity are two observations of one thing.

    Parameters
    ----------
    plain : mapping
        A record as :func:`to_json` gives it.

    Returns
    -------
    str
        A text that the journal compares; not a reference.
    """
    kind = plain["type"]
    fields: tuple[str, ...]
    if kind == "relation":
        if plain["predicate"] in HOLDING and plain.get("slot"):
            fields = ("effect", "predicate", "slot")
            # Dated claims about one slot are different facts; undated ones replace each other.
            when = plain.get("valid_from", "")
        else:
            fields = ("effect", "predicate", "cause", "role", "site")
            when = plain.get("event_time", plain.get("valid_from", ""))
        return "\x1f".join(("relation", *(str(plain.get(field, "")) for field in fields), when))
    if kind == "evidence":
        fields = ("subject", "gate", "pointer", "evaluator", "event_time")
        return "\x1f".join(("evidence", *(str(plain.get(field, "")) for field in fields)))
    return f"{kind}\x1f{plain['ref']}"


def from_json(plain: Mapping[str, Any], position: str = "") -> Record:
    """Read a record from plain JSON values, checking every field.

    Raises
    ------
    InvalidRecord
        Naming the field that is wrong.

    Examples
    --------
    >>> from_json({"type": "entity", "ref": "model:churn@3"}).ref
    'model:churn@3'
    """
    try:
        # One class is prepared once; the union of all would be taken apart again for each record.
        record: Record = msgspec.convert(plain, _CLASSES.get(plain.get("type", ""), Record), strict=True)
    except msgspec.ValidationError as error:
        raise InvalidRecord(str(error), position) from error
    try:
        for _ in record.refs():
            pass
    except InvalidRef as error:
        raise InvalidRef(error.reason, position) from error
    return record


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the record format, generated from these classes."""
    schema = msgspec.json.schema(Record)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:lineage-explorer:record:1",
        "title": "lineage-explorer record",
        **schema,
    }


def weaker(first: str, second: str) -> str:
    """The weaker of two bases on the ladder :data:`BASES`.

    Examples
    --------
    >>> weaker("content_hash", "name")
    'name'
    """
    return max(first, second, key=BASES.index)
