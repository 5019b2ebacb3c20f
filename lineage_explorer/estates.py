"""Every endpoint of an estate against one policy: a row for each, as a stream.

A row is judged by the very steps of :func:`lineage_explorer.audit`, on the same graph; what is left out is what a row
does not show. It is quick because endpoints are read by the hundred (:mod:`lineage_explorer.store.shared`) and, where
there are many, by several processes.
"""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .answering import Asked, answered, unproved
from .content import STATUS_ORDER
from .dealing import cores, deal
from .errors import LineageError, PolicyError, StoreError
from .facts import facts_for
from .gathering import add_evaluations, describe, evidence_about, fitting, instants
from .graph import bare_refs, from_reached, join
from .policy import Policy, load_policy, verdict_of
from .policy.judging import IN_FORCE
from .records import digest_of, format_instant, parse_instant
from .references import micros
from .release_history import ReleaseHistory
from .store.engines import SQLite
from .store.reading import Readable
from .store.shared import Shared
from .verdicts import Judged

if TYPE_CHECKING:
    import pandas as pd

    from .store import Store

FORMAT = "lineage-explorer/estate"
FORMAT_VERSION = 1
Row = dict[str, Any]
#: Read together, and forgotten together: memory is what these need, however many endpoints there are.
_PORTION = 200
#: With fewer endpoints than this, another process takes longer to start than it saves.
_MANY = 1_000
_MOST_PROCESSES = 4
_ROOM = 300
_COLUMNS = ("ref", "verdict", "holds", "fails", "undetermined", "finding")


@dataclass(frozen=True)
class _Question:
    """What every row answers."""

    policy: Policy
    now: datetime
    as_of: datetime
    known_at: datetime
    policy_as_of: datetime | None

    def to_dict(self) -> dict[str, Any]:
        in_force = self.policy.in_force(micros(format_instant(self.policy_as_of or self.as_of)))
        return {
            "as_of": format_instant(self.as_of),
            "known_at": format_instant(self.known_at),
            "policy": {
                "name": self.policy.name,
                "version": in_force.version if in_force else "",
                "digest": in_force.digest if in_force else self.policy.digest,
                "form": self.policy.form,
                "judged_as_of": None if self.policy_as_of is None else format_instant(self.policy_as_of),
            },
        }

    @cached_property
    def gates(self) -> dict[str, str]:
        """Titles of the requirements of all versions by id, in the order in which they first stood there."""
        found = {item.id: item.title for version in self.policy.versions for item in version.requirement}
        versions = self.policy.versions
        if len(versions) != 1 or versions[0].effective_from is not None:
            found[IN_FORCE] = "A version of the policy was in force"
        return found


def estate(
    store: Store,
    policy: str | Path | Policy | None = None,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
    progress: bool = False,
    *,
    policy_as_of: datetime | str | None = None,
    processes: int | None = None,
) -> Iterator[Row]:
    """Judge every endpoint, one row after another in the order of their references.

    Memory does not grow with the estate, but for the list of its endpoints.

    Parameters
    ----------
    store : Store
        As :func:`lineage_explorer.open_store` gives it.
    policy : str, Path or Policy, optional
        A shipped policy's name or a TOML file; ``default`` by default.
    as_of, known_at, policy_as_of : datetime or str, optional
        As :func:`lineage_explorer.audit` takes them.
    progress : bool
        Show a progress bar.
    processes : int, optional
        How many to judge in. By default as many as there are processors (four at most) for a store in a file and
        a thousand endpoints or more, else this one alone.

    Returns
    -------
    iterator of dict
        ``ref``, ``verdict`` (that of :func:`lineage_explorer.audit`), ``holds``, ``fails``, ``undetermined`` (how many
        requirements on how many hops), ``finding`` (in words: what the verdict is owed to first) and ``cells`` (by id of
        a requirement: its worst status, ``""`` where it applies to no hop). An endpoint that cannot be judged
        is INCOMPLETE, and its finding says why.

    Raises
    ------
    InvalidInstant, PolicyError
        As :func:`lineage_explorer.audit` does.
    StoreError
        When the store itself cannot be read.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Entity
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append([Entity(ref="endpoint:churn-prod"), Entity(ref="endpoint:credit-prod")])
    ...     [(row["ref"], row["verdict"]) for row in estate(store)]
    [('endpoint:churn-prod', 'INCOMPLETE'), ('endpoint:credit-prod', 'INCOMPLETE')]
    """
    return _rows(store, _asked(store, policy, as_of, known_at, policy_as_of), progress, processes)


