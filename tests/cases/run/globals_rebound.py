"""Globals, builtins and module attributes that change are seen by the next use."""
# native: scaled, helper, uses_helper, absolute, rooted, counting

import builtins
import math

from castiron import jit
from support import show

FACTOR = 3
NAME = "unused"


@jit
def scaled(n: int) -> int:
    return n * FACTOR


@jit
def helper(n: int) -> int:
    return n + 1


def other_helper(n):
    return n + 1000


@jit
def uses_helper(n: int) -> int:
    return helper(n) * 2


@jit
def absolute(n: int) -> int:
    return abs(n)


@jit
def rooted(x: float) -> float:
    return math.sqrt(x)


@jit
def counting(n: int) -> int:
    total = 0
    for i in range(n):
        total += step(i)
    return total


def step(i):
    global FACTOR
    if i == 2:
        FACTOR = 100
    return FACTOR


@jit
def missing(n: int) -> int:
    return n + not_there


def main():
    global FACTOR, helper, abs, not_there
    show(scaled, 5)
    for value in (4, 2**70, True, 3):
        FACTOR = value
        show(scaled, 5)
    original = helper
    show(helper, 1)
    show(uses_helper, 5)
    show(helper, 5)
    helper = other_helper
    show(uses_helper, 5)
    helper = original
    show(uses_helper, 5)
    del helper
    show(uses_helper, 5)
    helper = original
    show(uses_helper, 6)
    show(absolute, -5)
    abs = lambda n: n - 1
    show(absolute, -5)
    del abs
    show(absolute, -5)
    kept = builtins.abs
    builtins.abs = lambda n: 77
    show(absolute, -5)
    builtins.abs = kept
    show(absolute, -5)
    kept = math.sqrt
    show(rooted, 9.0)
    math.sqrt = lambda x: x
    show(rooted, 9.0)
    math.sqrt = kept
    show(rooted, 9.0)
    FACTOR = 3
    show(counting, 5)
    FACTOR = 3
    show(missing, 1)
    not_there = 5
    show(missing, 1)
    del not_there
    show(missing, 1)
