"""The exceptions of lineage-explorer: one tree, so that one ``except`` catches what a caller can act on.

::

    LineageError
    ├── InvalidRecord            a record breaks the format (says where)
    │   ├── InvalidRef           a reference is not ``kind:[namespace/]name[@version|~alias]``
    │   └── InvalidInstant       a time is unreadable, or has no time zone
    ├── InvalidTreeHead          a text is no tree head (``size:root``)
    ├── SourceError              a system's records cannot be read
    │   ├── UnknownFormat        no source recognises the location
    │   ├── LocationNotFound     the path or URL is not there (lists the nearest)
    │   ├── UnsupportedVersion   the format is known, this version of it is not
    │   └── SourceUnavailable    the system stopped answering in the middle
    ├── StoreError               the store cannot be opened or written
    │   ├── StoreNotFound        no store at this place (lists the nearest)
    │   ├── NotAStore            the file is something else
    │   ├── StoreTooNew          a newer lineage-explorer wrote it
    │   └── StoreTooOld          an older one wrote it, and it cannot be upgraded here
    ├── ReferenceFailed          a question names something the store cannot single out
    │   ├── UnknownReference     nothing of that name (lists the nearest)
    │   └── AmbiguousReference   more than one thing of that name (lists them)
    ├── InvalidQuestion          a question is asked with what it cannot be asked with (a depth of -1)
    ├── PolicyError              a policy file cannot be used
    └── MissingDependency        an optional part is not installed (says what to install)

A failed gate is not in this tree: it is a verdict, not an exception.
"""

from __future__ import annotations

from collections.abc import Sequence


class LineageError(Exception):
    """Base of everything lineage-explorer raises on purpose."""


class InvalidRecord(LineageError):
    """A record breaks the format.

    Parameters
    ----------
    reason : str
        What is wrong, in words a person can act on.
    position : str, optional
        Where: ``"line 7, column 12"``, ``"$.traffic"`` or a table and key.
    """

    def __init__(self, reason: str, position: str = "") -> None:
        self.reason = reason
        self.position = position
        super().__init__(f"{position}: {reason}" if position else reason)


class InvalidRef(InvalidRecord):
    """A reference does not follow ``kind:[namespace/]name[@version|~alias]``."""


class InvalidInstant(InvalidRecord):
    """A time cannot be read, or carries no time zone."""


class InvalidTreeHead(LineageError):
    """A text is no tree head as ``lineage-explorer checkpoint`` prints it."""


class SourceError(LineageError):
    """A system's records cannot be read."""


class UnknownFormat(SourceError):
    """No source recognises what is at a location."""


class LocationNotFound(SourceError):
    """A path or URL is not there."""


class UnsupportedVersion(SourceError):
    """The format is known; this version of it is not."""


class SourceUnavailable(SourceError):
    """A system stopped answering while it was read."""


class StoreError(LineageError):
    """A store cannot be opened or written."""


class StoreNotFound(StoreError):
    """There is no store at this place."""


class NotAStore(StoreError):
    """The file exists and is not a lineage-explorer store."""


class StoreTooNew(StoreError):
    """A newer lineage-explorer wrote this store; nothing was changed."""


class StoreTooOld(StoreError):
    """An older lineage-explorer wrote this store, and it may not be upgraded where it is."""


class ReferenceFailed(LineageError):
    """A question names something that the store cannot single out.

    Parameters
    ----------
    message : str
        The sentence shown to the user.
    candidates : sequence of str
        References the user may have meant, nearest first.
    """

    def __init__(self, message: str, candidates: Sequence[str] = ()) -> None:
        self.candidates = list(candidates)
        super().__init__(message)


class UnknownReference(ReferenceFailed):
    """Nothing of that name is in the store."""


class AmbiguousReference(ReferenceFailed):
    """More than one thing in the store has that name."""


class InvalidQuestion(LineageError):
    """A question is asked with something that it cannot be asked with; says what it takes."""


class PolicyError(LineageError):
    """A policy file cannot be used.

    Attributes
    ----------
    problems : tuple of (line, column, message)
        Each thing that is wrong; 0 where the place is not known.
    """

    def __init__(self, message: str, problems: Sequence[tuple[int, int, str]] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    @property
    def line(self) -> int:
        """Line of the first problem, counted from 1; 0 where it is not known."""
        return self.problems[0][0] if self.problems else 0

    @property
    def column(self) -> int:
        """Column of the first problem, counted from 1; 0 where it is not known."""
        return self.problems[0][1] if self.problems else 0


class MissingDependency(LineageError):
    """An optional part of lineage-explorer is not installed."""
