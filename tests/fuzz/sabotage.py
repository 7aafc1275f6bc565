"""Whether the generator finds seeded wrong lowerings (`src/passes/sabotage.rs`), and after how many programs."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from tests.fuzz import pool

SOURCE = Path(__file__).resolve().parents[2] / "src" / "passes" / "sabotage.rs"


def faults() -> list[str]:
    """What each fault does, in the order of their numbers."""
    text = SOURCE.read_text().split("faults! {", 1)[1].split("\n}", 1)[0]
    return re.findall(r"/// (.+)", text)


def found_after(number: int, options: argparse.Namespace) -> tuple[int, int | None]:
    """How many programs ran, and the seed that found the fault."""
    requests = ({"seed": seed} for seed in range(options.seed, options.seed + options.count))
    answers = pool.answers(requests, options.jobs, {"CASTIRON_SABOTAGE": str(number)})
    ran = 0
    for report in answers:
        ran += 1
        if report["found"]:
            answers.close()
            return ran, report["seed"]
    return ran, None


def run(options: argparse.Namespace) -> int:
    """Tries every fault; how many were not found."""
    missed = 0
    for number, fault in enumerate(faults(), 1):
        if options.fault not in (None, number):
            continue
        ran, seed = found_after(number, options)
        missed += seed is None
        print(f"{number:3} {fault:70} {'NOT FOUND' if seed is None else f'seed {seed}'}, {ran} programs", flush=True)
    return missed
