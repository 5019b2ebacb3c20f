"""One side of a comparison: an audit's content, indexed for walking upstream."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from ..gathering import CANDIDATE
from ..records import Ref
from ..roles import RELEASED_KINDS
from .texts import clear

Row = Mapping[str, Any]
_NUMBERS = re.compile(r"[0-9]+")
#: Digits, and what people set between and before them in a name: ``train-v3``, ``prepare_2026-10-24``.
_COUNTED = re.compile(r"(?:[\s._-]*(?<![A-Za-z])v)?[\s._:-]*[0-9]+", re.I)


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key by which version 10 comes after version 9.

    Examples
    --------
    >>> sorted(["10", "9", "9b"], key=natural)
    ['9', '9b', '10']
    """
    parts: list[tuple[int, int, str]] = []
    end = 0
    for match in _NUMBERS.finditer(text):
        if match.start() > end:
            parts.append((1, 0, text[end : match.start()]))
        parts.append((0, int(match[0]) if len(match[0]) < 400 else 0, match[0]))
        end = match.end()
    return (*parts, (1, 0, text[end:])) if end < len(text) else tuple(parts)


def purpose(name: str) -> str:
    """A name without what counts or dates it: what a thing is for, whichever time it was made.

    Examples
    --------
    >>> purpose("train-v3"), purpose("prepare 2026-10-24"), purpose("v2-train"), purpose("42")
    ('train', 'prepare', 'train', '')
    """
    return _COUNTED.sub("", name).strip(" ._-:").casefold()


