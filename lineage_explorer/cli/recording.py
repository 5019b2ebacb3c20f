"""``record``: one line that a CI pipeline can call."""

from __future__ import annotations

from typing import Any

import click


@click.group()
def record() -> None:
    """Write down a deployment, a gate or a dataset that no system keeps: one line, one call.

    Each call appends one JSON line to FILE (checked first), which `ingest` reads like any source.

    \b
    lineage-explorer record deployment deployments.jsonl --endpoint churn-prod --model model:churn@3
    lineage-explorer ingest lineage.db deployments.jsonl
    """


_TIME = click.option("--at", metavar="T", help="When it was so, with a time zone. Now by default.")
_BY = click.option("--by", metavar="WHO", help="Who did it, e.g. person:mia or service:ci.")


@record.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--endpoint", required=True, help="Name of the endpoint.")
@click.option("--model", required=True, metavar="REF", help="What was rolled out, e.g. model:churn@3.")
@click.option("--deployment", help="Name of the deployment; another record of the same name replaces this one.")
@click.option("--traffic", type=click.FloatRange(0, 100), help="Percent of requests. Without --deployment: 100.")
@click.option("--site", help="Plant, region or tenant, where one endpoint has several.")
@click.option("--environment", help="E.g. production.")
@click.option("--model-digest", help="Digest of the deployed bytes, e.g. sha256:...")
@_TIME
@_BY
def deployment(file: str, **row: Any) -> None:
    """Record what was rolled out to an endpoint.

    \b
    lineage-explorer record deployment deployments.jsonl --endpoint churn-prod --model model:churn@3
    lineage-explorer record deployment deployments.jsonl --endpoint churn-prod --model model:churn@4 \\
        --deployment canary --traffic 10 --by service:ci
    """
    _append(file, "deployment", row)


@record.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--subject", required=True, metavar="REF", help="Exactly what was judged, e.g. model:churn@3.")
@click.option("--gate", required=True, help="The gate's name.")
@click.option(
    "--status",
    required=True,
    type=click.Choice(["passed", "failed", "pending", "waived", "stale", "missing", "undetermined"]),
)
@click.option(
    "--gate-type",
    type=click.Choice(
        ["evaluation", "approval", "data_quality", "safety", "fairness", "security", "monitoring", "other"]
    ),
    help="What sort of question the gate answers.",
)
@click.option("--expected", help="The condition, e.g. 'auc >= 0.8'.")
@click.option("--actual", help="The value met.")
@click.option("--pointer", help="Where the proof is: a run reference or a URI. Never fetched.")
@_TIME
@_BY
def gate(file: str, **row: Any) -> None:
    """Record a gate's result about one subject.

    \b
    lineage-explorer record gate gates.jsonl --subject model:churn@3 --gate approval --status passed --by person:mia
    lineage-explorer record gate gates.jsonl --subject dataset:customers@2026-07 --gate null-rate \\
        --gate-type data_quality --status failed --expected "<= 1 %" --actual "3.2 %"
    """
    _append(file, "gate", row)


@record.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--dataset", required=True, metavar="REF", help="E.g. dataset:customers@2026-07.")
@click.option("--sha256", help="SHA-256 of its bytes.")
@click.option("--uri", help="Where it is kept. Never fetched.")
@click.option("--derived-from", multiple=True, metavar="REF", help="What it was made from; may be repeated.")
@click.option("--description", help="Free text.")
@click.option("--created-at", metavar="T", help="When it was made, with a time zone.")
def dataset(file: str, derived_from: tuple[str, ...], **row: Any) -> None:
    """Record a dataset version.

    \b
    lineage-explorer record dataset datasets.jsonl --dataset dataset:customers@2026-07 --sha256 4f5d...
    """
    _append(file, "dataset", {**row, "derived_from": list(derived_from) or None})


def _append(file: str, kind: str, row: dict[str, Any]) -> None:
    from datetime import UTC, datetime

    from ..records import format_instant
    from ..sources.neutral import append_row

    filled = {key: value for key, value in row.items() if value is not None}
    if "at" in row:
        filled.setdefault("at", format_instant(datetime.now(UTC)))
    append_row(file, {"type": kind, **filled})
    click.echo(f"Recorded in {file}.")
