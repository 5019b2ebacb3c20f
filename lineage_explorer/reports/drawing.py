"""An audit as one static SVG: for a notebook without a kernel, a document, a printer."""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

from .layout import arrange

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN, _HEAD = 204, 66, 72, 20, 20, 92
_LANES = {
    "data": "Source data",
    "preparation": "Preparation",
    "features": "Features",
    "training": "Training",
    "registry": "Registry",
    "deployment": "Release",
    "endpoint": "Endpoint",
}
_DASH = {
    "content_hash": "",
    "identifier": "",
    "name_version": "",
    "truncated_digest": "6 3",
    "time_order": "6 3",
    "name": "6 3",
    "alternate_of": "2 3",
    "containment": "2 3",
    "declared": "2 3",
}
#: Word, colour and shape of each gate status: none of them is told by colour alone.
_BADGE = {
    "passed": ("✓ passed", "#1a6b3c"),
    "failed": ("✕ failed", "#a61b1b"),
    "pending": ("◷ pending", "#5c4700"),
    "waived": ("◇ waived", "#4a3a8c"),
    "stale": ("↺ stale", "#5c4700"),
    "missing": ("? missing", "#5a5a5a"),
    "undetermined": ("△ undetermined", "#7a3d00"),
}
_VERDICT = {"PASSED": "#1a6b3c", "FAILED": "#a61b1b", "INCOMPLETE": "#7a3d00"}
#: Nodes drawn; what is left out is counted in the picture.
LIMIT = 150


def render(audit: Mapping[str, Any]) -> str:
    """The trace as a standalone SVG document: no script, no link, no reference to anything outside."""
    nodes = list(audit["nodes"])
    left_out = max(0, len(nodes) - LIMIT)
    if left_out:
        nodes = _nearest(audit)
    shown = {node["ref"] for node in nodes}
    hops = [hop for hop in audit["hops"] if hop["cause"] in shown and hop["effect"] in shown]
    columns, rows, bends = arrange(
        {node["ref"]: node["lane"] for node in nodes}, [(hop["cause"], hop["effect"]) for hop in hops]
    )
    places = {
        ref: (_MARGIN + x * (_WIDTH + _GAP_X), _HEAD + _MARGIN + 16 + rows[ref] * (_HEIGHT + _GAP_Y))
        for x, column in enumerate(columns)
        for ref in column
    }
    width = max(_MARGIN * 2 + len(columns) * (_WIDTH + _GAP_X) - _GAP_X, 640)
    height = max((y for _, y in places.values()), default=_HEAD) + _HEIGHT + _MARGIN
    title = f"{audit['question']['endpoint']}: {audit['verdict']}"
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width} {height}",
            "width": str(width),
            "height": str(height),
            "role": "img",
            "aria-label": clean(f"Lineage of {title}"),
            "font-family": "system-ui, sans-serif",
        },
    )
    _add(root, "title", text=title)
    _add(root, "desc", text=audit["answer"])
    _add(root, "rect", x=0, y=0, width=width, height=height, fill="#ffffff")
    _add(
        root,
        "text",
        x=_MARGIN,
        y=36,
        text=title,
        **{"font-size": 18, "font-weight": 600, "fill": _VERDICT[audit["verdict"]]},
    )
    subtitle = (
        f"as of {audit['question']['as_of']} · policy {audit['question']['policy']['name']} · {audit['digest'][:23]}…"
    )
    _add(root, "text", x=_MARGIN, y=58, text=subtitle, **{"font-size": 12, "fill": "#444444"})
    if left_out:
        note = f"{left_out} of {len(audit['nodes'])} nodes are not drawn; the table and the JSON hold all of them"
        _add(root, "text", x=_MARGIN, y=76, text=note, **{"font-size": 12, "fill": "#a61b1b"})
    _lanes(root, columns, {node["ref"]: node for node in nodes})
    for hop, points in zip(hops, bends, strict=True):
        _hop(root, hop, places, [_bend(*point) for point in points])
    for node in nodes:
        _node(root, node, places[node["ref"]])
    return ET.tostring(root, encoding="unicode") + "\n"


