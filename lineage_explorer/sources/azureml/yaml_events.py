"""YAML built from the parser's events: no tags, no recursion, aliases counted before they are followed.

PyYAML's own constructor recurses (a deep document ends the process), keeps the last of two equal keys
and reads ``1.10`` as a number. Here every scalar but true, false and null stays the text it is, because
a version is a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from ...errors import InvalidRecord
from ..documents import MAX_DEPTH

#: The most values that one document may have once its aliases are followed.
MAX_VALUES = 500_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = frozenset(["", "~", "null", "Null", "NULL"])
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_PLAIN_TAGS = tuple(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq"))


class _Value(NamedTuple):
    value: Any
    size: int
    depth: int


class _Open:
    """A mapping or list whose end has not come yet."""

    def __init__(self, anchor: str | None, listed: bool) -> None:
        self.anchor = anchor
        self.items: list[Any] | dict[str, Any] = [] if listed else {}
        self.key: str | None = None
        self.merged: list[Any] = []
        self.size, self.depth = 1, 1


def load_yaml(text: str, name: str) -> Iterator[tuple[int, Any]]:
    """The documents of a YAML text, each with the line where it begins.

    Raises
    ------
    InvalidRecord
        With the line: text that is not YAML, a key that stands twice, a tag, a key that is no text,
        an alias to what contains it, and too many values or levels.

    Examples
    --------
    >>> list(load_yaml("version: 1.10", "model.yml"))
    [(1, {'version': '1.10'})]
    """
    builder = _Builder(name)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            yield from builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
        raise InvalidRecord(f"not YAML: {what}", f"{name}{line}") from error


class _Builder:
    def __init__(self, name: str) -> None:
        self._name = name
        self._anchors: dict[str, _Value] = {}
        self._stack: list[_Open] = []
        self._line = 1

    def take(self, event: Any) -> Iterator[tuple[int, Any]]:
        """Take one event; yields a document when it is complete."""
        done: _Value | None = None
        anchor: str | None = None
        if isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._check_tag(event)
            if not self._stack:
                self._line = _line(event)
            if len(self._stack) >= MAX_DEPTH:
                raise self._error(event, f"nested deeper than {MAX_DEPTH} levels")
            self._stack.append(_Open(event.anchor, isinstance(event, yaml.SequenceStartEvent)))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            opened = self._stack.pop()
            anchor, done = opened.anchor, self._close(opened, event)
        elif isinstance(event, yaml.ScalarEvent):
            self._check_tag(event)
            anchor, done = event.anchor, _Value(_scalar(event), 1, 0)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise self._error(event, f"the alias *{str(event.anchor)[:80]} points at nothing that is complete")
            done = self._anchors[event.anchor]
        if done is None:
            return
        if anchor is not None:
            self._anchors[anchor] = done
        if self._stack:
            self._add(done, event)
        else:
            yield (_line(event) if isinstance(event, yaml.ScalarEvent) else self._line), done.value

    def _add(self, done: _Value, event: Any) -> None:
        into = self._stack[-1]
        into.size += done.size
        into.depth = max(into.depth, done.depth + 1)
        if into.size > MAX_VALUES:
            raise self._error(event, f"the document has more than {MAX_VALUES:,} values once its aliases are followed")
        if into.depth + len(self._stack) > MAX_DEPTH + 1:
            raise self._error(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(into.items, list):
            into.items.append(done.value)
        elif into.key is None:
            self._take_key(into, done, event)
        else:
            key, into.key = into.key, None
            if key == "<<":
                into.merged.append(done.value)
            else:
                into.items[key] = done.value

    def _take_key(self, into: _Open, done: _Value, event: Any) -> None:
        if isinstance(done.value, (dict, list)):
            raise self._error(event, "a key must be a text")
        # A key is what stands there: the country code NO is no truth value, and neither is `null`.
        key = event.value if isinstance(event, yaml.ScalarEvent) else str(done.value)
        if key in into.items and key != "<<":
            raise self._error(event, f"the key {key[:80]!r} stands twice in one mapping")
        into.key = key

    def _close(self, opened: _Open, event: Any) -> _Value:
        if isinstance(opened.items, dict):
            for merged in opened.merged:
                for mapping in merged if isinstance(merged, list) else [merged]:
                    if not isinstance(mapping, dict):
                        raise self._error(event, "'<<' merges mappings only")
                    opened.items = {**mapping, **opened.items}
        return _Value(opened.items, opened.size, opened.depth)

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None and event.tag not in _PLAIN_TAGS and event.tag != "!":
            raise self._error(event, f"the tag {event.tag[:80]!r} is not followed")

    def _error(self, event: Any, reason: str) -> InvalidRecord:
        return InvalidRecord(f"not usable YAML: {reason}", f"{self._name}:{_line(event)}")


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _scalar(event: Any) -> Any:
    text = event.value
    if event.implicit[0] and event.tag is None:
        if text in _NULLS:
            return None
        return _TRUTH.get(text, text)
    return text
