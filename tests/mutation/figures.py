"""Figures of the last ``mutmut run``, by module, and every mutant that survived; fails below 90 %.

``python tests/mutation/figures.py`` in the folder that holds ``mutants/``; ``--diff`` shows what each survivor changed.
"""

from __future__ import annotations

import ast
import difflib
import json
import sys
from collections import Counter
from pathlib import Path

FOLDER = Path("mutants/lineage_explorer")
#: What mutmut writes down as the exit code of the tests.
MEANING = {0: "survived", 1: "killed", 3: "killed", 33: "no test", 36: "timeout", 24: "timeout", -24: "timeout"}
COLUMNS = ("killed", "survived", "timeout", "no test", "other", "not run")
ENOUGH = 0.9


def outcome(code: int | None) -> str:
    if code is None:
        return "not run"
    return MEANING.get(code, "other")


def changed(module: Path, names: list[str]) -> dict[str, list[str]]:
    """The lines in which each mutant differs from the function that it was made of."""
    text = module.read_text(encoding="utf-8")
    lines = text.splitlines()
    bodies = {
        node.name: lines[node.lineno : node.end_lineno]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
    }
    found = {}
    for name in names:
        function = name.rpartition(".")[2]
        original = bodies[function.rpartition("__mutmut_")[0] + "__mutmut_orig"]
        diff = difflib.unified_diff(original, bodies[function], lineterm="", n=0)
        found[name] = [f"{line[0]} {line[1:].strip()}" for line in diff if line[:2] not in ("++", "--", "@@")]
    return found


def main(arguments: list[str]) -> int:
    totals: dict[str, Counter[str]] = {"policy": Counter(), "trace": Counter()}
    rows: list[tuple[str, Counter[str]]] = []
    survivors: dict[Path, list[str]] = {}
    for path in sorted(FOLDER.rglob("*.py.meta")):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        if not codes:
            continue
        module = path.relative_to(FOLDER).with_suffix("").as_posix()
        counts = Counter(outcome(code) for code in codes.values())
        rows.append((module, counts))
        totals["policy" if module.startswith("policy/") else "trace"] += counts
        left = [name for name, code in codes.items() if outcome(code) not in ("killed", "timeout")]
        survivors[path.with_suffix("")] = left
    print("| module | mutants | " + " | ".join(COLUMNS) + " | killed |")
    print("|---|---|" + "---|" * (len(COLUMNS) + 1))
    shares = []
    for name, counts in [*rows, *((f"**{name}**", counts) for name, counts in totals.items())]:
        share = (counts["killed"] + counts["timeout"]) / max(1, counts.total())
        cells = [str(counts[column]) for column in COLUMNS]
        print(f"| {name} | {counts.total()} | {' | '.join(cells)} | {share:.1%} |")
        shares += [share] if "**" in name else []
    for module, names in survivors.items():
        told = changed(module, names) if "--diff" in arguments else {name: [] for name in names}
        for name, lines in told.items():
            print("\n".join([name, *(f"    {line}" for line in lines)]))
    return 0 if min(shares) >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
