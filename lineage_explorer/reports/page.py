"""An audit as one HTML file: the interactive trace, and everything it says as plain tables.

The page makes no request: its content security policy forbids all of them, and allows exactly the one
script and the one style sheet that are in it, by their hashes. Without scripts, and on paper, the
drawing and the tables remain.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from . import drawing
from .sheets import Sheet, sheets

_STATIC = files(__package__.rpartition(".")[0]).joinpath("static")


def render(audit: Mapping[str, Any]) -> str:
    """The audit as a standalone page.

    Parameters
    ----------
    audit : mapping
        As ``Audit.to_dict()`` gives it.

    Returns
    -------
    str
        HTML. No text from a record is markup in it: tables are built as elements, and the data stands in
        a JSON block in which ``<`` is escaped.
    """
    style = _asset("view.css") + _asset("report.css")
    script = _asset("report.js")
    data = json.dumps(audit, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c").replace("\u2028", "\\u2028")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )
    title = html.escape(f"{audit['question']['endpoint']}: {audit['verdict']}")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<div id="lx-report"></div>\n{_still(audit)}\n'
        f'<script type="application/json" id="lx-audit">{data}</script>\n'
        f'<script type="module">{script}</script>\n</body>\n</html>\n'
    )


def _asset(name: str) -> str:
    # "</" cannot stand inside a script or style element.
    return _STATIC.joinpath(name).read_text(encoding="utf-8").replace("</", "<\\/")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _still(audit: Mapping[str, Any]) -> str:
    """The audit without scripts: built as elements, so that every text is escaped once, by the library."""
    main = ET.Element("main", {"id": "lx-still", "class": "lx-still"})
    question = audit["question"]
    _add(main, "h1", f"{question['endpoint']}: {audit['verdict']}")
    _add(main, "p", audit["answer"])
    figure = _add(main, "figure")
    picture = base64.b64encode(drawing.render(audit).encode()).decode()
    ET.SubElement(
        figure,
        "img",
        {"src": f"data:image/svg+xml;base64,{picture}", "alt": "Drawing of the trace; the tables below hold the same."},
    )
    for sheet in sheets(audit):
        _table(main, sheet)
    _add(main, "p", "This report states evidence, not compliance.")
    return ET.tostring(main, encoding="unicode", method="html")


def _add(parent: ET.Element, tag: str, text: object = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, attributes)
    if text is not None:
        child.text = drawing.clean(str(text))
    return child


def _table(parent: ET.Element, sheet: Sheet) -> None:
    _add(parent, "h2", sheet.title)
    if not sheet.rows:
        _add(parent, "p", "None on record.")
        return
    table = _add(parent, "table")
    _add(table, "caption", sheet.title)
    top = _add(_add(table, "thead"), "tr")
    for name in sheet.head:
        _add(top, "th", name, scope="col")
    inner = _add(table, "tbody")
    for row in sheet.rows:
        line = _add(inner, "tr")
        for cell in row:
            _add(line, "td", "" if cell is None else cell)
