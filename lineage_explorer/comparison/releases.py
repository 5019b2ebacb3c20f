"""Who serves: deployments at the same place, and those that only one side has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .aligning import Alignment
from .lineages import Lineage
from .rows import Difference, delta_of, subject_of, words_of


def of_deployment(a: Lineage, left: str, b: Lineage, right: str, found: Alignment) -> Iterator[Difference]:
    """The share, the state, the site and the model of a deployment."""
    subject = subject_of(a, left, b, right)
    was, now = _said(a, left), _said(b, right)
    for name in ("share", "state", "site"):
        if was[name] != now[name]:
            note = "the share was not read on one side" if name == "share" and None in (was[name], now[name]) else ""
            yield Difference(
                "serving", subject, name, was[name], now[name], left, right, note, delta_of(was[name], now[name])
            )
    models = found.at(was["models"], now["models"])
    if left in a.idle or right in b.idle:
        # What answers nobody was not traced: it has a counterpart only if the same version is there.
        models = {ref: other for ref, other in models.items() if ref == other}
    rest = [
        [ref for ref in was["models"] if ref not in models],
        [ref for ref in now["models"] if ref not in models.values()],
    ]
    if rest[0] or rest[1]:
        texts = [", ".join(refs) or None for refs in rest]
        yield Difference("serving", subject, "model", texts[0], texts[1], left, right, "what it runs")


def _said(side: Lineage, ref: str) -> dict[str, Any]:
    rows = side.served_by.get(ref, [])
    first = rows[0] if rows else {"traffic": None, "state": None}
    return {
        "share": first["traffic"],
        "state": first["state"],
        "site": ", ".join(site for site in side.sites(ref) if site) or None,
        "models": sorted({row["model"] for row in rows if row["model"]}),
    }


def of_one_side(side: Lineage, ref: str, which: str) -> Difference:
    """A deployment that only one side has."""
    said = _said(side, ref)
    words = [", ".join(said["models"]) or "no model on record"]
    words.append("share not read" if said["share"] is None else f"{said['share']:g} %")
    words.append(str(said["state"]))
    if said["site"]:
        words.append(f"at {said['site']}")
    text = ", ".join(words)
    ends: tuple[Any, ...] = (text, None, ref, None) if which == "a" else (None, text, None, ref)
    return Difference("serving", words_of(side, ref), "", *ends)
