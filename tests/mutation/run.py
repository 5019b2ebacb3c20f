"""Mutation testing: one small change in one function after the other, and whether any test notices.

The changes are those of mutmut 3. It would start pytest again for each and leaves functions with a decorator alone (the
properties of a hop among them); here the tests are collected once, and each change is tried in a fork, in which the
function's code is exchanged. A change is tried on the tests that run its function, the fastest first.

``python tests/mutation/run.py [words in a module's path]`` prints the figures, writes them with every mutant
that was not noticed into ``mutants.txt`` in ``--out`` (default: the working folder), and fails below 90 %.
"""

from __future__ import annotations
import __future__

import argparse
import gc
import importlib
import os
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

import libcst as cst
import pytest
from _pytest.runner import runtestprotocol
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lineage_explorer"
_REASONING = ("trace.py", "findings.py", "roles.py")
TESTS = (
    "policy/test_checks.py",
    "policy/test_history_checks.py",
    "policy/test_judging.py",
    "policy/test_policy_files.py",
    "policy/test_reading.py",
    "test_trace_reasoning.py",
)
#: Far more than all tests of a function take, on a busy machine.
SECONDS = 60
ENOUGH = 0.9
#: As in mutmut: changing what is asked of these says little.
LEFT_ALONE = ("len", "isinstance")
_OUTCOMES = {0: "survived", 1: "killed", -signal.SIGALRM: "timeout"}
_ANNOTATIONS = __future__.annotations.compiler_flag


@dataclass(frozen=True)
class Mutant:
    """A change: of ``function`` (qualified name) of ``module``, on ``line``."""

    module: str
    function: str
    line: int
    before: str
    after: str
    code: CodeType


# --- changes ---


