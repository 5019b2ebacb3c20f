"""Two audits side by side."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..documents import Documented, location_of
from ..errors import InvalidQuestion
from ..policy import Policy
from .aligning import align
from .asking import Asked, asked_again, contents
from .differing import differences
from .lineages import Lineage
from .rows import ASPECTS
from .standing import only
from .summing import summary_of

if TYPE_CHECKING:
    import pandas as pd

    from ..store import Store

FORMAT = "lineage-explorer/comparison"
_COLUMNS = ("id", "aspect", "subject", "name", "change", "a", "b", "delta", "better", "a_ref", "b_ref", "note")


class Comparison(Documented):
    """What differs between two audits: made by :func:`compare`.

    Its differences are facts on record. What is not on record of one side is told as such, and never taken for the same.
    """

    def __repr__(self) -> str:
        count = len(self._content["differences"])
        told = "no difference" if self.same else f"{count} difference{'s' * (count != 1)}"
        return f"<Comparison of {self._content['a']['asked']} and {self._content['b']['asked']}: {told}>"

    @property
    def same(self) -> bool:
        """Whether nothing at all differs."""
        return bool(self._content["same"])

    @property
    def summary(self) -> str:
        """A few sentences made from the differences alone."""
        return " ".join(self._content["summary"])

    def differences(self, aspect: str | None = None) -> pd.DataFrame:
        """The differences, from a to b.

        Parameters
        ----------
        aspect : str, optional
            Only those of one aspect: ``data``, ``schema``, ``parameter``, ``metric``, ``gate``, ...

        Returns
        -------
        pandas.DataFrame
            ``id``, ``aspect``, ``subject`` (what it is about), ``name`` (of the parameter, column, package, gate), ``change``
            (``added``, ``removed``, ``changed``), ``a`` and ``b`` (the values; None where there is none), ``delta`` (b - a, of
            numbers, in their own unit), ``better`` (None where nothing says which way is better), ``a_ref``, ``b_ref``, ``note``.

        Raises
        ------
        InvalidQuestion
            When there is no such aspect.
        """
        import pandas as pd

        if aspect is not None and aspect not in ASPECTS:
            raise InvalidQuestion(f"no aspect {aspect!r}; there are: {', '.join(ASPECTS)}")
        rows = [row for row in self._content["differences"] if aspect in (None, row["aspect"])]
        return pd.DataFrame([[row[name] for name in _COLUMNS] for row in rows], columns=list(_COLUMNS), dtype=object)

    def pairs(self) -> pd.DataFrame:
        """What stands at the same place on both sides.

        Returns
        -------
        pandas.DataFrame
            ``a``, ``b`` (references) and ``changed``: whether a difference is told about the pair.
        """
        import pandas as pd

        return pd.DataFrame(self._content["pairs"], columns=["a", "b", "changed"])


def compare(
    a: Asked,
    b: Asked,
    store: Store | None = None,
    policy: str | Path | Policy | None = None,
    known_at: datetime | str | None = None,
) -> Comparison:
    """What differs between two endpoints, two versions of a model, or one of them at two instants?

    The two lineages are walked upstream in step; what stands at the same place is compared.

    Parameters
    ----------
    a, b : Audit, dict or str
        An audit, what ``Audit.to_dict()`` gave, or a text: an endpoint (a reference or a plain name) or a version of a
        model, ``model:churn@3`` or ``model:churn~champion``. ``@@`` and an instant behind it ask for that instant, else now.
    store : Store, optional
        Needed where a side is a text.
    policy : str, Path or Policy, optional
        By which texts are judged; ``default`` by default.
    known_at : datetime or str, optional
        Only what the store knew by then, for texts.

    Returns
    -------
    Comparison
        The differences, what stands where, and a summary.

    Raises
    ------
    InvalidQuestion
        When a side cannot be compared; says what can.
    UnknownReference, AmbiguousReference, InvalidInstant, PolicyError
        As :func:`lineage_explorer.audit`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from lineage_explorer import Entity, open_store
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append(
    ...         Entity(ref=f"model:churn@{version}", attributes={"params": {"C": str(10**version)}}) for version in (1, 2)
    ...     )
    ...     found = compare("model:churn@1", "model:churn@2", store)
    >>> found.differences("parameter")[["name", "a", "b", "delta"]].values.tolist()
    [['C', '10', '100', 90]]
    """
    sides = contents([a, b], store, policy, known_at)
    return Comparison(_content(*sides), None if store is None else location_of(store))


def _content(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    first, second = Lineage(a), Lineage(b)
    if bool(first.candidate) != bool(second.candidate):
        (second if first.candidate else first).pass_over_release()
    found = align(first, second)
    told = differences(first, second, found)
    changed = {(item.a_ref, item.b_ref) for item in told}
    return {
        "format": FORMAT,
        "a": _side(a),
        "b": _side(b),
        "same": not told,
        "summary": summary_of(first, second, told),
        "differences": [item.row(number) for number, item in enumerate(told, 1)],
        "pairs": [{"a": left, "b": right, "changed": (left, right) in changed} for left, right in found.pairs()],
        "only_a": only(first, found, "a"),
        "only_b": only(second, found, "b"),
    }


def _side(content: dict[str, Any]) -> dict[str, Any]:
    title, asked = asked_again(content)
    return {"title": title, "asked": asked, "audit": content}
