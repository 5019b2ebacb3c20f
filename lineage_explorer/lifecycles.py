"""The life of a model: which version was in which stage when, what is kept how long, and what certifies its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from .content import iso
from .errors import AmbiguousReference, InvalidQuestion, UnknownReference
from .gathering import fitting, instants
from .lives import Version, names_of
from .policy.facts import Life, Share, Span
from .records import Ref, format_instant
from .references import micros_of
from .release_history import ReleaseHistory, environments_of
from .retirement import DURATION, NOT_RECORDED, certificates_of, retained, stated_by_source, version_row
from .store import histories
from .tables import frame, html_table, minute, text_table, visible

if TYPE_CHECKING:
    import pandas as pd

    from .store import Store

_STAGES = ("ref", "stage", "since", "until", "earliest", "because", "system", "position")
_SHOWN = ("version", "stage", "since", "until", "because")
_RETENTION = ("ref", "retired_at", "keep_until", "here", "forgets_at", "note")
_CERTIFICATES = ("ref", "gate", "status", "who", "when", "proof", "journal", "note")


# --- for policies ---


def lives_of(
    store: Store, bases: Iterable[str], as_of: datetime, known_at: datetime
) -> tuple[dict[str, tuple[Life, ...]], dict[str, bool]]:
    """The lives of all versions of some names, and whether each name's registry was read completely.

    The number of statements does not grow with that of the names.

    Parameters
    ----------
    bases : iterable of str
        References without versions (``model:prod/churn``).

    Returns
    -------
    lives, complete : dict
        As :class:`~lineage_explorer.policy.facts.Facts` wants them.
    """
    found = names_of(store, bases, as_of, known_at)
    lives = {base: tuple(version.life for version in name.versions) for base, name in found.items()}
    return lives, {base: name.complete for base, name in found.items()}


def spans_of(store: Store, endpoint: str, as_of: datetime, known_at: datetime) -> tuple[Span, ...]:
    """What served an endpoint from when to when, up to an instant."""
    return spans_of_each(store, [endpoint], as_of, known_at)[endpoint]


def spans_of_each(
    store: Store, endpoints: Iterable[str], as_of: datetime, known_at: datetime
) -> dict[str, tuple[Span, ...]]:
    """The same for many endpoints at once; the number of statements does not grow with that of the endpoints."""
    history = ReleaseHistory(store, endpoints, known_at)
    environments = environments_of(store, history, as_of, known_at)
    until = micros_of(as_of)
    return {
        endpoint: tuple(
            Span(
                span.start,
                None if span.end is None or span.end > until else span.end,
                tuple(_share(row, environments) for row in span.serving),
                sure=not span.between_syncs,
            )
            for span in history.spans(endpoint)
            if span.start <= until
        )
        for endpoint in history.roots
    }


def _share(row: Mapping[str, Any], environments: Mapping[str, str]) -> Share:
    return Share(
        # An alias that points at one version serves that version.
        row["points_at"][0] if len(row["points_at"]) == 1 else row["model"] or "",
        row["deployment"],
        # Copies of requests, or none at all: no traffic that anybody is answered.
        0.0 if row["state"] in ("shadow", "deployed") else row["traffic"],
        row["site"],
        environments.get(row["deployment"], ""),
    )


# --- for people ---


def lifecycle(
    store: Store,
    model: str,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
) -> Lifecycle:
    """Every version of a model through its stages, as far as anything on record says so.

    Parameters
    ----------
    store : Store
        As :func:`lineage_explorer.open_store` gives it.
    model : str
        A name (``churn``, ``model:churn``, ``ai_agent:triage``); of a version, all versions of its name are told.
    as_of : datetime or str, optional
        The instant asked about, with a time zone; now by default.
    known_at : datetime or str, optional
        Only what the store knew by then; everything by default.

    Returns
    -------
    Lifecycle
        Its ``stages()``, ``retention()`` and ``certificates()`` are DataFrames.

    Raises
    ------
    UnknownReference, AmbiguousReference
        When the name cannot be singled out; the message lists the nearest.
    InvalidInstant
        When a time cannot be read or has no time zone.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lineage_explorer import open_store
    >>> from lineage_explorer.records import Entity, parse_instant
    >>> with open_store(pathlib.Path(tempfile.mkdtemp(), "s.db"), create_missing=True) as store:
    ...     _ = store.append(
    ...         [Entity(ref="model:churn@1", created_at=parse_instant("2026-01-01T00:00:00Z"), attributes={"stage": "Archived"})]
    ...     )
    ...     lifecycle(store, "churn").stages()[["ref", "stage", "because"]].values.tolist()
    [['model:churn@1', 'none', 'registered'], ['model:churn@1', 'archived', 'stage Archived']]
    """
    base = single_name(store, model)
    asked, known = instants(store, as_of, known_at)
    with fitting(store):
        return Lifecycle(_content(store, base, asked, known))


def single_name(store: Store, text: str) -> str:
    """The one name that a text means; a name need not be on record itself, if versions of it are."""
    try:
        parsed = Ref.parse(store.resolve(text, "model"))
    except UnknownReference:
        ref = Ref.parse(text) if ":" in text else Ref("model", text)
        found = {
            str(Ref(known.kind, known.name, "", known.namespace))
            for node in histories.named(store, [ref.name])
            if (known := Ref.parse(node.ref)).kind == ref.kind and ref.namespace in ("", known.namespace)
        }
        bare = {one for one in found if "/" in one} or found
        if len(bare) > 1:
            raise AmbiguousReference(f"{text!r} may be any of: {', '.join(sorted(bare))}") from None
        if not bare:
            raise
        return bare.pop()
    return str(Ref(parsed.kind, parsed.name, "", parsed.namespace))


class Lifecycle:
    """The versions of a name through their stages, what is kept how long, and what certifies their end.

    Made by :func:`lineage_explorer.lifecycle`.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content

    @property
    def ref(self) -> str:
        """The name that was asked about."""
        return str(self._content["question"]["ref"])

    @property
    def complete(self) -> bool:
        """Whether the registry that lists the versions was read completely at its latest sync."""
        return bool(self._content["complete"])

    def to_dict(self, keep: str = "7y") -> dict[str, Any]:
        """Everything as plain JSON values.

        Parameters
        ----------
        keep : str
            As for :meth:`retention`.

        Returns
        -------
        dict
            ``question`` (with the instants it resolved to), ``complete``, and the rows of ``stages``, ``retention`` and
            ``certificates``.
        """
        plain = {name: self._content[name] for name in ("question", "complete", "stages", "certificates")}
        return {**plain, "retention": self._retention(keep)}

    def stages(self) -> pd.DataFrame:
        """Every stage of every version.

        Returns
        -------
        pandas.DataFrame
            ``ref``, ``stage``, ``since``, ``until`` (NaT while it lasts), ``earliest`` (it may have begun as early as this,
            after the last sync that saw otherwise; the same as ``since`` where its date is on record, NaT where nothing is
            known before), ``because`` (what it is derived from), ``system``, ``position``. A version without any stage on
            record has one row that says so.
        """
        return frame(self._content["stages"], _STAGES)

    def retention(self, keep: str = "7y") -> pd.DataFrame:
        """Until when each version is to be kept, and whether its source still has it.

        Parameters
        ----------
        keep : str
            A number and ``h``, ``d``, ``w``, ``m`` (months) or ``y``, counted from the retirement.

        Returns
        -------
        pandas.DataFrame
            ``ref``, ``retired_at``, ``keep_until`` (NaT for what is not retired), ``here`` (None where nothing says so),
            ``forgets_at`` (when its source will forget it, where a record states ``attributes.retention``), ``note``.

        Raises
        ------
        InvalidQuestion
            When that is no duration.
        """
        return frame(self._retention(keep), _RETENTION)

    def certificates(self) -> pd.DataFrame:
        """Certificates of retirement and deletion of versions and of the data upstream of them.

        Returns
        -------
        pandas.DataFrame
            ``ref``, ``gate``, ``status``, ``who``, ``when``, ``proof``, ``journal`` (``agrees``, ``contradicted`` or ``not
            known``), ``note`` (why).
        """
        return frame(self._content["certificates"], _CERTIFICATES)

    def _retention(self, keep: str) -> list[dict[str, Any]]:
        if not DURATION.fullmatch(keep):
            raise InvalidQuestion(f"{keep!r} is no duration; write a number and h, d, w, m (months) or y, such as 7y")
        return [retained(row, keep, self._content["now"]) for row in self._content["versions"]]

    def _shown(self) -> list[tuple[str, ...]]:
        rows = self._content["stages"]
        return [
            tuple(
                visible(text)
                for text in (
                    row["ref"].partition(":")[2],
                    row["stage"],
                    minute(row["since"]) + (" or earlier" if row["since"] and row["earliest"] != row["since"] else ""),
                    minute(row["until"]) or ("" if row["stage"] == NOT_RECORDED else "…"),
                    row["because"],
                )
            )
            for row in rows
        ]

    def _title(self) -> str:
        count = len(self._content["versions"])
        versions = f"{count} version{'s' * (count != 1)}"
        whole = "" if self.complete else "; the registry was not read completely"
        return f"{visible(self.ref)} as of {self._content['question']['as_of']}: {versions}{whole}"

    def __repr__(self) -> str:
        return "\n".join([f"<Lifecycle {self._title()}>", *text_table(_SHOWN, self._shown())])

    def _repr_html_(self) -> str:
        """The same as a table; every text from a record is escaped by the writer of the tree."""
        whole = ET.Element("div")
        ET.SubElement(whole, "p").text = self._title()
        html_table(whole, _SHOWN, self._shown())
        return ET.tostring(whole, encoding="unicode", method="html")


