"""Words: the answer that an auditor can quote, the label of a node, the one telling fact."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: How a verdict is marked on a terminal: sign and colour, beside the word and never instead of it.
VERDICT_MARKS = {"PASSED": ("✓", "green"), "FAILED": ("✕", "red"), "INCOMPLETE": ("△", "yellow")}
#: What verdicts and outcomes are called under a policy that is a list of questions about a text.
ANSWERS = {
    "PASSED": "evidence found",
    "FAILED": "contradicted",
    "INCOMPLETE": "not determinable",
    "holds": "evidence found",
    "fails": "contradicted",
    "undetermined": "not determinable",
}
#: Under such a policy.
NOT_COMPLIANCE = "This states evidence, not compliance."
#: Names listed in a sentence before the rest is counted.
_LISTED = 4


_COMMIT = re.compile(r"[0-9a-f]{20,64}")


def label_of(data: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """What to call a node.

    Examples
    --------
    >>> label_of({"kind": "model", "name": "churn", "version": "3"}, {})
    'churn v3'
    >>> label_of({"kind": "code", "name": "https://git.example.com/acme/churn.git", "version": "0b76c99dc2b0f803a51b"}, {})
    'churn @ 0b76c99d'
    """
    shown = data["name"]
    if (
        data["kind"] == "code" and data["version"]
    ):  # as people speak of a commit: the repository's last word, a short number
        place = re.split(r"[/:]", shown.rstrip("/"))[-1].removesuffix(".git") or shown
        return f"{place} @ {data['version'][:8] if _COMMIT.fullmatch(data['version']) else short(data['version'])}"
    if data["kind"] in ("run", "logged_model"):  # their names are numbers; people gave them others
        shown = record.get("attributes", {}).get("name") or short(shown, 8)
    version = data["version"]
    if data["kind"] == "deployment":  # the endpoint's name stands beside it
        return str(shown).rpartition(":")[2]
    if not version:
        return str(shown)
    if version.isdigit():
        return f"{shown} v{version}"
    if version.startswith("~"):
        return f"{shown} {version}"
    return f"{shown} @ {short(version)}"


def minute_of(instant: str) -> str:
    """An instant as sentences tell it; tables and documents hold it whole.

    Examples
    --------
    >>> minute_of("2026-11-02T00:18:20.669337Z")
    '2026-11-02 00:18 UTC'
    """
    return f"{instant[:16].replace('T', ' ')} UTC"


def short(text: str, keep: int = 12) -> str:
    """A digest or long version, cut to what tells it apart.

    Examples
    --------
    >>> short("sha256:0123456789abcdef0123")
    'sha256:0123456789ab…'
    """
    head, colon, tail = text.partition(":")
    if colon and head in ("sha256", "sha512", "md5", "sha1") and len(tail) > keep:
        return f"{head}:{tail[:keep]}…"
    return text if len(text) <= 32 else text[:31] + "…"


def fact_of(data: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """The one fact that tells most about a node in a drawing."""
    attributes = record.get("attributes", {})
    if data["kind"] == "run":
        return " · ".join(word for word in (record.get("activity", ""), record.get("status", "").lower()) if word)
    if data["kind"] == "deployment" and data["version"]:
        return " · ".join(word for word in (attributes.get("environment", ""), f"since {data['version'][:10]}") if word)
    if isinstance(attributes.get("metrics"), Mapping) and attributes["metrics"]:
        name, value = min(attributes["metrics"].items())
        return f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
    if data["implied"]:
        return f"state written {data['version'].partition(':')[2][:10]}"
    for key in ("fact", "rows", "num_rows", "stage", "environment"):
        if attributes.get(key) not in (None, "", "None"):
            value = attributes[key]
            return (
                f"{value:,} row{'s' * (value != 1)}"
                if key in ("rows", "num_rows") and isinstance(value, int)
                else str(value)
            )
    packages = attributes.get("packages")
    if isinstance(packages, Mapping | list) and packages:
        return f"{len(packages)} package{'s' * (len(packages) != 1)}"
    if data.get("digest"):
        return short(data["digest"])
    if not data["resolved"]:
        return "no record describes it"
    return str(record.get("created_at", ""))[:10]


def answer_of(content: Mapping[str, Any]) -> str:
    """The audit in sentences: who serves, trained on what, which gates, what is not known, the verdict."""
    nodes = {node["ref"]: node for node in content["nodes"]}
    sentences = [_serves(content, nodes)]
    for model in dict.fromkeys(item["model"] for item in content["serving"] if item["model"] and item["verdict"]):
        sentences.append(_trained(model, content, nodes))
    sentences.extend(_beside(content, nodes))
    sentences.extend(_gates(content, nodes))
    # What no-training-data says stands in the sentence about the requirement already.
    unknown = [
        item["message"]
        for item in content["findings"]
        if item["severity"] == "error" and item["code"] != "no-training-data"
    ]
    if unknown:
        sentences.append(f"Not known: {_list(unknown, '; ')}.")
    known = [item["message"] for item in content["findings"] if item["code"] == "base-model-training-unknown"]
    sentences.extend(message + "." for message in known)
    sentences.append(_judged(content))
    return _brief(" ".join(sentence for sentence in sentences if sentence))


def verdict_words(content: Mapping[str, Any]) -> str:
    """The verdict as it is to be read out: a word of its own, or what a list of questions came to.

    Examples
    --------
    >>> verdict_words({"verdict": "FAILED", "question": {"policy": {"form": "questions"}}})
    'contradicted'
    """
    verdict = str(content["verdict"])
    return ANSWERS[verdict] if content["question"]["policy"].get("form") == "questions" else verdict


def _judged(content: Mapping[str, Any]) -> str:
    policy = content["question"]["policy"]
    name = f"{policy['name']} version {policy['version']}" if policy["version"] else f"{policy['name']}"
    if policy.get("form") != "questions":
        return f"Verdict under policy {name}: {content['verdict']}."
    counts = content["requirements"]
    said = ", ".join(f"{ANSWERS[outcome]} {counts[outcome]}" for outcome in ("holds", "fails", "undetermined"))
    return f"Questions of {name}: {said}. {NOT_COMPLIANCE}"


def _brief(text: str) -> str:
    """Long run ids cut to what tells them apart; the tables hold them whole."""
    return re.sub(r"(?<![:0-9a-f])([0-9a-f]{8})[0-9a-f]{12,}(?![0-9a-f…])", r"\1…", text)


def _name(ref: str, nodes: Mapping[str, Mapping[str, Any]]) -> str:
    node = nodes.get(ref)
    if node is None:
        return ref
    kind = node["kind"].replace("_", " ").replace("ai agent", "AI agent")
    if node["version"].startswith("~"):
        return f"{kind} {node['name']} under the alias {node['version'][1:]}"
    if node["version"]:
        return f"{kind} {node['name']} version {short(node['version'])}"
    return f"{kind} {node['name']}"


def _serves(content: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> str:
    question = content["question"]
    endpoint = _name(question["endpoint"], nodes)
    when = minute_of(question["as_of"])
    if question.get("candidate"):
        return f"{_capital(_name(question['candidate'], nodes))} is judged as though it were released to {endpoint} at {when}."
    active = [item for item in content["serving"] if item["verdict"]]
    if not active:
        return f"As of {when}, no record shows what serves {endpoint}."
    serving = [item for item in active if item["state"] == "serving"]
    unclear = [item for item in active if item["state"] != "serving"]
    text = f"As of {when}, "
    if serving:
        text += f"{endpoint} is served by {_list(_models(serving, nodes))}."
    if unclear:
        text += " " if serving else f"no record says what share of the traffic of {endpoint} anything receives. "
        named = _models(unclear, nodes)
        text += f"Deployed, and serving or not, {'are' if len(named) > 1 else 'is'} {_list(named)}."
    idle = sum(1 for item in content["serving"] if not item["verdict"])
    if idle:
        text += f" {idle} further deployment{'s' * (idle > 1)} receive{'s' * (idle == 1)} no traffic of its own."
    return text


def _models(items: Sequence[Mapping[str, Any]], nodes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The models of some deployments, each with its share."""
    return [
        (_name(model, nodes) if model else "a model that is not named")
        + f" ({_share([item for item in items if item['model'] == model])})"
        for model in dict.fromkeys(item["model"] for item in items)
    ]


