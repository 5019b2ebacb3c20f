"""Every benchmark, one after another, written down in benchmarks/results.md: what ``make bench`` calls.

Each runs in a process of its own. A benchmark whose answers differ, or that fails, is named in the results and
ends this one with 1; so does nothing else: a target that was missed is written down, not hidden.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tqdm import tqdm

from benchmarks.report import ROOT, Figure, environment, parser, row, say

BENCHMARKS = {
    "trace": "From a question to its answer",
    "journal": "What the journal and its two times cost",
    "ingest": "From an MLflow estate into the store",
    "view": "From an answer to the screen",
    "estates": "A whole estate against a policy",
    "history": "Whom a dataset reached, and a history drawn",
}


def measured(name: str, options: Sequence[str]) -> tuple[list[Figure], list[str]] | None:
    """One benchmark's figures and remarks, None if it failed."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), "--json", *options],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        say(f"benchmarks/{name}.py ended with {done.returncode}; its message is above")
        return None
    known = {field.name for field in fields(Figure)}
    figures: list[Figure] = []
    notes: list[str] = []
    for line in done.stdout.splitlines():
        told = json.loads(line)
        if "note" in told:
            notes.append(told["note"])
        else:
            figures.append(Figure(**{key: value for key, value in told.items() if key in known}))
    return figures, notes


def written(results: dict[str, tuple[list[Figure], list[str]] | None], quick: bool) -> str:
    """The page."""
    lines = [
        "# Results",
        "",
        f"Written by `benchmarks/run.py` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        + (", with `--quick`: small estates, few repetitions." if quick else "."),
        "A ratio says how many times better lineage-explorer is than the peer; below 1 it is worse. Where the peer is",
        "an earlier size of lineage-explorer itself, it says how many times longer it took.",
        "",
        *(f"- {name}: {value}" for name, value in environment()),
        "",
        "## Targets",
        "",
    ]
    lines += _targets([figure for result in results.values() if result for figure in result[0]])
    for name, result in results.items():
        lines += ["", _heading(name), "", *_section(result)]
    return "\n".join(lines).rstrip() + "\n"


def replaced(page: str, results: dict[str, tuple[list[Figure], list[str]] | None], quick: bool) -> str:
    """The page with these benchmarks' sections new, and every other line as it was."""
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    order = [_heading(name) for name in BENCHMARKS]
    for name, result in results.items():
        said = (
            f"Measured apart from the rest, on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
            + (", with `--quick`." if quick else ".")
            + " The table of targets above is not made anew for it."
        )
        lines = [_heading(name), "", said, ""]
        if result and any(figure.met is not None for figure in result[0]):
            lines += [*_targets(result[0]), ""]
        made = "\n".join([*lines, *_section(result)]).rstrip() + "\n"
        titles = [part.partition("\n")[0] for part in parts]
        if lines[0] in titles:
            at = titles.index(lines[0])
            parts[at] = made + ("\n" if at + 1 < len(parts) else "")
            continue
        later = order[order.index(lines[0]) + 1 :]
        at = next((i for i, title in enumerate(titles) if title in later), len(parts))
        parts[at - 1] = parts[at - 1].rstrip() + "\n\n"
        parts.insert(at, made + ("\n" if at < len(parts) else ""))
    return "".join(parts)


def _heading(name: str) -> str:
    return f"## {BENCHMARKS[name]} (`benchmarks/{name}.py`)"


def _section(result: tuple[list[Figure], list[str]] | None) -> list[str]:
    if result is None:
        return ["It failed, so there are no figures."]
    figures, notes = result
    lines: list[str] = []
    for size in dict.fromkeys(figure.size for figure in figures):
        lines += [f"### {size}", ""] if size else []
        lines += _table(["figure", "whose", "value", "ratio", "expected"], map(row, _of(figures, size)))
        lines.append("")
    return lines + [f"- {note}" for note in notes]


def _of(figures: Sequence[Figure], size: str) -> list[Figure]:
    return [figure for figure in figures if figure.size == size]


def _targets(figures: Sequence[Figure]) -> list[str]:
    judged = [figure for figure in figures if figure.met is not None]
    if not judged:
        return ["None applies to estates of these sizes."]
    missed = [figure for figure in judged if not figure.met]
    told = f"{len(judged) - len(missed)} of {len(judged)} were met"
    told += f"; missed: {', '.join(f'{figure.name} ({figure.peer})' for figure in missed)}." if missed else "."
    return [
        told,
        "",
        *_table(
            ["target", "against", "expected", "ratio", "met"],
            ((f.name, f.peer or "", f.expected, row(f)[3], "yes" if f.met else "**no**") for f in judged),
        ),
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    made = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    made += [f"| {' | '.join(cells)} |" for cells in rows]
    return made


def main(given: list[str] | None = None) -> int:
    """Run, print and write down."""
    options = parser(__doc__ or "", "python benchmarks/run.py --quick")
    options.add_argument(
        "--only",
        choices=BENCHMARKS,
        action="append",
        help="this benchmark only, its section of the results alone written anew; may be given several times",
    )
    options.add_argument(
        "--output",
        type=Path,
        default=ROOT / "benchmarks" / "results.md",
        metavar="FILE",
        help="where the results are written (default: %(default)s)",
    )
    options.add_argument(
        "--full", action="store_true", help="the journal of ten million records too: an hour more, and 40 GB"
    )
    asked = options.parse_args(given)
    passed = [*(["--quick"] if asked.quick else []), "--work", str(asked.work)]
    results: dict[str, tuple[list[Figure], list[str]] | None] = {}
    with tqdm(asked.only or list(BENCHMARKS), desc="benchmarks") as bar:
        for name in bar:
            bar.set_postfix_str(name)
            if not (ROOT / "benchmarks" / f"{name}.py").exists():
                say(f"benchmarks/{name}.py is not there: left out")
                continue
            results[name] = measured(name, passed + ["--full"] * (asked.full and name == "journal"))
    if asked.only and asked.output.exists():
        asked.output.write_text(replaced(asked.output.read_text(), results, asked.quick))
    else:
        asked.output.write_text(written(results, asked.quick))
    if asked.json:
        for result in results.values():
            for figure in result[0] if result else ():
                print(figure.to_json())
    else:
        print(f"written to {asked.output}")
    return 1 if None in results.values() else 0


if __name__ == "__main__":
    sys.exit(main())
