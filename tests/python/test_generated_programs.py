"""A fixed set of generated programs: plain and compiled runs agree on all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COUNT = os.environ.get("CASTIRON_TEST_PROGRAMS", "150")


def test_plain_and_compiled_programs_agree() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--count", COUNT, "--seed", "1", "--most", "3", "--shrink", "1"]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert ", 0 diverged" in run.stdout
