"""Everything that a thing can have flowed into, at whatever instants: step by step, and by one recursion beyond that.

Where :func:`.walk.reach` asks what was so at one instant, this gathers every relation that held up to an instant, with
its bounds: who held what when is reckoned from them (:mod:`lineage_explorer.impacts.exposures`).

A reference without a namespace that can mean one described thing only is that thing, here as in
:func:`lineage_explorer.lineage_graph`: what was made from the one was made from the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.json import decode

from ..errors import AmbiguousReference
from ..records import BASES, weaker
from ..references import Ref
from .names import in_column
from .schema import ALWAYS, FOREVER
from .walk import ISSUED, checked, damaged, namesakes, nodes

if TYPE_CHECKING:
    from .engines import Engine, Row

_KNOWN = "e.flow = 1 AND e.valid_from <= :as_of AND e.recorded_from <= :known_at AND e.recorded_to > :known_at"
_COLUMNS = (
    *("effect", "cause", "predicate", "role", "basis", "traffic", "seq"),
    *("valid_from", "valid_to", "sure_to"),
)
#: One step: the relations of what was reached last. It reads each of them once, where a recursion reads them once to
#: walk and once more for what it answers with.
STEP = f"""
SELECT {", ".join(f"e.{name}" for name in _COLUMNS)}
FROM each_number(:ids) AS j CROSS JOIN edge AS e INDEXED BY edge_by_cause
WHERE e.cause = j.value AND {_KNOWN}"""
#: Beyond so many steps the recursion gathers the rest: a chain of a hundred thousand things is one statement, too.
_STEPS = 24
#: The recursion; tests read its query plan. What each thing came from is read at the thing, where it stands in one run:
#: relations with what was not reached are among the rows, and cost less than looking up each of the others.
STATEMENT = f"""
WITH RECURSIVE walk(id) AS (
  SELECT j.value FROM each_number(:roots) AS j
  UNION
  SELECT e.effect FROM walk CROSS JOIN edge AS e INDEXED BY edge_by_cause
  WHERE e.cause = walk.id AND {_KNOWN}
)
SELECT {", ".join(f"e.{name}" for name in _COLUMNS)}
FROM walk CROSS JOIN edge AS e
WHERE e.effect = walk.id AND {_KNOWN}"""

#: Names of things, each with the reference without a namespace that bears its text.
NAMES = f"""
SELECT n.id, n.ref, n.kind, b.id FROM each_number(:ids) AS j CROSS JOIN node AS n LEFT JOIN node AS b
ON b.ref = CASE WHEN n.namespace <> '' AND n.kind NOT IN ({", ".join(repr(kind) for kind in ISSUED)}) THEN n.bare END
WHERE n.id = j.value"""

#: Those among runs whose record says that they evaluated something; the text is looked at again by who asks.
EVALUATIONS = """
SELECT DISTINCT f.node FROM each_number(:ids) AS w CROSS JOIN fact AS f CROSS JOIN journal AS j CROSS JOIN body AS b
WHERE f.node = w.value AND f.type = 'activity' AND f.valid_from <= :as_of AND f.valid_to > :as_of
AND f.recorded_from <= :known_at AND f.recorded_to > :known_at AND j.seq = f.seq AND b.seq = coalesce(j.of, j.seq)
AND b.json LIKE '%"activity":"evaluation"%'"""

#: Texts of records alone: an impact may need tens of thousands, and where they were read is not among what it says.
RECORDS = """
SELECT j.seq, b.json, j.digest FROM each_number(:seqs) AS w CROSS JOIN journal AS j CROSS JOIN body AS b
WHERE j.seq = w.value AND b.seq = coalesce(j.of, j.seq)"""


class Link(NamedTuple):
    """A relation between two things, and when it held.

    Attributes
    ----------
    seq : int or None
        Number of the record; None for two records about what bears one name.
    valid_from, valid_to : int
        Microseconds since 1970 UTC, or ``ALWAYS`` and ``FOREVER``.
    sure_to : int or None
        From here to ``valid_to`` it may have been otherwise already.
    """

    effect: int
    cause: int
    predicate: str
    role: str
    basis: str
    traffic: float | None
    seq: int | None
    valid_from: int
    valid_to: int
    sure_to: int | None


class Downstream(NamedTuple):
    """What a thing can have flowed into.

    Attributes
    ----------
    root : int
        The thing itself, which a reference without a namespace may only have meant.
    versions : list of int
        Of a name without a version: what it stands for, its versions or implied states. They are the root too.
    links : list
        Rows of :class:`Link`: plain tuples, for there may be millions. Some of what was reached with causes that were
        not may be among them.
    refs, kinds : dict
        Of everything reached, by number.
    bare : dict
        By number of a thing: the references without a namespace that mean it.
    ambiguous : dict
        By number of a reference that may mean several things: what it may mean.
    """

    root: int
    versions: list[int]
    links: list[Row]
    refs: dict[int, str]
    kinds: dict[int, str]
    bare: dict[int, list[int]]
    ambiguous: dict[int, list[str]]


#: Kinds whose names do not stand for their versions: which of them is meant is another question.
_SINGLE = frozenset({*ISSUED, "model", "ai_agent", "logged_model"})
#: Stands for a name that no record uses: its versions or states are on record only.
UNNAMED = -1


def downstream(engine: Engine, ref: str, start: int | None, as_of: int, known_at: int) -> Downstream:
    """Gather everything that a thing can have flowed into, up to an instant.

    Parameters
    ----------
    start : int or None
        The reference's number; None for a name of which only versions or states are on record.

    Raises
    ------
    AmbiguousReference
        When it is a reference without its namespace that may mean several things.
    """
    return _Gathering(engine, as_of, known_at).gather(ref, start)


def evaluations(engine: Engine, ids: Iterable[int], as_of: int, known_at: int) -> list[int]:
    """Those among runs that may have evaluated something, by their records."""
    rows = engine.rows(EVALUATIONS, {"ids": sorted(set(ids)), "as_of": as_of, "known_at": known_at})
    return [row[0] for row in rows]


def records(engine: Engine, seqs: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What the journal's records say, by number.

    Raises
    ------
    StoreError
        When a record is missing or is not what was journalled.
    """
    wanted = sorted(set(seqs))
    rows = engine.rows(RECORDS, {"seqs": wanted}) if wanted else []
    found = {seq: decode(checked(engine, seq, text, digest)) for seq, text, digest in rows}
    if missing := set(wanted) - found.keys():
        raise damaged(engine, f"record {min(missing)} is missing")
    return found


