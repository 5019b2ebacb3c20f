"""Gate evidence in tags: ``gate.<name>.<field>`` and the bare ``<task>=Approved``.

A tag that points at a run and states a threshold is not believed but recomputed from that run's metric
points, those dated no later than the judgement.
"""

from __future__ import annotations

import math
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from ...records import Evidence, GateType, Grade, Status
from ..protocol import Rejected
from .names import Names, gate_type_of, instant, status_of, written_instant
from .rows import MetricPoint

_FIELDS = frozenset(
    ["status", "type", "run_id", "threshold", "by", "at", "evidence", "until", "reason", "baseline", "digest"]
)
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})\Z")
_APPROVALS = frozenset(["approval", "approve", "approved", "sign-off", "signoff", "sign_off"])
_BARE = frozenset(["approved", "rejected", "pending"])
_RESERVED = ("gate.", "deploy.", "data.", "lineage.", "mlflow.", "_mlflow")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_THRESHOLD = re.compile(rf"\s*([^<>=!≥≤]*?)\s*(>=|<=|==|!=|>|<|=|≥|≤)\s*({_NUMBER})\s*\Z")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "≥": operator.ge,
    "<=": operator.le,
    "≤": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}


class Claim(msgspec.Struct, frozen=True):
    """What somebody wrote in tags about one gate of one subject.

    ``linked_runs`` are the runs that the subject's own rows name (the run that made it): the caller adds
    those that measured it.
    """

    subject: str
    name: str
    fields: dict[str, str]
    position: str
    linked_runs: frozenset[str] = frozenset()
    model_id: str = ""
    bare: bool = False
    copied: bool = False

    @property
    def run_id(self) -> str:
        """The run that is said to prove it."""
        return self.fields.get("run_id", "").strip().removeprefix("run:")

    @property
    def metric(self) -> str:
        """The metric that is compared."""
        match = _THRESHOLD.match(self.fields.get("threshold", ""))
        return (match[1] if match else "") or self.name

    @property
    def wanted(self) -> tuple[str, str] | None:
        """The metric of the run that must be read to recompute it."""
        return (self.run_id, self.metric) if self.run_id else None

    @property
    def measurement(self) -> tuple[str, str, str] | None:
        """Subject, gate and run of a measurement that this gate restates: same number, same time, nobody's judgement.

        Both would be one piece of evidence described in two ways.
        """
        fields = self.fields
        if not self.run_id or self.metric != self.name or fields.get("by") or fields.get("at"):
            return None
        return (self.subject, self.name, self.run_id) if _THRESHOLD.match(fields.get("threshold", "")) else None


