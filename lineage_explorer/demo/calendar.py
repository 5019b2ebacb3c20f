"""The played calendar: three months of moments, counted back from the day the demo is built."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

#: How many days before today the story begins.
FIRST_DAY = 91
#: "Last month" in the demo's questions.
LAST_MONTH = 30


@dataclass(frozen=True)
class Calendar:
    """Instants written as "so many days ago, at this hour", so that the story always ends yesterday.

    Parameters
    ----------
    until : datetime
        The present, aware. Everything in the story is earlier.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> Calendar(datetime(2026, 6, 30, 15, tzinfo=UTC)).ago(30, 12).isoformat()
    '2026-05-31T12:00:00+00:00'
    """

    until: datetime

    @property
    def today(self) -> datetime:
        """Midnight (UTC) of the day the demo is built."""
        return self.until.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    @property
    def last_month(self) -> datetime:
        """An instant about a month ago, when other versions were serving."""
        return self.ago(LAST_MONTH, 12)

    def ago(self, days: int, hour: int, minute: int = 0) -> datetime:
        """The instant ``days`` before today, at an hour (UTC)."""
        return self.today - timedelta(days=days) + timedelta(hours=hour, minutes=minute)

    def day(self, days: int) -> str:
        """The date of that day, as extracts and snapshots are labelled."""
        return self.ago(days, 0).date().isoformat()


@dataclass(frozen=True)
class Beat:
    """One moment of a story.

    Attributes
    ----------
    when : datetime
        When it begins.
    what : str
        What happens, for the progress display.
    play : callable
        Does it; it may move the clock forward, never back.
    sync : bool
        Whether lineage-explorer reads the estate once it is done.
    """

    when: datetime
    what: str
    play: Callable[[], None]
    sync: bool = False


def in_order(*stories: Iterable[Beat]) -> list[Beat]:
    """The beats of several stories as they happened."""
    return sorted((beat for story in stories for beat in story), key=lambda beat: beat.when)
