"""What writing to a store, reading a source again, and checking a store come to."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import NamedTuple

from .log import TreeHead

#: So many problems are told one by one; the rest is counted.
_SHOWN = 100


@dataclass(frozen=True)
class SyncResult:
    """What became of what was read; always ``read = stored + unchanged + quarantined``.

    Attributes
    ----------
    vanished : int
        What this source held before and holds no longer. It was not read, so it is not part of the sum.
    """

    read: int = 0
    stored: int = 0
    unchanged: int = 0
    quarantined: int = 0
    vanished: int = 0

    def __add__(self, other: SyncResult) -> SyncResult:
        return SyncResult(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))


class Retried(NamedTuple):
    """What reading a source again came to: how many records were stored, or why it could not be read."""

    system: str
    location: str
    stored: int
    error: str = ""


@dataclass(frozen=True)
class Problem:
    """Something that does not fit.

    Attributes
    ----------
    where : str
        ``record 17``, ``sync 3``, ``table edge``, ...
    message : str
        What is wrong, in a sentence that names the place.
    """

    where: str
    message: str


@dataclass
class Verification:
    """What checking a store came to.

    Attributes
    ----------
    head : TreeHead
        Recomputed from the entries.
    entries, syncs : int
        How many were checked.
    anchored : bool
        Whether the log was compared with a head that was kept elsewhere.
    problems : list of Problem
        The first hundred.
    count : int
        All problems.
    """

    head: TreeHead
    entries: int = 0
    syncs: int = 0
    anchored: bool = False
    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything fits."""
        return self.count == 0

    def __bool__(self) -> bool:
        return self.ok

    def add(self, where: str, message: str) -> None:
        """Note a problem."""
        self.count += 1
        if len(self.problems) < _SHOWN:
            self.problems.append(Problem(where, message))
