"""From a TOML file to a policy: every mistake is named with its line, its column and the nearest name that exists."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ..errors import InvalidRef, PolicyError
from ..records import Ref
from .checks.base import Check, check_pattern
from .format import CHECKS, AllOf, AnyOf, Condition, Guard, NotOf, Policy, PolicyVersion, Requirement, Waiver

Path_ = tuple[str | int, ...]
Made = TypeVar("Made")
_COMBINING = ("all", "any", "not")
_REQUIREMENT = frozenset({"id", "title", "hop", "of", "role", "when", "cites"})
_GUARD = ("environment", "kind", "tag")
_VERSION = frozenset({"version", "effective_from", "requirement", "waiver"})
_POLICY = frozenset({"name", "description", "form", "$schema"})
#: Fields of checks that hold patterns.
_PATTERNS = frozenset({"gate", "name", "version", "allowed"})


def shipped_policies() -> list[str]:
    """Names of the policies that come with the package.

    Examples
    --------
    >>> "default" in shipped_policies()
    True
    """
    folder = files("lineage_explorer").joinpath("policies")
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def load_policy(source: str | Path | Policy | None = None) -> Policy:
    """A policy by the name of a shipped one, or from a TOML file.

    Parameters
    ----------
    source : str, Path or Policy, optional
        ``default`` when nothing is given. A name wins over a file of the same name.

    Raises
    ------
    PolicyError
        When there is no such policy, or the file breaks the format (line, column and nearest name are given).

    Examples
    --------
    >>> load_policy("default").name
    'default'
    """
    if isinstance(source, Policy):
        return source
    name = str(source or "default")
    try:
        if name in shipped_policies():
            text, place = (
                files("lineage_explorer").joinpath("policies", f"{name}.toml").read_text(encoding="utf-8"),
                name,
            )
        elif Path(name).is_file():
            text, place = Path(name).read_text(encoding="utf-8"), name
        else:
            near = difflib.get_close_matches(name, shipped_policies(), 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            have = ", ".join(shipped_policies())
            raise PolicyError(f"no policy {name!r}: neither a file nor one of the shipped: {have}{hint}")
    except (UnicodeDecodeError, OSError) as error:
        raise PolicyError(f"policy {name!r} cannot be read: {error}") from error
    return read_policy(text, place)


def read_policy(text: str, place: str = "policy") -> Policy:
    """A policy from TOML text.

    Parameters
    ----------
    text : str
        The file's text.
    place : str
        What to call it in messages.

    Raises
    ------
    PolicyError
        With a line for each mistake.

    Examples
    --------
    >>> read_policy('name = "p"\\nversion = "1"').name
    'p'
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        where = (int(found[1]), int(found[2])) if found else (text.count("\n") + 1, 1)
        raise PolicyError(f"{place}:{where[0]}:{where[1]}: {error}", [(*where, str(error))]) from error
    return _Reading(text, place).policy(table)


def parse_policy(table: Mapping[str, Any], place: str = "policy") -> Policy:
    """A policy from a table that was read already.

    Raises
    ------
    PolicyError
        With a line for each mistake.
    """
    return _Reading("", place).policy(table)


def misspelt(policy: Policy, metric: str, near: str) -> PolicyError:
    """The error for a metric that nothing measures, where something measures one that is called nearly so."""
    from .positions import find

    line, column = find(policy.source, "metric", metric)
    message = f"no record has the metric {metric!r}; did you mean {near!r}?"
    return PolicyError(f"policy {policy.name}:{line}:{column}: {message}", [(line, column, message)])


#: What the library calls types, and what people do.
_PLAIN = (
    ("`float | null`", "a number"),
    ("`float`", "a number"),
    ("`int`", "a number"),
    ("`str`", "text"),
    ("`array`", "a list"),
    ("`object`", "a table"),
    ("Object missing required field", "missing"),
    ("`datetime` with a timezone component", "a time with a time zone"),
    ("`datetime`", "a time with a time zone"),
    ("`str | array`", "text or a list"),
)


