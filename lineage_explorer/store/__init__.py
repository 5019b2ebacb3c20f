"""The store: what remembers what the source systems forget."""

from __future__ import annotations

from .database import Store
from .listing import Page, Thing, Version
from .log import TreeHead
from .names import Found
from .opening import open_store
from .results import SyncResult
from .walk import Direction, Edge, Node, Reached

__all__ = [
    "Direction",
    "Edge",
    "Found",
    "Node",
    "Page",
    "Reached",
    "Store",
    "SyncResult",
    "Thing",
    "TreeHead",
    "Version",
    "open_store",
]
