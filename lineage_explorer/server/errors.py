"""What goes wrong, as HTTP says it: one table from exceptions to statuses, and the body that every failure has."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tornado.web import HTTPError

from ..errors import (
    AmbiguousReference,
    InvalidQuestion,
    InvalidRecord,
    InvalidTreeHead,
    LineageError,
    LocationNotFound,
    MissingDependency,
    NotAStore,
    PolicyError,
    ReferenceFailed,
    SourceError,
    StoreError,
    StoreNotFound,
    StoreTooNew,
    StoreTooOld,
    UnknownFormat,
    UnsupportedVersion,
)


class InvalidParameter(LineageError):
    """A parameter is missing, unknown, or not what was expected."""


class PlaceRefused(LineageError):
    """A store or a source lies where this server may not open it."""


class UnknownIngest(LineageError):
    """There is no ingest of this id, or it ended so long ago that it was forgotten."""


class IngestRunning(LineageError):
    """The same source is being read into the same store already."""


class TooManyIngests(LineageError):
    """As many ingests run as may run at once."""


class Cancelled(LineageError):
    """Nobody waits for the answer any more."""


#: The one place that says which status an exception becomes. The nearest class in its ancestry counts, so that a
#: new exception below these has a status too; one that is not below any of them is a fault of ours.
STATUS: Mapping[type[BaseException], int] = {
    InvalidParameter: 400,
    InvalidQuestion: 400,
    InvalidRecord: 400,
    InvalidTreeHead: 400,
    PolicyError: 400,
    PlaceRefused: 403,
    ReferenceFailed: 404,
    AmbiguousReference: 409,
    UnknownIngest: 404,
    IngestRunning: 409,
    TooManyIngests: 429,
    Cancelled: 499,
    StoreError: 503,
    StoreNotFound: 404,
    NotAStore: 422,
    StoreTooNew: 409,
    StoreTooOld: 409,
    SourceError: 502,
    LocationNotFound: 404,
    UnknownFormat: 422,
    UnsupportedVersion: 422,
    MissingDependency: 501,
}
#: Statuses that HTTP itself has no words for; nginx's word for a client that left.
REASONS = {499: "Client Closed Request"}


class Failure(NamedTuple):
    """A failure as it is told: to the client, and to the log where it is ours.

    Attributes
    ----------
    logged : str
        Empty unless the failure was not foreseen; begins with the reference that the client was given.
    """

    status: int
    body: dict[str, Any]
    logged: str = ""


def failure_of(error: BaseException, clean: Callable[[str], str]) -> Failure:
    """What a client is told about an exception.

    Parameters
    ----------
    error : BaseException
        What was raised.
    clean : callable
        Takes the secrets out of a text.

    Examples
    --------
    >>> failure_of(StoreNotFound("there is no store at 'x.db'"), str).status
    404
    """
    name = type(error).__name__
    if isinstance(error, HTTPError):
        message = (error.log_message or "") % error.args  # tornado fills them in when it logs
        return Failure(error.status_code, {"error": name, "message": clean(message or error.reason or str(error))})
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
    if status is None:
        return unforeseen(name, "".join(traceback.format_exception(error)), clean)
    body: dict[str, Any] = {"error": name, "message": clean(str(error))}
    if isinstance(error, ReferenceFailed):
        body["near"] = [clean(item) for item in error.candidates]
    return Failure(status, body)


def unforeseen(name: str, trace: str, clean: Callable[[str], str]) -> Failure:
    """A fault of ours: the client is told where to look for it, and the log what it was."""
    reference = secrets.token_hex(4)
    return Failure(
        500,
        {
            "error": name,
            "message": f"Something went wrong that was not foreseen. The server's log tells it under {reference}; "
            "please report it.",
            "reference": reference,
        },
        f"lineage-explorer {reference}: {clean(trace)}",
    )
