"""Which of several places run the same thing."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..documents import Documented, location_of
from ..errors import InvalidQuestion
from ..policy import Policy
from ..roles import DATA_KINDS, RELEASED_KINDS
from .asking import Asked, contents
from .lineages import Lineage, Row, natural

if TYPE_CHECKING:
    import pandas as pd

    from ..store import Store

FORMAT = "lineage-explorer/likeness"
_COLUMNS = ("endpoint", "site", "as_of", "group", "models", "data", "code", "verdict", "note")
_WORST = ("FAILED", "INCOMPLETE", "PASSED")


class Likeness(Documented):
    """Which of several places run the same thing: made by :func:`alike`."""

    def __repr__(self) -> str:
        rows = self._content["rows"]
        groups = len({row["group"] for row in rows})
        return f"<Likeness of {len(rows)} place{'s' * (len(rows) != 1)}: {'the same' if self.same else f'{groups} groups'}>"

    def _repr_html_(self) -> str:
        rows = [
            "".join(
                f"<td>{html.escape(', '.join(value) if isinstance(value, list) else str('' if value is None else value))}</td>"
                for value in (row[name] for name in _COLUMNS)
            )
            for row in self._content["rows"]
        ]
        head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"
        )

    @property
    def same(self) -> bool:
        """Whether all of them are known to run the same thing."""
        rows = self._content["rows"]
        return bool(rows) and len({row["group"] for row in rows}) == 1 and all(row["known"] for row in rows)

    def table(self) -> pd.DataFrame:
        """The places, each with the group of those that run the same thing.

        Returns
        -------
        pandas.DataFrame
            ``endpoint``, ``site``, ``as_of``, ``group`` (counted from 1), ``models``, ``data`` (what identifies the training data),
            ``code`` (lists of text), ``verdict``, ``note``.
        """
        import pandas as pd

        rows = [[row[name] for name in _COLUMNS] for row in self._content["rows"]]
        return pd.DataFrame(rows, columns=list(_COLUMNS))


def alike(
    sides: Asked | Sequence[Asked],
    store: Store | None = None,
    policy: str | Path | Policy | None = None,
    known_at: datetime | str | None = None,
) -> Likeness:
    """Do several places run the same thing: five plants of one endpoint, or three channels?

    Two places run the same thing when the same versions answer there with the same shares, and nothing on record about
    data, code or digests contradicts it. Where that is not known, a place stands alone.

    Parameters
    ----------
    sides : str, Audit, dict or list of them
        One endpoint with several sites, or several endpoints, instants (``REF@@INSTANT``) or audits.
    store, policy, known_at
        As for :func:`compare`.

    Returns
    -------
    Likeness
        A row for each endpoint and site.

    Raises
    ------
    InvalidQuestion
        When nothing is given, or a side cannot be compared.
    UnknownReference, AmbiguousReference, InvalidInstant, PolicyError
        As :func:`lineage_explorer.audit`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from lineage_explorer import Entity, Relation, open_store
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append(
    ...         record
    ...         for site, version in (("brno", 3), ("graz", 2), ("porto", 2))
    ...         for record in (
    ...             Entity(ref=f"model:m@{version}"),
    ...             Relation(effect=f"deployment:e:{site}", predicate="deploys", cause=f"model:m@{version}", basis="identifier"),
    ...             Relation(
    ...                 effect="endpoint:e", predicate="serves", cause=f"deployment:e:{site}", basis="identifier", site=site,
    ...                 traffic=100.0,
    ...             ),
    ...         )
    ...     )
    ...     alike("endpoint:e", store).table()[["site", "group"]].values.tolist()
    [['brno', 1], ['graz', 2], ['porto', 2]]
    """
    from ..audits import Audit

    given: list[Asked] = [sides] if isinstance(sides, (str, Mapping, Audit)) else list(sides)
    if not given:
        raise InvalidQuestion("nothing is given to look for what is alike among it")
    rows = [row for content in contents(given, store, policy, known_at) for row in _rows(Lineage(content))]
    groups: dict[Any, int] = {}
    for index, (row, key) in enumerate(rows):
        # What is not known is like nothing, not even like something else that is not known.
        row["group"] = groups.setdefault(("alone", index) if key is None else key, len(groups) + 1)
    return Likeness({"format": FORMAT, "rows": [row for row, _ in rows]}, None if store is None else location_of(store))


def _rows(side: Lineage) -> Iterator[tuple[dict[str, Any], Any]]:
    served: dict[str, list[Row]] = defaultdict(list)
    for row in side.serving:
        served[row["site"]].append(row)
    if side.candidate:
        served = {
            "": [{"model": side.candidate, "traffic": 100.0, "state": "serving", "verdict": side.content["verdict"]}]
        }
    for site, rows in sorted(served.items()) or [("", [])]:
        yield _row(side, site, [row for row in rows if row["verdict"] is not None])


def _row(side: Lineage, site: str, rows: list[Row]) -> tuple[dict[str, Any], Any]:
    notes: list[str] = []
    unknown = [word for row in rows for word in _unknown(side, row)]
    if not rows:
        unknown.append("nothing that is on record answers")
    shares: dict[str, float] = {}
    for row in rows:
        if row["model"]:
            meant = _meant(side, row["model"])
            name = meant[0] if len(meant) == 1 else row["model"]
            if name != row["model"]:
                notes.append(f"{row['model']} points at {name}")
            shares[name] = shares.get(name, 0.0) + (row["traffic"] or 0.0)
    models = sorted(shares, key=natural)
    above = {ref for model in models for ref in _above(side, model)}
    data = sorted({_identity(side, ref) for ref in above if is_training_data(side, ref)})
    code = sorted(ref for ref in above if side.nodes[ref]["kind"] == "code")
    if len(models) > 1:
        notes.append("; ".join(f"{model} {shares[model]:g} %" for model in models))
    notes += [f"{model} was made from {origin}" for model in models for origin in _origins(side, model)]
    unknown += [f"no record describes {model}" for model in models if not side.nodes[model]["resolved"]]
    digests = tuple(side.nodes[model]["digest"] for model in models)
    verdicts = {row["verdict"] for row in rows}
    note = "; ".join(dict.fromkeys([*(f"not known to be like any other: {word}" for word in unknown), *notes]))
    row = {
        "endpoint": side.candidate or side.content["question"]["endpoint"],
        "site": site,
        "as_of": side.content["question"]["as_of"],
        "group": 0,
        "models": models,
        "data": data,
        "code": code,
        "verdict": next((verdict for verdict in _WORST if verdict in verdicts), None),
        "note": note,
        "known": not unknown,
    }
    key = None if unknown else (tuple(sorted(shares.items())), digests, tuple(data), tuple(code))
    return row, key


def _unknown(side: Lineage, row: Row) -> Iterator[str]:
    if row["model"] is None:
        yield f"{row['deployment']} does not say which model it runs"
    elif len(found := _meant(side, row["model"])) != 1:
        many = f"{len(found)} versions" if found else "no version on record"
        yield f"{row['model']} points at {many}"
    if row["state"] != "serving":
        yield f"the share of {row['deployment']} was not read"


def _meant(side: Lineage, ref: str) -> list[str]:
    """The versions that an alias leads to; a version itself."""
    found, seen, queue = set(), set(), [ref]
    while queue:
        one = queue.pop()
        if one in seen:
            continue
        seen.add(one)
        if side.is_alias(one):
            queue += [
                hop["cause"] for hop in side.causes.get(one, ()) if hop["predicate"] in ("alias_of", "alternate_of")
            ]
        else:
            found.add(one)
    return sorted(found)


def _above(side: Lineage, model: str) -> set[str]:
    found, queue = {model}, [model]
    while queue:
        for hop in side.causes.get(queue.pop(), ()):
            if hop["cause"] not in found:
                found.add(hop["cause"])
                queue.append(hop["cause"])
    return found


def is_training_data(side: Lineage, ref: str) -> bool:
    """Whether a thing is data that a version learnt from."""
    return side.nodes[ref]["kind"] in DATA_KINDS and "training" in side.nodes[ref]["roles"]


def _identity(side: Lineage, ref: str) -> str:
    """What identifies data: its reference, and its digest where the reference does not hold it."""
    digest = side.nodes[ref]["digest"]
    return ref if not digest or digest == side.nodes[ref]["version"] else f"{ref} {digest}"


def _origins(side: Lineage, model: str) -> list[str]:
    """Other versions that a version was copied or tuned from."""
    return sorted(
        {
            hop["cause"]
            for hop in side.causes.get(model, ())
            if hop["predicate"] == "was_derived_from"
            and side.nodes[hop["cause"]]["kind"] in RELEASED_KINDS - {"logged_model"}
        }
    )
