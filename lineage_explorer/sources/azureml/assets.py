"""Models, data, environments, code, components, feature sets and indexes: what they are and where they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ...records import Basis, Entity, Record, Ref, Relation
from ..documents import printable
from ..protocol import Rejected
from .fields import as_text, squash
from .gates import gate_records
from .ids import Asset, parse_id
from .things import Thing, is_expression
from .world import World

Said = Iterator[Record | Rejected]
#: A run's artifacts in the default store of a workspace.
ARTIFACTS = re.compile(r"ExperimentRun/dcid\.([^/]+)(?:/|\Z)", re.I)
_BASE_MODEL = frozenset(
    ["basemodel", "basemodelid", "basemodelassetid", "azureml.basemodel", "azureml.basemodelassetid", "basemodelname"]
)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}\Z")


def asset_records(thing: Thing, world: World) -> Said:
    """Any asset: its description, who made it, what it was made by and from."""
    fields = thing.fields
    created, bad = thing.instant("created_at", of=fields.origin)
    yield from bad
    digest = content_digest(thing)
    attributes = thing.attributes("job_name")
    path = asset_path(thing)
    if path:
        attributes["path"] = _without_query(path)
    identified: Basis = "content_hash" if digest else "name_version" if Ref.parse(thing.ref).version else "name"
    yield Entity(
        ref=thing.ref,
        digest=digest,
        identified_by=identified,
        created_at=created,
        description=printable(fields.text("description")),
        attributes={"service": f"Azure ML {thing.kind}", **attributes},
    )
    yield from world.who(thing)
    yield from _latest(thing)
    if thing.kind in ("model", "data", "index", "feature set"):
        yield from _origin(thing, world, path, created)
    if thing.kind == "model":
        yield from _base_model(thing, world)
    if thing.kind == "component":
        yield from used_assets(thing, world)
    if thing.kind in ("model", "data"):
        yield from gate_records(thing)


def content_digest(thing: Thing) -> str:
    """The SHA-256 of an asset's files, where the service or a user wrote it down."""
    for holder in (thing.fields.mapping("properties"), thing.fields.mapping("tags")):
        for key, value in holder.items():
            if squash(key) in ("hashsha256", "sha256", "data.sha256") and _SHA256.match(as_text(value)):
                return "sha256:" + as_text(value).lower()
    return ""


def asset_path(thing: Thing) -> str:
    """Where an asset's files are."""
    return thing.fields.text("path", "model_uri", "data_uri", "code_uri", "uri", "code")


def _without_query(path: str) -> str:
    return path.partition("?")[0] if "://" in path else path


def _latest(thing: Thing) -> Said:
    """In a list of names, each says which version its label ``latest`` means now."""
    latest = thing.fields.text("latest_version", "latest version").lower()
    if not latest or thing.version:
        return
    ref = Ref.parse(thing.ref)
    yield Relation(
        effect=str(Ref(ref.kind, ref.name, "", ref.namespace, "latest")),
        predicate="alias_of",
        cause=str(ref.at(latest)),
        slot="alias",
        basis=thing.basis("identifier"),
    )


def _origin(thing: Thing, world: World, path: str, created: datetime | None) -> Said:
    """Which job made an asset, by its name or by where the files are."""
    told = False
    job = thing.fields.text("job_name", "source_job_id", "source_job")
    if job:
        found = world.target(thing, job if parse_id(job) else f"azureml://jobs/{job}", "run", "job_name")
        if isinstance(found, Rejected):
            yield found
        elif found is not None and found.kind == "run":
            told = True
            yield from _made(thing, world, found.ref, "identifier", created)
    if not path or is_expression(path):
        return
    found = world.target(thing, path, "model" if thing.kind == "model" else "dataset", "path")
    if isinstance(found, Rejected):
        yield found
    if found is None or isinstance(found, Rejected) or not isinstance(found.asset, Asset):
        return
    asset = found.asset
    if found.kind == "run":
        if not told:
            yield from _made(thing, world, found.ref, found.basis, created)
        yield from _from(thing, world.output_at(found.ref, asset.path), created, "containment")
    elif asset.collection == "datastores":
        artifact = ARTIFACTS.match(asset.path)
        written = world.written_at(found.ref)
        if artifact and not told:
            run = world.names.ref("run", artifact[1].lower(), thing.scope)
            yield from _made(thing, world, run, "containment", created)
        elif written is not None and not artifact:
            if not told:
                yield from _made(thing, world, written.run, "containment", created)
            yield from _from(thing, written.ref, created, "containment")
    else:
        # A copy: from a registry, or under another name.
        yield from _from(thing, found.ref, created, found.basis)


def _made(thing: Thing, world: World, run: str, basis: Basis, at: datetime | None) -> Said:
    step = world.writer_of(thing.ref)
    if step and step.startswith(f"{run}:"):
        return  # the pipeline's own record says which of its steps wrote it
    yield Relation(effect=thing.ref, predicate="was_generated_by", cause=run, basis=thing.basis(basis), event_time=at)


def _from(thing: Thing, cause: str, at: datetime | None, basis: Basis) -> Said:
    if cause and cause != thing.ref:
        yield Relation(
            effect=thing.ref, predicate="was_derived_from", cause=cause, basis=thing.basis(basis), event_time=at
        )


def _base_model(thing: Thing, world: World) -> Said:
    for holder in ("properties", "tags"):
        for key, value in thing.fields.mapping(holder).items():
            text = as_text(value)
            if squash(key) not in _BASE_MODEL or not text:
                continue
            found = world.target(thing, text, "base_model", f"{holder}.{key}")
            if isinstance(found, Rejected):
                yield found
                continue
            asset = found.asset if found else None
            if found is not None and isinstance(asset, Asset):
                named = Ref.parse(found.ref)
                ref = str(Ref("base_model", named.name, named.version, named.namespace, named.alias))
                basis = found.basis
            else:
                ref, basis = world.names.ref("base_model", text, thing.scope), "name"
            stub = world.stub(ref, id=text)
            if stub is not None:
                yield stub
            yield Relation(effect=thing.ref, predicate="was_derived_from", cause=ref, basis=thing.basis(basis))
            return


def used_assets(thing: Thing, world: World, at: datetime | None = None) -> Said:
    """The code and environment that a thing runs with."""
    for field, kind, text in _ingredients(thing):
        found = world.target(thing, text, kind, field)
        if isinstance(found, Rejected):
            yield found
        elif found is not None and isinstance(found.asset, Asset) and found.kind in ("code", "environment"):
            if not thing.declared and Ref.parse(found.ref).version:
                # The service names exactly one version: that it exists is on record by its id.
                stub = world.stub(found.ref, known_by="its id only")
                if stub is not None:
                    yield stub
            yield Relation(
                effect=thing.ref,
                predicate="used",
                cause=found.ref,
                role=kind,
                basis=thing.basis(found.basis),
                event_time=at,
            )


def _ingredients(thing: Thing) -> Iterator[tuple[str, str, str]]:
    fields = thing.fields
    configuration: Any = fields.get("code_configuration")
    nested = (
        {squash(str(key)): as_text(value) for key, value in configuration.items()}
        if isinstance(configuration, Mapping)
        else {}
    )
    for field, kind, text in (
        ("environment", "environment", fields.text("environment", "environment_id")),
        ("code", "code", fields.text("code", "code_id")),
        ("code_configuration", "code", nested.get("code") or nested.get("codeid") or ""),
        ("component", "code", fields.text("component", "component_id")),
    ):
        if text and not is_expression(text):
            yield field, kind, text
