"""Jobs: what they read, what they wrote, and the steps inside a pipeline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ...errors import InvalidRecord
from ...records import Activity, Basis, Entity, Record, Ref, Relation
from ...redaction import redact_text
from ..documents import printable
from ..protocol import Rejected
from .assets import ARTIFACTS, used_assets
from .fields import Fields, as_text
from .gates import gate_records
from .ids import Asset, placeholder_in
from .names import filled_in
from .things import Thing, is_expression, local_path
from .world import World

Said = Iterator[Record | Rejected]
_MODEL_TYPES = frozenset(["mlflow_model", "custom_model", "triton_model"])
_LITERALS = frozenset(["number", "integer", "boolean", "string", "literal"])
_ROLES = {
    "train": "training",
    "training": "training",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
    "eval": "evaluation",
    "evaluation": "evaluation",
}
_FROM_STEP = re.compile(r"\$\{\{\s*parent\.jobs\.([^.}\s]+)\.outputs\.([^.}\s]+)\s*\}\}\Z")
_FROM_PARENT = re.compile(r"\$\{\{\s*parent\.(inputs|outputs)\.([^.}\s]+)\s*\}\}\Z")
_ENDED = frozenset(["completed", "finished"])


def role_of(name: str) -> str:
    """What an input is for, if its name is the word for it, alone or before ``data``, ``dataset`` or ``set``.

    Examples
    --------
    >>> role_of("training_data"), role_of("validationData"), role_of("input_data"), role_of("testdataset")
    ('training', 'validation', '', '')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_").split("_")
    stated = len(words) == 1 or (len(words) == 2 and words[1] in ("data", "dataset", "set"))
    return _ROLES.get(words[0], "") if stated else ""


class Port(NamedTuple):
    """An input or output, in whichever form it is written."""

    name: str
    sort: str
    text: str
    asset: str
    version: str
    literal: Any


def ports(fields: Fields, side: str) -> Iterator[Port]:
    """The inputs or outputs of a job or step."""
    found = dict(fields.mapping(side))
    task = fields.mapping("task_details")
    if side == "inputs":
        for owner in (fields, Fields(task)):
            for name in ("training_data", "validation_data", "test_data"):
                value = owner.get(name)
                if value is not None:
                    found.setdefault(name, value)
    for name, value in found.items():
        if not isinstance(value, Mapping):
            yield Port(name, "", as_text(value), "", "", value)
            continue
        inner = Fields(value)
        sort = inner.text("job_input_type", "job_output_type", "type").lower()
        literal = inner.get("value") if sort in _LITERALS or inner.has("value") else None
        text = inner.text("path", "uri", "value")
        yield Port(name, sort, text, inner.text("asset_name", "name"), inner.text("asset_version", "version"), literal)


def note_outputs(thing: Thing, world: World) -> None:
    """Tell the others which outputs a job has, and where they are."""
    writers = _writers(thing)
    for port in ports(thing.fields, "outputs"):
        ref = output_ref(thing, "", port.name, world, port)
        writer = step_ref(thing, writers[port.name][0]) if port.name in writers else thing.ref
        place = "" if is_expression(port.text) else port.text
        world.note_output(thing.ref, port.name, ref, writer, place, thing)


def steps(thing: Thing) -> Iterator[tuple[str, Fields]]:
    """The steps of a pipeline."""
    for name, raw in thing.fields.mapping("jobs").items():
        if isinstance(raw, Mapping):
            yield name, Fields(raw)


def step_ref(thing: Thing, step: str) -> str:
    """The reference of a step: of its pipeline's name and its own."""
    ref = Ref.parse(thing.ref)
    return str(Ref("run", f"{ref.name}:{redact_text(step).lower()}", "", ref.namespace))


def is_registered(port: Port) -> bool:
    """Whether an output says under which name and version it was registered."""
    return bool(port.asset and port.version) and not placeholder_in(f"{port.asset} {port.version}")


def output_ref(thing: Thing, step: str, name: str, world: World, port: Port | None = None) -> str:
    """The reference of what a job or step wrote, registered or not: of the output's name, versioned by the job."""
    ref = Ref.parse(thing.ref)
    sort = port.sort if port else ""
    if port is not None and is_registered(port):
        # Registered as it was written: that name and version is what it is.
        kind = "model" if sort in _MODEL_TYPES else "dataset"
        return world.names.ref(kind, port.asset.lower(), thing.scope, port.version.lower())
    kind = "logged_model" if sort in _MODEL_TYPES or (thing.ref, step, name) in world.model_outputs else "dataset"
    label = f"{step}/{name}" if step else name or "unnamed"
    return str(Ref(kind, redact_text(label), f"job:{ref.name}", ref.namespace))


class _Times(NamedTuple):
    created: datetime | None
    started: datetime | None
    ended: datetime | None


