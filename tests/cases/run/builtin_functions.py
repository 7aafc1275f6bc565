"""The builtins that compile, on ints, floats and bools."""
# native: least, most, rounding, conversions, both, sums, lengths, absolute

from castiron import jit
from support import FLOATS, INTS, pairs, show


@jit
def least(a: int, b: int, c: int) -> int:
    return min(a, b, c)


@jit
def most(a: float, b: float) -> float:
    return max(a, b)


@jit
def mixed_most(a: int, b: float):
    return max(a, b)


@jit
def rounding(x: float) -> int:
    return round(x)


@jit
def rounding_int(x: int) -> int:
    return round(x)


@jit
def rounding_digits(x: float, digits: int):
    return round(x, digits)


@jit
def conversions(a: int, x: float) -> tuple[float, int, bool, bool, int]:
    return float(a), int(x), bool(a), bool(x), int(bool(a))


@jit
def both(a: int, b: int) -> tuple[int, int]:
    return divmod(a, b)


@jit
def sums(n: int) -> int:
    return sum(range(n))


@jit
def lengths(a: int, b: int, c: int) -> int:
    return len(range(a, b, c))


@jit
def absolute(a: int, x: float, b: bool) -> tuple[int, float, int]:
    return abs(a), abs(x), abs(b)


def main():
    for a, b in pairs(INTS, (0, 5, -(2**63))):
        show(least, a, b, 3)
        show(both, a, b)
        show(lengths, a, b, 2)
        show(lengths, b, a, -3)
    show(lengths, 0, 5, 0)
    for a, b in pairs(FLOATS, FLOATS):
        show(most, a, b)
    for a, b in pairs(INTS, FLOATS):
        show(mixed_most, a, b)
        show(conversions, a, b)
    for x in (*FLOATS, 0.5, 1.5, 2.5, -0.5, 2.675, 1e22):
        show(rounding, x)
        show(rounding_digits, x, 2)
        show(rounding_digits, x, -1)
    for a in INTS:
        show(rounding_int, a)
        show(absolute, a, -0.0, True)
    for n in (-1, 0, 10, 100000):
        show(sums, n)
