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
    "Comparison": "comparison",
    "Entity": "records",
    "Evidence": "records",
    "Explorer": "widget",
    "HeatMap": "heatmap",
    "History": "version_history",
    "Impact": "impacts",
    "Lifecycle": "lifecycles",
    "Likeness": "comparison",
    "LineageError": "errors",
    "Policy": "policy",
    "Ref": "records",
    "Relation": "records",
    "Rollback": "rollbacks",
    "Store": "store",
    "SyncResult": "store",
    "alike": "comparison",
    "audit": "questions",
    "audit_estate": "estates",
    "compare": "comparison",
    "explore": "explorations",
    "gate": "questions",
    "history": "version_history",
    "impact": "impacts",
    "lifecycle": "lifecycles",
    "lineage_graph": "graph",
    "load_policy": "policy",
    "open_source": "sources",
    "open_store": "store",
    "releases": "servings",
    "rollback": "rollbacks",
    "serving": "servings",
}

if TYPE_CHECKING:
    from .audits import Audit
    from .comparison import Comparison, Likeness, alike, compare
    from .errors import LineageError
    from .estates import audit_estate
    from .explorations import explore
    from .graph import lineage_graph
    from .heatmap import HeatMap
    from .impacts import Impact, impact
    from .lifecycles import Lifecycle, lifecycle
    from .policy import Policy, load_policy
    from .questions import audit, gate
    from .records import Activity, Agent, Entity, Evidence, Ref, Relation
    from .rollbacks import Rollback, rollback
    from .servings import releases, serving
    from .sources import open_source
    from .store import Store, SyncResult, open_store
    from .version_history import History, history
    from .widget import Explorer

__all__ = [
    "Activity",
    "Agent",
    "Audit",
    "Comparison",
    "Entity",
    "Evidence",
    "Explorer",
    "HeatMap",
    "History",
    "Impact",
    "Lifecycle",
    "Likeness",
    "LineageError",
    "Policy",
    "Ref",
    "Relation",
    "Rollback",
    "Store",
    "SyncResult",
    "__version__",
    "alike",
    "audit",
    "audit_estate",
    "compare",
    "explore",
    "gate",
    "history",
    "impact",
    "lifecycle",
    "lineage_graph",
    "load_policy",
    "open_source",
    "open_store",
    "releases",
    "rollback",
    "serving",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
