"""Every row of the table, by every driver, at every place; in pure-Python mode too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from enforcement.calls import CALLS
from enforcement.drivers import DECORATORS, DRIVERS, PLACES
from enforcement.faults import FOUND, FOUND_CALLS, WRONG, WRONG_CALL, call_faults, row_faults
from enforcement.table import TABLE, WRITTEN

CHUNK = 50
PLACES_OF = {driver: ["parameter"] if driver.startswith("python") else list(PLACES) for driver in DRIVERS}
EVERYWHERE = [(driver, place) for driver in DRIVERS for place in PLACES_OF[driver]]


def test_size() -> None:
    assert len(WRITTEN) >= 500
    assert len(CALLS) >= 30
    assert len(TABLE) >= 2000
    assert all(row.says for row in [*TABLE, *CALLS])


@pytest.mark.parametrize(("driver", "place"), EVERYWHERE)
@pytest.mark.parametrize("start", range(0, len(TABLE), CHUNK))
def test_verdicts(driver: str, place: str, start: int) -> None:
    assert row_faults(TABLE[start : start + CHUNK], driver, place) == []


@pytest.mark.parametrize("driver", DECORATORS)
def test_calls(driver: str) -> None:
    assert call_faults(CALLS, driver) == []


@pytest.mark.parametrize(("driver", "place"), EVERYWHERE)
def test_drivers_find_faults(driver: str, place: str) -> None:
    assert row_faults([WRONG], driver, place) == FOUND
    if driver in DECORATORS:
        assert call_faults([WRONG_CALL], driver) == FOUND_CALLS


def test_pure_mode() -> None:
    folder = str(Path(__file__).parent)
    path = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "CASTIRON_PURE": "1", "PYTHONPATH": path}
    command = [sys.executable, "-m", "enforcement.faults"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == len(DECORATORS) * (len(PLACES) + 1)
    for name, faults in found.items():
        assert faults == (FOUND_CALLS if name.endswith("calls") else FOUND), name
