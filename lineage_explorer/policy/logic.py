"""Three-valued logic: holds, fails, cannot be determined (Kleene).

Nothing missing or ambiguous ever becomes *holds*; of nothing at all, nothing can be said.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ..records import Status

Outcome = Literal["holds", "fails", "undetermined"]
Verdict = Literal["PASSED", "FAILED", "INCOMPLETE"]

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
#: The status that an outcome is shown as, where no gate's own status says more.
STATUS_OF: dict[Outcome, Status] = {"holds": "passed", "fails": "failed", "undetermined": "undetermined"}
VERDICT_OF: dict[Outcome, Verdict] = {"holds": "PASSED", "fails": "FAILED", "undetermined": "INCOMPLETE"}
#: Worst first.
WORST: dict[Outcome, int] = {"fails": 0, "undetermined": 1, "holds": 2}


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


def disjunction(outcomes: Iterable[Outcome]) -> Outcome:
    """Kleene's *or*; of nothing it is undetermined.

    Examples
    --------
    >>> disjunction(["fails", "undetermined"])
    'undetermined'
    """
    found = set(outcomes)
    if "holds" in found:
        return "holds"
    return "fails" if found == {"fails"} else "undetermined"


def negation(outcome: Outcome) -> Outcome:
    """Kleene's *not*.

    Examples
    --------
    >>> negation("fails"), negation("undetermined")
    ('holds', 'undetermined')
    """
    opposite: dict[Outcome, Outcome] = {"holds": "fails", "fails": "holds", "undetermined": "undetermined"}
    return opposite[outcome]


def verdict_of(outcome: Outcome) -> Verdict:
    """The verdict that an outcome is announced as."""
    return VERDICT_OF[outcome]
