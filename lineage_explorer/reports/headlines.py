"""What a document answers, in a title and a sentence or two: the same on a page, in Markdown and on a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from .cells import listed
from .estate import words
from .history_sheets import serves

#: Named in a sentence before the rest is counted.
_NAMED = 6


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun.

    Examples
    --------
    >>> counted(1, "version"), counted(2000, "version"), counted(2, "entry", "entries")
    ('1 version', '2,000 versions', '2 entries')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def named(items: Iterable[str]) -> str:
    """Some names in a sentence; of many the first, and how many more.

    Examples
    --------
    >>> named(["a", "b", "c"]), named(map(str, range(9)))
    ('a, b and c', '0, 1, 2, 3, 4, 5 and 3 more')
    """
    several = list(items)
    if len(several) > _NAMED:
        several = [*several[:_NAMED], f"{len(several) - _NAMED:,} more"]
    return " and ".join([", ".join(several[:-1]), several[-1]] if len(several) > 1 else several)


def title(document: Mapping[str, Any]) -> str:
    """What a document is about."""
    return _OF[document["format"]][0](document)


def sentences(document: Mapping[str, Any]) -> list[str]:
    """The answer, in sentences made from the document alone."""
    return _OF[document["format"]][1](document)


# --- the versions of a name ---


def _history_title(document: Mapping[str, Any]) -> str:
    return f"{document['question']['ref']}: {counted(len(document['versions']), 'version')} on record"


def _history(document: Mapping[str, Any]) -> list[str]:
    versions = document["versions"]
    serving = {
        version["ref"]: list(dict.fromkeys(serves(row) for row in version["serving"] if _answers(row)))
        for version in versions
    }
    said = [f"{ref} answers {named(where)}." for ref, where in serving.items() if where][:_NAMED]
    if not said and versions:
        said.append("None of them is known to answer requests now.")
    gone = [version["ref"] for version in versions if version["here"] is False]
    if gone:
        said.append(
            f"{counted(len(gone), 'is', 'are')} gone from where {'it was' if len(gone) == 1 else 'they were'} read: {named(gone)}."
        )
    if not document["complete"]:
        said.append("The registry was not read completely at its latest sync: versions may be missing here.")
    return said


def _answers(row: Mapping[str, Any]) -> bool:
    return row["until"] is None and row["state"] == "serving"


# --- two sides, and several ---


def _comparison_title(document: Mapping[str, Any]) -> str:
    count = len(document["differences"])
    told = "no difference" if document["same"] else counted(count, "difference")
    return f"{document['a']['title']} and {document['b']['title']}: {told}"


def _comparison(document: Mapping[str, Any]) -> list[str]:
    return list(document["summary"])


def _likeness_title(document: Mapping[str, Any]) -> str:
    groups = {row["group"] for row in document["rows"]}
    count = len(document["rows"])
    if count < 2:
        return "Who runs the same thing: nothing to compare with"
    told = "the same thing" if len(groups) == 1 else f"{len(groups)} different things"
    return f"Who runs the same thing: {count} of them, and they run {told}"


def _likeness(document: Mapping[str, Any]) -> list[str]:
    groups: dict[int, list[Mapping[str, Any]]] = {}
    for row in document["rows"]:
        groups.setdefault(row["group"], []).append(row)
    return [
        f"Group {number}: {named(_where(row) for row in rows)} "
        f"({listed(rows[0]['models']) or 'no model on record'}{_noted(rows)})."
        for number, rows in groups.items()
    ][:_NAMED]


def _where(row: Mapping[str, Any]) -> str:
    return f"{row['endpoint']} at {row['site']}" if row["site"] else str(row["endpoint"])


def _noted(rows: list[Mapping[str, Any]]) -> str:
    notes = dict.fromkeys(row["note"] for row in rows if row["note"])
    return f"; {'; '.join(notes)}" if notes else ""


# --- whom it reached ---


def _impact_title(document: Mapping[str, Any]) -> str:
    return f"What {document['root']} reached"


def _impact(document: Mapping[str, Any]) -> list[str]:
    left = {name: count for name, count in document["beyond"].items() if count}
    return [
        *document["summary"],
        *([f"Left out by the limit: {listed(f'{count:,} {name}' for name, count in left.items())}."] if left else []),
    ]


# --- who served, and going back ---


def _serving_title(document: Mapping[str, Any]) -> str:
    return f"Who served {document['question']['endpoint']}"


def _serving(document: Mapping[str, Any]) -> list[str]:
    spans = document["spans"]
    if not spans:
        return ["Nothing is on record of who served it."]
    counts = Counter(item["code"].replace("-", " ") for span in spans for item in span["findings"])
    found = f"; found: {listed(f'{name} ({count})' for name, count in counts.items())}" if counts else ""
    return [_last(spans[-1]), f"{counted(len(spans), 'span')} without a hole between them{found}."]


def _last(span: Mapping[str, Any]) -> str:
    since = f"Since {span['since']}" if span["since"] else "Before the first record"
    since += f" until {span['until']}" if span["until"] else ""
    if span["kind"] == "unknown":
        return f"{since} it is not known who served."
    if span["kind"] == "gap":
        return f"{since} nobody answers."
    answering = [share for share in span["shares"] if share["state"] == "serving"]
    if not answering:
        return f"{since} it is not known who of those deployed answers: {named(_share(row) for row in span['shares'])}."
    return f"{since} it is served by {named(_share(row) for row in answering)}."


def _share(share: Mapping[str, Any]) -> str:
    who = share["version"] or share["model"] or f"a model that is not named, in {share['deployment']}"
    told = "share not recorded" if share["traffic"] is None else f"{share['traffic']:g} %"
    return f"{who} ({', '.join(word for word in (share['site'], told) if word)})"


def _rollback_title(document: Mapping[str, Any]) -> str:
    endpoint, form = document["question"]["endpoint"], document["question"]["policy"].get("form", "verdict")
    if document["target"] is None:
        return f"{endpoint}: no one version to go back to"
    return f"{endpoint}: back to {document['target']}, {words(target_verdict(document), form)}"


def _rollback(document: Mapping[str, Any]) -> list[str]:
    return [document["why"]] if document["why"] else []


def target_verdict(document: Mapping[str, Any]) -> str:
    """The verdict about going back; INCOMPLETE where there is nothing to go back to, or nothing says what it came to.

    Examples
    --------
    >>> target_verdict({"target": None, "candidates": []})
    'INCOMPLETE'
    """
    found = {row["verdict"] for row in document["candidates"] if row["ref"] == document["target"]}
    return next((verdict for verdict in ("FAILED", "INCOMPLETE", "PASSED") if verdict in found), "INCOMPLETE")


_OF = {
    "lineage-explorer/history": (_history_title, _history),
    "lineage-explorer/comparison": (_comparison_title, _comparison),
    "lineage-explorer/likeness": (_likeness_title, _likeness),
    "lineage-explorer/impact": (_impact_title, _impact),
    "lineage-explorer/serving": (_serving_title, _serving),
    "lineage-explorer/rollback": (_rollback_title, _rollback),
}
