"""Parameters and metrics of what was made together: a version, its logged model, its runs. Each is told once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..policy.conditions import condition_of
from ..roles import RELEASED_KINDS
from ..version_history.facts import metrics_of, params_of
from .aligning import Alignment
from .lineages import Lineage, Row, purpose
from .rows import Difference, delta_of, is_preparation, number_of, subject_of

#: Metrics of which everybody knows which way is better, where no gate says so: True, more is.
WELL_KNOWN: dict[str, bool] = {
    "accuracy": True,
    "auc": True,
    "f1": True,
    "precision": True,
    "recall": True,
    "r2": True,
    "error rate": False,
    "latency": False,
    "loss": False,
    "mae": False,
    "mse": False,
    "rmse": False,
}
#: Words that say where, over what or in which unit something was measured.
_QUALIFIERS = frozenset(
    [
        "train",
        "training",
        "val",
        "valid",
        "validation",
        "test",
        "eval",
        "evaluation",
        "holdout",
        "mean",
        "average",
        "avg",
        "macro",
        "micro",
        "weighted",
        "roc",
        "score",
        "p50",
        "p90",
        "p95",
        "p99",
        "ms",
        "s",
        "sec",
        "seconds",
        "log",
        "cross",
        "entropy",
        "binary",
        "median",
        "best",
        "final",
    ]
)


def better_of(name: str, stated: Mapping[str, bool | None]) -> bool | None:
    """Whether more of a metric is better; None where nothing says so.

    Parameters
    ----------
    name : str
        The metric.
    stated : mapping
        What gates on record say, as :func:`directions` gives it.

    Examples
    --------
    >>> better_of("val_roc_auc", {}), better_of("test.RMSE", {}), better_of("auc_drop", {}), better_of("cost", {"cost": False})
    (True, False, None, False)
    """
    if name in stated:
        return stated[name]
    words = [word for word in re.split(r"[^a-z0-9]+", name.casefold()) if word]
    if "r2" in words:
        words = [word for word in words if word != "score"]
    left = " ".join(word for word in words if word not in _QUALIFIERS)
    return WELL_KNOWN.get(left)


def directions(*sides: Lineage) -> dict[str, bool | None]:
    """Which way is better by the conditions of gates on record; None where they contradict each other."""
    found: dict[str, set[bool]] = defaultdict(set)
    for side in sides:
        for row in side.content["evidence"]:
            condition = condition_of(row)
            if isinstance(condition, tuple) and condition[1] != "==":
                for name in {condition[0], _metric(row)}:
                    found[name].add(condition[1] in (">", ">="))
    return {name: next(iter(ways)) if len(ways) == 1 else None for name, ways in found.items()}


def _metric(row: Row) -> str:
    return str((row.get("attributes") or {}).get("metric") or row["gate"])


class _Value(NamedTuple):
    """A value, who states it, and in which capacity."""

    value: Any
    ref: str
    source: str


def of_makings(a: Lineage, b: Lineage, found: Alignment) -> Iterator[Difference]:
    """Parameters and metrics of all that was made, on both sides."""
    stated = directions(a, b)
    members = [_members(side) for side in (a, b)]
    for left, right in _pairs(a, b, found):
        first, second = members[0][left], members[1][right]
        yield from _params(_Made(a, left, first), _Made(b, right, second))
        yield from _metrics(_Made(a, left, first), _Made(b, right, second), stated)


class _Made(NamedTuple):
    side: Lineage
    main: str
    members: list[str]


def _members(side: Lineage) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for ref, main in sorted(side.makers.items()):
        found[main].append(ref)
    return found


def _pairs(a: Lineage, b: Lineage, found: Alignment) -> list[tuple[str, str]]:
    """Which makings stand at the same place: by their models, and only where there is none by their runs."""
    pairs: set[tuple[str, str]] = set()
    by_runs: set[tuple[str, str]] = set()
    for left, right in found.pairs():
        # What is only shown, behind a deployment that answers nobody, was not traced: nothing can be missing there.
        if left in a.makers and right in b.makers and left in a.walked and right in b.walked:
            pair = (a.makers[left], b.makers[right])
            if a.nodes[left]["kind"] in RELEASED_KINDS:
                pairs.add(pair)
            elif {a.nodes[pair[0]]["kind"], b.nodes[pair[1]]["kind"]} == {"run"}:
                by_runs.add(pair)
    known = {one for one, _ in pairs}, {other for _, other in pairs}
    # A logged model's counterpart may be a version of another making; what their versions are is what counts.
    firm = {
        pair for pair in pairs if found.other.get(pair[0]) == pair[1] or (pair[0] == pair[1] and pair[0] in found.same)
    }
    settled = {one for one, _ in firm}, {other for _, other in firm}
    loose = {pair for pair in pairs - firm if pair[0] not in settled[0] and pair[1] not in settled[1]}
    runs = {pair for pair in by_runs if pair[0] not in known[0] and pair[1] not in known[1]}
    return sorted(firm | loose | runs)


# --- parameters ---


def _params(first: _Made, second: _Made) -> Iterator[Difference]:
    was, now = _stated_params(first), _stated_params(second)
    preparing = is_preparation(first.side, first.main) and is_preparation(second.side, second.main)
    aspect = "preparation" if preparing else "parameter"
    one = first.main == second.main
    for name in sorted(was.keys() | now.keys()):
        left, right = _texts(was.get(name, ())), _texts(now.get(name, ()))
        unread = name == "…" and not one
        if left == right and not unread:
            continue
        note = ""
        if unread:
            note = "so many parameters are not on record, and not compared"
        elif len(was.get(name, ())) > 1 or len(now.get(name, ())) > 1:
            if {item.value for item in was.get(name, ())} == {item.value for item in now.get(name, ())}:
                continue
            note = "a run and its model state different values"
        elif left is not None and right is not None and delta_of(left, right) == 0:
            note = "the same number, written otherwise"
        yield Difference(
            aspect,
            subject_of(first.side, first.main, second.side, second.main),
            name,
            left,
            right,
            _holder(first, was.get(name, ())),
            _holder(second, now.get(name, ())),
            note,
            delta_of(left, right),
        )


def _stated_params(made: _Made) -> dict[str, list[_Value]]:
    """Every value of each parameter, once; those of runs that only evaluated are not the model's."""
    found: dict[str, dict[str, _Value]] = defaultdict(dict)
    kinds = made.side.nodes
    for ref in sorted(made.members, key=lambda ref: (kinds[ref]["kind"] != "run", ref)):
        if ref in made.side.flow or ref == made.main:
            for name, value in params_of(made.side.record(ref)).items():
                found[name].setdefault(value, _Value(value, ref, ""))
    return {name: sorted(values.values()) for name, values in found.items()}


