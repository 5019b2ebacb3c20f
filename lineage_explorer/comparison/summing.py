"""A comparison in a few sentences, made from its differences alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from ..graph import version_of
from ..records import Ref
from ..sentences import label_of, short
from .lineages import Lineage
from .owners import owner_of
from .rows import Difference, number_of
from .texts import clear

#: Of one sort, so many are told; the rest is counted.
_TOLD = 4
_NOUNS = {
    "serving": "change of who serves",
    "model": "change of a model",
    "data": "change of data",
    "schema": "change of columns",
    "preparation": "change of preparation",
    "feature": "change of features",
    "code": "change of code",
    "parameter": "parameter",
    "metric": "metric",
    "package": "package",
    "environment": "change of an environment",
    "prompt": "change of a prompt",
    "gate": "gate",
    "requirement": "requirement",
    "policy": "change of policy",
    "verdict": "change of the verdict",
    "other": "other",
}


def summary_of(a: Lineage, b: Lineage, differences: Sequence[Difference]) -> list[str]:
    """Sentences about what differs, the weightiest first; what they leave out is counted in the last.

    Parameters
    ----------
    a, b : Lineage
        Both sides, for who serves and who approved.
    differences : sequence of Difference
        All of them, in order.
    """
    sentences = [_asked(a, b)]
    if not differences:
        return [*sentences, "Nothing that is on record differs."]
    left = dict.fromkeys(differences)

    def owner(items: Sequence[Difference]) -> str:
        return owner_of(a, b, items)

    tellers = (_verdict, _data, _columns, _code, partial(_params, owner), _prompts, partial(_metrics, owner))
    for tell in tellers:
        told, sentence = tell(list(left))
        if sentence:
            sentences.append(sentence)
        for item in told:
            left.pop(item, None)
    approved = _approved(a, b)
    if approved:
        sentences.append(approved)
        for item in [item for item in left if item.aspect == "gate" and _is_approval(item, a, b)]:
            left.pop(item)
    # That another version serves is what the first sentence says.
    for item in [item for item in left if item.aspect == "model" and item.name == "version"]:
        left.pop(item)
    if left:
        sentences.append(_rest(left))
    return sentences


# --- who served, who approved ---


def _asked(a: Lineage, b: Lineage) -> str:
    days = [side.content["question"]["as_of"] for side in (a, b)]
    if days[0][:10] != days[1][:10]:
        days = [day[:10] for day in days]
    if a.candidate and b.candidate:
        if a.candidate == b.candidate:
            return f"{a.label(a.candidate)} as of {days[0]} and as of {days[1]}."
        return f"{a.label(a.candidate)} is compared with {b.label(b.candidate)}."
    if a.candidate or b.candidate:
        version, served = (a, b) if a.candidate else (b, a)
        day = days[1] if a.candidate else days[0]
        return f"{version.label(version.candidate)} is compared with {_endpoint(served)}, which served {_served(served)} on {day}."
    if a.root == b.root:
        if _served(a) == _served(b) and days[0] == days[1]:
            return f"{_endpoint(a)} served {_served(a)} on both sides."
        if _served(a) == _served(b):
            return f"{_endpoint(a)} served {_served(a)} on {days[0]} and on {days[1]}."
        if days[0] == days[1]:
            return f"{_endpoint(a)} served {_served(a)} in A and {_served(b)} in B."
        return f"{_endpoint(a)} served {_served(a)} on {days[0]} and {_served(b)} on {days[1]}."
    return f"{_endpoint(a)} served {_served(a)} on {days[0]}, and {_endpoint(b)} served {_served(b)} on {days[1]}."


def _endpoint(side: Lineage) -> str:
    return clear(side.nodes[side.root]["name"])


def _served(side: Lineage) -> str:
    """The versions that answer, with their shares where there are several."""
    shares: dict[str, set[str]] = {}
    for row in side.serving:
        if row["verdict"] is None:
            continue
        model = side.label(row["model"]) if row["model"] else "a model that is not on record"
        share = "share not read" if row["traffic"] is None else f"{row['traffic']:g} %"
        shares.setdefault(model, set()).add(clear(row["site"]) if row["site"] else share)
    if not shares:
        return "nothing that is on record"
    if len(shares) == 1 and not any(site for row in side.serving if (site := row["site"])):
        only, said = next(iter(shares.items()))
        return only if said == {"100 %"} else f"{only} ({', '.join(sorted(said))})"
    if len(shares) == 1:
        return next(iter(shares))
    return _list([f"{model} ({', '.join(sorted(said))})" for model, said in shares.items()])


def _approving(side: Lineage, ref: str) -> list[Mapping[str, Any]]:
    return [row for row in side.evidence.get(ref, ()) if row.get("gate_type") == "approval"]


def _is_approval(item: Difference, a: Lineage, b: Lineage) -> bool:
    rows = [*_approving(a, item.a_ref or ""), *_approving(b, item.b_ref or "")]
    return item.name in {row["gate"] for row in rows} and item.a_ref in a.released and item.b_ref in b.released


def _approved(a: Lineage, b: Lineage) -> str:
    """Who approved what may answer; of each version apart, unless all were."""
    versions = {(ref, side.label(ref)): _approving(side, ref) for side in (a, b) for ref in side.released}
    if not any(versions.values()):
        return ""
    if all(rows and all(row["status"] == "passed" for row in rows) for rows in versions.values()):
        who = [
            sorted(
                {clear(row["evaluator"]) or "nobody named" for ref in side.released for row in _approving(side, ref)}
            )
            for side in (a, b)
        ]
        if not who[0] or not who[1]:
            return ""
        if who[0] == who[1]:
            return f"Approved by {_list(who[0])} in both."
        return f"Approved by {_list(who[0])} in A, by {_list(who[1])} in B."
    parts = [
        f"{name}: "
        + (
            _list(sorted({f"{clear(row['status'])} by {clear(row['evaluator']) or 'nobody named'}" for row in rows}))
            or "none on record"
        )
        for (_, name), rows in list(versions.items())[: 2 * _TOLD]
    ]
    return f"Approval of {'; of '.join(parts)}."


# --- what differs ---

Told = tuple[Iterable[Difference], str]
#: Which of several versions some differences are about, in words.
Owner = Callable[[Sequence[Difference]], str]


def _verdict(items: list[Difference]) -> Told:
    found = [item for item in items if item.aspect == "verdict"]
    return found, " ".join(f"The verdict was {item.a} and is {item.b}." for item in found)


def _data(items: list[Difference]) -> Told:
    found = [item for item in items if item.aspect in ("data", "feature")]
    parts: list[str] = []
    told: list[Difference] = []
    subjects = dict.fromkeys(item.subject for item in found)
    for subject in sorted(subjects, key=lambda text: not text.startswith("training")):
        about = [item for item in found if item.subject == subject]
        told += about
        parts.append(_about_data(subject, about))
    kept = parts[:_TOLD]
    sentence = ". ".join(kept) + "." if kept else ""
    if len(parts) > _TOLD:
        sentence += f" Of {_count(len(parts) - _TOLD, 'more dataset')}, something differs too."
    return told, sentence


def _about_data(subject: str, about: list[Difference]) -> str:
    name = _capital(clear(subject))
    rows = next((item for item in about if item.name == "rows"), None)
    counted = f" ({_counted(rows.a)} → {_counted(rows.b)} rows)" if rows and None not in (rows.a, rows.b) else ""
    if any(item.name == "version" for item in about):
        many = sum(item.name == "version" for item in about)
        text = f"{name} is another version{counted}" if many == 1 else f"{name}: {many} other versions"
        more = {"added": "B", "removed": "A"}
        sides = sorted({more[item.change] for item in about if not item.name and item.change in more})
        return text + "".join(f", and one more is in {side} only" for side in sides)
    change = next((item.change for item in about if item.name == ""), "")
    if change in ("added", "removed"):
        return f"{name} {'is in B only' if change == 'added' else 'is in A only'}"
    role = next((item for item in about if item.name == "role"), None)
    if role:
        return f"{name} was read for {_said(role.a)} and is read for {_said(role.b)}"
    return f"{name} differs in {_list([item.name for item in about])}{counted}"


def _columns(items: list[Difference]) -> Told:
    found = [item for item in items if item.aspect == "schema" and item.name]
    verbs = {"added": "new", "removed": "gone", "changed": "of another type"}
    parts = [f"{clear(item.name)} is {verbs[item.change]}" for item in found]
    return _told(found, parts, lambda text: f"Columns: {text}.")


def _code(items: list[Difference]) -> Told:
    found = [item for item in items if item.aspect == "code" and item.name == "commit"]
    parts = [f"from {_commit(item.a_ref)} to {_commit(item.b_ref)}" for item in found]
    return _told(found, parts, lambda text: f"Code went {text}.")


def _commit(ref: str | None) -> str:
    if ref is None:
        return "nothing on record"
    parsed = Ref.parse(ref)
    return clear(label_of({"kind": parsed.kind, "name": parsed.name, "version": version_of(parsed)}, {}))


def _params(owner: Owner, items: list[Difference]) -> Told:
    found = [item for item in items if item.aspect == "parameter" and item.name and item.name != "…"]
    parts = _owned(owner, found, [_moved(item) for item in found])
    return _told(found, parts, lambda text: f"Parameters: {text}.")


def _moved(item: Difference) -> str:
    name = clear(item.name)
    if item.change != "changed":
        value = item.b if item.change == "added" else item.a
        return f"{name} is {_said(value)} in {'B' if item.change == 'added' else 'A'} only"
    verb = "changed" if not item.delta else "rose" if item.delta > 0 else "fell"
    return f"{name} {verb} from {_said(item.a)} to {_said(item.b)}"


def _prompts(items: list[Difference]) -> Told:
    found = [item for item in items if item.aspect == "prompt" and item.text is not None]
    parts = []
    for item in found:
        ops = Counter(op for op, _ in item.text or ())
        parts.append(f"{clear(item.subject)} changed: {_count(ops['-'], 'line')} gone, {ops['+']} new")
    return _told(found, parts, lambda text: f"{_capital(text)}.")


def _metrics(owner: Owner, items: list[Difference]) -> Told:
    found = [item for item in items if item.aspect == "metric" and item.change == "changed" and item.delta is not None]
    found.sort(key=lambda item: item.better is None)
    words = {True: ", better", False: ", worse", None: ""}
    parts = [f"{clear(item.name)} {_said(item.a)} → {_said(item.b)}{words[item.better]}" for item in found]
    return _told(found, _owned(owner, found, parts), lambda text: f"{text}.", "; ")


def _owned(owner: Owner, found: list[Difference], parts: list[str]) -> list[str]:
    """Each with the versions that it is about, unless it is told of all."""
    alike: dict[str, list[Difference]] = {}
    for item, part in zip(found, parts, strict=True):
        alike.setdefault(part, []).append(item)
    whose = {part: owner(items) for part, items in alike.items()}
    said = {part: f"{part} ({which})" if which else part for part, which in whose.items()}
    return [said[part] for part in parts]


def _told(
    found: list[Difference], parts: list[str], sentence: Callable[[str], str], separator: str = ", "
) -> tuple[list[Difference], str]:
    """The first few of a sort, what reads alike told once; the others stay, to be counted."""
    kept = list(dict.fromkeys(parts))[:_TOLD]
    text = separator.join(kept) if separator != ", " else _list(kept)
    told = [item for item, part in zip(found, parts, strict=True) if part in kept]
    return told, sentence(text) if kept else ""


def _rest(left: Iterable[Difference]) -> str:
    counts = Counter(item.aspect for item in left)
    parts = [_count(number, _NOUNS[aspect]) for aspect, number in counts.items()]
    total = counts.total()
    return f"{_count(total, 'further difference')}: {_list(parts)}."


def _count(number: int, noun: str) -> str:
    if noun == "other":
        return f"{number} other{'s' * (number != 1)}"
    head, of, tail = noun.partition(" of ")
    return f"{number} {head}{'s' * (number != 1)}{of}{tail}"


def _said(value: Any) -> str:
    if value is None:
        return "nothing on record"
    number = number_of(value)
    if number is not None:
        return f"{number:,.4g}" if abs(number) < 1_000 else f"{number:,.10g}"
    return clear(short(str(value)), 40)


def _counted(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else clear(value)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
