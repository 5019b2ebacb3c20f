"""One difference, and the words for what it is about."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..roles import DATA_KINDS, NOT_RECORDED
from ..version_history.facts import plain
from .lineages import Lineage, natural, purpose

#: In the order in which differences are told.
ASPECTS = (
    "verdict",
    "policy",
    "serving",
    "model",
    "data",
    "schema",
    "preparation",
    "feature",
    "code",
    "parameter",
    "metric",
    "package",
    "environment",
    "prompt",
    "gate",
    "requirement",
    "other",
)
_OF_KIND = {
    "deployment": "serving",
    "model": "model",
    "ai_agent": "model",
    "logged_model": "model",
    "base_model": "model",
    "dataset": "data",
    "index": "data",
    "feature_set": "feature",
    "code": "code",
    "environment": "environment",
    "prompt": "prompt",
}


@dataclass(frozen=True, eq=False)
class Difference:
    """One fact that is not the same on both sides; its fields are those of the document."""

    aspect: str
    subject: str
    name: str
    a: Any
    b: Any
    a_ref: str | None
    b_ref: str | None
    note: str = ""
    delta: float | None = None
    better: bool | None = None
    text: tuple[tuple[str, str], ...] | None = None

    @property
    def change(self) -> str:
        """``added``, ``removed`` or ``changed``: from a to b."""
        if self.a is None and self.b is not None:
            return "added"
        return "removed" if self.b is None and self.a is not None else "changed"

    @property
    def order(self) -> tuple[Any, ...]:
        """Where it is told: the same place, whichever side is called a."""
        ends = sorted([self.a_ref or "", self.b_ref or ""])
        place = (ASPECTS.index(self.aspect), self.subject, natural(self.name), self.name, ends)
        # Two that are each other's mirror stand at one place: their order is settled, and cannot be the mirror's.
        return *place, self.change, self.a_ref or "", plain(self.a), plain(self.b), self.note

    def row(self, number: int) -> dict[str, Any]:
        """The difference as plain JSON values."""
        return {
            "id": f"d{number}",
            "aspect": self.aspect,
            "subject": self.subject,
            "name": self.name,
            "change": self.change,
            "a": self.a,
            "b": self.b,
            "delta": self.delta,
            "better": self.better,
            "a_ref": self.a_ref,
            "b_ref": self.b_ref,
            "text": None if self.text is None else [{"op": op, "line": line} for op, line in self.text],
            "note": self.note,
        }


def number_of(value: Any) -> float | None:
    """A finite number, also one that is written as text.

    Examples
    --------
    >>> number_of("10.0"), number_of(True), number_of("nan"), number_of("1_000")
    (10.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)) or (isinstance(value, str) and "_" in value):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def delta_of(a: Any, b: Any) -> float | None:
    """``b - a``, where both are numbers and their difference is one."""
    first, second = number_of(a), number_of(b)
    if first is None or second is None:
        return None
    found = second - first
    if not math.isfinite(found):
        return None
    return int(found) if found.is_integer() and abs(found) < 2**53 else found


def aspect_of(side: Lineage, ref: str) -> str:
    """The aspect that a thing belongs to."""
    kind = side.nodes[ref]["kind"]
    if kind == "run":
        return "preparation" if is_preparation(side, ref) else "other"
    return _OF_KIND.get(kind, "other")


def is_preparation(side: Lineage, ref: str) -> bool:
    """Whether a run made data, and neither a model nor a judgement of one."""
    making = side.makers.get(ref, ref)
    if side.nodes[making]["kind"] != "run":
        return False
    return str(side.record(ref).get("activity", "")) not in ("training", "evaluation")


def subject_of(a: Lineage, left: str, b: Lineage, right: str) -> str:
    """What a difference between two things is about, in words that do not depend on which is called a."""
    words = sorted({words_of(a, left, b, right), words_of(b, right, a, left)}, key=lambda text: (len(text), text))
    return words[0] if len(words) == 1 else " / ".join(words)


def words_of(side: Lineage, ref: str, beside: Lineage | None = None, counterpart: str = "") -> str:
    """A thing in words, without its version."""
    node = side.nodes[ref]
    kind, name = str(node["kind"]), str(node["name"])
    if kind == "dataset":
        roles = set(node["roles"]) | (set(beside.nodes[counterpart]["roles"]) if beside else set())
        return f"{_data_word(roles)} {name}"
    if kind == "run":
        activity = str(side.record(ref).get("activity", ""))
        word = "preparation" if is_preparation(side, ref) else f"{activity or 'unnamed'} run"
        return f"{word} {purpose(side.title(ref))}".strip()
    if kind == "logged_model":
        return f"logged model {side.title(ref)}".strip()
    if kind == "deployment":
        sites = ", ".join(site for site in side.sites(ref) if site)
        slot = side.slot(ref)
        return f"deployment {slot} at {sites}" if sites and sites != slot else f"deployment {slot}"
    return f"{kind.replace('_', ' ').replace('ai agent', 'AI agent')} {name}"


def _data_word(roles: set[str]) -> str:
    known = sorted(roles - {NOT_RECORDED})
    if "training" in known:
        return "training data"
    return f"{' and '.join(known)} data" if known else "data"


def is_data(kind: str) -> bool:
    """Whether a thing of this kind is learnt from, tested on or retrieved from."""
    return kind in DATA_KINDS
