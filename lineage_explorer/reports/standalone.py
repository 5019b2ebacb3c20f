"""What every standalone page is made of: its head, its policy against requests, its data, and tables built as elements.

Such a page makes no request: its content security policy forbids all of them, and allows exactly the one script and
the one style sheet that are in it, by their hashes. Without scripts, and on paper, what was built as elements remains.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from . import drawing

#: What no report is taken for.
STATES = "This report states evidence, not compliance."
_STATIC = files(__package__.rpartition(".")[0]).joinpath("static")


class Live(NamedTuple):
    """The script that draws a page's data, and the id of the element in which it looks for them."""

    script: str
    data: str


def page(title: str, still: ET.Element, content: Mapping[str, Any], live: Live, styles: Sequence[str]) -> str:
    """A document as one HTML file.

    Parameters
    ----------
    title : str
        Of the window; a record's text is escaped here.
    still : Element
        Everything that the document says, for readers without scripts and for the printer.
    content : mapping
        The document itself, which stands in the page once, as JSON.
    live : Live
        Which script draws it.
    styles : sequence of str
        Names of style sheets, in their order.

    Returns
    -------
    str
        HTML. No text from a record is markup in it: tables are built as elements, so that every text is escaped once,
        by the library, and the data stand in a JSON block in which ``<`` is escaped.
    """
    style = "".join(map(_asset, styles))
    script = _asset(live.script)
    data = json.dumps(content, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c").replace("\u2028", "\\u2028")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html.escape(drawing.clean(title))}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<div id="lx-report"></div>\n{ET.tostring(still, encoding="unicode", method="html")}\n'
        f'<script type="application/json" id="{live.data}">{data}</script>\n'
        f'<script type="module">{script}</script>\n</body>\n</html>\n'
    )


def body(title: str) -> ET.Element:
    """The part of a page that needs no script, with its heading."""
    main = ET.Element("main", {"id": "lx-still", "class": "lx-still"})
    element(main, "h1", title)
    return main


def element(parent: ET.Element, tag: str, text: object = None, **attributes: str) -> ET.Element:
    """A new element at the end of another; its text is a record's, made harmless and visible.

    Examples
    --------
    >>> ET.tostring(element(ET.Element("p"), "b", "<i>" + chr(27)))
    b'<b>&lt;i&gt;&#65533;</b>'
    """
    child = ET.SubElement(parent, tag, attributes)
    if text is not None:
        child.text = drawing.clean(str(text))
    return child


def table(parent: ET.Element, title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> ET.Element | None:
    """A heading and a table whose first column names the row; or that none is on record.

    Returns
    -------
    Element or None
        The table's body.
    """
    element(parent, "h2", title)
    lines = list(rows)
    if not lines:
        element(parent, "p", "None on record.")
        return None
    whole = element(parent, "table")
    element(whole, "caption", title)
    top = element(element(whole, "thead"), "tr")
    for name in head:
        element(top, "th", name, scope="col")
    inner = element(whole, "tbody")
    for first, *rest in lines:
        line = element(inner, "tr")
        element(line, "th", "" if first is None else first, scope="row")
        for cell in rest:
            element(line, "td", "" if cell is None else cell)
    return inner


def _asset(name: str) -> str:
    # "</" cannot stand inside a script or style element.
    return _STATIC.joinpath(name).read_text(encoding="utf-8").replace("</", "<\\/")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
