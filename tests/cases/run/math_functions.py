"""`math`: results bit for bit, domain and range errors, both ways of importing."""
# native: roots, waves, logs, floors, constants, imported, two

import math
from math import hypot, sqrt

from castiron import jit
from support import FLOATS, INTS, pairs, show


@jit
def roots(x: float) -> float:
    return math.sqrt(x)


@jit
def waves(x: float) -> tuple[float, float, float]:
    return math.sin(x), math.cos(x), math.tan(x)


@jit
def logs(x: float) -> tuple[float, float, float]:
    return math.log(x), math.log2(x), math.log10(x)


@jit
def log_base(x: float, base: float) -> float:
    return math.log(x, base)


@jit
def exponential(x: float) -> float:
    return math.exp(x)


@jit
def floors(x: float) -> tuple[int, int, int]:
    return math.floor(x), math.ceil(x), math.trunc(x)


@jit
def constants(x: float) -> float:
    return x * math.pi + math.e - math.tau


@jit
def imported(x: float) -> float:
    return sqrt(x) + 1.0


@jit
def not_known(x: float, y: float) -> float:
    return hypot(x, y)


@jit
def two(x: float, y: float) -> tuple[float, float, float, bool]:
    return math.atan2(x, y), math.fabs(x), math.copysign(x, y), math.isnan(x)


@jit
def powers(x: float, y: float) -> float:
    return math.pow(x, y)


@jit
def remainder(x: float, y: float) -> float:
    return math.fmod(x, y)


@jit
def of_int(n: int) -> float:
    return math.sqrt(n) + math.log(n)


@jit
def numbers(a: int, b: int) -> tuple[int, int]:
    return math.gcd(a, b), math.isqrt(abs(a))


def main():
    for x in (*FLOATS, 0.1, 0.5, 4.0, 710.0, -1.0):
        for function in (roots, waves, logs, exponential, floors, constants, imported):
            show(function, x)
        show(log_base, x, 2.0)
    for x, y in pairs(FLOATS, FLOATS):
        show(two, x, y)
        show(powers, x, y)
        show(remainder, x, y)
        show(not_known, x, y)
    for n in INTS:
        show(of_int, n)
        show(numbers, n, 12)
