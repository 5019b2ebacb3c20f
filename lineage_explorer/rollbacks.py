"""Going back: which version served an endpoint before, whether it is still there, and whether it would be lawful."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

from .content import iso
from .documents import Documented, location_of
from .errors import InvalidQuestion, ReferenceFailed
from .gathering import fitting, instants
from .lifecycles import lives_of, spans_of
from .policy import Policy, Verdict, base_of, load_policy
from .policy.facts import Span
from .policy.past import in_source, last_beginning, served_before
from .questions import gate
from .records import Ref, format_instant
from .references import micros_of
from .release_history import ReleaseHistory, environments_of
from .roles import RELEASED_KINDS
from .sentences import minute_of, verdict_words
from .servings import share_row
from .tables import frame, html_table, minute, text_table, visible

if TYPE_CHECKING:
    import pandas as pd

    from .store import Store

FORMAT = "lineage-explorer/rollback"
_COLUMNS = ("ref", "deployment", "site", "served_since", "served_until", "here", "verdict", "why", "audit_digest")
_SHOWN = ("version", "site", "served since", "until", "still there", "verdict", "why")
_HERE = {True: "yes", False: "no", None: "not recorded"}


class Earlier(NamedTuple):
    """A version that served before, at a site.

    Attributes
    ----------
    since, until : int or None
        When it last served, as far as that began before what it is to replace; ``until`` None while it still does.
    surely : bool
        Whether it is recorded that it had traffic.
    last : int
        The start of the last span before in which it served: what comes later is nearer.
    """

    version: str
    deployment: str
    site: str
    since: int | None
    until: int | None
    surely: bool
    last: int


# --- asking ---


def rollback(
    store: Store,
    endpoint: str,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
    policy: str | Path | Policy | None = None,
    site: str | None = None,
) -> Rollback:
    """What could an endpoint go back to at an instant, and would that have been lawful?

    The target is the version that answered requests last before what was released last, if its source still has it:
    the same that the check ``rollback_target`` of a policy asks for. What serves with less than all of the traffic is
    judged like what served before it: while a canary is on its way, the target is what still has the rest.

    Parameters
    ----------
    store : Store
        As :func:`lineage_explorer.open_store` gives it.
    endpoint : str
        A reference (``endpoint:churn-prod``) or a plain name.
    as_of : datetime or str, optional
        The instant asked about, with a time zone; now by default.
    known_at : datetime or str, optional
        Only what the store knew by then; everything by default.
    policy : str, Path or Policy, optional
        A shipped policy's name or a TOML file; ``default`` by default. Its version in force at the instant judges.
    site : str, optional
        Only what served at this site; all by default.

    Returns
    -------
    Rollback
        Its ``target``, whether that is ``lawful``, and all ``candidates()``.

    Raises
    ------
    UnknownReference, AmbiguousReference
        When the endpoint cannot be singled out; the message lists the nearest.
    InvalidInstant
        When a time cannot be read or has no time zone.
    InvalidQuestion
        When nothing was ever deployed at that site.
    PolicyError
        When the policy cannot be used.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Relation, parse_instant
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     for month in (3, 5):
    ...         _ = store.append(
    ...             Relation(
    ...                 effect=effect, predicate=predicate, cause=cause, basis="identifier", slot="live", splits=False,
    ...                 valid_from=parse_instant(f"2026-0{month}-01T00:00:00Z"),
    ...             )
    ...             for effect, predicate, cause in (
    ...                 ("endpoint:churn", "serves", "deployment:churn"),
    ...                 ("deployment:churn", "deploys", f"model:churn@{month}"),
    ...             )
    ...         )
    ...     found = rollback(store, "churn")
    >>> found.target, found.why
    (None, 'Whether its source still has model:churn@3 is not recorded')
    """
    rules = load_policy(policy)
    with fitting(store):
        ref = store.resolve(endpoint, "endpoint")
        asked, known = instants(store, as_of, known_at)
        spans = spans_of(store, ref, asked, known)
        sites = sorted({share.site for span in spans for share in span.shares})
        if site is not None and site not in sites:
            there = ", ".join(one or "(no site)" for one in sites) or "none by then"
            raise InvalidQuestion(f"nothing is on record that was deployed for {ref} at {site!r}; there are: {there}")
        now = micros_of(asked)
        found = {one: earlier(spans, one, now) for one in sites if site in (None, one)}
        bases = {base_of(item.version) for items in found.values() for item in items}
        lives, _ = lives_of(store, bases, asked, known)
        here = {item.version: in_source(lives, item.version, now) for items in found.values() for item in items}
        judged = {version: _judged(store, version, rules, asked, known, ref) for version in here}
        in_force = rules.in_force(now)
        target, why = _target(ref, spans, found, here)
        content = {
            "format": FORMAT,
            "question": {
                "endpoint": ref,
                "site": site,
                "as_of": format_instant(asked),
                "known_at": format_instant(known),
                "policy": {
                    "name": rules.name,
                    "version": in_force.version if in_force else "",
                    "digest": in_force.digest if in_force else rules.digest,
                    "form": rules.form,
                    "judged_as_of": None,
                },
            },
            "serving": [row for row in _serving(store, ref, asked, known) if site in (None, row["site"])],
            "target": target,
            "candidates": [
                {
                    "ref": item.version,
                    "deployment": item.deployment,
                    "site": item.site,
                    "served_since": iso(item.since),
                    "served_until": iso(item.until),
                    "here": here[item.version],
                    "verdict": judged[item.version].verdict,
                    "why": "; ".join(filter(None, (_in_the_way(item, here), judged[item.version].why))),
                    "audit_digest": judged[item.version].digest,
                }
                for item in sorted((item for items in found.values() for item in items), key=lambda item: -item.last)
            ],
            "why": why,
        }
    return Rollback(content, location_of(store))


def _serving(store: Store, endpoint: str, as_of: datetime, known_at: datetime) -> list[dict[str, Any]]:
    history = ReleaseHistory(store, [endpoint], known_at)
    environments = environments_of(store, history, as_of, known_at)
    last = [span for span in history.spans(endpoint) if span.start <= micros_of(as_of)][-1:]
    return [share_row(row, environments) for span in last for row in span.serving]


class _Judged(NamedTuple):
    verdict: Verdict
    why: str
    digest: str


def _judged(store: Store, version: str, rules: Policy, as_of: datetime, known_at: datetime, endpoint: str) -> _Judged:
    """What a policy would say of a version, released anew at an instant."""
    ref = Ref.parse(version)
    if ref.kind not in RELEASED_KINDS or not (ref.version or ref.alias):
        return _Judged("INCOMPLETE", f"{version} names no version of a model, so nothing can judge it", "")
    try:
        found = gate(store, version, rules, as_of, known_at, endpoint=endpoint)
    except ReferenceFailed:
        # A record may write a reference otherwise than it is asked for: with escapes that it needs not.
        return _Judged("INCOMPLETE", f"{version} cannot be asked about as it is written, so nothing can judge it", "")
    return _Judged(found.verdict, _first(found.to_dict()), found.digest)


def _first(content: Mapping[str, Any]) -> str:
    """What a verdict is owed to: a failure, then what is wrong with the records, then what is not known."""
    unmet: dict[str, list[str]] = {"fails": [], "undetermined": []}
    for hop in content["hops"]:
        for item in hop["requirements"]:
            if item["required"] and item["outcome"] in unmet:
                unmet[item["outcome"]].append(f"{item['title']}: {item['why']}")
    errors = [item["message"] for item in content["findings"] if item["severity"] == "error"]
    found = [*sorted(unmet["fails"]), *errors, *sorted(unmet["undetermined"])]
    return found[0] if found else "" if content["verdict"] != "PASSED" else "every requirement holds"


# --- what served before ---


def earlier(spans: Sequence[Span], site: str, now: int) -> list[Earlier]:
    """What served at a site before what was released there last, the last first.

    Parameters
    ----------
    spans : sequence of Span
        Of the endpoint, oldest first, up to the instant asked about.
    now : int
        That instant, in microseconds since 1970 UTC.
    """
    own = [replace(span, shares=tuple(share for share in span.shares if share.site == site)) for span in spans]
    began = {
        share.model: beginning.start or 0
        for share in (own[-1].shares if own else ())
        if share.traffic != 0 and (beginning := last_beginning(own, share.model)) is not None
    }
    # Where nobody answers, everything served before.
    until = max(began.values(), default=now)
    released = {version for version, start in began.items() if start == until}
    found: dict[str, bool] = {}
    for version in sorted(released) or [""]:
        found |= served_before(own, version, until)
    return [_last_time(own, version, until, surely) for version, surely in found.items() if version not in released]


def _last_time(own: Iterable[Span], version: str, until: int, surely: bool) -> Earlier:
    """When a version last served, of the times that began before an instant."""
    since = end = None
    last = 0
    deployment = site = ""
    serving = False
    for span in own:
        share = next((share for share in span.shares if share.model == version and share.traffic != 0), None)
        if share is not None and not serving and (span.start or 0) >= until:
            break
        if share is not None:
            since, end = (since if serving else span.start), None
            deployment, site = share.deployment, share.site
            last = span.start or 0 if (span.start or 0) < until else last
        elif serving:
            end = span.start
        serving = share is not None
    return Earlier(version, deployment, site, since, end, surely, last)


# --- what to go back to ---


def _in_the_way(item: Earlier, here: Mapping[str, bool | None]) -> str:
    """Why one cannot go back to a version, or does not know whether one can; empty where nothing speaks against it."""
    if here[item.version] is False:
        return f"its source has {item.version} no longer"
    if here[item.version] is None:
        return f"whether its source still has {item.version} is not recorded"
    return "" if item.surely else f"whether {item.version} had any traffic is not recorded"


def _target(
    endpoint: str,
    spans: Sequence[Span],
    found: Mapping[str, Sequence[Earlier]],
    here: Mapping[str, bool | None],
) -> tuple[str | None, str]:
    """The one version to go back to, and why it is that, or none."""
    if not spans:
        return None, f"Nothing is on record that served {endpoint} by then"
    serving = {share.site for share in spans[-1].shares if share.traffic != 0}
    # A site at which nobody answers any more has nothing to go back from, where others do.
    sites = [site for site in found if site in serving] or list(found)
    targets = {site: next((item for item in found[site] if not _in_the_way(item, here)), None) for site in sites}
    if len({None if item is None else item.version for item in targets.values()}) > 1:
        each = "; ".join(f"{site}: {'none' if item is None else item.version}" for site, item in targets.items())
        return None, f"It is not the same at every site, so ask about one. {each}"
    rows = [item for site in sites for item in found[site]]
    target = next(iter(targets.values()))
    if target is not None:
        ends = [item.until for item in targets.values() if item is not None and item.until is not None]
        last = "" if len(set(ends)) == 1 else " at the last site"
        served = "it still serves" if len(ends) < len(targets) else f"until {minute_of(iso(max(ends)) or '')}{last}"
        later = {_in_the_way(item, here): item.version for item in rows if item.last > target.last}
        but = "".join(f"; {version} served later, but {why}" for why, version in later.items() if why)
        return target.version, f"{target.version} served last before ({served}), and its source still has it{but}"
    if not rows:
        return None, f"No other version is on record that served {endpoint} before"
    open_ = [item for item in rows if here[item.version] is not False]
    if not open_:
        gone = ", ".join(dict.fromkeys(item.version for item in rows))
        return None, f"Every other version that served before was deleted: {gone}"
    doubts = "; ".join(dict.fromkeys(_in_the_way(item, here) for item in open_))
    return None, doubts[0].upper() + doubts[1:]


# --- showing ---


class Rollback(Documented):
    """What an endpoint could go back to at an instant, as a document.

    Made by :func:`lineage_explorer.rollback`.
    """

    @property
    def target(self) -> str | None:
        """The version to go back to: the last that served before and is still there; None when there is none."""
        target: str | None = self._content["target"]
        return target

    @property
    def lawful(self) -> Verdict | None:
        """What the policy says of the target, released anew at the instant; None when there is none."""
        for row in self._content["candidates"]:
            if row["ref"] == self.target:
                verdict: Verdict = row["verdict"]
                return verdict
        return None

    @property
    def why(self) -> str:
        """Why it is that target, or none."""
        return str(self._content["why"])

    def candidates(self) -> pd.DataFrame:
        """Every version that served before, the last first.

        Returns
        -------
        pandas.DataFrame
            ``ref``, ``deployment`` (by which it last served), ``site``, ``served_since``, ``served_until`` (NaT while it
            still does), ``here`` (whether its source still has it; None where nothing says so), ``verdict`` (were it
            released anew at the instant), ``why``, ``audit_digest`` (of the audit that ``gate`` gives). Times in UTC.
        """
        found = frame(self._content["candidates"], _COLUMNS)
        found["here"] = found["here"].astype(object)
        return found

    def _words(self, verdict: str | None) -> str:
        return verdict_words({"verdict": verdict, "question": self._content["question"]})

    def _title(self) -> str:
        question = self._content["question"]
        where = f" at {question['site']}" if question["site"] else ""
        back = "no target" if self.target is None else f"back to {self.target}, {self._words(self.lawful)}"
        return visible(f"{question['endpoint']}{where} as of {question['as_of']}: {back}")

    def _shown(self) -> list[tuple[str, ...]]:
        return [
            tuple(
                visible(text)
                for text in (
                    row["ref"].partition(":")[2],
                    row["site"],
                    minute(row["served_since"]),
                    minute(row["served_until"]) or "…",
                    _HERE[row["here"]],
                    self._words(row["verdict"]),
                    row["why"],
                )
            )
            for row in self._content["candidates"]
        ]

    def __repr__(self) -> str:
        head = [f"<Rollback {self._title()}>", visible(self.why)]
        return "\n".join([*head, *text_table(_SHOWN, self._shown())])

    def _repr_html_(self) -> str:
        """The same as a table; every text from a record is escaped by the writer of the tree."""
        whole = ET.Element("div")
        ET.SubElement(whole, "p").text = self._title()
        ET.SubElement(whole, "p").text = visible(self.why)
        html_table(whole, _SHOWN, self._shown())
        return ET.tostring(whole, encoding="unicode", method="html")
