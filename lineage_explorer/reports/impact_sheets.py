"""Whom a thing reached, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .cells import LASTS, NEVER, UNKNOWN, UNREAD, Flag, filled, listed
from .history_sheets import GATE, gate_row
from .serving_sheets import made
from .sheets import Sheet


def sheets(document: Mapping[str, Any]) -> list[Sheet]:
    """The tables of an impact, what is to be acted on first."""
    question = document["question"]
    return [
        Sheet(
            "The question",
            ("Asked", "Value"),
            [
                ("Asked about", question["ref"]),
                ("Which is", document["root"]),
                ("As of", question["as_of"]),
                ("Known at", question["known_at"]),
                *made(document),
            ],
        ),
        Sheet(
            "How much was reached",
            ("Kind", "Count"),
            [(kind.replace("_", " "), count) for kind, count in document["counts"].items()],
            "counts",
        ),
        Sheet(
            "Endpoints",
            (
                "Endpoint",
                "Retrain",
                "Reached now",
                "Traffic now %",
                "Was there for",
                "Strength",
                "First",
                "Last",
                "Why",
            ),
            [_endpoint(row) for row in document["endpoints"]],
            "endpoints",
        ),
        Sheet(
            "Versions",
            (
                *("Version", "Retrain", "Was there for", "Strength", "Serves now", "First served", "Last served"),
                *("Registered", "Still there", "Kind", "Label", "Why", "Path"),
            ),
            [_version(row) for row in document["versions"]],
            "versions",
        ),
        Sheet(
            "Exposures: when requests were answered by what was reached",
            (
                *("Endpoint", "Since", "Until", "Version", "Traffic %", "State", "Site", "Environment", "Deployment"),
                *("Was there for", "Strength", "Bounds between syncs"),
            ),
            [(row["ref"], *_exposure(item)) for row in document["endpoints"] for item in row["exposures"]],
            "exposures",
        ),
        Sheet(
            "Evaluations that read it",
            ("Run", "Label", "Read", "Evaluated", "Gates", "Why"),
            [
                (
                    row["run"],
                    row["label"],
                    listed(row["data"]),
                    listed(row["models"]),
                    listed(f"{gate['gate']} {gate['status']}" for gate in row["gates"]),
                    row["why"],
                )
                for row in document["evaluations"]
            ],
            "evaluations",
        ),
        Sheet(
            "Gates that rest on these evaluations",
            ("Run", *GATE),
            [(row["run"], *gate_row(gate)) for row in document["evaluations"] for gate in row["gates"]],
            "gates",
        ),
        Sheet(
            "What else was reached",
            ("Reference", "Kind", "Label", "Strength"),
            [
                (row["ref"], row["kind"].replace("_", " "), row["label"], row["strength"].replace("_", " "))
                for row in document["derived"]
            ],
            "derived",
        ),
        Sheet(
            "Left out by the limit",
            ("List", "Not in this document"),
            [(name, count) for name, count in document["beyond"].items() if count],
            "beyond",
        ),
        Sheet(
            "Findings",
            ("Severity", "Code", "Reference", "Message"),
            [tuple(row[key] for key in ("severity", "code", "ref", "message")) for row in document["findings"]],
            "findings",
        ),
    ]


def retrain(document: Mapping[str, Any]) -> Sheet:
    """What is to be trained again, or may have to be: rows that stand in other tables too, for those who only need these."""
    rows: list[tuple[object, ...]] = [
        (row["retrain"], row["ref"], kind, row["strength"].replace("_", " "), row["why"])
        for wanted in ("yes", "maybe")
        for kind in ("endpoint", "version")
        for row in document[f"{kind}s"]
        if row["retrain"] == wanted
    ]
    return Sheet("What to train again", ("Retrain", "Reference", "Which is", "Strength", "Why"), rows, "retrain")


def _endpoint(row: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        row["ref"],
        row["retrain"],
        row["now"],
        filled(row["traffic_now"], UNREAD),
        listed(row["roles"]),
        row["strength"].replace("_", " "),
        filled(row["first"], NEVER),
        filled(row["last"], LASTS if row["now"] else NEVER),
        row["why"],
    )


def _version(row: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        row["ref"],
        row["retrain"],
        listed(row["roles"]),
        row["strength"].replace("_", " "),
        listed(row["endpoints"]),
        filled(row["first_served"], NEVER),
        filled(row["last_served"], LASTS if row["first_served"] else NEVER),
        filled(row["registered"], NEVER),
        filled(row["here"], UNKNOWN),
        row["kind"].replace("_", " "),
        row["label"],
        row["why"],
        " → ".join(row["path"]),
    )


def _exposure(row: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        filled(row["since"], NEVER),
        filled(row["until"], LASTS),
        filled(row["version"], UNKNOWN),
        filled(row["traffic"], UNREAD),
        row["state"],
        row["site"],
        row["environment"],
        row["deployment"],
        listed(row["roles"]),
        row["strength"].replace("_", " "),
        Flag(row["between_syncs"]),
    )
