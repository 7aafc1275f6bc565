"""Every arithmetic operator on ints: signs of floor division and modulo, results beyond 64 bits, zero divisors."""
# native: add, sub, mul, floor_div, modulo, neg, pos, absolute, mixed

from castiron import jit
from support import INTS, pairs, show


@jit
def add(a: int, b: int) -> int:
    return a + b


@jit
def sub(a: int, b: int) -> int:
    return a - b


@jit
def mul(a: int, b: int) -> int:
    return a * b


@jit
def floor_div(a: int, b: int) -> int:
    return a // b


@jit
def modulo(a: int, b: int) -> int:
    return a % b


@jit
def neg(a: int) -> int:
    return -a


@jit
def pos(a: int) -> int:
    return +a


@jit
def absolute(a: int) -> int:
    return abs(a)


@jit
def mixed(a: int, b: int) -> int:
    c = a * 3 - b
    c += a // 2
    c -= b % 7
    c *= 2
    return c


def main():
    for a, b in pairs(INTS, INTS):
        for function in (add, sub, mul, floor_div, modulo, mixed):
            show(function, a, b)
    for a in INTS:
        for function in (neg, pos, absolute):
            show(function, a)
