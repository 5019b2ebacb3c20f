"""Figures: how a measurement is named, compared, printed and written down."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: The repository; benchmarks run from it, and subprocesses import the package from it.
ROOT = Path(__file__).resolve().parent.parent

LIBRARIES = ("networkx", "duckdb", "ladybug", "msgspec", "rfc8785", "sqlalchemy", "mlflow", "pandas", "numpy")


@dataclass(frozen=True)
class Figure:
    """One measurement.

    Attributes
    ----------
    name : str
        What was measured; ours and the peers' measurement of one thing bear the same name.
    value : float
        In ``unit``.
    unit : str
        ``ms``, ``s``, ``MB``, ``records/s``...
    peer : str or None
        Whose figure it is; None is lineage-explorer.
    ratio : float or None
        How many times better lineage-explorer is (below 1: worse). On our own figures it stands
        where the peer is an earlier size of ourselves.
    size : str
        The estate, as nodes and relations.
    expected : str
        What the project set out to reach, as a bound on the ratio: ``">= 40"``. Empty: nothing.
    """

    name: str
    value: float
    unit: str
    peer: str | None = None
    ratio: float | None = None
    size: str = ""
    expected: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the expectation holds; None where there is none."""
        if not self.expected or self.ratio is None:
            return None
        sign, bound = self.expected.split()
        return self.ratio >= float(bound) if sign == ">=" else self.ratio <= float(bound)

    def to_json(self) -> str:
        """The figure as one line of JSON."""
        return json.dumps({**asdict(self), "met": self.met})


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of measurements.

    Examples
    --------
    >>> percentile([3.0, 1.0, 2.0], 50)
    2.0
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share / 100 * len(ordered)) - 1)]


def parser(description: str, example: str) -> argparse.ArgumentParser:
    """The options that every benchmark takes."""
    made = argparse.ArgumentParser(
        description=description,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--json", action="store_true", help="print one JSON object per figure, and one per remark, a line each"
    )
    made.add_argument("--quick", action="store_true", help="smaller estates and fewer repetitions: under a minute")
    made.add_argument(
        "--work",
        type=Path,
        default=Path(os.environ.get("LINEAGE_BENCH_DIR", "/tmp/lineage-explorer-bench")),
        metavar="DIR",
        help="where estates are made and kept for the next time (default: %(default)s, or $LINEAGE_BENCH_DIR)",
    )
    return made


def show(figures: Iterable[Figure], *, as_json: bool, notes: Sequence[str] = ()) -> None:
    """Print figures for people, or one JSON object per line for machines."""
    figures = list(figures)
    if as_json:
        for figure in figures:
            print(figure.to_json(), flush=True)
        for note in notes:
            print(json.dumps({"note": note}), flush=True)
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(width=max(110, Console().width))
    for size in dict.fromkeys(figure.size for figure in figures):
        table = Table(title=size or None, title_justify="left", title_style="bold")
        for column in ("figure", "whose"):
            table.add_column(column)
        for column in ("value", "ratio", "expected"):
            table.add_column(column, justify="right")
        for figure in figures:
            if figure.size == size:
                table.add_row(*row(figure))
        console.print(table)
    for note in notes:
        console.print("· " + note, highlight=False, markup=False)


def row(figure: Figure) -> tuple[str, str, str, str, str]:
    """A figure as the cells of a table."""
    verdict = {None: "", True: f"{figure.expected} ✓", False: f"{figure.expected} ✗ missed"}[figure.met]
    return (
        figure.name,
        figure.peer or "lineage-explorer",
        f"{number(figure.value)} {figure.unit}",
        "" if figure.ratio is None else f"{number(figure.ratio)}×",
        verdict,
    )


def number(value: float) -> str:
    """Three significant digits, thousands apart.

    Examples
    --------
    >>> number(12345.6), number(1.2345), number(0.012345)
    ('12,346', '1.23', '0.0123')
    """
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}"


def environment() -> list[tuple[str, str]]:
    """The machine and the versions that figures are worth nothing without."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = [
        ("machine", f"{_processor()}, {cores} cores, {_memory()}"),
        ("system", platform.platform()),
        ("Python", f"{platform.python_version()} ({platform.python_implementation()})"),
        ("SQLite", sqlite3.sqlite_version),
    ]
    for name in LIBRARIES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            found.append((name, "not installed"))
    return found


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux: platform knows less, and is the best there is
    return platform.processor() or platform.machine()


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB"
    except (ValueError, OSError, AttributeError):
        return "memory unknown"


def say(text: str) -> None:
    """Progress, to standard error: standard output holds figures only."""
    print(text, file=sys.stderr, flush=True)
