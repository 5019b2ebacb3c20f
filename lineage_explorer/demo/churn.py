"""`churn-prod`: complete lineage, a rollback last month, and a canary beside the model in production."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from .calendar import Beat
from .data import write_subscribers
from .workshop import Code, Data, Logged, Workshop

ENDPOINT = "churn-prod"
_MODEL = "churn"
_TARGET = "left_within_60_days"
_THRESHOLD = 0.80
#: From the third extract on the preparation counts severe tickets too, in a newer image.
_REVISIONS = {"1": "features of use", "2": "features of use", "3": "severe tickets", "4": "severe tickets"}


@dataclass(frozen=True)
class _Prepared:
    features: Data
    holdout: Data


@dataclass(frozen=True)
class _Candidate:
    prepared: _Prepared
    estimator: Any
    logged: Logged
    version: str


class ChurnStory:
    """Who leaves next? Retrained from each new extract of the CRM.

    Parameters
    ----------
    shop : Workshop
        The tools and the clock.
    """

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._prepared: dict[str, _Prepared] = {}
        self._candidates: dict[str, _Candidate] = {}

    def beats(self) -> Iterator[Beat]:
        """Everything that happens, in order."""
        ago = self._shop.calendar.ago
        yield Beat(ago(90, 6), "churn: first extract", lambda: self._prepare("1", 90, 41, 2400))
        yield Beat(ago(89, 10), "churn v1: training and evaluation", lambda: self._train("1"))
        yield Beat(ago(88, 15), "churn v1: approval", lambda: self._approve("1"))
        yield Beat(ago(86, 9), "churn v1: release", self._release_first, sync=True)

        yield Beat(ago(63, 6), "churn: second extract", lambda: self._prepare("2", 63, 42, 2800))
        yield Beat(ago(62, 9), "churn v2: a training that fails", self._fail)
        yield Beat(ago(62, 10), "churn v2: training and evaluation", lambda: self._train("2"))
        yield Beat(ago(61, 14), "churn v2: approval", lambda: self._approve("2"))
        yield Beat(ago(60, 9), "churn v2: canary", lambda: self._split("1", 90, "2", 10), sync=True)
        yield Beat(ago(36, 9), "churn v2: full release", self._promote_second, sync=True)

        yield Beat(ago(28, 6), "churn: third extract", lambda: self._prepare("3", 28, 43, 3200))
        yield Beat(ago(27, 10), "churn v3: search, training and evaluation", lambda: self._train("3"))
        yield Beat(ago(26, 11), "churn v3: approval", lambda: self._approve("3"))
        yield Beat(ago(25, 9), "churn v3: release", lambda: self._serve_all("3"), sync=True)
        yield Beat(ago(23, 18, 40), "churn v3: incident, back to v2", lambda: self._serve_all("2"), sync=True)
        yield Beat(ago(17, 9, 30), "churn v3: release again", lambda: self._serve_all("3"), sync=True)

        yield Beat(ago(9, 6), "churn: fourth extract", lambda: self._prepare("4", 9, 44, 3400))
        yield Beat(ago(8, 10), "churn v4: search, training and evaluation", lambda: self._train("4"))
        yield Beat(ago(7, 16), "churn v4: approval", lambda: self._approve("4"))
        yield Beat(ago(4, 9), "churn v4: canary", lambda: self._split("3", 90, "4", 10), sync=True)

    @staticmethod
    def _code(version: str) -> Code:
        return Code("churn", _REVISIONS[version])

    def _image(self, version: str) -> str:
        old = _REVISIONS[version] == _REVISIONS["1"]
        packages = ("numpy", "pandas", "scikit-learn", *(() if old else ("scipy", "mlflow")))
        return self._shop.publish(f"environment:acme-training@{'1' if old else '2'}", *packages)

    # --- data ---

    def _prepare(self, version: str, days: int, seed: int, count: int) -> None:
        shop, day = self._shop, self._shop.calendar.day(days)
        folder = shop.data / "churn" / day
        raw = [
            Data(name, path, day)
            for name, path in zip(
                ("customers", "usage-events", "support-tickets"), write_subscribers(folder, seed, count), strict=True
            )
        ]
        with shop.run(
            "churn",
            f"prepare-{day}",
            by="ada",
            minutes=14,
            script="prepare_features.py",
            tags={"lineage.activity": "transform"},
            code=self._code(version),
            image=self._image(version),
        ):
            import mlflow

            frames = [pd.read_csv(item.path) for item in raw]
            for item, frame in zip(raw, frames, strict=True):
                shop.reads(item, frame, "input")
            features, holdout = _features(*frames)
            if _REVISIONS[version] == _REVISIONS["1"]:
                features, holdout = (table.drop(columns="tickets_high") for table in (features, holdout))
            prepared = _Prepared(
                Data("churn-features", _write(features, folder / "features.csv")),
                Data("churn-holdout", _write(holdout, folder / "holdout.csv")),
            )
            shop.writes(prepared.features, prepared.holdout)
            mlflow.log_metrics(
                {
                    "rows_read": len(frames[0]),
                    "rows_dropped": len(frames[0]) - len(features) - len(holdout),
                    "rows_training": len(features),
                    "rows_holdout": len(holdout),
                }
            )
        self._prepared[version] = prepared
        shop.pass_time(minutes=5)
        self._check(prepared.features, features)

    def _check(self, data: Data, features: pd.DataFrame) -> None:
        empty = int(features.isna().sum().sum())
        rate = float(features[_TARGET].mean())
        self._shop.judge(
            data.ref,
            "complete-and-plausible",
            "data_quality",
            "passed" if empty == 0 and 0.05 <= rate <= 0.60 else "failed",
            by="service:data-checks",
            expected="no empty value; between 5 % and 60 % of customers left",
            actual=f"{empty} empty values; {rate:.1%} left",
        )

    # --- training and evaluation ---

    def _fail(self) -> None:
        """A run that ends as FAILED: it was pointed at the raw extract, which has empty fees."""
        shop = self._shop
        raw = Data("customers", shop.data / "churn" / shop.calendar.day(63) / "customers.csv", shop.calendar.day(63))
        try:
            with shop.run("churn", "train-v2", by="ada", minutes=1, script="train.py"):
                frame = pd.read_csv(raw.path)
                shop.reads(raw, frame, "training", targets=_TARGET)
                _logistic_regression(1.0).fit(frame[["tenure_months", "monthly_fee"]], frame[_TARGET])
        except ValueError:
            return  # "Input X contains NaN": the run is on record as failed, and the team tried again
        raise AssertionError("the raw extract was meant to be unfit for training")

    def _train(self, version: str) -> None:
        import mlflow

        shop, prepared = self._shop, self._prepared[version]
        training = pd.read_csv(prepared.features.path)
        columns = [str(column) for column in training if column not in ("customer_id", _TARGET)]
        with shop.run(
            "churn",
            f"train-v{version}",
            by="ada",
            minutes=11,
            script="train.py",
            tags={"lineage.activity": "training"},
            code=self._code(version),
            image=self._image(version),
        ) as run_id:
            shop.reads(prepared.features, training, "training", targets=_TARGET)
            strength = self._search(run_id, training, columns) if version in ("3", "4") else 1.0
            estimator = _logistic_regression(strength).fit(training[columns], training[_TARGET])
            mlflow.log_params({"estimator": "logistic regression", "C": strength, "columns": len(columns)})
            logged = shop.log_sklearn(estimator, "churn-classifier")
        number = shop.register(
            _MODEL, logged, description=f"Trained on {prepared.features.ref} ({len(training):,} customers)"
        )
        if number != version:
            raise AssertionError(f"the registry numbered version {version} as {number}")
        self._candidates[version] = _Candidate(prepared, estimator, logged, version)
        shop.point(_MODEL, challenger=version)
        shop.pass_time(minutes=25)
        self._evaluate(self._candidates[version], columns)

    def _search(self, parent: str, training: pd.DataFrame, columns: list[str]) -> float:
        """Three strengths of regularisation compared in child runs; the best goes on."""
        import mlflow
        from sklearn.model_selection import cross_val_score

        found: dict[float, float] = {}
        for strength in (0.1, 1.0, 10.0):
            with self._shop.run("churn", f"C={strength}", by="ada", minutes=2, script="train.py", parent=parent):
                scores = cross_val_score(
                    _logistic_regression(strength), training[columns], training[_TARGET], cv=3, scoring="roc_auc"
                )
                found[strength] = float(scores.mean())
                mlflow.log_param("C", strength)
                mlflow.log_metric("cv_auc", found[strength])
        return max(found, key=lambda strength: found[strength])

    def _evaluate(self, candidate: _Candidate, columns: list[str]) -> None:
        import mlflow
        from sklearn.metrics import average_precision_score, roc_auc_score

        shop, data = self._shop, candidate.prepared.holdout
        holdout = pd.read_csv(data.path)
        with shop.run(
            "churn",
            f"evaluate-v{candidate.version}",
            by="ada",
            minutes=3,
            script="evaluate.py",
            tags={"lineage.activity": "evaluation"},
            code=self._code(candidate.version),
            image=self._image(candidate.version),
        ) as run_id:
            dataset = shop.reads(data, holdout, "evaluation", model=candidate.logged, targets=_TARGET)
            chance = candidate.estimator.predict_proba(holdout[columns])[:, 1]
            metrics = {
                "auc": float(roc_auc_score(holdout[_TARGET], chance)),
                "average_precision": float(average_precision_score(holdout[_TARGET], chance)),
            }
            mlflow.log_metrics(metrics, model_id=candidate.logged.model_id, dataset=dataset)
        shop.pass_time(minutes=1)
        shop.gate(
            _MODEL,
            candidate.version,
            "auc",
            run_id=run_id,
            threshold=f"auc >= {_THRESHOLD:.2f}",
            status="passed" if metrics["auc"] >= _THRESHOLD else "failed",
            by="service:evaluation-pipeline",
        )

    def _approve(self, version: str) -> None:
        # Not by whoever trained it.
        self._shop.gate(_MODEL, version, "approval", status="passed", by="person:mia")

    # --- releases ---

    def _release_first(self) -> None:
        self._shop.deploy(ENDPOINT, "stable", f"model:{_MODEL}@1", 100)
        self._shop.point(_MODEL, champion="1")

    def _split(self, stable: str, share: float, canary: str, rest: float) -> None:
        self._shop.deploy(ENDPOINT, "stable", f"model:{_MODEL}@{stable}", share)
        self._shop.deploy(ENDPOINT, "canary", f"model:{_MODEL}@{canary}", rest)
        self._shop.point(_MODEL, champion=stable, challenger=canary)

    def _promote_second(self) -> None:
        self._shop.deploy(ENDPOINT, "canary", f"model:{_MODEL}@2", 0)
        self._serve_all("2")

    def _serve_all(self, version: str) -> None:
        self._shop.deploy(ENDPOINT, "stable", f"model:{_MODEL}@{version}", 100)
        self._shop.point(_MODEL, champion=version)


def _write(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
    return path


def _features(customers: pd.DataFrame, usage: pd.DataFrame, tickets: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row a customer, and every fifth customer held out."""
    weekly = usage.pivot_table(index="customer_id", columns="week", values="hours")
    use = pd.DataFrame(
        {
            "hours_mean": weekly.mean(axis=1),
            "hours_trend": weekly.loc[:, 7:8].mean(axis=1) / weekly.loc[:, 1:2].mean(axis=1) - 1,
        }
    )
    asked = (
        tickets.assign(high=tickets["severity"] == "high")
        .groupby("customer_id")
        .agg(tickets=("ticket_id", "size"), tickets_high=("high", "sum"))
    )
    joined = (
        customers.dropna()
        .merge(use, left_on="customer_id", right_index=True)
        .merge(asked, how="left", left_on="customer_id", right_index=True)
        .fillna({"tickets": 0, "tickets_high": 0})
    )
    table = pd.get_dummies(joined, columns=["contract", "plan"], dtype=float)
    held_out = table["customer_id"] % 5 == 0
    return table[~held_out].reset_index(drop=True), table[held_out].reset_index(drop=True)


def _logistic_regression(strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=strength))
