"""The ways Azure ML names an asset, read into one form. Nothing is looked up."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

#: Collections in ids, in lower case, and the kind of thing that is in them.
KINDS = {
    "models": "model",
    "data": "dataset",
    "datasets": "dataset",
    "environments": "environment",
    "codes": "code",
    "components": "code",
    "jobs": "run",
    "experiments": "experiment",
    "featuresets": "feature_set",
    "indexes": "index",
}
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
#: What a template leaves to be filled in: `<VERSION>`, `<model-name>`, `{{ x }}`, `[parameters(...)]`, `$(x)`, `${X}`.
_PLACEHOLDER = re.compile(
    r"<[A-Z][A-Z0-9_-]*>|<[A-Za-z]\w*(?:[_-]\w+)+>|\{\{.*?(?:\}\}|\Z)|^\[.*\(.*\)\]$|\$\([^)]*\)|\$\{\w+\}|\$[A-Z][A-Z0-9_]{2,}"
)
# Whose subscription it is may be blacked out without harm: it is no part of a reference.
_OWNER = re.compile(r"/?subscriptions/[^/]*/resourcegroups/[^/]*(?=/)", re.I)


class Scope(NamedTuple):
    """Who issued a name. All parts are in lower case: Azure compares ids without regard to case.

    Attributes
    ----------
    workspace : tuple of str
        Subscription, resource group, name; empty when it is not said.
    registry : str
        Name of a registry shared by workspaces.
    guid : str
        A workspace's number where its name is not given.
    """

    workspace: tuple[str, str, str] | tuple[()] = ()
    registry: str = ""
    guid: str = ""


class Asset(NamedTuple):
    """A named thing of a workspace or registry.

    Attributes
    ----------
    collection : str
        ``models``, ``data``, ``jobs``, ``onlineendpoints``...; empty in the short form ``azureml:x:3``.
    version, label : str
        At most one is set; ``latest`` is a label.
    child : str
        The deployment, in the id of a deployment.
    path : str
        What follows the name of a datastore or job, as written (blob paths have case).
    """

    scope: Scope
    collection: str
    name: str
    version: str = ""
    label: str = ""
    child: str = ""
    path: str = ""


class Uri(NamedTuple):
    """A place outside Azure ML's own names, without its query; ``version`` is a blob's version id."""

    text: str
    version: str = ""


def placeholder_in(text: str) -> str:
    """The first thing in a text that a template leaves open, or an empty text.

    Examples
    --------
    >>> placeholder_in("azureml:nyc-taxi:<VERSION>"), placeholder_in("<img src=x>")
    ('<VERSION>', '')
    >>> placeholder_in("/subscriptions/<subscription-id>/resourceGroups/<rg>/providers/x/workspaces/w/models/m")
    ''
    """
    match = _PLACEHOLDER.search(_OWNER.sub("", text))
    return match[0] if match else ""


def parse_id(text: str) -> Asset | Uri | None:
    """Read an id, a short name or a URI; None for anything else (a local path, a literal).

    Examples
    --------
    >>> parse_id("azureml:churn@latest")
    Asset(scope=Scope(workspace=(), registry='', guid=''), collection='', name='churn', version='', label='latest', child='', path='')
    >>> parse_id("azureml://registries/Shared/models/churn/versions/3").version
    '3'
    """
    text = text.strip()
    while (
        text.lower().startswith("azureml:") and re.match(r"azureml:|/|https?:", text[8:], re.I) and text[8:10] != "//"
    ):
        text = text[8:]
    if text.lower().startswith("/subscriptions/"):
        return _from_segments(text.strip("/").split("/"))
    if text.lower().startswith("azureml://"):
        return _from_segments(text[10:].strip("/").split("/"))
    if text.lower().startswith("azureml:"):
        return _short(text[8:])
    return _uri(text) if _URI.match(text) else None


def _short(text: str) -> Asset | None:
    name, colon, version = text.partition(":")
    if colon:
        return Asset(Scope(), "", name.lower(), version.lower()) if name and version else None
    name, _, label = text.partition("@")
    return Asset(Scope(), "", name.lower(), label=label.lower()) if name else None


def _from_segments(segments: list[str]) -> Asset | None:
    scope = Scope()
    said: dict[str, str] = {}
    index = 0
    # Pairs that say where: subscriptions/x/resourceGroups/y/providers/z/workspaces/w, locations/l/workspaces/g.
    while index + 1 < len(segments) and segments[index].lower() in (
        "subscriptions", "resourcegroups", "providers", "workspaces", "registries", "locations",
    ):  # fmt: skip
        said[segments[index].lower()] = segments[index + 1].lower()
        index += 2
    if "registries" in said:
        scope = Scope(registry=said["registries"])
    elif "locations" in said and "workspaces" in said:
        scope = Scope(guid=said["workspaces"])
    elif "workspaces" in said:
        scope = Scope((said.get("subscriptions", ""), said.get("resourcegroups", ""), said["workspaces"]))
    rest = segments[index:]
    if not rest:
        if "workspaces" in said:
            return Asset(scope, "workspaces", said["workspaces"])
        return None
    collection, name = rest[0].lower(), rest[1] if len(rest) > 1 else ""
    if not name:
        return None
    if collection in ("datastores", "jobs"):
        path = "/".join(rest[3:] if rest[2:3] == ["paths"] else rest[2:])
        return Asset(scope, collection, name.lower(), path=path)
    word, value = (rest[2].lower(), rest[3]) if len(rest) > 3 else ("", "")
    return Asset(
        scope,
        collection,
        name.lower(),
        version=value.lower() if word == "versions" else "",
        label=value.lower() if word == "labels" else "",
        child=value.lower() if word == "deployments" else "",
    )


def _uri(text: str) -> Uri:
    try:
        parts = urlsplit(text)
    except ValueError:
        return Uri(text.partition("?")[0])
    # A SAS query changes each time it is issued and says nothing about the data, but for the version.
    host = parts.netloc.rpartition("@")[2] if parts.scheme in ("http", "https") else parts.netloc
    query = parse_qs(parts.query)
    version = next((query[key][0] for key in ("versionid", "versionId", "snapshot") if key in query), "")
    return Uri(f"{parts.scheme}://{host}{parts.path}".rstrip("/"), version)
