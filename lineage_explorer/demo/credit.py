"""`credit-scoring`: every model version is on record, and not the data it was trained on.

The commonest gap there is: a team that registers, evaluates and approves its models, and whose
training script reads a file without logging it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from .calendar import Beat
from .data import write_applications
from .workshop import Code, Data, Logged, Workshop

ENDPOINT = "credit-scoring"
_MODEL = "credit-scoring"
_TARGET = "defaulted"
_THRESHOLD = 0.70
_COLUMNS = ["income", "amount", "late_payments", "years_employed"]


class CreditStory:
    """Will the loan be paid back?

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
        yield Beat(ago(80, 10), "credit v1: training and evaluation", lambda: self._train("1", 80, 51))
        yield Beat(ago(78, 13), "credit v1: approval", lambda: self._approve("1"))
        yield Beat(ago(76, 9), "credit v1: release", lambda: self._release("1"), sync=True)
        yield Beat(ago(20, 10), "credit v2: training and evaluation", lambda: self._train("2", 20, 52))
        yield Beat(ago(18, 13), "credit v2: approval", lambda: self._approve("2"))
        yield Beat(ago(16, 9), "credit v2: release", lambda: self._release("2"), sync=True)

    def _train(self, version: str, days: int, seed: int) -> None:
        import mlflow

        shop, day = self._shop, self._shop.calendar.day(days)
        folder = shop.data / "credit" / day
        source = write_applications(folder / "applications.csv", seed, 4000)
        with shop.run("credit", f"fit-{day}", by="ben", minutes=6, script="fit_scorecard.py", code=self._code(version)):
            # What the team forgot stands here: nothing tells MLflow which file this is.
            estimator = _scorecard().fit(*_split(pd.read_csv(source)))
            mlflow.log_params({"estimator": "scorecard", "C": 1.0})
            logged = shop.log_sklearn(estimator, "scorecard")
        number = shop.register(_MODEL, logged, description="Retail loans, default within twelve months")
        if number != version:
            raise AssertionError(f"the registry numbered version {version} as {number}")
        shop.point(_MODEL, challenger=version)
        shop.pass_time(minutes=40)
        backtest = Data("credit-backtest", write_applications(folder / "backtest.csv", seed + 100, 1500), day)
        self._evaluate(version, estimator, logged, backtest)

    @staticmethod
    def _code(version: str) -> Code:
        # Fitted from a laptop, the second time with changes that nobody had committed.
        return Code("credit", "scorecard", dirty=version == "2")

    def _evaluate(self, version: str, estimator: Any, logged: Logged, data: Data) -> None:
        import mlflow
        from sklearn.metrics import roc_auc_score

        shop, frame = self._shop, pd.read_csv(data.path)
        inputs, truth = _split(frame)
        with shop.run(
            "credit",
            f"backtest-v{version}",
            by="ben",
            minutes=4,
            script="backtest.py",
            tags={"lineage.activity": "evaluation"},
        ) as run_id:
            dataset = shop.reads(data, frame, "evaluation", model=logged, targets=_TARGET)
            auc = float(roc_auc_score(truth, estimator.predict_proba(inputs)[:, 1]))
            mlflow.log_metrics({"auc": auc, "gini": 2 * auc - 1}, model_id=logged.model_id, dataset=dataset)
        shop.pass_time(minutes=1)
        shop.gate(
            _MODEL,
            version,
            "auc",
            run_id=run_id,
            threshold=f"auc >= {_THRESHOLD:.2f}",
            status="passed" if auc >= _THRESHOLD else "failed",
            by="person:ben",
        )

    def _approve(self, version: str) -> None:
        self._shop.judge(f"model:{_MODEL}@{version}", "approval", "approval", "passed", by="person:mia")

    def _release(self, version: str) -> None:
        self._shop.deploy(ENDPOINT, "default", f"model:{_MODEL}@{version}", 100)
        self._shop.point(_MODEL, champion=version)


def _split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[int]]:
    return frame[_COLUMNS], frame[_TARGET]


def _scorecard() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression())
