"""Whom something reached: every version, endpoint and evaluation that a dataset, a commit or a base model flowed into."""

from __future__ import annotations

import gc
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

from ..documents import Documented, location_of
from ..errors import AmbiguousReference, InvalidQuestion, UnknownReference
from ..gathering import fitting, instants
from ..records import Ref
from ..store import histories
from ..store.downstream import stands_for_versions
from ..tables import frame
from .document import Recall

if TYPE_CHECKING:
    import pandas as pd

    from ..store import Store

FORMAT = "lineage-explorer/impact"

_VERSIONS = (
    *("ref", "kind", "label", "roles", "strength", "retrain", "why", "endpoints", "first_served", "last_served"),
    *("registered", "here", "path"),
)
_ENDPOINTS = ("ref", "now", "traffic_now", "roles", "strength", "retrain", "why", "first", "last")
_EXPOSURES = (
    *("ref", "since", "until", "version", "traffic", "state", "deployment", "site", "environment", "roles", "strength"),
    "between_syncs",
)
_EVALUATIONS = ("ref", "label", "data", "models", "gates", "why")
_DERIVED = ("ref", "kind", "label", "strength")
_RETRAIN = ("ref", "retrain", "why", "endpoints", "roles", "strength")


def impact(
    store: Store,
    ref: str,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
    limit: int | None = None,
) -> Impact:
    """Whom something reached: for a request to delete data, a poisoned source, a licence withdrawn.

    It is the inverse of a trace: an endpoint answers with something now exactly when that is upstream of what serves
    the endpoint in an audit of the same instants; and it was exposed to it at an instant exactly when an audit as of
    that instant says so.

    Parameters
    ----------
    store : Store
        As :func:`lineage_explorer.open_store` gives it.
    ref : str
        Anything on record: a dataset, a run, a commit, a base model, a feature set, an environment, a prompt, a model
        version. Without its namespace where it can mean one thing only; a plain name is that of a dataset. The
        name of data, of a prompt or of code without a version stands for all versions on record, and a dataset
        without versions for all its states.
    as_of : datetime or str, optional
        The instant asked about, with a time zone; now by default. What came after it is left out.
    known_at : datetime or str, optional
        Only what the store knew by then; everything by default.
    limit : int, optional
        How many of each list at most: what answers now first, then by strength of the link, the nearest first. The
        counts stay whole, and ``beyond`` in the document says how many are left out. Everything by default.

    Returns
    -------
    Impact
        Its tables are DataFrames; ``to_dict()`` is the whole document.

    Raises
    ------
    UnknownReference, AmbiguousReference
        When the reference cannot be singled out; the message lists the nearest.
    InvalidInstant
        When a time cannot be read or has no time zone.
    InvalidQuestion
        When the limit is no number of things.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Relation
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append([
    ...         Relation(effect="run:t", predicate="used", cause="dataset:d@1", basis="identifier", role="training"),
    ...         Relation(effect="model:m@1", predicate="was_generated_by", cause="run:t", basis="identifier"),
    ...     ])
    ...     impact(store, "dataset:d@1").versions()[["ref", "roles", "strength", "retrain"]].values.tolist()
    [['model:m@1', ['training'], 'identifier', 'yes']]
    """
    if limit is not None and limit < 1:
        raise InvalidQuestion(f"a limit is a number of things, 1 or more, or None for all; not {limit}")
    found = _single(store, ref)
    asked, known = instants(store, as_of, known_at)
    collecting = gc.isenabled()
    gc.disable()  # many small things that all stay until the answer is made: looking for garbage between takes a third of the time
    try:
        with fitting(store):
            return Impact({"format": FORMAT, **Recall(store, found, asked, known).content(limit)}, location_of(store))
    finally:
        if collecting:
            gc.enable()


