"""A policy in words: which hops a requirement is about, what must hold there, and which records can show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..policy.format import AllOf, AnyOf, Condition, Guard, NotOf, Requirement
from ..records import format_instant

#: How a relation reads from its effect to its cause, as in records.
_READS = {
    "used": "{effect} used {cause}",
    "was_generated_by": "{effect} was made by {cause}",
    "was_derived_from": "{effect} was derived from {cause}",
    "was_associated_with": "{effect} is associated with {cause}",
    "serves": "{cause} serves {effect}",
    "deploys": "{effect} deploys {cause}",
    "alias_of": "{cause} is an alias of {effect}",
    "part_of": "{cause} and {effect}, one a part of the other",
    "*": "{cause} leads to {effect}",
}
_EVIDENCE = "gate results about exactly this thing (lineage-explorer record gate, or a system's own)"
_PEOPLE = "who is associated with the thing, its run and its deployment, and the evaluators of approvals"
#: From which records a check is decided.
_FROM = {
    "resolved": "the records that describe both ends",
    "training_data": "relations “used” with the role training, of the run that made it and upstream",
    "identified": "versions, digests and links that records state",
    "pinned": "the reference's version, and source, uri, url or provider in its record",
    "recorded": "attributes of its record and of the run that made it",
    "evidence": _EVIDENCE,
    "metric": "the measured values (actual) of gate results about exactly this thing",
    "same_subject": "subject_digest of gate results, and the digest that was deployed",
    "order": "the times of gate results, and of the release",
    "different_approver": _PEOPLE,
    "identity": _PEOPLE,
    "separate_data": "datasets with the role training, and those that evaluations read, with their digests and versions",
    "name": "the reference itself",
    "environment": "the environment in the deployment's record (lineage-explorer record deployment --environment)",
    "unweakened": "the conditions (expected, expectations) of this gate's results, one after the other",
    "compared": "attributes.baseline of gate results, and what served before the release",
    "canary": "the shares of traffic that syncs saw, one after the other",
    "rollback_target": "what served this endpoint before, and whether its source still shows it",
    "active_versions": "the stages of the name's versions, from a registry that was read completely",
    "kept": "when versions were retired, and whether their source still shows them",
}


def where(requirement: Requirement) -> str:
    """Which hops a requirement is about.

    Examples
    --------
    >>> where(Requirement(id="x", title="X", hop=("model|ai_agent", "deploys", "deployment")))
    'a deployment deploys a model or an AI agent'
    """
    cause, predicate, effect = requirement.hop
    reads = (_READS.get(one, "{cause} " + one + " {effect}") for one in predicate.split("|"))
    said = " or ".join(text.format(cause=kinds(cause), effect=kinds(effect)) for text in reads)
    return f"{said}, with the role {requirement.role}" if requirement.role else said


def about(requirement: Requirement) -> str:
    """The end of the hop that “it” stands for."""
    return kinds(requirement.hop[0 if requirement.of == "cause" else 2])


def kinds(text: str) -> str:
    """Kinds of things with their article.

    Examples
    --------
    >>> kinds("dataset|feature_set"), kinds("*")
    ('a dataset or a feature set', 'anything')
    """
    if text == "*":
        return "anything"
    words = (kind.replace("_", " ").replace("ai agent", "AI agent") for kind in text.split("|"))
    *most, last = (f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}" for word in words)
    return f"{', '.join(most)} or {last}" if most else last


def applies(guard: Guard | None) -> str:
    """When a requirement applies; empty for always."""
    if guard is None:
        return ""
    parts = []
    if guard.environment:
        parts.append(f"the deployment is in {_either(guard.environment)}")
    if guard.kind:
        parts.append(f"what is released is {' or '.join(kinds(one) for one in _several(guard.kind))}")
    parts += [f"the tag {key} is {value}" for key, value in guard.tag.items()]
    return " and ".join(parts)


def conditions(condition: Condition, depth: int = 0) -> Iterator[tuple[int, str]]:
    """What must hold, as lines with their depth."""
    if isinstance(condition, (AllOf, AnyOf)):
        every = isinstance(condition, AllOf)
        yield depth, "all of these:" if every else "one of these at least:"
        for part in condition.all if isinstance(condition, AllOf) else condition.any:
            yield from conditions(part, depth + 1)
    elif isinstance(condition, NotOf):
        yield depth, "the opposite of this:"
        yield from conditions(condition.not_, depth + 1)
    elif condition is not None:
        yield depth, condition.words()


def records(requirement: Requirement) -> list[str]:
    """From which records a requirement can be decided."""
    tags = [str(check.__struct_config__.tag) for check in requirement.checks()]
    return list(dict.fromkeys(_FROM[tag] for tag in tags))


def waived(requirement: Requirement, waivers: Iterable[object]) -> list[str]:
    """The waivers of a requirement, each with who, why and until when."""
    from ..policy.format import Waiver

    return [
        f"for {item.subject} by {item.by} until {format_instant(item.until)}: {item.why}"
        for item in waivers
        if isinstance(item, Waiver) and item.requirement == requirement.id
    ]


def _several(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _either(value: str | tuple[str, ...]) -> str:
    return " or ".join(_several(value))
