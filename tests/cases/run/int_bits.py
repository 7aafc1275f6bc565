"""Bitwise operators and shifts on ints, with counts that are negative, large or beyond 64 bits."""
# native: both, either, one, invert, left, right, mask, popcount

from castiron import jit
from support import INTS, SMALL, pairs, show


@jit
def both(a: int, b: int) -> int:
    return a & b


@jit
def either(a: int, b: int) -> int:
    return a | b


@jit
def one(a: int, b: int) -> int:
    return a ^ b


@jit
def invert(a: int) -> int:
    return ~a


@jit
def left(a: int, b: int) -> int:
    return a << b


@jit
def right(a: int, b: int) -> int:
    return a >> b


@jit
def mask(a: int) -> int:
    a &= 0xFFFF
    a |= 1 << 20
    a ^= 5
    a <<= 3
    a >>= 1
    return a


@jit
def popcount(n: int) -> int:
    count = 0
    while n:
        n &= n - 1
        count += 1
    return count


def main():
    for a, b in pairs(INTS, INTS):
        for function in (both, either, one):
            show(function, a, b)
    for a, b in pairs(INTS, SMALL):
        show(left, a, b)
        show(right, a, b)
    for a in INTS:
        show(invert, a)
        show(mask, a)
        if a >= 0:
            show(popcount, a)
