"""A source whose content a test decides, and a model of what a store must answer, too simple to be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from lineage_explorer.records import Record
from lineage_explorer.sources import Observation, Rejected


class Snapshot:
    """Shows what it was given, as a registry that is read in full does.

    Parameters
    ----------
    items : iterable
        Records, observations or rejections; those of ``parts`` when it is a mapping from part to items.
    whole : bool
        Whether the source can say that it showed everything.
    """

    name: ClassVar[str] = "snapshot"
    summary: ClassVar[str] = "a test's source"

    def __init__(
        self,
        items: Iterable[Record | Observation | Rejected] | Mapping[str, Iterable[Record]],
        *,
        location: str = "registry",
        whole: bool = True,
        fails: bool = False,
    ) -> None:
        self.location, self.namespace = location, ""
        self.items: Any = items
        self.enumerated: frozenset[str] = frozenset()
        self._whole, self._fails = whole, fails

    @classmethod
    def recognises(cls, location: str) -> bool:
        return False

    def read(self) -> Iterator[Observation | Rejected]:
        self.enumerated = frozenset()
        parts = self.items if isinstance(self.items, Mapping) else {"": self.items}
        for part, items in parts.items():
            for number, item in enumerate(items):
                if isinstance(item, (Observation, Rejected)):
                    yield item
                else:
                    yield Observation(record=item, position=f"item/{number}", part=part)
        if self._fails:
            raise OSError("the registry went away")
        if self._whole:
            self.enumerated = frozenset(parts)
