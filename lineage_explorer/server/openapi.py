"""The OpenAPI document: written by hand in ``openapi.yaml``, and held against the handlers by the tests."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from ..version import __version__


@cache
def document() -> dict[str, Any]:
    """The document, with the version of this package.

    Examples
    --------
    >>> document()["openapi"]
    '3.1.0'
    """
    text = files(__package__).joinpath("openapi.yaml").read_text(encoding="utf-8")
    described: dict[str, Any] = yaml.safe_load(text)
    described["info"]["version"] = __version__
    return described
