"""Runs programs, one line of JSON in and one out for each; the parent survives this process' crashes.

In: ``{"seed": 7}``, or ``{"seed": 7, "module": "...", "calls": ["f0(1)"]}`` for a given text.
Out: ``{"seed": 7, "found": null or {"call": ..., "plain": ..., "compiled": ...}, "native": 3, "functions": 3}``.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import io
import json
import os
import resource
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.fuzz import leaks, oracle, outcome
from tests.fuzz.coverage import COUNTED
from tests.fuzz.generate import Program, program
from tests.fuzz.shapes import TRUSTED

STAND_IN = oracle.stand_in()
MOST_MEMORY = 6 << 30
CANNOT_START = 3
"""The exit code that says that no program was at fault."""


def load(path: Path, name: str, castiron: ModuleType) -> dict[str, Any]:
    """The module's namespace, executed with this castiron."""
    kept = sys.modules.get("castiron")
    sys.modules["castiron"] = castiron
    try:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        vars(module).update(oracle.NAMES)
        spec.loader.exec_module(module)
    finally:
        if kept is not None:
            sys.modules["castiron"] = kept
    return vars(module)


def functions(namespace: dict[str, Any]) -> list[Any]:
    return [value for name, value in namespace.items() if name[0] == "f" and name[1:].isdigit()]


def castiron_under_test() -> ModuleType:
    """The real one; the stand-in itself where the generator is tried without it."""
    if os.environ.get("CASTIRON_FUZZ") == "plain":
        return STAND_IN
    try:
        import castiron
    except ImportError as error:
        print(error, file=sys.stderr)
        raise SystemExit(CANNOT_START) from error
    return castiron


def run(given: Program, folder: Path, castiron: ModuleType) -> dict[str, Any]:
    """Both runs of one program, up to the first difference."""
    path = folder / f"seed_{given.seed}.py"
    path.write_text(given.module)
    name = path.stem
    reference = oracle.stand_in(checks=not given.module.startswith(TRUSTED))
    # What frozen classes are is not the question here.
    reference.frozen = oracle.frozen if castiron is STAND_IN else castiron.frozen  # type: ignore[attr-defined]
    plain = load(path, name, reference)
    compiled = load(path, name, reference if castiron is STAND_IN else castiron)
    native = functions(compiled)
    report: dict[str, Any] = {"seed": given.seed, "found": None, "functions": len(native)}
    for call in given.calls:
        mode = "exec" if " = " in call else "eval"
        code = compile(call, "<call>", mode)
        expected = outcome.of(code, plain, str(path))
        got = outcome.of(code, compiled, str(path))
        if json.dumps(expected, sort_keys=True) != json.dumps(got, sort_keys=True):
            report["found"] = {"call": call, "plain": expected, "compiled": got}
            break
    if report["found"] is None:
        report["found"] = leaks.found(given, plain, compiled, lambda: code_bytes(castiron))
    is_compiled = getattr(castiron, "is_compiled", None)
    report["native"] = sum(map(is_compiled, native)) if is_compiled else 0
    sys.modules.pop(name, None)
    path.unlink()
    return report


def collect() -> None:
    """Ends what the last program left, before the next one prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        gc.collect()
    # What is still alive belongs to castiron or the worker: the next collections need not look at it.
    gc.freeze()


def code_bytes(castiron: ModuleType) -> int:
    """How much machine code there is."""
    return int(castiron.stats()["code_bytes"]) if castiron is not STAND_IN else 0


class Counts:
    """What castiron has counted since the last time."""

    def __init__(self, castiron: ModuleType) -> None:
        self.castiron = castiron
        self.before: dict[str, Counter[str]] = {name: Counter() for name in COUNTED}

    def since(self) -> dict[str, dict[str, int]]:
        now = self.castiron.stats()
        grown = {}
        for name in COUNTED:
            counts = Counter(now[name])
            grown[name] = dict(counts - self.before[name])
            self.before[name] = counts
        return grown


def main() -> None:
    """Reads requests until the input ends."""
    castiron = castiron_under_test()
    counts = Counts(castiron)
    sys.setrecursionlimit(2000)
    # A program whose values double with each turn ends with a MemoryError, and not the machine.
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    gc.disable()
    gc.freeze()
    out = os.fdopen(os.dup(1), "w")
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            asked = json.loads(line)
            if "module" in asked:
                given = Program(asked["seed"], asked["module"], tuple(asked["calls"]))
            else:
                given = program(asked["seed"])
            report = run(given, Path(folder), castiron)
            collect()
            if asked.get("coverage"):
                report["counts"] = counts.since()
            out.write(json.dumps(report) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
