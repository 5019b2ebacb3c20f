"""The versions of a model, side by side and through time: what changed, who approved it, where it served, what was rolled back."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..documents import Documented, location_of
from ..errors import InvalidQuestion, UnknownReference
from ..gathering import fitting, instants
from ..lifecycles import single_name
from ..records import Ref, parse_instant
from ..references import from_micros, micros_of
from ..roles import RELEASED_KINDS
from ..tables import frame, text_table, visible
from .rows import content_of
from .tables import EVENTS, METRICS, SERVING, shown, table

if TYPE_CHECKING:
    import pandas as pd

    from ..store import Store


def history(
    store: Store, model: str, as_of: datetime | str | None = None, known_at: datetime | str | None = None
) -> History:
    """Every version of a model with its life, what it was made from, what it measured, and where it served.

    Parameters
    ----------
    store : Store
        As :func:`lineage_explorer.open_store` gives it.
    model : str
        A name: ``churn``, ``model:churn``, ``ai_agent:triage``, ``logged_model:m-1``. Of a version all versions of its
        name are told.
    as_of : datetime or str, optional
        The instant asked about, with a time zone; now by default. What happened later is not told.
    known_at : datetime or str, optional
        Only what the store knew by then; everything by default.

    Returns
    -------
    History
        Its ``table()``, ``events()``, ``serving()`` and ``metrics()`` are DataFrames.

    Raises
    ------
    UnknownReference, AmbiguousReference
        When the name cannot be singled out; the message lists the nearest.
    InvalidInstant
        When a time cannot be read or has no time zone.
    InvalidQuestion
        When it is no model: only what a deployment can release has such a history.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Entity, Evidence, parse_instant
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append(
    ...         [
    ...             Entity(ref="model:churn@1", created_at=parse_instant("2026-01-05T10:00:00Z")),
    ...             Evidence(
    ...                 subject="model:churn@1", gate="release", gate_type="approval", status="passed",
    ...                 evaluator="person:mia", event_time=parse_instant("2026-01-07T10:00:00Z"),
    ...             ),
    ...         ]
    ...     )
    ...     history(store, "churn").events()[["kind", "who", "text"]].values.tolist()
    [['registered', '', 'registered'], ['approved', 'person:mia', 'release: passed']]
    """
    base = _named(store, model)
    asked, known = instants(store, as_of, known_at)
    with fitting(store):
        collecting = gc.isenabled()
        gc.disable()  # thousands of small objects that all survive: collecting in between only costs time
        try:
            return History(content_of(store, base, asked, known), location_of(store))
        finally:
            if collecting:
                gc.enable()


def _named(store: Store, text: str) -> str:
    try:
        base = single_name(store, text)
    except UnknownReference:
        if ":" in text:
            raise
        for kind in sorted(RELEASED_KINDS - {"model"}):  # a plain name may be an agent's
            try:
                return single_name(store, str(Ref(kind, text)))
            except UnknownReference:
                continue
        raise
    kind = Ref.parse(base).kind
    if kind not in RELEASED_KINDS:
        raise InvalidQuestion(
            f"{base} is no model: a history of versions is told of {', '.join(sorted(RELEASED_KINDS))}. "
            "`lineage-explorer impact` tells what came of other things"
        )
    return base


class History(Documented):
    """The versions of a name with everything that happened to them.

    Made by :func:`lineage_explorer.history`; a part of it by :meth:`filter`.
    """

    @property
    def ref(self) -> str:
        """The name that was asked about."""
        return str(self._content["question"]["ref"])

    @property
    def complete(self) -> bool:
        """Whether the registry that lists the versions was read completely at its latest sync."""
        return bool(self._content["complete"])

    @property
    def versions(self) -> list[str]:
        """References of the versions, in order: numbers by their size."""
        return [str(row["ref"]) for row in self._content["versions"]]

    # --- tables ---

    def table(self) -> pd.DataFrame:
        """The versions side by side.

        Returns
        -------
        pandas.DataFrame
            A row for each version: ``ref``, ``version``, ``registered``, ``evaluated`` (last), ``approved`` (NaT unless the
            last word of every approval gate is that it passed), ``approved_by``, ``stage``, ``here`` (whether its source
            still has it; None where nothing says), ``first_served``, ``last_served`` (NaT also while it serves), ``serving``
            (where, with its share), ``rolled_back`` (last), ``archived``, ``deleted`` (NaT for what was put back), ``data``
            (that it was trained on), ``code``; then ``params.NAME`` (text) and ``metrics.NAME`` (number), as
            ``mlflow.search_runs`` names them. Times have a time zone.
        """
        return table(self._content)

    def events(self) -> pd.DataFrame:
        """What happened, oldest first.

        Returns
        -------
        pandas.DataFrame
            ``at``, ``earliest`` (it may have happened as early as this; the same as ``at`` where the date is on record, NaT
            where nothing is known before), ``kind``, ``ref``, ``endpoint``, ``who``, ``text``, ``system``, ``position``.
        """
        return frame([{**row, **(row["source"] or {})} for row in self._content["events"]], EVENTS)

    def serving(self) -> pd.DataFrame:
        """Times in which a version had the same share of an endpoint.

        Returns
        -------
        pandas.DataFrame
            ``ref``, ``endpoint``, ``since``, ``until`` (NaT while it lasts), ``between_syncs`` (``since`` is only when it was
            first seen), ``deployment``, ``model``, ``version``, ``traffic`` (percent), ``state``, ``site``, ``environment``.
        """
        rows = [{**row, "ref": one["ref"]} for one in self._content["versions"] for row in one["serving"]]
        return frame(rows, SERVING)

    def metrics(self) -> pd.DataFrame:
        """Every metric of every version that is a finite number.

        Returns
        -------
        pandas.DataFrame
            ``ref``, ``metric``, ``value``, a row for each, in order of version and name.
        """
        rows = [
            {"ref": one["ref"], "metric": name, "value": value}
            for one in self._content["versions"]
            for name, value in one["metrics"].items()
        ]
        return frame(rows, METRICS)

    # --- parts ---

    def filter(
        self,
        versions: Iterable[str] | None = None,
        endpoint: str | None = None,
        stage: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
    ) -> History:
        """A part of the history, which says in its ``question.filter`` which.

        Parameters
        ----------
        versions : iterable of str, optional
            References or plain versions (``"3"``).
        endpoint : str, optional
            Only versions that were deployed behind it, with and without its namespace.
        stage : str, optional
            Only versions that were in it, at any time that is asked about.
        since, until : datetime or str, optional
            Only what happened or lasted in this time, which holds its beginning and not its end. Spans are told whole.

        Returns
        -------
        History
            With its own digest. What is left out is not told as missing.

        Raises
        ------
        InvalidInstant
            When a time cannot be read or has no time zone.
        InvalidQuestion
            When there is no such version, endpoint or stage in this history, or the time ends before it begins.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from lineage_explorer import open_store
        >>> from lineage_explorer.records import Entity
        >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
        ...     _ = store.append(Entity(ref=f"model:churn@{number}") for number in (1, 2, 3))
        ...     history(store, "churn").filter(versions=["2"]).versions
        ['model:churn@2']
        """
        start = None if since is None else from_micros(micros_of(parse_instant(since)))
        end = None if until is None else from_micros(micros_of(parse_instant(until)))
        if start is not None and end is not None and parse_instant(end) <= parse_instant(start):
            raise InvalidQuestion(f"{end} is not after {start}: a time to be told of ends after it begins")
        window = _Window(start, end)
        wanted = None if versions is None else self._wanted(versions)
        place = None if endpoint is None else self._place(endpoint)
        known = {item["stage"] for row in self._content["versions"] for item in row["stages"]}
        if stage is not None and stage not in known:
            raise InvalidQuestion(f"no version was in {stage!r}; there are: {', '.join(sorted(known))}")
        events = [
            event
            for event in self._content["events"]
            if window.holds(event["earliest"], event["at"]) and (place is None or event["endpoint"] in ("", place))
        ]
        happened = {event["ref"] for event in events}
        kept = []
        for row in self._content["versions"]:
            part = {
                **row,
                "serving": [
                    item for item in row["serving"] if window.meets(item) and place in (None, item["endpoint"])
                ],
                "stages": [item for item in row["stages"] if window.meets(item)],
            }
            if (
                (wanted is None or row["ref"] in wanted)
                and (place is None or part["serving"])
                and (stage is None or any(item["stage"] == stage for item in part["stages"]))
                and (not window.bounded or part["serving"] or part["stages"] or row["ref"] in happened)
            ):
                kept.append(part)
        told = {row["ref"] for row in kept}
        lanes = [
            {**lane, "spans": [span for span in lane["spans"] if window.meets(span)]}
            for lane in self._content["lanes"]
            if place in (None, lane["endpoint"])
        ]
        asked = {
            "versions": None if wanted is None else [ref for ref in self.versions if ref in wanted],
            "endpoint": place,
            "stage": stage,
            "since": start,
            "until": end,
        }
        links = [link for link in self._content["tree"]["links"] if {link["parent"], link["child"]} & told]
        linked = told | {ref for link in links for ref in (link["parent"], link["child"])}
        return History(
            {
                **self._content,
                "question": {**self._content["question"], "filter": asked},
                "versions": kept,
                "lanes": [
                    lane
                    for lane in lanes
                    if any(share["version"] in told for span in lane["spans"] for share in span["shares"])
                ],
                "events": [event for event in events if event["ref"] in told],
                "tree": {
                    **self._content["tree"],
                    "nodes": [node for node in self._content["tree"]["nodes"] if node["ref"] in linked],
                    "links": links,
                },
            },
            self._location,
        )

    def _wanted(self, versions: Iterable[str]) -> set[str]:
        by_version = {row["version"]: row["ref"] for row in self._content["versions"]}
        by_version |= {ref: ref for ref in self.versions}
        by_version |= {Ref.parse(ref).bare: ref for ref in self.versions}
        found = set()
        for text in [versions] if isinstance(versions, str) else versions:
            if text not in by_version:
                raise InvalidQuestion(f"no version {text!r} is in this history; there are: {_some(self.versions)}")
            found.add(by_version[text])
        return found

    def _place(self, endpoint: str) -> str:
        there = sorted({lane["endpoint"] for lane in self._content["lanes"]})
        found = [ref for ref in there if endpoint in (ref, Ref.parse(ref).bare, Ref.parse(ref).name)]
        if len(found) != 1:
            raise InvalidQuestion(
                f"{'several endpoints are' if found else 'no endpoint is'} called {endpoint!r} in this history; there are: "
                f"{_some(there)}"
            )
        return str(found[0])

    def __repr__(self) -> str:
        question = self._content["question"]
        count = len(self.versions)
        part = ", filtered" if "filter" in question else ""
        whole = "" if self.complete else "; the registry was not read completely"
        head = (
            f"<History {visible(self.ref)} as of {question['as_of']}: {count} version{'s' * (count != 1)}{part}{whole}>"
        )
        rows = shown(self._content)
        if count > _SHOWN:
            rows = [rows[0], *rows[-_SHOWN:]]
            head += f"\n(the last {_SHOWN} of {count})"
        return "\n".join([head, *text_table(rows[0], rows[1:])])


#: As many versions as a text shows.
_SHOWN = 20


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:10]) + (f" and {len(texts) - 10} more" if len(texts) > 10 else "") or "none"


class _Window:
    """A time that is asked about; without bounds, all of it."""

    def __init__(self, since: str | None, until: str | None) -> None:
        self.bounded = since is not None or until is not None
        self.start = None if since is None else parse_instant(since)
        self.end = None if until is None else parse_instant(until)

    def holds(self, earliest: str | None, at: str | None) -> bool:
        """Whether something may have happened in it; what has no date may have."""
        last = None if at is None else parse_instant(at)
        first = last if earliest is None else parse_instant(earliest)
        late = self.end is not None and first is not None and first >= self.end
        early = self.start is not None and last is not None and last < self.start
        return not late and not early

    def meets(self, item: Mapping[str, Any]) -> bool:
        """Whether something lasted in it."""
        late = self.end is not None and item["since"] is not None and parse_instant(item["since"]) >= self.end
        early = self.start is not None and item["until"] is not None and parse_instant(item["until"]) <= self.start
        return not late and not early
