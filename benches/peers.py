#!/usr/bin/env python3
"""Time a folder of small programs under several Python implementations and compilers.

Every program is a folder with a `plain.py` (see README.md for its format). Each peer turns that one file
into something importable (or uses a hand-adapted `numba_.py`, `cython_.py`, `taichi_.py`, `ref.c` lying beside it),
the result is checked against CPython's, and only a correct result is given a time.

    python benches/peers.py --json .bench/results.json --md .bench/results.md
    python benches/peers.py --programs fib,nbody --peers castiron,mypyc
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from report import report

HERE = Path(__file__).resolve().parent
BASELINE = "cpython311"
BUILD_TIMEOUT = 900
RUN_TIMEOUT = 600

# Runs inside the peer's interpreter: import, one small call, two warm-up calls, then the timed samples.
DRIVER = r"""
import importlib, json, sys, time
folder, small, bench, repeat = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
sys.dont_write_bytecode = True
sys.path.insert(0, folder)
wall, cpu = time.perf_counter, time.process_time
t0, c0 = wall(), cpu()
plain = importlib.import_module("plain")
t1 = wall()
out = {"small": repr(plain.run(small))}
t2, c2 = wall(), cpu()
out.update(import_wall=t1 - t0, first_call_wall=t2 - t1, cold_cpu=c2 - c0)
out["bench"] = repr(plain.run(bench))
t = wall()
plain.run(bench)
turns = max(1, int(0.05 / max(wall() - t, 1e-6)))  # a sample lasts at least 50 ms
out["wall"], out["cpu"], out["turns"] = [], [], turns
for _ in range(repeat):
    t, c = wall(), cpu()
    for _ in range(turns):
        plain.run(bench)
    out["cpu"].append((cpu() - c) / turns)
    out["wall"].append((wall() - t) / turns)
