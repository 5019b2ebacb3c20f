"""Which data trained the model that serves this endpoint, and what proves it was allowed to?

>>> from lineage_explorer import audit, open_store      # doctest: +SKIP
>>> audit(open_store("lineage.db"), "churn-prod")       # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .version import __version__

#: Public names, and the module that each lives in. Loaded when first used: a command line that only
#: prints its help should not pay for networkx and pandas.
_PUBLIC = {
    "Activity": "records",
    "Agent": "records",
    "Audit": "audits",
    "Entity": "records",
    "Evidence": "records",
    "Explorer": "widget",
    "HeatMap": "heatmap",
    "Lifecycle": "lifecycles",
    "LineageError": "errors",
    "Policy": "policy",
    "Ref": "records",
    "Relation": "records",
    "Store": "store",
    "SyncResult": "store",
    "audit": "questions",
    "audit_estate": "estates",
    "explore": "explorations",
    "gate": "questions",
    "lifecycle": "lifecycles",
    "lineage_graph": "graph",
    "load_policy": "policy",
    "open_source": "sources",
    "open_store": "store",
    "releases": "explorations",
}

if TYPE_CHECKING:
    from .audits import Audit
    from .errors import LineageError
    from .estates import audit_estate
    from .explorations import explore, releases
    from .graph import lineage_graph
    from .heatmap import HeatMap
    from .lifecycles import Lifecycle, lifecycle
    from .policy import Policy, load_policy
    from .questions import audit, gate
    from .records import Activity, Agent, Entity, Evidence, Ref, Relation
    from .sources import open_source
    from .store import Store, SyncResult, open_store
    from .widget import Explorer

__all__ = [
    "Activity",
    "Agent",
    "Audit",
    "Entity",
    "Evidence",
    "Explorer",
    "HeatMap",
    "Lifecycle",
    "LineageError",
    "Policy",
    "Ref",
    "Relation",
    "Store",
    "SyncResult",
    "__version__",
    "audit",
    "audit_estate",
    "explore",
    "gate",
    "lifecycle",
    "lineage_graph",
    "load_policy",
    "open_source",
    "open_store",
    "releases",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
