"""Calls between compiled functions: unboxed arguments and results, exits in the callee, exceptions through both."""
# native: square, hypotenuse, scaled, chain, quotient, guarded, apply_twice, pair, use_pair

from castiron import jit
from support import INTS, show


@jit
def square(x: int) -> int:
    return x * x


@jit
def hypotenuse(a: int, b: int) -> int:
    return square(a) + square(b)


@jit
def scaled(x: float, factor: int = 2) -> float:
    return x * factor


@jit
def chain(n: int) -> float:
    total = 0.0
    for i in range(n):
        total += scaled(total + 0.5, i) - scaled(1.0)
    return total


@jit
def quotient(a: int, b: int) -> int:
    return a // b


@jit
def guarded(a: int, b: int) -> int:
    total = 1
    total += quotient(a, b)
    return total * 2


@jit
def apply_twice(n: int) -> int:
    return square(square(n) + 1)


@jit
def pair(n: int) -> tuple[int, float]:
    return n + 1, n * 0.5


@jit
def use_pair(n: int) -> float:
    a, b = pair(n)
    return a - b


def main():
    for function in (square, scaled, pair):
        show(function, 7)
    show(quotient, 7, 2)
    for a in INTS:
        show(hypotenuse, a, 3)
        show(apply_twice, a)
        show(guarded, a, 3)
        show(guarded, a, 0)
        show(use_pair, a)
    for n in (0, 1, 5, 20):
        show(chain, n)
