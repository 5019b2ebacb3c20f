"""Which facts and gates each hop must show, and what can be said of them: holds, fails, cannot be determined.

Three-valued (Kleene) logic: any failure makes FAILED; else anything undetermined makes INCOMPLETE; a policy
that matched nothing is INCOMPLETE too. Nothing missing or ambiguous ever becomes PASSED.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import networkx as nx

from .errors import PolicyError
from .records import BASES, GRADES, Basis, GateType, Grade, digest_of, parse_instant
from .trace import DATA_KINDS, Trace

Outcome = Literal["holds", "fails", "undetermined"]
Verdict = Literal["PASSED", "FAILED", "INCOMPLETE"]
_Result = tuple[Outcome, str, str, list[int]]

#: What the status of a gate says of a requirement.
OUTCOME_OF: dict[str, Outcome] = {
    "passed": "holds",
    "waived": "holds",
    "failed": "fails",
    "pending": "undetermined",
    "stale": "undetermined",
    "missing": "undetermined",
    "undetermined": "undetermined",
}


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that hops of a kind must show.

    Attributes
    ----------
    id, title : str
        Its name in tables, and in words.
    hop : (cause kind, predicate, effect kind)
        Which hops; ``*`` is any, ``a|b`` is either.
    check : str
        ``resolved``, ``training_data``, ``identified``, ``evidence`` or ``pinned``.
    role : str
        Only hops whose data has this role.
    at_least : Basis
        For ``identified``: the weakest acceptable rung of the ladder.
    gate_type : GateType
        For ``evidence``: what sort of gate.
    min_grade : Grade
        For ``evidence``: the weakest acceptable grade.
    before : ``"release"`` or ``""``
        For ``evidence``: it must be dated no later than the deployment's release.
    """

    id: Annotated[str, msgspec.Meta(min_length=1)]
    title: str
    hop: tuple[str, str, str]
    check: Literal["resolved", "training_data", "identified", "evidence", "pinned"]
    role: str = ""
    at_least: Basis = "declared"
    gate_type: GateType | Literal[""] = ""
    min_grade: Grade = "claimed"
    before: Literal["release", ""] = ""

    def matches(self, cause_kind: str, predicate: str, effect_kind: str) -> bool:
        """Whether a hop between these kinds must show this."""
        return all(
            wanted == "*" or actual in wanted.split("|")
            for wanted, actual in zip(self.hop, (cause_kind, predicate, effect_kind), strict=True)
        )


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named, versioned list of requirements."""

    name: str
    version: str
    description: str = ""
    requirement: tuple[Requirement, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of every field."""
        return digest_of(msgspec.to_builtins(self))


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What one requirement came to on one hop.

    Attributes
    ----------
    status : Status
        In the words of gates (``passed``, ``missing``, ...).
    why : str
        The comparison made, or what would be needed to make it.
    evidence : tuple of int
        Numbers of the records used.
    """

    requirement: str
    title: str
    outcome: Outcome
    status: str
    why: str
    evidence: tuple[int, ...] = ()


def load_policy(source: str | Path | Policy | None = None) -> Policy:
    """A policy by the name of a shipped one, or from a TOML file.

    Raises
    ------
    PolicyError
        When there is no such policy, or the file breaks the format (the field is named).

    Examples
    --------
    >>> load_policy("default").name
    'default'
    """
    if isinstance(source, Policy):
        return source
    name = str(source or "default")
    shipped = files(__package__).joinpath("policies", f"{name}.toml") if name.isidentifier() else None
    try:
        if shipped is not None and shipped.is_file():
            text = shipped.read_text(encoding="utf-8")
        elif Path(name).is_file():
            text = Path(name).read_text(encoding="utf-8")
        else:
            have = sorted(item.name.removesuffix(".toml") for item in files(__package__).joinpath("policies").iterdir())
            raise PolicyError(f"no policy {name!r}: neither a file nor one of the shipped: {', '.join(have)}")
        return msgspec.convert(tomllib.loads(text), Policy)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError, OSError) as error:
        raise PolicyError(f"policy {name!r}: {error}") from error


def conjunction(outcomes: Iterable[Outcome]) -> Outcome:
    """Kleene's *and*; of nothing it is undetermined, because nothing was checked.

    Examples
    --------
    >>> conjunction(["holds", "undetermined"])
    'undetermined'
    """
    found = set(outcomes)
    if "fails" in found:
        return "fails"
    return "holds" if found == {"holds"} else "undetermined"


def verdict_of(outcome: Outcome) -> Verdict:
    """The verdict that an outcome is announced as."""
    verdicts: dict[Outcome, Verdict] = {"holds": "PASSED", "fails": "FAILED", "undetermined": "INCOMPLETE"}
    return verdicts[outcome]


EvidenceBySubject = Mapping[str, Sequence[tuple[int, Mapping[str, Any]]]]


class Judge:
    """Applies one policy to one trace.

    Parameters
    ----------
    trace : Trace
        As :func:`lineage_explorer.trace.trace` gives it.
    policy : Policy
        What to require.
    evidence : mapping
        By subject: (record number, evidence record as plain JSON), only what was visible at the instant.
    """

    def __init__(self, trace: Trace, policy: Policy, evidence: EvidenceBySubject) -> None:
        self._trace = trace
        self._graph = trace.graph
        self._policy = policy
        self._evidence = evidence
        self._checks = {
            "resolved": self._check_resolved,
            "training_data": self._check_training_data,
            "identified": self._check_identified,
            "evidence": self._check_evidence,
            "pinned": self._check_pinned,
        }

    def hop(self, cause: str, effect: str, edge: Mapping[str, Any]) -> list[Judgement]:
        """Every requirement that this hop must meet, judged."""
        kinds = self._graph.nodes[cause]["kind"], edge["predicate"], self._graph.nodes[effect]["kind"]
        judged: list[Judgement] = []
        for requirement in self._policy.requirement:
            if not requirement.matches(*kinds):
                continue
            if requirement.role and requirement.role not in self._trace.roles.get(cause, ()):
                continue
            outcome, status, why, used = self._checks[requirement.check](requirement, cause, effect, edge)
            judged.append(
                Judgement(
                    requirement=requirement.id,
                    title=requirement.title,
                    outcome=outcome,
                    status=status,
                    why=why,
                    evidence=tuple(used),
                )
            )
        return judged

    # Each check returns (outcome, status, why, numbers of the evidence used).

    def _check_resolved(self, _requirement: Requirement, cause: str, effect: str, _edge: Mapping[str, Any]) -> _Result:
        for ref in (cause, effect):
            data = self._graph.nodes[ref]
            if data.get("candidates"):
                return (
                    "undetermined",
                    "undetermined",
                    f"{ref} may mean any of {', '.join(data['candidates'])}",
                    [],
                )
            if not data["resolved"] and not data["implied"]:
                return "undetermined", "missing", f"no record describes {ref}", []
        return "holds", "passed", "both ends are on record", []

    def _check_training_data(
        self, _requirement: Requirement, cause: str, _effect: str, _edge: Mapping[str, Any]
    ) -> _Result:
        known = sorted(
            ref
            for ref in self._trace.data()
            if "training" in self._trace.roles[ref] and cause in self._trace.reached_from.get(ref, ())
        )
        if known:
            return "holds", "passed", f"{len(known)} training dataset{'s' * (len(known) > 1)} on record", []
        upstream = nx.ancestors(self._graph, cause)
        runs = sorted(ref for ref in upstream if self._graph.nodes[ref]["kind"] == "run")
        if any(self._graph.nodes[ref]["kind"] in DATA_KINDS for ref in upstream):
            return (
                "undetermined",
                "undetermined",
                "data was read, and none of it is recorded as training data",
                [],
            )
        where = f"{runs[0]} read" if runs else "a training run read (no run is on record)"
        return "undetermined", "missing", f"needs a record of the data that {where} for training", []

    def _check_identified(
        self, requirement: Requirement, cause: str, _effect: str, _edge: Mapping[str, Any]
    ) -> _Result:
        basis = self._graph.nodes[cause].get("identified_by") or "name"
        if BASES.index(basis) <= BASES.index(requirement.at_least):
            return "holds", "passed", f"identified by {basis.replace('_', ' ')}", []
        return (
            "undetermined",
            "missing",
            f"identified by {basis.replace('_', ' ')} only; needs {requirement.at_least.replace('_', ' ')} or stronger",
            [],
        )

    def _check_pinned(self, _requirement: Requirement, cause: str, _effect: str, _edge: Mapping[str, Any]) -> _Result:
        record = self._graph.nodes[cause].get("record", {})
        attributes = record.get("attributes", {})
        missing = [
            word
            for word, have in (
                ("a version", "@" in cause),
                ("a source", any(attributes.get(key) for key in ("source", "uri", "url", "provider"))),
            )
            if not have
        ]
        if missing:
            return "undetermined", "missing", f"{cause} needs {' and '.join(missing)}", []
        return "holds", "passed", "pinned to a version, and its source is named", []

    def _evidence_for(self, model: str) -> list[tuple[int, Mapping[str, Any]]]:
        """Evidence about exactly this version, or about the logged model whose bytes it is."""
        subjects = [model]
        for cause, _, edge in self._graph.in_edges(model, data=True):
            kind = self._graph.nodes[cause]["kind"]
            if (
                edge["predicate"] == "alternate_of"
                or (
                    kind == "logged_model"
                    and edge["predicate"] == "was_derived_from"
                    and edge["basis"]
                    in (
                        "content_hash",
                        "identifier",
                    )
                )
                or edge["predicate"] == "alias_of"
            ):
                subjects.append(cause)
        return [item for subject in subjects for item in self._evidence.get(subject, ())]

    def _check_evidence(self, requirement: Requirement, cause: str, effect: str, edge: Mapping[str, Any]) -> _Result:
        found = [
            (number, item)
            for number, item in self._evidence_for(cause)
            if not requirement.gate_type or item.get("gate_type", "other") == requirement.gate_type
        ]
        word = (requirement.gate_type or "gate").replace("_", " ")
        measured = [
            (number, item) for number, item in found if item.get("expected") or item["status"] != "undetermined"
        ]
        if not found:
            return "undetermined", "missing", f"no {word} of {cause} is on record", []
        # A measurement without a condition judges nothing, unless there is nothing else.
        gates: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
        for number, item in measured or found:
            gates.setdefault(item["gate"], []).append((number, item))
        results = [self._gate(requirement, items, self._release(effect, edge)) for _, items in sorted(gates.items())]
        order: dict[Outcome, int] = {"fails": 0, "undetermined": 1, "holds": 2}
        results.sort(key=lambda item: order[item[0]])
        outcome, status = results[0][0], results[0][1]
        return (
            outcome,
            status,
            "; ".join(item[2] for item in results),
            [number for item in results for number in item[3]],
        )

    def _release(self, deployment: str, edge: Mapping[str, Any]) -> int | None:
        """When the deployment was released, as far as a record says so (not when it was first seen)."""
        released = [edge["valid_from"]] if "valid_from" in edge.get("record", {}) else []
        released += [
            data["valid_from"]
            for _, _, data in self._graph.out_edges(deployment, data=True)
            if data["predicate"] == "serves" and "valid_from" in data.get("record", {})
        ]
        return min((when for when in released if when is not None), default=None)

    def _gate(
        self, requirement: Requirement, items: Sequence[tuple[int, Mapping[str, Any]]], release: int | None
    ) -> _Result:
        latest = max(_when(item) or -1 for _, item in items)
        deciding = [(number, item) for number, item in items if (_when(item) or -1) == latest]
        numbers = [number for number, _ in deciding]
        best = min(deciding, key=lambda pair: GRADES.index(pair[1].get("grade", "claimed")))[1]
        said = {item["status"] for _, item in deciding}
        if len({OUTCOME_OF[status] for status in said}) > 1:
            return (
                "undetermined",
                "undetermined",
                f"{best['gate']}: records contradict each other ({', '.join(sorted(said))})",
                numbers,
            )
        status = best["status"]
        outcome = OUTCOME_OF[status]
        why = _sentence(best)
        if outcome != "holds":
            return outcome, status, why, numbers
        if GRADES.index(best.get("grade", "claimed")) > GRADES.index(requirement.min_grade):
            return (
                "undetermined",
                "undetermined",
                f"{why}; the policy asks for grade {requirement.min_grade}",
                numbers,
            )
        if requirement.before:
            when = _when(best)
            if when is None or release is None:
                missing = "gate" if when is None else "release"
                return (
                    "undetermined",
                    "undetermined",
                    f"{why}; the time of the {missing} is not recorded, so the order is not known",
                    numbers,
                )
            if when > release:
                return "fails", "failed", f"{why}, which is after the release", numbers
        return outcome, status, why, numbers


def _when(item: Mapping[str, Any]) -> int | None:
    if "event_time" not in item:
        return None
    return int(parse_instant(item["event_time"]).timestamp() * 1_000_000)


def _readable(value: str) -> str:
    """A measured number to six digits: enough for every threshold people write, and still a word in a sentence."""
    try:
        return f"{float(value):.6g}" if len(value) > 9 else value
    except ValueError:
        return value


def _sentence(item: Mapping[str, Any]) -> str:
    parts = [f"{item['gate']}: {item['status']}"]
    if item.get("actual") or item.get("expected"):
        actual, expected = _readable(item.get("actual", "?")), item.get("expected", "")
        parts.append(f"({actual}, expected {expected})" if expected else f"({actual}, no condition recorded)")
    parts.append(item.get("grade", "claimed"))
    if item.get("because"):
        parts.append(f"- {item['because']}")
    if item.get("pointer"):
        parts.append(f"from {item['pointer']}")
    if item.get("evaluator"):
        parts.append(f"by {item['evaluator']}")
    if item.get("event_time"):
        parts.append(f"at {item['event_time']}")
    return " ".join(parts)
