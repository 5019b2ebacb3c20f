"""An audit as one HTML file: the interactive trace, and everything it says as plain tables."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from . import drawing, standalone
from .sheets import sheets

#: What draws audits and estates, and the sheets that dress both.
STYLES = ("view.css", "report.css")
SCRIPT = "report.js"


def render(audit: Mapping[str, Any]) -> str:
    """The audit as a standalone page.

    Parameters
    ----------
    audit : mapping
        As ``Audit.to_dict()`` gives it.

    Returns
    -------
    str
        HTML that asks nobody for anything; no text from a record is markup in it.
    """
    title = f"{audit['question']['endpoint']}: {audit['verdict']}"
    main = standalone.body(title)
    standalone.element(main, "p", audit["answer"])
    picture = base64.b64encode(drawing.render(audit).encode()).decode()
    standalone.element(
        standalone.element(main, "figure"),
        "img",
        src=f"data:image/svg+xml;base64,{picture}",
        alt="Drawing of the trace; the tables below hold the same.",
    )
    for sheet in sheets(audit):
        standalone.table(main, sheet.title, sheet.head, sheet.rows)
    standalone.element(main, "p", standalone.STATES)
    return standalone.page(title, main, audit, standalone.Live(SCRIPT, "lx-audit"), STYLES)
