"""Gate evidence in tags, by the same convention as on MLflow's versions: ``gate.<name>.status`` and its fields."""

from __future__ import annotations

from collections.abc import Iterator

from ...records import Record, Ref
from ..documents import printable
from ..protocol import Rejected
from .fields import as_text
from .things import Thing

_BARE = frozenset(["approved", "rejected", "pending"])


def gate_records(thing: Thing) -> Iterator[Record | Rejected]:
    """The gates in the tags of a model, job or data asset.

    Nothing can be recomputed: these records hold no dated metric points. A tag with a threshold and a run is
    therefore never taken at its word.
    """
    tags = {printable(key): printable(as_text(value)) for key, value in thing.fields.mapping("tags").items()}
    bare = thing.kind == "model"
    if not any(key.startswith("gate.") or (bare and value.lower() in _BARE) for key, value in tags.items()):
        return
    # Imported here: most records carry no gates, and the rules stand in another source.
    from ..mlflow.gates import claims, evidence
    from ..mlflow.names import Names as MLflowNames

    names = MLflowNames(Ref.parse(thing.ref).namespace)
    problems: list[Rejected] = []
    for claim in claims(thing.ref, tags, thing.position, bare=bare):
        if claim.run_id:
            # Ids are compared without regard to case.
            claim.fields["run_id"] = claim.run_id.lower()
        yield evidence(claim, names, (), False, problems)
    yield from problems
