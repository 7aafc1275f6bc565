"""Fibonacci by two functions that call each other, with a conditional expression and keyword arguments."""

from castiron import jit

N_SMALL = 15
N_BENCH = 34
EXPECTED_SMALL = 610


@jit
def one_back(n: int) -> int:
    return n if n < 2 else one_back(n=n - 1) + two_back(n=n)


@jit
def two_back(n: int) -> int:
    return one_back(n - 2)


@jit
def run(n: int) -> int:
    return one_back(n)