def audit_estate(
    store: Store,
    policy: str | Path | Policy | None = None,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
    *,
    progress: bool = True,
    policy_as_of: datetime | str | None = None,
    processes: int | None = None,
) -> pd.DataFrame:
    """Judge every endpoint, as a table of endpoints and requirements.

    Parameters
    ----------
    store, policy, as_of, known_at, progress, policy_as_of, processes
        As :func:`estate` takes them.

    Returns
    -------
    pandas.DataFrame
        One row for each endpoint: ``ref``, ``verdict``, ``holds``, ``fails``, ``undetermined``, ``finding``, then one column
        for each requirement with its worst status on that endpoint. ``df.attrs["question"]`` holds the instants and
        the policy's name, version and digest.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Entity
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append([Entity(ref="endpoint:churn-prod")])
    ...     audit_estate(store, progress=False)["verdict"].value_counts().to_dict()
    {'INCOMPLETE': 1}
    """
    import pandas as pd

    asked = _asked(store, policy, as_of, known_at, policy_as_of)
    gates = list(asked.gates)
    rows = (
        (*(row[name] for name in _COLUMNS), *(row["cells"][gate] for gate in gates))
        for row in _rows(store, asked, progress, processes)
    )
    frame = pd.DataFrame(rows, columns=columns(gates))
    frame.attrs["question"] = asked.to_dict()
    return frame


def estate_document(
    store: Store,
    policy: str | Path | Policy | None = None,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
    *,
    progress: bool = False,
    policy_as_of: datetime | str | None = None,
    processes: int | None = None,
) -> dict[str, Any]:
    """Judge every endpoint, as the one document that reports are made from.

    Parameters
    ----------
    store, policy, as_of, known_at, progress, policy_as_of, processes
        As :func:`estate` takes them.

    Returns
    -------
    dict
        Plain JSON values: ``format``, ``format_version``, ``question``, ``gates`` (``id``, ``title``), ``endpoints`` (the rows of
        :func:`estate`) and ``digest``, SHA-256 over the canonical JSON of all the rest. The same question to the same
        records has the same digest.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     estate_document(store)["endpoints"]
    []
    """
    asked = _asked(store, policy, as_of, known_at, policy_as_of)
    content: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "question": asked.to_dict(),
        "gates": [{"id": name, "title": title} for name, title in asked.gates.items()],
        "endpoints": list(_rows(store, asked, progress, processes)),
    }
    return {**content, "digest": digest_of(content)}


def columns(gates: Sequence[str]) -> list[str]:
    """The columns of a table of an estate; a requirement that is named as a column is told apart from it.

    Examples
    --------
    >>> columns(["f1", "verdict"])[5:]
    ['finding', 'f1', 'verdict (requirement)']
    """
    return [*_COLUMNS, *(f"{gate} (requirement)" if gate in _COLUMNS else gate for gate in gates)]


def _asked(
    store: Store,
    policy: str | Path | Policy | None,
    as_of: datetime | str | None,
    known_at: datetime | str | None,
    policy_as_of: datetime | str | None,
) -> _Question:
    rules = load_policy(policy)
    fixed = None if policy_as_of is None else parse_instant(policy_as_of)
    return _Question(rules, store.now(), *instants(store, as_of, known_at), fixed)


# --- all rows ---


def _rows(store: Store, asked: _Question, progress: bool, processes: int | None) -> Iterator[Row]:
    from tqdm.auto import tqdm

    reading = _reading(store, asked)
    refs = reading.mentioned("endpoint")
    portions = [refs[start : start + _PORTION] for start in range(0, len(refs), _PORTION)]
    count = min(_processes(len(refs)) if processes is None else processes, len(portions))
    answers = (
        deal("estates:elsewhere", (_place(store), asked), portions, count)
        if count > 1 and _place(store)
        else (_portion(reading, asked, portion) for portion in portions)
    )
    with tqdm(total=len(refs), desc="judging", unit=" endpoints", disable=not progress) as bar:
        for rows in answers:
            yield from rows
            bar.update(len(rows))


def _processes(endpoints: int) -> int:
    return min(cores(), _MOST_PROCESSES) if endpoints >= _MANY else 1


def _place(store: Readable) -> str:
    """Where other processes find the store; empty when they cannot."""
    engine = store._engine
    return str(engine.path.resolve()) if isinstance(engine, SQLite) and engine.path.is_file() else ""


@contextmanager
def elsewhere(task: tuple[str, _Question]) -> Iterator[Callable[[Sequence[str]], list[Row]]]:
    """Judge portions in a process of their own, which only reads; for :func:`.dealing.deal`."""
    place, asked = task
    try:
        store = Readable(SQLite(Path(place), "ro"))
    except sqlite3.Error as error:
        raise StoreError(f"another process cannot open {place!r}: {error}") from error
    with store:
        reading = _reading(store, asked)
        yield lambda portion: _portion(reading, asked, portion)


