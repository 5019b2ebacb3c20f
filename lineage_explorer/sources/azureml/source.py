"""The source ``azureml``: finds the objects at a location, settles who is who, and translates each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from ...errors import InvalidRecord, LineageError, UnknownFormat
from ...records import Record, Relation, digest_of
from ...redaction import redact, redact_text
from ..documents import excerpt, files_at, printable
from ..protocol import Observation, Rejected
from .assets import asset_records
from .fields import Fields
from .ids import Scope
from .jobs import job_records, note_outputs
from .kinds import READ_KINDS, is_azureml, kind_of, own_id
from .loading import SUFFIXES, Item, load, load_file
from .names import Names
from .serving import deployment_records, endpoint_records
from .things import Thing, settle
from .world import World

# A folder is recognised by its first files; a whole repository is not read to find out what it is.
_FILES_TO_RECOGNISE = 400
_LARGEST_TO_RECOGNISE = 8 * 1024 * 1024


class AzureMLSource:
    """Records of Azure Machine Learning, as its tools print them and as people keep them.

    Parameters
    ----------
    location : str
        A ``.json``, ``.yml`` or ``.yaml`` file, or a folder of them.
    namespace : str, optional
        First part of the references of the workspace; by default ``azureml-<workspace>`` when the ids tell it,
        else ``azureml-`` and eight digits made of the location.

    Examples
    --------
    >>> AzureMLSource("exports/", namespace="prod").namespace
    'prod'
    """

    name: ClassVar[str] = "azureml"
    summary: ClassVar[str] = "Azure Machine Learning: JSON of az ml and of the REST interface, and YAML in repositories"

    def __init__(self, location: str, *, namespace: str | None = None) -> None:
        self._path = str(location)
        self.location = redact_text(self._path)
        self._chosen = namespace
        #: A folder of exports is a picture of the workspace: what is no longer in it has vanished.
        self.enumerated: frozenset[str] = frozenset()

    @property
    def namespace(self) -> str:
        """The workspace's part of every reference; it is in the records, so they are read to find it."""
        if self._chosen is not None:
            return self._chosen
        try:
            return self._names([item for item in load(self._path) if isinstance(item, Item)]).home
        except LineageError:
            return self._derived()

    @classmethod
    def recognises(cls, location: str) -> bool:
        """Whether a file, or one in the folder, holds a record that says it is of Azure ML."""
        try:
            for count, (path, name) in enumerate(files_at(location, SUFFIXES)):
                if count >= _FILES_TO_RECOGNISE:
                    return False
                if path.suffix.lower() not in SUFFIXES or not _mentions(path):
                    continue
                if any(isinstance(item, Item) and is_azureml(item.raw) for item in load_file(path, name)):
                    return True
        except (LineageError, OSError, ValueError):
            return False
        return False

    def read(self) -> Iterator[Observation | Rejected]:
        """Every record, and every object that is none with its reason.

        Raises
        ------
        UnknownFormat
            When there is no file that could hold one.
        """
        self.enumerated = frozenset()
        loaded = list(load(self._path))
        if not loaded and not any(files_at(self._path, SUFFIXES)):
            raise UnknownFormat(
                f"there are no records at {printable(self.location)!r}: expected {', '.join(SUFFIXES)} with objects of Azure ML"
            )
        names = self._names([item for item in loaded if isinstance(item, Item)])
        things: list[Thing] = []
        for item in loaded:
            if isinstance(item, Rejected):
                yield item
                continue
            thing = _thing(item, names)
            if isinstance(thing, Rejected):
                yield thing
            else:
                things.append(thing)
        yield from _Translation(names, things).items()
        self.enumerated = frozenset({""})

    def _names(self, items: list[Item]) -> Names:
        told: set[Scope] = set()
        for item in items:
            own = own_id(item.raw)
            if own is not None:
                told.add(own.scope)
        return Names(
            self._chosen if self._chosen is not None else self._derived(), told, override=self._chosen is not None
        )

    def _derived(self) -> str:
        try:
            place = str(Path(self._path).resolve())
        except (OSError, ValueError):
            place = self._path
        return "azureml-" + hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _mentions(path: Path) -> bool:
    """Whether a file has the word at all: most files need not be parsed."""
    with path.open("rb") as file:
        head = file.read(_LARGEST_TO_RECOGNISE).lower()
    return b"azureml" in head or b"machinelearningservices" in head