def job_records(thing: Thing, world: World) -> Said:
    """A job, its data, and its steps."""
    fields = thing.fields
    said = fields.mapping("properties")
    clock = Fields({**said, **{key: value for key, value in fields.items() if isinstance(value, (str, int))}})
    created, bad = thing.instant("created_at", of=fields.origin)
    started, worse = thing.instant("start_time", "start_time_utc", "started_at", of=clock)
    ended, worst = thing.instant("end_time", "end_time_utc", "ended_at", of=clock)
    yield from (*bad, *worse, *worst)
    sort = fields.text("job_type", "type").lower().rpartition("/")[2]
    if sort == "jobs":
        sort = fields.text("job_type").lower()
    status = printable(fields.text("status"))
    attributes = thing.attributes("jobs", "status", "parent_job_name")
    if created:
        attributes["created_at"] = created
    if thing.declared:
        attributes["definition"] = "written in a repository; that it ran is not on record here"
    yield Activity(
        ref=thing.ref,
        activity="training" if sort in ("automl", "finetuning", "sweep") else "",
        status=status,
        started_at=started,
        ended_at=ended,
        description=printable(fields.text("description")),
        attributes={"service": f"Azure ML {sort or 'job'}".rstrip(), **attributes},
    )
    yield from world.who(thing)
    times = _Times(created, started, ended)
    yield from used_assets(thing, world, started or created)
    yield from _git(thing, world, started or created)
    parent = fields.text("parent_job_name", "parent_job", "parent_run_id")
    if parent:
        cause = world.names.ref("run", parent.lower(), thing.scope)
        yield Relation(effect=thing.ref, predicate="part_of", cause=cause, basis=thing.basis("identifier"))
    by_step = _writers(thing)
    # What the steps read and write is said of the steps: they know what for.
    read_by_steps = _bound_inputs(thing) if by_step else set()
    for port in ports(fields, "inputs"):
        if port.name not in read_by_steps:
            yield from _reads(thing, world, thing.ref, port, times, "")
    complete = not status or status.lower() in _ENDED
    for port in ports(fields, "outputs"):
        writer = by_step.get(port.name)
        run = step_ref(thing, writer[0]) if writer else thing.ref
        yield from _writes(thing, world, run, port, output_ref(thing, "", port.name, world, port), ended, complete)
    yield from gate_records(thing)
    for step, inner in steps(thing):
        yield from _step(thing, world, step, inner, times, complete)


def _step(thing: Thing, world: World, step: str, inner: Fields, times: _Times, complete: bool) -> Said:
    ref = step_ref(thing, step)
    made = thing._replace(ref=ref, fields=inner)
    attributes = made.attributes("jobs", "status")
    yield Activity(
        ref=ref,
        activity="training" if inner.text("type").lower() in ("automl", "sweep") else "",
        status=printable(inner.text("status")),
        description=printable(inner.text("description")),
        attributes={"service": "Azure ML step of a pipeline", "step": step, **attributes},
    )
    yield Relation(effect=ref, predicate="part_of", cause=thing.ref, basis=thing.basis("identifier"))
    yield from used_assets(made, world, times.started or times.created)
    for port in ports(inner, "inputs"):
        yield from _reads(thing, world, ref, port, times, step)
    for port in ports(inner, "outputs"):
        if not _FROM_PARENT.match(port.text):
            written = output_ref(thing, step, port.name, world, port)
            yield from _writes(thing, world, ref, port, written, times.ended, complete)


def _writers(thing: Thing) -> dict[str, tuple[str, str]]:
    """For each output of a pipeline that a step writes: the step and its own name for it."""
    found: dict[str, tuple[str, str]] = {}
    for step, inner in steps(thing):
        for port in ports(inner, "outputs"):
            match = _FROM_PARENT.match(port.text)
            if match and match[1] == "outputs":
                found.setdefault(match[2], (step, port.name))
    return found


def _bound_inputs(thing: Thing) -> set[str]:
    """The inputs of a pipeline that a step reads."""
    found = (_FROM_PARENT.match(port.text) for _, inner in steps(thing) for port in ports(inner, "inputs"))
    return {match[2] for match in found if match and match[1] == "inputs"}


def _is_literal(port: Port) -> bool:
    """Whether it is a value of its own; a plain text may still be a reference."""
    if is_expression(port.text):
        return False
    return port.literal is not None and (bool(port.sort) or not isinstance(port.literal, str))


