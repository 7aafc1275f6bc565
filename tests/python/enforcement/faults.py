"""Runs the table by a driver and lists the verdicts that are wrong.

    CASTIRON_PURE=1 python -m enforcement.faults     prints those of pure-Python mode, all drivers at all places

Pure-Python mode is chosen at import, so it needs a process of its own. There and in the tests a row with wrong verdicts
is run as well: a driver that can't find its faults finds none.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from castiron import TypeCheckError
from castiron._mode import PURE
from enforcement.calls import CALLS
from enforcement.drivers import DECORATORS, DRIVERS, PLACES
from enforcement.rows import CallRow, Row, row
from enforcement.table import TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A row whose good value is bad and whose bad value is good.
WRONG = row(int, ["x"], [1], "it is wrong on purpose")
#: What every driver has to say of it.
FOUND = ["<class 'int'> refuses 'x'", "<class 'int'> accepts 1"]


def row_faults(rows: Sequence[Row], driver: str, place: str) -> list[str]:
    """Ask a driver for the verdicts on all values, twice: what is remembered must not change them."""
    make, is_deep = DRIVERS[driver]
    found = []
    for one in rows:
        verdict = make(place, one.annotation)
        for value, right in one.verdicts(is_deep):
            if any(verdict(value) is not right for _ in range(2)):
                found.append(f"{one.annotation!r} {'refuses' if right else 'accepts'} {value!r}")
    return found


def _wrong(decorate: Any) -> Any:
    @decorate
    def f(x: int) -> None: ...

    return f


#: The same for calls.
WRONG_CALL = CallRow(_wrong, [lambda f: f("x")], [lambda f: f(1)], "it is wrong on purpose")
FOUND_CALLS = ["_wrong call 0 raises TypeCheckError", "_wrong call 1 returns"]


def call_faults(rows: Sequence[CallRow], driver: str) -> list[str]:
    """Make each function with a decorator and ask for the outcome of each call."""
    decorate, is_deep = DECORATORS[driver]
    found = []
    for one in rows:
        function = one.make(decorate)
        for number, (call, right) in enumerate(one.verdicts(is_deep)):
            for _ in range(2):
                outcome = _outcome(call, function)
                if outcome != ("returns" if right else "raises TypeCheckError"):
                    found.append(f"{one.make.__name__} call {number} {outcome}")
                    break
    return found


def _outcome(call: Any, function: Any) -> str:
    try:
        call(function)
    except TypeCheckError:
        return "raises TypeCheckError"
    except Exception as error:
        return f"raises {error!r}"
    return "returns"


def main() -> int:
    """Print a JSON object of all faults by driver and place."""
    assert PURE, "this runs pure-Python mode"
    found: dict[str, list[str]] = {}
    for driver in DECORATORS:
        for place in PLACES:
            found[f"{driver}, {place}"] = row_faults([*TABLE, WRONG], driver, place)
        found[f"{driver}, calls"] = call_faults([*CALLS, WRONG_CALL], driver)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
