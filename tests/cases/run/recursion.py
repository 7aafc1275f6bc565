"""Self and mutual recursion through direct calls, results beyond 64 bits, the recursion limit."""
# native: fib, factorial, is_even, is_odd, ackermann, endless, depth

import sys

from castiron import jit
from support import show


@jit
def fib(n: int) -> int:
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


@jit
def factorial(n: int) -> int:
    return 1 if n < 2 else n * factorial(n - 1)


@jit
def is_even(n: int) -> bool:
    return True if n == 0 else is_odd(n - 1)


@jit
def is_odd(n: int) -> bool:
    return False if n == 0 else is_even(n - 1)


@jit
def ackermann(m: int, n: int) -> int:
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


@jit
def endless(n: int) -> int:
    return endless(n + 1) + 1


@jit
def depth(n: int) -> int:
    return 0 if n == 0 else depth(n - 1) + 1


def main():
    for n in (0, 1, 2, 10, 15):
        show(fib, n)
    for n in (0, 5, 20, 21, 30, 60):
        show(factorial, n)
    for n in (0, 1, 10, 77):
        show(is_even, n)
        show(is_odd, n)
    show(ackermann, 2, 3)
    show(depth, 500)
    try:
        endless(0)
    except RecursionError as error:
        print(type(error).__name__, str(error).startswith("maximum recursion depth exceeded"))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(6000)
    show(depth, 5000)
    sys.setrecursionlimit(limit)
