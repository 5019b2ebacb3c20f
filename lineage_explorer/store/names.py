"""Finding things by the beginnings of the words in their names."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from ..references import Ref

if TYPE_CHECKING:
    from .engines import Engine

_SEPARATORS = re.compile(r"[\W_]+")
#: PostgreSQL's longest lexeme is 2,046 bytes; nobody types so much of a word.
_LONGEST = 200
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


def search(engine: Engine, text: str, limit: int) -> list[Found]:
    """References whose words begin with the words of a text, nearest first."""
    words = words_of(text)
    if not words:
        return []
    plain = text.strip()
    candidates = max(limit * 3, 60)
    if engine.dialect == "sqlite":
        matching = "SELECT rowid FROM name_index WHERE name_index MATCH :words LIMIT :candidates"
        wanted = " AND ".join(f'"{word}"*' for word in words)
    else:
        matching = "SELECT rowid FROM name_index WHERE words @@ CAST(:words AS tsquery) LIMIT :candidates"
        wanted = " & ".join(f"'{word}':*" for word in words)
    # Whoever types a whole name means it, however many others begin with it.
    rows = engine.rows(
        f"""
        SELECT n.id, n.ref, n.kind, n.name, EXISTS (SELECT 1 FROM fact AS f WHERE f.node = n.id AND f.type <> 'evidence')
        FROM (SELECT id FROM (SELECT id FROM node WHERE name = :plain LIMIT :candidates) AS same
          UNION SELECT rowid FROM ({matching}) AS near) AS hit CROSS JOIN node AS n WHERE n.id = hit.id""",
        {"plain": plain, "words": wanted, "candidates": candidates},
    )
    folded = plain.casefold()
    rows.sort(
        key=lambda row: (
            row[3].casefold() != folded,
            not row[3].casefold().startswith(folded),
            _ORDER.get(row[2], 3),
            row[1],
        )
    )
    return [Found(ref, kind, name, bool(resolved)) for _, ref, kind, name, resolved in rows[:limit]]
