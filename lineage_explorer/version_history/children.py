"""What came of the versions of a name under any name: copies, fine-tunings and whatever else a run made from them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..lives import Name
from ..roles import RELEASED_KINDS
from .tree import JUDGING, Child, Own, how_derived, how_used

if TYPE_CHECKING:
    from ..store import Edge, Store


class Children:
    """One step downstream, through a run and a logged model at most.

    Parameters
    ----------
    own : mapping
        What stands for each version, by reference.
    registered : mapping
        The one version that a logged model was registered as, where there is one.

    Attributes
    ----------
    found : list of Child
        In no order.
    records : dict
        What describes the things between, by reference.
    """

    def __init__(
        self,
        store: Store,
        name: Name,
        own: Mapping[str, Own],
        registered: Mapping[str, str],
        as_of: datetime,
        known_at: datetime,
    ) -> None:
        self._store, self._asked = store, (as_of, known_at)
        mine = {number: version.ref for version in name.versions for number in version.numbers}
        # What several versions were registered from is nobody's in particular.
        logged = {ref: one.ref for one in own.values() for ref in one.sure if registered.get(ref) == one.ref}
        mine |= {number: logged[ref] for ref, number in store.numbers(logged).items()}
        self._themselves = {ref for one in own.values() for ref in (one.ref, *one.logged)}
        derived = self._effects(mine, "was_derived_from")
        readers = [edge for edge in self._effects(mine, "used") if edge.role.casefold() not in JUDGING]
        written = self._effects({edge.effect for edge in readers}, "was_generated_by")
        self._named = store.nodes({edge.effect for edge in (*derived, *readers, *written)}, *self._asked)
        self._versions = self._registered_from({edge.effect for edge in (*derived, *written)})
        facts = {node.ref: node.fact for node in self._named.values() if node.fact is not None}
        described = {seq: json.loads(item.json) for seq, item in store.describe(facts.values()).items()}
        self.records: dict[str, Mapping[str, Any]] = {ref: described[fact] for ref, fact in facts.items()}
        self.found: list[Child] = []
        made = self._made({edge.effect for edge in derived})
        for edge in derived:
            self._add(mine[edge.cause], edge.effect, how_derived(edge.role, edge.basis, made=edge.effect in made))
        by_run: dict[int, set[int]] = defaultdict(set)
        for edge in written:
            by_run[edge.cause].add(edge.effect)
        for edge in readers:
            activity = self.records.get(self._named[edge.effect].ref, {}).get("activity", "")
            if activity != "evaluation":
                for product in by_run[edge.effect]:
                    self._add(mine[edge.cause], product, how_used(edge.role, trained=activity == "training"))

    def _add(self, parent: str, product: int, how: str) -> None:
        for number in self._versions.get(product) or [product]:
            node = self._named[number]
            # A logged model of the name's own is told as the version that was registered from it.
            if (
                node.kind in RELEASED_KINDS
                and node.ref != parent
                and (number != product or node.ref not in self._themselves)
            ):
                self.found.append(Child(parent, node.ref, how))

    def _effects(self, numbers: Iterable[int], predicate: str) -> list[Edge]:
        return self._store.beside(list(numbers), predicate, *self._asked, effects=False)

    def _registered_from(self, products: Iterable[int]) -> dict[int, list[int]]:
        """The versions that logged models among some things were registered as."""
        logged = {number for number in products if self._named[number].kind == "logged_model"}
        edges = [edge for edge in self._effects(logged, "was_derived_from") if not edge.role]
        self._named |= self._store.nodes({edge.effect for edge in edges}, *self._asked)
        found: dict[int, list[int]] = defaultdict(list)
        for edge in edges:
            if self._named[edge.effect].kind in RELEASED_KINDS:
                found[edge.cause].append(edge.effect)
        return found

    def _made(self, numbers: set[int]) -> set[int]:
        """Those things that a run made, or that were registered from what a run logged."""
        made = {edge.effect for edge in self._store.beside(numbers, "was_generated_by", *self._asked, effects=True)}
        derived = self._store.beside(numbers, "was_derived_from", *self._asked, effects=True)
        causes = self._store.nodes({edge.cause for edge in derived}, *self._asked)
        return made | {edge.effect for edge in derived if causes[edge.cause].kind == "logged_model"}
