"""What several tests share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from lineage_explorer.store import Store, open_store

from .postgres import PostgresServer

#: The repository, where the tests run in one.
ROOT = Path(__file__).parent.parent

# ``make test`` tries the same sample each time: what it finds is a matter of the change that is tested, and not of luck.
# ``make campaign`` tries others.
settings.register_profile("sample", derandomize=not os.environ.get("LINEAGE_CAMPAIGN"))
settings.load_profile("sample")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say of what so many were tried as a sample, in whichever process that was."""
    reports = [item for items in terminalreporter.stats.values() for item in items]
    told = [value for item in reports for name, value in getattr(item, "user_properties", ()) if name == "sample"]
    for line in dict.fromkeys(told):
        terminalreporter.write_line(f"sample: {line}")


def command(*arguments: object, status: int | None = 0, **more: object) -> subprocess.CompletedProcess[str]:
    """Run ``lineage-explorer`` as a user does, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "lineage_explorer", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "COLUMNS": "120", "NO_COLOR": "1"},
        timeout=300,
        **more,  # type: ignore[call-overload]
    )
    if status is not None:
        assert done.returncode == status, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a newcomer has after ``make demo``: ``demo/`` beside a copy of ``notebooks/``; and what it printed."""
    folder = tmp_path_factory.mktemp("workspace")
    done = command("demo", folder / "demo")
    (folder / "demo.out").write_text(done.stdout)
    (folder / "notebooks").mkdir()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(notebook, folder / "notebooks")
    return folder


@pytest.fixture(scope="session")
def executed(workspace: Path) -> Path:
    """The folder of notebooks after nbmake has run them, with their outputs in them."""
    folder = workspace / "executed"
    folder.mkdir()
    for notebook in (workspace / "notebooks").glob("*.ipynb"):
        (folder / notebook.name).write_bytes(notebook.read_bytes())
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--nbmake",
            "--overwrite",
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            "/dev/null",
            ".",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A real PostgreSQL server, one for the whole session; each store is a schema of its own."""
    with PostgresServer(tmp_path_factory.mktemp("postgres") / "data") as server:
        yield server


_numbers = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives the location of a store that is not there yet, another on each call; once for each database."""
    if request.param == "sqlite":
        return lambda: str(tmp_path / f"lineage{next(_numbers)}.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    return lambda: f"{server.url(database='stores')}?schema=store{next(_numbers)}"


@pytest.fixture
def store(place: Callable[[], str]) -> Iterator[Store]:
    """An empty store, on SQLite and on PostgreSQL in turn."""
    with open_store(place(), create_missing=True) as opened:
        yield opened


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in an SQLite file, for tests of the file."""
    with open_store(tmp_path / "lineage.db", create_missing=True) as opened:
        yield opened
