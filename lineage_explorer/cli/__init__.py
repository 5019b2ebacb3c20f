"""The command line: ``lineage-explorer COMMAND --help`` shows examples."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import NoReturn

import click

from ..errors import LineageError
from ..tables import visible
from ..version import __version__
from . import asking, gating, histories, ingesting, keeping, living, policies, recording
from .terminal import console


def main() -> NoReturn:
    """Run the command line; every failure is one sentence on standard error and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal or pipe that cannot hold every sign
    try:
        status = commands.main(standalone_mode=False, prog_name="lineage-explorer")
    except click.exceptions.Abort:
        click.echo("Interrupted; what was acknowledged is stored.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except LineageError as error:
        click.echo(f"Error: {visible(' '.join(str(error).splitlines()))}", err=True)
        sys.exit(2)
    except (BrokenPipeError, SystemExit):
        # When nobody reads its output any more, click leaves with 1, which would be a verdict.
        sys.exit(2)
    except OSError as error:
        click.echo(f"Error: {visible(str(error))}", err=True)
        sys.exit(2)
    except Exception as error:  # noqa: BLE001 - told in full, and never with the exit status of a verdict
        _tell_unforeseen(error)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)


def _tell_unforeseen(error: Exception) -> None:
    import traceback

    click.echo(visible("".join(traceback.format_exception(error)), keep="\n"), err=True)
    click.echo(
        f"Error: {type(error).__name__}: {visible(str(error))}. This is a bug; please report it.",
        err=True,
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="lineage-explorer")
def commands() -> None:
    """Which data trained the model that serves this endpoint, and what proves it was allowed to?

    \b
    lineage-explorer demo                                try it on a made-up estate
    lineage-explorer ingest lineage.db mlflow.db         read a system's records
    lineage-explorer audit lineage.db churn-prod         ask
    """


@click.command()
@click.argument("directory", default="demo", type=click.Path(file_okay=False, path_type=Path))
def demo(directory: Path) -> None:
    """Build a real estate in DIRECTORY (./demo by default), ingest it, audit it and write a report.

    Three months of a small company: preparation, training and evaluation with scikit-learn against a real
    MLflow store, approvals, roll-outs, a rollback. Takes under a minute.

    \b
    lineage-explorer demo
    lineage-explorer demo /tmp/estate
    """
    from ..demo.tour import run

    run(directory, console())


for _command in (
    *(ingesting.ingest, asking.audit, asking.search, asking.observations, asking.sources),
    *(keeping.syncs, keeping.quarantine, keeping.verify, keeping.checkpoint, keeping.rebuild),
    *(histories.history, histories.compare, histories.impact, histories.serving, histories.rollback),
    *(gating.gate, policies.policy),
    *(recording.record, living.lifecycle, demo),
):
    commands.add_command(_command)
