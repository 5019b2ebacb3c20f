"""An audit as a Graphviz drawing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import graphviz

_SHAPE = {
    "endpoint": "house",
    "deployment": "component",
    "run": "cds",
    "dataset": "cylinder",
    "index": "cylinder",
}
_LINE = {
    "content_hash": "bold",
    "identifier": "solid",
    "name_version": "solid",
    "truncated_digest": "dashed",
    "time_order": "dashed",
    "name": "dashed",
    "containment": "dotted",
    "declared": "dotted",
}


def render(audit: Mapping[str, Any]) -> graphviz.Digraph:
    """The trace as a ``graphviz.Digraph``, drawn left to right.

    Node names are numbers, because Graphviz gives ``:`` in a name a meaning; labels are escaped, so
    that no text from a record becomes markup or an escape sequence.
    """
    drawing = graphviz.Digraph(
        "lineage",
        comment="lineage-explorer",
        graph_attr={
            "rankdir": "LR",
            "label": _text(f"{audit['question']['endpoint']}: {audit['verdict']}"),
            "labelloc": "t",
        },
        node_attr={"fontname": "sans-serif", "fontsize": "11"},
        edge_attr={"fontname": "sans-serif", "fontsize": "9"},
    )
    names = {node["ref"]: f"n{index}" for index, node in enumerate(audit["nodes"])}
    for node in audit["nodes"]:
        lines = [
            node["kind"].replace("_", " "),
            node["label"],
            node["fact"] if node["resolved"] else "unresolved",
        ]
        drawing.node(
            names[node["ref"]],
            _text("\n".join(line for line in lines if line)),
            shape=_SHAPE.get(node["kind"], "box"),
            style="solid" if node["resolved"] else "dashed",
            tooltip=_text(node["ref"]),
        )
    for hop in audit["hops"]:
        words = [hop["predicate"].replace("_", " ")]
        words += [hop["role"]] if hop["role"] else []
        words += [f"{hop['traffic']:g} %"] if hop["traffic"] is not None else []
        words += [f"gate {hop['status']}"] if hop["status"] != "none" else []
        drawing.edge(
            names[hop["cause"]],
            names[hop["effect"]],
            label=_text("\n".join(words)),
            style=_LINE.get(hop["basis"], "dotted"),
            tooltip=_text(f"{hop['cause']} to {hop['effect']}"),
        )
    return drawing


def _text(text: str) -> str:
    # graphviz.escape keeps backslashes and <...> literal; control characters are dropped first.
    clean = "".join(char for char in text if char == "\n" or char.isprintable())
    return "\n".join(graphviz.escape(line) for line in clean.split("\n")).replace("\n", "\\n")
