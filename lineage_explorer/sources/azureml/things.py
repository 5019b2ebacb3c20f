"""Objects with their identity settled."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ...errors import InvalidRecord
from ...records import Basis
from ...redaction import redact_text
from ..documents import excerpt, printable
from ..protocol import Rejected
from .fields import Fields, is_resource_type
from .ids import Scope
from .kinds import own_id
from .loading import Item
from .names import Names, filled_in

_KINDS = {
    "online endpoint": "endpoint",
    "batch endpoint": "endpoint",
    "online deployment": "deployment",
    "batch deployment": "deployment",
    "model": "model",
    "data": "dataset",
    "environment": "environment",
    "code": "code",
    "component": "code",
    "job": "run",
    "feature set": "feature_set",
    "index": "index",
}
# Kept apart in records, or of no use to anybody who asks where data came from.
_NOT_ATTRIBUTES = frozenset(
    [
        "id",
        "name",
        "version",
        "$schema",
        "schema",
        "systemdata",
        "creationcontext",
        "description",
        "resourcegroup",
        "etag",
        "services",
        "serializedjobdefinition",
        "environmentvariables",
        "command",
    ]
)


class Thing(NamedTuple):
    """One object: what it is, and what it is called.

    Attributes
    ----------
    kind : str
        Of :data:`~.kinds.READ_KINDS`.
    name, version, endpoint : str
        In lower case; ``endpoint`` is set for deployments.
    """

    kind: str
    ref: str
    scope: Scope
    name: str
    version: str
    endpoint: str
    fields: Fields
    item: Item

    @property
    def position(self) -> str:
        """Where it was read."""
        return self.item.position

    @property
    def declared(self) -> bool:
        """Whether it is what somebody wants to be so (YAML without an id), not what the service says is so."""
        return not self.item.service and own_id(self.item.raw) is None

    def basis(self, basis: Basis) -> Basis:
        """A basis, weakened to what the object can vouch for."""
        return "declared" if self.declared else basis  # the last rung of the ladder

    def bad(self, reason: str, value: Any = "", field: str = "") -> Rejected:
        """A part of the object that cannot become a record."""
        text = value if isinstance(value, str) else str(value)
        where = f"{self.position} ({field})" if field else self.position
        return Rejected(reason=printable(reason), position=printable(where), excerpt=excerpt(redact_text(text)))

    def instant(self, *names: str, of: Fields | None = None) -> tuple[datetime | None, list[Rejected]]:
        """A time of the object, or what is wrong with it."""
        fields = of or self.fields
        try:
            return fields.instant(*names), []
        except InvalidRecord as error:
            return None, [self.bad(f"{error.reason}; the time is left out", fields.text(*names), names[0])]

    def changed_at(self) -> tuple[datetime | None, list[Rejected]]:
        """Since when the object has been as it is: its last change, or its creation if none is told."""
        origin = self.fields.origin
        modified, bad = self.instant("last_modified_at", of=origin)
        return (modified, bad) if modified or bad else self.instant("created_at", of=origin)

    def attributes(self, *taken: str) -> dict[str, Any]:
        """What the object says beside what records have fields for; user-chosen names as they are."""
        skip = _NOT_ATTRIBUTES | {name.replace("_", "") for name in taken}
        kept = {key: value for key, value in self.fields.items() if key.replace("_", "") not in skip}
        found = {
            key: _legible(value)
            for key, value in kept.items()
            if value not in ({}, [], "") and not is_resource_type(value)
        }
        variables = self.fields.mapping("environment_variables")
        if variables:
            # Their values are where people leave secrets of any shape.
            found["environment_variables"] = sorted(printable(name) for name in variables)
        return found


def _legible(value: Any) -> Any:
    """JSON values with nothing that UTF-8 cannot hold."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(str(key)): _legible(part) for key, part in value.items()}
    return [_legible(part) for part in value] if isinstance(value, list) else value


def settle(kind: str, fields: Fields, item: Item, names: Names) -> Thing:
    """Find an object's name, version and owner.

    Raises
    ------
    InvalidRecord
        When it has no name, or a template's placeholder in its place.
    """
    for field in ("id", "name", "version", "endpoint_name"):
        filled_in(fields.text(field))
    own = own_id(item.raw)
    scope = own.scope if own else Scope()
    name = (own.name if own else fields.text("name")).lower()
    version = (own.version if own else "") or ("" if fields.wrapped else fields.text("version").lower())
    endpoint = ""
    if kind.endswith("deployment"):
        endpoint = (own.name if own else fields.text("endpoint_name")).lower()
        name = (own.child if own else fields.text("name")).lower()
        if not endpoint:
            raise InvalidRecord("a deployment must say its endpoint (endpoint_name)")
    if kind == "job" and not name:
        # A job in a repository has no name until it is submitted: the file is what it is known by.
        name = (item.file if item.alone else item.position).lower()
    if not name:
        raise InvalidRecord(f"the {kind} has no name")
    if endpoint:
        ref = names.ref("deployment", f"{endpoint}:{name}", scope)
    elif kind.endswith("endpoint") or kind == "job":
        ref = names.ref(_KINDS[kind], name, scope)
    else:
        ref = names.ref(_KINDS[kind], name, scope, version)
    return Thing(kind, ref, scope, name, version, endpoint, fields, item)


def local_path(text: str, folder: str) -> str:
    """A path in a repository, relative to the location that is read.

    Examples
    --------
    >>> local_path("../data/train.csv", "jobs")
    'data/train.csv'
    """
    path = text.replace("\\", "/")
    return posixpath.normpath(posixpath.join(folder, path)).strip("/") or path


def is_expression(text: str) -> bool:
    """Whether a text is filled in when a job runs: ``${{parent.inputs.x}}``."""
    return bool(re.match(r"\$\{\{.*\}\}\s*\Z", text.strip(), re.S))
