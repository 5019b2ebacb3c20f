"""Checks of people: who approved, who made, who released, and whether that was one and the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from ...errors import InvalidRef
from ...records import Ref
from ..deciding import Wanted, groups, status_of
from ..facts import Need
from ..hop import Hop, Numbered, Result, fails, holds, unknown
from ..logic import OUTCOME_OF
from .base import Check, Pattern, matches

Role = Literal["approver", "author", "deployer"]
#: Anybody may be in them.
GROUPS = frozenset({"team", "group", "organization"})


class DifferentApprover(Check, frozen=True, kw_only=True, tag="different_approver", rename={"from_": "from"}):
    """Nobody approved their own work.

    Attributes
    ----------
    from_ : tuple
        ``author``, ``deployer`` (written ``from``).
    """

    needs: ClassVar[frozenset[Need]] = frozenset({"agents"})
    from_: tuple[Literal["author", "deployer"], ...] = ("author",)

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        approvers = who(hop, "approver")
        used = approvers.used
        others = {role: who(hop, role) for role in self.from_}
        open_: list[Result] = []
        if not approvers.names or not approvers.all_known:
            open_.append(_nobody("approver", hop, approvers))
        for role, people in others.items():
            if not people.names or not people.all_known:
                open_.append(_nobody(role, hop, replace(people, used=used)))
            for name in people.names:
                for approver in approvers.names:
                    same = same_agent(approver, name)
                    if same:
                        return fails(f"{approver} approved, and is the {role}", used)
                    if same is None:
                        why = f"whether {approver}, who approved, is the {role} {name} cannot be told"
                        open_.append(unknown(why, f"the persons behind {approver} and {name}", used=used))
        if open_:
            return open_[0]
        said = ", ".join(f"{role} {' and '.join(people.names)}" for role, people in others.items())
        return holds(f"approved by {' and '.join(approvers.names)}, not by {said}", used)

    def words(self) -> str:
        """What it asks, in words."""
        return f"the approver is somebody else than the {' and the '.join(self.from_)}"


class Identity(Check, frozen=True, kw_only=True, tag="identity"):
    """Only known people or services did it.

    Attributes
    ----------
    who : Role
        ``approver``, ``author`` or ``deployer``.
    allowed : tuple of Pattern
        Of references (``person:ada``), or of names where no kind is written; empty asks for no name.
    kinds : tuple of str
        Kinds of agent that may.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({"agents"})
    who: Role
    allowed: tuple[Pattern, ...] = ()
    kinds: tuple[str, ...] = ("person", "service")

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        people = who(hop, self.who)
        names, used = people.names, people.used
        open_: list[Result] = []
        if not names or not people.all_known:
            open_.append(_nobody(self.who, hop, people))
        for name in names:
            kind = _kind(name)
            bare = name.removeprefix(f"{kind}:")
            allowed = not self.allowed or any(
                matches(pattern, name) or (":" not in pattern and matches(pattern, bare)) for pattern in self.allowed
            )
            if kind and not allowed:
                return fails(f"the {self.who} {name} is none of those allowed", used)
            if not kind:
                open_.append(
                    unknown(
                        f"what kind of agent {name} is, is not recorded",
                        f"whether {name} is a person or a service",
                        used=used,
                    )
                )
            elif kind not in self.kinds:
                return fails(f"the {self.who} {name} is a {kind}; allowed are {', '.join(self.kinds)}", used)
        return open_[0] if open_ else holds(f"{self.who} {' and '.join(names)}", used)

    def words(self) -> str:
        """What it asks, in words."""
        names = f" and one of {', '.join(self.allowed)}" if self.allowed else ""
        return f"the {self.who} is a {' or '.join(self.kinds)}{names}"


def _nobody(role: Role, hop: Hop, people: People) -> Result:
    if role == "approver" and not people.used:
        why = f"no approval of {hop.subject} that holds is on record, so nobody approved"
        return unknown(why, f"an approval of {hop.subject} that names who approved", "missing")
    return unknown(f"the {role} is not on record", f"a record of the {role}", "missing", people.used)


@dataclass(frozen=True)
class People:
    """Who it was, as references or as the names that were written.

    Attributes
    ----------
    names : list of str
        Those who are known.
    all_known : bool
        False when somebody else took part whom no record names: one who is not known may be anybody.
    used : list
        The evidence that says so.
    """

    names: list[str]
    all_known: bool = True
    used: Sequence[Numbered] = ()


def who(hop: Hop, role: Role) -> People:
    """Who it was, and whether that is everybody."""
    if role == "approver":
        return _approvers(hop)
    agents = hop.facts.agents
    if role == "deployer":
        known = [agents.get(deployment, ()) for deployment in hop.deployments]
        return People(sorted({name for names in known for name in names}), all(known))
    places = [*hop.setting.same_as(hop.subject), *hop.setting.makers(hop.subject)]
    return People(sorted({name for place in places for name in agents.get(place, ())}))


def _approvers(hop: Hop) -> People:
    found = Wanted("", "approval").of(hop)
    deciding = [
        item
        for group in groups(hop, found, before_release=False)
        for item in group.deciding
        if OUTCOME_OF[status_of(item[1], hop.facts.as_of)[0]] == "holds"
    ]
    names = {str(item.get("evaluator") or "") for _, item in deciding}
    return People(sorted(names - {""}), "" not in names, deciding)


def same_agent(first: str, second: str) -> bool | None:
    """Whether two names mean one agent; None when that cannot be told.

    Examples
    --------
    >>> same_agent("person:ada", "person:ada"), same_agent("person:ada", "person:grace")
    (True, False)
    >>> same_agent("person:ada", "person:corp/ada") is None, same_agent("team:ml", "person:ada") is None
    (True, True)
    """
    kinds = _kind(first), _kind(second)
    if first == second:
        return None if kinds[0] in GROUPS else True
    if GROUPS & {*kinds} or _plain(first) == _plain(second) or not all(kinds):
        return None  # anybody may be in a group, and two systems may write one person in two ways
    return False


def _kind(name: str) -> str:
    try:
        return Ref.parse(name).kind
    except InvalidRef:
        return ""


def _plain(name: str) -> str:
    try:
        bare = Ref.parse(name).name
    except InvalidRef:
        bare = name
    return bare.strip().casefold().partition("@")[0].rpartition("\\")[2]
