"""What can only be said by looking at all objects of a location: who is described, and which job wrote what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...errors import InvalidRecord
from ...records import Agent, Entity, Record, Ref, Relation
from ...redaction import redact_text
from ..protocol import Rejected
from .ids import Asset, parse_id
from .names import Named, Names
from .things import Thing, local_path


class Written(NamedTuple):
    """What a job wrote, and the run that wrote it."""

    ref: str
    run: str


class World:
    """The objects of a location, and indexes over them.

    Attributes
    ----------
    described : set of str
        References of things that have a record of their own here.
    model_outputs : set of tuple
        (run, step, output) of what jobs wrote and somebody registered as a model.
    """

    def __init__(self, names: Names, things: Iterable[Thing]) -> None:
        self.names = names
        self.described: set[str] = set()
        self.model_outputs: set[tuple[str, str, str]] = set()
        self._outputs: dict[tuple[str, str], str] = {}
        self._places: dict[str, list[Written]] = {}
        self._writers: dict[str, str] = {}
        for thing in things:
            self.described.add(thing.ref)
            if thing.kind == "model":
                self._note_model(thing)

    def _note_model(self, thing: Thing) -> None:
        found = parse_id(thing.fields.text("path", "model_uri"))
        if isinstance(found, Asset) and found.collection == "jobs" and output_name(found.path):
            try:
                run = self.names.ref("run", found.name, found.scope if any(found.scope) else thing.scope)
            except InvalidRecord:
                return  # said where the path is read
            self.model_outputs.add((run, "", output_name(found.path)))

    def note_output(self, run: str, name: str, ref: str, writer: str, place: str, thing: Thing) -> None:
        """Remember what a job wrote, and where."""
        self._outputs[run, name.lower()] = ref
        self._writers[ref] = writer
        try:
            found = self.names.named(place, thing.scope, "dataset") if place else None
        except InvalidRecord:
            return  # said where the job is read
        if found is not None and found.kind == "dataset":
            self._places.setdefault(found.ref, []).append(Written(ref, writer))

    def output_at(self, run: str, path: str) -> str:
        """The reference of a job's output that a path is in, if the job's record has it."""
        return self._outputs.get((run, output_name(path).lower()), "")

    def output_named(self, run: str, path: str, kind: str) -> str:
        """The reference of an output of a job whose record was not read."""
        ref = Ref.parse(run)
        label = output_name(path) or "outputs"
        kind = "logged_model" if kind == "model" else kind
        return str(Ref(kind, redact_text(label), f"job:{ref.name}", ref.namespace))

    def writer_of(self, ref: str) -> str:
        """The run that wrote an output, by its job's record; empty when none says."""
        return self._writers.get(ref, "")

    def written_at(self, place: str) -> Written | None:
        """The output whose folder holds a place; None also when several jobs wrote there, at different times."""
        ref = Ref.parse(place)
        name = ref.name
        while name:
            found = self._places.get(str(Ref(ref.kind, name, ref.version, ref.namespace)))
            if found is not None:
                return found[0] if len(found) == 1 else None
            name = name.rpartition("/")[0]
        return None

    def unregistered(self, thing: Thing, text: str) -> str:
        """The reference of model files that have a place and no name in a registry."""
        place = text.partition("?")[0] if "://" in text else local_path(text, thing.item.folder)
        return self.names.ref("logged_model", place, thing.scope)

    def target(self, thing: Thing, text: str, default: str, field: str) -> Named | Rejected | None:
        """What a field of an object names; a reason when it cannot be known; None for a local path."""
        try:
            return self.names.named(text, thing.scope, default)
        except InvalidRecord as error:
            return thing.bad(error.reason, text, field)

    def who(self, thing: Thing) -> Iterator[Record | Rejected]:
        """The person or service that made a thing."""
        origin = thing.fields.origin
        author = origin.text("created_by")
        if not author:
            return
        kind = "person" if origin.text("created_by_type").lower() in ("", "user") else "service"
        ref = str(Ref(kind, redact_text(author), "", self.names.namespace(thing.scope, thing.scope)))
        at, _ = thing.instant("created_at", of=origin)
        yield Agent(ref=ref)
        yield Relation(
            effect=thing.ref,
            predicate="was_associated_with",
            cause=ref,
            role="creator",
            basis=thing.basis("identifier"),
            event_time=at,
        )

    def stub(self, ref: str, **attributes: str) -> Entity | None:
        """A description of what is only named, unless it has a record of its own here."""
        if ref in self.described:
            return None
        self.described.add(ref)
        return Entity(ref=ref, identified_by="name_version" if "@" in ref else "name", attributes=attributes)


def output_name(path: str) -> str:
    """The output that a path below a job is in.

    Examples
    --------
    >>> output_name("outputs/model/paths/x/"), output_name("logs/1")
    ('model', '')
    """
    parts = path.strip("/").split("/")
    return parts[1] if len(parts) > 1 and parts[0].lower() == "outputs" else ""