print("\n" + json.dumps(out))
"""


class Cannot(Exception):
    """The peer is not able to run this program; the message says why."""


class NotInstalled(Exception):
    """The peer itself is missing on this machine."""


class Failed(Exception):
    """A build or a run failed; the message is the end of its output."""


# ---------------------------------------------------------------------------------------------- programs


@dataclass
class Program:
    name: str
    folder: Path
    source: str
    small: int
    bench: int
    expected: str

    @classmethod
    def load(cls, folder: Path, file: str = "plain.py") -> Program:
        source = (folder / file).read_text()
        values: dict[str, Any] = {}
        for node in ast.parse(source).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                if node.targets[0].id in ("N_SMALL", "N_BENCH", "EXPECTED_SMALL"):
                    values[node.targets[0].id] = ast.literal_eval(node.value)
        expected = repr(values["EXPECTED_SMALL"])
        return cls(folder.name, folder, source, values["N_SMALL"], values["N_BENCH"], expected)

    def reason_against(self, family: str) -> str | None:
        """What `cannot.txt` says about a peer family ('cython' covers 'cython-unsafe')."""
        notes = self.folder / "cannot.txt"
        for line in notes.read_text().splitlines() if notes.exists() else ():
            key, _, reason = line.partition(":")
            if key.strip() == family:
                return reason.strip()
        return None

    def variant(self, family: str) -> str | None:
        path = self.folder / f"{family}_.py"
        return path.read_text() if path.exists() else None


def strip(source: str, frozen: str, jit: str = "") -> str:
    """Remove castiron from a program, textually.

    frozen says what an `@frozen` class becomes: 'slots' or 'dataclass' (a dataclass with or without slots),
    or 'class' (an ordinary class with the __init__ a person would write). jit replaces `@jit`, e.g. 'njit'.
    """
    inits = written_inits(source) if frozen == "class" else {}
    result = []
    for number, line in enumerate(source.splitlines(), 1):
        indent, word = line[: len(line) - len(line.lstrip())], line.strip()
        if re.match(r"from castiron import ", line):
            if "frozen" in line and frozen != "class":
                result.append("from dataclasses import dataclass")
            if "jit" in line and jit:
                result.append(f"from numba import {jit}")
        elif word in ("@jit", "@typed"):
            if jit:
                result.append(f"{indent}@{jit}")
        elif word == "@frozen":
            if frozen != "class":
                result.append(indent + ("@dataclass(slots=True)" if frozen == "slots" else "@dataclass"))
        else:
            result.append(line)
        result.extend(inits.get(number, ()))
    return "\n".join(result) + "\n"


def written_inits(source: str) -> dict[int, list[str]]:
    """For each @frozen class without an __init__: the line after which to put one, and its text."""
    fields: dict[str, list[ast.AnnAssign]] = {}
    inits: dict[int, list[str]] = {}
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef) or not any(ast.unparse(d) == "frozen" for d in node.decorator_list):
            continue
        own = [item for item in node.body if isinstance(item, ast.AnnAssign)]
        inherited = [field for base in node.bases for field in fields.get(ast.unparse(base), [])]
        fields[node.name] = inherited + own
        if any(isinstance(item, ast.FunctionDef) and item.name == "__init__" for item in node.body):
            continue
        names = [ast.unparse(field.target) for field in fields[node.name]]
        text = ["", f"    def __init__(self, {', '.join(ast.unparse(f) for f in fields[node.name])}) -> None:"]
        text += [f"        self.{name} = {name}" for name in names] or ["        pass"]
        inits[(own or node.body)[-1].end_lineno or 0] = text
    return inits


# ------------------------------------------------------------------------------------------------- peers


@dataclass
class Context:
    program: Program
    envs: Path
    work: Path  # empty scratch folder of this (peer, program)

    def python(self, env: str) -> str:
        path = self.envs / env / "bin" / "python"
        if not path.exists():
            raise NotInstalled(f"no {env} environment")
        return str(path)

    def write(self, text: str, name: str = "plain.py") -> None:
        (self.work / name).write_text(text)

    def build(self, *command: str, **env: str) -> None:
        if not shutil.which(command[0]):
            raise NotInstalled(f"no {Path(command[0]).name} command")
        options: dict[str, Any] = {"capture_output": True, "text": True, "timeout": BUILD_TIMEOUT}
        done = subprocess.run(command, cwd=self.work, env={**os.environ, **env}, **options)
        if done.returncode:
            raise Failed("build failed: " + last_lines(done.stdout + done.stderr))

    def collect(self, where: Path) -> str:
        """Move the built extension modules into a folder of their own, so nothing else can be imported."""
        out = self.work / "out"
        out.mkdir()
        for path in list(where.glob("*.so")):
            shutil.move(str(path), str(out / path.name))
        if not any(out.iterdir()):
            raise Failed("build failed: no extension module was written")
        return str(out)


# A peer takes a Context and returns the command to run, without the numbers that follow it.
Prepare = Callable[[Context], "list[str]"]


def interpreted(env: str, frozen: str) -> Prepare:
    def prepare(c: Context) -> list[str]:
        python = c.python(env)
        c.write(strip(c.program.source, frozen))
        return [python, "-c", DRIVER, str(c.work)]

    return prepare


def mypyc(c: Context) -> list[str]:
    python = c.python("mypyc")
    c.write(c.program.variant("mypyc") or strip(c.program.source, "class"))
    c.build(str(Path(python).parent / "mypyc"), "plain.py", PATH=f"{Path(python).parent}:{os.environ['PATH']}")
    return [python, "-c", DRIVER, c.collect(c.work)]


def cython(*options: str) -> Prepare:
    def prepare(c: Context) -> list[str]:
        python = c.python("cython")
        c.write(c.program.variant("cython") or strip(c.program.source, "class"))
        c.build(str(Path(python).parent / "cythonize"), "-i", "-3", "-q", *options, "plain.py")
        return [python, "-c", DRIVER, c.collect(c.work)]

    return prepare


def nuitka(c: Context) -> list[str]:
    python = c.python("nuitka")
    c.write(strip(c.program.source, "class"))
    c.build(python, "-m", "nuitka", "--module", "plain.py", "--output-dir=built", "--quiet")
    return [python, "-c", DRIVER, c.collect(c.work / "built")]


def numba(c: Context) -> list[str]:
    python = c.python("numba")
    text = c.program.variant("numba")
    if text is None:
        if "@frozen" in c.program.source:
            raise Cannot("classes need a hand-written numba_.py")
        text = strip(c.program.source, "class", "njit")
    c.write(text)
    return [python, "-c", DRIVER, str(c.work)]


def taichi(c: Context) -> list[str]:
    python = c.python("taichi")
    text = c.program.variant("taichi")
    if text is None:
        raise Cannot("no taichi_.py: recursion, lists or objects are outside its language, or nobody ported it")
    c.write(text)
    return [python, "-c", DRIVER, str(c.work)]


def c_compiler(level: str) -> Prepare:
    def prepare(c: Context) -> list[str]:
        if not shutil.which("gcc"):
            raise NotInstalled("no gcc")
        source = c.program.folder / "ref.c"
        if not source.exists():
            raise Cannot("no ref.c")
        c.build("gcc", level, str(source), "-o", "ref", "-lm")
        return [str(c.work / "ref")]

    return prepare


def castiron_python(c: Context) -> str:
    python = c.python("castiron")
    if subprocess.run([python, "-c", "import castiron"], capture_output=True).returncode:
        raise NotInstalled("castiron cannot be imported in its environment")
    return python


def castiron(c: Context) -> list[str]:
    """plain.py as it stands; one that never mentions castiron is compiled on import."""
    hook = (
        ""
        if "castiron" in (c.program.folder / "plain.py").read_text()
        else "import castiron; castiron.compile_imports()\n"
    )
    return [castiron_python(c), "-c", hook + DRIVER, str(c.program.folder)]


def castiron_aot(c: Context) -> list[str]:
    python = castiron_python(c)
    (c.work / "built").mkdir()
    c.build(str(Path(python).parent / "castiron"), "build", str(c.program.folder / "plain.py"), "-o", "built")
    return [python, "-c", DRIVER, c.collect(c.work / "built")]


UNSAFE = ("-X", "boundscheck=False", "-X", "wraparound=False", "-X", "cdivision=True", "-X", "initializedcheck=False")
PEERS: dict[str, Prepare] = {
    BASELINE: interpreted(BASELINE, "slots"),
    "cpython313": interpreted("cpython313", "slots"),
    "debian311": interpreted("debian311", "slots"),
    "pypy": interpreted("pypy", "dataclass"),
    "mypyc": mypyc,
    "cython": cython(),
    "cython-unsafe": cython(*UNSAFE),
    "nuitka": nuitka,
    "numba": numba,
    "taichi": taichi,
    "c-O2": c_compiler("-O2"),
    "c-O3": c_compiler("-O3"),
    "castiron": castiron,
    "castiron-aot": castiron_aot,
}


# ------------------------------------------------------------------------------------------- measurement


def last_lines(text: str, count: int = 3) -> str:
    return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-count:])[-500:]


def agreement(got: str, want: str) -> str:
    """'same', 'close' (floats equal to 1 part in 10**9) or 'different', for two results as Python text."""

    def compare(a: Any, b: Any) -> str:
        if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
            parts = {compare(x, y) for x, y in zip(a, b)}
            return "different" if "different" in parts else "close" if "close" in parts else "same"
        if a == b:
            return "same"
        if isinstance(a, float) and isinstance(b, float) and math.isclose(a, b, rel_tol=1e-9):
            return "close"
        return "different"

    try:
        return compare(ast.literal_eval(got), ast.literal_eval(want))
    except (ValueError, SyntaxError):
        return "same" if got == want else "different"


def measure(peer: str, program: Program, envs: Path, work: Path, repeat: int, want: str | None) -> dict[str, Any]:
    """Build and run one program under one peer. want is CPython's result for N_BENCH (None for the baseline)."""
    reason = program.reason_against(peer.split("-")[0])
    if reason:
        return {"status": "cannot", "detail": reason}
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    result: dict[str, Any] = {}
    try:
        wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = PEERS[peer](Context(program, envs, work))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        result["build_wall"] = time.perf_counter() - wall
        result["build_cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        numbers = [str(program.small), str(program.bench), str(repeat)]
        done = subprocess.run(command + numbers, cwd=work, capture_output=True, text=True, timeout=RUN_TIMEOUT)
        if done.returncode:
            kind = f"killed by signal {-done.returncode}" if done.returncode < 0 else "failed"
            raise Failed(f"{kind}: " + last_lines(done.stdout + done.stderr))
        result.update(json.loads(done.stdout.strip().splitlines()[-1]))
    except Cannot as error:
        return {"status": "cannot", "detail": str(error)}
    except NotInstalled as error:
        return {"status": "not installed", "detail": str(error)}
    except Failed as error:
        return {**result, "status": "crash", "detail": str(error)}
    except subprocess.TimeoutExpired:
        return {**result, "status": "timeout"}
    answers = [agreement(result["small"], program.expected), agreement(result["bench"], want or result["bench"])]
    result["status"] = "mismatch" if "different" in answers else "ok"
    result["exact"] = answers == ["same", "same"]
    if result["status"] == "mismatch":
        result["detail"] = f"got {result['small']} and {result['bench']}, wanted {program.expected} and {want}"
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--dir", type=Path, default=HERE / "programs", help="folder of program folders (default: programs)"
    )
    parser.add_argument("--programs", help="comma-separated; default: every folder with a plain.py")
    parser.add_argument("--peers", help=f"comma-separated, of: {', '.join(PEERS)}")
    parser.add_argument("--repeat", type=int, default=5, help="timed calls after the warm-up (default 5)")
    parser.add_argument("--clock", choices=("cpu", "wall"), default="cpu", help="what the tables show (both are saved)")
    parser.add_argument(
        "--envs", type=Path, default=Path(os.environ.get("BENCH_ENVS", ".bench/envs")), help="peers' venvs"
    )
    parser.add_argument("--work", type=Path, default=Path(".bench/work"), help="scratch folder for builds")
    parser.add_argument("--json", type=Path, help="write (or with --update, extend) the raw results here")
    parser.add_argument("--md", type=Path, help="write the tables here as Markdown")
    parser.add_argument("--update", action="store_true", help="keep what --json already holds for other pairs")
    args = parser.parse_args()
    wanted = args.programs.split(",") if args.programs else None
    programs = [Program.load(p.parent) for p in sorted(args.dir.glob("*/plain.py"))]
    programs = [p for p in programs if wanted is None or p.name in wanted]
    chosen = args.peers.split(",") if args.peers else list(PEERS)
    if wrong := [p for p in chosen if p not in PEERS] + [
        w for w in wanted or () if w not in {p.name for p in programs}
    ]:
        parser.error(f"unknown peer or program: {', '.join(wrong)}")
    envs, work = args.envs.absolute(), args.work.absolute()
    results: dict[str, dict[str, Any]] = {}
    if args.update and args.json and args.json.exists():
        results = json.loads(args.json.read_text())["results"]
    for program in programs:
        row = results.setdefault(program.name, {})
        for peer in [BASELINE] * (BASELINE not in row and BASELINE not in chosen) + chosen:
            want = row[BASELINE]["bench"] if peer != BASELINE and row.get(BASELINE, {}).get("status") == "ok" else None
            row[peer] = measure(peer, program, envs, work / peer / program.name, args.repeat, want)
            row[peer]["load"] = os.getloadavg()[0]
            shown = f"{min(row[peer][args.clock]):.4f}" if row[peer]["status"] == "ok" else row[peer].get("detail", "")
            print(f"{program.name:>18} {peer:<14} {row[peer]['status']:<13} {shown}", file=sys.stderr, flush=True)
        if args.json:
            facts = {"machine": platform.processor() or platform.machine(), "repeat": args.repeat, "clock": args.clock}
            args.json.write_text(
                json.dumps({"facts": facts, "results": dict(sorted(results.items()))}, indent=1) + "\n"
            )
    results = dict(sorted(results.items()))
    print(report(results, list(PEERS), args.clock, markdown=False))
    if args.md:
        args.md.write_text("# Peers\n\n" + report(results, list(PEERS), args.clock, markdown=True))


if __name__ == "__main__":
    main()
