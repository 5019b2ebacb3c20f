"""What versions were made from, and what was made from them: copies, fine-tunings, base models, prompts and indexes.

Pure reasoning over a graph whose nodes and edges carry their records, as :mod:`.trace` is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import networkx as nx

from ..records import Ref
from ..roles import RELEASED_KINDS
from ..sentences import label_of

Graph = nx.MultiDiGraph

#: Things that a version is built on, and what that is called.
BUILT_ON: Mapping[str, str] = {"base_model": "base model", "prompt": "prompt", "index": "index"}
#: What a version is made of beside its data and code.
INGREDIENTS = frozenset({*BUILT_ON, "environment"})
#: In these roles a run judges a model, and makes nothing of it.
JUDGING = frozenset({"evaluation", "test", "validation"})
_SURE = frozenset({"content_hash", "identifier"})
#: Of what is not a version of the name itself, as many are told: a base model may have ten thousand descendants.
LIMIT = 2_000


@dataclass
class Own:
    """What stands for one version in a graph, and what made it.

    Attributes
    ----------
    logged : list of str
        Logged models that it was registered from, the nearest first.
    sure : list of str
        Those of them that are known by an identifier or their content: evidence about these is about the version.
    runs : list of str
        Runs that made it; of a copy, those that made the original.
    copies : list of str
        Versions that it is a copy of, the nearest first.
    """

    ref: str
    logged: list[str] = field(default_factory=list)
    sure: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)

    @property
    def bodies(self) -> list[str]:
        """Everything that is this version, under other names."""
        return [self.ref, *self.logged, *self.copies]


class Parent(NamedTuple):
    """What a version came from, and how."""

    ref: str
    how: str


def own_of(graph: Graph[str], ref: str) -> Own:
    """What a version is registered from, and what made that."""
    own = Own(ref)
    seen = {ref}
    new = [ref]
    while new:
        here = new.pop(0)
        for cause, data in _causes(graph, here):
            if cause in seen:
                continue
            kind = graph.nodes[cause]["kind"]
            if data["predicate"] == "was_generated_by" and kind == "run":
                own.runs.append(cause)
            elif data["predicate"] == "was_derived_from" and kind == "logged_model" and not data["role"]:
                own.logged.append(cause)
                # What was registered from a copy was not itself judged.
                if data["basis"] in _SURE and not own.copies:
                    own.sure.append(cause)
                new.append(cause)
            elif data["predicate"] == "alternate_of":
                new.append(cause)
            elif (
                data["predicate"] == "was_derived_from"
                and kind in RELEASED_KINDS
                and _how(graph, here, cause, data) == "copy"
            ):
                own.copies.append(cause)
                new.append(cause)
            else:
                continue
            seen.add(cause)
    return own


def parents_of(graph: Graph[str], own: Own, registered: Mapping[str, str]) -> list[Parent]:
    """What a version was copied from, tuned from or built on.

    Parameters
    ----------
    registered : mapping
        The one version that a logged model was registered as, where there is one.
    """
    found: dict[Parent, None] = {}
    if own.copies:
        # What the original came from is told of the original.
        return [Parent(own.copies[0], "copy")]
    for body in (own.ref, *own.logged):
        for cause, data in _causes(graph, body):
            kind = graph.nodes[cause]["kind"]
            if data["predicate"] != "was_derived_from" or cause in own.logged:
                continue
            if kind in BUILT_ON:
                found[Parent(cause, BUILT_ON[kind])] = None
            elif kind in RELEASED_KINDS:
                found[Parent(registered.get(cause, cause), _how(graph, body, cause, data))] = None
    for run in own.runs:
        for cause, data in _causes(graph, run):
            kind = graph.nodes[cause]["kind"]
            if data["predicate"] != "used" or data["role"].casefold() in JUDGING:
                continue
            if kind in BUILT_ON:
                found[Parent(cause, BUILT_ON[kind])] = None
            elif kind in RELEASED_KINDS and cause not in own.bodies:
                trained = graph.nodes[run].get("record", {}).get("activity", "") == "training"
                found[Parent(registered.get(cause, cause), how_used(data["role"], trained=trained))] = None
    return sorted(parent for parent in found if parent.ref != own.ref)


def _causes(graph: Graph[str], ref: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What stands right before a thing, in an order that does not depend on that of arrival."""
    edges = graph.in_edges(ref, data=True)
    for cause, _, data in sorted(edges, key=lambda edge: (edge[0], edge[2]["predicate"], edge[2]["role"])):
        yield cause, data


