"""A real Chromium, and a real JupyterLab with settings of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import ROOT

# A machine with two cores runs two of these tests at once; what is there at last is right.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail("The browser tests need Chromium: apt-get install chromium (or set CHROMIUM to its path)")
    # Chromium's own sandbox refuses to run as root, which is what a container's user usually is.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=arguments)
        yield opened
        opened.close()


def picture(page: Page, name: str) -> None:
    """Keep a picture where one is asked for: people look at them before a release."""
    if folder := os.environ.get("LINEAGE_EXPLORER_PICTURES"):
        page.screenshot(path=str(Path(folder, f"{name}.png")))


class Watched(NamedTuple):
    page: Page
    #: Everything that went wrong in the page: errors, refused requests, breaches of the content policy.
    problems: list[str]
    #: Addresses that the page asked for.
    requests: list[str]


def watch(page: Page) -> Watched:
    watched = Watched(page, [], [])
    page.on("pageerror", lambda error: watched.problems.append(str(error)))
    page.on(
        "console",
        lambda message: watched.problems.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("dialog", lambda dialog: (watched.problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: watched.requests.append(request.url))
    return watched


@pytest.fixture(scope="session")
def axe() -> str:
    path = ROOT / "extension" / "node_modules" / "axe-core" / "axe.min.js"
    if not path.exists():
        pytest.fail("axe-core is not installed: npm install, in extension/")
    return path.read_text(encoding="utf-8")


class Lab(NamedTuple):
    url: str
    token: str
    root: Path


@pytest.fixture(scope="session")
def lab(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    own = tmp_path_factory.mktemp("jupyter")
    overrides = own / "app" / "settings"
    overrides.mkdir(parents=True)
    settings = {
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
        "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
    }
    for plugin, values in settings.items():
        package, name = plugin.split(":")
        path = own / "user-settings" / package / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(values))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = "for-tests-only"
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(own / "user-settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
    }
    log = (own / "log").open("w")
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            "--LabApp.expose_app_in_browser=True",
            f"--port={port}",
            f"--IdentityProvider.token={token}",
            f"--notebook-dir={workspace}",
        ],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{url}/api?token={token}", timeout=2).close()
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if server.poll() is not None:
                    break
                time.sleep(0.25)
        else:
            pytest.fail(f"JupyterLab did not answer:\n{(own / 'log').read_text()[-3000:]}")
        if server.poll() is not None:
            pytest.fail(f"JupyterLab stopped:\n{(own / 'log').read_text()[-3000:]}")
        yield Lab(url, token, workspace)
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()


def open_lab(page: Page, lab: Lab, *, reset: bool = True) -> None:
    """JupyterLab, with nothing open unless the last visit is to be restored."""
    page.goto(f"{lab.url}/lab?token={lab.token}{'&reset' if reset else ''}")
    page.wait_for_function("window.jupyterapp !== undefined", timeout=60_000)
    page.wait_for_function("window.jupyterapp.restored.then(() => true)", timeout=60_000)


def execute(page: Page, command: str, **arguments: object) -> None:
    """Run one of JupyterLab's commands."""
    page.evaluate(
        "([command, arguments]) => window.jupyterapp.commands.execute(command, arguments).then(() => null)",
        [command, arguments],
    )
