"""Writes what the documentation takes from the code: the JSON Schema, the command line, the public names.

``python scripts/reference.py`` writes the files; ``--check`` only says which are out of date, and fails.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

import lineage_explorer
from lineage_explorer import cli, errors, records, sources
from lineage_explorer.policy.schema import policy_schema

ROOT = Path(__file__).resolve().parent.parent


def schema() -> str:
    """The JSON Schema of a record."""
    return json.dumps(records.json_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def policies() -> str:
    """The JSON Schema of a policy file."""
    return json.dumps(policy_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def command_line() -> str:
    """A page with the help of every command, as the terminal shows it."""
    lines = [
        "# Command line",
        "",
        "Written from the code by `make docs`.",
        "",
        "| exit status | meaning |",
        "|---|---|",
        "| 0 | done; for `audit`, `gate` and `rollback`: `PASSED` |",
        "| 1 | `audit`, `gate`, `rollback`: `FAILED`; `compare --exit-code`: they differ |",
        "| 3 | `audit`, `gate`, `rollback`: `INCOMPLETE` |",
        "| 2 | a usage or other error; never a verdict |",
        "| 130 | interrupted; what was acknowledged is stored |",
        "",
    ]
    for path, command in _commands(cli.commands, ["lineage-explorer"]):
        context = click.Context(command, info_name=" ".join(path), max_content_width=100, terminal_width=100)
        lines += [f"## {' '.join(path)}", "", "```text", command.get_help(context), "```", ""]
    return "\n".join(lines)


def _commands(command: click.Command, path: list[str]) -> Iterator[tuple[list[str], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _commands(command.commands[name], [*path, name])


def names() -> str:
    """A page with every public name: how it is called, and what it says of itself."""
    lines = ["# Python", "", "Written from the code by `make docs`.", ""]
    for title, module, public in (
        ("lineage_explorer", lineage_explorer, [name for name in lineage_explorer.__all__ if name != "__version__"]),
        ("lineage_explorer.sources", sources, list(sources.__all__)),
        ("lineage_explorer.errors", errors, [name for name in vars(errors) if _own(errors, name)]),
    ):
        lines += [f"## {title}", ""]
        for name in sorted(public, key=str.lower):
            lines += _entry(name, getattr(module, name), 3)
    return "\n".join(lines)


def _own(module: Any, name: str) -> bool:
    return not name.startswith("_") and getattr(vars(module)[name], "__module__", "") == module.__name__


def _entry(name: str, item: Any, level: int) -> list[str]:
    shown = name
    if inspect.isfunction(item):
        shown = f"{name}{str(inspect.signature(item)).replace(chr(39), '')}"
    lines = [
        f"{'#' * level} {name}",
        "",
        "```text",
        shown.replace("lineage_explorer.", ""),
        "",
        inspect.getdoc(item) or "",
        "```",
        "",
    ]
    if inspect.isclass(item) and not issubclass(item, Exception):
        for member, value in sorted(_members(item).items()):
            callable_ = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
            if member.startswith("_") or not (inspect.isfunction(callable_) or isinstance(value, property)):
                continue
            lines += _entry(f"{name}.{member}", callable_, level + 1)
    return lines


def _members(item: type) -> dict[str, Any]:
    """What a class has of its own, and from classes of ours that it is built on."""
    ours = [base for base in item.__mro__ if base.__module__.partition(".")[0] == "lineage_explorer"]
    return {name: value for base in reversed(ours) for name, value in vars(base).items()}


FILES = {
    "docs/policy.schema.json": policies,
    "docs/record.schema.json": schema,
    "lineage_explorer/record.schema.json": schema,
    "docs/command-line.md": command_line,
    "docs/python.md": names,
}


def main() -> int:
    """Write the files, or say which are out of date."""
    stale = [
        name
        for name, write in FILES.items()
        if not (path := ROOT / name).exists() or path.read_text(encoding="utf-8") != write()
    ]
    if "--check" in sys.argv:
        for name in stale:
            print(f"{name} is out of date: make docs", file=sys.stderr)
        return bool(stale)
    for name in stale:
        (ROOT / name).write_text(FILES[name](), encoding="utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
