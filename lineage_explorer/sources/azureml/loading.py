"""Files into single objects, each with its position. What an object means is not known here."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import InvalidRecord, SourceError
from ..documents import Element, excerpt, files_at, load_json_elements, printable, read_document
from ..protocol import Rejected
from .yaml_events import load_yaml

JSON = (".json",)
YAML = (".yml", ".yaml")
SUFFIXES = JSON + YAML


class Item(NamedTuple):
    """An object as it was written.

    Attributes
    ----------
    folder : str
        The file's folder below the location, for paths that the object writes relative to its file.
    service : bool
        Whether the service may have printed it (JSON); YAML is what somebody wants to be so.
    alone : bool
        Whether it is the only object of its file.
    """

    raw: dict[str, Any]
    position: str
    file: str
    folder: str
    service: bool
    alone: bool


def load(location: str) -> Iterator[Item | Rejected]:
    """Every object at a location, lists and pages taken apart."""
    alone = Path(location).is_file()
    for path, name in files_at(location, SUFFIXES):
        try:
            yield from load_file(path, name)
        except InvalidRecord as error:
            yield Rejected(reason=error.reason, position=error.position or name)
        except OSError as error:
            if alone:
                raise SourceError(f"{printable(location)!r} cannot be read: {error.strerror}") from error
            yield Rejected(reason=f"the file cannot be read: {error.strerror}", position=name)


def load_file(path: Path, name: str) -> Iterator[Item | Rejected]:
    """Every object of one file."""
    text = read_document(path)
    if not text.strip():
        yield Rejected(reason="the file is empty", position=name)
        return
    if path.suffix.lower() in YAML or (path.suffix.lower() not in JSON and not re.match(r"\s*[{\[]", text)):
        yield from _yaml(text, name)
        return
    elements = list(load_json_elements(text, name))
    listed = text.lstrip().startswith("[")
    for element in elements:
        if isinstance(element, Element):
            yield from _parts(element.value, name, f"{name}:{element.line}", not listed, service=True)
        else:
            yield element


def _yaml(text: str, name: str) -> Iterator[Item | Rejected]:
    documents: list[tuple[int, Any]] = []
    broken = None
    try:
        for document in load_yaml(text, name):
            documents.append(document)
    except InvalidRecord as error:
        # What stood before it was complete: it is kept.
        where = error.position.rpartition(":")[2]
        wrong = text.splitlines()[int(where) - 1 : int(where)] if where.isdecimal() else []
        broken = Rejected(
            reason=f"{error.reason}; what follows in the file is not read",
            position=error.position or name,
            excerpt=excerpt("".join(wrong)),  # one line: no rule could find all secrets in text of no form
        )
    for line, value in documents:
        yield from _parts(value, name, f"{name}:{line}", len(documents) == 1, service=False)
    if broken is not None:
        yield broken


def _parts(value: Any, name: str, position: str, alone: bool, *, service: bool) -> Iterator[Item | Rejected]:
    """An object; the objects of a list; the objects of a page."""
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from _parts(part, name, f"{_pointer(name, position, alone)}/{index}", False, service=service)
    elif isinstance(value, dict) and isinstance(value.get("value"), list) and "id" not in value and "name" not in value:
        base = _pointer(name, position, alone)
        for index, part in enumerate(value["value"]):
            yield from _parts(part, name, f"{base}/value/{index}", False, service=service)
        following = value.get("nextLink") or value.get("next_link") or value.get("@odata.nextLink")
        if following:
            yield Rejected(
                reason="the list goes on in another page that is not in the file; export every page",
                position=f"{base}/nextLink",
                excerpt=excerpt(str(following).partition("?")[0]),
            )
    elif isinstance(value, dict):
        yield Item(value, position, name, posixpath.dirname(name), service, alone)
    elif value is None:
        yield Rejected(reason="there is no record here, only null", position=position)
    else:
        yield Rejected(reason="not an object", position=position, excerpt=excerpt(json.dumps(value, default=str)))


def _pointer(name: str, position: str, alone: bool) -> str:
    return f"{name}#" if alone else position if "#" in position else f"{position}#"
