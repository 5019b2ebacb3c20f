"""Kinds of things that a model comes from, and what each is for to what takes it."""

from __future__ import annotations

#: Kinds that a model learns from, is tested on, or retrieves from.
DATA_KINDS = frozenset({"dataset", "feature_set", "index"})
#: Kinds that a deployment can release.
RELEASED_KINDS = frozenset({"model", "ai_agent", "logged_model"})
#: Inputs of a run that are not data: what they are for is what they are.
_INGREDIENTS = frozenset({"prompt", "base_model", "code", "environment"})
_ROLES = {
    "training": "training",
    "train": "training",
    "validation": "validation",
    "test": "test",
    "evaluation": "evaluation",
    "retrieval": "retrieval",
    "serving": "serving",
}
NOT_RECORDED = "role not recorded"


def purpose(kind: str, role: str) -> str:
    """What a thing of a kind was for to what took it in a role; empty for what is on the model's own side.

    Examples
    --------
    >>> purpose("dataset", "train"), purpose("dataset", "input"), purpose("base_model", ""), purpose("run", "")
    ('training', 'role not recorded', 'base model', '')
    """
    if kind in _INGREDIENTS:
        return kind.replace("_", " ")
    if kind in DATA_KINDS:
        return _ROLES.get(role.lower(), role if role not in ("", "input") else NOT_RECORDED)
    return ""  # a run, a logged model, a copy, a parent that was fine-tuned
