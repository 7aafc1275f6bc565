"""What fits an annotation without being of its exact class runs, and stays itself."""
# native: double, halve, flag, same, pair

import enum

from castiron import jit
from support import show


class Colour(enum.IntEnum):
    RED = 1
    GREEN = 2


class MyInt(int):
    def __mul__(self, other):
        return MyInt(int(self) * int(other) + 1)


class MyFloat(float):
    pass


@jit
def double(n: int) -> int:
    return n * 2


@jit
def halve(x: float) -> float:
    return x / 2


@jit
def flag(b: bool) -> bool:
    return not b


@jit
def same(n: int) -> int:
    return n


@jit
def pair(p: tuple[int, float]) -> float:
    a, b = p
    return a * b


def main():
    for value in (5, True, MyInt(5), Colour.GREEN):
        show(double, value)
        show(same, value)
    for value in (5.0, 5, True, MyFloat(3.0)):
        show(halve, value)
    for value in (True, False):
        show(flag, value)
    show(same, 3)
    show(pair, (1, 2.5))
    show(pair, (True, 2))
