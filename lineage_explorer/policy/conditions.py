"""Conditions of gates, and whether one is weaker than the one before: a gate that passes because it asks less is seen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .facts import Condition
from .hop import when_of

Kind = Literal["first", "same", "stricter", "weaker", "changed", "unknown"]
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_THRESHOLD = re.compile(rf"([^<>=!≥≤]*?)\s*(>=|<=|==|>|<|=|≥|≤)\s*({_NUMBER})")
_SIGNS = {"≥": ">=", "≤": "<=", "=": "=="}
#: Parameters of expectations by which way makes them weaker (Great Expectations' names).
_LOWER_IS_WEAKER = frozenset({"min_value", "mostly", "min_length"})
_HIGHER_IS_WEAKER = frozenset({"max_value", "max_length"})
_LARGER_IS_WEAKER = frozenset({"value_set", "column_set", "type_list", "regex_list"})


@dataclass(frozen=True)
class Change:
    """How a gate's condition differs from the one before it.

    Attributes
    ----------
    kind : Kind
        ``first``: there was none before; ``changed``: it cannot be compared.
    words : str
        Before and after.
    before : int or None
        The record that states the condition before.
    """

    kind: Kind
    words: str
    before: int | None = None


def change_between(records: Sequence[Condition], number: int, item: Mapping[str, Any]) -> Change:
    """How the condition of a record differs from that of the record of this gate before it.

    Parameters
    ----------
    records : sequence of Condition
        Every record of the gate about the same kind and name.
    number : int
        The record's number.
    item : mapping
        The record.
    """
    gate, when = item["gate"], when_of(item)
    now = condition_of(item)
    if now is None:
        return Change("unknown", f"{gate} does not say by which condition it was judged")
    others = [one for one in records if one.number != number and condition_of(one.evidence) is not None]
    if when is None or any(one.when is None for one in others):
        if all(condition_of(one.evidence) == now for one in others):
            return Change("same", f"the condition of {gate} never changed: {shown(now)}")
        return Change("unknown", f"the condition of {gate} changed, and the order of its records is not known")
    earlier = [one for one in others if one.when is not None and one.when < when]
    if not earlier:
        return Change("first", f"the first record of {gate}: {shown(now)}")
    last = max(one.when for one in earlier if one.when is not None)
    kinds = [(compare(condition_of(one.evidence), now), one) for one in earlier if one.when == last]
    kind, one = max(kinds, key=lambda pair: _WORSE.index(pair[0]))
    was = condition_of(one.evidence)
    if kind == "same":
        return Change(kind, f"the condition of {gate} is as before: {shown(now)}", one.number)
    verb = {"weaker": "was weakened", "stricter": "was made stricter"}.get(kind, "changed and cannot be compared")
    return Change(kind, f"the condition of {gate} {verb}: {difference(was, now)}", one.number)


_WORSE: tuple[Kind, ...] = ("first", "same", "stricter", "unknown", "changed", "weaker")

#: A threshold as (metric, sign, number), or a table of expectations by name.
Stated = tuple[str, str, float] | dict[str, Any] | str


def condition_of(item: Mapping[str, Any]) -> Stated | None:
    """The condition that a record of a gate states; None when it states none.

    Examples
    --------
    >>> condition_of({"gate": "auc", "expected": "auc >= 0.9"})
    ('auc', '>=', 0.9)
    """
    expectations = (item.get("attributes") or {}).get("expectations")
    if isinstance(expectations, Mapping) and expectations:
        return dict(expectations)
    expected = str(item.get("expected") or "").strip()
    if not expected:
        return None
    match = _THRESHOLD.fullmatch(expected)
    if match is None:
        return expected
    return match[1] or str(item["gate"]), _SIGNS.get(match[2], match[2]), float(match[3])


def compare(was: Stated | None, now: Stated | None) -> Kind:
    """Whether a condition is weaker than another.

    Examples
    --------
    >>> compare(("auc", ">=", 0.9), ("auc", ">=", 0.8))
    'weaker'
    """
    if was == now:
        return "same"
    if isinstance(was, dict) and isinstance(now, dict):
        return _together([_compare_expectation(was.get(name), now.get(name)) for name in {*was, *now}])
    if isinstance(was, tuple) and isinstance(now, tuple) and was[0] == now[0]:
        return _compare_threshold(was[1], was[2], now[1], now[2])
    return "changed"


def _compare_threshold(sign: str, bound: float, new_sign: str, new_bound: float) -> Kind:
    upward, new_upward = sign in (">", ">="), new_sign in (">", ">=")
    if "==" in (sign, new_sign) or upward != new_upward:
        return "changed"
    if bound == new_bound:
        return "weaker" if len(new_sign) > len(sign) else "stricter"
    return "weaker" if (new_bound < bound) == upward else "stricter"


def _compare_expectation(was: Any, now: Any) -> Kind:
    if was == now:
        return "same"
    if now is None:
        return "weaker"
    if was is None:
        return "stricter"
    if not isinstance(was, Mapping) or not isinstance(now, Mapping):
        return "changed"
    return _together([_compare_parameter(name, was.get(name), now.get(name)) for name in {*was, *now}])


def _compare_parameter(name: str, was: Any, now: Any) -> Kind:
    if was == now:
        return "same"
    if name in _LOWER_IS_WEAKER or name in _HIGHER_IS_WEAKER:
        if now is None or was is None:  # a bound that is not set asks nothing; ``mostly`` that is not set asks all
            unset_asks_more = name == "mostly"
            return "weaker" if (now is None) != unset_asks_more else "stricter"
        if not all(isinstance(value, (int, float)) for value in (was, now)):
            return "changed"
        return "weaker" if (now < was) == (name in _LOWER_IS_WEAKER) else "stricter"
    if name in _LARGER_IS_WEAKER and (was is None or now is None):
        return "weaker" if now is None else "stricter"  # a set that is not given leaves everything in
    if name in _LARGER_IS_WEAKER and isinstance(was, list) and isinstance(now, list):
        before, after = {repr(value) for value in was}, {repr(value) for value in now}
        if before == after:
            return "same"  # in another order
        if before < after:
            return "weaker"
        return "stricter" if after < before else "changed"
    return "changed"


def _together(kinds: Sequence[Kind]) -> Kind:
    found = set(kinds) - {"same"}
    if not found:
        return "same"
    if "weaker" in found:
        return "weaker"
    return "changed" if "changed" in found else "stricter"


def shown(condition: Stated | None) -> str:
    """A condition in words."""
    if isinstance(condition, tuple):
        return f"{condition[0]} {condition[1]} {condition[2]:g}"
    if isinstance(condition, dict):
        return f"{len(condition)} expectation{'s' * (len(condition) != 1)}"
    return str(condition)


def difference(was: Stated | None, now: Stated | None) -> str:
    """What a condition was and is; of a suite, only the expectations that differ."""
    if not (isinstance(was, dict) and isinstance(now, dict)):
        return f"from {shown(was)} to {shown(now)}"
    parts: list[str] = []
    for name in sorted({*was, *now}):
        if name not in now:
            parts.append(f"{name} was removed")
        elif name not in was:
            parts.append(f"{name} was added")
        elif was[name] != now[name]:
            parts.append(f"{name} from {_table(was[name])} to {_table(now[name])}")
    return "; ".join(parts[:6]) + (f"; and {len(parts) - 6} more" if len(parts) > 6 else "")


def _table(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in sorted(value.items()))
    return str(value)
