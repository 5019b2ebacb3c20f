"""The source ``records``: files, folders and DataFrames of rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ...errors import InvalidRecord, LineageError, SourceError, UnknownFormat
from ...records import Agent, Entity, Evidence, Record, Ref, Relation
from ...redaction import redact_text
from ..documents import excerpt, files_at, printable
from ..protocol import Observation, Rejected
from .convenience import AGENTS, read_row
from .rows import SUFFIXES, Row, rows_of_file, rows_of_frame
from .shapes import looks_like_row

if TYPE_CHECKING:
    import pandas as pd

# A broken first line must not hide what a file is.
_ROWS_TO_RECOGNISE = 20


class NeutralSource:
    """Reads the project's own record format.

    Parameters
    ----------
    location : str
        A ``.jsonl``, ``.ndjson``, ``.json`` or ``.csv`` file, or a folder of them.
    namespace : str, optional
        Put before names of endpoints, deployments and datasets that carry none.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame([{"type": "dataset", "dataset": "customers@2026-07"}])
    >>> [item.record.ref for item in NeutralSource.from_frame(frame).read()]
    ['dataset:customers@2026-07']
    """

    name: ClassVar[str] = "records"
    summary: ClassVar[str] = "lineage-explorer's own rows: JSON Lines, JSON, CSV, or a DataFrame"

    def __init__(self, location: str, *, namespace: str | None = None) -> None:
        self._path = str(location)
        self.location = redact_text(self._path)
        self.namespace = namespace or ""
        self._frame: pd.DataFrame | None = None
        #: A file is read to its end; a DataFrame is whatever somebody selected.
        self.enumerated: frozenset[str] = frozenset()

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, namespace: str | None = None, name: str = "frame") -> NeutralSource:
        """Read the rows of a DataFrame: one row, one fact, a column ``type``.

        Parameters
        ----------
        frame : pandas.DataFrame
            Missing values are absent; times must have a time zone.
        namespace : str, optional
            As for a file.
        name : str
            What positions begin with.
        """
        made = cls(name, namespace=namespace)
        made._frame = frame
        return made

    @classmethod
    def recognises(cls, location: str) -> bool:
        """Whether a file, or one in the folder, holds rows of a known type."""
        try:
            files = [item for item in files_at(location, SUFFIXES) if item[0].suffix.lower() in SUFFIXES]
            return any(_holds_rows(path, name) for path, name in files)
        except (LineageError, OSError):
            return False

    def read(self) -> Iterator[Observation | Rejected]:
        """Every record, and every row that is none with its reason.

        Endpoints and agents that rows only name are described last, unless a record of their own was
        among the rows.
        """
        self.enumerated = frozenset()
        named: dict[str, str] = {}
        described: set[str] = set()
        anything = False
        for row in self._rows():
            anything = True
            if isinstance(row, Rejected):
                yield row
                continue
            try:
                records, seen = read_row(row, self.namespace)
            except InvalidRecord as error:
                yield Rejected(reason=error.reason, position=error.position or row.position, excerpt=excerpt(row.text))
                continue
            for record in records:
                if isinstance(record, (Entity, Agent)):
                    described.add(record.ref)
                elif row.values["type"] in ("deployment", "gate", "dataset"):
                    for ref in _names(record):
                        named.setdefault(ref, row.position)
                yield Observation(record=record, position=row.position, observed_at=seen)
        if not anything:
            raise UnknownFormat(
                f"there are no rows at {printable(self.location)!r}: expected {', '.join(SUFFIXES)} with a row of a known type"
            )
        for text, position in named.items():
            if text not in described:
                agent = Ref.parse(text).kind in AGENTS
                yield Observation(record=Agent(ref=text) if agent else Entity(ref=text), position=position)
        if self._frame is None:
            self.enumerated = frozenset({""})

    def _rows(self) -> Iterator[Row | Rejected]:
        if self._frame is not None:
            yield from rows_of_frame(self._frame, self._path)
            return
        alone = Path(self._path).is_file()
        for path, name in files_at(self._path, SUFFIXES):
            try:
                if alone or _holds_rows(path, name):
                    yield from rows_of_file(path, name)
                else:
                    yield Rejected(reason="the file holds no rows of a known type", position=name)
            except OSError as error:
                if alone:
                    raise SourceError(f"{printable(self.location)!r} cannot be read: {error.strerror}") from error
                yield Rejected(reason=f"the file cannot be read: {error.strerror}", position=name)


def _holds_rows(path: Path, name: str) -> bool:
    rows = islice(rows_of_file(path, name), _ROWS_TO_RECOGNISE)
    return any(isinstance(row, Row) and looks_like_row(row.values) for row in rows)


def _names(record: Record) -> Iterator[str]:
    """Things that exist because a row names them: the endpoint that is served, whoever did or judged it."""
    if isinstance(record, Relation):
        if record.predicate == "serves":
            yield record.effect
        elif record.predicate == "was_associated_with":
            yield record.cause
    elif isinstance(record, Evidence) and record.evaluator:
        yield record.evaluator
