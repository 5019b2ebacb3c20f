"""Who served an endpoint, and what it can go back to, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .cells import BEFORE, LASTS, NEVER, UNKNOWN, UNREAD, Blank, Flag, filled
from .estate import words
from .sheets import Sheet

#: What a span is, in words.
KINDS = {"served": "served", "gap": "nobody answers", "unknown": "not known"}
SPAN = ("Since", "Until", "What", "Version", "Traffic %", "State", "Deployment", "Runs", "Site", "Environment", "First seen only")  # fmt: skip
SHARE = ("Version", "Traffic %", "State", "Deployment", "Runs", "Site", "Environment")


def serving(document: Mapping[str, Any]) -> list[Sheet]:
    """The tables of who served an endpoint when."""
    question = document["question"]
    asked: list[tuple[object, ...]] = [
        ("Endpoint", question["endpoint"]),
        ("From", filled(question["since"], Blank("the first record"))),
        ("To", filled(question["until"], Blank("no end"))),
        ("Known at", question["known_at"]),
        *made(document),
    ]
    return [
        Sheet("The question", ("Asked", "Value"), asked),
        Sheet("Who served when", SPAN, [row for span in document["spans"] for row in span_rows(span)], "serving"),
        Sheet(
            "Gaps, overlaps and other findings",
            ("Since", "Until", "What", "Site", "In words"),
            [row for span in document["spans"] for row in finding_rows(span)],
            "findings",
        ),
    ]


def rollback(document: Mapping[str, Any]) -> list[Sheet]:
    """The tables of going back: what serves, and what did before."""
    question, policy = document["question"], document["question"]["policy"]
    form = policy.get("form", "verdict")
    asked: list[tuple[object, ...]] = [
        ("Endpoint", question["endpoint"]),
        ("As of", question["as_of"]),
        ("Known at", question["known_at"]),
        ("Policy", f"{policy['name']} version {policy['version']} ({policy['digest']})"),
        *([("Judged as of", policy["judged_as_of"])] if policy.get("judged_as_of") else []),
        ("To go back to", filled(document["target"], NEVER)),
        *made(document),
    ]
    candidates: list[tuple[object, ...]] = [
        (
            row["ref"],
            words(row["verdict"], form),
            filled(row["here"], UNKNOWN),
            filled(row["served_since"], NEVER),
            filled(row["served_until"], LASTS if row["served_since"] else NEVER),
            row["deployment"],
            row["site"],
            row["why"],
            row["audit_digest"],
        )
        for row in document["candidates"]
    ]
    return [
        Sheet("The question", ("Asked", "Value"), asked),
        Sheet(
            "What served before, the last first",
            ("Version", "Verdict", "Still there", "Since", "Until", "Deployment", "Site", "Why", "Audit digest"),
            candidates,
            "candidates",
        ),
        Sheet("What serves", SHARE, [share_row(share) for share in document["serving"]], "serving"),
    ]


def made(document: Mapping[str, Any]) -> list[tuple[str, object]]:
    """What every document ends its question with."""
    tool = document["tool"]
    return [("Digest of this document", document["digest"]), ("Made by", f"{tool['name']} {tool['version']}")]


def span_rows(span: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """A row for each share of a span, and one for a span in which nothing has a share."""
    when = (filled(span["since"], BEFORE), filled(span["until"], LASTS), KINDS[span["kind"]])
    for share in span["shares"]:
        yield (*when, *share_row(share), Flag(span["between_syncs"]))
    if not span["shares"]:
        yield (*when, *(None for _ in SHARE), Flag(span["between_syncs"]))


def share_row(share: Mapping[str, Any]) -> tuple[object, ...]:
    """What a deployment had of an endpoint's requests."""
    return (
        filled(share["version"], UNKNOWN),
        filled(share["traffic"], UNREAD),
        share["state"],
        share["deployment"],
        share["model"],
        share["site"],
        share["environment"],
    )


def finding_rows(span: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """What is wrong with a span, a row for each."""
    for item in span["findings"]:
        yield (
            filled(span["since"], BEFORE),
            filled(span["until"], LASTS),
            item["code"].replace("-", " "),
            item["site"],
            item["message"],
        )
