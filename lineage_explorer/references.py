"""References and instants: what a record says *which* and *when* with."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

from .errors import InvalidInstant, InvalidRef

# --- time -----------------------------------------------------------------------------------


def parse_instant(text: str | datetime, position: str = "") -> datetime:
    """Read an instant as aware UTC.

    Parameters
    ----------
    text : str or datetime
        ISO 8601 / RFC 3339 with a time zone, or an aware datetime. Fractions finer than a
        microsecond are cut (Azure prints seven digits).
    position : str, optional
        Where the text stands, for the error.

    Returns
    -------
    datetime
        Aware, in UTC.

    Raises
    ------
    InvalidInstant
        When the text is no instant, or names no time zone: a naive time is a guess.

    Examples
    --------
    >>> parse_instant("2026-03-01T12:00:00+02:00").isoformat()
    '2026-03-01T10:00:00+00:00'
    """
    if isinstance(text, datetime):
        value = text
    else:
        try:
            value = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.strip()))
        except ValueError as error:
            raise InvalidInstant(
                f"{text[:80]!r} is not an ISO 8601 time like 2026-03-01T12:00:00Z", position
            ) from error
    if value.tzinfo is None:
        raise InvalidInstant(f"{str(text)[:80]!r} has no time zone; write 2026-03-01T12:00:00Z or ...+01:00", position)
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise InvalidInstant(f"{str(text)[:80]!r} is outside the calendar", position) from error


def format_instant(value: datetime) -> str:
    """Write an instant as RFC 3339 UTC, with a ``Z`` and no trailing zeros.

    Examples
    --------
    >>> format_instant(parse_instant("2026-03-01T12:00:00.500+00:00"))
    '2026-03-01T12:00:00.5Z'
    """
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros_of(when: datetime) -> int:
    """An instant as whole microseconds since 1970 UTC: how stores and reasoning hold time, exact and comparable."""
    return (when - _EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=8_192)
def micros(text: str) -> int:
    """An RFC 3339 text, as records carry it, in microseconds since 1970 UTC.

    Examples
    --------
    >>> micros("1970-01-01T00:00:01.5Z")
    1500000
    """
    return micros_of(datetime.fromisoformat(text))


def from_micros(instant: int) -> str:
    """Microseconds since 1970 UTC as RFC 3339 text.

    Raises
    ------
    OverflowError
        When no calendar has that instant.

    Examples
    --------
    >>> from_micros(1_500_000)
    '1970-01-01T00:00:01.5Z'
    """
    return format_instant(_EPOCH + timedelta(microseconds=instant))


# --- references -----------------------------------------------------------------------------

_KIND = re.compile(r"[a-z][a-z0-9_]*\Z")
_RESERVED = frozenset("%/@~")


def _quote(text: str) -> str:
    # Only what the grammar needs, and what could hide in a line of text (controls, spaces,
    # direction marks), is encoded: names in any script stay readable.
    if text.isascii() and text.replace("-", "").replace("_", "").replace(".", "").isalnum():
        return text
    return "".join(
        "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
        if char in _RESERVED or unicodedata.category(char)[0] in "CZ"
        else char
        for char in text
    )


def _unquote(text: str, whole: str) -> str:
    if "%" not in text:
        return text
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise InvalidRef(f"{whole[:120]!r}: '%' must be followed by two hexadecimal digits (write %25 for '%')")
    raw = re.sub(
        rb"%([0-9A-Fa-f]{2})",
        lambda match: bytes([int(match[1], 16)]),
        text.encode("utf-8", "surrogatepass"),
    )
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise InvalidRef(f"{whole[:120]!r}: the percent-encoding is not UTF-8") from error


class Ref(msgspec.Struct, frozen=True, order=True):
    """The identity of a thing: ``kind:[namespace/]name[@version|~alias]``.

    Parameters
    ----------
    kind : str
        ``endpoint``, ``deployment``, ``model``, ``dataset``, ``run``, ``prompt``, ...
    name : str
        The name in its system, any text.
    version : str
        An immutable version or digest; empty when the thing has none.
    namespace : str
        The system instance that issued the name; empty in neutral records, where it is looked up.
    alias : str
        A pointer that moves (``champion``, ``latest``); never together with ``version``.

    Examples
    --------
    >>> Ref.parse("model:prod/churn@3")
    Ref(kind='model', name='churn', version='3', namespace='prod', alias='')
    >>> str(Ref("dataset", "a/b c", "sha256:00ff"))
    'dataset:a%2Fb%20c@sha256:00ff'
    """

    kind: str
    name: str
    version: str = ""
    namespace: str = ""
    alias: str = ""

    def __post_init__(self) -> None:
        if not _KIND.match(self.kind):
            raise InvalidRef(f"kind {self.kind[:80]!r} must be lower-case letters, digits and '_'")
        if not self.name:
            raise InvalidRef(f"a reference of kind {self.kind!r} needs a name")
        if self.version and self.alias:
            raise InvalidRef(f"{self.name[:80]!r} cannot have both a version and an alias")
        try:
            "".join((self.name, self.version, self.namespace, self.alias)).encode()
        except UnicodeEncodeError as error:  # half a surrogate pair: no file or database could hold it
            raise InvalidRef(f"{self.name[:80]!r} holds text that is not Unicode (a lone surrogate)") from error

    def __str__(self) -> str:
        return f"{self.kind}:{self.namespace and _quote(self.namespace) + '/'}{self._tail()}"

    def _tail(self) -> str:
        tail = _quote(self.name)
        if self.version:
            tail += "@" + _quote(self.version)
        elif self.alias:
            tail += "~" + _quote(self.alias)
        return tail

    @property
    def bare(self) -> str:
        """The text form without the namespace, as people say it: ``model:churn@3``."""
        return f"{self.kind}:{self._tail()}"

    def at(self, version: str) -> Ref:
        """The same name at a version."""
        return Ref(self.kind, self.name, version, self.namespace)

    @classmethod
    @lru_cache(16_384)  # records repeat each other's references
    def parse(cls, text: str) -> Ref:
        """Read the text form; the inverse of ``str(ref)``.

        Raises
        ------
        InvalidRef
            When the text does not follow the grammar.
        """
        kind, colon, rest = text.partition(":")
        if not colon:
            raise InvalidRef(f"{text[:120]!r} is not a reference; write kind:name@version, e.g. model:churn@3")
        head, slash, tail = rest.partition("/")
        namespace, tail = (head, tail) if slash else ("", head)
        if "/" in tail or (slash and not namespace):
            raise InvalidRef(f"{text[:120]!r}: write '/' inside a name as %2F")
        version = alias = ""
        if "@" in tail:
            tail, _, version = tail.partition("@")
            if not version:
                raise InvalidRef(f"{text[:120]!r}: nothing follows '@'")
        elif "~" in tail:
            tail, _, alias = tail.partition("~")
            if not alias:
                raise InvalidRef(f"{text[:120]!r}: nothing follows '~'")
        if any(mark in part for mark in "@~" for part in (namespace, tail, version, alias)):
            raise InvalidRef(f"{text[:120]!r}: write '@' and '~' inside a name as %40 and %7E")
        return cls(kind, *(_unquote(part, text) for part in (tail, version, namespace, alias)))
