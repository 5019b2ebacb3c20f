"""Azure Machine Learning: records as the Azure CLI and the REST interface print them, and the YAML that users keep."""

from __future__ import annotations

from .source import AzureMLSource

__all__ = ["AzureMLSource"]
