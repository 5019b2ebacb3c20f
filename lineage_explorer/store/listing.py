"""What a store mentions, as lists to leaf through: the kinds, the things of a kind, the versions of a thing.

A thing is what bears one name in one namespace, with all its versions. The database has an index of references and
none of things, so the references of a kind are read once, as one text (a row for each takes thrice the time), and
kept until there are more of them.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from ..errors import InvalidQuestion
from ..references import Ref
from .names import in_column, matching, words_of

if TYPE_CHECKING:
    from .engines import Engine

Item = TypeVar("Item")
_DIGITS = re.compile(r"([0-9]+)")


class Thing(NamedTuple):
    """What bears one name in one namespace.

    Attributes
    ----------
    ref : str
        The reference without a version where that is on record, else that of the only version; else the text
        without a version, which is then no reference of the store.
    versions : int
        How many versions and aliases of it are on record.
    """

    kind: str
    namespace: str
    name: str
    ref: str
    versions: int


class Version(NamedTuple):
    """One version of a thing (``3``), or a pointer to one (``~champion``).

    Attributes
    ----------
    resolved : bool
        Whether any record describes it.
    """

    ref: str
    version: str
    resolved: bool


class Page(NamedTuple, Generic[Item]):
    """A part of a list, and how long the whole is."""

    total: int
    items: list[Item]


class _Kind(NamedTuple):
    """The references of a kind in order, their things' texts as people order them, and how many references each has."""

    refs: Sequence[str]
    texts: Sequence[str]
    counts: Mapping[str, int]


class Listing:
    """Lists what a store mentions.

    Parameters
    ----------
    engine : Engine
        Where the references are.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._last = 0
        self._read: dict[str, _Kind] = {}
        self._kinds: dict[str, int] = {}
        self._filtered: tuple[tuple[str, str], Sequence[str]] = (("", ""), ())

    def forget(self) -> None:
        """Forget what was read: references were taken back, or numbered anew."""
        self._read, self._kinds, self._last = {}, {}, 0
        self._filtered = (("", ""), ())

    def kinds(self) -> dict[str, int]:
        """How many things there are of each kind."""
        self._keep_up()
        if not self._kinds:
            found = self._engine.search(
                "SELECT kind, count(*), max(CASE WHEN ref LIKE '%@%' OR ref LIKE '%~%' THEN 1 ELSE 0 END) "
                "FROM node GROUP BY kind ORDER BY kind",
                {},
            )
            # Of a kind without versions (runs, mostly) each reference is a thing, and need not be read.
            self._kinds = {kind: len(self._of(kind).texts) if several else count for kind, count, several in found}
        return dict(self._kinds)

    def things(self, kind: str, text: str, offset: int, limit: int) -> Page[Thing]:
        """The things of a kind, by namespace and name."""
        _check(offset, limit)
        self._keep_up()
        known = self._of(kind)
        texts = known.texts
        if text.strip():
            last, texts = self._filtered
            if last != (kind, text):  # whoever leafs on asks the same again
                texts = self._matching(kind, text, known)
                self._filtered = ((kind, text), texts)
        shown = [self._thing(item, known) for item in texts[offset : offset + limit]]
        return Page(len(texts), shown)

    def versions(self, kind: str, namespace: str, name: str, offset: int, limit: int) -> Page[Version]:
        """The versions of a thing."""
        _check(offset, limit)
        rows = self._engine.rows(
            """
            SELECT n.ref, EXISTS (SELECT 1 FROM fact AS f WHERE f.node = n.id AND f.type <> 'evidence')
            FROM node AS n INDEXED BY node_name WHERE n.name = :name AND n.kind = :kind""",
            {"name": in_column(name), "kind": kind},
        )
        found = [
            Version(ref, parsed.version or f"~{parsed.alias}", bool(resolved))
            for ref, resolved in rows
            if (parsed := Ref.parse(ref))
            and (parsed.name, parsed.namespace) == (name, namespace)
            and (parsed.version or parsed.alias)
        ]
        pointers = sorted(item for item in found if item.version.startswith("~"))
        versions = [item for item in found if not item.version.startswith("~")]
        versions.sort(key=lambda item: (_natural(item.version), item.ref), reverse=True)
        return Page(len(found), [*pointers, *versions][offset : offset + limit])

    def _keep_up(self) -> None:
        # References are only ever added, and numbered in that order.
        last = int(self._engine.one("SELECT coalesce(max(id), 0) FROM node"))
        if last != self._last:
            self.forget()
            self._last = last

    def _of(self, kind: str) -> _Kind:
        if kind not in self._read:
            refs = sorted(
                self._refs("node AS n WHERE n.ref >= :first AND n.ref < :after", first=f"{kind}:", after=f"{kind};")
            )
            counts = Counter(_without_versions(refs))
            self._read[kind] = _Kind(refs, sorted(counts, key=str.casefold), counts)
        return self._read[kind]

    def _matching(self, kind: str, text: str, known: _Kind) -> Sequence[str]:
        """The things that have a reference with words that begin like the words of a text."""
        own = words_of(kind)
        begun = words_of(text)
        if not begun:  # marks only
            return []
        # What begins a word of the kind's name begins a word of every reference of that kind.
        begun = [word for word in begun if not any(item.startswith(word) for item in own)]
        if not begun:
            return known.texts
        statement, wanted = matching(
            self._engine, [*((word, False) for word in own), *((word, True) for word in begun)]
        )
        refs = self._refs(
            f"({statement}) AS hit CROSS JOIN node AS n WHERE n.id = hit.rowid AND n.kind = :kind",
            words=wanted,
            kind=kind,
        )
        if len(refs) == len(known.refs):
            return known.texts
        found = set(_without_versions(refs))
        return [text for text in known.texts if text in found]

    def _refs(self, where: str, **parameters: str) -> list[str]:
        """The references of many nodes, in whatever order."""
        joined = "json_group_array(n.ref)" if self._engine.dialect == "sqlite" else "CAST(json_agg(n.ref) AS text)"
        found = self._engine.search(f"SELECT {joined} FROM {where}", parameters)[0][0]
        refs: list[str] = json.loads(found) if found else []
        return refs

    def _thing(self, text: str, known: _Kind) -> Thing:
        parsed = Ref.parse(text)
        first = known.refs[bisect_left(known.refs, text)]
        versions = known.counts[text] - (first == text)
        if first != text and versions == 1:
            at = next(
                place
                for mark in "@~"
                if (place := bisect_left(known.refs, text + mark)) < len(known.refs)
                and known.refs[place].startswith(text + mark)
            )
            return Thing(parsed.kind, parsed.namespace, parsed.name, known.refs[at], versions)
        return Thing(parsed.kind, parsed.namespace, parsed.name, text, versions)


def _check(offset: int, limit: int) -> None:
    if offset < 0 or limit < 1:
        raise InvalidQuestion(f"a page begins at 0 or later and holds 1 or more; not {limit} from {offset}")


def _without_versions(refs: Iterable[str]) -> list[str]:
    """References without their versions and aliases; inside the other parts of one both marks are encoded."""
    # Not a function for each: it would take as long as the database does.
    texts = [ref.partition("@")[0] for ref in refs]
    return [text.partition("~")[0] if "~" in text else text for text in texts]


def _natural(version: str) -> list[str | tuple[int, str]]:
    """Compares numbers in a version as numbers (of any length, so not by converting them)."""
    parts: list[str | tuple[int, str]] = list(_DIGITS.split(version))
    for index in range(1, len(parts), 2):
        digits = str(parts[index]).lstrip("0")
        parts[index] = (len(digits), digits)
    return parts
