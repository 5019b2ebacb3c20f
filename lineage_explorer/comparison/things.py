"""What is on record of two things at the same place: versions, digests, rows, columns, packages, texts, other attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from ..roles import RELEASED_KINDS
from ..version_history.facts import code_of, packages_of, plain
from .lineages import Lineage
from .rows import Difference, aspect_of, delta_of, is_data, subject_of
from .schemas import columns_of
from .texts import lines_of

#: Told by comparisons of their own, by what is made, and by what is data.
_OF_MAKING = frozenset({"params", "parameters", "metrics", "name", "source_file"})
_OF_DATA = frozenset({"schema", "rows", "num_rows"})
_OF_KIND = {
    "prompt": frozenset({"text", "template"}),
    "code": frozenset({"repository", "url", "dirty", "commit", "git_commit"}),
}
#: Where packages are stated.
_PACKAGES = ("packages", "dependencies", "conda", "conda_file", "requirements")
#: What says which and where, so that it is another for each thing.
_OWN = frozenset(
    [
        "uri",
        "uris",
        "path",
        "sources",
        "source",
        "source_types",
        "mlflow_digests",
        "digests",
        "experiment",
        "experiment_id",
        "run_id",
        "registration",
        "output",
        "declared_in",
        "lifecycle_stage",
        "id",
        "job_id",
    ]
)
#: Tags that are on record as gates, deployments, relations and identities, and are told as those.
_TOLD_TAGS = ("gate.", "deploy.", "lineage.", "data.", "mlflow.source.", "mlflow.prompt.", "mlflow.linkedPrompts")
_CONTENT = re.compile(r"(?:sha256|sha384|sha512|blake2b|blake3):[0-9A-Fa-f]{40,}")


def of_things(a: Lineage, left: str, b: Lineage, right: str) -> Iterator[Difference]:
    """What differs between two things at one place."""
    pair = _Two(a, left, b, right)
    first, second = a.nodes[left], b.nodes[right]
    if bool(first["resolved"]) != bool(second["resolved"]):
        yield pair.row(
            aspect_of(a, left),
            "on record",
            bool(first["resolved"]),
            bool(second["resolved"]),
            note="of one of the two nothing more is on record, so that nothing more is compared",
        )
        return
    kind = first["kind"]
    if is_data(kind):
        yield from _data(pair)
    elif kind == "code":
        yield from _code(pair)
    elif kind == "prompt":
        yield from _prompt(pair)
    elif kind == "run":
        yield from _run(pair)
    elif kind in RELEASED_KINDS or kind in ("base_model", "environment") or kind not in ("deployment", "endpoint"):
        yield from _version(pair)
    if kind in RELEASED_KINDS or kind in ("environment", "run"):
        yield from _packages(pair)
    yield from _others(pair)


class _Two:
    """Two things at one place, and rows about them."""

    def __init__(self, a: Lineage, left: str, b: Lineage, right: str) -> None:
        self.a, self.left, self.b, self.right = a, left, b, right
        self.first, self.second = a.nodes[left], b.nodes[right]
        self.subject = subject_of(a, left, b, right)
        self.aspect = aspect_of(a, left)
        self.one = left == right

    def row(self, aspect: str, name: str, was: Any, now: Any, **more: Any) -> Difference:
        if "delta" not in more:
            more["delta"] = delta_of(was, now) if _is_number(was) and _is_number(now) else None
        return Difference(aspect, self.subject, name, was, now, self.left, self.right, **more)

    def said(self, name: str) -> tuple[Any, Any]:
        """An attribute on both sides; None where it is not on record."""
        return self.a.attributes(self.left).get(name), self.b.attributes(self.right).get(name)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# --- identity ---


def _bytes(first: str, second: str) -> tuple[bool | None, str]:
    """Whether two digests are of the same bytes, where they tell; and a note."""
    if not first or not second:
        neither = not first and not second
        return None, "not comparable: no digest" + ("" if neither else " on one side")
    if bool(_CONTENT.fullmatch(first)) != bool(_CONTENT.fullmatch(second)):
        return None, "not comparable: a digest of all bytes and one of another sort"
    if first.partition(":")[0] != second.partition(":")[0]:
        return None, "not comparable: digests by different algorithms"
    if _CONTENT.fullmatch(first):
        same = first.casefold() == second.casefold()
        return same, "same bytes under another version" if same else "other bytes: the digests differ"
    if first == second:
        return None, "the truncated digests agree, which is weak: no proof of the same bytes"
    return False, "the digests differ; they are truncated, which is weak"


def _version(pair: _Two) -> Iterator[Difference]:
    """The version, or where that is the same the digest."""
    first, second = pair.first, pair.second
    if first["kind"] == "logged_model" and not {pair.left, pair.right} & {*pair.a.released, *pair.b.released}:
        return  # its id is another for each version; what it was registered as is told
    same, note = _bytes(first["digest"], second["digest"])
    if pair.one:
        if first["digest"] != second["digest"]:
            yield pair.row(pair.aspect, "digest", first["digest"] or None, second["digest"] or None, note=note)
        elif first["identified_by"] != second["identified_by"]:
            yield pair.row("other", "identified by", first["identified_by"] or None, second["identified_by"] or None)
        return
    named_alike = (first["namespace"], first["name"]) == (second["namespace"], second["name"])
    was, now = (first["version"], second["version"]) if named_alike else (pair.left, pair.right)
    if same is None and first["kind"] in (*RELEASED_KINDS, "base_model"):
        note = ""  # few registries have digests of models, and nobody takes two versions for one
    yield pair.row("other" if same else pair.aspect, "version", was or None, now or None, note=note)


def _data(pair: _Two) -> Iterator[Difference]:
    yield from _version(pair)
    rows = [_rows(pair.a.attributes(pair.left)), _rows(pair.b.attributes(pair.right))]
    if rows[0] != rows[1]:
        note = "the number of rows is on record on one side only" if None in rows else ""
        yield pair.row(pair.aspect, "rows", *rows, note=note)
    yield from _columns(pair)


def _rows(attributes: Mapping[str, Any]) -> Any:
    return next((attributes[name] for name in ("rows", "num_rows") if attributes.get(name) is not None), None)


def _columns(pair: _Two) -> Iterator[Difference]:
    was, now = pair.said("schema")
    if was == now:
        return
    first, second = columns_of(was), columns_of(now)
    if was is None or now is None:
        yield pair.row(
            "schema",
            "",
            None if was is None else plain(was),
            None if now is None else plain(now),
            note="the columns are on record on one side only",
        )
    elif first is None or second is None:
        note = "cannot be read as columns with types, so that it is compared as text"
        yield pair.row("schema", "", plain(was), plain(now), note=note)
    else:
        for name in sorted(first.keys() | second.keys()):
            if first.get(name) != second.get(name):
                note = "another type" if name in first and name in second else ""
                yield pair.row("schema", name, first.get(name), second.get(name), note=note)


# --- code, prompts, runs ---


def _code(pair: _Two) -> Iterator[Difference]:
    said = [
        code_of(ref, side.record(ref), [*_witnesses(side, ref)])
        for side, ref in ((pair.a, pair.left), (pair.b, pair.right))
    ]
    if pair.first["name"] != pair.second["name"]:
        yield pair.row("code", "repository", pair.first["name"], pair.second["name"])
    if said[0]["commit"] != said[1]["commit"]:
        yield pair.row(
            "code",
            "commit",
            said[0]["commit"] or None,
            said[1]["commit"] or None,
            note=_between(pair, said[0], said[1]),
        )
    elif pair.first["digest"] != pair.second["digest"]:
        yield pair.row("code", "digest", pair.first["digest"] or None, pair.second["digest"] or None)
    elif pair.first["version"] != pair.second["version"]:
        yield pair.row("code", "version", pair.first["version"] or None, pair.second["version"] or None)
    if said[0]["dirty"] != said[1]["dirty"]:
        note = "whether the working copy had uncommitted changes"
        if None in (said[0]["dirty"], said[1]["dirty"]):
            note += " is on record on one side only"
        yield pair.row("code", "dirty", said[0]["dirty"], said[1]["dirty"], note=note)


def _witnesses(side: Lineage, ref: str) -> Iterator[Mapping[str, Any]]:
    for hop in side.effects.get(ref, ()):
        yield from (hop["record"] or {}, side.record(hop["effect"]) if hop["effect"] in side.nodes else {})


def _between(pair: _Two, was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Where the two commits can be compared, as text: nothing is fetched."""
    place = re.sub(r"(?:\.git)?/*$", "", was["link"] or str(pair.first["name"]))
    other = re.sub(r"(?:\.git)?/*$", "", now["link"] or str(pair.second["name"]))
    if place != other or not was["commit"] or not now["commit"]:
        return ""
    if not re.fullmatch(r"(?:https://)?(?:github\.com|gitlab\.com)/[\w./-]+", place):
        return ""
    address = place if place.startswith("https://") else f"https://{place}"
    return f"{address}/{'-/' if 'gitlab.com' in address else ''}compare/{was['commit']}...{now['commit']}"


