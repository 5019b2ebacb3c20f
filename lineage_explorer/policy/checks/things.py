"""Checks of one thing: is it on record, pinned, named as it should be, where it should be?"""

from __future__ import annotations

from typing import Any

from ...records import Ref
from ..hop import Hop, Result, fails, holds, unknown
from .base import Check, Pattern, matches

#: https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string, in RE2's words.
_SEMANTIC = (
    r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-((0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(\+([0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*))?"
)


class Resolved(Check, frozen=True, kw_only=True, tag="resolved"):
    """Both ends of the hop are on record, and each means one thing."""

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        for ref in (hop.cause, hop.effect):
            data = hop.graph.nodes[ref]
            if data.get("candidates"):
                return unknown(
                    f"{ref} may mean any of {', '.join(data['candidates'])}",
                    f"a reference that says which {ref} is meant",
                )
            if not data["resolved"] and not data["implied"]:
                return unknown(f"no record describes {ref}", f"a record that describes {ref}", "missing")
        return holds("both ends are on record")

    def words(self) -> str:
        """What it asks, in words."""
        return "both ends of the hop are on record, and each means one thing"


class Pinned(Check, frozen=True, kw_only=True, tag="pinned"):
    """The subject is pinned to a version and names its source."""

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        attributes = hop.attributes(hop.subject)
        ref = Ref.parse(hop.subject)
        missing = [
            word
            for word, have in (
                ("a version", bool(ref.version)),
                ("a source", any(attributes.get(key) for key in ("source", "uri", "url", "provider"))),
            )
            if not have
        ]
        if missing:
            said = " and ".join(missing)
            return unknown(f"{hop.subject} needs {said}", f"a record of {hop.subject} with {said}", "missing")
        return holds("pinned to a version, and its source is named")

    def words(self) -> str:
        """What it asks, in words."""
        return "it is pinned to a version, and its record names a source"


class Name(Check, frozen=True, kw_only=True, tag="name"):
    """The subject is named and numbered by the house's rules.

    Attributes
    ----------
    name, version : Pattern
        Empty asks nothing.
    semantic : bool
        The version is a semantic version.
    """

    name: Pattern | str = ""
    version: Pattern | str = ""
    semantic: bool = False

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        ref = Ref.parse(hop.subject)
        if self.name and not matches(self.name, ref.name):
            return fails(f"the name {ref.name!r} does not match {self.name}")
        if (self.version or self.semantic) and not ref.version:
            return unknown(f"{hop.subject} has no version", f"a version of {hop.subject}", "missing")
        if self.version and not matches(self.version, ref.version):
            return fails(f"the version {ref.version!r} does not match {self.version}")
        if self.semantic and not matches(_SEMANTIC, ref.version):
            return fails(f"the version {ref.version!r} is no semantic version")
        return holds(f"{hop.subject} is named as it should be")

    def words(self) -> str:
        """What it asks, in words."""
        parts = [f"its name matches {self.name}"] if self.name else []
        parts += [f"its version matches {self.version}"] if self.version else []
        return " and ".join([*parts, *(["its version is a semantic version"] if self.semantic else [])])


class Environment(Check, frozen=True, kw_only=True, tag="environment"):
    """It is deployed where it may be.

    Attributes
    ----------
    allowed : tuple of str
        Environments, compared without regard to case.
    """

    allowed: tuple[str, ...]

    def judge(self, hop: Hop) -> Result:
        """What it comes to on a hop."""
        found = {deployment: environment_of(hop, deployment) for deployment in hop.deployments}
        allowed = {word.casefold() for word in self.allowed}
        wrong = {ref: word for ref, word in found.items() if word and word.casefold() not in allowed}
        if wrong:
            ref, word = next(iter(wrong.items()))
            return fails(f"{ref} is in {word}; allowed are {', '.join(self.allowed)}")
        missing = [ref for ref, word in found.items() if not word]
        if missing or not found:
            whom = missing[0] if missing else "the deployment"
            return unknown(f"the environment of {whom} is not recorded", f"the environment of {whom}", "missing")
        return holds(f"in {', '.join(sorted(set(found.values())))}")

    def words(self) -> str:
        """What it asks, in words."""
        return f"it is deployed in {' or '.join(self.allowed)}"


def environment_of(hop: Hop, deployment: str) -> str:
    """A deployment's environment, as recorded; empty when it was not."""
    value: Any = hop.attributes(deployment).get("environment")
    return str(value).strip() if isinstance(value, (str, int)) else ""
