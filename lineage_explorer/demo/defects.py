"""`defect-detector`: one endpoint, five plants, and one of them runs a version that nobody approved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .calendar import Beat
from .data import PATCH, PLANTS, write_patches
from .workshop import Data, Logged, Workshop

ENDPOINT = "defect-detector"
_MODEL = "defect-detector"
_THRESHOLD = 0.85
_LEAD = "person:noor"  # quality assurance


@dataclass(frozen=True)
class _Batch:
    """A batch of labelled images.

    ``missed`` is what went wrong with the third: its labels came from an automatic labeller that
    calls faint scratches good.
    """

    days: int
    seed: int
    missed: float = 0.0


_BATCHES = {"1": _Batch(84, 61), "2": _Batch(50, 62), "3": _Batch(14, 63, missed=0.25)}


class DefectStory:
    """Is there a scratch on this part?

    Parameters
    ----------
    shop : Workshop
        The tools and the clock.
    """

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def beats(self) -> Iterator[Beat]:
        """Everything that happens, in order."""
        ago = self._shop.calendar.ago
        yield Beat(ago(84, 8), "defects v1: images, training and evaluation", lambda: self._train("1"))
        yield Beat(ago(82, 15), "defects v1: approval", lambda: self._decide("1"))
        yield Beat(ago(81, 5), "defects v1: in all plants", lambda: self._roll_out("1", *PLANTS), sync=True)
        yield Beat(ago(50, 8), "defects v2: images, training and evaluation", lambda: self._train("2"))
        yield Beat(ago(47, 15), "defects v2: approval", lambda: self._decide("2"))
        yield Beat(ago(46, 5), "defects v2: in the first plant", lambda: self._roll_out("2", *PLANTS[:1]))
        yield Beat(ago(44, 5), "defects v2: in two more plants", lambda: self._roll_out("2", *PLANTS[1:3]))
        yield Beat(ago(42, 5), "defects v2: in all plants", lambda: self._roll_out("2", *PLANTS[3:]), sync=True)
        yield Beat(ago(14, 8), "defects v3: images, training and evaluation", lambda: self._train("3"))
        yield Beat(ago(12, 15), "defects v3: approval refused", lambda: self._decide("3"))
        yield Beat(ago(10, 22, 15), "defects v3: in one plant all the same", self._bypass, sync=True)

    def _train(self, version: str) -> None:
        import mlflow

        shop, batch = self._shop, _BATCHES[version]
        day = shop.calendar.day(batch.days)
        folder = shop.data / "defects" / day
        patches, labels = write_patches(folder, batch.seed, 1500, missed=batch.missed)
        raw = Data("camera-patches", patches, day), Data("patch-labels", labels, day)
        with shop.run(
            "defects",
            f"prepare-{day}",
            by="chiara",
            minutes=9,
            script="patch_features.py",
            tags={"lineage.activity": "transform"},
        ):
            frames = [pd.read_csv(item.path) for item in raw]
            for item, frame in zip(raw, frames, strict=True):
                shop.reads(item, frame, "input")
            table = _features(frames[0]).merge(frames[1], on="patch_id")
            features = Data("patch-features", _write(table, folder / "features.csv"))
            shop.writes(features)
        shop.pass_time(minutes=20)
        table = pd.read_csv(features.path)
        with shop.run(
            "defects",
            f"train-v{version}",
            by="chiara",
            minutes=18,
            script="train_detector.py",
            tags={"lineage.activity": "training"},
        ):
            shop.reads(features, table, "training", targets="scratched")
            estimator = _forest().fit(_inputs(table), table["scratched"])
            mlflow.log_params({"estimator": "random forest", "trees": estimator.n_estimators})
            logged = shop.log_sklearn(estimator, "detector")
        number = shop.register(_MODEL, logged, description=f"Trained on {features.ref} ({len(table):,} patches)")
        if number != version:
            raise AssertionError(f"the registry numbered version {version} as {number}")
        shop.point(_MODEL, challenger=version)
        shop.pass_time(minutes=30)
        self._evaluate(version, estimator, logged)

    def _golden_set(self) -> Data:
        """Patches that two inspectors labelled; the same for every version."""
        path = self._shop.data / "defects" / "golden-set.csv"
        if not path.exists():
            folder = path.with_suffix("")
            patches, labels = write_patches(folder, 60, 600)
            _write(pd.read_csv(patches).merge(pd.read_csv(labels), on="patch_id"), path)
            patches.unlink()
            labels.unlink()
            folder.rmdir()
        return Data("defect-golden-set", path, "1")

    def _evaluate(self, version: str, estimator: Any, logged: Logged) -> None:
        import mlflow
        from sklearn.metrics import precision_score, recall_score

        shop, data = self._shop, self._golden_set()
        golden = pd.read_csv(data.path)
        with shop.run(
            "defects",
            f"evaluate-v{version}",
            by="chiara",
            minutes=2,
            script="evaluate_detector.py",
            tags={"lineage.activity": "evaluation"},
        ) as run_id:
            dataset = shop.reads(data, golden, "evaluation", model=logged, targets="scratched")
            said = estimator.predict(_inputs(_features(golden)))
            metrics = {
                "recall": float(recall_score(golden["scratched"], said)),
                "precision": float(precision_score(golden["scratched"], said)),
            }
            mlflow.log_metrics(metrics, model_id=logged.model_id, dataset=dataset)
        shop.pass_time(minutes=1)
        shop.gate(
            _MODEL,
            version,
            "recall",
            run_id=run_id,
            threshold=f"recall >= {_THRESHOLD:.2f}",
            status="passed" if metrics["recall"] >= _THRESHOLD else "failed",
            by="service:evaluation-pipeline",
        )
        self._recall = metrics["recall"]

    def _decide(self, version: str) -> None:
        good = self._recall >= _THRESHOLD
        self._shop.judge(
            f"model:{_MODEL}@{version}",
            "approval",
            "approval",
            "passed" if good else "failed",
            by=_LEAD,
            expected="quality assurance agrees to production",
            actual="agreed" if good else f"refused: recall {self._recall:.2f} on the golden set",
        )

    def _roll_out(self, version: str, *plants: str) -> None:
        for plant in plants:
            site = f"plant-{plant}"
            self._shop.deploy(ENDPOINT, site, f"model:{_MODEL}@{version}", 100, site=site)
        if plants[-1] == PLANTS[-1]:
            self._shop.point(_MODEL, champion=version)

    def _bypass(self) -> None:
        """A night shift with too many false alarms takes the new version by hand."""
        site = "plant-brno"
        self._shop.deploy(ENDPOINT, site, f"model:{_MODEL}@3", 100, site=site, by="person:marek")


def _write(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
    return path


def _features(patches: pd.DataFrame) -> pd.DataFrame:
    """What a line looks like: the brightest row and column against the rest of the patch."""
    pixels = [column for column in patches if column not in ("patch_id", "scratched")]
    images = patches[pixels].to_numpy(float).reshape(-1, PATCH, PATCH)
    images = images - images.mean(axis=(1, 2), keepdims=True)
    rows, columns = np.sort(images.mean(axis=2), axis=1), np.sort(images.mean(axis=1), axis=1)
    return pd.DataFrame(
        {
            "patch_id": patches["patch_id"],
            "row_peak": rows[:, -1],
            "row_lead": rows[:, -1] - rows[:, -2],
            "column_peak": columns[:, -1],
            "column_lead": columns[:, -1] - columns[:, -2],
            "spread": images.std(axis=(1, 2)),
            "brightest": images.max(axis=(1, 2)),
        }
    )


def _inputs(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=["patch_id", "scratched"], errors="ignore")


def _forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=40, min_samples_leaf=3, random_state=7)
