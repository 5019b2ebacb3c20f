"""A real PostgreSQL server for tests: Debian's own, in a temporary folder, on a free port of the loopback address."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

#: The role that may do everything, and that the tests connect as unless they name another.
OWNER = "lineage"
_HOST = "127.0.0.1"
_SECONDS = 60.0
_PORTS = 5

# Stands between the tests and the server, and stops it when its standard input ends: on leaving the
# ``with``, and also when pytest was interrupted or killed. It has a session of its own, so that a Ctrl-C
# reaches pytest only, which then closes its fixtures in order.
_KEEPER = """
import os, select, signal, subprocess, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
user, group = map(int, sys.argv[1:3])
other = {} if os.geteuid() else {"user": user, "group": group, "extra_groups": []}
server = subprocess.Popen(sys.argv[3:], stdin=subprocess.DEVNULL, restore_signals=True, **other)
while server.poll() is None and not select.select([0], [], [], 0.1)[0]:
    pass
if server.poll() is None:
    for number, seconds in ((signal.SIGINT, 20), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
        server.send_signal(number)
        try:
            server.wait(seconds)
            break
        except subprocess.TimeoutExpired:
            pass
sys.exit(server.returncode if server.returncode is not None and server.returncode >= 0 else 1)
"""

_SETTINGS = {
    "listen_addresses": _HOST,
    "unix_socket_directories": "",  # nothing outside the folder, and no limit on the length of its path
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "max_wal_size": "128MB",
    "autovacuum_naptime": "5s",
    "logging_collector": "off",
}


def binaries() -> Path:
    """The folder with ``initdb`` and ``postgres``: on the PATH, or where Debian puts them (the newest)."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not installed:
        raise FileNotFoundError("PostgreSQL's server is not installed: apt-get install postgresql (or run make system)")
    return max(installed, key=lambda path: [int(part) for part in re.findall(r"\d+", path.parent.name)])


class PostgresServer:
    """A server that lives as long as the ``with`` statement, or as this process, whichever ends first.

    Nobody gets in without a password. PostgreSQL refuses to run as root: for root it runs as the Debian
    package's user ``postgres``.

    Parameters
    ----------
    folder : Path, optional
        Where it keeps its files. A temporary folder of its own by default, and also when the server's user could
        not enter this one (pytest's folders are closed to everybody else).
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.port = 0
        self._folder = folder
        self._passwords = {OWNER: secrets.token_urlsafe(16)}
        self._keeper: subprocess.Popen[bytes] | None = None
        self._databases = {"postgres"}
        self._fresh = 0

    def __enter__(self) -> Self:
        binaries()
        self._owner = pwd.getpwuid(os.geteuid()) if os.geteuid() else pwd.getpwnam("postgres")
        if self._folder is not None and _enterable(self._folder, self._owner.pw_uid):
            self._home = self._folder
        else:
            self._home = Path(tempfile.mkdtemp(prefix="lineage-postgres-"))
        try:
            self._home.mkdir(exist_ok=True)
            os.chown(self._home, self._owner.pw_uid, self._owner.pw_gid)
            self._initialise()
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def stop(self) -> None:
        """Stop the server; its files stay until the end of the ``with``, and :meth:`start` brings it back."""
        if self._keeper is not None:
            assert self._keeper.stdin is not None
            self._keeper.stdin.close()
            self._keeper.wait()
            self._keeper = None

    def start(self) -> None:
        """Start the server again, on the port it had."""
        self._launch(self.port)
        self._await()

    def url(self, database: str = "lineage", role: str = OWNER) -> str:
        """The address of a database, made if it is not there, for a role that :meth:`role` made."""
        if database not in self._databases:
            if not self.execute("SELECT 1 FROM pg_database WHERE datname = %s", database):
                self.execute(f'CREATE DATABASE "{database}"')
            self._databases.add(database)
        return f"postgresql://{role}:{self._passwords[role]}@{_HOST}:{self.port}/{database}"

    def fresh(self, role: str = OWNER) -> str:
        """The address of a new and empty database."""
        self._fresh += 1
        return self.url(f"fresh_{self._fresh}", role)

    def role(self, name: str, password: str = "") -> str:
        """Make a role that may log in and nothing else (a database lets it connect); returns its password."""
        self._passwords[name] = password or secrets.token_urlsafe(16)
        self.execute(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{self._passwords[name]}'")
        return self._passwords[name]

    def execute(self, statement: str, *values: object, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as the owner, outside a transaction; its rows, if it has any."""
        with (
            psycopg.connect(self.url(database), autocommit=True, connect_timeout=10) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    @property
    def log(self) -> str:
        """What the server wrote."""
        path = self._home / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _initialise(self) -> None:
        secret = self._home / "password"
        secret.touch(mode=0o600)
        secret.write_text(self._passwords[OWNER])
        os.chown(secret, self._owner.pw_uid, self._owner.pw_gid)
        as_owner: dict[str, Any] = (
            {} if os.geteuid() else {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}
        )
        done = subprocess.run(
            [
                binaries() / "initdb",
                f"--pgdata={self._home / 'data'}",
                f"--username={OWNER}",
                f"--pwfile={secret}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
            cwd=self._home,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            **as_owner,
        )
        secret.unlink()
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _start(self) -> None:
        for left in reversed(range(_PORTS)):
            # Between asking for a free port and using it somebody else may take it.
            self._launch(_free_port())
            try:
                return self._await()
            except RuntimeError:
                self.stop()
                if not left or "could not bind" not in self.log:
                    raise
        raise AssertionError("unreachable")

    def _launch(self, port: int) -> None:
        self.port = port
        settings = [f"-c{name}={value}" for name, value in {**_SETTINGS, "port": port}.items()]
        program = [str(binaries() / "postgres"), "-D", str(self._home / "data"), *settings]
        identity = [str(self._owner.pw_uid), str(self._owner.pw_gid)]
        with (self._home / "server.log").open("ab") as log:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _KEEPER, *identity, *program],
                cwd=self._home,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _await(self) -> None:
        """Return when the server lets the owner in."""
        assert self._keeper is not None
        end = time.monotonic() + _SECONDS
        while True:
            if self._keeper.poll() is not None:
                raise RuntimeError(f"PostgreSQL ended at its start:\n{self.log[-4000:]}")
            try:
                self.execute("SELECT 1")
                return
            except psycopg.OperationalError as error:
                if time.monotonic() > end:
                    raise RuntimeError(f"PostgreSQL does not answer: {error}\n{self.log[-4000:]}") from error
                time.sleep(0.05)


def _environment() -> dict[str, str]:
    """No PG* variable of the person who runs the tests."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _enterable(folder: Path, user: int) -> bool:
    """Whether a user can enter every folder above this one (a guess from the modes, good enough for a temporary one)."""
    above = [folder.resolve(), *folder.resolve().parents][1:]
    return all(place.stat().st_mode & 0o001 or place.stat().st_uid == user for place in above)