def _single(store: Store, text: str) -> str:
    """The one thing that a text means; a name need not be on record itself, if versions or states of it are."""
    asked = text if ":" in text else f"dataset:{text}"
    try:
        return store.resolve(asked, "dataset")
    except UnknownReference:
        ref = Ref.parse(asked)
        if not stands_for_versions(ref):
            raise
        names: dict[str, list[str]] = defaultdict(list)
        for node in histories.named(store, [ref.name]):
            known = Ref.parse(node.ref)
            if known.kind == ref.kind and known.version and ref.namespace in ("", known.namespace):
                names[str(Ref(known.kind, known.name, "", known.namespace))].append(node.ref)
        if str(ref) in names and not ref.namespace:
            # Where all that bears the bare name means something with a namespace, so does the name.
            if not all(store.namesakes(names[str(ref)], store.now()).values()):
                return str(ref)
            del names[str(ref)]
        if not names:
            raise
        if len(names) > 1:
            raise AmbiguousReference(
                f"{text!r} may be any of: {', '.join(sorted(names))}. Write one of them in full", sorted(names)
            ) from None
        return next(iter(names))


class Impact(Documented):
    """Everything that something reached, how surely, when endpoints answered with it, and what is to be retrained.

    Made by :func:`lineage_explorer.impact`. Two of the same question over the same records have the same digest.
    """

    def __repr__(self) -> str:
        return f"<Impact of {self.root}: {' '.join(self._content['summary'][:2])}>"

    @property
    def root(self) -> str:
        """What was asked about."""
        return str(self._content["root"])

    def versions(self) -> pd.DataFrame:
        """The versions that were reached.

        Returns
        -------
        pandas.DataFrame
            ``ref``, ``kind``, ``label``, ``roles`` (what the thing was for, as seen from the version), ``strength`` (the
            weakest link on the strongest path), ``retrain`` (``yes``, ``maybe``, ``no``), ``why``, ``endpoints`` (that it answers
            now), ``first_served``, ``last_served`` (NaT while it lasts), ``registered``, ``here``, ``path``.
        """
        return frame(self._content["versions"], _VERSIONS)

    def endpoints(self) -> pd.DataFrame:
        """The endpoints that were reached.

        Returns
        -------
        pandas.DataFrame
            ``ref``, ``now`` (whether it answers with it now), ``traffic_now`` (percent), ``roles``, ``strength``, ``retrain``,
            ``why``, ``first``, ``last`` (when it answered; NaT while it lasts).
        """
        return frame(self._content["endpoints"], _ENDPOINTS)

    def exposures(self) -> pd.DataFrame:
        """The windows in which endpoints had deployments of what was reached.

        Returns
        -------
        pandas.DataFrame
            One row for each window: ``ref`` (the endpoint), ``since``, ``until`` (NaT while it lasts), ``version``, ``traffic``
            (percent), ``state``, ``deployment``, ``site``, ``environment``, ``roles``, ``strength``, ``between_syncs``.
        """
        rows = ({"ref": item["ref"], **row} for item in self._content["endpoints"] for row in item["exposures"])
        return frame(rows, _EXPOSURES)

    def evaluations(self) -> pd.DataFrame:
        """The evaluations that rest on it.

        Returns
        -------
        pandas.DataFrame
            ``ref`` (the run), ``label``, ``data``, ``models``, ``gates`` (their names), ``why``.
        """
        rows = (
            {**item, "ref": item["run"], "gates": [gate["gate"] for gate in item["gates"]]}
            for item in self._content["evaluations"]
        )
        return frame(rows, _EVALUATIONS)

    def derived(self) -> pd.DataFrame:
        """What lies between: datasets, runs, indexes and others.

        Returns
        -------
        pandas.DataFrame
            ``ref``, ``kind``, ``label``, ``strength``.
        """
        return frame(self._content["derived"], _DERIVED)

    def retrain(self) -> pd.DataFrame:
        """The versions that are to be retrained or rebuilt, or may have to be: those that answer now first.

        Returns
        -------
        pandas.DataFrame
            ``ref``, ``retrain`` (``yes`` or ``maybe``), ``why``, ``endpoints``, ``roles``, ``strength``.
        """
        rows = sorted(
            (row for row in self._content["versions"] if row["retrain"] != "no"),
            key=lambda row: (not row["endpoints"], row["retrain"] != "yes"),
        )
        return frame(rows, _RETRAIN)
