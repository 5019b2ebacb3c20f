"""One way to ask for a field, however the record spells it: ``job_name``, ``jobName``, in ``properties`` or not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ...errors import InvalidInstant
from ...records import parse_instant

#: In the form of the REST interface these stand beside ``properties``; everything else stands in it.
_OUTSIDE = frozenset(["id", "name", "type", "systemdata", "location", "kind", "identity", "etag"])


def squash(key: str) -> str:
    """A key without regard to case and to what parts its words.

    Examples
    --------
    >>> squash("job_name") == squash("jobName") == squash("job name")
    True
    """
    return key.replace("_", "").replace("-", "").replace(" ", "").lower()


class Fields:
    """The fields of one record. Only their own names are read freely; names that users chose stay as they are.

    Examples
    --------
    >>> arm = Fields({"id": "/x", "type": "Microsoft.MachineLearningServices/x", "properties": {"jobName": "a"}})
    >>> arm.text("job_name"), Fields({"job_name": "a"}).text("job_name")
    ('a', 'a')
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        inner = raw.get("properties")
        #: Whether it is in the form of the REST interface.
        self.wrapped = isinstance(inner, Mapping) and is_resource_type(raw.get("type"))
        self._values: dict[str, Any] = {}
        self._written: dict[str, str] = {}
        for key, value in raw.items():
            if value is not None and not (self.wrapped and key == "properties"):
                self._values.setdefault(squash(key), value)
                self._written.setdefault(squash(key), key)
        if self.wrapped and isinstance(inner, Mapping):
            for key, value in inner.items():
                if value is not None and (squash(key) not in _OUTSIDE or squash(key) not in self._values):
                    # An empty map inside says less than what stands outside (the tags of an endpoint).
                    if value == {} and self._values.get(squash(key)):
                        continue
                    self._values[squash(key)] = value
                    self._written[squash(key)] = key

    def items(self) -> Iterator[tuple[str, Any]]:
        """Every field that is not null, its name in the spelling of the CLI."""
        for key, value in self._values.items():
            yield re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", self._written[key]).replace(" ", "_").lower(), value

    def get(self, *names: str) -> Any:
        """The first of the fields that is there and not null."""
        for name in names:
            value = self._values.get(squash(name))
            if value is not None:
                return value
        return None

    def has(self, *names: str) -> bool:
        """Whether one of the fields is there and not null."""
        return self.get(*names) is not None

    def text(self, *names: str) -> str:
        """A field as text; empty when it is absent or no scalar."""
        return as_text(self.get(*names))

    def mapping(self, *names: str) -> dict[str, Any]:
        """A field as a mapping; empty when it is absent or none."""
        value = self.get(*names)
        return dict(value) if isinstance(value, Mapping) else {}

    def instant(self, *names: str) -> datetime | None:
        """A field as a time.

        Raises
        ------
        InvalidInstant
            When the text is no time, or names no time zone.
        """
        for name in names:
            if self.text(name):
                return read_instant(self.text(name), name)
        return None

    @property
    def origin(self) -> Fields:
        """Who and when: ``creation_context`` of the CLI, ``systemData`` of the REST interface."""
        return Fields(self.mapping("creation_context", "systemData"))


def is_resource_type(value: Any) -> bool:
    """Whether a text is a resource type of Azure ML."""
    return isinstance(value, str) and value.lower().startswith("microsoft.machinelearningservices/")


def as_text(value: Any) -> str:
    """A scalar as text; empty for anything else.

    Examples
    --------
    >>> as_text(3), as_text(True), as_text([1])
    ('3', 'true', '')
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else ""


def read_instant(text: str, field: str) -> datetime | None:
    """A time, None when there is none."""
    if not text:
        return None
    try:
        # A run's history prints UTC without saying so in the text; the name of the field does.
        bare = field.endswith("_utc") and re.fullmatch(r"[\d-]+[ T][\d:.]+", text)
        return parse_instant(f"{text}Z" if bare else text)
    except InvalidInstant as error:
        raise InvalidInstant(f"{field}: {error.reason}") from error
