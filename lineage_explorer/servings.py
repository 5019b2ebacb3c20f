"""Who served an endpoint when, with gaps and overlaps named: shown as it is on record, not judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .content import iso
from .documents import Documented
from .errors import InvalidQuestion
from .findings import adds_up, split_not_read, wrong_sums
from .gathering import fitting, instants
from .records import format_instant, parse_instant
from .references import micros_of
from .release_history import ReleaseHistory, Span, environments_of
from .tables import frame
from .trace import Serving

if TYPE_CHECKING:
    import pandas as pd

    from .store import Store

FORMAT = "lineage-explorer/serving"
_COLUMNS = (
    "endpoint",
    "since",
    "until",
    "kind",
    "site",
    "deployment",
    "model",
    "version",
    "traffic",
    "state",
    "environment",
    "between_syncs",
    "finding",
)


# --- for people ---


def serving(
    store: Store,
    endpoint: str,
    start: datetime | str | None = None,
    end: datetime | str | None = None,
    known_at: datetime | str | None = None,
) -> pd.DataFrame:
    """Who served an endpoint when, with gaps and overlaps named.

    Parameters
    ----------
    store : Store
        As :func:`lineage_explorer.open_store` gives it.
    endpoint : str
        A reference (``endpoint:churn-prod``) or a plain name.
    start : datetime or str, optional
        From when on, with a time zone; since the first record by default.
    end : datetime or str, optional
        Up to when, with a time zone. What lies after now is not told: a later end is as good as now. Without one, what
        lasts has no end.
    known_at : datetime or str, optional
        Only what the store knew by then; everything by default.

    Returns
    -------
    pandas.DataFrame
        A row for each share of each span, and one for each site (or span) at which nothing is deployed: ``endpoint``,
        ``since`` (NaT before the first record), ``until`` (NaT while it lasts), ``kind`` of the span (``served``, ``gap``
        when nobody answers, ``unknown`` before the first record), ``site``, ``deployment``, ``model`` (as the deployment
        names it), ``version`` (what an alias pointed at, where that is one), ``traffic`` (percent as recorded, never
        rescaled; NaN when it was not read), ``state`` (``serving``, ``deployed``, ``shadow``, ``undetermined``),
        ``environment``, ``between_syncs`` (``since`` is only when it was first seen), ``finding`` (in words; empty where
        there is nothing to say). Times in UTC.

    Raises
    ------
    UnknownReference, AmbiguousReference
        When the endpoint cannot be singled out; the message lists the nearest.
    InvalidInstant
        When a time cannot be read or has no time zone.
    InvalidQuestion
        When the start is not before the end, or not before now.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Relation, parse_instant
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append(
    ...         Relation(
    ...             effect="endpoint:churn", predicate="serves", cause="deployment:churn:blue", basis="identifier",
    ...             slot="live", traffic=traffic, valid_from=parse_instant(f"2026-0{month}-01T00:00:00Z"),
    ...         )
    ...         for month, traffic in ((3, 80.0), (5, 0.0))
    ...     )
    ...     found = serving(store, "churn", "2026-02-01T00:00:00Z", "2026-06-01T00:00:00Z")
    >>> found[["kind", "traffic"]].values.tolist()
    [['unknown', nan], ['served', 80.0], ['gap', 0.0]]
    >>> found["finding"].tolist()[1]
    'The recorded traffic of endpoint:churn adds up to 80 %, not 100 %'
    """
    return serving_frame(serving_document(store, endpoint, start, end, known_at))


def serving_document(
    store: Store,
    endpoint: str,
    start: datetime | str | None = None,
    end: datetime | str | None = None,
    known_at: datetime | str | None = None,
) -> dict[str, Any]:
    """The same as a document.

    Parameters
    ----------
    store, endpoint, start, end, known_at
        As for :func:`serving`.

    Returns
    -------
    dict
        Plain JSON values: ``question`` and ``spans``, which follow one another without a hole, each with ``since``,
        ``until``, ``between_syncs``, ``kind``, ``shares`` and ``findings`` (``code``, ``site``, ``message``). The codes:
        ``no-deployment`` and ``no-traffic`` (nobody answers), ``not-recorded`` (before the first record), ``overlap`` and
        ``short`` (the traffic recorded at a site is more or less than 100 %), ``split-not-read``, ``contradiction``.

    Raises
    ------
    UnknownReference, AmbiguousReference, InvalidInstant, InvalidQuestion
        As :func:`serving`.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import Entity, open_store
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append([Entity(ref="endpoint:churn")])
    ...     [(span["kind"], span["since"], span["until"]) for span in serving_document(store, "churn")["spans"]]
    [('unknown', None, None)]
    """
    ref = store.resolve(endpoint, "endpoint")
    now, known = instants(store, None, known_at)
    first, last = _bounds(start, end, now)
    begin, finish = (None if one is None else micros_of(one) for one in (first, last))
    with fitting(store):
        history = ReleaseHistory(store, [ref], known)
        environments = environments_of(store, history, now if last is None else last, known)
        spans = list(
            told_spans(ref, history.spans(ref, contradicted=True), environments, begin, finish, micros_of(now))
        )
    question = {"endpoint": ref, "since": iso(begin), "until": iso(finish), "known_at": format_instant(known)}
    return Documented({"format": FORMAT, "question": question, "spans": spans}).to_dict()


def _bounds(
    start: datetime | str | None, end: datetime | str | None, now: datetime
) -> tuple[datetime | None, datetime | None]:
    first = None if start is None else parse_instant(start)
    last = None if end is None else min(parse_instant(end), now)
    if first is not None and first >= (last or now):
        raise InvalidQuestion(
            f"{format_instant(first)} is not before {'now' if last in (None, now) else format_instant(last or now)}: "
            "a time to be told of begins before it ends, and is not to come"
        )
    return first, last


def serving_frame(document: Mapping[str, Any]) -> pd.DataFrame:
    """A document of who served when as the table that :func:`serving` gives."""
    rows = (row for span in document["spans"] for row in _rows(document["question"]["endpoint"], span))
    found = frame(rows, _COLUMNS)
    found["traffic"] = found["traffic"].astype(float)
    return found


def _rows(endpoint: str, span: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    said: dict[str, list[str]] = defaultdict(list)
    for finding in span["findings"]:
        said[finding["site"]].append(finding["message"])
    sites = {share["site"] for share in span["shares"]}
    common = {"endpoint": endpoint, **{name: span[name] for name in ("since", "until", "kind", "between_syncs")}}
    for row in [*span["shares"], *({"site": site} for site in sorted(said.keys() - sites))]:
        yield {**common, **row, "finding": "; ".join(said.get(row["site"], ()))}


# --- what a span comes to ---


def share_row(row: Mapping[str, Any], environments: Mapping[str, str]) -> dict[str, Any]:
    """What a deployment had of an endpoint's requests, by a row of :func:`releases`."""
    return {
        **{name: row[name] for name in ("deployment", "model")},
        # An alias that points at one version serves that version.
        "version": row["points_at"][0] if len(row["points_at"]) == 1 else row["model"],
        **{name: row[name] for name in ("traffic", "state", "site")},
        "environment": environments.get(row["deployment"], ""),
    }


