"""What kind of Azure ML thing an object is: by its resource type, its id, its schema, and last by its shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .fields import Fields, as_text, is_resource_type
from .ids import Asset, parse_id

#: Collections of ids that are read, in lower case, and our word for what is in them.
READ = {
    "onlineendpoints": "online endpoint",
    "batchendpoints": "batch endpoint",
    "models": "model",
    "data": "data",
    "datasets": "data",
    "environments": "environment",
    "codes": "code",
    "components": "component",
    "jobs": "job",
    "featuresets": "feature set",
    "indexes": "index",
}
#: Known and not read: nothing in them is on the way from an endpoint back to data.
_UNREAD = {
    "schedules": "schedule",
    "computes": "compute",
    "workspaces": "workspace",
    "registries": "registry",
    "datastores": "datastore",
    "connections": "connection",
    "featurestoreentities": "feature store entity",
    "serverlessendpoints": "serverless endpoint",
    "experiments": "experiment",
    "marketplacesubscriptions": "marketplace subscription",
}
# The name of a schema, squashed, without "schema.json": the first that it contains decides.
_SCHEMAS = (
    ("onlineendpoint", "online endpoint"),
    ("batchendpoint", "batch endpoint"),
    ("onlinedeployment", "online deployment"),
    ("batchdeployment", "batch deployment"),
    ("serverlessendpoint", "serverless endpoint"),
    ("component", "component"),
    ("schedule", "schedule"),
    ("monitor", "schedule"),
    ("featurestoreentity", "feature store entity"),
    ("featurestore", "feature store"),
    ("featureset", "feature set"),
    ("job", "job"),
    ("automl", "job"),
    ("environment", "environment"),
    ("connection", "connection"),
    ("datastore", "datastore"),
    ("azureblob", "datastore"),
    ("azurefile", "datastore"),
    ("azuredatalake", "datastore"),
    ("onelake", "datastore"),
    ("compute", "compute"),
    ("kubernetes", "compute"),
    ("virtualmachine", "compute"),
    ("workspace", "workspace"),
    ("registry", "registry"),
    ("hub", "workspace"),
    ("project", "workspace"),
    ("index", "index"),
    ("dataimport", "data import"),
    ("data", "data"),
    ("model", "model"),
)
READ_KINDS = frozenset([*READ.values(), "online deployment", "batch deployment"])
_JOB_TYPES = frozenset(
    ["command", "pipeline", "sweep", "automl", "spark", "parallel", "finetuning", "distillation", "labeling", "base"]
)
_MODEL_TYPES = frozenset(["mlflow_model", "custom_model", "triton_model"])
_DATA_TYPES = frozenset(["uri_file", "uri_folder", "mltable"])


def kind_of(raw: Mapping[str, Any], fields: Fields) -> str:
    """Our word for what an object is, or an empty text for what is not of Azure ML.

    Examples
    --------
    >>> raw = {"$schema": "https://azuremlschemas.azureedge.net/latest/batchEndpoint.schema.json"}
    >>> kind_of(raw, Fields(raw))
    'batch endpoint'
    """
    if is_template(raw):
        return "ARM template"
    own = own_id(raw)
    if own is not None:
        return _by_collection(own.collection, bool(own.child), own.collection)
    if is_resource_type(raw.get("type")):
        parts = str(raw["type"]).lower().split("/")[1:]
        below = parts[1:] if parts[0] in ("workspaces", "registries") else parts
        if not below:
            return _UNREAD.get(parts[0], parts[0])
        return _by_collection(below[0], below[-1] == "deployments", below[0])
    schema = schema_of(raw)
    if schema:
        name = re.sub(r"[^a-z]", "", schema.rpartition("/")[2].lower().partition(".")[0])
        for word, kind in _SCHEMAS:
            if word in name:
                return kind
    return _by_shape(raw, fields)


def _by_collection(collection: str, deployment: bool, word: str) -> str:
    if deployment and collection in ("onlineendpoints", "batchendpoints"):
        return collection.removesuffix("endpoints") + " deployment"
    return READ.get(collection) or _UNREAD.get(collection) or word


def _by_shape(raw: Mapping[str, Any], fields: Fields) -> str:
    sort = as_text(raw.get("type")).lower()
    if fields.has("create_monitor", "create_job") or fields.has("trigger"):
        return "schedule"
    if fields.has("endpoint_name") and fields.has(
        "model", "code_configuration", "environment", "component", "job_definition"
    ):
        batch = sort in ("model", "pipeline") or fields.has(
            "mini_batch_size", "output_action", "max_concurrency_per_instance"
        )
        return "batch deployment" if batch else "online deployment"
    if sort in _MODEL_TYPES:
        return "model"
    if sort in _DATA_TYPES and fields.has("path"):
        return "data"
    if fields.has("traffic", "mirror_traffic", "auth_mode", "scoring_uri") and fields.has("name"):
        return "online endpoint"
    if fields.has("specification", "entities") and fields.has("name", "version"):
        return "feature set" if fields.has("specification") else ""
    if sort in _JOB_TYPES and fields.has("jobs", "command", "trial", "component", "task", "code", "entry"):
        return "component" if _declares(fields) else "job"
    if fields.has("image", "build", "conda_file") and fields.has("name"):
        return "environment"
    return ""


def _declares(fields: Fields) -> bool:
    """Whether inputs are declared by type only, as a component does, and a version is given."""
    if not fields.has("version") or fields.has("experiment_name", "status", "compute"):
        return False
    values = fields.mapping("inputs").values()
    return all(isinstance(value, Mapping) and not ({"path", "uri", "value"} & set(value)) for value in values)


def own_id(raw: Mapping[str, Any]) -> Asset | None:
    """The id that an object says is its own."""
    text = raw.get("id")
    if not isinstance(text, str) or not re.match(r"(azureml:)*(//|/subscriptions/|azureml://)", text.strip(), re.I):
        return None
    if "machinelearningservices" not in text.lower() and "azureml:" not in text.lower():
        return None
    found = parse_id(text)
    return found if isinstance(found, Asset) else None


def schema_of(raw: Mapping[str, Any]) -> str:
    """The address of an Azure ML schema that an object names, or an empty text."""
    text = raw.get("$schema")
    if isinstance(text, str) and re.search(r"azuremlschemas|//azureml/|azureml/sdk-2", text, re.I):
        return text
    return ""


def is_template(raw: Mapping[str, Any]) -> bool:
    """Whether an object is an ARM template: what would be made, not what is."""
    text = raw.get("$schema")
    return isinstance(text, str) and "deploymenttemplate.json" in text.lower()


def is_azureml(raw: Mapping[str, Any]) -> bool:
    """Whether an object says itself that it is of Azure ML. Nothing is guessed from its shape alone.

    Examples
    --------
    >>> is_azureml({"type": "deployment", "model": "azureml:churn:3"}), is_azureml({"type": "custom_model", "path": "azureml://jobs/a"})
    (False, True)
    """
    if is_template(raw):
        return False
    if own_id(raw) is not None or is_resource_type(raw.get("type")) or schema_of(raw):
        return True
    fields = Fields(raw)
    return bool(_by_shape(raw, fields)) and _names_asset(raw, 0)


def _names_asset(value: Any, depth: int) -> bool:
    """Whether a short name or address of Azure ML stands among the values."""
    if isinstance(value, str):
        return bool(re.match(r"azureml:\S", value))
    if depth > 6:
        return False
    if isinstance(value, Mapping):
        return any(_names_asset(part, depth + 1) for part in value.values())
    return isinstance(value, list) and any(_names_asset(part, depth + 1) for part in value)
