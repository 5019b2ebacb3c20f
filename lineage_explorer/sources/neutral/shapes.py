"""The shape of rows: which fields each type has, and what is said when a row has another shape."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, get_args

import msgspec

from ...errors import InvalidRecord, InvalidRef
from ...records import (
    BASES,
    Activity,
    Agent,
    Entity,
    Evidence,
    GateType,
    Grade,
    Predicate,
    Record,
    Ref,
    Relation,
    Status,
    from_json,
    json_schema,
)
from .rows import Row

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


#: The convenience rows by type.
ROWS: dict[str, type[DeploymentRow] | type[GateRow] | type[DatasetRow]] = {
    "deployment": DeploymentRow,
    "gate": GateRow,
    "dataset": DatasetRow,
}
#: The five records by type.
RECORDS: dict[str, type[msgspec.Struct]] = {
    "entity": Entity,
    "activity": Activity,
    "agent": Agent,
    "relation": Relation,
    "evidence": Evidence,
}
#: Every type a row may have, and the fields that belong to it.
FIELDS: dict[str, frozenset[str]] = {
    **{name: frozenset(row.__struct_fields__) for name, row in ROWS.items()},
    **{name: frozenset(row.__struct_fields__) | {"observed_at"} for name, row in RECORDS.items()},
}

#: Fields that hold one of a few words.
_WORDS: dict[str, Sequence[str]] = {
    "gate_type": get_args(GateType),
    "grade": get_args(Grade),
    "status": get_args(Status),
    "predicate": get_args(Predicate),
    "basis": BASES,
    "identified_by": BASES,
}


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


def known_fields(values: Mapping[str, Any], kind: str, place: str) -> None:
    """Refuse a field that does not belong to the type, naming the nearest."""
    for field in values:
        if field != "type" and field not in FIELDS[kind]:
            close = difflib.get_close_matches(field, FIELDS[kind], n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(FIELDS[kind]))}"
            raise InvalidRecord(
                f"unknown field {field[:80]!r} in a row of type {kind!r}; {hint}", f"{place} $.{field[:80]}"
            )


def convert(values: dict[str, Any], shape: Any, row: Row) -> Any:
    """The values as one of the shapes; text is read as what the field demands where the format has only text."""
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
    field = path.removeprefix("$.")
    value = values.get(field)
    if field in _WORDS and message.startswith("Invalid enum value"):
        return InvalidRecord(_unknown_word(str(value), _WORDS[field]), f"{place} {path}")
    given = f", not {value!r:.80}" if isinstance(value, (str, int, float)) else ""
    return InvalidRecord(message + given, f"{place} {path or '$'}")


def _unknown_word(value: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(value, known, n=1)
    return f"{value[:80]!r} is none of {', '.join(known)}" + (f"; did you mean {close[0]!r}?" if close else "")


def read_record(values: dict[str, Any], row: Row) -> Record:
    """A row that is one of the five records in its JSON form."""
    if not row.typed:
        # Every CSV cell is text: read numbers and truth values out of it, as the fields demand.
        values = msgspec.to_builtins(convert(values, RECORDS[values["type"]], row), builtin_types=(datetime,))
    try:
        return from_json(values)
    except InvalidRecord as error:
        if isinstance(error.__cause__, msgspec.ValidationError):
            raise _told(error.__cause__, values, row.position) from error
        raise type(error)(error.reason, f"{row.position} $.{_no_reference(values)}") from error


def _no_reference(values: Mapping[str, Any]) -> str:
    """The first field that should hold a reference and holds none."""
    for field in ("ref", "effect", "cause", "subject"):
        try:
            Ref.parse(str(values.get(field, "any:thing")))
        except InvalidRef:
            return field
    return ""  # pragma: no cover - from_json checked the same fields
