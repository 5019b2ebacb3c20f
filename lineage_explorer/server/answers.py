"""The answers to questions about one store, as JSON values: each is one call of the floors below."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..comparison import compare
from ..errors import PolicyError, ReferenceFailed, StoreError
from ..explorations import explore
from ..impacts import impact
from ..policy import Policy, load_policy, shipped_policies
from ..questions import audit
from ..rollbacks import rollback
from ..servings import releases, serving_document
from ..store import Store
from ..version_history import history
from .parameters import (
    AuditOf,
    Comparison,
    Explore,
    History,
    Impact,
    Kinds,
    OfStore,
    Releases,
    Rollback,
    Search,
    Serving,
    Things,
    Verdicts,
    Versions,
)
from .work import Job

#: Verdicts that are remembered.
_REMEMBERED = 10_000


class Asking(NamedTuple):
    """What an answer is made with."""

    store: Store
    job: Job
    head: str
    verdicts: VerdictCache
    clean: Callable[[str], str]


class Question(NamedTuple):
    """A question that is asked over HTTP.

    Attributes
    ----------
    asked : type
        What it is asked with.
    answer : callable
        Gives JSON values.
    fixed : callable
        Tells by what the answer is determined beside the store's records and the parameters; None when the answer
        hangs on the instant at which it is asked.
    """

    asked: type[OfStore]
    answer: Callable[[Asking, Any], dict[str, Any]]
    fixed: Callable[[Any], str | None]


def head_of(store: Store) -> str:
    """What the store holds, in one word: the same word means the same records."""
    head = store.checkpoint()
    return f"{head.size}-{head.root.hex()}"


def _policy(name: str) -> Policy:
    """A shipped policy. Never a path: that would read any file."""
    if name and name not in shipped_policies():
        raise PolicyError(f"no policy {name[:80]!r}; there are: {', '.join(shipped_policies())}")
    return load_policy(name or None)


def _minute() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")


# --- lists ---


def _kinds(asking: Asking, _asked: Kinds) -> dict[str, Any]:
    return {"kinds": asking.store.kinds(), "head": asking.head}


def _things(asking: Asking, asked: Things) -> dict[str, Any]:
    page = asking.store.things(asked.kind, text=asked.text, offset=asked.offset, limit=asked.limit)
    return {"total": page.total, "offset": asked.offset, "items": [item._asdict() for item in page.items]}


def _versions(asking: Asking, asked: Versions) -> dict[str, Any]:
    page = asking.store.versions(asked.kind, asked.namespace, asked.name, offset=asked.offset, limit=asked.limit)
    return {"total": page.total, "offset": asked.offset, "items": [item._asdict() for item in page.items]}


def _search(asking: Asking, asked: Search) -> dict[str, Any]:
    return {"items": [hit._asdict() for hit in asking.store.search(asked.query, asked.limit, asked.kind)]}


# --- judgements ---


def _audit(asking: Asking, asked: AuditOf) -> dict[str, Any]:
    return audit(
        asking.store, asked.endpoint, asked.as_of or None, asked.known_at or None, _policy(asked.policy)
    ).to_dict()


class VerdictCache:
    """Verdicts of this minute. A store that grew, another policy and the next minute have verdicts of their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, ...], dict[str, Any]] = OrderedDict()

    def get(self, key: tuple[str, ...]) -> dict[str, Any] | None:
        """What is known, None when nothing is."""
        with self._lock:
            return self._known.get(key)

    def put(self, key: tuple[str, ...], value: dict[str, Any]) -> None:
        """Remember, and forget the oldest."""
        with self._lock:
            self._known[key] = value
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


def _verdicts(asking: Asking, asked: Verdicts) -> dict[str, Any]:
    policy = _policy(asked.policy)
    digest, minute = policy.digest, _minute()
    said: dict[str, Any] = {}
    for endpoint in asked.endpoint:
        key = (asking.store.name, asking.head, digest, endpoint, minute)
        found = asking.verdicts.get(key)
        if found is None:
            asking.job.check()
            try:
                result = audit(asking.store, endpoint, policy=policy)
                found = {"verdict": result.verdict, "answer": result.answer}
            except ReferenceFailed as error:
                found = {"problem": asking.clean(str(error))}
            except StoreError as error:  # one that does not fit together hides no other
                asking.job.check()
                said[endpoint] = {"problem": asking.clean(str(error))}
                continue
            asking.verdicts.put(key, found)
        said[endpoint] = found
    return {"verdicts": said}


# --- surroundings ---


def _releases(asking: Asking, asked: Releases) -> dict[str, Any]:
    return {"releases": releases(asking.store, asked.endpoint, asked.known_at or None)}


def _explore(asking: Asking, asked: Explore) -> dict[str, Any]:
    return explore(
        asking.store,
        asked.ref,
        direction=asked.direction,
        depth=asked.depth,
        as_of=asked.as_of or None,
        known_at=asked.known_at or None,
        limit=asked.limit,
    )


# --- chapters ---


def _history(asking: Asking, asked: History) -> dict[str, Any]:
    return history(asking.store, asked.ref, asked.as_of or None, asked.known_at or None).to_dict()


def _comparison(asking: Asking, asked: Comparison) -> dict[str, Any]:
    policy, known_at = _policy(asked.policy), asked.known_at or None
    return compare(asked.a, asked.b, store=asking.store, policy=policy, known_at=known_at).to_dict()


def _impact(asking: Asking, asked: Impact) -> dict[str, Any]:
    at, known = asked.as_of or None, asked.known_at or None
    return impact(asking.store, asked.ref, at, known, limit=asked.limit).to_dict()


def _rollback(asking: Asking, asked: Rollback) -> dict[str, Any]:
    at, known = asked.as_of or None, asked.known_at or None
    return rollback(asking.store, asked.endpoint, at, known, _policy(asked.policy)).to_dict()


def _serving(asking: Asking, asked: Serving) -> dict[str, Any]:
    start, end, known = asked.start or None, asked.end or None, asked.known_at or None
    return serving_document(asking.store, asked.endpoint, start, end, known)


# --- all of them ---


def _by_records(_asked: OfStore) -> str:
    return ""


def _by_minute(_asked: OfStore) -> str:
    return _minute()


def _at_an_instant(asked: AuditOf | Explore | History | Impact) -> str | None:
    return "" if asked.as_of else None


def _by_policy(asked: AuditOf | Rollback) -> str | None:
    return _policy(asked.policy).digest if asked.as_of else None


def _at_two_instants(asked: Comparison) -> str | None:
    return _policy(asked.policy).digest if all("@@" in side for side in (asked.a, asked.b)) else None


#: Every question to a store, by the last part of its path.
QUESTIONS = {
    "kinds": Question(Kinds, _kinds, _by_records),
    "things": Question(Things, _things, _by_records),
    "versions": Question(Versions, _versions, _by_records),
    "search": Question(Search, _search, _by_records),
    "audit": Question(AuditOf, _audit, _by_policy),
    "verdicts": Question(Verdicts, _verdicts, _by_minute),
    "releases": Question(Releases, _releases, _by_records),
    "explore": Question(Explore, _explore, _at_an_instant),
    "history": Question(History, _history, _at_an_instant),
    "comparison": Question(Comparison, _comparison, _at_two_instants),
    "impact": Question(Impact, _impact, _at_an_instant),
    "rollback": Question(Rollback, _rollback, _by_policy),
    "serving": Question(Serving, _serving, _by_records),
}
