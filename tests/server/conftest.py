"""A real Jupyter server with the extension, enabled as the package enables it, and one who asks it."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import coverage
import pytest

from lineage_explorer import open_store
from lineage_explorer.records import from_json, to_json
from tests import estates
from tests.conftest import ROOT

TOKEN = "not-for-any-log-3f8a"
PASSWORD = "wonderland"
BASE = "/somebody/lineage-explorer/"


class Response(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server(NamedTuple):
    port: int
    process: subprocess.Popen[bytes]
    #: What Jupyter shows, and below it a store in ``estate/lineage.db``.
    home: Path
    #: What it must not show.
    outside: Path
    log: Path

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def request(
        self,
        path: str,
        method: str = "GET",
        *,
        token: bool = True,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        **query: Any,
    ) -> Response:
        """Ask; a path that begins with ``/`` is meant as it is."""
        target = path if path.startswith("/") else BASE + path
        if query:
            target += "?" + urlencode(query, doseq=True)
        sent = {"Host": f"127.0.0.1:{self.port}"}
        if token:
            sent["Authorization"] = f"token {TOKEN}"
        sent |= headers or {}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Length"] = str(len(data))
        with closing(self.connect()) as connection:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders(data)
            reply = connection.getresponse()
            return Response(reply.status, dict(reply.getheaders()), reply.read())

    def seen(self, what: str) -> Any:
        return self.request(f"/somebody/witness/{what}").json

    def open_files(self, path: Path) -> int:
        """How many descriptors of a file the server has."""
        wanted = str(path.resolve())
        found = 0
        for entry in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                found += str(entry.readlink()).removesuffix(" (deleted)") == wanted
            except FileNotFoundError:
                continue
        return found


def until(true: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def idle(server: Server) -> None:
    """Wait until no ingest runs."""
    until(lambda: all(item["state"] != "running" for item in server.request("ingests").json["ingests"]), 30)


def make_store(path: Path, name: str = "churn-prod") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_store(path, create_missing=True) as store:
        text = json.dumps([to_json(record) for record in estates.complete()])
        store.append([from_json(item) for item in json.loads(text.replace('"endpoint:churn"', f'"endpoint:{name}"'))])
    return path


def _home(folder: Path) -> tuple[Path, Path]:
    home, outside = folder / "home", folder / "outside"
    home.mkdir()
    outside.mkdir()
    store = make_store(home / "estate" / "lineage.db")
    shutil.copy(store, outside / "secret.db")
    for hidden in (".hidden", "node_modules/package"):
        (home / hidden).mkdir(parents=True)
        shutil.copy(store, home / hidden / "lineage.db")
    (home / "out.db").symlink_to(outside / "secret.db")
    (home / "away").symlink_to(outside)
    (home / "inner.db").symlink_to(store)
    (home / "circle.db").symlink_to(home / "circle.db")
    os.mkfifo(home / "pipe.db")
    with closing(sqlite3.connect(home / "foreign.db")) as foreign:
        foreign.execute("PRAGMA journal_mode = WAL")
        foreign.execute("CREATE TABLE t(x)")
    (home / "records.jsonl").write_text("".join(json.dumps(to_json(item)) + "\n" for item in estates.complete()))
    shutil.copy(home / "records.jsonl", outside / "records.jsonl")
    (home / "leaky").mkdir()
    (home / "leaky" / "records.jsonl").symlink_to(outside / "records.jsonl")
    return home, outside


def environment(own: Path) -> dict[str, str]:
    """Jupyter's own folders, where only our extension is enabled, by the file that the package installs."""
    enabled = own / "config" / "jupyter_server_config.d"
    enabled.mkdir(parents=True)
    shutil.copy(ROOT / "jupyter-config" / "server-config" / "lineage_explorer.json", enabled)
    more = {name: str(own / name.lower()) for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    return {
        **os.environ,
        **more,
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "PYTHONPATH": str(ROOT),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def measured() -> list[str]:
    """Coverage's way to run a module, while it measures these tests: what the server runs counts too."""
    current = coverage.Coverage.current()
    if current is None:
        return []
    options = ["--parallel-mode", f"--rcfile={ROOT / 'pyproject.toml'}", f"--data-file={current.config.data_file}"]
    return ["-m", "coverage", "run", *options]


#: Extensions of the environment that these tests do not need, and wait for.
OTHERS = ("jupyterlab", "jupyter_lsp", "notebook", "notebook_shim", "nbclassic", "jupyter_server_terminals")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    own = tmp_path_factory.mktemp("jupyter")
    home, outside = _home(own)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = own / "log"
    settings = {
        "ServerApp": {
            "jpserver_extensions": {**dict.fromkeys(OTHERS, False), "tests.server.witness": True},
            "authorizer_class": "tests.server.witness.Doorman",
            "ip": "127.0.0.1",
            "port": port,
            "port_retries": 0,
            "base_url": "/somebody/",
            "root_dir": str(home),
            "open_browser": False,
            "allow_root": True,
            "log_level": "DEBUG",
        },
        "IdentityProvider": {"token": TOKEN},
        "LineageExplorer": {
            "most_workers": 2,
            "stores": {
                "team": f"postgresql://ada:{PASSWORD}@127.0.0.1:9/lineage",
                "shared": "postgresql://ada@127.0.0.1:9/lineage?schema=all",
                "odd": f"postgresql://127.0.0.1:9/lineage?sslpassword={PASSWORD}",
                "elsewhere": "$LINEAGE_TEST_STORE",
                "nowhere": "$LINEAGE_TEST_NOTHING",
            },
        },
    }
    variables = environment(own) | {"LINEAGE_TEST_STORE": str(outside / "secret.db")}
    (own / "config" / "jupyter_server_config.json").write_text(json.dumps(settings))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *measured(), "-m", "jupyter_server"], cwd=home, env=variables, stdout=output, stderr=output
        )
    started = Server(port, process, home, outside, log)
    try:
        for _ in range(300):
            try:
                if started.request("policies").status == 200:
                    break
            except OSError:
                if process.poll() is not None:
                    break
            time.sleep(0.1)
        else:
            pytest.fail(log.read_text())
        assert process.poll() is None, log.read_text()
        yield started
    finally:
        process.terminate()
        process.wait(20)
