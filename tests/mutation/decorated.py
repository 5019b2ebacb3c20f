"""Mutants of what mutmut leaves alone: functions with a decorator, above all the properties of a hop.

The changes are mutmut's own. Each is tried in a process that was forked before the package was imported, so that nothing
is written anywhere. ``python tests/mutation/decorated.py [part of a module's path]``; fails below 90 %.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import libcst as cst
import networkx  # noqa: F401 - imported once for all children, as are the next
import pandas  # noqa: F401
import pytest
import sqlalchemy  # noqa: F401
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).resolve().parents[2]
#: Those that come soonest to what is decorated first.
TESTS = ("policy/test_judging.py", "policy/test_checks.py", "policy/test_reading.py", "test_trace_reasoning.py")
SECONDS = 120
ENOUGH = 0.9


@dataclass(frozen=True)
class Mutant:
    module: str
    line: int
    before: str
    after: str
    source: str


class _Decorated(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        self.found: list[tuple[int, cst.CSTNode, cst.CSTNode]] = []
        self._inside = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Annotation | cst.Decorator):
            return False
        if isinstance(node, cst.FunctionDef):
            if not node.decorators and not self._inside:
                return False
            self._inside += 1
        if self._inside:
            line = self.get_metadata(PositionProvider, node).start.line if isinstance(node, cst.BaseExpression) else 0
            for kind, operator in mutation_operators:
                if isinstance(node, kind):
                    self.found += [(line, node, changed) for changed in operator(node)]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef) and (original_node.decorators or self._inside):
            self._inside -= 1


def mutants(path: Path) -> Iterator[Mutant]:
    wrapper = MetadataWrapper(cst.parse_module(path.read_text(encoding="utf-8")))
    visitor = _Decorated()
    wrapper.visit(visitor)
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for line, node, changed in visitor.found:
        source = wrapper.module.deep_replace(node, changed).code  # type: ignore[arg-type]
        yield Mutant(name, line, wrapper.module.code_for_node(node), wrapper.module.code_for_node(changed), source)


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module another source."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._mutant.module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.source, f"<{self._mutant.module}>", "exec"), module.__dict__)


def started(mutant: Mutant) -> int:
    """The child that runs the tests on a mutant; it ends with their exit code."""
    child = os.fork()
    if child:
        return child
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    sys.meta_path.insert(0, _Loader(mutant))
    signal.alarm(SECONDS)
    code = 70
    try:
        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *(f"tests/{name}" for name in TESTS)]))
    finally:
        os._exit(code)


def tried(found: Sequence[Mutant], at_once: int) -> Iterator[tuple[Mutant, str]]:
    waiting, running = list(reversed(found)), dict[int, Mutant]()
    while waiting or running:
        while waiting and len(running) < at_once:
            mutant = waiting.pop()
            running[started(mutant)] = mutant
        child, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        yield running.pop(child), "survived" if code == 0 else "timeout" if code == -signal.SIGALRM else "killed"


def main(arguments: list[str]) -> int:
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    package = ROOT / "lineage_explorer"
    paths = [path for path in (*sorted((package / "policy").rglob("*.py")), package / "trace.py")]
    found = [one for path in paths if all(word in str(path) for word in arguments) for one in mutants(path)]
    counts: dict[str, Counter[str]] = {}
    began = time.monotonic()
    for mutant, outcome in tried(found, os.cpu_count() or 1):
        counts.setdefault(mutant.module, Counter())[outcome] += 1
        if outcome != "killed":
            print(f"{outcome} {mutant.module}:{mutant.line}\n    - {mutant.before}\n    + {mutant.after}", flush=True)
    for module, count in sorted(counts.items()):
        print(f"| {module} | {count.total()} | {count['killed']} | {count['survived']} | {count['timeout']} |")
    total = sum(counts.values(), Counter[str]())
    share = 1 - total["survived"] / max(1, total.total())
    print(f"{total.total()} mutants, {share:.1%} killed, {time.monotonic() - began:.0f} s")
    return 0 if share >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