def claims(
    subject: str,
    tags: Mapping[str, str],
    position: str,
    *,
    linked_runs: Iterable[str] = (),
    model_id: str = "",
    bare: bool = False,
    copied: bool = False,
) -> Iterator[Claim]:
    """Find the gates in a subject's tags; ``bare`` also reads ``<task>=Approved``.

    ``copied`` says that the tags may have come with a copy from a version that can no longer be read.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    runs = frozenset(run for run in linked_runs if run)
    for key, value in tags.items():
        if key.startswith("gate."):
            name, _, field = key[5:].rpartition(".")
            if name and field in _FIELDS:
                found[name][field] = value
        elif bare and value.strip().lower() in _BARE and not key.startswith(_RESERVED):
            yield Claim(subject, key, {"status": value}, f"{position}/tags/{key}", runs, model_id, True, copied)
    for name, fields in found.items():
        yield Claim(subject, name, fields, f"{position}/tags/gate.{name}", runs, model_id, False, copied)


def evidence(
    claim: Claim,
    names: Names,
    points: Iterable[MetricPoint],
    linked: bool,
    problems: list[Rejected],
) -> Evidence:
    """Judge a claim.

    Parameters
    ----------
    claim : Claim
        What the tags say.
    names : Names
        Writes the pointer.
    points : iterable of MetricPoint
        Of :attr:`Claim.wanted`; empty when the run or its metric is unknown.
    linked : bool
        Whether MLflow itself ties the run to the subject.
    problems : list of Rejected
        Receives tags that cannot be read.
    """
    fields = claim.fields
    claimed = fields.get("status", "")
    status: Status = status_of(claimed)
    at = written_instant(fields.get("at", ""), f"{claim.position}.at", problems)
    attributes: dict[str, Any] = {"tag": claim.name if claim.bare else f"gate.{claim.name}"}
    threshold = fields.get("threshold", "").strip()
    match = _THRESHOLD.match(threshold)
    expected = f"{claim.metric} {match[2]} {match[3]}" if match else threshold
    point = None
    if not fields.get("at") or at is not None:  # an unreadable date could admit points it must not
        point = max((point for point in points if not_after(point, at)), default=None)
    grade: Grade = "claimed"
    if claim.run_id:
        grade = "referenced"
        attributes["run_linked"] = linked
    if claim.run_id and threshold:
        computed, reason = _recompute(match, point)
        if reason:
            status = status if status in ("waived", "pending", "stale", "failed") else "undetermined"
            attributes["not_recomputed"] = reason
        else:
            grade = "recomputed"
            if status in ("waived", "pending", "stale"):
                attributes["recomputed_status"] = computed
            else:
                status = computed
        if claimed and status_of(claimed) != status:
            attributes["claimed"] = claimed
    elif claimed and status == "undetermined":
        attributes["claimed"] = claimed
    if claim.copied and status == "passed":
        # Evidence binds to what it names: this may be the word of another version.
        status = "undetermined"
        attributes |= {"claimed": claimed, "copied": "the version it was copied from cannot be read"}
    if point is not None:
        attributes |= {"metric": claim.metric, "step": point.step}
    if fields.get("evidence") and claim.run_id:
        attributes["evidence"] = fields["evidence"]
    if fields.get("type") and gate_type_of(fields["type"]) is None:
        attributes["claimed_type"] = fields["type"]
    attributes |= {key: fields[key] for key in ("reason", "baseline") if fields.get(key)}
    judged_bytes = _SHA256.match(fields.get("digest", "").strip())
    if fields.get("digest") and judged_bytes is None:
        attributes["claimed_digest"] = fields["digest"]
    judged = at
    if judged is None and grade == "recomputed" and point is not None and not fields.get("at"):
        judged = instant(point.timestamp, claim.position, problems)
    return Evidence(
        subject=claim.subject,
        gate=claim.name,
        gate_type=_gate_type(claim, point is not None),
        status=status,
        grade=grade,
        expected=expected,
        actual=number(point.value) if point is not None else "",
        evaluator=fields.get("by", ""),
        event_time=judged,
        valid_to=written_instant(fields.get("until", ""), f"{claim.position}.until", problems),
        subject_digest=f"sha256:{judged_bytes[1].lower()}" if judged_bytes else "",
        pointer=names.run(claim.run_id) if claim.run_id else fields.get("evidence", ""),
        attributes=attributes,
    )


def _recompute(match: re.Match[str] | None, point: MetricPoint | None) -> tuple[Status, str]:
    if match is None:
        return "undetermined", "the threshold is not of the form 'metric >= number'"
    if point is None:
        return "undetermined", "the run has no such metric, or none dated before the judgement"
    if math.isnan(point.value):
        return "undetermined", "the metric is not a number"
    return ("passed" if _COMPARE[match[2]](point.value, float(match[3])) else "failed"), ""


def _gate_type(claim: Claim, measured: bool) -> GateType:
    if claim.bare:
        return "approval"
    stated = gate_type_of(claim.fields.get("type", ""))
    if stated is not None:
        return stated
    name = claim.name.lower()
    if name in _APPROVALS:
        return "approval"
    return "evaluation" if name.startswith("eval") or measured else "other"


def not_after(point: MetricPoint, at: datetime | None) -> bool:
    """Whether a point was logged no later than an instant (any point, when there is none)."""
    return at is None or point.timestamp <= at.timestamp() * 1000


def number(value: float) -> str:
    """A measured value as people write it.

    Examples
    --------
    >>> number(0.9100000000000001), number(3.0)
    ('0.91', '3')
    """
    return f"{value:.12g}"
