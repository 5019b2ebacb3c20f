"""Checks of data and of what a record must say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import networkx as nx

from ...records import BASES, Basis
from ...roles import DATA_KINDS
from ..facts import Need
from ..hop import Hop, Result, fails, holds, unknown
from .base import Check

Fact = Literal[
    "algorithm",
    "dataset_version",
    "metrics",
    "feature_spec",
    "code",
    "environment",
    "owner",
    "licence",
    "description",
    "intended_use",
    "limitations",
    "retention",
    "prompt",
    "retrieval_index",
    "base_model",
]
#: Facts that are things of a kind upstream.
_UPSTREAM = {"feature_spec": "feature_set", "prompt": "prompt", "retrieval_index": "index", "base_model": "base_model"}
#: Attributes that record a fact; ``made`` also looks at the run that made the subject.
_KEYS: dict[str, tuple[tuple[str, ...], bool]] = {
    "algorithm": (("algorithm", "model_type", "estimator", "flavor", "flavors"), True),
    "metrics": (("metrics",), True),
    "feature_spec": (("feature_spec", "signature", "schema", "inputs"), False),
    "code": (("commit", "git_commit", "code", "source_version"), True),
    "environment": (("environment", "conda", "requirements", "image"), True),
    "owner": (("owner", "team", "user"), False),
    "licence": (("licence", "license"), False),
    "intended_use": (("intended_use", "purpose"), False),
    "limitations": (("limitations", "risks"), False),
    "retention": (("retention",), False),
}
#: Roles of data that a model is judged on.
_HELD_BACK = frozenset({"evaluation", "test"})
_NESTED = ("tags", "params", "metadata")


class TrainingData(Check, frozen=True, kw_only=True, tag="training_data"):
    """Some training data of the subject is on record."""

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        known = training_data(hop, hop.subject)
        if known:
            return holds(f"{len(known)} training dataset{'s' * (len(known) > 1)} on record")
        upstream = nx.ancestors(hop.graph, hop.subject)
        runs = sorted(ref for ref in upstream if hop.graph.nodes[ref]["kind"] == "run")
        if any(hop.graph.nodes[ref]["kind"] in DATA_KINDS for ref in upstream):
            return unknown(
                "data was read, and none of it is recorded as training data", "the role that the data was read in"
            )
        where = f"{runs[0]} read" if runs else "a training run read (no run is on record)"
        return unknown(
            f"no record says which data {where} for training",
            f"a record of the data that {where} for training",
            "missing",
        )

    def words(self) -> str:
        """What it asks, in words."""
        return "a dataset with the role training is on record"


class Identified(Check, frozen=True, kw_only=True, tag="identified"):
    """The subject is known by more than a name.

    Attributes
    ----------
    at_least : Basis
        The weakest acceptable rung of the ladder.
    """

    at_least: Basis

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        basis = hop.graph.nodes[hop.subject].get("identified_by") or "name"
        said = f"identified by {basis.replace('_', ' ')}"
        if BASES.index(basis) <= BASES.index(self.at_least):
            return holds(said)
        rung = self.at_least.replace("_", " ")
        return unknown(
            f"{said} only; needs {rung} or stronger",
            f"a record that identifies {hop.subject} by {rung} or stronger",
            "missing",
        )

    def words(self) -> str:
        """What it asks, in words."""
        return f"it is identified by {self.at_least.replace('_', ' ')} or stronger"


class Recorded(Check, frozen=True, kw_only=True, tag="recorded"):
    """Facts that a record must state.

    Attributes
    ----------
    facts : tuple of Fact
        Which.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({"agents"})
    facts: tuple[Fact, ...]

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        missing = [fact for fact in self.facts if not recorded(hop, fact)]
        if missing:
            said = _listed(missing)
            return unknown(f"{hop.subject} has no {said} on record", f"a record of {said} of {hop.subject}", "missing")
        return holds(f"on record: {_listed(self.facts)}")

    def words(self) -> str:
        """What it asks, in words."""
        return f"on record: {_listed(self.facts)}"


