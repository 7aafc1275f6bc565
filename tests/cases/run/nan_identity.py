"""A NaN is one object from where it was made to where it is dropped: containers compare it by identity."""
# native: same, keep, pair, through_tuple, made, late, constant, looped

import math

from castiron import jit
from support import show

NAN = float("nan")
CONSTANT = math.nan


@jit
def same(a: float, b: float) -> bool:
    return (a, 1) == (b, 1)


@jit
def keep(a: float) -> float:
    return a


@jit
def pair(a: float) -> tuple[float, float]:
    return a, a


@jit
def through_tuple(items: tuple[float, int]) -> float:
    value, count = items
    return value


@jit
def made(a: float) -> bool:
    missing = a - a
    other = missing
    return (missing, 1) == (other, 1) and [missing] == [other]


@jit
def late(a: float, n: int) -> object:
    missing = a - a
    other = missing
    n *= n
    return missing is other, [missing] == [other], n


@jit
def constant(a: float) -> bool:
    return (CONSTANT, a) == (CONSTANT, a) and CONSTANT in (CONSTANT, 1)


@jit
def looped(n: int, a: float) -> object:
    total = 0.0
    kept = a
    for i in range(n):
        total += kept
        kept = total - total
    return (kept,) == (kept,), total


def main():
    for a in (NAN, math.nan, 1.5, math.inf):
        for b in (NAN, math.nan, 1.5):
            show(same, a, b)
        print(a == a or keep(a) is a, keep(a) == a)
        show(pair, a)
        print(a == a or pair(a)[0] is pair(a)[1] is a, pair(a) == pair(a))
        print(a == a or through_tuple((a, 1)) is a)
        show(made, a)
        show(late, a, 3)
        show(late, a, 2**40)
        show(constant, a)
        show(looped, 5, a)
        show(looped, 100, a)
