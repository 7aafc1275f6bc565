"""Generated programs: 10,000 without a divergence, with the coverage table; seeded faults are found.

    python tests/acceptance/generated.py [--count N]

Runs on the interpreter that runs the script, which needs castiron installed; about ten minutes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    count = parser.parse_args().count
    fuzz = [sys.executable, "-m", "tests.fuzz"]
    agree = subprocess.run([*fuzz, "--count", str(count), "--coverage"], cwd=ROOT).returncode == 0
    found = subprocess.run([*fuzz, "--sabotage"], cwd=ROOT).returncode == 0
    print(f"{count} programs agree: {agree}; every seeded fault found: {found}")
    return 0 if agree and found else 1


if __name__ == "__main__":
    sys.exit(main())
