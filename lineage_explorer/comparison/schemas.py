"""Columns of a dataset, in whichever of the usual shapes a record states them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..version_history.facts import plain


def columns_of(said: Any) -> dict[str, str] | None:
    """Columns and their types.

    Parameters
    ----------
    said : object
        A mapping of name to type, a list of ``{"name", "type"}``, MLflow's ``{"mlflow_colspec": [...]}``, or any of these
        as JSON in a text.

    Returns
    -------
    dict or None
        Type by column, with whatever else is said of the column behind it; None where it is none of these shapes, or
        where one name stands twice.

    Examples
    --------
    >>> columns_of({"mlflow_colspec": [{"type": "long", "name": "age"}]}), columns_of([{"name": "age", "type": "long"}])
    ({'age': 'long'}, {'age': 'long'})
    >>> columns_of(["age"]) is None
    True
    """
    if isinstance(said, str):
        try:
            said = json.loads(said)
        except (ValueError, RecursionError):
            return None
    if isinstance(said, Mapping) and set(said) in ({"mlflow_colspec"}, {"columns"}, {"fields"}):
        said = next(iter(said.values()))
        if isinstance(said, str):
            return columns_of(said)
    if isinstance(said, Mapping):
        # A tensor's shape and the like are no columns.
        if any(str(name).startswith("mlflow_") for name in said):
            return None
        return {str(name): plain(kind) for name, kind in said.items()}
    return _listed(said) if isinstance(said, list) else None


def _listed(said: list[Any]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for column in said:
        if not isinstance(column, Mapping) or not isinstance(name := column.get("name"), str) or name in found:
            return None
        if "type" not in column:
            return None
        more = {key: value for key, value in column.items() if key not in ("name", "type")}
        found[name] = plain(column["type"]) + (f" {plain(more)}" if more else "")
    return found
