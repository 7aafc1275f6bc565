"""Time modules of CPython's own library plain and compiled on import (`castiron.compile_imports`), side by side.

    python benches/library.py                   # all workloads
    python benches/library.py --workloads textwrap,difflib
    python benches/library.py --smoke           # little work: results compared, times only printed

Plain and compiled are the same modules in the same interpreter, in fresh processes (`library_work.py`) that take turns;
a time is the least over all of them, in CPU seconds. json runs in pure Python on both sides. Behind the ratio stands
how many of the modules' functions were chosen for compiling, and how many had become native in the end.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

WORKER = Path(__file__).resolve().parent / "library_work.py"
TIMEOUT = 600

# How much of it one turn of a workload does.
COUNTS = {"json.encoder": 150, "json.decoder": 150, "textwrap": 60, "difflib": 20, "argparse": 40, "tokenize": 60}
SMALL = 3


def measure(name: str, mode: str, count: int, repeat: int) -> dict[str, Any]:
    """Run one side of a workload in a fresh process: as users do where it is timed, else strictly."""
    environment = {**os.environ, "CASTIRON": mode, "CASTIRON_STRICT": "" if repeat else "1"}
    command = [sys.executable, "-B", str(WORKER), name, str(count), str(repeat)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{name} ({mode}): {done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def both(name: str, arguments: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both sides of a workload, with all their samples."""
    sides: dict[str, dict[str, Any]] = {}
    count, repeat = (SMALL, 0) if arguments.smoke else (COUNTS[name], arguments.repeat)
    for _ in range(1 if arguments.smoke else arguments.rounds):
        for mode in ("off", "on"):
            answer = measure(name, mode, count, repeat)
            side = sides.setdefault(mode, answer)
            side["times"] = side["times"] + answer["times"]
    return sides["off"], sides["on"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", help="comma-separated; default: all")
    parser.add_argument("--repeat", type=int, default=3, help="samples of a process (default 3)")
    parser.add_argument("--rounds", type=int, default=2, help="processes of a side (default 2)")
    parser.add_argument("--smoke", action="store_true", help="little work and one sample")
    arguments = parser.parse_args()
    wanted = arguments.workloads.split(",") if arguments.workloads else list(COUNTS)
    if unknown := sorted(set(wanted) - set(COUNTS)):
        parser.error(f"no such workload: {', '.join(unknown)}")
    print(f"CPython {'.'.join(map(str, sys.version_info[:3]))}; CPU milliseconds, the least")
    print(f"{'workload':<14} {'plain':>9} {'compiled':>9} {'speed-up':>8}  functions")
    logarithms, failed = [], 0
    for name in wanted:
        plain, compiled = both(name, arguments)
        if plain["result"] != compiled["result"]:
            print(f"{name:<14} WRONG: {compiled['result']}, not {plain['result']}")
            failed += 1
            continue
        times = min(plain["times"]), min(compiled["times"])
        ratio = times[0] / times[1]
        logarithms.append(math.log(ratio))
        share = f"{compiled['chosen']} of {compiled['defined']} chosen, {compiled['native']} native"
        print(f"{name:<14} {times[0] * 1e3:>9.3f} {times[1] * 1e3:>9.3f} {ratio:>7.2f}x  {share}", flush=True)
    if logarithms:
        print(f"{'geometric mean':<34} {math.exp(sum(logarithms) / len(logarithms)):>7.2f}x")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
