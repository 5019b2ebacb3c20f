"""References, times and words that MLflow rows are translated with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import get_args

from ...errors import InvalidInstant, InvalidRef
from ...records import Basis, GateType, Ref, Status, parse_instant
from ...redaction import redact_text
from ..protocol import Rejected

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Kinds that an MLflow instance issues names for: written without a namespace they are its own.
_OWN_KINDS = frozenset(
    ["dataset", "index", "feature_set", "prompt", "model", "ai_agent", "logged_model", "run", "experiment"]
)
_ROLES = {
    "train": "training",
    "training": "training",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
    "eval": "evaluation",
    "evaluation": "evaluation",
    "rag": "retrieval",
    "retrieval": "retrieval",
}
#: Roles of data that judges a model.
JUDGING = frozenset(["evaluation", "test", "validation"])
_STATUSES: dict[str, Status] = {
    **dict.fromkeys(("passed", "pass", "approved", "ok", "true"), "passed"),
    **dict.fromkeys(("failed", "fail", "rejected", "denied", "false"), "failed"),
    "pending": "pending",
    "waived": "waived",
    "stale": "stale",
}
_GATE_TYPES: dict[str, GateType] = {name: name for name in get_args(GateType)}


@lru_cache(maxsize=16384)
def _ref(namespace: str, kind: str, name: str, version: str, alias: str) -> str:
    return str(Ref(kind, redact_text(name), redact_text(version), namespace, alias))


class Names:
    """Writes references of one MLflow instance.

    Names are redacted first: a dataset may be called by a URL with a signature in it, and inside a
    reference (percent-encoded) no rule would find it again.
    """

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self._run_prefix = str(Ref("run", "x", "", namespace))[:-1]
        self._model_prefix = str(Ref("logged_model", "x", "", namespace))[:-1]

    def ref(self, kind: str, name: str, version: str = "", alias: str = "") -> str:
        """A reference in this instance."""
        return _ref(self.namespace, kind, name, version, alias)

    def run(self, run_id: str) -> str:
        """The reference of a run."""
        return self._issued(self._run_prefix, "run", run_id, run_id)

    def logged_model(self, model_id: str) -> str:
        """The reference of a logged model."""
        return self._issued(self._model_prefix, "logged_model", model_id, model_id.removeprefix("m-"))

    def _issued(self, prefix: str, kind: str, name: str, digits: str) -> str:
        # Ids as MLflow issues them need no quoting and have no secret's shape; there are many of them.
        if len(digits) == 32 and digits.isascii() and digits.isalnum() and (digits.islower() or digits.isdigit()):
            return prefix + name
        return self.ref(kind, name)

    def own(self, ref: Ref) -> Ref:
        """A reference as somebody wrote it in a tag, placed in this instance if it belongs there."""
        if ref.namespace or ref.kind not in _OWN_KINDS:
            return ref
        return Ref(ref.kind, ref.name, ref.version, self.namespace, ref.alias)

    def listed(self, text: str, position: str) -> Iterator[Ref | Rejected]:
        """Read references parted by white space."""
        for word in text.split():
            try:
                yield self.own(Ref.parse(redact_text(word)))
            except InvalidRef as error:
                yield Rejected(reason=error.reason, position=position, excerpt=word[:2000])


def role_of(text: str) -> str:
    """The role in our words; an unknown one stays as it was written.

    Examples
    --------
    >>> role_of("Train"), role_of("holdout")
    ('training', 'holdout')
    """
    word = text.strip().lower()
    return _ROLES.get(word, word)


def status_of(text: str) -> Status:
    """A gate's status from a word; what is not understood is ``undetermined``.

    Examples
    --------
    >>> status_of("Approved"), status_of("yes?")
    ('passed', 'undetermined')
    """
    return _STATUSES.get(text.strip().lower(), "undetermined")


def gate_type_of(text: str) -> GateType | None:
    """The type of a gate, or None for a word that is none."""
    word = text.strip().lower().replace("-", "_").replace(" ", "_")
    return _GATE_TYPES.get(word)


def basis_of(version: str) -> Basis:
    """How firmly a reference with this version names its thing."""
    if version.startswith("sha256:"):
        return "content_hash"
    return "name_version" if version else "declared"


def instant(milliseconds: int | None, position: str, problems: list[Rejected]) -> datetime | None:
    """Milliseconds since 1970 as aware UTC; None, and a problem noted, when they leave the calendar.

    Examples
    --------
    >>> instant(1_750_000_000_123, "", []).isoformat()
    '2025-06-15T15:06:40.123000+00:00'
    """
    if milliseconds is None:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        problems.append(
            Rejected(
                reason=f"{milliseconds} ms since 1970 is outside the calendar; the time is left out",
                position=position,
                excerpt=str(milliseconds),
            )
        )
        return None


def written_instant(text: str, position: str, problems: list[Rejected]) -> datetime | None:
    """A time in a tag as aware UTC; None, and a problem noted, when it is unreadable or names no zone."""
    if not text:
        return None
    try:
        return parse_instant(text, position)
    except InvalidInstant as error:
        problems.append(Rejected(reason=error.reason, position=position, excerpt=text[:2000]))
        return None


# Of MLflow's own tags only these say something about provenance that no record field holds; the rest
# is its user interface talking to itself, and some of it is large.
_TELLING = (
    "mlflow.source.",
    "mlflow.project.",
    "mlflow.docker.",
    "mlflow.databricks.notebook",
    "mlflow.databricks.job",
    "mlflow.databricks.workspace",
    "mlflow.autologging",
)


def shown_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags worth keeping beside a record."""
    return {
        key: value
        for key, value in tags.items()
        if not key.startswith(("mlflow.", "_mlflow")) or key.startswith(_TELLING)
    }
