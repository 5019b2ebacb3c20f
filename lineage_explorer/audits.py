"""An Audit: question, trace, evidence and verdict in one self-describing, reproducible document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import LineageError
from .records import digest_of

if TYPE_CHECKING:
    import graphviz
    import networkx as nx
    import pandas as pd

    from .policy import Verdict

FORMAT = "lineage-explorer/audit"
FORMAT_VERSION = 1
#: Views are found by name, so that reports and the widget stand above this floor and others can add theirs.
VIEWS = "lineage_explorer.views"
#: Views that are shown, not written to a file.
_NOT_DOCUMENTS = frozenset(["display", "graphviz", "widget"])

_DATASETS = (
    "ref",
    "role",
    "name",
    "version",
    "identified_by",
    "digest",
    "how",
    "origin",
    "resolved",
    "reached_from",
    "path",
)
_HOPS = (
    "ref",
    "predicate",
    "effect",
    "role",
    "basis",
    "status",
    "why",
    "traffic",
    "site",
    "since",
    "until",
    "event_time",
)
_EVIDENCE = (
    "ref",
    "gate",
    "gate_type",
    "status",
    "grade",
    "expected",
    "actual",
    "evaluator",
    "event_time",
    "pointer",
    "system",
    "position",
)
_REQUIREMENTS = (
    "ref",
    "predicate",
    "effect",
    "requirement",
    "title",
    "outcome",
    "status",
    "grade",
    "why",
    "needed",
    "cites",
    "policy_version",
)
_FINDINGS = ("ref", "severity", "code", "message")


@cache
def _views() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=VIEWS)}


class Audit:
    """The answer to a question about an endpoint, with everything it rests on.

    Made by :func:`lineage_explorer.audit`. Two audits of the same question over the same records have
    the same :attr:`digest`.

    Attributes
    ----------
    graph : networkx.MultiDiGraph
        What the endpoint reached; :mod:`lineage_explorer.graph` lists its attributes.
    """

    def __init__(self, content: Mapping[str, Any], graph: nx.MultiDiGraph[str]) -> None:
        self._content = dict(content)
        self._content["digest"] = digest_of({key: item for key, item in content.items() if key != "digest"})
        self.graph = graph

    def __repr__(self) -> str:
        return f"<Audit {self.endpoint} as of {self._content['question']['as_of']}: {self.verdict}>"

    @property
    def endpoint(self) -> str:
        """The endpoint's reference."""
        return str(self._content["question"]["endpoint"])

    @property
    def question(self) -> dict[str, Any]:
        """What was asked, with the instants it resolved to and the policy's digest."""
        return dict(self._content["question"])

    @property
    def verdict(self) -> Verdict:
        """``PASSED``, ``FAILED`` or ``INCOMPLETE``: the worst over all paths that serve."""
        verdict: Verdict = self._content["verdict"]
        return verdict

    @property
    def answer(self) -> str:
        """Sentences that can be quoted: who serves, trained on what, and what is not known."""
        return str(self._content["answer"])

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of the whole audit."""
        return str(self._content["digest"])

    def to_dict(self) -> dict[str, Any]:
        """The audit as plain JSON values, the one thing every view is made from."""
        plain: dict[str, Any] = json.loads(json.dumps(self._content))
        return plain

    def _table(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame([[row.get(name) for name in columns] for row in rows], columns=list(columns))

    def serving(self) -> pd.DataFrame:
        """Who serves the endpoint.

        Returns
        -------
        pandas.DataFrame
            ``ref`` (the model version), ``deployment``, ``traffic`` (percent), ``state``, ``site``, ``since``, ``verdict``.
        """
        rows = [{**row, "ref": row["model"]} for row in self._content["serving"]]
        return self._table(rows, ("ref", "deployment", "traffic", "state", "site", "since", "verdict"))

    def datasets(self, role: str | None = None) -> pd.DataFrame:
        """Every dataset that was reached, and what for.

        Parameters
        ----------
        role : str, optional
            Only those with this role, e.g. ``training``.

        Returns
        -------
        pandas.DataFrame
            ``ref``, ``role``, ``name``, ``version``, ``identified_by`` (rung of the strength ladder), ``digest``,
            ``how``, ``origin`` (nothing is upstream of it), ``resolved``, ``reached_from`` (models), ``path`` (one
            witness from the endpoint).
        """
        rows = [row for row in self._content["datasets"] if role is None or role in row["role"].split(" + ")]
        return self._table(rows, _DATASETS)

    def hops(self) -> pd.DataFrame:
        """Every hop from the endpoint back, with what its gates came to.

        Returns
        -------
        pandas.DataFrame
            ``ref`` (the cause), ``predicate``, ``effect``, ``role``, ``basis``, ``status``, ``why``, ``traffic``, ``site``,
            ``since``, ``until``, ``event_time``.
        """
        rows = [
            {**row, "ref": row["cause"], "why": "; ".join(item["why"] for item in row["requirements"])}
            for row in self._content["hops"]
        ]
        return self._table(rows, _HOPS)

    def requirements(self) -> pd.DataFrame:
        """What the policy asked of each hop, and what that came to.

        Returns
        -------
        pandas.DataFrame
            ``ref`` (the cause), ``predicate``, ``effect``, ``requirement``, ``title``, ``outcome`` (``holds``, ``fails``,
            ``undetermined``), ``status``, ``grade`` (the weakest of the evidence used), ``why`` (the comparison made),
            ``needed`` (what would decide it), ``cites``, ``policy_version``.
        """
        rows = [
            {**item, "ref": hop["cause"], "predicate": hop["predicate"], "effect": hop["effect"]}
            for hop in self._content["hops"]
            for item in hop["requirements"]
            if item["required"]
        ]
        return self._table(rows, _REQUIREMENTS)

    def evidence(self) -> pd.DataFrame:
        """Every gate result about anything that was reached.

        Returns
        -------
        pandas.DataFrame
            ``ref`` (the subject), ``gate``, ``gate_type``, ``status``, ``grade``, ``expected``, ``actual``, ``evaluator``,
            ``event_time``, ``pointer``, ``system``, ``position``.
        """
        rows = [{**row, **(row["source"] or {}), "ref": row["subject"]} for row in self._content["evidence"]]
        return self._table(rows, _EVIDENCE)

    def findings(self) -> pd.DataFrame:
        """Gaps, contradictions and cautions, most severe first.

        Returns
        -------
        pandas.DataFrame
            ``ref``, ``severity`` (``error``, ``warning``, ``info``), ``code``, ``message``.
        """
        return self._table(self._content["findings"], _FINDINGS)

    def to_graphviz(self) -> graphviz.Digraph:
        """The trace as a ``graphviz.Digraph`` with every label escaped."""
        drawing: graphviz.Digraph = self._view("graphviz")(self.to_dict())
        return drawing

    def _view(self, name: str) -> Callable[..., Any]:
        try:
            point = _views()[name]
        except KeyError as error:
            raise LineageError(f"no view writes {name!r}; there are: {', '.join(sorted(_views()))}") from error
        view: Callable[..., Any] = point.load()
        return view

    def save(self, path: str | Path) -> Path:
        """Write the audit as a document; the suffix says which.

        Parameters
        ----------
        path : str or Path
            ``.html`` (interactive, offline), ``.json``, ``.svg``, ``.md``, ``.sarif`` or ``.xml`` (JUnit).

        Returns
        -------
        Path
            Where it was written.

        Raises
        ------
        LineageError
            When no view writes that suffix, or the file cannot be written.
        """
        target = Path(path)
        form = target.suffix.removeprefix(".") or "html"
        documents = sorted(set(_views()) - _NOT_DOCUMENTS)
        if form not in documents:
            raise LineageError(f"no view writes {target.suffix!r}; there are: {', '.join(documents)}")
        text = self._view(form)(self.to_dict())
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise LineageError(f"{str(path)!r} cannot be written: {error.strerror}") from error
        return target

    def widget(self) -> Any:
        """The interactive trace; its ``selected`` can be observed and set."""
        return self._view("widget")(self)

    def _ipython_display_(self) -> None:
        self._view("display")(self)
