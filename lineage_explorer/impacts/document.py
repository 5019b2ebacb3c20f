"""The document of an impact: what was gathered downstream of a thing, put into rows, sentences and findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from ..content import iso
from ..descriptions import merge_descriptions
from ..graph import version_of
from ..records import BASES, Ref, format_instant
from ..roles import DATA_KINDS
from ..sentences import label_of, minute_of
from ..store.projection import STATE
from ..store.schema import ALWAYS, FOREVER
from .exposures import Piece, Window, at
from .reaching import Reaching
from .retraining import WEAK, Decision, counted, decide, gone_of, listed, worst
from .tainting import Tainted

Row = dict[str, Any]


class _Described(NamedTuple):
    """What describes a thing; an empty record when nothing does."""

    record: Mapping[str, Any]
    gone: bool


_NOTHING = _Described({}, False)


class Recall(Reaching):
    """One question of whom something reached, and its document."""

    # --- the document ---

    def content(self, limit: int | None) -> Row:
        """Everything but the format and the digest."""
        judging = Tainted(self._store, self._found, self._links, self._held, self._as_of, self._known_at)
        versions, between, counts = self._sorted_out()
        totals = {
            "versions": len(versions),
            "endpoints": len(self._endpoints),
            "evaluations": len(judging.runs),
            "derived": len(between),
        }
        shown = [
            self._nearest(versions, limit),
            self._endpoints[:limit],
            self._nearest(judging.runs, limit),
            self._nearest(between, limit),
        ]
        self._follow(shown[0], shown[1])
        self._describe(shown)
        version_rows = [self._version_row(number) for number in shown[0]]
        endpoint_rows = [self._endpoint_row(number) for number in shown[1]]
        evaluations = [
            {**row, "label": self._label(number)} for number, row in zip(shown[2], judging.rows(shown[2]), strict=True)
        ]
        root = self._refs[self._found.root]
        return {
            "question": {
                "ref": self._ref,
                "as_of": format_instant(self._as_of),
                "known_at": format_instant(self._known_at),
            },
            "root": root,
            "summary": self._summary(root, totals, version_rows, evaluations),
            "counts": dict(sorted(counts.items())),
            "versions": version_rows,
            "endpoints": endpoint_rows,
            "evaluations": evaluations,
            "derived": [
                {
                    "ref": self._refs[number],
                    "kind": self._kinds[number],
                    "label": self._label(number),
                    "strength": BASES[self._held[number][0].rank],
                }
                for number in shown[3]
            ],
            "beyond": {name: totals[name] - len(some) for name, some in zip(totals, shown, strict=True)},
            "findings": self._findings(shown, evaluations),
        }

    # --- what describes things ---

    def _describe(self, shown: Sequence[Sequence[int]]) -> None:
        versions, endpoints, evaluations, derived = shown
        wanted = {*versions, *evaluations, *endpoints}
        wanted |= {number for number in derived if self._kinds[number] in ("run", "logged_model")}
        wanted |= {item.deployment for number in endpoints for item in self._windows[number]}
        # Of what an endpoint answers with, also what is not listed decides what follows for it.
        wanted |= {
            item.version for number in endpoints for item in self._answering.get(number, ()) if item.version is not None
        }
        said = self._store.descriptions(sorted(wanted), self._as_of, self._known_at)
        read = self._store.records({item.seq for item in said})
        speaking: dict[int, list[tuple[int, Any]]] = defaultdict(list)
        there: set[int] = set()
        for item in said:
            speaking[item.node].append((item.seq, read[item.seq]))
            if not item.gone:
                there.add(item.node)
        self._described = {
            number: _Described(merge_descriptions(found).record, number not in there)
            for number, found in speaking.items()
        }

    def _label(self, number: int) -> str:
        parsed = Ref.parse(self._refs[number])
        data = {"kind": parsed.kind, "name": parsed.name, "version": version_of(parsed)}
        return label_of(data, self._described.get(number, _NOTHING).record)

    # --- rows ---

    @property
    def _it(self) -> str:
        return "it" if self._kinds[self._found.root] in DATA_KINDS else "what was made with it"

    @cached_property
    def _asked(self) -> str:
        return format_instant(self._as_of)

    def _decision(self, version: int) -> Decision:
        described = self._described.get(version, _NOTHING)
        gone = gone_of(described.record, described.gone, self._asked)
        return decide(
            self._purposes(version), self._held[version][0].rank, self._answers.get(version, []), gone, self._it
        )

    def _purposes(self, number: int) -> set[str]:
        """What the root was for at the instant asked about; of what is reached no more, at any."""
        pieces: Iterable[Piece] = at(self._held[number], self._now) or self._held[number]
        return {piece.purpose for piece in pieces} - {""}

    def _version_row(self, number: int) -> Row:
        piece = self._held[number][0]
        described = self._described.get(number, _NOTHING)
        gone = described.gone or described.record.get("attributes", {}).get("lifecycle_stage") == "deleted"
        served = self._served.get(number, ())
        last = max((item.end for item in served), default=None)
        decision = self._decision(number)
        return {
            "ref": self._refs[number],
            "kind": self._kinds[number],
            "label": self._label(number),
            "roles": sorted(self._purposes(number)),
            "strength": BASES[piece.rank],
            "path": [self._refs[step] for step in piece.path],
            "registered": described.record.get("created_at"),
            "here": None if not described.record else not gone,
            "endpoints": self._answers.get(number, []),
            "first_served": self._instant(min((item.start for item in served), default=None)),
            "last_served": None if last is None or last > self._now else self._instant(last),
            "retrain": decision.retrain,
            "why": decision.why,
        }

    def _endpoint_row(self, number: int) -> Row:
        every = sorted(self._windows[number], key=self._by_time)
        now = [item for item in every if item.answers and self._holds_now(item)]
        answered = [item for item in every if item.answers]
        last = max((item.end for item in answered), default=None)
        decision = worst(self._decisions(now)) if now else Decision("no", self._not_now(every, last))
        counting = now or answered or every
        return {
            "ref": self._refs[number],
            "now": bool(now),
            "traffic_now": self._traffic(number, now),
            "roles": sorted({role for item in counting for role in item.purposes}),
            "strength": BASES[min(item.rank for item in counting)],
            "retrain": decision.retrain,
            "why": decision.why,
            "first": self._instant(min((item.start for item in answered), default=None)),
            "last": None if last is None or last > self._now else self._instant(last),
            "exposures": [self._exposure(item) for item in every],
        }

    def _by_time(self, item: Window) -> tuple[Any, ...]:
        version = "" if item.version is None else self._refs[item.version]
        share = -1.0 if item.traffic is None else item.traffic
        return (
            item.start,
            item.end,
            self._refs[item.deployment],
            version,
            item.site,
            item.state,
            share,
            sorted(item.purposes),
        )

    def _decisions(self, now: Sequence[Window]) -> Iterable[tuple[str, Decision]]:
        for item in now:
            endpoint = self._refs[item.endpoint]
            if item.version is None:
                yield self._refs[item.deployment], decide(item.purposes, item.rank, [endpoint], "", self._it)
            elif item.version in self._roots:
                yield self._refs[item.version], Decision("yes", f"it is what was asked about; answers {endpoint} now")
            else:
                yield self._refs[item.version], self._decision(item.version)

    def _not_now(self, every: Sequence[Window], last: int | None) -> str:
        if last is None:
            idle = any(self._holds_now(item) for item in every)
            return f"it was deployed here, and never answered a request{'; it still is deployed' if idle else ''}"
        return (
            f"answers with nothing that was reached now; the last time ended on {minute_of(self._instant(last) or '')}"
        )

    @cached_property
    def _sites(self) -> dict[int, set[str]]:
        """By endpoint that answers with what was reached: all its sites at the instant asked about."""
        edges = self._store.beside(self._windows, "serves", self._as_of, self._known_at, effects=True)
        self._said |= self._store.records({edge.seq for edge in edges} - self._said.keys())
        found: dict[int, set[str]] = defaultdict(set)
        for edge in edges:
            record = self._said[edge.seq]
            if not record.get("mirrored"):
                found[edge.effect].add(record.get("site", ""))
        return found

    def _traffic(self, endpoint: int, now: Sequence[Window]) -> float | None:
        """Percent of the requests that go to what was reached: the mean over all sites of the endpoint."""
        if not now:
            return 0.0
        shares: dict[tuple[str, int], float | None] = {(item.site, item.deployment): item.traffic for item in now}
        if None in shares.values():
            return None
        total = sum(share for share in shares.values() if share is not None)
        return round(total / len(self._sites[endpoint]), 6)

    def _exposure(self, window: Window) -> Row:
        deployment = self._described.get(window.deployment, _NOTHING)
        return {
            "since": self._instant(window.start),
            "until": None if window.end > self._now else self._instant(window.end),
            "deployment": self._refs[window.deployment],
            "version": self._as_deployed(window) if window.version is None else self._refs[window.version],
            "traffic": window.traffic,
            "state": window.state,
            "site": window.site,
            "environment": str(deployment.record.get("attributes", {}).get("environment") or ""),
            "roles": sorted(window.purposes),
            "strength": BASES[window.rank],
            "between_syncs": window.unsure[0] or (window.unsure[1] and window.end <= self._now),
        }

    @cached_property
    def _deployed(self) -> dict[int, list[tuple[int, int, str]]]:
        """What deployments run that were reached otherwise than by what they run."""
        wanted = {item.deployment for items in self._windows.values() for item in items if item.version is None}
        edges = self._store.intervals(wanted, "deploys", self._known_at)
        named = self._store.nodes({edge.cause for edge in edges}, self._as_of, self._known_at)
        found: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
        for edge in edges:
            found[edge.effect].append((edge.valid_from, edge.valid_to, named[edge.cause].ref))
        return found

    def _as_deployed(self, window: Window) -> str | None:
        """What a deployment ran all through a window, as it names it; None where that was not one thing."""
        during = {
            (start, end, ref)
            for start, end, ref in self._deployed[window.deployment]
            if start < window.end and window.start < end
        }
        return next(ref for _, _, ref in during) if len({ref for _, _, ref in during}) == 1 else None

    @cached_property
    def _written(self) -> dict[int, str | None]:
        """Instants as text: one is told of a version, of its endpoint and of the windows on both sides of it."""
        return {}

    def _instant(self, micros: int | None) -> str | None:
        if micros is None or micros in (ALWAYS, FOREVER):
            return None
        text = self._written.get(micros)
        if text is None:
            text = self._written[micros] = iso(micros)
        return text

    # --- words ---

    def _summary(
        self, root: str, totals: Mapping[str, int], versions: Sequence[Row], evaluations: Sequence[Row]
    ) -> list[str]:
        total, endpoints = totals["versions"], totals["endpoints"]
        states = self._in_versions()
        if not len(self._held) - len(self._roots):
            return [f"{root}{states} reached nothing that is on record."]
        said = [f"{root}{states} reached {counted(total, 'model version')} and {counted(endpoints, 'endpoint')}."]
        now = [number for number in self._endpoints if number in self._answering]
        as_of = minute_of(format_instant(self._as_of))
        if now:
            names = [self._refs[number] for number in now]
            said.append(f"As of {as_of}, {listed(names)} {'answers' if len(now) == 1 else 'answer'} with it.")
        elif endpoints:
            said.append(f"As of {as_of}, no endpoint answers with it.")
        partly = " of those listed" if len(versions) < total else ""
        for retrain, words in (("yes", "To be retrained or rebuilt"), ("maybe", "To be decided by a person")):
            refs = [row["ref"] for row in versions if row["retrain"] == retrain]
            if refs:
                said.append(f"{words}{partly}: {listed(refs)}.")
        if total and not any(row["retrain"] != "no" for row in versions):
            said.append(f"None{partly or ' of the versions'} has to be retrained.")
        if totals["evaluations"]:
            gates = sum(len(row["gates"]) for row in evaluations)
            more = (
                f", and {counted(gates, 'gate result')} with {'it' if totals['evaluations'] == 1 else 'them'}"
                if gates
                else ""
            )
            rest = "rests" if totals["evaluations"] == 1 else "rest"
            said.append(f"{counted(totals['evaluations'], 'evaluation')} {rest} on it{more}.")
        return said

    def _in_versions(self) -> str:
        numbers = self._found.versions
        implied = sum(STATE in self._refs[number] for number in numbers)
        word = "state" if implied == len(numbers) else "version or state" if implied else "version"
        several = word if len(numbers) == 1 else {"version or state": "versions and states"}.get(word, f"{word}s")
        return f", in {len(numbers):,} {several} on record," if numbers else ""

    def _findings(self, shown: Sequence[Sequence[int]], evaluations: Sequence[Row]) -> list[Row]:
        found: list[Row] = []
        root = self._refs[self._found.root]

        def find(severity: str, code: str, ref: str, message: str) -> None:
            found.append({"severity": severity, "code": code, "ref": ref, "message": message})

        for number, same in sorted(self._found.ambiguous.items()):
            bare = self._refs[number]
            find(
                "error",
                "ambiguous-reference",
                bare,
                f"{bare} may mean any of: {', '.join(same)}. What names it so is not counted as reached through any of them",
            )
        missing = [self._refs[number] for number in shown[0] if number not in self._described]
        if missing:
            find(
                "error",
                "unresolved-reference",
                missing[0],
                f"No record describes {listed(missing)}: whether {'it is' if len(missing) == 1 else 'they are'} still in use is not known",
            )
        for number in shown[1]:
            for item in self._windows[number]:
                if item.answers and self._holds_now(item):
                    self._find_doubts(item, find)
        weak = [self._refs[number] for number in shown[0] if self._held[number][0].rank > WEAK]
        if weak:
            find(
                "warning",
                "weak-link",
                weak[0],
                f"Linked by a name, an order in time or a mere statement: {listed(weak)}",
            )
        unsaid = [self._refs[number] for number in shown[0] if "role not recorded" in self._purposes(number)]
        if unsaid:
            find(
                "warning",
                "role-not-recorded",
                unsaid[0],
                f"Read by a run that made {listed(unsaid)}; what for was not recorded",
            )
        unknown = [row["run"] for row in evaluations if not row["models"]]
        if unknown:
            find("warning", "evaluated-unknown", unknown[0], f"No record says which models {listed(unknown)} evaluated")
        if (
            self._found.root in self._held
            and not self._store.descriptions(self._roots_and_bare(), self._as_of, self._known_at)
            and not self._found.versions
        ):
            find("warning", "unresolved-reference", root, f"{root} is referred to, and no record describes it")
        order = {"error": 0, "warning": 1, "info": 2}
        return sorted(found, key=lambda row: (order[row["severity"]], row["code"], row["ref"], row["message"]))

    def _roots_and_bare(self) -> list[int]:
        return sorted({*self._roots, *self._found.bare.get(self._found.root, ())})

    def _find_doubts(self, item: Window, find: Any) -> None:
        deployment, endpoint = self._refs[item.deployment], self._refs[item.endpoint]
        if item.state == "undetermined":
            find(
                "error",
                "split-not-read",
                deployment,
                f"The share of traffic of {deployment} was not read: {endpoint} may answer with it or not",
            )
        if item.doubtful is not None and item.doubtful <= self._now:
            find(
                "error",
                "changed-between-syncs",
                endpoint,
                f"{endpoint} answered with {deployment} when last seen, and at the next sync it was otherwise; the instant "
                "asked about lies between the two",
            )
