"""Correctness probes: deep recursion, Ctrl-C and awkward arguments give CPython's answer in every row.

    python tests/acceptance/probes.py

Runs on the interpreter that runs the script, which needs castiron and numpy installed. Each row is a fresh process
that calls a program of `benches/probes`, once compiled and once with CASTIRON=off; both must say the same.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "benches" / "probes"
PATIENCE = 0.1
"""Seconds that a loop may take to see Ctrl-C, by the contract."""
SLACK = 0.4
"""Seconds that a process may take to end after that, on a machine with other work to do."""

START = """
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import plain
plain.run(plain.N_SMALL)
"""
DEEP = (
    START
    + """
try:
    print("returned", plain.run(plain.N_BENCH))
except BaseException as error:
    print("raised", type(error).__name__, error)
print("and went on:", plain.run(plain.N_SMALL))
"""
)
INTERRUPT = (
    START
    + """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start background jobs with SIGINT ignored
print("ready", flush=True)
try:
    plain.run(plain.N_BENCH)
except KeyboardInterrupt:
    print("raised KeyboardInterrupt", time.time(), flush=True)
"""
)
EDGE = (
    START
    + """
import warnings
import numpy as np
warnings.simplefilter("ignore")
try:
    result = eval("plain." + sys.argv[2])
    print("->", type(result).__name__, repr(result))
except BaseException as error:
    print("->", type(error).__name__, error)
"""
)
CALLS = [
    "pick([1, 2, 3], -1)",
    "pick([1, 2, 3], 10)",
    "pick_cell(np.arange(3.0), -1)",
    "pick_cell(np.arange(3.0), 1000)",
    "add(2**62, 2**62)",
    "add(2**70, 1)",
    "multiply(2**40, 2**40)",
    "floor_divide(-7, 2)",
    "floor_divide(1, 0)",
    "floor_divide(-2**63, -1)",
    "modulo(-7, 3)",
    "modulo(1, 0)",
    "shift(1, 70)",
    "shift(1, -1)",
    "divide(1.0, 0.0)",
    "add(True, True)",
    "add(1.5, 1)",
    "add('a', 'b')",
]
REFUSED = {"add(1.5, 1)": "argument 'a' must be int", "add('a', 'b')": "argument 'a' must be int"}
"""Calls that break a promise: enforced, they raise, whatever the bare function would do."""


def run(text: str, mode: str, program: str, *args: str) -> str:
    """What a fresh process prints, or how it died."""
    command = [sys.executable, "-c", text, str(PROGRAMS / program), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, "CASTIRON": mode})
    if done.returncode < 0:
        return f"killed by {signal.Signals(-done.returncode).name}"
    if done.returncode:
        return f"exit code {done.returncode}: {done.stderr.strip().splitlines()[-1]}"
    return ", ".join(done.stdout.split("\n")).strip(", ").removeprefix("-> ")


def interrupt() -> tuple[bool, str]:
    """Whether a compiled loop ends with KeyboardInterrupt in time, and what happened."""
    command = [sys.executable, "-c", INTERRUPT, str(PROGRAMS / "interrupt")]
    environment = {**os.environ, "CASTIRON": "on"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            return False, "failed before the loop"
        time.sleep(0.5)
        sent = time.time()
        process.send_signal(signal.SIGINT)
        try:
            out, _ = process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            return False, "ignored SIGINT for 5 s"
    words = out.split()
    if words[:2] != ["raised", "KeyboardInterrupt"]:
        return False, f"ended with {out!r}"
    took = float(words[2]) - sent
    return took < PATIENCE + SLACK, f"raised KeyboardInterrupt after {took * 1000:.1f} ms"


def edge(call: str) -> tuple[bool, str]:
    """Whether a call answers as it does without castiron, and what it answers."""
    answer = run(EDGE, "on", "edges", call)
    if call in REFUSED:
        return answer.startswith("TypeCheckError") and REFUSED[call] in answer, answer
    plain = run(EDGE, "off", "edges", call)
    return answer == plain, answer if answer == plain else f"{answer}, but CPython: {plain}"


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    deep, plain = run(DEEP, "on", "deep_recursion"), run(DEEP, "off", "deep_recursion")
    rows = [("deep_recursion", deep == plain, deep if deep == plain else f"{deep}, but CPython: {plain}")]
    rows.append(("interrupt", *interrupt()))
    rows.extend((call, *edge(call)) for call in CALLS)
    for name, right, answer in rows:
        print(f"{'ok  ' if right else 'FAIL'} {name:32} {answer}")
    return 0 if all(right for _, right, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
