"""The whole table: the rows of each kind, and what follows from them when their annotations are parts of others."""

# ruff: noqa: UP007, UP045 - not every annotation knows the operator

from __future__ import annotations

from typing import Any, Optional, Union

from enforcement import containers, records, scalars, signatures, structures, syntax
from enforcement.rows import Row

WRITTEN: list[Row] = [*scalars.ROWS, *containers.ROWS, *structures.ROWS, *syntax.ROWS, *signatures.ROWS, *records.ROWS]


class Unrelated:
    """Keeps no annotation of the table that refuses anything."""


def _within(row: Row) -> list[Row]:
    """Put a row's annotation into others; what is good and bad follows."""
    found: list[Row] = []
    # Names are looked up where a function is, and uses of one type variable must agree.
    parameters = () if isinstance(row.annotation, type) else getattr(row.annotation, "__parameters__", ())
    variables = (row.annotation, *parameters)
    if isinstance(row.annotation, str) or any(getattr(variable, "__constraints__", ()) for variable in variables):
        return found
    one = row.annotation
    found.append(
        Row(
            tuple[one, int], [(v, 1) for v in row.good], [(v, 1) for v in row.bad], row.says, [(v, 1) for v in row.deep]
        )
    )
    found.append(Row(list[one], [row.good], [tuple(row.good)], row.says, [[*row.good, v] for v in row.bad + row.deep]))
    try:
        optional: Any = Optional[one]
        either: Any = Union[one, Unrelated]
    except TypeError:  # not everything may stand in a union
        return found
    found.append(Row(optional, [*row.good, None], [v for v in row.bad if v is not None], row.says, row.deep))
    found.append(Row(either, [*row.good, Unrelated()], row.bad, row.says, row.deep))
    return found


TABLE: list[Row] = [*WRITTEN, *(made for row in WRITTEN for made in _within(row))]
