"""Registered models, their versions and aliases, prompts, and deployments noted in version tags."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from ...records import Entity, Record, Ref, Relation
from ..protocol import Rejected
from .datasets import Datasets
from .gates import Claim, claims
from .names import Names, basis_of, instant, role_of, shown_tags, written_instant
from .rows import RegisteredModel, Version

_LOGGED = re.compile(r"models:/(m-[0-9a-f]{32})\Z")
_LOGGED_PATH = re.compile(r"/models/(m-[0-9a-f]{32})(?:/artifacts)?/?\Z")
_COPY = re.compile(r"models:/([^/@]+)/(\d+)\Z")
_COPY_ALIAS = re.compile(r"models:/([^/@]+)@([^/@]+)\Z")
_SERVING = frozenset(["production", "active", "live", "serving", "deployed"])
_GONE = frozenset(
    ["retired", "inactive", "removed", "deleted", "stopped", "archived", "decommissioned", "disabled", "rolled-back"]
)
_MIRRORED = frozenset(["shadow", "mirrored", "mirror"])


class Registry:
    """Translates the registry; keeps which kind each version is, for those who refer to it.

    Parameters
    ----------
    names : Names
        Writes references.
    datasets : Datasets
        Is told of things that version tags name.
    models : iterable of RegisteredModel
        Every registered name.
    versions : iterable of Version
        Every version.
    """

    def __init__(
        self,
        names: Names,
        datasets: Datasets,
        models: Iterable[RegisteredModel],
        versions: Iterable[Version],
    ) -> None:
        self._names = names
        self._datasets = datasets
        self.models = list(models)
        self.versions = list(versions)
        self._name_tags = {model.name: model.tags for model in self.models}
        self._own_tags = {(row.name, row.version): row.tags for row in self.versions if not row.deleted}
        self._endpoints: set[str] = set()
        self._special: dict[tuple[str, str], str] = {}
        kinds: dict[str, set[str]] = defaultdict(set)
        for row in self.versions:
            kind = self._kind_of_row(row)
            kinds[row.name].add(kind)
            if kind != "model":
                self._special[row.name, row.version] = kind
        self._kinds = {name: next(iter(found)) for name, found in kinds.items() if len(found) == 1}

    def kind(self, name: str, version: str = "") -> str:
        """``model``, ``prompt`` or ``ai_agent``; without a version, what all its versions are."""
        if (name, version) in self._special:
            return self._special[name, version]
        if not version:
            return self._kinds.get(name) or _kind(self._name_tags.get(name, {}))
        return _kind(self._name_tags.get(name, {}))

    def runs(self) -> set[str]:
        """Runs that made the versions that have no logged model between."""
        return {
            row.run_id
            for row in self.versions
            if row.run_id and not row.deleted and self.kind(row.name, row.version) != "prompt"
        }

    def _kind_of_row(self, row: Version) -> str:
        own = _kind(row.tags)
        return own if own != "model" else _kind(self._name_tags.get(row.name, {}))

    # --- registered names -----------------------------------------------------------------------

    def of_name(self, row: RegisteredModel, problems: list[Rejected]) -> Iterator[Record]:
        """The name itself and its aliases."""
        position = f"registered-models/{row.name}"
        kind = self.kind(row.name)
        attributes: dict[str, Any] = {}
        if tags := shown_tags(row.tags):
            attributes["tags"] = tags
        yield Entity(
            ref=self._names.ref(kind, row.name),
            identified_by="name",
            created_at=instant(row.created, position, problems),
            description=row.description,
            attributes=attributes,
        )
        for alias, version in row.aliases.items():
            of = self.kind(row.name, version)
            yield Relation(
                effect=self._names.ref(of, row.name, alias=alias),
                predicate="alias_of",
                cause=self._names.ref(of, row.name, version),
                basis="identifier",
                slot="alias",
            )

    def claims_of_name(self, row: RegisteredModel) -> Iterator[Claim]:
        """Gates that judge the name, hence no version of it."""
        subject = self._names.ref(self.kind(row.name), row.name)
        return claims(subject, row.tags, f"registered-models/{row.name}")

    # --- versions -------------------------------------------------------------------------------

    def ref(self, row: Version) -> str:
        """The reference of a version."""
        return self._names.ref(self.kind(row.name, row.version), row.name, row.version)

    def of_version(self, row: Version, active_models: Mapping[str, str], problems: list[Rejected]) -> Iterator[Record]:
        """A version, what it was made of, and where its tags say it is deployed.

        Parameters
        ----------
        row : Version
            The version.
        active_models : mapping
            The logged models that can be read; a version of another is linked to its run as well.
        problems : list of Rejected
            Receives what is unreadable.
        """
        position = f"versions/{row.name}/{row.version}"
        ref = self.ref(row)
        prompt = self.kind(row.name, row.version) == "prompt"
        text = row.tags.get("mlflow.prompt.text", "") if prompt else ""
        yield Entity(
            ref=ref,
            digest="sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() if text else "",
            identified_by="content_hash" if text else "identifier",
            created_at=instant(row.created, position, problems),
            ended_at=instant(row.updated, position, problems) if row.deleted else None,
            description=row.description,
            attributes=_shown(row, text),
        )
        if row.deleted:
            return
        made = instant(row.created, position, [])
        if not prompt:
            yield from self._origin(row, ref, active_models, made)
        yield from declared_causes(self._names, self._datasets, ref, row.tags, made, position, problems)
        yield from self._deployments(row, ref, position, problems)

    def _origin(self, row: Version, ref: str, active_models: Mapping[str, str], made: Any) -> Iterator[Record]:
        followed = False
        if logged := logged_model_of(row):
            # In a plain path the model's id is only a folder that the file lies in.
            basis = "identifier" if row.source.startswith("models:/") else "containment"
            yield _derived(ref, self._names.logged_model(logged), basis, made)
            followed = logged in active_models
        elif original := _original(row):
            yield _derived(ref, self._names.ref(self.kind(*original), *original), "identifier", made)
            followed = original in self._own_tags
        elif match := _COPY_ALIAS.match(row.source):
            name = f"{row.workspace}/{match[1]}" if row.workspace else match[1]
            yield _derived(ref, self._names.ref(self.kind(name), name, alias=match[2]), "name", made)
        if row.run_id and not followed:
            yield Relation(
                effect=ref,
                predicate="was_generated_by",
                cause=self._names.run(row.run_id),
                basis="identifier",
                event_time=made,
            )

    def claims_of_version(self, row: Version) -> Iterator[Claim]:
        """Gates that judge this version; not those that MLflow copied along with another version."""
        original = _original(row)
        inherited = {}
        if original in self._own_tags:
            copied = claims(self.ref(row), self._own_tags[original], "", bare=True)
            inherited = {(claim.name, claim.bare): claim.fields for claim in copied}
        for claim in claims(
            self.ref(row),
            row.tags,
            f"versions/{row.name}/{row.version}",
            linked_runs=() if row.deleted else (row.run_id,),
            model_id=logged_model_of(row),
            bare=True,
            copied=original is not None and original not in self._own_tags,
        ):
            if inherited.get((claim.name, claim.bare)) != claim.fields:
                yield claim

    def _deployments(self, row: Version, ref: str, position: str, problems: list[Rejected]) -> Iterator[Record]:
        original = _original(row)
        inherited = _rollouts(self._own_tags.get(original, {})) if original else {}
        for name, fields in _rollouts(row.tags).items():
            if inherited.get(name) == fields:
                continue  # MLflow copies a version's tags with it; its deployments are still its own
            since = written_instant(fields.get("at", ""), f"{position}/tags/deploy.{name}.at", problems)
            status = fields.get("status", "").strip()
            word = status.lower().replace("_", "-")
            slot = f"{row.name}-{row.version}"
            endpoint = self._names.ref("endpoint", name)
            # Each version has its own deployment, so what it deploys never changes.
            deployment = self._names.ref("deployment", f"{name}:{slot}")
            if endpoint not in self._endpoints:
                self._endpoints.add(endpoint)
                yield Entity(ref=endpoint, identified_by="name")
            yield Entity(
                ref=deployment,
                identified_by="name",
                created_at=since if word in _SERVING else None,
                ended_at=since if word in _GONE else None,
                attributes={"status": status},
            )
            yield Relation(
                effect=deployment, predicate="deploys", cause=ref, basis="declared", slot="model", valid_from=since
            )
            yield Relation(
                effect=endpoint,
                predicate="serves",
                cause=deployment,
                basis="declared",
                slot=slot,
                traffic=0.0 if word in _GONE else None,
                splits=word not in _SERVING,
                mirrored=word in _MIRRORED,
                valid_from=since,
            )


def logged_model_of(row: Version) -> str:
    """The id of the logged model that a version was registered from, or an empty text."""
    match = _LOGGED.match(row.source) or _LOGGED_PATH.search(row.source)
    return match[1] if match else ""


def _original(row: Version) -> tuple[str, str] | None:
    """Name and version of what a version is a copy of."""
    match = _COPY.match(row.source)
    if match is None:
        return None
    return (f"{row.workspace}/{match[1]}" if row.workspace else match[1]), match[2]


def _rollouts(tags: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The ``deploy.<endpoint>.<field>`` tags by endpoint."""
    told: dict[str, dict[str, str]] = defaultdict(dict)
    for key, value in tags.items():
        if key.startswith("deploy."):
            endpoint, _, field = key[len("deploy.") :].rpartition(".")
            if endpoint and field in ("status", "at"):
                told[endpoint][field] = value
    return told


