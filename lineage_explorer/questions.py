"""The questions about one endpoint: their answers as audits, with everything they rest on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .answering import Asked, answered
from .audits import FORMAT, FORMAT_VERSION, Audit
from .content import dataset_row, evidence_rows, hop_rows, node_row, serving_row
from .errors import InvalidQuestion
from .gathering import CANDIDATE, fitting, instants
from .policy import Policy, load_policy, verdict_of
from .records import Ref, format_instant, parse_instant
from .roles import RELEASED_KINDS
from .sentences import answer_of
from .version import __version__

if TYPE_CHECKING:
    from .store import Store


def audit(
    store: Store,
    endpoint: str,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
    policy: str | Path | Policy | None = None,
    policy_as_of: datetime | str | None = None,
) -> Audit:
    """Which data trained the model behind an endpoint, and what proves that it was allowed to?

    Parameters
    ----------
    store : Store
        As :func:`lineage_explorer.open_store` gives it.
    endpoint : str
        A reference (``endpoint:churn-prod``) or a plain name.
    as_of : datetime or str, optional
        The instant asked about, with a time zone; now by default.
    known_at : datetime or str, optional
        Only what the store knew by then; everything by default.
    policy : str, Path or Policy, optional
        A shipped policy's name or a TOML file; ``default`` by default.
    policy_as_of : datetime or str, optional
        Judge every hop by the version of the policy in force at this instant, instead of the one in force when
        what is gated happened.

    Returns
    -------
    Audit
        The answer with its graph, evidence, findings and verdict.

    Raises
    ------
    UnknownReference, AmbiguousReference
        When the endpoint cannot be singled out; the message lists the nearest.
    InvalidInstant
        When a time cannot be read or has no time zone.
    PolicyError
        When the policy cannot be used.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Entity
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append([Entity(ref="endpoint:churn-prod")])
    ...     audit(store, "churn-prod").verdict
    'INCOMPLETE'
    """
    rules = load_policy(policy)
    fixed = None if policy_as_of is None else parse_instant(policy_as_of)
    with fitting(store):
        ref = store.resolve(endpoint, "endpoint")
        return _answer(store, rules, Asked(ref, *instants(store, as_of, known_at), policy_as_of=fixed))


def gate(
    store: Store,
    model: str,
    policy: str | Path | Policy | None = None,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
    *,
    endpoint: str | None = None,
    environment: str = "production",
    by: str = "",
) -> Audit:
    """May this version be released? It is judged as though it were released at the instant asked about.

    Parameters
    ----------
    store : Store
        As :func:`lineage_explorer.open_store` gives it.
    model : str
        A version: ``model:churn@4``, or an alias of one (``model:churn~champion``).
    policy : str, Path or Policy, optional
        A shipped policy's name or a TOML file; ``default`` by default.
    as_of, known_at : datetime or str, optional
        As for :func:`audit`.
    endpoint : str, optional
        Where it would be released to: what served there before is then known.
    environment : str
        Of the deployment that it would be.
    by : str, optional
        Who would release it (``person:noor``), for policies that ask.

    Returns
    -------
    Audit
        Its ``question.candidate`` is the model; the deployment and the endpoint at its end are supposed.

    Raises
    ------
    UnknownReference, AmbiguousReference, InvalidInstant, PolicyError
        As :func:`audit`.
    InvalidQuestion
        When no version is named.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from lineage_explorer import Entity, open_store
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append([Entity(ref="model:churn@4")])
    ...     gate(store, "model:churn@4").verdict
    'INCOMPLETE'
    """
    rules = load_policy(policy)
    with fitting(store):
        # A version is written with its mark; a plain name could be any kind of thing.
        ref = store.resolve(model if ":" in model else f"model:{model}", "model")
        parsed = Ref.parse(ref)
        if not parsed.version and not parsed.alias:
            raise InvalidQuestion(f"{ref} names no version; write {ref}@VERSION")
        if parsed.kind not in RELEASED_KINDS:
            raise InvalidQuestion(f"{ref} is no model: a gate judges {', '.join(sorted(RELEASED_KINDS))}")
        target = store.resolve(endpoint, "endpoint") if endpoint else f"endpoint:{CANDIDATE}"
        return _answer(store, rules, Asked(target, *instants(store, as_of, known_at), ref, environment, by))


def _answer(store: Store, rules: Policy, asked: Asked) -> Audit:
    found = answered(store, rules, asked)
    result, described, evidence = found.judged, found.described, found.evidence
    in_force = rules.in_force(found.facts.as_of if asked.policy_as_of is None else asked.judged_as_of or 0)
    content: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "tool": {"name": "lineage-explorer", "version": __version__},
        "question": {
            "endpoint": asked.endpoint,
            "as_of": format_instant(asked.as_of),
            "known_at": format_instant(asked.known_at),
            "policy": {
                "name": rules.name,
                "version": in_force.version if in_force else "",
                "digest": in_force.digest if in_force else rules.digest,
                "form": rules.form,
                "judged_as_of": None if asked.policy_as_of is None else format_instant(asked.policy_as_of),
                "applied": [
                    {"version": one.version, "digest": one.digest, "hops": result.applied[one.version]}
                    for one in rules.versions
                    if one.version in result.applied
                ],
            },
            **({"candidate": asked.candidate} if asked.candidate else {}),
        },
        "verdict": verdict_of(result.whole),
        "requirements": dict(result.counts),
        "serving": [serving_row(item, result.outcomes.get(item)) for item in result.trace.serving],
        "nodes": [node_row(result.trace, node, described) for node in sorted(result.trace.graph)],
    }
    content["evidence"], identity = evidence_rows(evidence, found.evidence_records, set(result.trace.graph))
    content["hops"] = hop_rows(result.trace, result.hops, evidence, identity, described)
    content["datasets"] = [dataset_row(result.trace, node) for node in result.trace.data()]
    content["findings"] = [
        {"severity": item.severity, "code": item.code, "ref": item.ref, "message": item.message} for item in result.told
    ]
    content["answer"] = answer_of(content)
    return Audit(content, result.trace.graph)
