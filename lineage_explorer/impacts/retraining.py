"""What follows for a version from what a thing was for: whether it is to be retrained, and why, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ..records import BASES
from ..roles import NOT_RECORDED

Retrain = Literal["yes", "maybe", "no"]
#: The worst first.
ORDER: tuple[Retrain, ...] = ("yes", "maybe", "no")

#: What a model learnt from or was made with: without it, it has to be made again.
_LEARNT = {
    "training": "trained on {it}",
    "validation": "tuned against {it} (validation data)",
    "base model": "built on it (base model)",
    "code": "made with it (code)",
    "environment": "made in it (environment)",
}
#: What it works with: that is replaced, and nothing is trained.
_REBUILT = {
    "retrieval": "retrieves from {it}: rebuild what it retrieves from, no training is needed",
    "serving": "reads {it} while it serves: rebuild that, no training is needed",
    "prompt": "answers with it (prompt): rebuild it with another prompt, no training is needed",
}
_TESTED = {
    "test": "only tested on {it}: nothing was learnt from it, but its test results are tainted",
    "evaluation": "only evaluated on {it}: nothing was learnt from it, but its evaluations are tainted",
}
#: Roles in which data decides a result, and nothing learns from it.
TESTING = frozenset(_TESTED)
#: From here on, a link says that names are alike, or that somebody said so, and not more.
WEAK = BASES.index("name_version")


class Decision(NamedTuple):
    """Whether something is to be retrained, and why."""

    retrain: Retrain
    why: str


def decide(purposes: Collection[str], rank: int, answers: Sequence[str], gone: str, it: str = "it") -> Decision:
    """Whether a version is to be retrained.

    Parameters
    ----------
    purposes : collection of str
        What the thing was for, as seen from the version; empty where it is on the model's own side.
    rank : int
        How weak the weakest link is; its place in :data:`~lineage_explorer.records.BASES`.
    answers : sequence of str
        Endpoints that the version answers now.
    gone : str
        Why it is not in use any more, in words; empty when nothing says so.
    it : str
        What to call the data: what a commit or a run made is not the commit or the run.

    Examples
    --------
    >>> decide({"training"}, 1, ["endpoint:churn"], "")
    Decision(retrain='yes', why='trained on it; answers endpoint:churn now')
    >>> decide({"evaluation"}, 1, [], "").retrain, decide({"training"}, 5, [], "").retrain
    ('no', 'maybe')
    """
    what, said = _needed(purposes)
    reasons = [words.replace("{it}", it) for words in said]
    if what == "no":
        return Decision("no", "; ".join(reasons))
    if gone and not answers:
        return Decision("no", f"{'; '.join(reasons)}; {gone}, and answers no endpoint now")
    if rank > WEAK and what == "yes":
        what = "maybe"
        reasons.append(f"but what links the two is no more than {_basis(rank)}")
    reasons.append(
        f"answers {listed(answers)} now"
        if answers
        else "answers no endpoint now, but may again: no record says that it ended or was archived or deleted"
    )
    return Decision(what, "; ".join(reasons))


def _needed(purposes: Collection[str]) -> tuple[Retrain, list[str]]:
    if not purposes:
        return "yes", ["made by it or from it"]
    learnt = [_LEARNT[item] for item in _LEARNT if item in purposes]
    rebuilt = [_REBUILT[item] for item in _REBUILT if item in purposes]
    if learnt or rebuilt:
        return "yes", learnt + rebuilt
    unclear = sorted(set(purposes) - TESTING)
    if unclear:
        said = [
            "{it} was read by a run that made it, and what for is not on record"
            if item == NOT_RECORDED
            else f"made by a run that read {{it}} as {item!r}"
            for item in unclear
        ]
        return "maybe", said
    return "no", [_TESTED[item] for item in _TESTED if item in purposes]


def _basis(rank: int) -> str:
    words = {
        "truncated_digest": "a shortened digest",
        "time_order": "the order in time",
        "name": "a name",
        "containment": "a path inside a folder",
        "declared": "what somebody declared",
    }
    return words.get(BASES[rank], str(BASES[rank]))


def worst(decisions: Iterable[tuple[str, Decision]]) -> Decision:
    """Of what an endpoint answers with, what asks for most; each with the name of what it is about."""
    found = sorted(decisions, key=lambda item: (ORDER.index(item[1].retrain), item[0]))
    first = found[0][1].retrain
    said = dict.fromkeys(f"{name}: {decision.why}" for name, decision in found if decision.retrain == first)
    return Decision(first, ". ".join(said))


def gone_of(record: Mapping[str, Any], gone: bool, as_of: str) -> str:
    """Why a version is not in use any more, as its record says; empty when nothing says so.

    Parameters
    ----------
    record : mapping
        What describes it, merged.
    gone : bool
        Whether its source no longer shows it.
    as_of : str
        The instant asked about, RFC 3339 in UTC.
    """
    attributes = record.get("attributes", {})
    if attributes.get("lifecycle_stage") == "deleted":
        return "deleted in its source"
    if gone:
        return "its source no longer has it"
    ended = record.get("ended_at")
    if ended and ended <= as_of:
        return f"ended on {str(ended)[:10]}"
    stage = attributes.get("stage")
    if isinstance(stage, str) and stage.casefold() == "archived":
        return "archived in its source"
    return ""


def listed(refs: Sequence[str], most: int = 4) -> str:
    """Names in a sentence; the rest is counted.

    Examples
    --------
    >>> listed(["a", "b", "c"]), listed([str(n) for n in range(9)])
    ('a, b and c', '0, 1, 2, 3 and 5 more')
    """
    shown = list(refs[:most]) if len(refs) > most + 1 else list(refs)
    rest = len(refs) - len(shown)
    last = f"{rest:,} more" if rest else shown.pop()
    return f"{', '.join(shown)} and {last}" if shown else last


def counted(number: int, word: str) -> str:
    """A number with its noun.

    Examples
    --------
    >>> counted(1, "version"), counted(1200, "endpoint"), counted(0, "endpoint")
    ('1 version', '1,200 endpoints', 'no endpoint')
    """
    return f"{number:,} {word}{'' if number == 1 else 's'}" if number else f"no {word}"
