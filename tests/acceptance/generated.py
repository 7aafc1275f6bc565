"""Generated programs: 20,000 functions in each mode without a divergence, with one table of coverage; faults are found.

    python tests/acceptance/generated.py [--count PROGRAMS] [--modes native,generic,exit:1] [--jobs N] [--no-faults]
                                         [--table FILE]

Runs on the interpreter that runs the script, which needs castiron installed. A program has about two functions. The
table sums what the modes reached; ops and entries that no program comes to, or fewer than 50 times, are listed and
judged by hand: what is rare by construction is said in `tests/fuzz/coverage.py`. Runs that name the same file of
counts add up in it, so that a long run can be cut into modes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.fuzz import coverage  # noqa: E402 - the repository is no package


def agrees(mode: str, options: argparse.Namespace, table: coverage.Table) -> bool:
    """Runs the programs in one mode and adds what they reached to the table."""
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts.json"
        command = [sys.executable, "-m", "tests.fuzz", "--count", str(options.count), "--jobs", str(options.jobs)]
        command += ["--seed", str(options.seed), "--table", str(counts)]
        environment = {**os.environ, "CASTIRON_FORCE": mode}
        print(f"mode {mode}:", flush=True)
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        if counts.exists():
            table.add(json.loads(counts.read_text()))
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="programs in each mode")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--modes", default="native,generic,exit:1", help="values of CASTIRON_FORCE")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes")
    parser.add_argument("--no-faults", action="store_true", help="leave out the seeded wrong lowerings")
    parser.add_argument("--table", type=Path, help="adds to the counts in this file, which is made if need be")
    options = parser.parse_args()
    table = coverage.Table()
    if options.table and options.table.exists():
        table.add(json.loads(options.table.read_text()))
    agree = {mode: agrees(mode, options, table) for mode in options.modes.split(",")}
    if options.table:
        table.save(options.table)
    print(table.render())
    fuzz = [sys.executable, "-m", "tests.fuzz", "--sabotage", "--jobs", str(options.jobs)]
    found = options.no_faults or subprocess.run(fuzz, cwd=ROOT, check=False).returncode == 0
    told = ", ".join(f"{mode} {'agrees' if good else 'DIVERGES'}" for mode, good in agree.items())
    faults = "not tried" if options.no_faults else "found" if found else "NOT FOUND"
    print(
        f"{options.count} programs: {told}; seeded faults: {faults}; never reached: {coverage.listed(table.missing())}"
    )
    return 0 if all(agree.values()) and found and not table.missing() else 1


if __name__ == "__main__":
    sys.exit(main())