def _nearest(audit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The nodes closest to the endpoint."""
    causes: dict[str, list[str]] = {}
    for hop in audit["hops"]:
        causes.setdefault(hop["effect"], []).append(hop["cause"])
    order, seen = [audit["question"]["endpoint"]], {audit["question"]["endpoint"]}
    for ref in order:
        for cause in causes.get(ref, ()):
            if cause not in seen and len(order) < LIMIT:
                seen.add(cause)
                order.append(cause)
    return [node for node in audit["nodes"] if node["ref"] in seen]


def _lanes(root: ET.Element, columns: Sequence[list[str]], nodes: Mapping[str, Mapping[str, Any]]) -> None:
    previous = ""
    for index, column in enumerate(columns):
        lane = nodes[column[0]]["lane"]
        if lane != previous:
            x = _MARGIN + index * (_WIDTH + _GAP_X)
            _add(
                root,
                "text",
                x=x,
                y=_HEAD + 8,
                text=_LANES[lane].upper(),
                **{"font-size": 11, "letter-spacing": 1, "fill": "#555555"},
            )
            previous = lane


def _bend(column: int, row: float) -> tuple[float, float]:
    """Where a long hop passes the column: the left end of a level piece as wide as a node."""
    return _MARGIN + column * (_WIDTH + _GAP_X), _HEAD + _MARGIN + 16 + row * (_HEIGHT + _GAP_Y) + _HEIGHT / 2


def _hop(
    root: ET.Element,
    hop: Mapping[str, Any],
    places: Mapping[str, tuple[float, float]],
    bends: Sequence[tuple[float, float]],
) -> None:
    (x1, y1), (x2, y2) = places[hop["cause"]], places[hop["effect"]]
    x1, y1, y2 = x1 + _WIDTH, y1 + _HEIGHT / 2, y2 + _HEIGHT / 2
    path = f"M{x1:g},{y1:g}"
    x, y = x1, y1
    for left, height in bends:
        path += f" C{(x + left) / 2:g},{y:g} {(x + left) / 2:g},{height:g} {left:g},{height:g} H{left + _WIDTH:g}"
        x, y = left + _WIDTH, height
    half = max((x2 - x) / 2, 24)
    path += f" C{x + half:g},{y:g} {x2 - half:g},{y2:g} {x2:g},{y2:g}"
    _add(
        root,
        "path",
        d=path,
        fill="none",
        stroke="#666666",
        **{"stroke-width": 1.5, "stroke-dasharray": _DASH.get(hop["basis"], "2 3") or "none"},
    )
    x1, y1 = x, y  # the badge stands on the last piece, before the effect
    words = [f"{hop['traffic']:g} %"] if hop["traffic"] is not None else []
    badge, colour = _BADGE.get(hop["status"], ("", "#444444"))
    words += [badge] if badge else []
    for index, word in enumerate(words):
        y = (y1 + y2) / 2 + 4 + (index - (len(words) - 1) / 2) * 14
        _add(
            root,
            "text",
            x=(x1 + x2) / 2,
            y=y,
            text=word,
            fill=colour if word == badge else "#222222",
            stroke="#ffffff",
            **{
                "font-size": 11,
                "text-anchor": "middle",
                "paint-order": "stroke",
                "stroke-width": 4,
                "font-weight": 600,
            },
        )


def _node(root: ET.Element, node: Mapping[str, Any], place: tuple[float, float]) -> None:
    x, y = place
    group = _add(root, "g")
    _add(group, "title", text=node["ref"])
    outline: dict[str, Any] = {"stroke-dasharray": "5 4"} if not node["resolved"] else {}
    _add(
        group,
        "rect",
        x=x,
        y=y,
        width=_WIDTH,
        height=_HEIGHT,
        rx=8,
        fill="#f7f8fa",
        stroke="#5b6472",
        **outline,
    )
    training = (
        " · training data"
        if "training" in node["roles"] and node["kind"] in ("dataset", "feature_set", "index")
        else ""
    )
    fact = node["fact"] if node["resolved"] else "unresolved"
    for offset, text, size, weight in (
        (17, node["kind"].replace("_", " ") + training, 11, 400),
        (37, node["label"], 15, 600),
        (55, fact, 12, 400),
    ):
        _add(
            group,
            "text",
            x=x + 12,
            y=y + offset,
            text=_fit(text, int((_WIDTH - 24) / (size * 0.62))),
            fill="#1c2430" if weight == 600 else "#444c58",
            **{"font-size": size, "font-weight": weight},
        )


def _fit(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    half = (length - 1) // 2
    return f"{text[: length - 1 - half]}…{text[-half:]}"


def clean(text: str) -> str:
    """Text without characters that XML forbids or that reorder what is read (they show as a replacement)."""
    # Controls cannot stand in XML, and direction marks could reorder what is read.
    return "".join(
        char if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn") else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )


def _add(parent: ET.Element, tag: str, text: object = None, **attributes: object) -> ET.Element:
    child = ET.SubElement(parent, tag, {name: str(value) for name, value in attributes.items()})
    if text is not None:
        child.text = clean(str(text))
    return child
