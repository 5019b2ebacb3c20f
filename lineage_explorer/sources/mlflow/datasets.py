"""Which dataset a run read: identities from dataset inputs and ``data.*`` tags, and their entities.

Several runs mention one dataset, each with its own piece of what is known. The pieces are joined and
the entity is written once, after the last run: so the record does not depend on who came first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ...records import BASES, Basis, Entity, Ref
from ...redaction import redact_text
from ..protocol import Rejected
from .changes import DatasetNote
from .names import Names, basis_of
from .rows import DatasetInput

_SHA256 = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})\Z")
_SHORT = re.compile(r"[0-9a-f]{8}\Z")
_FIELDS = ("version", "uri", "sha256")
#: Things other than runs' inputs that a tag may name; a tag's word is all there is about them.
_DECLARABLE = frozenset(["dataset", "index", "feature_set", "base_model", "code", "environment"])


class Identity(msgspec.Struct, frozen=True):
    """A dataset as one run knew it."""

    ref: str
    digest: str
    identified_by: Basis


class Datasets:
    """Collects what is known about the datasets of one instance.

    Parameters
    ----------
    names : Names
        Writes references.
    known : mapping, optional
        What earlier reads had found: the runs that said so may not be read this time.
    """

    def __init__(self, names: Names, known: Mapping[str, DatasetNote] | None = None) -> None:
        self._names = names
        self._touched: set[str] = set()
        self._digests: dict[str, set[str]] = {}
        self._bases: dict[str, set[Basis]] = {}
        self._facts: dict[str, dict[str, set[str]]] = {}
        self._rows: dict[str, int] = {}
        self._identified: dict[tuple[str, ...], Identity] = {}
        for ref, note in (known or {}).items():
            self._bases[ref] = set(note.bases)
            self._facts[ref] = {name: set(values) for name, values in note.facts.items()}
            if note.digests:
                self._digests[ref] = set(note.digests)
            if note.rows is not None:
                self._rows[ref] = note.rows

    def notes(self) -> dict[str, DatasetNote]:
        """All that is known, for the next read."""
        return {
            ref: DatasetNote(
                bases=sorted(self._bases[ref]),
                digests=sorted(self._digests.get(ref, ())),
                facts={name: sorted(values) for name, values in sorted(facts.items())},
                rows=self._rows.get(ref),
            )
            for ref, facts in sorted(self._facts.items())
        }

    def of_input(
        self, row: DatasetInput, run_tags: Mapping[str, str], alone: bool, position: str, problems: list[Rejected]
    ) -> Identity:
        """Identify a dataset input.

        Parameters
        ----------
        row : DatasetInput
            What MLflow recorded.
        run_tags : mapping
            The run's tags; ``data.<dataset name>.version`` and, if the run has no other input,
            ``data.version`` speak about this dataset.
        alone : bool
            Whether the run has exactly one dataset input.
        position : str
            Of the run, for problems.
        problems : list of Rejected
            Receives what is unreadable.
        """
        told = {
            field: row.tags.get(f"data.{field}")
            or run_tags.get(f"data.{row.name}.{field}")
            or (run_tags.get(f"data.{field}") if alone else None)
            or ""
            for field in _FIELDS
        }
        # Thousands of runs read the same few datasets.
        key = (row.name, row.digest, row.source_type, row.source, row.profile, row.schema, *told.values())
        if key in self._identified:
            return self._identified[key]
        content = ""
        if told["sha256"]:
            if match := _SHA256.match(told["sha256"].strip()):
                content = "sha256:" + match[1].lower()
            else:
                problems.append(
                    Rejected(
                        reason="data.sha256 must be 64 hexadecimal digits; it is left out",
                        position=position,
                        excerpt=told["sha256"][:2000],
                    )
                )
        truncated = f"mlflow-md5-8:{row.digest}" if _SHORT.match(row.digest) else f"mlflow:{row.digest}"
        basis: Basis = (
            "content_hash"
            if content
            else "name_version"
            if told["version"]
            else "truncated_digest"
            if row.digest
            else "name"
        )
        identity = Identity(
            self._names.ref("dataset", row.name, told["version"] or content or row.digest),
            content or (truncated if row.digest else ""),
            basis,
        )
        uri, rows = told["uri"] or _uri(row.source), _row_count(row.profile)
        self._note(
            identity,
            mlflow_digests=row.digest,
            source_types=row.source_type,
            sources=row.source,
            uris=uri,
            schemas=_columns(row.schema),
        )
        if rows is not None:
            self._rows[identity.ref] = max(rows, self._rows.get(identity.ref, 0))
        if content or not told["sha256"]:  # what is unreadable is reported for every run that says it
            self._identified[key] = identity
        return identity

    def of_tag(self, ref: Ref) -> None:
        """Note a thing that a ``lineage.*`` tag names, unless other rows are responsible for it."""
        if ref.kind not in _DECLARABLE or ref.alias:
            return
        digest = ref.version if ref.version.startswith("sha256:") else ""
        basis: Basis = basis_of(ref.version) if ref.version else "name"
        self._note(Identity(str(ref), digest, basis), declared_in="tag")

    def _note(self, identity: Identity, **facts: str) -> None:
        ref = identity.ref
        self._touched.add(ref)
        self._bases.setdefault(ref, set()).add(identity.identified_by)
        if identity.digest:
            self._digests.setdefault(ref, set()).add(identity.digest)
        known = self._facts.setdefault(ref, {})
        for name, fact in facts.items():
            if fact:
                known.setdefault(name, set()).add(redact_text(fact))

    def entities(self) -> Iterator[Entity]:
        """One entity for each dataset that was seen in this read, with all that is known of it."""
        for ref, facts in self._facts.items():
            if ref not in self._touched:
                continue
            digests = sorted(self._digests.get(ref, ()), key=lambda digest: (not digest.startswith("sha256:"), digest))
            attributes: dict[str, Any] = {
                name: sorted(values) for name, values in facts.items() if name != "declared_in"
            }
            if "declared_in" in facts and len(facts) == 1:
                attributes["declared_in"] = "run tags"
            if len(digests) > 1:
                # One name and version, several contents: said here, resolved by nobody.
                attributes["digests"] = digests
            if ref in self._rows:
                attributes["rows"] = self._rows[ref]
            if len(schemas := attributes.get("schemas", ())) == 1:
                # Of one schema the columns can be compared; several are told as they were read.
                del attributes["schemas"]
                attributes["schema"] = _decoded(schemas[0])
            yield Entity(
                ref=ref,
                digest=digests[0] if digests else "",
                identified_by=min(self._bases[ref], key=BASES.index),
                attributes=attributes,
            )


def _uri(source: str) -> str:
    try:
        fields = msgspec.json.decode(source)
    except (msgspec.DecodeError, RecursionError):
        return ""
    if isinstance(fields, dict):
        for key in ("uri", "url", "path"):
            if isinstance(fields.get(key), str):
                return str(fields[key])
    return ""


def _columns(schema: str) -> str:
    """The columns that MLflow recorded, in one spelling; what is no list of columns stays as it was written."""
    found = _decoded(schema)
    columns = found.get("mlflow_colspec") if isinstance(found, dict) else None
    return schema if columns is None else msgspec.json.encode(columns, order="deterministic").decode()


def _decoded(text: str) -> Any:
    """JSON as values, any other text as it is."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def _row_count(profile: str) -> int | None:
    try:
        fields = msgspec.json.decode(profile)
    except (msgspec.DecodeError, RecursionError):
        return None
    count = fields.get("num_rows") if isinstance(fields, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None
