"""A private PostgreSQL server for benchmarks, and estates copied into it from their SQLite files.

The server is Debian's, on a free port of the loopback address, and its files are kept with the estates. It runs with
1 GB of shared buffers and without fsync (the machine's disk is not what is compared), everything else as PostgreSQL
comes.
"""

from __future__ import annotations

import atexit
import os
import pwd
import secrets
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lineage_explorer.records import Ref
from lineage_explorer.store import open_store
from lineage_explorer.store.names import indexed
from lineage_explorer.store.schema import columns

#: Said in the results.
SETTINGS = {
    "shared_buffers": "1GB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}
_OWNER = "lineage"
_PORTION = 20_000
_TABLES = ("scope", "journal", "body", "head", "sync", "enumeration", "quarantine", "node", "edge", "fact")


def binaries() -> Path | None:
    """The folder with ``initdb``, None where PostgreSQL's server is not installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return installed[-1].parent if installed else None


class Server:
    """A server for the time of a benchmark; its databases stay for the next.

    Parameters
    ----------
    folder : Path
        Where its files are kept; everybody above it must let user ``postgres`` in when the benchmark runs as root.
    """

    def __init__(self, folder: Path) -> None:
        found = binaries()
        if found is None:
            raise FileNotFoundError("PostgreSQL's server is not installed (apt-get install postgresql)")
        self._bin = found
        self._data = folder / "data"
        self._owner = pwd.getpwuid(os.geteuid()) if os.geteuid() else pwd.getpwnam("postgres")
        self._secret = folder / "password"
        if not (self._data / "PG_VERSION").exists():
            self._make(folder)
        self._password = self._secret.read_text()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self.start()
        atexit.register(self.stop)

    def _make(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        self._secret.touch(mode=0o600)
        self._secret.write_text(secrets.token_urlsafe(16))
        os.chown(self._secret, self._owner.pw_uid, self._owner.pw_gid)
        options = [f"--username={_OWNER}", f"--pwfile={self._secret}", "--auth=scram-sha-256", "--encoding=UTF8"]
        self._run("initdb", f"--pgdata={self._data}", *options, "--locale=C", "--no-sync")

    def _run(self, program: str, *options: str) -> None:
        other: dict[str, Any] = {}
        if not os.geteuid():
            other = {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}
        subprocess.run(
            [str(self._bin / program), *options],
            cwd=self._data.parent,
            stdout=subprocess.DEVNULL,
            check=True,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            **other,
        )

    def start(self) -> None:
        """Start it, on the port it had."""
        given = {**SETTINGS, "port": str(self._port), "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        text = " ".join(f"-c {name}={value}" for name, value in given.items())
        log = self._data.parent / "server.log"
        self._run("pg_ctl", "start", "-w", "-D", str(self._data), "-l", str(log), "-o", text)

    def stop(self) -> None:
        """Stop it; its files stay."""
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self._data))

    def files(self) -> list[Path]:
        """Its databases' files."""
        return [path for path in (self._data / "base").rglob("*") if path.is_file()]

    def url(self, database: str) -> str:
        """The address of a database."""
        return f"postgresql://{_OWNER}:{self._password}@127.0.0.1:{self._port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement outside a transaction; its rows, if it has any."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def names(self) -> set[str]:
        """The databases that are there."""
        return {row[0] for row in self.execute("SELECT datname FROM pg_database")}

    def made(self, name: str) -> str:
        """The address of a new, empty database."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}"')
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)


def estate_on(server: Server, path: str) -> tuple[str, float]:
    """The estate of an SQLite file on a server, copied now or kept from last time; and the seconds it took."""
    name = Path(path).stem
    if name in server.names():
        return server.url(name), 0.0
    begun = time.perf_counter()
    part = server.made(f"{name}-part")
    _copy(path, part)
    server.execute(f'ALTER DATABASE "{name}-part" RENAME TO "{name}"')
    return server.url(name), time.perf_counter() - begun


def _copy(path: str, url: str) -> None:
    open_store(url, create_missing=True).close()
    with _connected(url) as connection:
        # An index of a primary key stays: it is filled in order.
        later = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() "
            "AND indexname NOT LIKE '%_pkey'"
        ).fetchall()
        for name, _ in later:
            connection.execute(f"DROP INDEX {name}")
    with ThreadPoolExecutor(2) as pool:
        tables = sorted([*_TABLES, "name_index"], key=lambda table: table not in ("journal", "body", "edge"))
        list(tqdm(pool.map(lambda table: _fill(path, url, table), tables), total=len(tables), desc="copying"))
    with _connected(url) as connection, sqlite3.connect(path) as source:
        connection.execute(
            "UPDATE frontier SET size = %s, peaks = %s", source.execute("SELECT size, peaks FROM frontier").fetchone()
        )
        connection.execute("SET max_parallel_maintenance_workers = 2")
        for _, text in tqdm(later, desc="indexing"):
            connection.execute(text)
        connection.execute("VACUUM ANALYZE")


def _connected(url: str) -> Any:
    import psycopg

    connection = psycopg.connect(url, autocommit=True)
    connection.execute("SET search_path = lineage_explorer")
    return connection


def _fill(path: str, url: str, table: str) -> None:
    names = ("rowid", "words") if table == "name_index" else columns(table)
    text = f"COPY {table}({', '.join(names)}) FROM STDIN"
    with sqlite3.connect(path) as source, _connected(url) as connection, connection.cursor().copy(text) as copy:
        for rows in _portions(source, table):
            copy.write("".join(rows))


def _portions(source: sqlite3.Connection, table: str) -> Iterator[list[str]]:
    if table == "name_index":
        cursor = source.execute("SELECT id, ref FROM node ORDER BY id")
        while rows := cursor.fetchmany(_PORTION):
            yield [_line((number, indexed("postgresql", Ref.parse(ref)))) for number, ref in rows]
        return
    cursor = source.execute(f"SELECT {', '.join(columns(table))} FROM {table}")
    while rows := cursor.fetchmany(_PORTION):
        yield list(map(_line, rows))


def _line(row: tuple[Any, ...]) -> str:
    """A row in COPY's text format."""
    return "\t".join(map(_field, row)) + "\n"


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return str(value)
