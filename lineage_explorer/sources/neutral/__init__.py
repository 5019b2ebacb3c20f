"""The project's own record format: JSON Lines, CSV or a DataFrame, for facts that live nowhere else.

``docs/record-format.md`` describes it with examples.
"""

from __future__ import annotations

from .shapes import row_json_schema
from .source import NeutralSource
from .writer import append_row

__all__ = ["NeutralSource", "append_row", "row_json_schema"]
