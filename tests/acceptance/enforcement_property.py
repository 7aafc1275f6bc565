"""100,000 generated pairs of annotation and value agree with the reference checker.

    python tests/acceptance/enforcement_property.py [--pairs 100000] [--seed 1]

Run it with the interpreter that castiron is installed for.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

from enforcement.drivers import deep, typed
from enforcement.generated import compare


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    kept, broken, faults = compare(
        options.seed, options.pairs, lambda hint, is_deep: (deep if is_deep else typed)("parameter", hint)
    )
    print(f"{kept} pairs keep their annotation, {broken} break it, {len(faults)} verdicts are wrong")
    for fault in faults[:20]:
        print(" ", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
