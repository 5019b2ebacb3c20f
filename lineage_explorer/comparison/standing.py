"""Where things stand: what only one side has, what is linked otherwise, what is used for something else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from .aligning import Alignment
from .lineages import Lineage
from .releases import of_one_side
from .rows import Difference, aspect_of, subject_of, words_of


def only(side: Lineage, found: Alignment, which: str) -> list[str]:
    """References without a counterpart anywhere."""
    return sorted(ref for ref in side.nodes if ref not in side.passed_over and not found.met(ref, which))


# --- what only one side has ---


def of_only(side: Lineage, found: Alignment, which: str) -> Iterator[Difference]:
    """Things without a counterpart; of runs and logged models only the last before what has one."""
    alone = set(only(side, found, which))
    met = {side.makers[ref] for ref in side.makers if ref not in alone}
    for ref in sorted(alone):
        kind = side.nodes[ref]["kind"]
        if kind == "deployment":
            if ref in side.served_by:
                yield of_one_side(side, ref, which)
            continue
        if ref not in side.walked:
            continue  # what an idle deployment runs is told with the deployment
        effects = {hop["effect"] for hop in side.effects.get(ref, ())}
        if kind in ("run", "logged_model"):
            after = {effect for effect in effects if effect in side.flow} if ref in side.flow else set()
            if after and after <= alone:
                continue  # it comes with what it made, which is told
            judged = {hop["cause"] for hop in side.causes.get(ref, ()) if hop["cause"] in side.flow}
            if ref not in side.flow and judged and judged <= alone:
                continue  # it comes with what it evaluated, which is told
            if kind == "logged_model" and side.makers.get(ref) in met:
                continue  # what was registered from it has a counterpart; how it got there may be written otherwise
        yield _one(side, ref, which, "" if ref in side.flow else "it stands beside the flow")


def _one(side: Lineage, ref: str, which: str, note: str = "") -> Difference:
    node = side.nodes[ref]
    text = str(node["version"]) or str(node["label"]) or ref
    aspect, words = aspect_of(side, ref), words_of(side, ref)
    if which == "a":
        return Difference(aspect, words, "", text, None, ref, None, note)
    return Difference(aspect, words, "", None, text, None, ref, note)


# --- how what both have is linked ---


def of_links(a: Lineage, b: Lineage, found: Alignment) -> Iterator[Difference]:
    """Roles, predicates and strength of links at the same place; links that only one side has."""
    lost: dict[str, list[str]] = defaultdict(list)
    gained: dict[str, list[str]] = defaultdict(list)
    for left, right in found.pairs():
        if left not in a.walked or right not in b.walked or left in a.idle or right in b.idle:
            continue
        if a.is_alias(left) != b.is_alias(right):
            continue  # a pointer and what it points at: what stands behind is compared from there
        was, now = _links(a, left), _links(b, right)
        there = found.at(was, now)
        for cause, counterpart in there.items():
            yield from _link(a, cause, b, counterpart, was[cause], now[counterpart])
        for side, refs, known, which, told, effect in (
            (a, was, there.keys(), "a", lost, left),
            (b, now, set(there.values()), "b", gained, right),
        ):
            for ref in refs:
                if ref not in known and found.met(ref, which) and not _one_making(side, ref, effect):
                    told[ref].append(effect)
    yield from _elsewhere(a, b, lost, gained)


def _links(side: Lineage, ref: str) -> dict[str, set[tuple[str, str, str]]]:
    found: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for hop in side.causes.get(ref, ()):
        if hop["cause"] in side.nodes and hop["predicate"] not in ("serves", "deploys"):
            found[hop["cause"]].add((hop["predicate"], hop["role"], hop["basis"]))
    return found


def _one_making(side: Lineage, cause: str, effect: str) -> bool:
    """Whether two things share a version, so that what they state was compared with it."""
    return cause in side.makers and side.makers[cause] == side.makers.get(effect)


def _link(
    a: Lineage, cause: str, b: Lineage, counterpart: str, was: set[tuple[str, str, str]], now: set[tuple[str, str, str]]
) -> Iterator[Difference]:
    subject = subject_of(a, cause, b, counterpart)
    for index, name in ((0, "link"), (1, "role"), (2, "basis")):
        texts = [", ".join(sorted({link[index] for link in links if link[index]})) or None for links in (was, now)]
        if texts[0] == texts[1]:
            continue
        if name == "basis" and (a.nodes[cause]["version"] == "") != (b.nodes[counterpart]["version"] == ""):
            continue  # one has a version and the other has none: that is told, and the link can be no firmer
        aspect = "other" if name == "basis" else aspect_of(a, cause)
        note = {"link": "how the two are related", "role": "what it was read for", "basis": "how firmly it is linked"}[
            name
        ]
        if name == "role" and None in texts:
            note = "what it was read for is on record on one side only"
        yield Difference(aspect, subject, name, texts[0], texts[1], cause, counterpart, note)
        return  # another relation has a role and a strength of its own


def _elsewhere(
    a: Lineage, b: Lineage, lost: dict[str, list[str]], gained: dict[str, list[str]]
) -> Iterator[Difference]:
    """Links to things that both sides have."""
    for ref in sorted(lost.keys() & gained.keys()):
        yield Difference(
            aspect_of(a, ref), subject_of(a, ref, b, ref), "link", _to(a, lost[ref]), _to(b, gained[ref]), ref, ref,
            "it leads to something else",
        )  # fmt: skip
    for ref in sorted(lost.keys() - gained.keys()):
        note = "what both have is linked so on one side only"
        yield Difference(aspect_of(a, ref), words_of(a, ref), "link", _to(a, lost[ref]), None, ref, None, note)
    for ref in sorted(gained.keys() - lost.keys()):
        note = "what both have is linked so on one side only"
        yield Difference(aspect_of(b, ref), words_of(b, ref), "link", None, _to(b, gained[ref]), None, ref, note)


def _to(side: Lineage, effects: Iterable[str]) -> str:
    return "to " + ", ".join(sorted({words_of(side, effect) for effect in effects}))