def declared_causes(
    names: Names,
    datasets: Datasets,
    effect: str,
    tags: Mapping[str, str],
    made: Any,
    position: str,
    problems: list[Rejected],
) -> Iterator[Relation]:
    """What tags of a version or a logged model say it was made of: prompts, base models, indexes."""
    for key, value in tags.items():
        if key.startswith("lineage.used."):
            for ref in names.listed(value, f"{position}/tags/{key}"):
                if isinstance(ref, Rejected):
                    problems.append(ref)
                    continue
                datasets.of_tag(ref)
                yield Relation(
                    effect=effect,
                    predicate="was_derived_from",
                    cause=str(ref),
                    basis=basis_of(ref.version),
                    role=role_of(key[len("lineage.used.") :]),
                    event_time=made,
                )
    for ref in linked_prompts(names, tags, position, problems):
        yield Relation(
            effect=effect,
            predicate="was_derived_from",
            cause=str(ref),
            basis="identifier",
            role="prompt",
            event_time=made,
        )


def linked_prompts(names: Names, tags: Mapping[str, str], position: str, problems: list[Rejected]) -> list[Ref]:
    """The prompts in ``mlflow.linkedPrompts``, a JSON list of names and versions."""
    text = tags.get("mlflow.linkedPrompts")
    if not text:
        return []
    found = []
    try:
        for item in msgspec.json.decode(text):
            name, version = item["name"], str(item["version"])
            if not isinstance(name, str):
                raise TypeError
            found.append(Ref("prompt", name, version, names.namespace))
    except (msgspec.DecodeError, RecursionError, TypeError, KeyError, ValueError):
        problems.append(
            Rejected(
                reason="mlflow.linkedPrompts is not a JSON list of objects with a name and a version",
                position=f"{position}/tags/mlflow.linkedPrompts",
                excerpt=text[:2000],
            )
        )
    return found


def _kind(tags: Mapping[str, str]) -> str:
    if tags.get("mlflow.prompt.is_prompt", "").lower() == "true":
        return "prompt"
    return "ai_agent" if tags.get("lineage.kind", "").strip().lower() == "ai_agent" else "model"


def _derived(effect: str, cause: str, basis: Any, made: Any) -> Relation:
    return Relation(effect=effect, predicate="was_derived_from", cause=cause, basis=basis, event_time=made)


def _shown(row: Version, text: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "stage": "" if row.deleted else row.stage,
        "run_id": row.run_id,
        "source": "" if text else row.source,
        "registration": row.status,
        "user": row.user,
        "text": text,
        "tags": shown_tags(row.tags),
    }
    if row.deleted:
        shown["lifecycle_stage"] = "deleted"
    return {key: value for key, value in shown.items() if value and value != "None"}
