"""The triage assistant as MLflow stores it: as this file, not as a pickle.

MLflow copies and runs it ("models from code"); nothing else imports it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from lineage_explorer.demo.assistant import Assistant


class TriageAgent(PythonModel):
    """Answers a table of messages."""

    def load_context(self, context: Any) -> None:
        """Read the index and the prompt that were logged with the agent."""
        template = Path(context.artifacts["prompt"]).read_text(encoding="utf-8")
        self._assistant = Assistant.load(Path(context.artifacts["index"]), template)

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:  # noqa: ARG002
        """Queue and draft reply for each message."""
        answers = [self._assistant.answer(message) for message in model_input["message"]]
        return pd.DataFrame({"queue": [item.queue for item in answers], "reply": [item.text for item in answers]})


set_model(TriageAgent())