class _Reading:
    """Reads one file, and goes on after a mistake so that all of them are told."""

    def __init__(self, text: str, place: str) -> None:
        self._text, self._place = text, place
        self._problems: list[tuple[Path_, str]] = []

    def policy(self, table: Mapping[str, Any]) -> Policy:
        several = "version" in table and isinstance(table["version"], list)
        allowed = _POLICY | ({"version"} if several else _VERSION)
        self._unknown((), table, allowed, "a policy")
        versions = table["version"] if several else [{key: table[key] for key in _VERSION if key in table}]
        read: list[PolicyVersion] = []
        name = self._text_of((), table, "name")
        for index, one in enumerate(versions):
            path: Path_ = ("version", index) if several else ()
            if not isinstance(one, Mapping):
                self._problem(path, "a version is a table: [[version]]")
                continue
            read.append(self._version(path, name, one, several))
        found = self._made(
            Policy,
            (),
            {
                "name": name,
                "description": table.get("description", ""),
                "form": table.get("form", "verdict"),
            },
        )
        self._order(read)
        if self._problems or found is None:
            raise self._error()
        ordered = sorted(read, key=lambda one: (one.since is not None, one.since or 0))
        return msgspec.structs.replace(found, versions=tuple(ordered), source=self._text)

    def _order(self, versions: list[PolicyVersion]) -> None:
        if len({one.version for one in versions}) < len(versions):
            self._problem(("version",), "two versions have one number")
        if len({one.since for one in versions}) < len(versions):
            self._problem(("version",), "two versions take effect at one time; only one of them can be in force")

    def _version(self, path: Path_, name: str, table: Mapping[str, Any], several: bool) -> PolicyVersion:
        if several:
            self._unknown(path, table, _VERSION, "a version")
        requirements = [
            found
            for index, one in enumerate(self._tables((*path, "requirement"), table.get("requirement", [])))
            if (found := self._requirement((*path, "requirement", index), one)) is not None
        ]
        ids = [one.id for one in requirements]
        for index, one in enumerate(ids):
            if one in ids[:index]:
                self._problem((*path, "requirement", index, "id"), f"two requirements have the id {one!r}")
        waivers = [
            waiver
            for index, one in enumerate(self._tables((*path, "waiver"), table.get("waiver", [])))
            if (waiver := self._waiver((*path, "waiver", index), one, ids)) is not None
        ]
        made = self._made(
            PolicyVersion,
            path,
            {
                "name": name,
                "version": table.get("version", ""),
                **({"effective_from": table["effective_from"]} if "effective_from" in table else {}),
            },
        )
        if made is None:
            return PolicyVersion(name=name, version="")
        if not made.version:
            self._problem(path, 'a version has a number: version = "1"')
        return msgspec.structs.replace(made, requirement=tuple(requirements), waiver=tuple(waivers))

    def _waiver(self, path: Path_, table: Mapping[str, Any], ids: list[str]) -> Waiver | None:
        fields = [field.encode_name for field in msgspec.structs.fields(Waiver)]
        self._unknown(path, table, frozenset(fields), "a waiver")
        missing = [key for key in fields if key not in table]
        if missing:
            self._problem(path, f"a waiver needs who (by), why and until when; missing: {', '.join(missing)}")
            return None
        made = self._made(Waiver, path, {key: table[key] for key in fields})
        if made is None:
            return None
        if made.requirement not in ids:
            self._problem((*path, "requirement"), f"no requirement {made.requirement!r}{_near(made.requirement, ids)}")
        try:
            Ref.parse(made.subject)
        except InvalidRef as error:
            self._problem((*path, "subject"), str(error))
        return made

    # --- one requirement ---

    def _requirement(self, path: Path_, table: Mapping[str, Any]) -> Requirement | None:
        if not any(key in table for key in ("check", *_COMBINING)):
            near = difflib.get_close_matches("check", [str(key) for key in table], 1)
            if near:
                self._problem((*path, near[0]), f"unknown key {near[0]!r}; did you mean 'check'?")
            else:
                self._problem(path, "a requirement needs a check, or all, any or not")
            return None
        own = {key: value for key, value in table.items() if key in _REQUIREMENT}
        rest = {key: value for key, value in table.items() if key not in _REQUIREMENT}
        # ``version`` and ``name`` are parameters of a check here, not of the requirement.
        condition = self._condition(path, rest, own=True)
        guard = self._guard((*path, "when"), own.pop("when")) if "when" in own else None
        made = self._made(Requirement, path, own)
        if made is None:
            return None
        if condition is None:
            return made
        return msgspec.structs.replace(made, condition=condition, when=guard)

    def _guard(self, path: Path_, table: Any) -> Guard | None:
        if not isinstance(table, Mapping):
            self._problem(path, 'when is a table: when = { environment = "production" }')
            return None
        self._unknown(path, table, _GUARD, "a guard")
        if not table:
            self._problem(path, "an empty guard says nothing; leave it out")
        return self._made(Guard, path, {key: table[key] for key in _GUARD if key in table})

    def _condition(self, path: Path_, table: Any, *, own: bool = False) -> Condition | None:
        if not isinstance(table, Mapping):
            self._problem(path, 'a condition is a table: { check = "…" }')
            return None
        combining = [key for key in _COMBINING if key in table]
        if len(combining) + ("check" in table) != 1:
            self._problem(path, "a condition is one of: check, all, any, not")
            return None
        if "check" in table:
            return self._check(path, table, own=own)
        (word,) = combining
        self._unknown(path, table, frozenset({word}) | (_REQUIREMENT if own else frozenset()), "a condition")
        if word == "not":
            inner = self._condition((*path, "not"), table["not"])
            return None if inner is None else NotOf(not_=inner)
        parts = [
            self._condition((*path, word, index), one)
            for index, one in enumerate(self._tables((*path, word), table[word]))
        ]
        if not parts:
            self._problem((*path, word), f"{word} of nothing says nothing")
        if None in parts or not parts:
            return None
        return AllOf(all=tuple(parts)) if word == "all" else AnyOf(any=tuple(parts))

    def _check(self, path: Path_, table: Mapping[str, Any], *, own: bool) -> Check | None:
        name = table["check"]
        if not isinstance(name, str) or name not in CHECKS:
            self._problem((*path, "check"), f"there is no check {name!r}{_near(str(name), CHECKS)}")
            return None
        kind = CHECKS[name]
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        where = f"check {name!r}" + (" or of a requirement" if own else "")
        self._unknown(path, table, frozenset({*fields, "check"}) | (_REQUIREMENT if own else frozenset()), where)
        known = {key: value for key, value in table.items() if key in fields}
        for key, value in known.items():
            if isinstance(value, float) and not math.isfinite(value):
                self._problem((*path, key), f"{key} must be a finite number")
                return None
        made = self._made(kind, path, known)
        if made is None:
            return None
        for key in sorted(_PATTERNS & set(known)):
            for pattern in [known[key]] if isinstance(known[key], str) else known[key]:
                wrong = check_pattern(pattern)
                if wrong:
                    self._problem((*path, key), f"{pattern!r} is no RE2 expression: {wrong}")
        wrong = _senseless(made)
        if wrong:
            self._problem(path, f"check {name!r}: {wrong}")
        return made

    # --- mistakes ---

    def _made(self, kind: type[Made], path: Path_, table: Mapping[str, Any]) -> Made | None:
        try:
            return msgspec.convert(table, kind, strict=True)
        except msgspec.ValidationError as error:
            said, _, at = str(error).partition(" - at `$")
            inner = tuple(
                int(word) if word.isdigit() else word for word in re.findall(r"[A-Za-z_]\w*|\d+", at.rstrip("`"))
            )
            for word, plain in _PLAIN:
                said = said.replace(word, plain)
            self._problem((*path, *inner), f"{_key(inner)}: {said}" if inner else said)
            return None

    def _unknown(self, path: Path_, table: Mapping[str, Any], allowed: Iterable[str], what: str) -> None:
        names = sorted(allowed)
        for key in table:
            if key not in names:
                self._problem((*path, key), f"unknown key {key!r} of {what}{_near(key, names)}")

    def _tables(self, path: Path_, value: Any) -> list[Any]:
        if isinstance(value, list):
            return value
        self._problem(path, f"{path[-1]} is a list")
        return []

    def _text_of(self, path: Path_, table: Mapping[str, Any], key: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str) or not value:
            self._problem((*path, key), f'a policy has a {key}: {key} = "…"')
            return ""
        return value

    def _problem(self, path: Path_, message: str) -> None:
        self._problems.append((path, message))

    def _error(self) -> PolicyError:
        from .positions import position_of

        told = [(*position_of(self._text, path), message) for path, message in self._problems]
        told.sort(key=lambda one: one[:2])
        raise PolicyError(
            "\n".join(f"{self._place}:{line}:{column}: {message}" for line, column, message in told), told
        )


