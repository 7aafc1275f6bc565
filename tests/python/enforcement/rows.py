"""A row of the table: an annotation, values that keep it, values that break it, and the specification's sentence."""

from __future__ import annotations

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