class SeparateData(Check, frozen=True, kw_only=True, tag="separate_data"):
    """What a model was evaluated on is not what it was trained on."""

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        training, evaluation = set(training_data(hop, hop.subject)), evaluation_data(hop)
        for refs, word in ((training, "training"), (evaluation, "evaluation")):
            if not refs:
                return unknown(
                    f"no {word} data of {hop.subject} is on record", f"a record of the {word} data", "missing"
                )
        open_: list[str] = []
        for first in sorted(evaluation):
            for second in sorted(training):
                same = self._same(hop, first, second)
                if same:
                    return fails(f"{first} was evaluated on and {second} trained on: the same {same}")
                if same is None:
                    open_.append(f"{first} and {second}")
        if open_:
            return unknown(
                f"whether {open_[0]} are the same data is not known: neither content nor version tells",
                "digests or versions of the training and the evaluation data",
            )
        said = f"{', '.join(sorted(evaluation))} differ{'s' * (len(evaluation) == 1)} from the training data"
        return holds(said)

    def _same(self, hop: Hop, first: str, second: str) -> str | None:
        """What is the same of two datasets; empty when they differ, None when that is not known."""
        if first == second:
            return "data"
        one, other = _digest(hop, first), _digest(hop, second)
        if one and other and one.partition(":")[0] == other.partition(":")[0]:
            return "content" if one == other else ""
        basis = [
            hop.graph.nodes[ref].get("identified_by") or "name" if ref in hop.graph else "name"
            for ref in (first, second)
        ]
        return "" if all(BASES.index(rung) <= BASES.index("name_version") for rung in basis) else None

    def words(self) -> str:
        """What it asks, in words."""
        return "the evaluation data differs from the training data, by content or by version"


def _digest(hop: Hop, ref: str) -> str:
    digest = str(hop.graph.nodes[ref].get("digest") or "") if ref in hop.graph else ""
    return digest if digest.partition(":")[0] in ("sha256", "sha512", "sha1", "md5") else ""


def training_data(hop: Hop, ref: str) -> list[str]:
    """Datasets that something was trained on, and what these were made from."""
    return sorted(
        one
        for one, roles in hop.trace.roles_from(ref).items()
        if "training" in roles and hop.graph.nodes[one]["kind"] in DATA_KINDS
    )


def evaluation_data(hop: Hop) -> set[str]:
    """What the subject was evaluated on: as evidence says it, what its evaluation runs read, and what its maker held back."""
    graph = hop.graph
    same = hop.setting.same_as(hop.subject)
    found = {
        str(item["attributes"]["dataset"])
        for _, item in hop.evidence_about(hop.subject)
        if item.get("gate_type") == "evaluation" and item.get("attributes", {}).get("dataset")
    }
    for one in same:
        for _, run in graph.out_edges(one):
            if graph.nodes[run].get("side"):
                found |= {
                    cause
                    for cause, _, edge in graph.in_edges(run, data=True)
                    if edge["predicate"] == "used" and graph.nodes[cause]["kind"] in DATA_KINDS
                }
    for run in hop.setting.makers(hop.subject):
        found |= {
            cause
            for cause, _, edge in graph.in_edges(run, data=True)
            if edge["predicate"] == "used"
            and str(edge["role"]).lower() in _HELD_BACK
            and graph.nodes[cause]["kind"] in DATA_KINDS
        }
    return found


# --- facts ---


def recorded(hop: Hop, fact: Fact) -> bool:
    """Whether a fact about the subject is on record; docs/policies.md has the table."""
    subject, graph = hop.subject, hop.graph
    keys, made = _KEYS.get(fact, ((), False))
    places = [subject, *(hop.setting.makers(subject) if made else ())]
    if any(_stated(hop.attributes(place), keys) for place in places):
        return True
    if fact == "description":
        return bool(str(hop.record.get("description", "")).strip())
    if fact == "dataset_version":
        rung = BASES.index("truncated_digest")
        known = training_data(hop, subject)
        return bool(known) and all(
            BASES.index(graph.nodes[ref].get("identified_by") or "name") <= rung for ref in known
        )
    if fact == "metrics":
        return any(item.get("actual") for _, item in hop.evidence_about(subject))
    if fact in _UPSTREAM:
        return any(graph.nodes[ref]["kind"] == _UPSTREAM[fact] for ref in nx.ancestors(graph, subject))
    if fact in ("code", "environment"):
        return any(
            graph.nodes[cause]["kind"] == fact
            for run in hop.setting.makers(subject)
            for cause, _, edge in graph.in_edges(run, data=True)
            if edge["predicate"] == "used"
        )
    if fact == "owner":
        return bool(hop.facts.agents.get(subject))
    return False


def _listed(facts: Sequence[Fact]) -> str:
    words = [fact.replace("_", " ") for fact in facts]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _stated(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> bool:
    for table in _tables(attributes):
        for key, value in table.items():
            if str(key).casefold() in keys and value not in (None, "", [], {}) and str(value).strip():
                return True
    return False


def _tables(attributes: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield attributes
    for key, value in attributes.items():
        if str(key).casefold() in _NESTED and isinstance(value, Mapping):
            yield value
