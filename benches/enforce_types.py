"""Types that the signatures of `enforce_cases.py` speak of: one of each, whichever library decorates."""

import dataclasses
import typing


@dataclasses.dataclass
class Point:
    x: int
    y: int


@typing.runtime_checkable
class Named(typing.Protocol):
    def speak(self) -> str: ...


class Dog:
    def speak(self) -> str:
        return "woof"


def add_one(number: int) -> int:
    return number + 1
