"""A history of versions as tables, and as the lines of a text: what the columns are made from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..records import Ref, parse_instant
from ..roles import RELEASED_KINDS
from ..tables import frame, minute, visible

if TYPE_CHECKING:
    import pandas as pd

_TABLE = (
    *("ref", "version", "registered", "evaluated", "approved", "approved_by", "stage", "here", "first_served"),
    *("last_served", "serving", "rolled_back", "archived", "deleted", "data", "code"),
)
EVENTS = ("at", "earliest", "kind", "ref", "endpoint", "who", "text", "system", "position")
SERVING = (
    *("ref", "endpoint", "since", "until", "between_syncs", "deployment", "model", "version", "traffic", "state"),
    *("site", "environment"),
)
METRICS = ("ref", "metric", "value")
#: Of what a text shows.
_DATES = frozenset({"registered", "approved", "rolled_back"})
_MEASURED = ("params", "metrics")
_LEARNT = frozenset({"training", "retrieval"})


def table(content: Mapping[str, Any]) -> pd.DataFrame:
    """The versions side by side; :meth:`lineage_explorer.version_history.History.table` tells the columns."""
    rows = _rows(content)
    names = [sorted({name for row in rows for name in row if name.startswith(f"{kind}.")}) for kind in _MEASURED]
    return frame(rows, (*_TABLE, *names[0], *names[1]))


def _rows(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    events: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in content["events"]:
        events[event["ref"]].append(event)
    return [_row(version, events[version["ref"]]) for version in content["versions"]]


def _row(version: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    last = {event["kind"]: event["at"] for event in events}
    approved, by = _approved(version["gates"])
    serving = [row for row in version["serving"] if row["state"] in ("serving", "undetermined")]
    now = [row for row in serving if row["until"] is None]
    stage = next((item for item in reversed(version["stages"]) if item["until"] is None), None)
    # An agent learns from nothing; what it looks things up in is its data.
    trained = [row for row in version["data"] if _LEARNT & set(row["role"].split(" + "))]
    # What that was made from in turn is told only where no run is on record that read it.
    training = [row["ref"] for row in trained if row["how"] == "read by the run"] or [row["ref"] for row in trained]
    code = [
        _short(row["commit"] or row["ref"]) + (" (with changes)" if row["dirty"] else "") for row in version["code"]
    ]
    ends = [row["until"] for row in serving if row["until"] is not None]
    return {
        **{name: version[name] for name in ("ref", "version", "registered", "here")},
        "evaluated": last.get("evaluated"),
        "approved": approved,
        "approved_by": by,
        "stage": "not recorded" if stage is None else stage["stage"],
        "first_served": serving[0]["since"] if serving else None,
        "last_served": max(ends, key=parse_instant) if ends and not now else None,
        "serving": _serves(now),
        "rolled_back": last.get("rolled_back"),
        "archived": stage["since"] if stage is not None and stage["stage"] == "archived" else None,
        "deleted": version["gone_at"] if version["here"] is False else None,
        "data": ", ".join(training),
        "code": ", ".join(code),
        **{f"params.{name}": value for name, value in version["params"].items()},
        **{f"metrics.{name}": value for name, value in version["metrics"].items()},
    }


def _approved(gates: Iterable[Mapping[str, Any]]) -> tuple[str | None, str]:
    """When the last approval passed and by whom, if the last word of each approval gate is that it passed."""
    words: dict[str, Mapping[str, Any]] = {}
    for row in gates:  # in order of time
        if row["gate_type"] == "approval" and Ref.parse(row["subject"]).kind in RELEASED_KINDS:
            words[row["gate"]] = row
    if not words or any(row["status"] != "passed" for row in words.values()):
        return None, ""
    dates = [row["event_time"] for row in words.values() if row["event_time"] is not None]
    by = sorted({row["evaluator"] for row in words.values() if row["evaluator"]})
    return max(dates, key=parse_instant, default=None), ", ".join(by)


def _serves(rows: Iterable[Mapping[str, Any]]) -> str:
    """Where a version serves with which share, over all of its deployments there."""
    shares: dict[tuple[str, str], list[float | None]] = defaultdict(list)
    for row in rows:
        shares[row["endpoint"], row["site"]].append(row["traffic"])
    sites: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (endpoint, site), found in sorted(shares.items()):
        known = [share for share in found if share is not None]
        share = f"{sum(known):g} %" if len(known) == len(found) else "with a share that was not read"
        sites[Ref.parse(endpoint).name, share] += [site] if site else []
    return "; ".join(
        f"{name} {share}" + (f" at {', '.join(names)}" if names else "") for (name, share), names in sites.items()
    )


def _short(commit: str) -> str:
    return commit[:12] if len(commit) >= 40 and commit.isalnum() else commit


def shown(content: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """What a text shows of the versions, under its head: times to the minute, and nothing that a terminal would obey."""
    names = ("version", "registered", "approved", "approved_by", "stage", "serving", "rolled_back")
    return [
        names,
        *(
            tuple(
                visible(minute(row[name]) if name in _DATES else row[name] or row["ref"])
                if row[name] or name == "version"
                else ""
                for name in names
            )
            for row in _rows(content)
        ),
    ]
