"""Speed-up over CPython 3.11 by `benches/peers.py`, with right results, and the rivals' in the same run.

    python tests/acceptance/speed.py [--rounds N] [--castiron-only]

Makes the environments that it needs under .bench/envs and builds castiron's wheel where none is up to date. Everybody
runs once in each round, and a time is the least over all rounds: on a shared machine one round may meet other work.
Targets: fib 60x, mandelbrot 36x, lcg_overflow 12x.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benches"))
import environments  # noqa: E402
from report import report  # noqa: E402

BENCH = ROOT / ".bench"
TARGETS = {"fib": 60.0, "mandelbrot": 36.0, "lcg_overflow": 12.0}
NEEDED = ("cpython311", "castiron")
RIVALS = ("pypy", "mypyc", "cython", "numba")
PEERS = ("cpython311", "pypy", "mypyc", "cython", "cython-unsafe", "numba", "c-O2", "castiron")
CLOCKS = ("cpu", "wall")

Results = dict[str, dict[str, Any]]


def prepare(names: tuple[str, ...]) -> None:
    """Make the environments; a rival that is not on this machine is named and left out."""
    for name in names:
        try:
            environments.make(name, BENCH / "envs")
        except environments.Missing as reason:
            if name in NEEDED:
                sys.exit(f"{name}: {reason}")
            print(f"{name}: left out, {reason}")


def one_round(peers: tuple[str, ...]) -> Results:
    """What one run of peers.py gives."""
    raw = BENCH / "acceptance.json"
    command = [sys.executable, str(ROOT / "benches" / "peers.py"), "--envs", str(BENCH / "envs"), "--json", str(raw)]
    chosen = ["--work", str(BENCH / "work"), "--programs", ",".join(TARGETS), "--peers", ",".join(peers)]
    subprocess.run(command + chosen, check=True, stdout=subprocess.DEVNULL)
    return json.loads(raw.read_text())["results"]


def merged(rounds: list[Results]) -> Results:
    """All samples of all rounds; a peer that failed in one round has failed."""
    result = rounds[0]
    for later in rounds[1:]:
        for program, row in later.items():
            for peer, cell in row.items():
                before = result[program][peer]
                if before["status"] != "ok" or cell["status"] != "ok":
                    result[program][peer] = before if before["status"] != "ok" else cell
                else:
                    before.update({clock: before[clock] + cell[clock] for clock in CLOCKS})
    return result


def judged(results: Results) -> bool:
    """Print each target and whether it is reached; whether all of them are."""
    passed = True
    for program, target in TARGETS.items():
        plain, compiled = results[program]["cpython311"], results[program]["castiron"]
        if plain["status"] != "ok" or compiled["status"] != "ok":
            failed = compiled if plain["status"] == "ok" else plain
            print(f"{program}: {failed['status']}: {failed.get('detail', '')}")
            passed = False
            continue
        ratio = min(plain["cpu"]) / min(compiled["cpu"])
        reached = compiled["exact"] and ratio >= target
        print(f"{program}: {ratio:.1f}x, target {target:.0f}x: {'reached' if reached else 'MISSED'}")
        passed = passed and reached
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="runs of peers.py (default 3)")
    parser.add_argument("--castiron-only", action="store_true", help="no rivals: faster, and nothing else is installed")
    arguments = parser.parse_args()
    prepare(NEEDED if arguments.castiron_only else NEEDED + RIVALS)
    peers = NEEDED if arguments.castiron_only else PEERS
    results = merged([one_round(peers) for _ in range(arguments.rounds)])
    print(report(results, list(peers), "cpu", markdown=False))
    return 0 if judged(results) else 1


if __name__ == "__main__":
    sys.exit(main())