def _how(graph: Graph[str], effect: str, cause: str, data: Mapping[str, Any]) -> str:
    """How one version came of another that it is directly derived from."""
    made = any(
        edge["predicate"] == "was_generated_by"
        or (edge["predicate"] == "was_derived_from" and graph.nodes[other]["kind"] == "logged_model")
        for other, edge in _causes(graph, effect)
    )
    digests = [graph.nodes[ref].get("digest", "") for ref in (effect, cause)]
    same = bool(digests[0]) and digests[0] == digests[1]
    # What a moving alias pointed at then, nobody knows.
    return how_derived(data["role"], "content_hash" if same else data["basis"], made=made or "~" in cause)


def how_derived(role: str, basis: str, *, made: bool) -> str:
    """How a version came of another that it is derived from.

    Parameters
    ----------
    made : bool
        Whether something else made it: a run, or a logged model that it was registered from. Where nothing did, and the
        two are linked by an identifier or their content, one is the registry's copy of the other.

    Examples
    --------
    >>> how_derived("", "identifier", made=False), how_derived("", "identifier", made=True), how_derived("fine-tuning", "name", made=True)
    ('copy', 'derived', 'fine-tuning')
    """
    word = role.casefold()
    if "copy" in word:
        return "copy"
    if "fine" in word or "tun" in word:
        return "fine-tuning"
    return "copy" if not role and not made and basis in _SURE else "derived"


def how_used(role: str, *, trained: bool) -> str:
    """How a version came of another that the run which made it read.

    Examples
    --------
    >>> how_used("input", trained=True), how_used("input", trained=False)
    ('fine-tuning', 'derived')
    """
    return "fine-tuning" if trained or "fine" in role.casefold() else "derived"


# --- the whole ---


class Child(NamedTuple):
    """What came of a version: another version, and how."""

    parent: str
    ref: str
    how: str


def tree_of(
    versions: Sequence[Mapping[str, Any]], children: Iterable[Child], records: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The versions of a name with their parents and children, as plain JSON values.

    Parameters
    ----------
    versions : sequence of mapping
        Rows with ``ref``, ``kind``, ``label`` and ``parents``.
    children : iterable of Child
        What came of the versions, under any name.
    records : mapping
        What describes the others, as far as anything does.

    Returns
    -------
    dict
        ``nodes`` (``ref``, ``kind``, ``label``), ``links`` (``parent``, ``child``, ``how``), and ``beyond``: how many links
        are not told, because there are more than :data:`LIMIT` things beside the versions.

    Examples
    --------
    >>> row = {"ref": "model:a@1", "kind": "model", "label": "a v1", "parents": []}
    >>> tree_of([row], [Child("model:a@1", "model:b@1", "copy")], {})["links"]
    [{'parent': 'model:a@1', 'child': 'model:b@1', 'how': 'copy'}]
    """
    labels = {row["ref"]: (row["kind"], row["label"]) for row in versions}
    links = {
        (parent["ref"], row["ref"]): parent["how"] for row in versions for parent in row["parents"]
    }  # parents before children: what the versions came from is never left out for what came of them
    for child in sorted(children):
        links.setdefault((child.parent, child.ref), child.how)
    others: dict[str, None] = {}
    kept = []
    for (parent, child), how in links.items():
        new = {ref for ref in (parent, child) if ref not in labels and ref not in others}
        if len(others) + len(new) > LIMIT:
            continue
        others.update(dict.fromkeys(new))
        kept.append({"parent": parent, "child": child, "how": how})
    nodes = [{"ref": ref, "kind": kind, "label": label} for ref, (kind, label) in labels.items()]
    nodes += [
        {"ref": ref, "kind": Ref.parse(ref).kind, "label": called(ref, records.get(ref, {}))} for ref in sorted(others)
    ]
    return {
        "nodes": nodes,
        "links": sorted(kept, key=lambda link: (link["parent"], link["child"])),
        "beyond": len(links) - len(kept),
    }


def called(ref: str, record: Mapping[str, Any]) -> str:
    """What to call a thing by its reference and what describes it.

    Examples
    --------
    >>> called("model:prod/churn@3", {})
    'churn v3'
    """
    parsed = Ref.parse(ref)
    version = parsed.version or (parsed.alias and f"~{parsed.alias}")
    return label_of({"kind": parsed.kind, "name": parsed.name, "version": version}, record)
