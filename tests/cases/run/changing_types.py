"""Locals whose type changes along the way, and parameters that are rebound to another type."""
# native: int_to_float, int_to_none, rebound, swap, accumulate

from castiron import jit
from support import INTS, show


@jit
def int_to_float(n: int) -> float:
    x = 0
    for i in range(n):
        if i == 3:
            x = x + 0.5
        x = x + i
    return x * 1.0


@jit
def int_to_none(n: int):
    result = None
    if n > 0:
        result = n
    return result


@jit
def rebound(n: int):
    n = n / 2
    if n > 1.0:
        n = n > 3.0
    return n


@jit
def swap(a: int, b: float):
    a, b = b, a
    return a, b


@jit
def accumulate(n: int):
    total = 1
    for i in range(n):
        total *= i + 1
    return total


def main():
    for n in range(8):
        show(int_to_float, n)
    for n in INTS:
        show(int_to_none, n)
        show(rebound, n)
        show(swap, n, 0.25)
    for n in (0, 5, 20, 21, 25, 60):
        show(accumulate, n)
