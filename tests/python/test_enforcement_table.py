"""Every row of the table, by every driver, at every place."""

from __future__ import annotations

import pytest
from enforcement.drivers import DRIVERS, PLACES
from enforcement.table import TABLE, WRITTEN

CHUNK = 50


def test_size() -> None:
    assert len(WRITTEN) >= 250
    assert len(TABLE) >= 400
    assert all(row.says for row in TABLE)


def _faults(rows: range, driver: str, place: str) -> list[str]:
    make, is_deep = DRIVERS[driver]
    found = []
    for number in rows:
        row = TABLE[number]
        verdict = make(place, row.annotation)
        for value, right in row.verdicts(is_deep):
            for _ in range(2):  # what is remembered of the first must not change the second
                if verdict(value) is not right:
                    found.append(f"{row.annotation!r} {'refuses' if right else 'accepts'} {value!r}")
                    break
    return found


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("start", range(0, len(TABLE), CHUNK))
def test_verdicts(driver: str, place: str, start: int) -> None:
    if driver.startswith("python") and place != "parameter":
        pytest.skip("there is one place to ask")
    assert _faults(range(start, min(start + CHUNK, len(TABLE))), driver, place) == []
