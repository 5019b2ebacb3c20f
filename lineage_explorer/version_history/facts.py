"""What a record says of a version's parameters, metrics, code and packages, in whatever shape its source wrote it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ..records import Ref

#: Where tools write whether the working copy had changes that were in no commit.
_DIRTY_TAGS = ("mlflow.source.git.dirty", "mlflow.git.dirty", "azureml.git.dirty")
#: What a conda file asks for: a name, perhaps with a version and a build (``python=3.11=h1``, ``python 3.11 h1``).
_CONDA = re.compile(r"([\w.-]+)(?:(?:\s*=(?!=)\s*|\s+)(\w[^=\s]*)(?:[=\s].*)?)?")
#: A comment, a condition and options end what a line says of a package.
_END = re.compile(r"(?:^|\s)#|;|\s--?\w")


def _attributes(record: Mapping[str, Any]) -> Mapping[str, Any]:
    found = record.get("attributes", {})
    return found if isinstance(found, Mapping) else {}


def plain(value: Any) -> str:
    """A value as text; what is no text as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


# --- parameters and metrics ---


def params_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Parameters, as a logged model or a run states them.

    Parameters
    ----------
    record : mapping
        A record as plain JSON values.

    Returns
    -------
    dict
        Values as text; what was no text is written as JSON.

    Examples
    --------
    >>> params_of({"attributes": {"params": {"C": "10.0", "columns": 12}}})
    {'C': '10.0', 'columns': '12'}
    """
    attributes = _attributes(record)
    found: dict[str, str] = {}
    for field in ("parameters", "params"):
        if isinstance(said := attributes.get(field), Mapping):
            found |= {name: plain(value) for name, value in said.items()}
    return found


def metrics_of(record: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, str]]:
    """Metrics, and apart from them those whose value is no finite number.

    Records hold ``NaN`` and ``Infinity`` as texts, for JSON has no such numbers: they can be told and not compared.

    Returns
    -------
    numbers : dict of float
        In whatever unit the source measured.
    texts : dict of str
        As they are written on record.

    Examples
    --------
    >>> metrics_of({"attributes": {"metrics": {"auc": 0.9, "loss": "nan"}}})
    ({'auc': 0.9}, {'loss': 'nan'})
    """
    said = _attributes(record).get("metrics")
    numbers: dict[str, float] = {}
    texts: dict[str, str] = {}
    for name, value in said.items() if isinstance(said, Mapping) else ():
        number = None if isinstance(value, bool) else _number(value)
        if number is None:
            texts[name] = plain(value)
        else:
            numbers[name] = number
    return numbers, texts


def _number(value: Any) -> float | None:
    try:
        found = float(value) if isinstance(value, (str, int, float)) else math.nan
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


# --- code ---


def code_of(ref: str, record: Mapping[str, Any], witnesses: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The code that something was made with.

    Parameters
    ----------
    ref : str
        Of kind ``code``.
    record : mapping
        What describes it.
    witnesses : iterable of mapping
        Records that also tell whether it was changed when it ran: the relation between run and code, the run.

    Returns
    -------
    dict
        ``ref``, ``commit`` (empty where none is on record), ``dirty`` (None where no record says), ``link`` (an
        address that a record states; nothing fetches it).

    Examples
    --------
    >>> code_of("code:shop@0a1b", {"digest": "git:0a1b"}, [{"attributes": {"dirty": True}}])
    {'ref': 'code:shop@0a1b', 'commit': '0a1b', 'dirty': True, 'link': ''}
    """
    attributes = _attributes(record)
    algorithm, _, value = str(record.get("digest", "")).partition(":")
    stated = next((attributes[name] for name in ("commit", "git_commit") if attributes.get(name)), "")
    link = next((attributes[name] for name in ("url", "repository", "uri") if attributes.get(name)), "")
    said = {word for one in (record, *witnesses) for word in _dirty(one)}
    return {
        "ref": ref,
        "commit": value if algorithm == "git" and value else plain(stated) or Ref.parse(ref).version,
        # One witness of a change is enough: the others may have looked earlier.
        "dirty": True in said if said else None,
        "link": plain(link),
    }


