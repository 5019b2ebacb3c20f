"""The JSON Schema of policy files, generated from the structs that read them, so that editors can complete and check."""

from __future__ import annotations

from typing import Any

import msgspec

from .format import CHECKS, Guard, Requirement, Waiver

_REF = "#/$defs/{name}"


def policy_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a policy file.

    Returns
    -------
    dict
        TOML decodes to what it describes.

    Examples
    --------
    >>> policy_schema()["required"]
    ['name']
    """
    kinds = list(CHECKS.values())
    _, defs = msgspec.json.schema_components([*kinds, Guard, Waiver, Requirement], ref_template=_REF)
    shared = dict(defs.pop("Requirement")["properties"])
    shared.pop("condition")
    for kind in kinds:
        # What stands beside a check's own keys in a requirement is the requirement's to allow.
        defs[kind.__name__].pop("additionalProperties", None)
    condition = {"$ref": "#/$defs/condition"}
    several = {"type": "array", "minItems": 1, "items": condition}
    one_of = [
        *({"$ref": f"#/$defs/{kind.__name__}"} for kind in kinds),
        {"properties": {"all": several}, "required": ["all"]},
        {"properties": {"any": several}, "required": ["any"]},
        {"properties": {"not": condition}, "required": ["not"]},
    ]
    instant = {"description": "a TOML date-time with a time zone"}
    version = {
        "version": {"type": "string", "minLength": 1},
        "effective_from": instant,
        "requirement": {"type": "array", "items": {"$ref": "#/$defs/requirement"}},
        "waiver": {"type": "array", "items": {"$ref": "#/$defs/Waiver"}},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:lineage-explorer:policy:1",
        "title": "lineage-explorer policy",
        "type": "object",
        "properties": {
            "$schema": {"type": "string"},
            "name": {"type": "string", "minLength": 1},
            "description": {"type": "string"},
            "form": {"enum": ["verdict", "questions"]},
        },
        "required": ["name"],
        "oneOf": [
            {"properties": version, "required": ["version"]},
            {
                "properties": {
                    "version": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "properties": version,
                            "required": ["version"],
                            "additionalProperties": False,
                        },
                    }
                },
                "required": ["version"],
            },
        ],
        "unevaluatedProperties": False,
        "$defs": {
            **defs,
            "condition": {"type": "object", "oneOf": one_of, "unevaluatedProperties": False},
            "requirement": {
                "type": "object",
                "properties": shared,
                "required": ["id", "title", "hop"],
                "oneOf": one_of,
                "unevaluatedProperties": False,
            },
        },
    }