class _Gathering:
    def __init__(self, engine: Engine, as_of: int, known_at: int) -> None:
        self._engine = engine
        self._as_of, self._known_at = as_of, known_at
        self._refs: dict[int, str] = {}
        self._kinds: dict[int, str] = {}
        #: What each reference without a namespace may mean, by text; and its number where it is on record.
        self._same: dict[str, list[str]] = {}
        self._texts: dict[str, int] = {}
        self._described: set[int] = set()

    def gather(self, ref: str, start: int | None) -> Downstream:
        if start is None:
            root = UNNAMED
            self._refs[root], self._kinds[root] = ref, Ref.parse(ref).kind
        else:
            root = self._meant(start)
        # A dataset without versions is all its states, also those written under its name without the namespace.
        versions = [number for name in self._names_of(self._refs[root]) for number in self._versions(name)]
        roots = {root, *versions}
        while True:
            rows, ids = self._walk(roots)
            self._name(ids)
            twins = self._twins()
            more = {*twins, *twins.values(), *self._beside()} - roots
            if more <= ids:
                break
            roots |= more
        links = self._linked(rows, twins)
        bare: dict[int, list[int]] = {}
        for short, whole in sorted(twins.items()):
            bare.setdefault(whole, []).append(short)
        versions = sorted({twins.get(number, number) for number in versions} - {root})
        return Downstream(root, versions, links, self._refs, self._kinds, bare, self._ambiguous())

    def _walk(self, roots: Iterable[int]) -> tuple[list[Row], set[int]]:
        """The relations with what can be reached, and the numbers of that."""
        instants = {"as_of": self._as_of, "known_at": self._known_at}
        new, ids = sorted(roots), set(roots)
        links: list[Row] = []
        for _ in range(_STEPS):
            rows = self._engine.rows(STEP, {"ids": new, **instants})
            links += rows
            new = sorted({row[0] for row in rows} - ids)
            if not new:
                return links, ids
            ids.update(new)
        gone_on = ids.difference(new)  # all that goes on from them is there
        rows = self._engine.rows(STATEMENT, {"roots": new, **instants})
        links += [row for row in rows if row[1] not in gone_on]
        ids.update([row[0] for row in rows])
        return links, ids

    def _meant(self, start: int) -> int:
        """What a node means that was asked about."""
        self._name({start})
        ref = self._refs[start]
        if "/" in ref or self._kinds[start] in ISSUED:
            return start
        same = self._namesakes([ref])[ref]
        if not same or start in self._described:
            return start
        if len(same) > 1:
            raise AmbiguousReference(
                f"{ref!r} is ambiguous in {self._engine.short}: {', '.join(same[:10])}. Write one of them in full", same
            )
        return self._texts[same[0]]

    def _name(self, ids: Collection[int]) -> None:
        """The names of what was not named yet, and of the references without a namespace beside them."""
        new = [number for number in ids if number not in self._refs] if self._refs else list(ids)
        rows = self._engine.rows(NAMES, {"ids": new})
        if len(rows) < len(new):
            raise damaged(self._engine, f"node {min({*new} - {row[0] for row in rows})} is missing")
        refs, kinds = self._refs, self._kinds
        short: list[int] = []
        bare: list[str] = []
        for number, ref, kind, beside in rows:
            refs[number] = ref
            kinds[number] = intern(kind)  # one text for each kind, not one for each thing: it is looked up often
            if beside is not None:
                short.append(beside)
            elif "/" not in ref and kind not in ISSUED:
                bare.append(ref)
        if short:
            found = nodes(self._engine, short, self._as_of, self._known_at)
            bare += [node.ref for node in found.values()]
        if bare:
            self._namesakes(bare)

    def _namesakes(self, bares: Iterable[str]) -> dict[str, list[str]]:
        wanted = sorted({ref for ref in bares if ref not in self._same})
        if wanted:
            found = namesakes(self._engine, wanted, self._known_at)
            self._same |= found
            texts = {*wanted, *(ref for same in found.values() for ref in same)}
            rows = self._engine.rows(
                "SELECT n.ref, n.id, n.kind FROM each_text(:refs) AS j CROSS JOIN node AS n WHERE n.ref = j.value",
                {"refs": sorted(texts)},
            )
            for ref, number, kind in rows:
                self._texts[ref], self._refs[number], self._kinds[number] = number, ref, kind
            known = nodes(
                self._engine, [self._texts[ref] for ref in wanted if ref in self._texts], self._as_of, self._known_at
            )
            self._described.update(node.id for node in known.values() if node.fact is not None)
        return self._same

    def _single(self) -> Iterable[tuple[int, int]]:
        """References without a namespace that are on record, with the one described thing that each can mean."""
        for ref, same in self._same.items():
            if len(same) == 1 and ref in self._texts:
                yield self._texts[ref], self._texts[same[0]]

    def _twins(self) -> dict[int, int]:
        """References without a namespace that are another thing, as no record describes them, and which."""
        return {short: whole for short, whole in self._single() if short not in self._described}

    def _beside(self) -> dict[int, int]:
        """Those that a record of their own describes: they stand beside the thing that bears the same text."""
        return {short: whole for short, whole in self._single() if short in self._described}

    def _ambiguous(self) -> dict[int, list[str]]:
        return {
            self._texts[ref]: same
            for ref, same in self._same.items()
            if len(same) > 1 and ref in self._texts and self._texts[ref] not in self._described
        }

    def _names_of(self, ref: str) -> Iterable[Ref]:
        """A thing's name, and its name without the namespace where that means it."""
        parsed = Ref.parse(ref)
        yield parsed
        if parsed.namespace and parsed.kind not in ISSUED:
            bare = parsed.bare
            if self._namesakes([bare])[bare] == [ref] and self._texts.get(bare) not in self._described:
                yield Ref.parse(bare)

    def _versions(self, name: Ref) -> list[int]:
        if not stands_for_versions(name):
            return []
        rows = self._engine.rows(
            """
            SELECT n.id, n.ref FROM node AS n INDEXED BY node_name
            WHERE n.name = :name AND n.kind = :kind AND n.namespace = :namespace ORDER BY n.ref""",
            {"name": in_column(name.name), "namespace": in_column(name.namespace), "kind": name.kind},
        )
        return [number for number, ref in rows if Ref.parse(ref).version]

    def _linked(self, rows: list[Row], twins: dict[int, int]) -> list[Row]:
        """The relations between things, whatever they were called."""
        beside = self._beside()
        if twins:
            rows = [self._renamed(row, twins) if row[0] in twins or row[1] in twins else row for row in rows]
        for short, whole in sorted(beside.items()):
            basis = looked_up(self._refs[short])
            rows.append(Link(short, whole, "alternate_of", "", basis, None, None, ALWAYS, FOREVER, None))
        return rows

    def _renamed(self, row: Sequence[Any], twins: dict[int, int]) -> Row:
        effect, cause, predicate, role, basis, *rest = row
        for end in (effect, cause):
            if end in twins:
                basis = weaker(basis, looked_up(self._refs[end]))
        return (twins.get(effect, effect), twins.get(cause, cause), predicate, role, basis, *rest)


def stands_for_versions(ref: Ref) -> bool:
    """Whether a reference is a name that stands for all its versions.

    Examples
    --------
    >>> [stands_for_versions(Ref.parse(text)) for text in ("dataset:orders", "dataset:orders@7", "model:churn")]
    [True, False, False]
    """
    return not ref.version and not ref.alias and ref.kind not in _SINGLE


def looked_up(bare: str) -> str:
    """How firmly a reference without a namespace is linked to what it means.

    Examples
    --------
    >>> looked_up("model:churn@3"), looked_up("dataset:orders")
    ('name_version', 'name')
    """
    return "name_version" if "@" in bare else "name"


#: By basis, how weak it is: 0 is the strongest.
RANKS = {basis: rank for rank, basis in enumerate(BASES)}
