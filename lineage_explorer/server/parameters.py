"""What each question may be asked with, and how a wrong parameter is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from ..references import parse_instant
from .errors import InvalidParameter

#: Names of parameters that Jupyter's own machinery reads, or adds.
_JUPYTERS = frozenset({"token", "_xsrf", "no_track_activity"})

Text = Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")]
Needed = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"^[^\x00]+$")]
Kind = Annotated[str, Meta(max_length=100, pattern="^[a-z][a-z0-9_]*$")]
AnyKind = Annotated[str, Meta(max_length=100, pattern="^([a-z][a-z0-9_]*)?$")]
#: ISO 8601 with a time zone; empty for now.
Instant = Annotated[str, Meta(max_length=64, extra_json_schema={"format": "date-time"})]
Offset = Annotated[int, Meta(ge=0, le=100_000_000)]


class Nothing(Struct, frozen=True, kw_only=True):
    """Asked with nothing."""


class OfStore(Struct, frozen=True, kw_only=True):
    """A question to a store."""

    store: Needed


class Kinds(OfStore, frozen=True, kw_only=True):
    """What kinds of things are there?"""


class Things(OfStore, frozen=True, kw_only=True):
    """Which things of a kind are there?"""

    kind: Kind
    text: Text = ""
    offset: Offset = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200


class Versions(OfStore, frozen=True, kw_only=True):
    """Which versions of a thing are there?"""

    kind: Kind
    name: Needed
    namespace: Text = ""
    offset: Offset = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200


class Search(OfStore, frozen=True, kw_only=True):
    """What is called something like this?"""

    query: Text
    kind: AnyKind = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class AuditOf(OfStore, frozen=True, kw_only=True):
    """Which data trained the model behind an endpoint?"""

    endpoint: Needed
    as_of: Instant = ""
    known_at: Instant = ""
    policy: Text = ""


class Verdicts(OfStore, frozen=True, kw_only=True):
    """What do several audits come to now?"""

    endpoint: Annotated[list[Needed], Meta(min_length=1, max_length=50)]
    policy: Text = ""


class Releases(OfStore, frozen=True, kw_only=True):
    """When did what serve?"""

    endpoint: Needed
    known_at: Instant = ""


class Explore(OfStore, frozen=True, kw_only=True):
    """What stands around a thing?"""

    ref: Needed
    direction: Literal["upstream", "downstream", "both"] = "both"
    depth: Annotated[int, Meta(ge=1, le=1000)] = 1
    as_of: Instant = ""
    known_at: Instant = ""
    limit: Annotated[int, Meta(ge=1, le=5000)] = 500


class History(OfStore, frozen=True, kw_only=True):
    """What became of the versions of a name?"""

    ref: Needed
    as_of: Instant = ""
    known_at: Instant = ""


class Comparison(OfStore, frozen=True, kw_only=True):
    """What differs between two audits? Each is a reference, or ``REF@@INSTANT``."""

    a: Needed
    b: Needed
    known_at: Instant = ""
    policy: Text = ""


class Impact(OfStore, frozen=True, kw_only=True):
    """What did a thing reach?"""

    ref: Needed
    as_of: Instant = ""
    known_at: Instant = ""
    limit: Annotated[int, Meta(ge=1, le=100_000)] = 2_000


class Rollback(OfStore, frozen=True, kw_only=True):
    """Where could an endpoint go back to?"""

    endpoint: Needed
    as_of: Instant = ""
    known_at: Instant = ""
    policy: Text = ""


class Serving(OfStore, frozen=True, kw_only=True):
    """Who served an endpoint when?"""

    endpoint: Needed
    start: Instant = ""
    end: Instant = ""
    known_at: Instant = ""


class Order(OfStore, frozen=True, kw_only=True):
    """An ingest that is asked for.

    Attributes
    ----------
    source : str
        An address, a path or ``name:location``, as ``lineage-explorer ingest`` takes it.
    namespace : str
        The system instance's name in references; derived from the location when empty.
    create : bool
        Make the store when it is not there.
    """

    source: Needed
    full: bool = False
    namespace: Text = ""
    create: bool = False


Asked = TypeVar("Asked", bound=Struct)


def from_query(kind: type[Asked], arguments: Mapping[str, Sequence[bytes]]) -> Asked:
    """The parameters of a request's query.

    Parameters
    ----------
    kind : type
        What may be asked.
    arguments : mapping
        The values of each parameter, percent-decoded.

    Raises
    ------
    InvalidParameter
        Naming the parameter, and what was expected.

    Examples
    --------
    >>> from_query(Things, {"store": [b"lineage.db"], "kind": [b"model"], "limit": [b"20"]}).limit
    20
    """
    types = _types(kind)
    values: dict[str, Any] = {}
    for name, given in arguments.items():
        if name in _JUPYTERS or (name.isdecimal() and given == [b""]):
            continue  # JupyterLab appends the time, so that a browser does not keep the answer
        try:
            texts = [item.decode() for item in given]
        except UnicodeDecodeError as error:
            raise InvalidParameter(f"{name[:80]}: expected text in UTF-8") from error
        if name not in types or get_origin(_bare(types[name])) is list:
            values[name] = texts
        elif len(texts) > 1:
            raise InvalidParameter(f"{name}: expected once, not {len(texts)} times")
        elif texts[0] or name not in _defaults(kind):  # a question's empty text means its default
            values[name] = texts[0]
    return _made(kind, values, strict=False)


def from_body(kind: type[Asked], body: bytes) -> Asked:
    """The parameters of a request's JSON body.

    Raises
    ------
    InvalidParameter
        Naming the field, and what was expected.
    """
    try:
        values = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidParameter(f"the body is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise InvalidParameter("expected a JSON object as body")
    return _made(kind, values, strict=True)


def _made(kind: type[Asked], values: Mapping[str, Any], *, strict: bool) -> Asked:
    types = _types(kind)
    for name in values:
        if name not in types:
            known = ", ".join(types) or "none"
            raise InvalidParameter(f"{name[:80]}: unknown here; the parameters are {known}")
    converted: dict[str, Any] = {}
    for name, wanted in types.items():
        if name in values:
            try:
                converted[name] = msgspec.convert(values[name], wanted, strict=strict)
            except msgspec.ValidationError as error:
                raise InvalidParameter(
                    f"{name}: expected {_expected(schema_of(wanted))}, not {str(values[name])[:80]!r}"
                ) from error
            if schema_of(wanted).get("format") == "date-time" and converted[name]:
                parse_instant(converted[name], name)
        elif name not in _defaults(kind):
            raise InvalidParameter(f"{name}: missing; expected {_expected(schema_of(wanted))}")
    return kind(**converted)


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a parameter's type."""
    return msgspec.json.schema(kind)


def _types(kind: type[Struct]) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: hints[name] for name in kind.__struct_fields__}


def _bare(wanted: Any) -> Any:
    return getattr(wanted, "__origin__", wanted)


def _defaults(kind: type[Struct]) -> set[str]:
    return {item.name for item in msgspec.structs.fields(kind) if not item.required}


def _expected(schema: Mapping[str, Any]) -> str:
    """A schema in words."""
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "integer":
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    if schema.get("type") == "boolean":
        return "true or false"
    if schema.get("type") == "array":
        return f"{schema['minItems']} to {schema['maxItems']} times {_expected(schema['items'])}"
    if schema.get("pattern", "").startswith(("^[a-z]", "^([a-z]")):
        return "a kind: lower-case letters, digits and '_'"
    return f"{schema.get('minLength', 0)} to {schema['maxLength']} characters of text, none of them NUL"