class Lineage:
    """An audit's nodes and hops, by what they are asked for.

    Attributes
    ----------
    nodes : dict
        Rows of things on record by reference; what :func:`lineage_explorer.questions.gate` supposes is not among them.
    causes, effects : dict
        Hops into a thing, and out of it.
    root : str
        The endpoint that was asked about, or the version that was judged as though it were released.
    candidate : str
        That version; empty for what does serve.
    passed_over : frozenset
        References that are not compared, because the other side supposes them.
    walked : set
        What the answer rests on, and the runs beside it that evaluated a model.
    """

    def __init__(self, content: Row) -> None:
        self.content = content
        self.candidate = str(content["question"].get("candidate") or "")
        endpoint = str(content["question"]["endpoint"])
        self.root = self.candidate or endpoint
        self.supposed = _supposed(endpoint, self.candidate)
        self.passed_over: frozenset[str] = frozenset()
        self.nodes: dict[str, Row] = {
            node["ref"]: node for node in sorted(content["nodes"], key=lambda node: str(node["ref"]))
        }
        self.causes: dict[str, list[Row]] = defaultdict(list)
        self.effects: dict[str, list[Row]] = defaultdict(list)
        for hop in content["hops"]:
            self.causes[hop["effect"]].append(hop)
            self.effects[hop["cause"]].append(hop)
        self.serving: list[Row] = [row for row in content["serving"] if row["deployment"] not in self.supposed]
        self.answering = {row["deployment"] for row in content["serving"] if row["verdict"] is not None}
        for ref in self.supposed:
            self.nodes.pop(ref, None)
        self._around: dict[str, frozenset[Any]] = {}

    @cached_property
    def walked(self) -> set[str]:  # noqa: D102
        # A deployment that answers nobody is shown with what it runs; what that was made of was not traced.
        queue = deque([self.root])
        found = {self.root}
        while queue:
            ref = queue.popleft()
            if ref in self.idle:
                continue
            for hop in self.causes.get(ref, ()):
                if hop["cause"] not in found:
                    found.add(hop["cause"])
                    queue.append(hop["cause"])
        return found | self._beside(found)

    def _beside(self, found: set[str]) -> set[str]:
        """Runs that read what was found, with what else they read."""
        runs = {
            hop["effect"]
            for ref in found
            for hop in self.effects.get(ref, ())
            if hop["effect"] not in found and hop["predicate"] == "used"
        }
        return runs | {hop["cause"] for run in runs for hop in self.causes.get(run, ())}

    def pass_over_release(self) -> None:
        """Look only at what is served, and not at how: the other side is a version that is not released."""
        self.passed_over = frozenset(
            ref for ref, node in self.nodes.items() if node["kind"] == "deployment" or ref == self.root
        )

    @cached_property
    def idle(self) -> set[str]:
        """Deployments that answer nobody."""
        return {row["deployment"] for row in self.serving} - self.answering

    @cached_property
    def flow(self) -> set[str]:
        """Everything upstream of the root, and not only what answers."""
        queue = deque([self.root])
        found = {self.root}
        while queue:
            for hop in self.causes.get(queue.popleft(), ()):
                if hop["cause"] not in found:
                    found.add(hop["cause"])
                    queue.append(hop["cause"])
        return found

    @cached_property
    def evidence(self) -> dict[str, list[Row]]:
        """Gate results and measurements by what they are about."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.content["evidence"]:
            found[row["subject"]].append(row)
        return found

    @cached_property
    def served_by(self) -> dict[str, list[Row]]:
        """Rows of serving by deployment."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.serving:
            found[row["deployment"]].append(row)
        return found

    @cached_property
    def readers(self) -> dict[str, list[Row]]:
        """By a thing: hops to the runs beside the flow that read it."""
        return {
            ref: [hop for hop in hops if hop["effect"] not in self.flow and hop["predicate"] == "used"]
            for ref, hops in self.effects.items()
        }

    @property
    def released(self) -> list[str]:
        """The versions that may answer requests, by share and then by name."""
        if self.candidate:
            return [self.candidate]
        shares: dict[str, float] = {}
        for row in self.serving:
            if row["model"] and row["verdict"] is not None:
                shares[row["model"]] = shares.get(row["model"], 0.0) + (row["traffic"] or 0.0)
        return sorted(shares, key=lambda ref: (-shares[ref], natural(ref)))

    @cached_property
    def owners(self) -> dict[str, list[str]]:
        """By a thing: the versions that may answer requests which it went into, or which a run judged with it."""
        found: dict[str, list[str]] = defaultdict(list)
        for version in self.released:
            queue, seen = deque([version]), {version}
            while queue:
                new = {hop["cause"] for hop in self.causes.get(queue.popleft(), ())} - seen
                seen |= new
                queue.extend(new)
            models = [ref for ref in seen if ref in self.nodes and self.nodes[ref]["kind"] in RELEASED_KINDS]
            judging = {hop["effect"] for ref in models for hop in self.readers.get(ref, ())}
            for ref in seen | judging | {hop["cause"] for run in judging for hop in self.causes.get(run, ())}:
                found[ref].append(version)
        return dict(found)

    def label(self, ref: str) -> str:
        """A thing's name and version, cut to what has room in a sentence."""
        node = self.nodes[ref]
        name = clear(self.title(ref) or node["name"])
        version = str(node["version"])
        return f"{name}{version if version.startswith('~') else '@' + clear(version, 24)}" if version else name

    def record(self, ref: str) -> Row:
        """What describes a thing; of a dataset's state without a record of its own, nothing."""
        found = self.nodes[ref].get("record")
        return found if isinstance(found, Mapping) else {}

    def attributes(self, ref: str) -> Row:
        """A thing's attributes."""
        found = self.nodes[ref].get("attributes")
        return found if isinstance(found, Mapping) else {}

    def title(self, ref: str) -> str:
        """The name that people gave a thing, or its own."""
        node = self.nodes[ref]
        if node["kind"] in ("run", "logged_model"):
            given = self.attributes(ref).get("name")
            return str(given) if isinstance(given, str) and given else ""
        return str(node["name"])

    def order(self, ref: str) -> tuple[Any, ...]:
        """Which of several that could stand at a place comes first: by what is on record of them, never by arrival."""
        node = self.nodes[ref]
        return natural(node["version"]), node["since"] or "", node["digest"], natural(ref)

    def surroundings(self, ref: str) -> frozenset[Any]:
        """What a run or a logged model stands beside, and in which capacity; things that are named by numbers left out."""
        if ref not in self._around:
            ends = [(hop, hop["cause"]) for hop in self.causes.get(ref, ())]
            ends += [(hop, hop["effect"]) for hop in self.effects.get(ref, ())]
            self._around[ref] = frozenset(
                (hop["predicate"], hop["role"], self.nodes[end]["kind"], purpose(str(self.nodes[end]["name"])))
                for hop, end in ends
                if end in self.nodes and self.nodes[end]["kind"] not in ("run", "logged_model", "deployment")
            )
        return self._around[ref]

    def slot(self, ref: str) -> str:
        """What a deployment is called beside its endpoint's name."""
        return str(self.nodes[ref]["name"]).rpartition(":")[2]

    def sites(self, ref: str) -> tuple[str, ...]:
        """Where a deployment serves."""
        return tuple(sorted({str(row["site"]) for row in self.served_by.get(ref, ())}))

    def is_alias(self, ref: str) -> bool:
        """Whether a reference is a pointer that moves."""
        return str(self.nodes[ref]["version"]).startswith("~")

    @cached_property
    def makers(self) -> dict[str, str]:
        """Of each version, logged model and run: the first of those that are one making.

        A version, the logged model that it was registered from, the run that logged it, the runs that evaluated it, and a
        version that is nothing but a copy of it share parameters and metrics: each is told once for all of them.
        """
        groups = _Groups()
        for ref, node in self.nodes.items():
            if node["kind"] in RELEASED_KINDS or node["kind"] == "run":
                groups.find(ref)
        for effect, hops in self.causes.items():
            if effect not in self.nodes:
                continue
            for hop in hops:
                if hop["cause"] in self.nodes and self._one_making(hop, hops):
                    groups.join(effect, hop["cause"])
        for run in sorted(self.nodes.keys() - self.flow):
            # A run that measured a champion and its challenger belongs to neither.
            judged = {
                hop["cause"] for hop in self.causes.get(run, ()) if hop["cause"].partition(":")[0] in RELEASED_KINDS
            } & self.nodes.keys()
            if len({groups.find(ref) for ref in judged}) == 1:
                groups.join(run, min(judged))
        return groups.named(self._rank)

    def _one_making(self, hop: Row, siblings: Iterable[Row]) -> bool:
        cause, effect = self.nodes[hop["cause"]]["kind"], self.nodes[hop["effect"]]["kind"]
        if hop["predicate"] == "was_generated_by":
            return cause == "run" and effect in RELEASED_KINDS
        if hop["predicate"] == "was_derived_from" and cause in RELEASED_KINDS and effect in RELEASED_KINDS:
            # What was tuned from another version has a maker of its own; a copy has not.
            return cause == "logged_model" or {other["cause"] for other in siblings} == {hop["cause"]}
        return hop["predicate"] in ("alias_of", "alternate_of") and cause in RELEASED_KINDS

    def _rank(self, ref: str) -> tuple[Any, ...]:
        kind = self.nodes[ref]["kind"]
        order = {"model": 0, "ai_agent": 0, "logged_model": 1}.get(kind, 2)
        return ref not in self.released, order, self.is_alias(ref), natural(ref)


def _supposed(endpoint: str, candidate: str) -> frozenset[str]:
    """The deployment and the endpoint that an answer about a candidate ends in."""
    if not candidate:
        return frozenset()
    place = Ref.parse(endpoint)
    return frozenset({endpoint, str(Ref("deployment", f"{place.name}:{CANDIDATE}", "", place.namespace))})


class _Groups:
    """Things that belong together (union-find)."""

    def __init__(self) -> None:
        self._over: dict[str, str] = {}

    def find(self, ref: str) -> str:
        path = []
        while self._over.setdefault(ref, ref) != ref:
            path.append(ref)
            ref = self._over[ref]
        for one in path:
            self._over[one] = ref
        return ref

    def join(self, one: str, other: str) -> None:
        first, second = sorted((self.find(one), self.find(other)))
        self._over[second] = first

    def named(self, rank: Callable[[str], Any]) -> dict[str, str]:
        """By member, the one that ranks first among its group."""
        groups: dict[str, list[str]] = defaultdict(list)
        for ref in self._over:
            groups[self.find(ref)].append(ref)
        return {ref: min(members, key=rank) for members in groups.values() for ref in members}
