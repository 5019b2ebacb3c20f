"""The REST side of JupyterLab: thin, authenticated handlers over the questions that Python answers.

Enabled by ``etc/jupyter/jupyter_server_config.d/lineage_explorer.json``; nothing else of lineage-explorer imports it,
for jupyter_server is optional. ``docs/server.md`` says what it offers and what it refuses.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """What Jupyter Server loads; imported only when it asks."""
    from .app import LineageExplorer

    return [{"module": "lineage_explorer.server", "app": LineageExplorer}]
