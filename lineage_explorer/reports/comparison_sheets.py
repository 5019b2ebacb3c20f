"""Two sides, or several, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .cells import UNKNOWN, filled, listed
from .estate import words
from .serving_sheets import made
from .sheets import Sheet


def comparison(document: Mapping[str, Any]) -> list[Sheet]:
    """The tables of a comparison: the two sides, then what differs."""
    sides = (document["a"], document["b"])
    alone = [(side, ref) for side, name in (("A", "only_a"), ("B", "only_b")) for ref in document[name]]
    return [
        Sheet(
            "The two sides",
            ("Asked", "A", "B"),
            [
                *((name, *(_side(side, key) for side in sides)) for name, key in _SIDE),
                *((name, value, value) for name, value in made(document)),
            ],
        ),
        Sheet(
            "Differences",
            ("Aspect", "Subject", "Name", "Change", "A", "B", "B - A", "Better", "Note", "In A", "In B", "Difference"),
            [_difference(row) for row in document["differences"]],
            "differences",
        ),
        Sheet(
            "Lines of texts that differ: - only in A, + only in B",
            ("Difference", "Line"),
            [
                (f"{row['id']}: {row['subject']}", f"{line['op']} {line['line']}")
                for row in document["differences"]
                for line in row["text"] or ()
            ],
            "texts",
            verbatim=True,
        ),
        Sheet(
            "Things at the same place of both lineages",
            ("In A", "In B", "Changed"),
            [(row["a"], row["b"], row["changed"]) for row in document["pairs"]],
            "pairs",
        ),
        Sheet("Things at a place that the other side does not have", ("Side", "Reference"), list(alone), "only"),
    ]


_SIDE = (
    ("About", "title"),
    ("To be asked again as", "asked"),
    ("As of", "as_of"),
    ("Known at", "known_at"),
    ("Policy", "policy"),
    ("Verdict", "verdict"),
    ("Answer", "answer"),
    ("Digest of the audit", "digest"),
)


def _side(side: Mapping[str, Any], key: str) -> object:
    audit = side["audit"]
    question, policy = audit["question"], audit["question"]["policy"]
    if key in ("title", "asked"):
        return side[key]
    if key in ("as_of", "known_at"):
        return question[key]
    if key == "policy":
        return f"{policy['name']} version {policy['version']} ({policy['digest']})"
    if key == "verdict":
        return filled(audit["verdict"] and words(audit["verdict"], policy.get("form", "verdict")), UNKNOWN)
    return audit[key]


def _difference(row: Mapping[str, Any]) -> tuple[object, ...]:
    # Of texts the lines are told in a table of their own, once.
    sides = (None, None) if row["text"] else (row["a"], row["b"])
    return (
        row["aspect"],
        row["subject"],
        row["name"],
        row["change"],
        *sides,
        row["delta"],
        row["better"],
        row["note"],
        row["a_ref"],
        row["b_ref"],
        row["id"],
    )


def likeness(document: Mapping[str, Any]) -> list[Sheet]:
    """The tables of who runs the same thing: equal numbers of groups say so."""
    rows: list[tuple[object, ...]] = [
        (
            row["group"],
            row["endpoint"],
            row["site"],
            row["as_of"],
            listed(row["models"]),
            listed(row["data"]),
            listed(row["code"]),
            filled(row["verdict"], UNKNOWN),
            row["note"],
        )
        for row in document["rows"]
    ]
    head = ("Group", "Endpoint", "Site", "As of", "Runs", "Data", "Code", "Verdict", "Note")
    return [
        Sheet("Who runs what", head, rows, "rows"),
        Sheet("This document", ("Asked", "Value"), list(made(document))),
    ]
