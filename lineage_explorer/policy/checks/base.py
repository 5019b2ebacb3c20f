"""What every check is, and the small types that their parameters are made of."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec
import re2

from ..facts import Need

if TYPE_CHECKING:
    from ..hop import Hop, Result

#: An RE2 expression that must match the whole text; linear in the text, whatever it is.
Pattern = Annotated[str, msgspec.Meta(min_length=1, description="RE2, matches the whole text")]
#: ``90d``: a number and h, d, w, m (months) or y.
Duration = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,4}[hdwmy]$", description="a number and h, d, w, m or y")]

_HOURS = {"h": 1, "d": 24, "w": 168}


class Check(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="check"
):
    """Something that can hold of a hop, fail, or not be determined."""

    #: What must be gathered beside the trace before it can judge.
    needs: ClassVar[frozenset[Need]] = frozenset()

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        raise NotImplementedError  # pragma: no cover - every check overrides it

    def words(self) -> str:
        """What it asks, in words."""
        raise NotImplementedError  # pragma: no cover - every check overrides it


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # it raises, and need not print as well
    return re2.compile(pattern, options)


def check_pattern(pattern: str) -> str:
    """What is wrong with an expression; empty when nothing is."""
    try:
        _compiled(pattern)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return ""


def matches(pattern: str, text: str) -> bool:
    """Whether an expression matches a whole text, in time linear in it.

    Raises
    ------
    re2.error
        When it is no RE2 expression.

    Examples
    --------
    >>> matches("^(a+)+$", "a" * 100_000 + "!")
    False
    """
    return _compiled(pattern).fullmatch(text) is not None


def before(instant: int, duration: str) -> int:
    """The instant that lies a duration earlier, in microseconds; months and years by the calendar.

    Examples
    --------
    >>> before(86_400_000_000, "1d")
    0
    """
    return _moved(instant, duration, -1)


def after(instant: int, duration: str) -> int:
    """The instant that lies a duration later, in microseconds; months and years by the calendar."""
    return _moved(instant, duration, 1)


def _moved(instant: int, duration: str, way: int) -> int:
    from datetime import UTC, datetime, timedelta

    from dateutil.relativedelta import relativedelta

    found = re.fullmatch(r"(\d+)([hdwmy])", duration)
    if found is None:
        raise ValueError(f"{duration!r} is no duration")
    number, unit = int(found[1]) * way, found[2]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    moment = epoch + timedelta(microseconds=instant)
    step = (
        timedelta(hours=number * _HOURS[unit])
        if unit in _HOURS
        else relativedelta(months=number if unit == "m" else 0, years=number if unit == "y" else 0)
    )
    try:
        return int((moment + step - epoch) / timedelta(microseconds=1))
    except (OverflowError, ValueError):  # before the first or after the last year that a calendar has
        return -(2**62) if way < 0 else 2**62


_UNITS = {"h": "hour", "d": "day", "w": "week", "m": "month", "y": "year"}


def in_words(duration: str) -> str:
    """A duration as people say it.

    Examples
    --------
    >>> in_words("7y"), in_words("1d")
    ('7 years', '1 day')
    """
    number, unit = duration[:-1], _UNITS[duration[-1]]
    return f"{number} {unit}{'s' * (number != '1')}"
