"""Which thing a person means: by reference, by name, or by the beginnings of the words in its name."""

from __future__ import annotations

import difflib
import itertools
import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from ..errors import AmbiguousReference, InvalidRef, UnknownReference
from ..references import Ref
from .walk import namesakes

if TYPE_CHECKING:
    from .engines import Engine

_SEPARATORS = re.compile(r"[\W_]+")
#: PostgreSQL's longest lexeme is 2,046 bytes; nobody types so much of a word.
_LONGEST = 200
_KINDS = frozenset({"endpoint", "deployment", "model", "dataset", "run", "prompt", "person"})
_ORDER = {"endpoint": 0, "model": 1, "ai_agent": 1, "dataset": 2}


class Found(NamedTuple):
    """A search hit."""

    ref: str
    kind: str
    name: str
    resolved: bool


def words_of(*texts: str) -> list[str]:
    """The different words of texts, folded: without case, accents and marks between them.

    Examples
    --------
    >>> words_of("model", "Kündigung-v2")
    ['model', 'kundigung', 'v2']
    """
    text = " ".join(texts)
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return list(dict.fromkeys(word[:_LONGEST] for word in _SEPARATORS.split(text.casefold()) if word))


def indexed(dialect: str, ref: Ref) -> str:
    """What the index of names holds of a reference, as its dialect writes it."""
    words = words_of(ref.kind, ref.namespace, ref.name, ref.version, ref.alias)
    return " ".join(words) if dialect == "sqlite" else " ".join(f"'{word}'" for word in words)


def search(engine: Engine, text: str, limit: int, kind: str) -> list[Found]:
    """References whose words begin with the words of a text, nearest first; see :meth:`..Store.search`."""
    words = words_of(text)
    if not words:
        return []
    plain = text.strip()
    # Others may have the kind's word in their names, and are left out after they were found.
    candidates = max(limit * (5 if kind else 3), 60)
    # A kind beside other words is meant as it is, and quicker to find.
    meant = [(word, False) for word in words_of(kind)]
    meant += [(word, len(words) == 1 or word not in _KINDS) for word in words if (word, False) not in meant]
    near, wanted = matching(engine, meant)
    # Whoever types a whole name means it, however many others begin with it.
    rows = engine.search(
        f"""
        SELECT n.id, n.ref, n.kind, n.name, EXISTS (SELECT 1 FROM fact AS f WHERE f.node = n.id AND f.type <> 'evidence')
        FROM (SELECT id FROM (SELECT id FROM node WHERE name = :plain LIMIT :candidates) AS same
          UNION SELECT rowid FROM ({near} LIMIT :candidates) AS near) AS hit CROSS JOIN node AS n
        WHERE n.id = hit.id AND (n.kind = :kind OR :kind = '')""",
        {"plain": plain, "words": wanted, "candidates": candidates, "kind": kind},
    )
    folded = plain.casefold()
    rows.sort(
        key=lambda row: (
            row[3].casefold() != folded,
            not row[3].casefold().startswith(folded),
            not row[4],  # what a record describes, before what was only named
            _ORDER.get(row[2], 3),
            row[1],
        )
    )
    return [Found(ref, kind, name, bool(resolved)) for _, ref, kind, name, resolved in rows[:limit]]


def matching(engine: Engine, words: Iterable[tuple[str, bool]]) -> tuple[str, str]:
    """A statement that gives the numbers (``rowid``) of references by their words, and its parameter ``words``.

    Parameters
    ----------
    words : iterable of (str, bool)
        Folded words, all of which must be there; and whether each may be the beginning of a longer one.
    """
    if engine.dialect == "sqlite":
        wanted = " AND ".join(f'"{word}"{"*" * begins}' for word, begins in words)
        return "SELECT rowid FROM name_index WHERE name_index MATCH :words", wanted
    wanted = " & ".join(f"'{word}'{':*' * begins}" for word, begins in words)
    return "SELECT rowid FROM name_index WHERE words @@ CAST(:words AS tsquery)", wanted


def in_column(text: str) -> str:
    """A name or namespace as its column of the database holds it: no text of PostgreSQL holds a NUL."""
    return text.replace("\0", "%00")


def number(engine: Engine, ref: str) -> int | None:
    """The node number of a reference, None when the store never heard of it."""
    found = engine.one("SELECT id FROM node WHERE ref = :ref", {"ref": ref})
    return None if found is None else int(found)


def resolve(engine: Engine, text: str, kind: str, known_at: int) -> str:
    """The one reference that a person's text means; see :meth:`lineage_explorer.store.Store.resolve`."""
    try:
        ref = Ref.parse(text)
    except InvalidRef:
        head, colon, _ = text.partition(":")
        if colon and head.isidentifier() and _has_kind(engine, head):
            raise
        ref = Ref(kind, text)
    if number(engine, str(ref)) is not None:
        return str(ref)
    if not ref.namespace:
        same = namesakes(engine, [ref.bare], known_at)[ref.bare]
        if len(same) == 1:
            return same[0]
        if same:
            raise AmbiguousReference(
                f"{text!r} is ambiguous in {engine.short}: {', '.join(same[:10])}. Write one of them in full", same
            )
    near = _nearest(engine, ref)
    hint = (
        f"; did you mean {', '.join(near)}?"
        if near
        else f"; it holds no {ref.kind} at all. `lineage-explorer search` finds names"
    )
    raise UnknownReference(f"nothing called {text!r} is in {engine.short}{hint}", near)


def _has_kind(engine: Engine, kind: str) -> bool:
    return bool(engine.rows("SELECT 1 FROM node WHERE kind = :kind LIMIT 1", {"kind": kind}))


def _nearest(engine: Engine, ref: Ref) -> list[str]:
    found = engine.rows("SELECT DISTINCT name FROM node WHERE kind = :kind LIMIT 20000", {"kind": ref.kind})
    known = [row[0] for row in found]
    close = difflib.get_close_matches(ref.name, known, n=5, cutoff=0.4) or sorted(known)[:5]
    rows = [
        engine.rows(
            "SELECT ref FROM node WHERE kind = :kind AND name = :name ORDER BY ref LIMIT 3",
            {"kind": ref.kind, "name": name},
        )
        for name in close
    ]
    return [row[0] for row in itertools.chain.from_iterable(rows)][:5]
