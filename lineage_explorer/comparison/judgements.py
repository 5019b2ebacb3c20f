"""What was judged, by whom, and what the policy made of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..policy.logic import WORST
from .aligning import Alignment
from .lineages import Lineage, Row
from .rows import Difference, number_of, subject_of

# --- the whole ---


def of_whole(a: Lineage, b: Lineage) -> Iterator[Difference]:
    """The verdict, and the policy that it was found by."""
    was, now = a.content["verdict"], b.content["verdict"]
    first, second = (side.content["question"]["policy"] for side in (a, b))
    if was != now:
        one_policy = first["digest"] == second["digest"]
        yield Difference(
            "verdict",
            "verdict",
            "",
            was,
            now,
            a.root,
            b.root,
            "" if one_policy else "by different policies",
            better=now == "PASSED" if one_policy and "PASSED" in (was, now) else None,
        )
    for name in ("name", "version", "digest"):
        if (first[name] or None) != (second[name] or None):
            yield Difference("policy", "policy", name, first[name] or None, second[name] or None, a.root, b.root)
            return  # another name or version has another digest


# --- gates ---


def of_gates(a: Lineage, left: str, b: Lineage, right: str) -> Iterator[Difference]:
    """What gates say of two things at one place: status, condition, value, who judged."""
    was, now = _gates(a, left), _gates(b, right)
    for gate in sorted(was.keys() | now.keys()):
        first, second = was.get(gate, []), now.get(gate, [])
        facts = [
            sorted({_facts(row, side, ref) for row in rows})
            for rows, side, ref in ((first, a, left), (second, b, right))
        ]
        if facts[0] == facts[1]:
            continue
        yield Difference(
            "gate",
            subject_of(a, left, b, right),
            gate,
            _gate_text(facts[0]),
            _gate_text(facts[1]),
            left,
            right,
            "; ".join(_gate_notes(first, second)),
        )


def is_measurement(row: Row) -> bool:
    """Whether a record only tells a value: nobody judged it, by no condition."""
    return (
        row["status"] == "undetermined"
        and not row["expected"]
        and not row["evaluator"]
        and number_of(row["actual"]) is not None
    )


def _gates(side: Lineage, ref: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in side.evidence.get(ref, ()):
        if not is_measurement(row):
            found[row["gate"]].append(row)
    return found


def _facts(row: Row, side: Lineage, ref: str) -> tuple[str, ...]:
    # A number that a model reached is one of its metrics, and told as that.
    told = ref in side.makers and number_of(row["actual"]) is not None
    until = f"until {row['valid_to']}" if row.get("valid_to") else ""
    by = f"by {row['evaluator']}" if row["evaluator"] else ""
    return row["status"], row["expected"], "" if told else row["actual"], by, until, row["grade"]


def _gate_text(facts: Iterable[tuple[str, ...]]) -> str | None:
    return " · ".join("; ".join(word for word in one if word) for one in facts) or None


def _gate_notes(first: list[Row], second: list[Row]) -> Iterator[str]:
    if not first or not second:
        yield f"on record on one side only{_told_by([*first, *second])}"
        return
    for name, word in (
        ("status", "another status"),
        ("expected", "another condition"),
        ("actual", "another value"),
        ("grade", "another grade of evidence"),
    ):
        if {row[name] for row in first} != {row[name] for row in second}:
            yield word
    if {row["evaluator"] for row in first} != {row["evaluator"] for row in second}:
        yield f"by another: {_who(first)}, and {_who(second)}"


def _told_by(rows: list[Row]) -> str:
    return f": {_who(rows)}" if any(row["evaluator"] for row in rows) else ""


def _who(rows: list[Row]) -> str:
    said = {
        f"{row['evaluator'] or 'nobody named'} at {row['event_time'] or 'a time that is not on record'}" for row in rows
    }
    return " and ".join(sorted(said))


# --- requirements ---


def of_requirements(a: Lineage, b: Lineage, found: Alignment) -> Iterator[Difference]:
    """What the policy asked of the hops at the same places, and what that came to."""
    policies = [side.content["question"]["policy"]["digest"] for side in (a, b)]
    for left, right, was, now, subjects in _hops(a, b, found):
        first, second = _outcomes(was), _outcomes(now)
        names = first.keys() & second.keys() if policies[0] != policies[1] else first.keys() | second.keys()
        for name in sorted(names):
            one, other = first.get(name), second.get(name)
            if (one and one["outcome"]) == (other and other["outcome"]):
                continue
            yield Difference(
                "requirement",
                subject_of(a, subjects[0], b, subjects[1]),
                name,
                one and one["outcome"],
                other and other["outcome"],
                left,
                right,
                _requirement_note(one, other),
                better=None
                if one is None or other is None or "holds" not in (one["outcome"], other["outcome"])
                else other["outcome"] == "holds",
            )


def _hops(a: Lineage, b: Lineage, found: Alignment) -> Iterator[tuple[str, str, list[Row], list[Row], tuple[str, str]]]:
    for left, right in found.pairs():
        # A version is asked the same wherever it is deployed, and also where it is only supposed to be.
        was, now = _deploying(a, left), _deploying(b, right)
        if was and now:
            yield left, right, was, now, (left, right)
        if left in a.walked and right in b.walked:
            into = [_into(a, left), _into(b, right)]
            for cause, counterpart in found.at(into[0], into[1]).items():
                if cause in a.idle or counterpart in b.idle:
                    continue  # nobody judges what answers nobody
                yield cause, counterpart, into[0][cause], into[1][counterpart], (cause, counterpart)


def _deploying(side: Lineage, ref: str) -> list[Row]:
    return [
        hop for hop in side.effects.get(ref, ()) if hop["predicate"] == "deploys" and hop["effect"] not in side.idle
    ]


def _into(side: Lineage, ref: str) -> dict[str, list[Row]]:
    hops: dict[str, list[Row]] = defaultdict(list)
    for hop in side.causes.get(ref, ()):
        if hop["predicate"] != "deploys" and hop["cause"] in side.nodes:
            hops[hop["cause"]].append(hop)
    return hops


def _outcomes(hops: Iterable[Row]) -> dict[str, Mapping[str, Any]]:
    """The worst of each requirement."""
    found: dict[str, Mapping[str, Any]] = {}
    for item in (item for hop in hops for item in hop["requirements"] if item["required"]):
        known = found.get(item["requirement"])
        if known is None or (WORST[item["outcome"]], item["why"]) < (WORST[known["outcome"]], known["why"]):
            found[item["requirement"]] = item
    return found


def _requirement_note(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> str:
    title = str((one or other or {}).get("title", ""))
    whys = [item["why"] for item in (one, other) if item is not None and item["why"]]
    asked = "" if one is not None and other is not None else "asked on one side only"
    return "; ".join(word for word in (title, asked, *dict.fromkeys(whys)) if word)