def told_spans(
    endpoint: str,
    spans: Iterable[Span],
    environments: Mapping[str, str],
    start: int | None,
    end: int | None,
    now: int,
) -> Iterator[dict[str, Any]]:
    """The part of a history that lies between two instants; before its first record, nothing is known."""
    limit = now + 1 if end is None else end
    sites: set[str] = set()
    told = False
    for span in spans:
        if span.start >= limit:
            break
        sites |= {row["site"] for row in span.serving}
        if start is not None and span.end is not None and span.end <= start:
            continue
        if start is not None and start < span.start and not told:
            yield _unknown(endpoint, start, span.start)
        told = True
        since = span.start if start is None else max(start, span.start)
        # What is announced to end later has not ended.
        until = end if span.end is None or span.end >= limit else span.end
        items = [
            Serving(row["deployment"], row["model"], row["traffic"], row["state"], row["site"]) for row in span.serving
        ]
        disagreeing = [("contradiction", site, message) for site, message in span.contradictions]
        yield {
            "since": iso(since),
            "until": iso(until),
            # Where the time asked about begins is no change.
            "between_syncs": span.between_syncs and since == span.start,
            "kind": "served" if any(item.answers for item in items) else "gap",
            "shares": [share_row(row, environments) for row in span.serving],
            "findings": [
                {"code": code, "site": site, "message": message}
                for site, code, message in sorted(
                    {
                        (site, code, message)
                        for code, site, message in (
                            *_gaps(endpoint, items, sites),
                            *_splits(endpoint, items),
                            *disagreeing,
                        )
                    }
                )
            ],
        }
    if not told:
        yield _unknown(endpoint, start, end)


