"""Search as you type in JupyterLab's panel: every key of a name, over an estate of 100,000 things and more.

The store is asked in this process, over HTTP through the extension of a real Jupyter server on this machine, and from
the panel of a real JupyterLab in Chromium, key by key. The panel waits a moment after a key, so that whoever types on asks
once; that pause is its own and not counted as an answer. Each text is asked once.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import random
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from playwright.sync_api import Browser
from playwright.sync_api import TimeoutError as TookTooLong
from tqdm import tqdm

from lineage_explorer import open_store
from lineage_explorer.store import Store

from .layouts import Differs, target
from .load import estate_of
from .report import Figure, percentile
from .view_peers import EXTENSION

#: Journal entries of the estate; its things come to about a fifth of them.
ENTRIES, FEW_ENTRIES = 1_000_000, 100_000
#: Milliseconds from a key to its rows, at the 99th of a hundred.
TARGET = 100
#: Rows of a list, and hits of a search, that the panel asks for at once.
ROWS, HITS = 200, 200
#: Seconds until the server must have answered.
_START = 60
_MOST_LETTERS = 16
#: Milliseconds of rest between two keys in the panel: what the one before brought must have come.
_REST = 600
#: From a key to the frame after the first that shows what it brought: rows, or a word that there are none.
_KEYS = """() => {
  const panel = document.getElementById("lineage-explorer-panel");
  window.lxKeys = [];
  let pressed = 0;
  panel.querySelector(".lx-lab-search").addEventListener("input", () => (pressed = performance.now()), {capture: true});
  new MutationObserver(() => {
    if (pressed === 0) return;
    const from = pressed;
    pressed = 0;
    requestAnimationFrame(() => requestAnimationFrame(() => window.lxKeys.push(performance.now() - from)));
  }).observe(panel, {childList: true, subtree: true});
}"""


class Key(NamedTuple):
    """What stands in the search box after a key, on the way to the name of a thing of this kind."""

    kind: str
    text: str


def keys(store: Store, names: int) -> list[Key]:
    """The names of so many things of each kind, typed letter by letter; what was typed before is left out."""
    chance = random.Random(names)
    found: dict[Key, None] = {}
    for kind, count in store.kinds().items():
        for _ in range(names):
            thing = store.things(kind, offset=chance.randrange(count), limit=1).items[0]
            for letters in range(1, min(len(thing.name), _MOST_LETTERS) + 1):
                found[Key(kind, thing.name[:letters])] = None
    return list(found)


class _Client:
    """One connection to the extension's handlers."""

    def __init__(self, port: int, token: str) -> None:
        self.page = f"http://127.0.0.1:{port}/lab?token={token}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START)
        self._headers = {"Authorization": f"token {token}"}

    def ask(self, path: str, **parameters: object) -> Any:
        query = f"/lineage-explorer/{path}?{urlencode(parameters)}"
        self._connection.request("GET", query, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"the server answered {query} with {answer.status}: {body[:300]!r}")
        return json.loads(body)


@contextlib.contextmanager
def _server(module: str, path: Path, folder: Path) -> Iterator[_Client]:
    """A Jupyter server or JupyterLab with our extension and one store called ``estate``, until the end of the block."""
    shutil.rmtree(folder, ignore_errors=True)  # JupyterLab would lay out what was open the last time
    folder.mkdir(parents=True)
    token = secrets.token_hex(16)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.root_dir": folder,
        "ServerApp.allow_root": True,
        "ServerApp.jpserver_extensions": "{'lineage_explorer.server': True}",
        "IdentityProvider.token": token,
        "LineageExplorer.stores": f"estate={path}",
    }
    places = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *(f"--{name}={value}" for name, value in options.items())],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **places},
        )
    try:
        client = _Client(port, token)
        until = time.monotonic() + _START
        while True:
            try:
                client.ask("kinds", store="estate")
                break
            except (ConnectionError, http.client.HTTPException):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the Jupyter server did not start; see {log}") from None
                client = _Client(port, token)
                time.sleep(0.2)
        yield client
    finally:
        process.terminate()
        process.wait()


def _timed(asked: list[Key], what: str, ask: Callable[[Key], int]) -> list[float]:
    """Milliseconds of each key."""
    taken = []
    rows = 0
    for key in tqdm(asked, desc=what, leave=False):
        begun = time.perf_counter()
        rows += ask(key)
        taken.append((time.perf_counter() - begun) * 1e3)
    if not rows:
        raise Differs(f"{what} found nothing at all")
    return taken


