"""What commands print with: nothing that a record says reaches the terminal as a command to it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..tables import visible

if TYPE_CHECKING:
    from rich.console import Console

#: How much of a refused text a table shows, in characters; reasons and positions are shown whole.
_EXCERPT = 60


def console(*, stderr: bool = False) -> Console:
    """A console that breaks no references and reads no markup."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True, markup=False)


def print_json(value: Any) -> None:
    """Print as JSON in ASCII: what a record holds cannot reach the terminal, and every encoding can carry it."""
    click.echo(json.dumps(value, indent=2, default=str))


def print_frame(frame: Any, *, as_json: bool) -> None:
    """Print a DataFrame as a table, or as JSON."""
    if as_json:
        click.echo(frame.to_json(orient="records", date_format="iso", indent=2))
        return
    if frame.empty:
        click.echo("Nothing.")
        return
    for name in frame.select_dtypes("datetimetz"):
        frame = frame.assign(**{name: frame[name].dt.strftime("%Y-%m-%d %H:%M:%SZ")})
    if "excerpt" in frame:
        frame = frame.assign(excerpt=frame["excerpt"].str.slice(0, _EXCERPT))
    click.echo(visible(frame.to_string(index=False, na_rep="-"), keep="\n"))


@contextmanager
def progress(what: str, unit: str = " records") -> Iterator[Callable[[int], object]]:
    """A progress bar on a terminal, nothing in a pipe."""
    from tqdm.auto import tqdm

    with tqdm(desc=what[:60], unit=unit, disable=not sys.stderr.isatty()) as bar:
        yield bar.update