def _prompt(pair: _Two) -> Iterator[Difference]:
    texts = [
        next((said[name] for name in ("text", "template") if isinstance(said.get(name), str) and said[name]), None)
        for said in (pair.a.attributes(pair.left), pair.b.attributes(pair.right))
    ]
    was, now = texts
    if was is None or now is None or was == now:
        yield from _version(pair)
        if was != now:
            yield pair.row("prompt", "text", was, now, note="the text is on record on one side only")
        return
    lines = lines_of(was, now)
    note = "too long to be compared line by line" if lines is None else ""
    if not pair.one:
        note = f"version {pair.first['version']} and version {pair.second['version']}" + (note and f"; {note}")
    yield pair.row("prompt", "text", was, now, text=lines, note=note)


def _run(pair: _Two) -> Iterator[Difference]:
    own = pair.aspect
    first, second = pair.a.record(pair.left), pair.b.record(pair.right)
    for name in ("activity", "status"):
        if first.get(name) != second.get(name):
            yield pair.row(own, name, first.get(name), second.get(name))
    files = [_source_file(pair.a, pair.left), _source_file(pair.b, pair.right)]
    if files[0] != files[1]:
        yield pair.row("preparation" if own == "preparation" else "code", "source file", *files)
    if pair.one and pair.a.title(pair.left) != pair.b.title(pair.right):
        yield pair.row(own, "name", pair.a.title(pair.left) or None, pair.b.title(pair.right) or None)


