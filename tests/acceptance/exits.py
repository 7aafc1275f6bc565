"""Loops stay in specialised code: exits and turns of the scalar benchmark programs after warm-up.

    python tests/acceptance/exits.py [--programs fib,mandelbrot]

Runs on the interpreter that runs the script, which needs castiron. The turns that a program makes are counted by a
copy of its text that counts the bodies of its loops and functions as they begin, run by CPython; a call of a function
is a turn too, since fib has no others. What castiron counts while the compiled program does the same work again, after
two runs: exits, by the ops that took them, and turns and calls of generic versions. Only sites that leave 64 bits may
exit, and 99 turns of 100 must be made in specialised code.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import sys
from pathlib import Path
from typing import Any

import castiron

PROGRAMS = Path(__file__).resolve().parents[2] / "benches" / "programs"
NAMES = ("fib", "mandelbrot", "lcg_overflow")
BEYOND_64_BITS = ("int.add_checked", "int.sub_checked", "int.mul_checked", "int.shl_checked", "call.direct")
"""A direct call exits when its result has left 64 bits."""


def load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.parent.name + path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def turns(path: Path) -> int:
    """How many turns and calls the benchmark makes."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.decorator_list.clear()
        if isinstance(node, (ast.FunctionDef, ast.For, ast.While)):
            node.body[:0] = ast.parse("next(TURNS)").body
    counter = iter(range(sys.maxsize))
    namespace: dict[str, Any] = {"TURNS": counter, "__name__": "counted"}
    exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), namespace)
    namespace["run"](namespace["N_BENCH"])
    return next(counter)


def counts() -> tuple[int, dict[str, int]]:
    now = castiron.stats()
    return now["generic_turns"] + now["generic_calls"], dict(now["exits"])


def measure(path: Path) -> bool:
    """Prints the row of one program; whether it is as it should be."""
    program = load(path)
    for _ in range(2):
        program.run(program.N_BENCH)
    generic_before, exits_before = counts()
    program.run(program.N_BENCH)
    generic, exits = counts()
    taken = {op: count - exits_before.get(op, 0) for op, count in exits.items() if count > exits_before.get(op, 0)}
    total = turns(path)
    share = 1 - (generic - generic_before) / total
    allowed = all(op in BEYOND_64_BITS for op in taken)
    rate = sum(taken.values()) / total * 1e6
    told = ", ".join(f"{count} of {op}" for op, count in taken.items()) or "none"
    name = f"{path.parent.name}/{path.stem}"
    print(f"{name:24} {total:12,} turns {share:9.4%} specialised {rate:10.3f} exits in 10^6: {told}", flush=True)
    return allowed and share >= 0.99


def main() -> int:
    """The exit code: 1 when a program leaves specialised code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", default=",".join(NAMES))
    names = parser.parse_args().programs.split(",")
    paths = [PROGRAMS / name / f"{text}.py" for name in names for text in ("plain", "twin")]
    verdicts = [measure(path) for path in paths]
    print(f"{sum(verdicts)} of {len(verdicts)} programs stay in specialised code")
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
