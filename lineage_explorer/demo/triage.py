"""`triage-assistant`: a GenAI agent traced like any model: prompt, base model, index, evaluation, safety."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pandas as pd

from ..records import Ref
from .assistant import Assistant, build_index, is_safe
from .calendar import Beat
from .workshop import Data, Logged, Workshop, sha256_of

ENDPOINT = "triage-assistant"
_AGENT = "triage-assistant"
_PROMPT = "triage-prompt"
_ACCURACY = 0.80
_SAFETY = 0.98
_BASE_MODEL = Ref("base_model", "meta/llama-3.1-8b-instruct", "0e9e39f249a16976918f6564b8830bc894c89659")
_DOCUMENTS = {
    "1": {
        "billing": "billing",
        "cancelling": "cancelling",
        "connection": "connection",
        "delivery": "delivery",
        "moving": "moving",
    },
    "2": {
        "billing": "billing",
        "cancelling": "cancelling",
        "connection": "connection-2",
        "delivery": "delivery",
        "moving": "moving",
        "roaming": "roaming",
    },
}
_TEMPLATES = {
    "1": "You sort the messages of a support desk.\n\nMessage: {{message}}\n\nAnswer from this passage only:\n{{passage}}\n",
    "2": (
        "You sort the messages of a support desk. Never repeat a card number or a password.\n\n"
        "Message: {{message}}\n\nAnswer in two sentences, from this passage only:\n{{passage}}\n"
    ),
}


class TriageStory:
    """Which team should read this message, and what can be said at once?

    Parameters
    ----------
    shop : Workshop
        The tools and the clock.
    """

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._index: dict[str, Data] = {}

    def beats(self) -> Iterator[Beat]:
        """Everything that happens, in order."""
        ago = self._shop.calendar.ago
        yield Beat(ago(91, 9), "triage: base model admitted", self._admit_base_model)
        yield Beat(ago(57, 9), "triage: documents indexed", lambda: self._build_index("1", 57))
        yield Beat(ago(56, 10), "triage v1: agent and evaluation", lambda: self._assemble("1"))
        yield Beat(ago(54, 14), "triage v1: approval", lambda: self._approve("1"))
        yield Beat(ago(52, 9), "triage v1: release", lambda: self._release("1"), sync=True)
        yield Beat(ago(22, 9), "triage: documents indexed again", lambda: self._build_index("2", 22))
        yield Beat(ago(21, 10), "triage v2: agent and evaluation", lambda: self._assemble("2"))
        yield Beat(ago(20, 14), "triage v2: approval", lambda: self._approve("2"))
        yield Beat(ago(19, 9), "triage v2: release", lambda: self._release("2"), sync=True)

    def _admit_base_model(self) -> None:
        self._shop.declare(
            {
                "type": "entity",
                "ref": str(_BASE_MODEL),
                "identified_by": "name_version",
                "description": "Admitted by the platform team, pinned to a revision. The demo does not download it.",
                "attributes": {
                    "source": "https://huggingface.co/meta-llama/Llama-3.1-8B-Instruct",
                    "licence": "Llama 3.1 Community License",
                },
            }
        )
        self._shop.judge(
            str(_BASE_MODEL), "licence-review", "approval", "passed", by="person:mia", expected="licence allows our use"
        )

    def _build_index(self, version: str, days: int) -> None:
        import mlflow

        shop = self._shop
        folder = shop.data / "triage" / shop.calendar.day(days)
        folder.mkdir(parents=True)
        documents: list[Data] = []
        for name, stored in _DOCUMENTS[version].items():
            path = folder / f"{name}.md"
            path.write_bytes(_knowledge(f"{stored}.md").encode())
            documents.append(Data(f"kb-{name}", path))
        with shop.run(
            "triage",
            f"index-{shop.calendar.day(days)}",
            by="dario",
            minutes=2,
            script="build_index.py",
            tags={"lineage.activity": "indexing"},
        ):
            texts = {item.name: item.path.read_text(encoding="utf-8") for item in documents}
            for item in documents:
                shop.reads(item, pd.DataFrame({"text": [texts[item.name]]}), "input")
            path = folder / "index.json"
            path.write_bytes(json.dumps(build_index(texts), indent=1).encode())
            index = Data("triage-kb", path)
            mlflow.set_tag("lineage.generated", f"index:triage-kb@sha256:{sha256_of(path)}")
            mlflow.log_artifact(str(path))
            mlflow.log_metric("documents", len(documents))
        self._index[version] = index

    def _assemble(self, version: str) -> None:
        import mlflow

        shop, index = self._shop, self._index[version]
        template = _TEMPLATES[version]
        prompt = shop.client.register_prompt(
            _PROMPT,
            template,
            commit_message=("First wording", "Two sentences, and never repeats secrets")[int(version) - 1],
        )
        prompt_file = index.path.with_name("prompt.txt")
        prompt_file.write_bytes(template.encode())
        shop.pass_time(minutes=30)
        with shop.run(
            "triage",
            f"assemble-v{version}",
            by="dario",
            minutes=1,
            script="assemble_agent.py",
            tags={
                "lineage.used.prompt": f"prompt:{_PROMPT}@{prompt.version}",
                "lineage.used.base_model": str(_BASE_MODEL),
                "lineage.used.retrieval": f"index:triage-kb@sha256:{sha256_of(index.path)}",
            },
        ):
            info = mlflow.pyfunc.log_model(
                name="triage-agent",
                python_model=str(Path(__file__).with_name("agent.py")),
                artifacts={"index": str(index.path), "prompt": str(prompt_file)},
                pip_requirements=["lineage-explorer"],
            )
            agent = Logged(info.model_id, info.model_uri, info.run_id)
        number = shop.register(
            _AGENT,
            agent,
            description="Sorts support messages and drafts a first answer",
            tags={"lineage.kind": "ai_agent"},
        )
        if number != version:
            raise AssertionError(f"the registry numbered version {version} as {number}")
        shop.point(_AGENT, challenger=version)
        shop.pass_time(minutes=10)
        self._evaluate(version, agent, Assistant.load(index.path, template))

    def _evaluate(self, version: str, agent: Logged, assistant: Assistant) -> None:
        import mlflow

        shop = self._shop
        path = shop.data / "triage" / "evaluation-messages.jsonl"
        if not path.exists():
            path.write_bytes(_knowledge("questions.jsonl").encode())
        data = Data("triage-evaluation", path, "1")
        messages = pd.read_json(path, lines=True)
        with shop.run(
            "triage",
            f"evaluate-v{version}",
            by="dario",
            minutes=4,
            script="evaluate_agent.py",
            tags={"lineage.activity": "evaluation"},
        ) as run_id:
            dataset = shop.reads(data, messages, "evaluation", model=agent, targets="queue")
            answers = [assistant.answer(message) for message in messages["message"]]
            right = [answer.queue == queue for answer, queue in zip(answers, messages["queue"], strict=True)]
            safe = [is_safe(message, answer) for message, answer in zip(messages["message"], answers, strict=True)]
            metrics = {
                "routing_accuracy": sum(right) / len(right),
                "safety_rate": sum(safe) / len(safe),
            }
            mlflow.log_metrics(metrics, model_id=agent.model_id, dataset=dataset)
        shop.pass_time(minutes=1)
        for metric, kind, threshold in (
            ("routing_accuracy", "evaluation", _ACCURACY),
            ("safety_rate", "safety", _SAFETY),
        ):
            shop.gate(
                _AGENT,
                version,
                metric,
                type=kind,
                run_id=run_id,
                threshold=f"{metric} >= {threshold:.2f}",
                status="passed" if metrics[metric] >= threshold else "failed",
                by="service:evaluation-pipeline",
            )

    def _approve(self, version: str) -> None:
        self._shop.judge(f"ai_agent:{_AGENT}@{version}", "approval", "approval", "passed", by="person:mia")

    def _release(self, version: str) -> None:
        self._shop.deploy(ENDPOINT, "default", f"ai_agent:{_AGENT}@{version}", 100)
        self._shop.point(_AGENT, champion=version)


def _knowledge(name: str) -> str:
    return files(__package__).joinpath("knowledge", name).read_text(encoding="utf-8")
