"""The store: what remembers what the source systems forget."""

from __future__ import annotations

from .database import Store
from .log import TreeHead
from .names import Found
from .opening import open_store
from .results import SyncResult
from .walk import Direction, Edge, Node, Reached

__all__ = ["Direction", "Edge", "Found", "Node", "Reached", "Store", "SyncResult", "TreeHead", "open_store"]
