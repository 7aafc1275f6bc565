"""`while` with `else`, `break`, `continue`, nested and infinite loops."""
# native: collatz, gcd, first_factor, nested, forever

from castiron import jit
from support import show


@jit
def collatz(n: int) -> int:
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n //= 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


@jit
def gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


@jit
def first_factor(n: int) -> int:
    factor = 2
    while factor * factor <= n:
        if n % factor == 0:
            break
        factor += 1
    else:
        return n
    return factor


@jit
def nested(n: int) -> int:
    total = 0
    i = 0
    while i < n:
        i += 1
        if i % 3 == 0:
            continue
        j = i
        while True:
            j -= 2
            if j < 0:
                break
            total += j
    return total


@jit
def forever(limit: int) -> int:
    n = 1
    while True:
        n *= 3
        if n > limit:
            return n


def main():
    for n in (1, 2, 27, 97, 2**40 - 1, 2**62 + 1, 3**45):
        show(collatz, n)
    for a, b in ((12, 18), (0, 5), (5, 0), (-12, 18), (2**62, 2**40 * 3), (10**30, 10**20)):
        show(gcd, a, b)
    for n in (2, 9, 97, 100, 7919, 0, -5):
        show(first_factor, n)
    for n in (0, 1, 10):
        show(nested, n)
    for limit in (0, 1000, 2**62, 2**63 - 1, 2**64, 10**30):
        show(forever, limit)