class _Changes(cst.CSTVisitor):
    """What may be changed inside functions."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        self.found: list[tuple[str, int, cst.FunctionDef, cst.CSTNode, cst.CSTNode]] = []
        self._names: list[str] = []
        self._function = ""
        self._node: cst.FunctionDef | None = None
        self._line = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        # Types say nothing when a program runs; what stands in a signature runs once, when the module is read.
        if isinstance(node, cst.Annotation | cst.Decorator | cst.Parameters):
            return False
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in LEFT_ALONE:
            return False
        if isinstance(node, cst.ClassDef | cst.FunctionDef):
            self._names.append(node.name.value)
            if isinstance(node, cst.FunctionDef) and not self._function:
                self._function, self._node = ".".join(self._names), node
        if isinstance(node, cst.BaseSmallStatement | cst.BaseCompoundStatement | cst.BaseExpression):
            self._line = self.get_metadata(PositionProvider, node).start.line
        if self._node is not None and not isinstance(node, cst.FunctionDef):
            for kind, operator in mutation_operators:
                if isinstance(node, kind):
                    self.found += [(self._function, self._line, self._node, node, one) for one in operator(node)]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.ClassDef | cst.FunctionDef):
            if ".".join(self._names) == self._function:
                self._function, self._node = "", None
            self._names.pop()


def mutants(path: Path) -> Iterator[Mutant]:
    wrapper = MetadataWrapper(cst.parse_module(path.read_text(encoding="utf-8")))
    changes = _Changes()
    wrapper.visit(changes)
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for name, line, function, node, changed in changes.found:
        alone = cst.ensure_type(function.deep_replace(node, changed), cst.FunctionDef).with_changes(decorators=[])
        try:
            source = compile(wrapper.module.code_for_node(alone), str(path), "exec", _ANNOTATIONS, dont_inherit=True)
        except SyntaxError:
            continue
        code = next(one for one in source.co_consts if isinstance(one, CodeType))
        before, after = (wrapper.module.code_for_node(one) for one in (node, changed))
        yield Mutant(module, name, line, before, after, code)


def live(mutant: Mutant) -> list[Any]:
    """The function that is run, taken out of what decorates it; and what remembers its answers."""
    place: Any = importlib.import_module(mutant.module)
    for name in mutant.function.split("."):
        place = vars(place)[name]
    if hasattr(place, "cache_clear"):
        place.cache_clear()
    for inner in ("fget", "func", "__func__", "__wrapped__"):
        place = getattr(place, inner, None) or place
    return place


# --- tests ---


class Runner:
    """A pytest plugin that, in place of running the tests, tries the mutants."""

    def __init__(self, found: Sequence[Mutant], at_once: int, save: Callable[..., None]) -> None:
        self._found, self._at_once, self._save = found, at_once, save
        self._tests: dict[tuple[str, int], list[tuple[float, Any]]] = defaultdict(list)
        self.outcomes: dict[int, str] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._learn(session.items)
        gc.freeze()
        waiting, running = list(range(len(self._found))), dict[int, int]()
        random.Random(0).shuffle(waiting)  # what was tried when somebody stops it is a sample of all
        while waiting or running:
            while waiting and len(running) < self._at_once:
                number = waiting.pop()
                mutant = self._found[number]
                items = [item for _, item in sorted(self._tests[self._key(mutant)], key=lambda pair: pair[0])]
                if not items:
                    self.outcomes[number] = "no test"
                    continue
                running[self._started(mutant, items)] = number
            if running:
                child, status = os.wait()
                code = os.waitstatus_to_exitcode(status)
                self.outcomes[running.pop(child)] = _OUTCOMES.get(code, "error")
                if len(self.outcomes) % 100 == 0:
                    print(len(self.outcomes), "of", len(self._found), dict(Counter(self.outcomes.values())), flush=True)
                    self._save(self._found, self.outcomes)
        return True

    def _key(self, mutant: Mutant) -> tuple[str, int]:
        code = live(mutant).__code__
        return code.co_filename, code.co_firstlineno

    def _learn(self, items: Sequence[Any]) -> None:
        """Which test runs which function, and how long it takes; all must pass."""
        for place, item in enumerate(items):
            seen: set[tuple[str, int]] = set()

            def look(frame: Any, event: str, _: Any, seen: set[tuple[str, int]] = seen) -> None:
                if event == "call" and frame.f_code.co_filename.startswith(str(PACKAGE)):
                    seen.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

            began = time.perf_counter()
            sys.setprofile(look)
            try:
                passed = self._passes(item, items[place + 1] if place + 1 < len(items) else None)
            finally:
                sys.setprofile(None)
            if not passed:
                raise pytest.UsageError(f"{item.nodeid} fails without any change")
            for key in seen:
                # Every test of a check traces a graph first; of the trace, its own tests say what it does.
                if ("trace" in item.path.name) == key[0].endswith(_REASONING):
                    self._tests[key].append((time.perf_counter() - began, item))

    def _passes(self, item: Any, following: Any) -> bool:
        return all(not report.failed for report in runtestprotocol(item, nextitem=following, log=False))

    def _started(self, mutant: Mutant, items: Sequence[Any]) -> int:
        child = os.fork()
        if child:
            return child
        code = 70
        try:
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 1)
            os.dup2(silent, 2)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(SECONDS)
            live(mutant).__code__ = mutant.code
            passed = all(
                self._passes(item, items[place + 1] if place + 1 < len(items) else None)
                for place, item in enumerate(items)
            )
            code = 0 if passed else 1
        finally:
            os._exit(code)


# --- figures ---


def figures(found: Sequence[Mutant], outcomes: dict[int, str]) -> tuple[str, float]:
    """The figures of each module as a table; the lower share of the policies and of the trace."""
    columns = ("killed", "survived", "timeout", "no test", "error")
    by_module: dict[str, Counter[str]] = defaultdict(Counter)
    for number, outcome in outcomes.items():
        by_module[found[number].module.removeprefix("lineage_explorer.")][outcome] += 1
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    for module, counts in by_module.items():
        totals[f"**{module.partition('.')[0]}**"] += counts
    rows = [f"| module | mutants | {' | '.join(columns)} | noticed |", f"|---{'|---:' * (len(columns) + 2)}|"]
    shares = {}
    for name, counts in [*sorted(by_module.items()), *sorted(totals.items())]:
        shares[name] = (counts["killed"] + counts["timeout"]) / counts.total()
        cells = " | ".join(str(counts[column]) for column in columns)
        rows.append(f"| {name} | {counts.total()} | {cells} | {shares[name]:.1%} |")
    return "\n".join(rows), min(shares[name] for name in totals)


def saved(out: Path, found: Sequence[Mutant], outcomes: dict[int, str]) -> None:
    """Write down the figures so far, and each mutant that was not noticed."""
    lines = [figures(found, outcomes)[0], ""]
    for number, outcome in sorted(outcomes.items()):
        one = found[number]
        if outcome not in ("killed", "timeout"):
            lines += [f"{outcome} {one.module}:{one.line} {one.function}", f"    - {one.before}", f"    + {one.after}"]
    (out / "mutants.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    out = asked.out.resolve()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    paths = [*(PACKAGE / name for name in _REASONING), *sorted((PACKAGE / "policy").rglob("*.py"))]
    wanted = [path for path in paths if not asked.words or any(word in str(path) for word in asked.words)]
    found = [one for path in wanted for one in mutants(path)]
    print(len(found), "mutants", flush=True)
    save = partial(saved, out)
    runner = Runner(found, asked.at_once, save)
    arguments = ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:randomly", *(f"tests/{name}" for name in TESTS)]
    status = pytest.main(arguments, plugins=[runner])
    if status or len(runner.outcomes) < len(found):
        return int(status) or 1
    save(found, runner.outcomes)
    table, share = figures(found, runner.outcomes)
    print(table)
    return 0 if share >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main())
