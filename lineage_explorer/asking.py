"""A store that a widget asks: opened for each question, and every question of the view with its answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import anywidget

from .comparison import compare
from .errors import LineageError, PolicyError, StoreError
from .explorations import explore
from .impacts import impact
from .policy import Policy, load_policy, shipped_policies
from .questions import audit
from .rollbacks import rollback
from .servings import releases
from .store import Store, open_store
from .version_history import history

STATIC = files(__package__).joinpath("static")
#: The parts of the view: the module and the style sheet of each. That of the chapters needs the view's.
_PARTS = {"view": ("view.js", "view.css"), "chapters": ("chapters.js", "chapters.css")}
#: How many rows of each list an impact brings to a screen; the document counts the rest, and Python gives all of them.
_REACHED = 2_000
#: How many names a chooser is offered at a time.
_OFFERED = 200


@cache
def part(name: str) -> dict[str, str]:
    """The code and style of a part of the view, and the digest by which a page keeps them.

    Parameters
    ----------
    name : str
        ``view`` (the trace and the heat map) or ``chapters`` (history, comparison, impact, ...).

    Raises
    ------
    LineageError
        When there is no such part.

    Examples
    --------
    >>> sorted(part("view"))
    ['code', 'digest', 'style']
    """
    if name not in _PARTS:
        raise LineageError(f"the view has no part {name!r}; there are: {', '.join(_PARTS)}")
    text, style = (STATIC.joinpath(file).read_text(encoding="utf-8") for file in _PARTS[name])
    return {"code": text, "style": style, "digest": hashlib.sha256(f"{text}\0{style}".encode()).hexdigest()[:16]}


class StoreAtHand:
    """What a widget asks.

    Parameters
    ----------
    source : Store, str or Path, optional
        A store, or its file; None when there is nothing to ask.
    known_at, policy
        What every question is asked with that does not say otherwise.

    Attributes
    ----------
    path : Path or None
        Of a store in a file: it is opened for each question, so that its owner may close and move it.
    """

    def __init__(
        self,
        source: Store | str | Path | None,
        known_at: datetime | str | None = None,
        policy: str | Path | Policy | None = None,
    ) -> None:
        self.path: Path | None = None
        self._opened: Store | None = None
        self._known_at, self._given, self.policy = known_at, policy is not None, load_policy(policy)
        if isinstance(source, Store):
            try:
                self.path = source.path
            except StoreError:  # on a server: its address holds a password, and is not kept
                self._opened = source
        elif source is not None:
            self.path = Path(source) if "://" not in str(source) else None
            self._opened = None if self.path is not None else open_store(source)

    @property
    def there(self) -> bool:
        """Whether there is anything to ask."""
        return self.path is not None or self._opened is not None

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """The store, for one question.

        Raises
        ------
        StoreError
            When there is none, or it cannot be opened.
        """
        if self.path is not None:
            with open_store(self.path) as store:
                yield store
        elif self._opened is not None:
            yield self._opened
        else:
            raise StoreError("this view shows one answer and has no store to ask; give it the store instead")

    def known_at(self, asked: Mapping[str, Any] | None = None) -> datetime | str | None:
        """What the store knew when: as asked, else as this was made."""
        return (asked or {}).get("known_at") or self._known_at

    def _policy(self, asked: Mapping[str, Any]) -> Policy:
        """What judges: what this was made with, else the shipped policy that is asked for."""
        name = str(asked.get("policy") or "")
        if self._given or name in ("", self.policy.name):
            return self.policy
        if name not in shipped_policies():  # never a path: that would read any file
            raise PolicyError(f"policy {name[:80]!r} is not at hand here; ask in Python, with policy=...")
        return load_policy(name)

    def answer(self, question: str, asked: Mapping[str, Any]) -> Any:
        """The answer to one of the view's questions, as JSON values.

        Parameters
        ----------
        question : str
            One of those in ``extension/src/view/transport.ts``, or ``code``.
        asked : mapping
            What it is asked with. An empty text means the default.

        Raises
        ------
        LineageError
            When there is no such question, or it has no answer; the message is for people.
        """
        if question == "code":
            return part(str(asked.get("part")))
        with self.reading() as store:
            at, known = asked.get("as_of") or None, self.known_at(asked)
            match question:
                case "audit":
                    return audit(store, str(asked["endpoint"]), at, known, self._policy(asked)).to_dict()
                case "releases":
                    return releases(store, str(asked["endpoint"]), known)
                case "explore":
                    return explore(store, str(asked["ref"]), asked["direction"], asked["depth"], at, known)
                case "search":
                    return _search(store, str(asked["query"]), str(asked["kind"]), int(asked["limit"]))
                case "history":
                    return history(store, str(asked["ref"]), at, known).to_dict()
                case "comparison":
                    sides = str(asked["a"]), str(asked["b"])
                    return compare(*sides, store=store, policy=self._policy(asked), known_at=known).to_dict()
                case "impact":
                    return impact(store, str(asked["ref"]), at, known, limit=_REACHED).to_dict()
                case "rollback":
                    return rollback(store, str(asked["endpoint"]), at, known, self._policy(asked)).to_dict()
        raise LineageError(f"this view has no answer to {question!r}")


def reply(
    widget: anywidget.AnyWidget, message: Mapping[str, Any], answer: Callable[[str, Mapping[str, Any]], Any]
) -> None:
    """Answer a view's message; it always gets a reply.

    Parameters
    ----------
    widget : AnyWidget
        Whose view asked.
    message : mapping
        ``id``, ``question`` and ``asked``.
    answer : callable
        Gives JSON values for a question and what it is asked with.
    """
    number = message.get("id")
    try:
        found = answer(str(message.get("question")), message.get("asked") or {})
    except LineageError as error:
        widget.send({"id": number, "problem": str(error)})
    except Exception as error:  # the reader must not wait for a reply that never comes; the kernel's log has it all
        widget.send({"id": number, "problem": f"{type(error).__name__} in the kernel: {error}"})
        raise
    else:
        widget.send({"id": number, "answer": found})


def _search(store: Store, text: str, kind: str, limit: int) -> list[dict[str, Any]]:
    if text.strip():
        return [hit._asdict() for hit in store.search(text, min(limit, _OFFERED), kind)]
    refs = store.refs(kind)[: min(limit, _OFFERED)]
    return [{"ref": ref, "kind": kind, "name": ref.partition(":")[2], "resolved": True} for ref in refs]
