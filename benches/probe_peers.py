#!/usr/bin/env python3
"""Correctness probes for the peers of peers.py: deep recursion, Ctrl-C, and awkward arguments.

    python benches/probe_peers.py --json .bench/probes.json --md .bench/probes.md

Each probe is a program in `probes/`, prepared by the same code as the benchmarks and run in fresh processes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import peers as bench
from report import table

START = """
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import plain
plain.run(10)
"""
DEEP = (
    START
    + """
try:
    print("returned", plain.run(int(sys.argv[2])))
except BaseException as error:
    print("raised", type(error).__name__)
print("and went on:", plain.run(10))
"""
)
INTERRUPT = (
    START
    + """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start background jobs with SIGINT ignored
print("ready", flush=True)
try:
    plain.run(int(sys.argv[2]))
except KeyboardInterrupt:
    print("raised KeyboardInterrupt", flush=True)
"""
)
EDGE = (
    START
    + """
import warnings
warnings.simplefilter("ignore")
try:
    import numpy as np
except ImportError:
    np = None
try:
    print("->", repr(eval("plain." + sys.argv[2])))
except BaseException as error:
    print("->", type(error).__name__)
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


def finish(command: list[str], timeout: float) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return f"no end within {timeout:.0f} s"
    if done.returncode < 0:
        return f"killed by {signal.Signals(-done.returncode).name}"
    if done.returncode:
        return "failed: " + bench.last_lines(done.stderr, 1)
    return ", ".join(done.stdout.split("\n")).strip(", ")


def interrupt(command: list[str], patience: float) -> str:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    if process.stdout.readline().strip() != "ready":
        process.wait()
        return "failed before the loop"
    time.sleep(1.0)
    if process.poll() is not None:
        return "loop ended by itself"
    process.send_signal(signal.SIGINT)
    begun = time.perf_counter()
    try:
        out, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return f"ignored SIGINT for {patience:.0f} s"
    took = f" after {time.perf_counter() - begun:.2f} s"
    return (out.strip() or f"ended without KeyboardInterrupt (status {process.returncode})") + took


def probe(peer: str, envs: Path, work: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("deep_recursion", "interrupt", "edges"):
        program = bench.Program.load(Path(__file__).resolve().parent / "probes" / name)
        folder = work / peer / f"probe-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            command = bench.PEERS[peer](bench.Context(program, envs, folder))
        except (bench.Cannot, bench.NotInstalled, bench.Failed) as error:
            found[name] = str(error)
            continue
        python, where = command[0], command[-1]
        if name == "deep_recursion":
            found[name] = finish([python, "-c", DEEP, where, str(program.bench)], 120)
        elif name == "interrupt":
            found[name] = interrupt([python, "-c", INTERRUPT, where, str(program.bench)], 5)
        else:
            for call in CALLS:
                found[call] = finish([python, "-c", EDGE, where, call], 120).removeprefix("-> ")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    able = [peer for peer in bench.PEERS if not peer.startswith(("c-", "taichi"))]
    parser.add_argument("--peers", default=",".join(able))
    parser.add_argument("--envs", type=Path, default=Path(os.environ.get("BENCH_ENVS", ".bench/envs")))
    parser.add_argument("--work", type=Path, default=Path(".bench/work"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--md", type=Path)
    args = parser.parse_args()
    results = {}
    for peer in args.peers.split(","):
        results[peer] = probe(peer, args.envs.absolute(), args.work.absolute())
        print(peer, json.dumps(results[peer], indent=1), file=sys.stderr, flush=True)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    rows = [[name] + [results[p].get(name, "") for p in results] for name in ("deep_recursion", "interrupt", *CALLS)]
    if args.md:
        args.md.write_text("# Probes\n\n" + table(["probe", *results], rows, markdown=True) + "\n")


if __name__ == "__main__":
    main()
