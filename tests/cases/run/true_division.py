"""`/` between ints is correctly rounded at any size; between floats it raises for a zero divisor."""
# native: ints, floats, mixed, average

from castiron import jit
from support import FLOATS, INTS, pairs, show


@jit
def ints(a: int, b: int) -> float:
    return a / b


@jit
def floats(a: float, b: float) -> float:
    return a / b


@jit
def mixed(a: int, b: float) -> float:
    return a / b


@jit
def average(a: int, b: int, c: int) -> float:
    total = a + b
    total += c
    total /= 3
    return total


def main():
    for a, b in pairs(INTS, INTS):
        show(ints, a, b)
    for a, b in pairs(FLOATS, FLOATS):
        show(floats, a, b)
    for a, b in pairs(INTS, FLOATS):
        show(mixed, a, b)
    for a in INTS:
        show(average, a, a, 1)
    show(ints, 2**63 - 1, 3)
    show(ints, 9007199254740993, 2)
    show(ints, 10**400, 10**399)
    show(ints, 10**400, 3)
