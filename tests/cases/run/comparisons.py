"""Comparisons: ints beyond 64 bits, NaNs, ints against floats beyond 2**53, chains."""
# native: ints, floats, mixed, chained, truth

from castiron import jit
from support import FLOATS, INTS, pairs, show


@jit
def ints(a: int, b: int) -> tuple[bool, bool, bool, bool, bool, bool]:
    return a < b, a <= b, a == b, a != b, a > b, a >= b


@jit
def floats(a: float, b: float) -> tuple[bool, bool, bool, bool, bool, bool]:
    return a < b, a <= b, a == b, a != b, a > b, a >= b


@jit
def mixed(a: int, b: float) -> tuple[bool, bool, bool, bool, bool, bool]:
    return a < b, a <= b, a == b, a != b, b > a, b >= a


@jit
def chained(a: int, b: int, c: int) -> bool:
    return a < b <= c != a


@jit
def truth(a: int, b: float, c: bool) -> tuple[bool, bool, bool, bool]:
    return not a, not b, not c, bool(a and b or c)


def main():
    for a, b in pairs(INTS, INTS):
        show(ints, a, b)
    for a, b in pairs(FLOATS, FLOATS):
        show(floats, a, b)
    for a, b in pairs(INTS, FLOATS):
        show(mixed, a, b)
    for a in (1, 2, 3):
        for b in (1, 2, 3):
            show(chained, a, b, 2)
    for a, b in pairs(INTS, FLOATS):
        show(truth, a, b, a > 0)
