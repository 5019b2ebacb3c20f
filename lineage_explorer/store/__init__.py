"""The store: one file that remembers what the source systems forget."""

from __future__ import annotations

from .database import Found, Store
from .journal import SyncResult
from .opening import open_store
from .walk import Direction, Edge, Node, Reached

__all__ = ["Direction", "Edge", "Found", "Node", "Reached", "Store", "SyncResult", "open_store"]
