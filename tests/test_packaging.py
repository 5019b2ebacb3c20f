"""What a wheel brings to Jupyter, so that ``pip install`` is all there is to do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lineage_explorer.version import __version__

from .conftest import ROOT

LABEXTENSION = ROOT / "lineage_explorer" / "labextension"
SHARE = "share/jupyter/labextensions/lineage-explorer"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a wheel made of what is built (npm has its own run before the tests)."""
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        env={**os.environ, "HATCH_JUPYTER_BUILDER_SKIP_NPM": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def data(wheel: dict[str, bytes]) -> dict[str, bytes]:
    """What is installed below the environment's prefix."""
    return {name.split(".data/data/", 1)[1]: body for name, body in wheel.items() if ".data/data/" in name}


def test_the_wheel_holds_the_whole_labextension_once(wheel: dict[str, bytes]) -> None:
    built = {str(path.relative_to(LABEXTENSION)) for path in LABEXTENSION.rglob("*") if path.is_file()}
    assert {"package.json", "install.json", "static/style.js"} <= built
    assert {name.removeprefix(f"{SHARE}/") for name in data(wheel) if name.startswith(SHARE)} == built
    assert not [name for name in wheel if name.startswith("lineage_explorer/labextension")]


def test_what_jupyterlab_is_told_to_load_is_there(wheel: dict[str, bytes]) -> None:
    files = data(wheel)
    told = json.loads(files[f"{SHARE}/package.json"])["jupyterlab"]["_build"]
    assert f"{SHARE}/{told['load']}" in files
    assert told["extension"] == "./extension"
    assert json.loads(files[f"{SHARE}/install.json"])["packageName"] == "lineage-explorer"


def test_the_wheel_enables_the_server_extension(wheel: dict[str, bytes]) -> None:
    told = json.loads(data(wheel)["etc/jupyter/jupyter_server_config.d/lineage_explorer.json"])
    assert told["ServerApp"]["jpserver_extensions"] == {"lineage_explorer.server": True}


def test_the_extension_has_the_packages_version() -> None:
    for path in (ROOT / "extension" / "package.json", LABEXTENSION / "package.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["version"] == __version__


def test_nothing_that_is_built_tells_where_or_when_it_was_built() -> None:
    for path in LABEXTENSION.rglob("*"):
        if path.is_file():
            assert str(ROOT) not in path.read_text(encoding="utf-8"), path
    # Numbered chunks would change their names with each other's contents.
    names = {path.name for path in (LABEXTENSION / "static").glob("*.js")}
    assert not [name for name in names if re.match(r"\d+\.", name)]


@pytest.mark.parametrize(
    ("extension", "said"), [("labextension", "lineage-explorer v"), ("server extension", "lineage_explorer.server")]
)
def test_jupyter_lists_it_as_enabled_and_ok(extension: str, said: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("jupyter"), *extension.split(), "list"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    lines = [re.sub(r"\x1b\[\d+m", "", line) for line in (done.stdout + done.stderr).splitlines()]
    ours = " ".join(line for line in lines if said in line)
    assert "enabled" in ours
    assert "OK" in ours