def _key(path: Path_) -> str:
    """The key that a path ends in, or whose list it ends in."""
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _near(word: str, names: Iterable[str]) -> str:
    names = sorted(names)
    found = difflib.get_close_matches(word, names, 1, 0.5)
    if found:
        return f"; did you mean {found[0]!r}?"
    return f"; there are: {', '.join(names)}" if names else "; there are none"


def _senseless(check: Check) -> str:
    """What is wrong with parameters that are each of the right type."""
    from .checks.gates import Metric, Order
    from .checks.history import Canary
    from .checks.things import Name

    if isinstance(check, Metric):
        if not check.bounds:
            return "it needs at_least, above, at_most or below"
        if not check.metric:
            return "it needs the name of a metric"
    if isinstance(check, Order) and (len(check.steps) < 2 or len(set(check.steps)) < len(check.steps)):
        return "steps are two or more, each once"
    if isinstance(check, Name) and not (check.name or check.version or check.semantic):
        return "it needs name, version or semantic"
    if isinstance(check, Canary) and (
        not check.steps
        or list(check.steps) != sorted(set(check.steps))
        or not all(0 < step <= 100 for step in check.steps)
    ):
        return "steps are percentages that rise, up to 100"
    for field in ("allowed", "facts", "from_"):
        if getattr(check, field, None) == () and not (field == "allowed" and check.__struct_config__.tag == "identity"):
            return f"{field.rstrip('_')} is empty"
    return ""
