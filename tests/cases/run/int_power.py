"""`**` and `pow`: int, float and complex results, zero to a negative power, three arguments."""
# native: power, square, cube, builtin_power, float_power, mixed_power

from castiron import jit
from support import FLOATS, INTS, SMALL, pairs, show


@jit
def power(a: int, b: int):
    return a**b


@jit
def square(a: int) -> int:
    return a**2


@jit
def cube(a: int) -> int:
    return a**3


@jit
def builtin_power(a: int, b: int):
    return pow(a, b)


@jit
def modular(a: int, b: int, c: int) -> int:
    return pow(a, b, c)


@jit
def float_power(a: float, b: float):
    return a**b


@jit
def mixed_power(a: int, b: float):
    return a**b


def main():
    for a, b in pairs(INTS, SMALL):
        show(power, a, b)
        show(builtin_power, a, b)
    for a in INTS:
        show(square, a)
        show(cube, a)
    for a, b in pairs(FLOATS, FLOATS):
        show(float_power, a, b)
    for a, b in pairs(SMALL, FLOATS):
        show(mixed_power, a, b)
    for a, b in pairs((2, 3, -5, 10**20), (0, 1, 7, -1)):
        show(modular, a, b, 13)
        show(modular, a, b, -13)
        show(modular, a, b, 0)