def _thing(item: Item, names: Names) -> Thing | Rejected:
    fields = Fields(item.raw)
    kind = kind_of(item.raw, fields)
    text = excerpt(redact_text(json.dumps(redact(item.raw), default=str)))
    if not kind:
        return Rejected(
            reason="nothing in it says that it is a record of Azure ML ($schema, id, type)",
            position=item.position,
            excerpt=text,
        )
    if kind not in READ_KINDS:
        return Rejected(
            reason=f"{_article(printable(kind))} is not read: it does not say what an endpoint serves or where data came from",
            position=item.position,
            excerpt=text,
        )
    try:
        return settle(kind, fields, item, names)
    except InvalidRecord as error:
        return Rejected(reason=error.reason, position=item.position, excerpt=text)


def _article(kind: str) -> str:
    return f"an {kind}" if kind[:1].lower() in "aeiou" else f"a {kind}"


class _Translation:
    """All objects of one location, translated with an eye to each other."""

    def __init__(self, names: Names, things: list[Thing]) -> None:
        self._names = names
        self._chosen: dict[str, Thing] = {}
        self._others: list[tuple[Thing, Thing]] = []
        for thing in things:
            self._choose(thing)
        current = list(self._chosen.values())
        self._world = World(names, current)
        self._deployments: dict[str, dict[str, str]] = {}
        for thing in current:
            if thing.kind == "job":
                note_outputs(thing, self._world)
            elif thing.endpoint:
                of = names.ref("endpoint", thing.endpoint, thing.scope)
                self._deployments.setdefault(of, {})[thing.name] = thing.ref

    def _choose(self, thing: Thing) -> None:
        """Of two records of one thing: the service's before a repository's, then the one changed last."""
        kept = self._chosen.get(thing.ref)
        if kept is None:
            self._chosen[thing.ref] = thing
        elif thing.item.raw != kept.item.raw:
            newer = _rank(thing) > _rank(kept)
            self._chosen[thing.ref] = thing if newer else kept
            self._others.append((kept, thing) if newer else (thing, kept))

    def items(self) -> Iterator[Observation | Rejected]:
        """Every record once, with the position of its object."""
        said: set[str] = set()
        for thing in self._chosen.values():
            yield from self._once(thing, self._records(thing), said)
        for other, by in self._others:
            last = self._chosen[by.ref]
            if other.kind == last.kind and other.kind.endswith(("endpoint", "deployment")) and _dated(other, last):
                # An earlier state of what changes in place: what it held then stays true of then.
                holding = (
                    record
                    for record in self._records(other)
                    if not isinstance(record, Rejected)
                    and isinstance(record, Relation)
                    and record.valid_from is not None
                    and record.predicate in ("serves", "deploys")
                )
                yield from self._once(other, holding, said)
            else:
                yield other.bad(
                    f"another record describes the same {other.kind} ({last.position}) and is "
                    f"{'what the service says' if other.declared and not last.declared else 'taken instead'}: {other.ref}"
                )

    def _once(
        self, thing: Thing, records: Iterator[Record | Rejected], said: set[str]
    ) -> Iterator[Observation | Rejected]:
        try:
            for record in records:
                if isinstance(record, Rejected):
                    yield record
                    continue
                key = digest_of(record)
                if key not in said:
                    said.add(key)
                    yield Observation(record=record, position=thing.position)
        except InvalidRecord as error:
            yield thing.bad(error.reason)

    def _records(self, thing: Thing) -> Iterator[Record | Rejected]:
        if thing.kind.endswith("endpoint"):
            return endpoint_records(thing, self._world, self._deployments.get(thing.ref, {}))
        if thing.endpoint:
            of = self._names.ref("endpoint", thing.endpoint, thing.scope)
            return deployment_records(thing, self._world, self._chosen.get(of), of)
        if thing.kind == "job":
            return job_records(thing, self._world)
        return asset_records(thing, self._world)


def _rank(thing: Thing) -> tuple[bool, float]:
    at, _ = thing.changed_at()
    return not thing.declared, at.timestamp() if at else float("-inf")


def _dated(first: Thing, second: Thing) -> bool:
    one, _ = first.instant("last_modified_at", of=first.fields.origin)
    two, _ = second.instant("last_modified_at", of=second.fields.origin)
    return one is not None and two is not None and one != two
