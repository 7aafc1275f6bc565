"""Time the programs of `benches/programs` plain and compiled, side by side, and compare their results.

    python benches/run.py                       # every program this castiron can run, and its twin
    python benches/run.py --programs fib,fib.twin
    python benches/run.py --smoke               # small arguments: results compared, times only printed
    python benches/run.py --demo                # what `make demo` shows; every @jit function must run natively
    python benches/run.py --rivals              # the installed rivals of peers.py too, in the same run

Plain and compiled are the same file in the same interpreter, each in a fresh process (`CASTIRON=off` and
`on`); a time is the least of the repeats, in CPU seconds. A twin is a program with the same work in another
structure, which keeps a compiler from being fitted to one spelling.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import peers

HERE = Path(__file__).resolve().parent
RIVALS = ("mypyc", "cython", "cython-unsafe", "numba", "pypy")
TIMEOUT = 600
DEMO = ("fib", "fib.twin", "mandelbrot", "mandelbrot.twin", "lcg_overflow", "lcg_overflow.twin")

# Runs in a fresh process: import, small call, two warm-up calls, timed samples of at least 50 ms each.
DRIVER = r"""
import importlib.util, json, sys, time
path, bench, repeat = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sys.dont_write_bytecode = True
cpu = time.process_time
begun = cpu()
spec = importlib.util.spec_from_file_location("program", path)
program = importlib.util.module_from_spec(spec)
sys.modules["program"] = program
spec.loader.exec_module(program)
out = {"small": repr(program.run(program.N_SMALL)), "expected": repr(program.EXPECTED_SMALL)}
out["cold"] = cpu() - begun
n = program.N_BENCH if bench else program.N_SMALL
out["bench"] = repr(program.run(n))
begun = cpu()
program.run(n)
turns = max(1, int(0.05 / max(cpu() - begun, 1e-6))) if bench else 1
out["times"] = []
for _ in range(repeat):
    begun = cpu()
    for _ in range(turns):
        program.run(n)
    out["times"].append((cpu() - begun) / turns)
import castiron
names = [name for name, value in vars(program).items() if castiron.is_compiled(value)]
out["native"] = sorted(names)
out["entered"] = sorted(castiron.stats()["native_calls"])
print("\n" + json.dumps(out))
"""


@dataclass
class Outcome:
    """What one run of one program gave."""

    error: str
    small: str = ""
    expected: str = ""
    bench: str = ""
    seconds: float = 0.0
    native: tuple[str, ...] = ()
    entered: tuple[str, ...] = ()


def programs(wanted: list[str] | None) -> dict[str, Path]:
    """Name to file: `fib` is fib/plain.py, `fib.twin` is fib/twin.py."""
    found = {}
    for folder in sorted((HERE / "programs").iterdir()):
        for name, path in ((folder.name, folder / "plain.py"), (f"{folder.name}.twin", folder / "twin.py")):
            if path.exists() and (wanted is None or name in wanted):
                found[name] = path
    return found


def measure(path: Path, mode: str, bench: bool, repeat: int) -> Outcome:
    """Run one program in a fresh process of this interpreter: as users do where it is timed, else strictly.

    Only strict runs say which functions were entered as machine code; to count that takes time.
    """
    environment = {**os.environ, "CASTIRON": mode, "CASTIRON_STRICT": "" if bench else "1"}
    command = [sys.executable, "-c", DRIVER, str(path), str(int(bench)), str(repeat)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, env=environment)
    except subprocess.TimeoutExpired:
        return Outcome(f"no end within {TIMEOUT} s")
    if done.returncode:
        return Outcome(peers.last_lines(done.stderr, 1) or f"exit status {done.returncode}")
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    texts = answer["small"], answer["expected"], answer["bench"]
    return Outcome("", *texts, min(answer["times"]), tuple(answer["native"]), tuple(answer["entered"]))


def missing_part(path: Path) -> str | None:
    """What the program needs that is not here, so that it can't run even plain."""
    import castiron

    source = path.read_text()
    if "frozen" in source and not hasattr(castiron, "frozen"):
        return "needs castiron.frozen"
    if "import numpy" in source:
        try:
            import numpy  # noqa: F401
        except ImportError:
            return "needs numpy"
    return None


