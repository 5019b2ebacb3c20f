"""An audit as JSON: the document that every other view can be made from again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def render(audit: Mapping[str, Any]) -> str:
    """The audit as indented JSON, keys sorted, so that two of them can be compared line by line."""
    return json.dumps(audit, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