def _texts(values: Iterable[_Value]) -> str | None:
    words = [item.value for item in values]
    return " · ".join(words) if words else None


def _holder(made: _Made, values: Iterable[_Value]) -> str:
    return min((item.ref for item in values), default=made.main)


# --- metrics ---


def _metrics(first: _Made, second: _Made, stated: Mapping[str, bool | None]) -> Iterator[Difference]:
    was, now = _measured(first), _measured(second)
    for name in sorted(was.keys() | now.keys()):
        left, right = _distinct(was.get(name, ())), _distinct(now.get(name, ()))
        if left.keys() == right.keys():
            continue
        if len(left) <= 1 and len(right) <= 1:
            yield _metric_row(
                first, second, name, next(iter(left.values()), None), next(iter(right.values()), None), stated
            )
        else:
            yield from _by_source(first, second, name, was.get(name, ()), now.get(name, ()), stated)


def _measured(made: _Made) -> dict[str, list[_Value]]:
    found: dict[str, list[_Value]] = defaultdict(list)
    for ref in made.members:
        record = made.side.record(ref)
        source = f"{record.get('activity', '')} {purpose(made.side.title(ref))}".strip()
        numbers, texts = metrics_of(record)
        for name, value in {**texts, **numbers}.items():
            found[name].append(_Value(value, ref, source or "model"))
        for row in made.side.evidence.get(ref, ()):
            value = number_of(row["actual"])
            if value is not None:
                found[_metric(row)].append(_Value(value, ref, f"gate {row['gate']}"))
    return found


def _key(value: Any) -> str:
    # Gates write twelve digits of what was measured with seventeen.
    return f"{value:.10g}" if isinstance(value, float) else plain_text(value)


def plain_text(value: Any) -> str:
    """A value that is no number, marked so that it is never taken for one."""
    return f"text {value}"


def _distinct(values: Iterable[_Value]) -> dict[str, _Value]:
    """Every value once, as whoever states it with most digits does."""
    found: dict[str, _Value] = {}
    for item in sorted(values, key=lambda item: (-len(repr(item.value)), str(item.value), item.ref)):
        found.setdefault(_key(item.value), item)
    return found


def _by_source(
    first: _Made,
    second: _Made,
    name: str,
    was: Iterable[_Value],
    now: Iterable[_Value],
    stated: Mapping[str, bool | None],
) -> Iterator[Difference]:
    """A metric with several values on a side: each against the one that was measured in the same capacity."""
    sources: dict[str, tuple[list[_Value], list[_Value]]] = defaultdict(lambda: ([], []))
    for index, values in enumerate((was, now)):
        for item in values:
            sources[item.source][index].append(item)
    told: set[tuple[str, ...]] = set()
    for source, (before, after) in sorted(sources.items(), key=lambda item: (item[0].startswith("gate "), item[0])):
        left, right = _distinct(before), _distinct(after)
        keys = ("|".join(sorted(left)), "|".join(sorted(right)))
        if left.keys() == right.keys() or keys in told:
            continue
        told.add(keys)
        if len(left) <= 1 and len(right) <= 1:
            one, other = next(iter(left.values()), None), next(iter(right.values()), None)
            if None in (one, other) and any(key in "|".join(pair) for pair in told - {keys} for key in (*left, *right)):
                continue  # the same value, stated in one more place
            yield _metric_row(first, second, name, one, other, stated, f"measured by: {source}")
        else:
            texts = [", ".join(sorted(str(item.value) for item in side.values())) or None for side in (left, right)]
            yield Difference(
                "metric",
                subject_of(first.side, first.main, second.side, second.main),
                name,
                texts[0],
                texts[1],
                first.main,
                second.main,
                f"several values, measured by: {source}",
            )


def _metric_row(
    first: _Made,
    second: _Made,
    name: str,
    was: _Value | None,
    now: _Value | None,
    stated: Mapping[str, bool | None],
    note: str = "",
) -> Difference:
    left, right = was and was.value, now and now.value
    delta = delta_of(left, right) if isinstance(left, float) and isinstance(right, float) else None
    up = better_of(name, stated)
    preparing = is_preparation(first.side, first.main) and is_preparation(second.side, second.main)
    return Difference(
        "preparation" if preparing else "metric",
        subject_of(first.side, first.main, second.side, second.main),
        name,
        left,
        right,
        was.ref if was else first.main,
        now.ref if now else second.main,
        note,
        delta,
        None if not delta or up is None else (delta > 0) == up,
    )
