"""The versions of a name as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .cells import BEFORE, LASTS, NEVER, UNKNOWN, UNREAD, Flag, filled, listed
from .serving_sheets import SPAN, finding_rows, made, span_rows
from .sheets import Sheet

GATE = ("Subject", "Gate", "Type", "Status", "Grade", "Expected", "Actual", "Evaluator", "When", "Proof")


def sheets(document: Mapping[str, Any]) -> list[Sheet]:
    """The tables of a history, the versions first."""
    versions = document["versions"]
    return [
        Sheet(
            "The question",
            ("Asked", "Value"),
            [
                ("About", document["question"]["ref"]),
                ("As of", document["question"]["as_of"]),
                ("Known at", document["question"]["known_at"]),
                ("The registry was read completely", document["complete"]),
                *made(document),
            ],
        ),
        Sheet(
            "Versions",
            (
                *("Version", "Registered", "Stage", "Serves", "Gates", "Still there", "Gone since", "Made from"),
                *("Kind", "Label", "Description"),
            ),
            [_version(row) for row in versions],
            "versions",
        ),
        *_lives(document),
        *_contents(versions),
        Sheet(
            "Family: what versions were made from, and what was made from them",
            ("From", "To", "How"),
            [(row["parent"], row["child"], row["how"]) for row in document["tree"]["links"]],
            "family",
        ),
        Sheet(
            "Members of the family",
            ("Reference", "Kind", "Label"),
            [(row["ref"], row["kind"], row["label"]) for row in document["tree"]["nodes"]],
            "members",
        ),
    ]


def _lives(document: Mapping[str, Any]) -> list[Sheet]:
    """What happened, and when."""
    versions, lanes = document["versions"], document["lanes"]
    return [
        Sheet(
            "Events, the oldest first",
            ("When", "Not before", "What", "Version", "Endpoint", "Who", "In words", "Read from", "Position"),
            [
                (
                    filled(row["at"], NEVER),
                    row["earliest"] if row["earliest"] != row["at"] else None,
                    row["kind"].replace("_", " "),
                    row["ref"],
                    row["endpoint"],
                    row["who"],
                    row["text"],
                    *((row["source"]["system"], row["source"]["position"]) if row["source"] else (None, None)),
                )
                for row in document["events"]
            ],
            "events",
        ),
        Sheet(
            "Where each version served",
            (
                *("Version", "Endpoint", "Since", "Until", "Traffic %", "State", "Site", "Environment"),
                *("Deployment", "Named as", "First seen only"),
            ),
            [(version["ref"], *_served(row)) for version in versions for row in version["serving"]],
            "serving",
        ),
        Sheet(
            "Who served each endpoint when",
            ("Endpoint", "Lane", *SPAN),
            [
                (lane["endpoint"], _lane(lane), *row)
                for lane in lanes
                for span in lane["spans"]
                for row in span_rows(span)
            ],
            "lanes",
        ),
        Sheet(
            "Gaps, overlaps and other findings",
            ("Endpoint", "Lane", "Since", "Until", "What", "Site", "In words"),
            [
                (lane["endpoint"], _lane(lane), *row)
                for lane in lanes
                for span in lane["spans"]
                for row in finding_rows(span)
            ],
            "findings",
        ),
        Sheet(
            "Stages",
            ("Version", "Stage", "Since", "Not before", "Until", "Because"),
            [
                (
                    version["ref"],
                    row["stage"],
                    filled(row["since"], BEFORE),
                    row["earliest"] if row["earliest"] != row["since"] else None,
                    filled(row["until"], LASTS),
                    row["because"],
                )
                for version in versions
                for row in version["stages"]
            ],
            "stages",
        ),
        Sheet(
            "Gates",
            ("Version", *GATE),
            [(version["ref"], *gate_row(gate)) for version in versions for gate in version["gates"]],
            "gates",
        ),
    ]


def _contents(versions: list[Mapping[str, Any]]) -> list[Sheet]:
    """What versions are made of."""
    return [
        Sheet(
            "Data",
            ("Version", "Dataset", "Role", "How", "Identified by", "Rows", "Digest"),
            [
                (
                    version["ref"],
                    row["ref"],
                    row["role"],
                    row["how"],
                    row["identified_by"].replace("_", " "),
                    filled(row["rows"], UNREAD),
                    row["digest"],
                )
                for version in versions
                for row in version["data"]
            ],
            "data",
        ),
        Sheet(
            "Code",
            ("Version", "Code", "Commit", "With changes not committed", "Link"),
            [
                (version["ref"], row["ref"], row["commit"], filled(row["dirty"], UNKNOWN), row["link"])
                for version in versions
                for row in version["code"]
            ],
            "code",
        ),
        Sheet("Parameters", ("Parameter", "Value", *_RANGE), list(_ranges(versions, "params")), "params"),
        Sheet(
            "Metrics",
            ("Version", "Metric", "Value"),
            [(version["ref"], name, value) for version in versions for name, value in version["metrics"].items()],
            "metrics",
        ),
        Sheet("Packages", ("Package", "Release", *_RANGE), list(_ranges(versions, "packages")), "packages"),
        Sheet(
            "Ingredients",
            ("Version", "Ingredient", "Kind", "Label", "Fact"),
            [
                (version["ref"], row["ref"], row["kind"].replace("_", " "), row["label"], row["fact"])
                for version in versions
                for row in version["ingredients"]
            ],
            "ingredients",
        ),
        Sheet(
            "Runs",
            ("Version", "Run"),
            [(version["ref"], run) for version in versions for run in version["runs"]],
            "runs",
        ),
    ]


def _version(row: Mapping[str, Any]) -> tuple[object, ...]:
    now = [item for item in row["serving"] if item["until"] is None]
    counts = Counter(gate["status"] for gate in row["gates"])
    return (
        row["ref"],
        filled(row["registered"], NEVER),
        listed(item["stage"] for item in row["stages"] if item["until"] is None),
        listed(dict.fromkeys(serves(item) for item in now if item["state"] != "deployed")),
        listed(f"{count} {status}" for status, count in counts.items()),
        filled(row["here"], UNKNOWN),
        row["gone_at"],
        listed(f"{parent['ref']} ({parent['how']})" for parent in row["parents"]),
        row["kind"].replace("_", " "),
        row["label"],
        row["description"],
    )


def serves(row: Mapping[str, Any]) -> str:
    """Which endpoint a version answers, with what share, where.

    Examples
    --------
    >>> serves({"endpoint": "endpoint:churn", "site": "", "traffic": 90.0, "state": "serving"})
    'endpoint:churn (90 %)'
    """
    share = "share not recorded" if row["traffic"] is None else f"{row['traffic']:g} %"
    said = [row["site"], share, row["state"] if row["state"] != "serving" else ""]
    return f"{row['endpoint']} ({', '.join(word for word in said if word)})"


def _served(row: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        row["endpoint"],
        filled(row["since"], BEFORE),
        filled(row["until"], LASTS),
        filled(row["traffic"], UNREAD),
        row["state"],
        row["site"],
        row["environment"],
        row["deployment"],
        row["model"],
        Flag(row["between_syncs"]),
    )


def _lane(lane: Mapping[str, Any]) -> str:
    return " · ".join(word for word in (lane["site"], lane["environment"]) if word)


def gate_row(gate: Mapping[str, Any]) -> tuple[object, ...]:
    """A gate's result, in the order of ``GATE``."""
    names = ("subject", "gate", "gate_type", "status", "grade", "expected", "actual", "evaluator", "event_time", "pointer")  # fmt: skip
    return tuple(gate[name] for name in names)


_RANGE = ("From version", "To version", "Versions")


def _ranges(versions: Iterable[Mapping[str, Any]], of: str) -> Iterator[tuple[object, ...]]:
    """Each value with the versions, one after the other, that have it: a thousand versions share most of theirs."""
    begun: dict[str, tuple[str, list[str]]] = {}
    for version in versions:
        values = version[of]
        for name in [name for name, (value, _) in begun.items() if values.get(name) != value]:
            yield _range(name, *begun.pop(name))
        for name, value in values.items():
            begun.setdefault(name, (value, []))[1].append(version["ref"])
    for name, held in begun.items():
        yield _range(name, *held)


def _range(name: str, value: str, refs: list[str]) -> tuple[object, ...]:
    return (name, value, refs[0], refs[-1], len(refs))
