"""A row of the table: an annotation, values that keep it, values that break it, and the specification's sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Row:
    """One annotation.

    `deep` holds values that keep it as far as a shallow check looks and break it in an element; `says` is what the
    typing specification has to say, in a few own words, with the section.
    """

    annotation: Any
    good: list[Any]
    bad: list[Any]
    says: str
    deep: list[Any] = field(default_factory=list)

    def verdicts(self, deep: bool) -> list[tuple[Any, bool]]:
        """Pair all values with the verdict that is right for them."""
        return [
            *((value, True) for value in self.good),
            *((value, not deep) for value in self.deep),
            *((value, False) for value in self.bad),
        ]


def row(annotation: Any, good: list[Any], bad: list[Any], says: str, deep: list[Any] | None = None) -> Row:
    """Make a row."""
    return Row(annotation, good, bad, says, deep or [])


Make = Callable[[Any], Any]
Call = Callable[[Any], Any]


class CallRow:
    """A function, calls that keep its annotations, calls that break them, and the specification's sentence."""

    def __init__(
        self, make: Make, good: list[Call], bad: list[Call], says: str, deep: list[Call] | None = None
    ) -> None:
        self.make = make
        self.good = good
        self.bad = bad
        self.says = says
        #: Calls whose arguments break an annotation in an element.
        self.deep = deep or []

    def verdicts(self, deep: bool) -> list[tuple[Call, bool]]:
        """Pair all calls with the verdict that is right for them."""
        return [
            *((call, True) for call in self.good),
            *((call, not deep) for call in self.deep),
            *((call, False) for call in self.bad),
        ]
