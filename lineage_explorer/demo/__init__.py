"""A real, small estate to try lineage-explorer on: four services, three months, one rollback.

Nothing is canned: the raw files are made, preparation and training run with pandas and scikit-learn
against a real MLflow store, and a pipeline's deployment and gate records are written line by line,
while the clock of this process is moved through the calendar.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from .. import __version__
from ..errors import LineageError, MissingDependency
from ..records import format_instant, parse_instant
from .calendar import Beat, Calendar, in_order

MARKER = ".lineage-explorer-demo"
RECORD_FILES = ("deployments.jsonl", "gates.jsonl", "base-models.jsonl", "environments.jsonl")
#: Everything a demo may have left behind; a rebuild removes these and nothing else.
_OURS = (
    "mlflow.db",
    "artifacts",
    "data",
    *RECORD_FILES,
    "lineage.db",
    "lineage.db-journal",
    "lineage.db-wal",
    "lineage.db-shm",
    "report.html",
    MARKER,
)
_NEEDS = ("mlflow", "scikit-learn", "time-machine")
_PLANTS = tuple(f"plant-{name}" for name in ("leipzig", "graz", "brno", "porto", "turin"))

#: Called as (steps done, steps in all, what is done next).
Progress = Callable[[int, int, str], None]
#: Called with the played instant, while the clock shows it.
Sync = Callable[[datetime], None]


@dataclass(frozen=True)
class Served:
    """A version that answers requests: which, with what share, and where."""

    model: str
    traffic: float
    site: str = ""


@dataclass(frozen=True)
class Expectation:
    """What the question about an endpoint at an instant must answer."""

    endpoint: str
    as_of: datetime
    verdict: str
    serving: tuple[Served, ...]


@dataclass(frozen=True)
class DemoEstate:
    """Where the demo's parts are, and what is true of it.

    Attributes
    ----------
    directory, mlflow_db, store, report : Path
        The estate, its MLflow database, and where lineage-explorer's store and report belong.
    record_files : tuple of Path
        What the release pipeline and the platform team wrote.
    endpoints : tuple of str
        The four services.
    now, last_month : datetime
        The two instants that the stories are asked about.
    syncs : tuple of datetime
        When the estate was read, in the played calendar.
    expected : tuple of Expectation
        The answers, by the stories.
    """

    directory: Path
    mlflow_db: Path
    record_files: tuple[Path, ...]
    store: Path
    report: Path
    endpoints: tuple[str, ...]
    now: datetime
    last_month: datetime
    syncs: tuple[datetime, ...] = ()
    expected: tuple[Expectation, ...] = field(default=(), repr=False)


def build(
    directory: str | Path,
    *,
    sync: Sync | None = None,
    progress: Progress | None = None,
    until: datetime | None = None,
) -> DemoEstate:
    """Play three months of a small company's machine learning and leave its records in a folder.

    Parameters
    ----------
    directory : str or Path
        Where to build; empty, new, or an earlier demo, which is replaced.
    sync : callable, optional
        Called with the played instant after each release, while the clock shows that instant: the
        moment for lineage-explorer to read the estate as it then is.
    progress : callable, optional
        Called before each step with (steps done, steps in all, what is done next).
    until : datetime, optional
        The present, with a time zone; the stories end on the day before. By default it is now.

    Returns
    -------
    DemoEstate
        Where everything is, and the answers to expect.

    Raises
    ------
    MissingDependency
        When the extra ``demo`` is not installed.
    InvalidInstant
        When ``until`` has no time zone.
    LineageError
        When the folder holds something that is not an earlier demo.
    """
    folder = Path(directory).absolute()
    calendar = Calendar(parse_instant(until or datetime.now(UTC)))
    _require()
    _make_room(folder)

    import time_machine

    from .churn import ChurnStory
    from .credit import CreditStory
    from .defects import DefectStory
    from .triage import TriageStory
    from .workshop import Workshop, mlflow_store

    syncs: list[datetime] = []
    _tell(progress, 0, 1, "starting MLflow")
    with mlflow_store(folder / "mlflow.db"), time_machine.travel(calendar.ago(91, 8), tick=True) as clock:
        shop = Workshop(folder, calendar, clock)
        stories = ChurnStory(shop), CreditStory(shop), DefectStory(shop), TriageStory(shop)
        beats = in_order(*(story.beats() for story in stories))
        for done, beat in enumerate(beats):
            _tell(progress, done, len(beats), beat.what)
            if beat.when < shop.now():
                raise AssertionError(f"{beat.what!r} begins before what came earlier has ended")
            clock.move_to(beat.when)
            beat.play()
            if beat.sync:
                shop.pass_time(minutes=15)
                syncs.append(shop.now())
                if sync is not None:
                    sync(syncs[-1])
    _tell(progress, len(beats), len(beats), "the estate is complete")
    return DemoEstate(
        directory=folder,
        mlflow_db=folder / "mlflow.db",
        record_files=tuple(folder / name for name in RECORD_FILES),
        store=folder / "lineage.db",
        report=folder / "report.html",
        endpoints=("churn-prod", "credit-scoring", "defect-detector", "triage-assistant"),
        now=calendar.until,
        last_month=calendar.last_month,
        syncs=tuple(syncs),
        expected=tuple(expectations(calendar)),
    )


def _tell(progress: Progress | None, done: int, total: int, what: str) -> None:
    if progress is not None:
        progress(done, total, what)


def _require() -> None:
    missing = []
    for name in _NEEDS:
        try:
            distribution(name)
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        raise MissingDependency(
            f"the demo trains real models and needs {', '.join(missing)}: pip install 'lineage-explorer[demo]'"
        )


def _make_room(folder: Path) -> None:
    """Make the folder ready, or refuse: only what an earlier demo wrote is ever removed."""
    if "?" in str(folder) or "#" in str(folder):
        raise LineageError(f"{str(folder)!r}: MLflow addresses its files as URLs; name a folder without '?' and '#'")
    if folder.exists() and not folder.is_dir():
        raise LineageError(f"{str(folder)!r} is a file; name a folder for the demo")
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / MARKER).is_file():
            raise LineageError(
                f"{str(folder)!r} is not empty and not an earlier demo; name another folder, or empty this one"
            )
        for name in _OURS:
            path = folder / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    # First of all, so that a demo that was interrupted can be replaced too.
    marker = {"written_by": f"lineage-explorer {__version__}", "at": format_instant(datetime.now(UTC))}
    (folder / MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")


def expectations(calendar: Calendar) -> Iterator[Expectation]:
    """The answers that the stories were written for, in a fixed order."""
    now, month = calendar.until, calendar.last_month

    def churn(when: datetime, *shares: tuple[int, float]) -> Expectation:
        return Expectation(
            "churn-prod", when, "PASSED", tuple(Served(f"model:churn@{version}", share) for version, share in shares)
        )

    yield churn(calendar.ago(50, 12), (1, 90), (2, 10))
    yield churn(month, (2, 100))
    yield churn(calendar.ago(24, 12), (3, 100))
    yield churn(calendar.ago(20, 12), (2, 100))  # rolled back
    yield churn(now, (3, 90), (4, 10))
    for when, version in ((month, 1), (now, 2)):
        yield Expectation("credit-scoring", when, "INCOMPLETE", (Served(f"model:credit-scoring@{version}", 100),))
        yield Expectation("triage-assistant", when, "PASSED", (Served(f"ai_agent:triage-assistant@{version}", 100),))
    for when, brno, verdict in ((month, 2, "PASSED"), (now, 3, "FAILED")):
        yield Expectation(
            "defect-detector",
            when,
            verdict,
            tuple(
                Served(f"model:defect-detector@{brno if plant == 'plant-brno' else 2}", 100, plant) for plant in _PLANTS
            ),
        )


__all__ = ["Beat", "Calendar", "DemoEstate", "Expectation", "Progress", "Served", "Sync", "build"]