# --- one portion ---


def _reading(store: Readable, asked: _Question) -> Shared:
    return Shared(store._engine, asked.now, asked.as_of, asked.known_at)


def _portion(reading: Shared, asked: _Question, refs: Sequence[str]) -> list[Row]:
    store = cast("Store", reading.forgetting())  # it reads as a store does, and nothing here writes
    with _collecting_once():
        with suppress(LineageError):  # what cannot be read is told by the endpoint that needs it
            _read_ahead(store, asked, refs)
        return [_row(store, asked, ref) for ref in refs]


@contextmanager
def _collecting_once() -> Iterator[None]:
    """Collect what a portion made when it is done: looking for it all the while takes a tenth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.collect(0)
        if collecting:
            gc.enable()


def _read_ahead(store: Store, asked: _Question, refs: Sequence[str]) -> None:
    """Ask for all endpoints together what is then asked for each, so that it is read already."""
    times = (asked.as_of, asked.known_at)
    links: dict[str, list[str]] = {}
    roots = set(store.numbers(refs).values())
    reached = store.reachable(sorted(roots), "upstream", *times)
    looked_up: set[str] = set()
    while bare := [text for text in bare_refs(reached.nodes.values()) if text not in looked_up]:
        looked_up.update(bare)
        found = {text: same for text, same in store.namesakes(bare, asked.known_at).items() if same}
        links.update(found)
        roots |= set(store.numbers({name for same in found.values() for name in same}).values())
        reached = store.reachable(sorted(roots), "upstream", *times)
    graph = from_reached(reached)
    join(graph, links)
    add_evaluations(store, graph, *times)
    describe(store, graph, *times)
    evidence, _ = evidence_about(store, graph, *times)
    facts_for(store, graph, "", evidence, asked.policy.needs & {"agents"}, *times)
    if "releases" in asked.policy.needs:
        ReleaseHistory(store, refs, asked.known_at)
    for _ in unproved(store, evidence, *times):
        pass


def _row(store: Store, asked: _Question, ref: str) -> Row:
    try:
        with fitting(store):
            question = Asked(ref, asked.as_of, asked.known_at, policy_as_of=asked.policy_as_of)
            result = answered(store, asked.policy, question, drawn=False).judged
    except PolicyError:
        raise
    except LineageError as error:
        if _broken(error):
            raise
        return {
            "ref": ref,
            "verdict": "INCOMPLETE",
            **dict.fromkeys(("holds", "fails", "undetermined"), 0),
            "finding": _short(f"cannot be judged: {error}"),
            "cells": dict.fromkeys(asked.gates, ""),
        }
    return {
        "ref": ref,
        "verdict": verdict_of(result.whole),
        **{str(outcome): count for outcome, count in result.counts.items()},
        "finding": _short(_first(result)),
        "cells": _cells(asked, result),
    }


def _broken(error: LineageError) -> bool:
    """Whether the database failed, rather than what it holds of one endpoint."""
    cause = error.__cause__
    return cause is not None and type(cause).__module__.partition(".")[0] in ("sqlite3", "psycopg")


def _cells(asked: _Question, result: Judged) -> dict[str, str]:
    cells = dict.fromkeys(asked.gates, "")
    for items in result.hops.values():
        for item in items:
            known = cells[item.requirement]
            if not known or STATUS_ORDER.index(item.status) < STATUS_ORDER.index(known):
                cells[item.requirement] = item.status
    return cells


def _first(result: Judged) -> str:
    """What the verdict is owed to: a failure, then what is wrong with the records, then what is not known, then a caution."""
    unmet: dict[str, list[tuple[str, str, str, str]]] = {"fails": [], "undetermined": []}
    for (cause, effect, _), items in result.hops.items():
        for item in items:
            if item.outcome in unmet:
                unmet[item.outcome].append((item.title, effect, cause, item.why))
    told = result.told
    found = [
        *_in_words(unmet["fails"]),
        *(item.message for item in told if item.severity == "error"),
        *_in_words(unmet["undetermined"]),
        *(item.message for item in told if item.severity == "warning"),
    ]
    return found[0] if found else ""


def _in_words(unmet: list[tuple[str, str, str, str]]) -> list[str]:
    return [f"{title}: {why}" for title, _, _, why in sorted(unmet)]


def _short(text: str) -> str:
    """As much of a sentence as a row has room for; the audit of the endpoint tells the rest."""
    text = " ".join(text.split())
    return text if len(text) <= _ROOM else f"{text[: _ROOM - 1]}…"