def _pressed(browser: Browser, address: str, asked: list[Key]) -> list[float] | None:
    """Milliseconds from each key to what it brought on the screen; None where JupyterLab shows no panel of ours."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.goto(address)
        tab = page.locator("li[data-id=lineage-explorer-panel]")
        try:
            tab.wait_for(timeout=_START * 1000)
        except TookTooLong:
            return None
        box = page.locator("#lineage-explorer-panel .lx-lab-search")
        if not box.is_visible():  # a click on the tab of a panel that is open would close it
            tab.click()
        page.locator("#lineage-explorer-panel [role=treeitem]").first.wait_for(timeout=_START * 1000)
        page.evaluate(_KEYS)
        taken: list[float] = []
        before = ""
        for key in tqdm(asked, desc="typing in the panel", leave=False):
            if key.text[:-1] != before:
                box.fill(key.text[:-1])
                page.wait_for_timeout(_REST)
            page.evaluate("lxKeys.length = 0")
            box.press_sequentially(key.text[-1])
            page.wait_for_function("lxKeys.length > 0", timeout=_START * 1000)
            taken.append(page.evaluate("lxKeys[0]"))
            page.wait_for_timeout(_REST)
            before = key.text
        return taken
    finally:
        context.close()


def figures(work: Path, browser: Browser, *, quick: bool) -> tuple[list[Figure], list[str]]:
    """Every figure of the panel's search, and remarks."""
    made = estate_of(FEW_ENTRIES if quick else ENTRIES, work)
    path = Path(made.path)
    found: list[Figure] = []
    with open_store(path) as store:
        begun = time.perf_counter()
        kinds = store.kinds()
        first = (time.perf_counter() - begun) * 1e3
        size = f"{sum(kinds.values()):,} things, {made.size}"
        asked = keys(store, 2 if quick else 8)
        few = keys(store, 1 if quick else 2)
        found += _of(
            "search, in the store", _timed(asked, "searching", lambda key: len(store.search(key.text, HITS))), size
        )

        def listed(key: Key) -> int:
            return len(store.things(key.kind, text=key.text, limit=ROWS).items)

        found += _of("a kind's list, filtered, in the store", _timed(asked, "filtering", listed), size)
        found.append(Figure("counting the kinds, first time", first, "ms", size=size))
    remarks = [
        f"panel: {len(asked):,} keys of names of {len(kinds)} kinds, after each of which up to {HITS} hits or {ROWS} rows are "
        f"asked for; the longest list has {max(kinds.values()):,} things"
    ]
    module = next((name for name in ("jupyterlab", "jupyter_server") if importlib.util.find_spec(name)), None)
    if module is None:
        return found, [*remarks, "JupyterLab is not installed (pip install .[lab]), so nothing was asked over HTTP"]
    with _server(module, path, work / "view" / "jupyter") as client:

        def searched(key: Key) -> int:
            return len(client.ask("search", store="estate", query=key.text, limit=HITS)["items"])

        def sent(key: Key) -> int:
            return len(client.ask("things", store="estate", kind=key.kind, text=key.text, limit=ROWS)["items"])

        judged = not quick
        found += _of("search, over HTTP", _timed(asked, "searching over HTTP", searched), size, judged=judged)
        found += _of(
            "a kind's list, filtered, over HTTP", _timed(asked, "filtering over HTTP", sent), size, judged=judged
        )
        taken = _pressed(browser, client.page, few) if module == "jupyterlab" else None
    if taken is None:
        remarks.append("JupyterLab showed no panel of ours (jupyter labextension list), so no key was pressed in it")
        return found, remarks
    pause = _pause()
    found += _of(
        "from a key to its rows on the screen, the pause not counted", [ms - pause for ms in taken], size, judged=judged
    )
    found.append(Figure("the panel's pause after a key", pause, "ms", size=size))
    remarks.append(
        f"{len(taken)} keys were pressed in the panel; a row is on the screen at the start of the frame after the first that "
        "shows it, two frames of 16.7 ms after it came at least"
    )
    return found, remarks


def _pause() -> float:
    """What the panel waits after a key, as its source has it."""
    source = (EXTENSION / "src" / "lab" / "panel.ts").read_text(encoding="utf-8")
    told = re.search(r"^const PAUSE = (\d+);", source, re.MULTILINE)
    if told is None:
        raise RuntimeError("extension/src/lab/panel.ts no longer says in PAUSE how long it waits after a key")
    return float(told[1])


def _of(name: str, taken: list[float], size: str, *, judged: bool = False) -> list[Figure]:
    found = [Figure(f"{name}, p{share}", percentile(taken, share), "ms", size=size) for share in (50, 99)]
    if judged:
        found.append(target(f"{name}, p99", found[-1].value, TARGET, "ms", size))
    return [*found, Figure(f"{name}, worst", max(taken), "ms", size=size)]
