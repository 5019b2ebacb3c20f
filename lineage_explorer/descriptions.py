"""Several records of one thing, as one description of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .records import BASES, digest_of


class Description(NamedTuple):
    """What all records of a thing say together.

    Attributes
    ----------
    main : int or None
        Number of the fullest record, whose word counts where they differ.
    record : dict
        Its fields, and from the others those that it lacks.
    contradicted : tuple of str
        Digests that the records give for the thing, when they cannot all be right.
    """

    main: int | None
    record: dict[str, Any]
    contradicted: tuple[str, ...] = ()


def merge_descriptions(found: Iterable[tuple[int, Mapping[str, Any]]]) -> Description:
    """One description out of the records of one thing, whatever the order in which they came.

    A registry describes a model in full, a deployment's record only names it: neither overrules the other.

    Parameters
    ----------
    found : iterable of (int, mapping)
        Numbers and records as plain JSON, all of one reference.

    Examples
    --------
    >>> merge_descriptions([(1, {"ref": "dataset:d@1"}), (2, {"ref": "dataset:d@1", "digest": "sha256:00"})]).record
    {'ref': 'dataset:d@1', 'digest': 'sha256:00'}
    """
    found = list(found)
    several = len(found) > 1
    ordered = sorted(found, key=lambda pair: (-_fullness(pair[1]), digest_of(pair[1]) if several else ""))
    if not ordered:
        return Description(None, {})
    main, record = ordered[0][0], dict(ordered[0][1])
    if len(ordered) == 1:
        return Description(main, record)
    digests: dict[str, set[str]] = {}
    for _, other in ordered:
        algorithm, _, value = other.get("digest", "").partition(":")
        if value:
            digests.setdefault(algorithm, set()).add(f"{algorithm}:{value}")
        for field, value in other.items():
            if field == "attributes":
                record["attributes"] = {**value, **record.get("attributes", {})}
            elif field == "identified_by" and field in record:
                record[field] = min(record[field], value, key=BASES.index)
            else:
                record.setdefault(field, value)
    contradicted = tuple(sorted(text for texts in digests.values() if len(texts) > 1 for text in texts))
    return Description(main, record, contradicted)


def _fullness(record: Mapping[str, Any]) -> int:
    return len(record) + len(record.get("attributes", {}))