def _share(items: Sequence[Mapping[str, Any]]) -> str:
    if any(item["site"] for item in items):
        return f"at {_list([item['site'] or 'an unnamed site' for item in items], limit=6)}"
    shares = [item["traffic"] for item in items]
    known = [share for share in shares if share is not None]
    text = f"{sum(known):g} % of traffic" if len(known) == len(shares) else "share of traffic not read"
    since = sorted(item["since"] for item in items if item["since"])
    return f"{text}, since {since[0][:10]}" if since else text


def _trained(model: str, content: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> str:
    mine = [row for row in content["datasets"] if model in row["reached_from"]]
    training = [row for row in mine if "training" in row["role"].split(" + ")]
    direct = [row for row in training if row["how"] == "read by the run"]
    origins = [row for row in training if row["origin"] and row not in direct]
    who = _name(model, nodes)
    ingredients = _ingredients(model, content, nodes)
    if not training:
        if ingredients:
            return f"{_capital(who)} is made of {_list(ingredients)}; no training data of its own is on record."
        return f"Which data trained {who} is not on record."
    text = f"{_capital(who)} was trained on {_list([_dataset(row, nodes) for row in direct or training])}"
    if origins:
        text += f", made from {_list([_dataset(row, nodes) for row in origins])}"
    return text + "."


def _ingredients(model: str, content: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Prompts, base models and indexes upstream of a model."""
    causes: dict[str, list[str]] = {}
    for hop in content["hops"]:
        causes.setdefault(hop["effect"], []).append(hop["cause"])
    found: list[str] = []
    queue, seen = [model], {model}
    while queue:
        for cause in causes.get(queue.pop(0), ()):
            if cause in seen:
                continue
            seen.add(cause)
            kind = nodes[cause]["kind"]
            if kind in ("prompt", "base_model", "index"):
                found.append(_dataset(nodes[cause], nodes) if kind == "index" else _name(cause, nodes))
            else:
                queue.append(cause)
    return found


def _dataset(row: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> str:
    text = _name(row["ref"], nodes)
    digest = row["digest"]
    if digest and digest not in row["ref"]:
        text += f" ({short(digest)})"
    if row["identified_by"] in ("name", "containment", "declared"):
        text += " (identified by its name only)"
    return text


def _beside(content: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    sentences: list[str] = []
    for role, verb in (
        ("role not recorded", "was read for a purpose that is not recorded"),
        ("retrieval", "is what it retrieves from"),
    ):
        rows = [
            row for row in content["datasets"] if role in row["role"].split(" + ") and row["how"] == "read by the run"
        ]
        if rows:
            sentences.append(f"{_capital(_list([_dataset(row, nodes) for row in rows]))} {verb}.")
    held = [
        row
        for row in content["datasets"]
        if row["how"] == "read by the run" and set(row["role"].split(" + ")) & {"evaluation", "test", "validation"}
    ]
    if held:
        sentences.append(
            f"Kept apart from training: {_list([_dataset(row, nodes) + ' for ' + row['role'] for row in held])}."
        )
    return sentences


def _gates(content: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    required = [(hop, item) for hop in content["hops"] for item in hop["requirements"] if item["required"]]
    if not required:
        return []
    unmet = [(hop, item) for hop, item in required if item["outcome"] != "holds" and item["requirement"] != "on-record"]
    failed = [
        f"“{item['title']}” failed for {_name(hop['cause'], nodes)} ({item['why']})"
        for hop, item in unmet
        if item["outcome"] == "fails"
    ]
    open_ = [
        f"“{item['title']}” for {_name(hop['cause'], nodes)} ({item['why']})"
        for hop, item in unmet
        if item["outcome"] == "undetermined"
    ]
    sentences: list[str] = []
    if not unmet:
        gates = [item for _, item in required if item["requirement"] != "on-record"]
        sentences.append(f"All {len(gates)} requirements on its {len(content['hops'])} hops hold.")
    if failed:
        sentences.append(f"{_capital(_list(list(dict.fromkeys(failed)), '; '))}.")
    if open_:
        sentences.append(f"Cannot be determined: {_list(list(dict.fromkeys(open_)), '; ')}.")
    return sentences


def _list(items: Iterable[str], separator: str = ", ", limit: int = _LISTED) -> str:
    words = list(items)
    if len(words) > limit:
        words = [*words[:limit], f"{len(words) - limit} more"]
    if len(words) < 2 or separator != ", ":
        return separator.join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
