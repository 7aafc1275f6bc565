"""A fixed set of generated programs: plain and compiled runs agree on all of them, also where bets are lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = int(os.environ.get("CASTIRON_TEST_PROGRAMS", "150"))


@pytest.mark.parametrize(("force", "count"), [("", COUNT), ("generic", COUNT // 3), ("exit:1", COUNT // 3)])
def test_plain_and_compiled_programs_agree(force: str, count: int) -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--count", str(count), "--seed", "1", "--most", "3", "--shrink", "1"]
    environment = {**os.environ, "CASTIRON_FORCE": force}
    root = Path(__file__).parents[2]
    run = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert ", 0 diverged" in run.stdout
