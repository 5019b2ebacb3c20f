"""Endpoints and deployments: who serves, with which share, and which model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ...records import Entity, Record, Ref, Relation
from ..documents import printable
from ..protocol import Rejected
from .assets import used_assets
from .fields import as_text
from .things import Thing
from .world import World

Said = Iterator[Record | Rejected]


def endpoint_records(thing: Thing, world: World, deployments: Mapping[str, str]) -> Said:
    """An endpoint and, if its split was read, the share of each deployment.

    Parameters
    ----------
    deployments : mapping
        Names of the endpoint's deployments that were read, and their references.
    """
    fields = thing.fields
    created, bad = thing.instant("created_at", of=fields.origin)
    yield from bad
    yield Entity(
        ref=thing.ref,
        created_at=created,
        description=printable(fields.text("description")),
        attributes={"service": f"Azure ML {thing.kind}", **thing.attributes()},
    )
    yield from world.who(thing)
    split = batch_split(thing, deployments) if thing.kind == "batch endpoint" else online_split(thing, deployments)
    since, _ = thing.instant("last_modified_at", of=fields.origin)
    for item in split:
        if isinstance(item, Rejected):
            yield item
            continue
        name, traffic, mirrored = item
        yield Relation(
            effect=thing.ref,
            predicate="serves",
            cause=deployments.get(name) or deployment_ref(thing, name, world),
            basis=thing.basis("identifier"),
            slot=name,
            traffic=traffic,
            mirrored=mirrored,
            splits=not (thing.kind == "batch endpoint" and traffic is None and split_known(thing)),
            valid_from=since,
        )


def deployment_ref(thing: Thing, name: str, world: World) -> str:
    """The reference of a deployment that the endpoint names."""
    return str(Ref.parse(world.names.ref("deployment", f"{thing.name}:{name}", thing.scope)))


def split_known(thing: Thing) -> bool:
    """Whether an endpoint's record says who answers."""
    if thing.kind == "batch endpoint":
        return bool(default_deployment(thing))
    return isinstance(thing.fields.get("traffic"), Mapping)


def default_deployment(thing: Thing) -> str:
    """The deployment that a batch endpoint calls when the caller names none."""
    defaults = thing.fields.get("defaults")
    if isinstance(defaults, Mapping):
        return next(
            (
                as_text(value).lower()
                for key, value in defaults.items()
                if key.replace("_", "").lower() == "deploymentname"
            ),
            "",
        )
    return thing.fields.text("default_deployment_name", "default_deployment").lower()


def batch_split(thing: Thing, deployments: Mapping[str, str]) -> Iterator[tuple[str, float | None, bool] | Rejected]:
    """The default deployment serves; the others answer only a caller that names them."""
    default = default_deployment(thing)
    for name in sorted({*deployments, default} - {""}):
        yield (name, None if name == default or not default else 0.0, False)


def online_split(thing: Thing, deployments: Mapping[str, str]) -> Iterator[tuple[str, float | None, bool] | Rejected]:
    """Each deployment with its share; shares that cannot be read are None, not zero."""
    shares: dict[str, float | None] = {}
    for field in ("traffic", "mirror_traffic"):
        if thing.fields.has(field) and not isinstance(thing.fields.get(field), Mapping):
            yield thing.bad(
                "the split is no mapping of deployments to percent; it is not read", thing.fields.get(field), field
            )
    for written, value in thing.fields.mapping("traffic").items():
        share = percent(value)
        if share is None:
            yield thing.bad(
                f"{as_text(value)[:40]!r} is no share from 0 to 100; it is not read", value, f"traffic.{written}"
            )
        shares[written.lower()] = share
    mirrored: dict[str, float] = {}
    for written, value in thing.fields.mapping("mirror_traffic").items():
        share = percent(value)
        if share is None:
            yield thing.bad(
                f"{as_text(value)[:40]!r} is no share from 0 to 100; it is not read", value, f"mirror_traffic.{written}"
            )
        elif share:
            mirrored[written.lower()] = share
    for name in sorted({*deployments, *shares, *mirrored}):
        share = shares.get(name, 0.0) if split_known(thing) else None
        if name in mirrored and not share:
            yield (name, mirrored[name], True)
        else:
            yield (name, share, False)


def percent(value: Any) -> float | None:
    """A share, or None for what is none.

    Examples
    --------
    >>> percent(90), percent("10"), percent(True), percent(101)
    (90.0, 10.0, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and 0 <= number <= 100 else None


def deployment_records(thing: Thing, world: World, endpoint: Thing | None, endpoint_ref: str) -> Said:
    """A deployment, what it runs, and that it serves if its endpoint was not read.

    Parameters
    ----------
    endpoint : Thing or None
        The record of its endpoint, if there is one: then that says who serves.
    """
    fields = thing.fields
    created, bad = thing.instant("created_at", of=fields.origin)
    yield from bad
    yield Entity(
        ref=thing.ref,
        created_at=created,
        description=printable(fields.text("description")),
        attributes={"service": f"Azure ML {thing.kind}", **thing.attributes("model", "endpoint_name")},
    )
    yield from world.who(thing)
    if endpoint is None:
        yield Relation(
            effect=endpoint_ref,
            predicate="serves",
            cause=thing.ref,
            basis=thing.basis("identifier"),
            slot=thing.name,
            # Bounded, so that it never takes the place of a split that was read.
            valid_from=created,
        )
    yield from _deploys(thing, world)
    yield from used_assets(thing, world)


def _deploys(thing: Thing, world: World) -> Said:
    model = thing.fields.get("model")
    field = "model"
    text = as_text(model)
    if isinstance(model, Mapping):
        squashed = {key.replace("_", "").lower(): value for key, value in model.items()}
        text = as_text(squashed.get("assetid") or squashed.get("id"))
        if not text and squashed.get("jobid"):  # a job's output that nobody registered
            text = as_text(squashed["jobid"])
        if not text and squashed.get("name") and squashed.get("version"):
            text = f"azureml:{as_text(squashed['name'])}:{as_text(squashed['version'])}"
        if not text:
            text = as_text(squashed.get("path"))
    if not text:
        if model is not None:
            yield thing.bad("the model of the deployment cannot be read", model, field)
        return
    since, bad = thing.changed_at()
    yield from bad
    found = world.target(thing, text, "model", field)
    if isinstance(found, Rejected):
        yield found
        return
    if found is None or found.kind == "dataset":
        # Files that were never registered: visible as what they are, and found by nobody else.
        cause, basis = world.unregistered(thing, text), thing.basis("name")
    elif found.kind == "run":
        cause, basis = world.unregistered(thing, text), thing.basis(found.basis)
        yield Relation(effect=cause, predicate="was_generated_by", cause=found.ref, basis=basis)
    else:
        cause, basis = found.ref, thing.basis(found.basis)
    yield Relation(effect=thing.ref, predicate="deploys", cause=cause, basis=basis, slot="model", valid_from=since)