def verdict(plain: Outcome, compiled: Outcome) -> str:
    """Empty when both ran and agree with each other and with the program's own expectation."""
    if plain.error or compiled.error:
        return f"failed: {plain.error or compiled.error}"
    if compiled.small != compiled.expected or compiled.bench != plain.bench:
        return f"WRONG: {compiled.small} and {compiled.bench}, not {plain.expected} and {plain.bench}"
    return ""


def not_native(path: Path, plain: Outcome, compiled: Outcome) -> str:
    """Empty when each `@jit` function is machine code, `run` was entered there, and the plain run had none of it."""
    functions = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
    wanted = {node.name for node in functions if any(ast.unparse(mark) == "jit" for mark in node.decorator_list)}
    if plain.native or plain.entered:
        return f"NOT PLAIN with CASTIRON=off: {', '.join(plain.native + plain.entered)}"
    if left := sorted(wanted - set(compiled.native)):
        return f"NOT NATIVE: {', '.join(left)}"
    return "" if "program.run" in compiled.entered else "NOT NATIVE: run was not entered as machine code"


def rival_times(name: str, path: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Seconds of the installed rivals that get the program right."""
    program = peers.Program.load(path.parent, path.name)
    times = {}
    for rival in RIVALS:
        folder = arguments.work.absolute() / rival / name
        outcome = peers.measure(rival, program, arguments.envs.absolute(), folder, arguments.repeat, None)
        if outcome["status"] == "ok":
            times[rival] = min(outcome["cpu"])
    return times


def row(name: str, path: Path, arguments: argparse.Namespace) -> tuple[str, bool]:
    """One line of the table, and whether the program passed."""
    if missing := missing_part(path):
        return f"{name:<24} {'-':>9} {'-':>9} {'-':>8}  {missing}", True
    bench = not arguments.smoke
    plain = measure(path, "off", bench, arguments.repeat)
    compiled = measure(path, "on", bench, arguments.repeat)
    wrong = verdict(plain, compiled)
    if arguments.demo and not wrong:
        wrong = not_native(path, plain, measure(path, "on", False, 1) if bench else compiled)
    if wrong:
        return f"{name:<24} {'-':>9} {'-':>9} {'-':>8}  {wrong}", False
    ratio = plain.seconds / compiled.seconds
    note = f"native: {', '.join(compiled.native)}" if compiled.native else "bytecode"
    if arguments.rivals:
        times = rival_times(name, path, arguments)
        note = ", ".join(f"{rival} {plain.seconds / seconds:.1f}x" for rival, seconds in times.items()) + f"; {note}"
    return f"{name:<24} {plain.seconds:>9.4f} {compiled.seconds:>9.4f} {ratio:>7.1f}x  {note}", True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", help="comma-separated; default: all, with their twins")
    parser.add_argument("--repeat", type=int, default=5, help="timed samples after the warm-up (default 5)")
    parser.add_argument("--smoke", action="store_true", help="small arguments and one sample")
    parser.add_argument("--demo", action="store_true", help="the demonstration; fails where a function stays bytecode")
    parser.add_argument("--rivals", action="store_true", help="time the installed rivals of peers.py as well")
    parser.add_argument("--envs", type=Path, default=Path(".bench/envs"), help="the rivals' environments")
    parser.add_argument("--work", type=Path, default=Path(".bench/work"), help="scratch folder for rivals' builds")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.repeat = 1
    wanted = arguments.programs.split(",") if arguments.programs else list(DEMO) if arguments.demo else None
    chosen = programs(wanted)
    if unknown := sorted(set(wanted or ()) - set(chosen)):
        parser.error(f"no such program: {', '.join(unknown)}")
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"CPython {version}; CPU seconds, least of {arguments.repeat}")
    print(f"{'program':<24} {'plain':>9} {'compiled':>9} {'speed-up':>8}")
    failed = 0
    for name, path in chosen.items():
        line, passed = row(name, path, arguments)
        print(line, flush=True)
        failed += not passed
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
