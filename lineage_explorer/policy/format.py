"""What a policy is made of: versions in force one after the other, each with requirements and waivers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

import msgspec

from ..records import digest_of, format_instant
from ..references import micros
from .checks.base import Check
from .checks.data import Identified, Recorded, SeparateData, TrainingData
from .checks.gates import EvidenceCheck, Metric, Order, SameSubject, Unweakened
from .checks.history import ActiveVersions, Canary, Compared, Kept, RollbackTarget
from .checks.people import DifferentApprover, Identity
from .checks.things import Environment, Name, Pinned, Resolved
from .facts import Need

#: The closed set of checks, by the word that names them in a file.
CHECKS: dict[str, type[Check]] = {
    str(one.__struct_config__.tag): one
    for one in (
        Resolved,
        TrainingData,
        Identified,
        Pinned,
        Recorded,
        EvidenceCheck,
        Metric,
        SameSubject,
        Order,
        DifferentApprover,
        Identity,
        SeparateData,
        Name,
        Environment,
        Unweakened,
        Compared,
        Canary,
        RollbackTarget,
        ActiveVersions,
        Kept,
    )
}


class AllOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every one of some conditions."""

    all: tuple[Any, ...]


class AnyOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of some conditions at least."""

    any: tuple[Any, ...]


class NotOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"not_": "not"}):
    """The opposite of a condition."""

    not_: Any


Condition = Check | AllOf | AnyOf | NotOf
Words = tuple[str, ...]


class Guard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """When a requirement applies; all that is given must hold.

    Attributes
    ----------
    environment, kind : str or tuple of str
        One of these.
    tag : mapping
        Key and text of a tag of the subject.
    """

    environment: str | Words = ()
    kind: str | Words = ()
    tag: dict[str, str] = {}


class Requirement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that hops of a kind must show.

    Attributes
    ----------
    id, title : str
        Its name in tables, and in words.
    hop : (cause kind, predicate, effect kind)
        Which hops; ``*`` is any, ``a|b`` is either.
    of : {"cause", "effect"}
        Which end the condition is about.
    role : str
        Only hops whose cause has this role.
    when : Guard or None
        When it applies.
    cites : str
        The text that it is built on.
    condition : Condition
        What must hold.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    title: str
    hop: tuple[str, str, str]
    of: Literal["cause", "effect"] = "cause"
    role: str = ""
    when: Guard | None = None
    cites: str = ""
    condition: Any = None

    def matches(self, cause_kind: str, predicate: str, effect_kind: str) -> bool:
        """Whether a hop between these kinds must show this."""
        return _fits(self.hop, (cause_kind, predicate, effect_kind))

    def checks(self) -> Iterator[Check]:
        """Every check in its condition."""
        return checks_in(self.condition)


@lru_cache(maxsize=8_192)
def _fits(hop: tuple[str, str, str], actual: tuple[str, str, str]) -> bool:
    return all(wanted == "*" or one in wanted.split("|") for wanted, one in zip(hop, actual, strict=True))


def checks_in(condition: Condition) -> Iterator[Check]:
    """Every check in a condition."""
    if isinstance(condition, Check):
        yield condition
    elif isinstance(condition, NotOf):
        yield from checks_in(condition.not_)
    else:
        for part in condition.all if isinstance(condition, AllOf) else condition.any:
            yield from checks_in(part)


_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Waiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody's word that a requirement need not hold for a while.

    Attributes
    ----------
    requirement : str
        Its id.
    subject : str
        The reference that it is waived for.
    by, why : str
        Who waived it, and why.
    until : datetime
        When that ends.
    """

    requirement: _Text
    subject: _Text
    by: _Text
    why: _Text
    until: _Time


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """A policy as it was in force for a while.

    Attributes
    ----------
    version : str
        Its number.
    effective_from : datetime or None
        None: always.
    """

    name: str
    version: str
    effective_from: _Time | None = None
    requirement: tuple[Requirement, ...] = ()
    waiver: tuple[Waiver, ...] = ()

    @property
    def since(self) -> int | None:
        """When it took effect, in microseconds since 1970 UTC."""
        return None if self.effective_from is None else micros(format_instant(self.effective_from))

    @cached_property  # asked for by every audit: taking it anew was half the time of judging one
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of every field."""
        return digest_of(plain(self))


class Policy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """A named list of versions, in order of the time that they took effect.

    Attributes
    ----------
    form : {"verdict", "questions"}
        Whether its outcomes are a verdict, or answers to questions about a text.
    versions : tuple of PolicyVersion
        The earliest first.
    source : str
        The text it was read from, for messages; not part of what it says.
    """

    name: str
    description: str = ""
    form: Literal["verdict", "questions"] = "verdict"
    versions: tuple[PolicyVersion, ...] = ()
    source: str = ""

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of all versions."""
        return digest_of({key: value for key, value in plain(self).items() if key != "source"})

    @property
    def needs(self) -> frozenset[Need]:
        """What must be gathered beside the trace to judge by it."""
        return frozenset(
            need
            for version in self.versions
            for requirement in version.requirement
            for check in requirement.checks()
            for need in check.needs
        )

    def metrics(self) -> set[str]:
        """The metrics that it compares."""
        return {
            check.metric
            for version in self.versions
            for requirement in version.requirement
            for check in requirement.checks()
            if isinstance(check, Metric)
        }

    def in_force(self, instant: int) -> PolicyVersion | None:
        """The version in force at an instant; None when none was yet.

        Parameters
        ----------
        instant : int
            Microseconds since 1970 UTC.
        """
        found = [one for one in self.versions if one.since is None or one.since <= instant]
        return found[-1] if found else None

    def until(self, instant: int) -> tuple[PolicyVersion, ...]:
        """Every version that was in force at some time up to an instant."""
        return tuple(one for one in self.versions if one.since is None or one.since <= instant)


def plain(value: Any) -> Any:
    """A policy, or a part of it, as plain JSON values without what is as by default.

    What a digest is taken of: a field that a later release adds changes no digest of a policy that does not use it.
    """
    if isinstance(value, msgspec.Struct):
        tag = value.__struct_config__.tag
        found = {
            field.encode_name: plain(mine)
            for field in msgspec.structs.fields(value)
            if (mine := getattr(value, field.name)) != field.default
        }
        return found if tag is None else {"check": tag, **found}
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value
