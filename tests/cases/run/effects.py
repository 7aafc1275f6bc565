"""Whatever can run Python ends what compiled code knows: each kind of foreign code rebinds the global just tested."""
# native: deletes, replaces, adds, compares, tests, calls, indexes, converts, unpacks, iterates, packs, in_loop, raises

import gc
import math

from castiron import jit
from support import show

LIMIT = 10
SCALE = 0.5


def helper(n):
    return n


def rebind():
    global LIMIT, SCALE, helper
    LIMIT += 1000
    SCALE += 2.0
    helper = other


def other(n):
    return n + 5000


class Rebinds:
    """Every method that an operation may call rebinds the globals."""

    __name__ = "Rebinds"

    def __init__(self, n=3):
        self.n = n

    def __repr__(self):
        return "Rebinds()"

    def __del__(self):
        rebind()

    def __add__(self, other):
        rebind()
        return 1

    __radd__ = __add__

    def __neg__(self):
        rebind()
        return 2

    def __lt__(self, other):
        rebind()
        return True

    def __eq__(self, other):
        rebind()
        return True

    __hash__ = None

    def __bool__(self):
        rebind()
        return True

    def __index__(self):
        rebind()
        return self.n

    def __float__(self):
        rebind()
        return 2.25

    def __abs__(self):
        rebind()
        return 7

    def __round__(self):
        rebind()
        return 8

    def __iter__(self):
        rebind()
        return Items()

    def __call__(self, n):
        rebind()
        return n


class Items:
    """An iterator that rebinds before each item."""

    def __init__(self):
        self.left = 2

    def __iter__(self):
        return self

    def __next__(self):
        rebind()
        if self.left == 0:
            raise StopIteration
        self.left -= 1
        return self.left


def make():
    return Rebinds()


@jit
def deletes(n: int) -> int:
    before = LIMIT
    x = make()
    middle = LIMIT
    x = n
    return before + middle * 2 + LIMIT * 3 + helper(x)


@jit
def replaces(n: int) -> float:
    before = SCALE
    make()
    return before + SCALE * 2.0 + LIMIT


@jit
def adds(x: object) -> object:
    before = LIMIT
    y = x + 1
    between = LIMIT
    z = 1 + x
    return (before, between, LIMIT, y, z, -x, LIMIT)


@jit
def compares(x: object) -> object:
    before = LIMIT
    y = x < 1
    between = LIMIT
    z = x == 1
    return (before, between, LIMIT, y, z)


@jit
def tests(x: object) -> int:
    before = LIMIT
    if x:
        before += LIMIT * 2
    while not x:
        before += 1
    return before + LIMIT * 3


@jit
def calls(x: object, n: int) -> int:
    before = LIMIT + helper(n)
    x(n)
    return before + LIMIT * 2 + helper(n)


@jit
def indexes(x: object) -> int:
    total = LIMIT
    for i in range(x):
        total += LIMIT + i
    return total + LIMIT


@jit
def converts(x: object) -> object:
    return (LIMIT, math.sqrt(x), LIMIT, float(x), LIMIT, abs(x), LIMIT, round(x), LIMIT, int(x), LIMIT)


@jit
def unpacks(x: object) -> int:
    before = LIMIT
    a, b = x
    return before + LIMIT * 2 + a + b


@jit
def iterates(x: object) -> int:
    total = LIMIT
    for item in x:
        total += LIMIT * item
    return total + LIMIT


@jit
def packs(n: int, x: object) -> object:
    before = LIMIT
    y = (x, n)
    between = LIMIT
    z = (y, x)
    return (before, between, LIMIT, len(z))


@jit
def in_loop(x: object, turns: int) -> int:
    total = 0
    for i in range(turns):
        total += LIMIT
        if i == 3:
            x(i)
        total += LIMIT * 2 + helper(i)
    return total


@jit
def raises(x: object) -> int:
    before = LIMIT
    if before > 5:
        raise x
    return before


class Raised(ValueError):
    def __init__(self):
        rebind()
        super().__init__(LIMIT)


def reset():
    global LIMIT, SCALE, helper
    LIMIT, SCALE, helper = 10, 0.5, plain_helper


plain_helper = helper


def collected(phase, info):
    if phase == "stop":
        rebind()


def main():
    for function, *args in (
        (deletes, 1),
        (replaces, 1),
        (adds, Rebinds()),
        (compares, Rebinds()),
        (tests, Rebinds()),
        (calls, Rebinds(), 4),
        (indexes, Rebinds()),
        (converts, Rebinds()),
        (unpacks, Rebinds()),
        (iterates, Rebinds()),
        (in_loop, Rebinds(), 8),
        (raises, Raised),
    ):
        for _ in range(3):
            reset()
            show(function, *args)
    reset()
    for n in range(5):
        show(packs, n, "x")
