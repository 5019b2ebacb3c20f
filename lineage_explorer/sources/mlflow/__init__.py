"""MLflow as a source of records: experiments, runs, datasets, models, the registry and its gates."""

from __future__ import annotations

from .source import MLflowSource

__all__ = ["MLflowSource"]