def _dirty(record: Mapping[str, Any]) -> Iterator[bool]:
    attributes = _attributes(record)
    tags = attributes.get("tags")
    words = [attributes.get("dirty"), *(attributes.get(name) for name in _DIRTY_TAGS)]
    if isinstance(tags, Mapping):
        words += [tags.get(name) for name in _DIRTY_TAGS]
    for word in words:
        if isinstance(word, bool):
            yield word
        elif isinstance(word, str) and word.strip().casefold() in ("true", "false"):
            yield word.strip().casefold() == "true"


# --- packages ---


def packages_of(record: Mapping[str, Any]) -> dict[str, str]:
    """The packages that an environment on record states, whichever way it was written down.

    Read are ``attributes.packages`` (a mapping, or a list of ``name==version`` or of mappings with ``name`` and
    ``version``), ``dependencies``, ``conda`` and ``conda_file`` (as in conda's files, with pip's inside), and
    ``requirements`` (a text or a list). Where several name a package, what was installed counts before what was asked for.

    Parameters
    ----------
    record : mapping
        An ``environment``'s record as plain JSON values.

    Returns
    -------
    dict
        By name, as PyPI spells it (lower case, hyphens): the version, a condition on it (``>=1.2``), or an empty text where
        any would do. What is no package (an option, an address, a comment) is left out.

    Examples
    --------
    >>> packages_of({"attributes": {"dependencies": ["python=3.11", {"pip": ["scikit_learn==1.5.2 ; os_name == 'posix'"]}]}})
    {'python': '3.11', 'scikit-learn': '1.5.2'}
    """
    attributes = _attributes(record)
    found: dict[str, str] = {}
    for said in (
        _installed(attributes.get("packages")),
        _conda(attributes.get("dependencies")),
        _conda(attributes.get("conda")),
        _conda(attributes.get("conda_file")),
        _required(attributes.get("requirements")),
    ):
        one: dict[str, str] = {}
        for name, version in said:
            # Two lines about one package: the one that says more.
            one[name] = max(one.get(name, ""), version, key=lambda text: (_pinned(text), text))
        found |= {name: version for name, version in one.items() if name not in found or not found[name]}
    return dict(sorted(found.items()))


def _pinned(version: str) -> int:
    return 2 if version[:1].isalnum() else 1 if version else 0


def _installed(said: Any) -> Iterator[tuple[str, str]]:
    if isinstance(said, Mapping):
        for name, version in said.items():
            if name.strip():
                yield _spelt(name), "" if version is None else plain(version).strip().removeprefix("==")
    elif isinstance(said, list):
        for item in said:
            if isinstance(item, Mapping) and isinstance(name := item.get("name"), str) and name.strip():
                yield _spelt(name), plain(item.get("version") or "").strip().removeprefix("==")
            elif isinstance(item, str):
                yield from _line(item)
    else:
        yield from _required(said)


def _conda(said: Any) -> Iterator[tuple[str, str]]:
    if isinstance(said, Mapping):
        if "dependencies" in said:
            yield from _conda(said["dependencies"])
        elif "pip" in said:
            yield from _required(said["pip"])
        else:
            yield from _installed(said)
    elif isinstance(said, list):
        for item in said:
            if isinstance(item, Mapping):
                yield from _required(item.get("pip"))
            elif isinstance(item, str):
                yield from _line(item, conda=True)


def _required(said: Any) -> Iterator[tuple[str, str]]:
    lines = said.replace("\\\n", " ").splitlines() if isinstance(said, str) else said
    for line in lines if isinstance(lines, list) else ():
        if isinstance(line, str):
            yield from _line(line)


def _line(text: str, *, conda: bool = False) -> Iterator[tuple[str, str]]:
    """What one line asks for; nothing where it is an option, an address or a comment."""
    cut = _END.split(text, maxsplit=1)[0].strip()
    if conda:
        cut = cut.rpartition("::")[2]  # a channel's name
        if found := _CONDA.fullmatch(cut):
            yield _spelt(found[1]), found[2] or ""
            return
    try:
        asked = Requirement(cut)
    except InvalidRequirement:
        return
    exact = [item.version for item in asked.specifier if item.operator in ("==", "===") and "*" not in item.version]
    if asked.url:
        yield _spelt(asked.name), f"@ {asked.url}"
    else:
        yield _spelt(asked.name), exact[0] if exact and len(asked.specifier) == 1 else str(asked.specifier)


def _spelt(name: str) -> str:
    """A package's name as PyPI compares it; conda's with an underscore before them stay as they are."""
    name = name.strip()
    return name if name.startswith("_") else canonicalize_name(name)