def _reads(thing: Thing, world: World, run: str, port: Port, times: _Times, step: str) -> Said:
    text = port.text
    if not text or _is_literal(port):
        return
    field = f"{step + '.' if step else ''}inputs.{port.name}"
    basis: Basis
    if is_expression(text):
        cause = _bound(thing, world, text)
        if isinstance(cause, Rejected):
            yield cause
            return
        if cause is None:
            yield thing.bad("the expression points at nothing that the job has", text, field)
            return
        if isinstance(cause, Port):
            if not _is_literal(cause) and cause.text and not is_expression(cause.text):
                # What it is for may be said by the step's name for it, or by the pipeline's.
                name = cause.name if role_of(cause.name) and not role_of(port.name) else port.name
                yield from _reads(thing, world, run, cause._replace(name=name), times, step)
            return
        ref, basis, versioned = cause, "identifier", True
    else:
        left_open = placeholder_in(text)
        default = "model" if port.sort in _MODEL_TYPES else "dataset"
        found = world.target(thing, text, default, field)
        if isinstance(found, Rejected):
            yield found
            return
        if found is None and left_open:
            yield thing.bad(f"a template: {left_open!r} is still to be filled in, so it names nothing", text, field)
            return
        if found is None:
            if port.literal is not None:
                return  # a plain text; it stays among the attributes
            path = local_path(text, thing.item.folder)
            ref, basis, versioned = world.names.ref("dataset", path, thing.scope), "name", False
        elif found.kind == "run" and isinstance(found.asset, Asset):
            output = world.output_at(found.ref, found.asset.path)
            ref = output or world.output_named(found.ref, found.asset.path, default)
            basis, versioned = ("identifier" if output else "containment"), True
        else:
            ref, basis = found.ref, found.basis
            versioned = bool(Ref.parse(ref).version)
            if basis == "name" and found.kind == "dataset" and "~" not in ref:
                stub = world.stub(ref, place=Ref.parse(ref).name)
                if stub is not None:
                    yield stub
    at = times.started or (times.created if versioned else None)
    yield Relation(
        effect=run,
        predicate="used",
        cause=ref,
        role=role_of(port.name) if Ref.parse(ref).kind in ("dataset", "feature_set", "index") else "",
        basis=thing.basis(basis),
        event_time=at,
        attributes={"input": port.name},
    )


def _bound(thing: Thing, world: World, text: str) -> str | Port | Rejected | None:
    """What an expression stands for: a step's output, an output or an input of the pipeline."""
    match = _FROM_STEP.match(text.strip())
    if match:
        for step, inner in steps(thing):
            if step == match[1]:
                for port in ports(inner, "outputs"):
                    if port.name == match[2]:
                        bound = _FROM_PARENT.match(port.text)
                        if bound:
                            whole = {item.name: item for item in ports(thing.fields, "outputs")}
                            return output_ref(thing, "", bound[2], world, whole.get(bound[2]))
                        return output_ref(thing, step, port.name, world, port)
                return output_ref(thing, step, match[2], world)
        return None
    match = _FROM_PARENT.match(text.strip())
    if match:
        return next((port for port in ports(thing.fields, match[1]) if port.name == match[2]), None)
    return None


def _writes(thing: Thing, world: World, run: str, port: Port, ref: str, ended: datetime | None, complete: bool) -> Said:
    field = f"outputs.{port.name}"
    kind = Ref.parse(ref).kind
    attributes: dict[str, Any] = {"output": port.name}
    if port.text and not is_expression(port.text):
        attributes["path"] = port.text.partition("?")[0]
    if ref not in world.described:
        yield Entity(ref=ref, identified_by="name_version", attributes=attributes)
    yield Relation(
        effect=ref,
        predicate="was_generated_by",
        cause=run,
        basis=thing.basis("identifier"),
        event_time=ended,
        complete=complete,
    )
    yield from _place(thing, world, run, port, ended, complete)
    if not port.asset or is_registered(port):
        return
    try:
        filled_in(f"{port.asset} {port.version}")
    except InvalidRecord as error:
        yield thing.bad(error.reason, f"{port.asset}:{port.version}", field)
        return
    # Some version of that name: which one, nobody wrote down.
    registered = world.names.ref("model" if kind == "logged_model" else "dataset", port.asset.lower(), thing.scope)
    yield Relation(
        effect=registered,
        predicate="was_derived_from",
        cause=ref,
        basis=thing.basis("name"),
        event_time=ended,
    )


def _place(thing: Thing, world: World, run: str, port: Port, ended: datetime | None, complete: bool) -> Said:
    """The folder that an output was written to: another job may read it by its address."""
    found = world.target(thing, port.text, "dataset", f"outputs.{port.name}") if port.text else None
    if found is None or isinstance(found, Rejected) or found.kind != "dataset" or Ref.parse(found.ref).version:
        return  # an address with a placeholder is where it will be, not where it is
    if isinstance(found.asset, Asset) and (found.asset.collection != "datastores" or ARTIFACTS.match(found.asset.path)):
        return
    yield Relation(
        effect=found.ref,
        predicate="was_generated_by",
        cause=run,
        basis=thing.basis("name"),
        event_time=ended,
        complete=complete,
    )


def _git(thing: Thing, world: World, at: datetime | None) -> Said:
    said = thing.fields.mapping("properties")
    repository, commit = as_text(said.get("mlflow.source.git.repoURL")), as_text(said.get("mlflow.source.git.commit"))
    if not repository or not commit:
        return
    name = re.sub(r"^\w+://(?:[^/@]*@)?", "", repository.partition("?")[0]).removesuffix(".git")
    ref = str(Ref("code", redact_text(name), redact_text(commit), Ref.parse(thing.ref).namespace))
    dirty = as_text(said.get("azureml.git.dirty")).lower() == "true"
    stub = world.stub(ref, repository=name)
    if stub is not None:
        yield stub
    yield Relation(
        effect=thing.ref,
        predicate="used",
        cause=ref,
        role="code",
        basis="declared" if dirty else "identifier",
        event_time=at,
        attributes={"dirty": True} if dirty else {},
    )
