"""The notebooks run from top to bottom, as a reader would run them after ``make demo``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def outputs(notebook: Path) -> list[dict[str, Any]]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]


def test_every_notebook_runs(executed: Path) -> None:
    assert {path.name for path in executed.glob("*.ipynb")} == {
        "01-which-data-trained-this-model.ipynb",
        "02-write-your-own-source.ipynb",
        "03-gates-and-policies.ipynb",
        "04-version-history.ipynb",
        "05-recall.ipynb",
    }
    for path in executed.glob("*.ipynb"):
        assert not [item for item in outputs(path) if item["output_type"] == "error"]
        assert outputs(path)


def test_no_notebook_cell_writes_warnings(executed: Path) -> None:
    for path in executed.glob("*.ipynb"):
        said = [item for item in outputs(path) if item.get("name") == "stderr"]
        assert not said, said


def test_a_saved_notebook_holds_the_trace_as_picture_and_as_text(executed: Path) -> None:
    found = outputs(executed / "01-which-data-trained-this-model.ipynb")
    still = [item["data"] for item in found if "image/svg+xml" in item.get("data", {})]
    assert len(still) == 3
    assert "".join(still[0]["text/plain"]).startswith("PASSED: As of ")
    assert "churn-prod" in "".join(still[0]["image/svg+xml"])


def test_the_repository_keeps_notebooks_without_outputs(executed: Path) -> None:
    for path in (Path(__file__).parent.parent / "notebooks").glob("*.ipynb"):
        assert outputs(path) == [], f"{path.name}: run `jupyter nbconvert --clear-output --inplace`"