def _source_file(side: Lineage, ref: str) -> Any:
    attributes = side.attributes(ref)
    tags = attributes.get("tags")
    found = tags.get("mlflow.source.name") if isinstance(tags, Mapping) else None
    return found or attributes.get("source_file")


# --- packages and everything else ---


def _packages(pair: _Two) -> Iterator[Difference]:
    was, now = packages_of(pair.a.record(pair.left)), packages_of(pair.b.record(pair.right))
    if bool(was) != bool(now):
        counts = [f"{len(found)} packages" if found else None for found in (was, now)]
        yield pair.row("package", "", *counts, note="packages are on record on one side only")
    elif was != now:
        for name in sorted(was.keys() | now.keys()):
            first, second = was.get(name), now.get(name)
            if first != second:
                note = (
                    "" if first is None or second is None or (first and second) else "any version would do on one side"
                )
                yield pair.row("package", name, _pinned(first), _pinned(second), note=note)
    if was == now or not was or not now:
        for name in _PACKAGES:
            first, second = pair.said(name)
            if first != second and (was == now):
                shown = (None if value is None else plain(value) for value in (first, second))
                note = (
                    "it states the same packages"
                    if was
                    else "no package can be read from it, so that it is compared as text"
                )
                yield pair.row("environment", name, *shown, note=note)


def _pinned(version: str | None) -> str | None:
    return "any" if version == "" else version


def _others(pair: _Two) -> Iterator[Difference]:
    """Attributes that no comparison of their own tells."""
    aspect = pair.aspect if pair.aspect in ("preparation", "environment", "serving") else "other"
    first, second = dict(_flat(pair.a, pair.left)), dict(_flat(pair.b, pair.right))
    if pair.one:
        for name in ("description",):
            first[name], second[name] = pair.first.get(name) or None, pair.second.get(name) or None
    for name in sorted(first.keys() | second.keys()):
        if not pair.one and name in _OWN:
            continue
        was, now = first.get(name), second.get(name)
        if was != now:
            yield pair.row(aspect, name, was, now)


def _flat(side: Lineage, ref: str) -> Iterator[tuple[str, Any]]:
    kind = side.nodes[ref]["kind"]
    taken = {"tags", *_OF_KIND.get(kind, ()), *(_OF_DATA if is_data(kind) else ())}
    if kind in RELEASED_KINDS or kind == "run":
        taken |= {*_OF_MAKING, *_PACKAGES}
    if kind == "environment":
        taken.update(_PACKAGES)
    attributes = side.attributes(ref)
    tags = attributes.get("tags")
    told = (
        (f"tag {name}", value)
        for name, value in (tags.items() if isinstance(tags, Mapping) else ())
        if not str(name).startswith(_TOLD_TAGS)
    )
    plainly = ((name, value) for name, value in attributes.items() if name not in taken)
    for name, value in chain(plainly, told):
        if isinstance(value, Mapping) and value:
            yield from ((f"{name}.{part}", item) for part, item in value.items())
        else:
            yield name, value