def _unknown(endpoint: str, since: int | None, until: int | None) -> dict[str, Any]:
    message = f"Nothing is on record of who served {endpoint} in this time"
    return {
        "since": iso(since),
        "until": iso(until),
        "between_syncs": False,
        "kind": "unknown",
        "shares": [],
        "findings": [{"code": "not-recorded", "site": "", "message": message}],
    }


def _gaps(endpoint: str, items: Sequence[Serving], sites: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Sites that were heard of by then, and at which nobody answers."""
    known = set(sites)
    for site in known:
        own = [item for item in items if item.site == site]
        # Where sites are told apart, there is no deployment without one, and need not be.
        if any(item.answers for item in own) or (not own and not site and len(known) > 1):
            continue
        where = f" at {site}" if site else ""
        if own:
            yield (
                "no-traffic",
                site,
                f"{endpoint}{where} has deployments, and none of them receives traffic in this time",
            )
        else:
            yield "no-deployment", site, f"{endpoint}{where} has no deployment on record in this time"


def _splits(endpoint: str, items: Sequence[Serving]) -> Iterator[tuple[str, str, str]]:
    """Recorded shares that do not come to 100 %, that were not read, or that sources do not agree on."""
    said: dict[tuple[str, str], set[float]] = defaultdict(set)
    for item in items:
        if item.state == "undetermined":
            yield "split-not-read", item.site, split_not_read(item.deployment)
        elif item.state != "shadow" and item.traffic is not None:
            said[item.deployment, item.site].add(item.traffic)
    disputed = set()
    for (deployment, site), shares in said.items():
        if len(shares) > 1:
            disputed.add(site)
            where = f" at {site}" if site else ""
            told = ", ".join(f"{share:g} %" for share in sorted(shares))
            yield (
                "contradiction",
                site,
                f"Sources contradict each other about the traffic of {deployment}{where}: {told}",
            )
    for site, total in wrong_sums(items):
        # What disputed shares add up to, nobody can say.
        if site not in disputed:
            yield "overlap" if total > 100 else "short", site, adds_up(endpoint, site, total)


# --- as it is on record ---


def releases(store: Store, endpoint: str, known_at: datetime | str | None = None) -> list[dict[str, Any]]:
    """The spans in which the same things served an endpoint.

    Inside a span, :func:`lineage_explorer.audit` gives the same ``serving`` at any instant. Before the first span nothing
    is on record; after it there is no hole: while nothing served, a span says so.

    Parameters
    ----------
    store : Store
        As :func:`lineage_explorer.open_store` gives it.
    endpoint : str
        A reference (``endpoint:churn-prod``) or a plain name.
    known_at : datetime or str, optional
        Only what the store knew by then; everything by default.

    Returns
    -------
    list of dict
        Oldest first: ``since``, ``until`` (None while it lasts), ``serving`` (``deployment``, ``model``, ``traffic``, ``state``,
        ``site``, and ``points_at``: what the model's alias pointed at), ``between_syncs`` (``since`` is only when it was
        first seen; it may have begun earlier, after the sync before).

    Raises
    ------
    UnknownReference, AmbiguousReference
        When the endpoint cannot be singled out; the message lists the nearest.
    InvalidInstant
        When a time cannot be read or has no time zone.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Relation, parse_instant
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append(
    ...         Relation(
    ...             effect="endpoint:churn", predicate="serves", cause=f"deployment:churn:{colour}", basis="identifier",
    ...             slot="live", traffic=100.0, valid_from=parse_instant(f"2026-0{month}-01T00:00:00Z"),
    ...         )
    ...         for month, colour in ((3, "blue"), (5, "green"))
    ...     )
    ...     [(item["since"], item["until"], item["serving"][0]["deployment"]) for item in releases(store, "churn")]
    [('2026-03-01T00:00:00Z', '2026-05-01T00:00:00Z', 'deployment:churn:blue'), ('2026-05-01T00:00:00Z', None, 'deployment:churn:green')]
    """
    ref = store.resolve(endpoint, "endpoint")
    _, known = instants(store, None, known_at)
    with fitting(store):
        return [
            {
                "since": iso(span.start),
                "until": iso(span.end),
                "serving": span.serving,
                "between_syncs": span.between_syncs,
            }
            for span in ReleaseHistory(store, [ref], known).spans(ref)
        ]
