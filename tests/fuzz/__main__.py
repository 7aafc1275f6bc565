"""Command line of the generator: ``python -m tests.fuzz --help``."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.fuzz import coverage, pool, sabotage, shrink
from tests.fuzz.generate import program


def seeds(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Requests for all programs that are wanted."""
    first, count = options.seed, options.count
    numbers = range(first, first + count) if count else itertools.count(first)
    return ({"seed": seed, "coverage": options.coverage or options.table is not None} for seed in numbers)


def describe(found: dict[str, Any]) -> str:
    return "\n".join(f"  {name}: {json.dumps(value)[:2000]}" for name, value in found.items())


def search(options: argparse.Namespace) -> int:
    """Runs programs and shrinks those that diverge; how many did."""
    began = time.monotonic()
    ran = functions = native = 0
    diverged: list[dict[str, Any]] = []
    table = coverage.Table()
    for report in pool.answers(seeds(options), options.jobs, {}):
        ran += 1
        table.add(report.get("counts", {}))
        functions += report["functions"]
        native += report["native"]
        if report["found"]:
            diverged.append(report)
            print(f"seed {report['seed']} diverges\n{describe(report['found'])}", flush=True)
            if len(diverged) >= options.most:
                break
    for report in diverged[: options.shrink]:
        print(shrink.case(program(report["seed"]), report["found"]), flush=True)
    if options.coverage:
        print(table.render())
    if options.table:
        table.save(options.table)
    spent = time.monotonic() - began
    version = ".".join(map(str, sys.version_info[:3]))
    print(
        f"CPython {version}: {ran} programs in {spent:.0f} s, {len(diverged)} diverged, "
        f"{native} of {functions} functions ran as machine code"
    )
    return len(diverged)


def main() -> int:
    """The exit code: 1 when a program diverged or a fault was not found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="programs to run; 0 for no end")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes")
    parser.add_argument("--most", type=int, default=20, help="stop after so many divergences")
    parser.add_argument("--shrink", type=int, default=3, help="how many divergences to shrink")
    parser.add_argument("--coverage", action="store_true", help="print which ops and exits the programs reached")
    parser.add_argument("--table", type=Path, help="write what --coverage counts to this file, as JSON")
    parser.add_argument("--sabotage", action="store_true", help="show that seeded wrong lowerings are found")
    parser.add_argument("--fault", type=int, help="with --sabotage: only the fault of this number")
    parser.add_argument("--show", action="store_true", help="print the program of the seed, run nothing")
    options = parser.parse_args()
    if options.show:
        shown = program(options.seed)
        print(shown.module, *shown.calls, sep="\n")
        return 0
    failures = sabotage.run(options) if options.sabotage else search(options)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
