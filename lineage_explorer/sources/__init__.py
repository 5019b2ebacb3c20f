"""Sources: each reads one system and yields records. Found by entry point, loaded when asked for."""

from __future__ import annotations

from .protocol import Enumerating, Observation, Rejected, Resumable, Source, available, open_source

__all__ = ["Enumerating", "Observation", "Rejected", "Resumable", "Source", "available", "open_source"]
