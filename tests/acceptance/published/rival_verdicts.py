"""Asks the four rivals for their verdicts on the rows of the table; `rivals.py` runs it in their environment.

Prints a JSON list: for each row that was written by hand its annotation, its sentence, and for each value its text, the
table's verdict and those of the rivals. A rival that can't take the annotation, or fails otherwise, has no opinion.
Values that break an annotation only in an element are left out: which elements are looked at is each library's own.
"""

from __future__ import annotations

import json
import re
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

import beartype
import pydantic
import type_enforced
import typeguard
from enforcement.scalars import Circle, Color, Shape
from enforcement.table import WRITTEN

warnings.simplefilter("ignore")

#: What strings of the table mean.
NAMES = {"Circle": Circle, "Color": Color, "Shape": Shape}
Verdict = Callable[[Any], bool]


def function_of(annotation: Any) -> Any:
    """Make a function with an annotated parameter, in a module where the table's names are known."""

    def check(value):  # type: ignore[no-untyped-def]
        return 0

    made = types.FunctionType(check.__code__, {**NAMES, "__name__": __name__}, "check")
    made.__annotations__ = {"value": annotation}
    made.__module__ = __name__
    return made


def asks(function: Any, *violations: type[Exception]) -> Verdict:
    def verdict(value: Any) -> bool:
        try:
            function(value)
        except violations:
            return False
        return True

    return verdict


def of_beartype(annotation: Any) -> Verdict:
    from beartype.roar import BeartypeCallHintViolation

    return asks(beartype.beartype(function_of(annotation)), BeartypeCallHintViolation)


def of_typeguard(annotation: Any) -> Verdict:
    if isinstance(annotation, str):
        annotation = eval(annotation, dict(NAMES))
    return asks(lambda value: typeguard.check_type(value, annotation), typeguard.TypeCheckError)


def of_pydantic(annotation: Any) -> Verdict:
    config = pydantic.ConfigDict(arbitrary_types_allowed=True, strict=True)
    return asks(pydantic.validate_call(config=config)(function_of(annotation)), pydantic.ValidationError)


def of_type_enforced(annotation: Any) -> Verdict:
    return asks(type_enforced.Enforcer(function_of(annotation)), TypeError)


RIVALS = {
    "beartype": of_beartype,
    "typeguard": of_typeguard,
    "pydantic": of_pydantic,
    "type_enforced": of_type_enforced,
}


def opinion(verdict: Verdict | None, value: Any) -> bool | None:
    if verdict is None:
        return None
    try:
        return verdict(value)
    except Exception:  # whatever a rival raises besides its violation is no verdict
        return None


def made(make: Callable[[Any], Verdict], annotation: Any) -> Verdict | None:
    try:
        return make(annotation)
    except Exception:  # the annotation is one that the rival does not know
        return None


def text(value: Any) -> str:
    """Give a `repr` that is the same in each process."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))[:300]


def main() -> int:
    rows = []
    for row in WRITTEN:
        verdicts = {name: made(make, row.annotation) for name, make in RIVALS.items()}
        values = []
        for value, right in [*((value, True) for value in row.good), *((value, False) for value in row.bad)]:
            opinions = {name: opinion(verdict, value) for name, verdict in verdicts.items()}
            values.append({"value": text(value), "right": right, "opinions": opinions})
        rows.append({"annotation": text(row.annotation), "says": row.says, "values": values})
    print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
