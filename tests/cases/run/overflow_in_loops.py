"""Ints that leave 64 bits in the middle of loops and calls go on exactly."""
# native: lcg, lcg_mask, powers, fib_pair, horner, hash_mix

from castiron import jit
from support import show


@jit
def lcg(n: int, seed: int) -> int:
    x = seed
    total = 0
    for i in range(n):
        x = (x * 6364136223846793005 + 1442695040888963407) % 18446744073709551616
        total += x >> 33
    return total


@jit
def lcg_mask(n: int, seed: int) -> int:
    x = seed
    for i in range(n):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    return x


@jit
def powers(n: int) -> int:
    x = 1
    for i in range(n):
        x = x * 3 + i
    return x


@jit
def fib_pair(n: int) -> int:
    a, b = 0, 1
    while n > 0:
        a, b = b, a + b
        n -= 1
    return a


@jit
def horner(x: int, n: int) -> int:
    value = 0
    for i in range(n):
        value = value * x + i
        if value > 2**64:
            value %= 1000003
    return value


@jit
def hash_mix(n: int) -> int:
    h = 14695981039346656037
    for i in range(n):
        h = ((h ^ (i & 255)) * 1099511628211) & 0xFFFFFFFFFFFFFFFF
    return h


def main():
    for n in (0, 1, 5, 30):
        show(lcg, n, 42)
        show(lcg_mask, n, 42)
        show(hash_mix, n)
        show(horner, 97, n)
    for n in (10, 39, 40, 41, 80, 93, 200):
        show(powers, n)
        show(fib_pair, n)
    show(lcg, 10, 2**200)