# --- what it holds ---


def _content(store: Store, base: str, as_of: datetime, known_at: datetime) -> dict[str, Any]:
    name = names_of(store, [base], as_of, known_at)[base]
    now = micros_of(as_of)
    stated = stated_by_source(store, name, as_of, known_at)
    numbers = {stretch.interval.number for version in name.versions for stretch in version.stretches}
    origin = {
        number: {"system": item.system, "position": item.position} for number, item in store.describe(numbers).items()
    }
    return {
        "question": {"ref": base, "as_of": format_instant(as_of), "known_at": format_instant(known_at)},
        "now": now,
        "complete": name.complete,
        "stages": [row for version in name.versions for row in _stage_rows(version, origin, now)],
        "versions": [version_row(version, stated, now) for version in name.versions],
        "certificates": certificates_of(store, name, as_of, known_at),
    }


def _stage_rows(version: Version, origin: Mapping[int, Mapping[str, str]], now: int) -> list[dict[str, Any]]:
    rows = [
        {
            "ref": version.ref,
            "stage": stretch.interval.stage,
            "since": iso(stretch.interval.start),
            "until": None if (stretch.interval.end or now) >= now else iso(stretch.interval.end),
            "earliest": iso(stretch.interval.earliest),
            "because": stretch.said,
            **origin[stretch.interval.number],
        }
        for stretch in version.stretches
        if stretch.interval.start is None or stretch.interval.start <= now
    ]
    unknown: dict[str, Any] = dict.fromkeys(_STAGES)
    return rows or [{**unknown, "ref": version.ref, "stage": NOT_RECORDED, "because": "", "system": "", "position": ""}]
