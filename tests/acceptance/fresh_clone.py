"""A stranger's first hour: clone the project into an empty folder and run the README's two commands.

    python tests/acceptance/fresh_clone.py [--demo-only]

Prints how long each took. Fails when a command fails or when `make test` takes more than 25 minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEST_LIMIT = 25 * 60


def timed(command: list[str], folder: Path) -> float:
    """Run a command there; seconds it took."""
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True)
    return time.perf_counter() - begun


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        clone = Path(name) / "castiron"
        timed(["git", "clone", "--quiet", str(ROOT), str(clone)], Path(name))
        print(f"make demo: {timed(['make', 'demo'], clone):.0f} s", flush=True)
        if "--demo-only" in sys.argv:
            return 0
        seconds = timed(["make", "test"], clone)
        print(f"make test: {seconds:.0f} s (limit {TEST_LIMIT} s)")
        return 0 if seconds <= TEST_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
