"""Subclasses and objects that pass for numbers keep their own behaviour as arguments, results, operands and globals."""
# native: add, scale, decide, identity, halve, passes, reads, floats, picks, twice, loops

import enum
from unittest import mock

from castiron import jit
from support import show


class Colour(enum.IntEnum):
    RED = 3
    BLUE = 2**70


class Flags(enum.IntFlag):
    A = 1
    B = 2


class Loud(int):
    """An int whose operators are its own."""

    def __add__(self, other):
        return "loud add"

    __radd__ = __sub__ = __mul__ = __floordiv__ = __lt__ = __neg__ = __add__

    def __eq__(self, other):
        return "loud eq"

    __hash__ = int.__hash__

    def __bool__(self):
        return False

    def __index__(self):
        return 2


class Quiet(int):
    """An int that changes nothing but its class."""


class Celsius(float):
    def __mul__(self, other):
        return Celsius(float(self) * other + 100)

    def __float__(self):
        return 77.0


class Liar:
    """Not an int, whatever `__class__` says."""

    def __repr__(self):
        return "Liar()"

    @property
    def __class__(self):
        return int

    def __add__(self, other):
        return ("liar", other)


def pretend():
    fake = mock.MagicMock(spec=int)
    fake.__repr__ = lambda self: "Mock()"
    fake.__name__ = "Mock"
    return fake


LIMIT = 5
FACTOR = 2.0


@jit
def add(a: int, b: int) -> object:
    return a + b


@jit
def scale(x: float, y: float) -> object:
    return x * y


@jit
def decide(a: int) -> object:
    if a:
        return "true"
    return "false"


@jit
def identity(a: int) -> int:
    return a


@jit
def halve(a: int) -> object:
    return (a // 2, -a, a < 7, a == 7, a * 3, a - 1)


@jit
def passes(a: int) -> object:
    b = identity(a)
    return (b, a is b)


@jit
def reads(a: int) -> object:
    return (a + LIMIT, LIMIT < a, LIMIT == 5, -LIMIT)


@jit
def floats(x: float) -> object:
    return (x * FACTOR, FACTOR * x)


def give(value):
    return value


@jit
def picks(value: object) -> int:
    return give(value)


@jit
def twice(a: bool) -> object:
    return (a, not a, a + a, a is True)


@jit
def loops(n: int) -> object:
    total = 0
    for i in range(n):
        total = total + i
    return total


def main():
    global LIMIT, FACTOR
    integers = (True, False, Colour.RED, Colour.BLUE, Flags.A | Flags.B, Loud(7), Quiet(7), 7)
    for value in integers:
        show(add, value, 1)
        show(add, 1, value)
        show(decide, value)
        show(identity, value)
        show(halve, value)
        show(passes, value)
        show(reads, value)
        show(picks, value)
        show(loops, value if abs(value) < 100 else 3)
    show(add, Liar(), 1)
    for value in (Liar(), pretend()):
        show(decide, value)
        show(passes, value)
    for value in (Celsius(1.5), 1, True, Colour.RED, 1.5):
        show(scale, value, 2.0)
        show(scale, 2.0, value)
        show(floats, value)
    for value in (True, False):
        show(twice, value)
    for value in (*integers, Liar()):
        LIMIT = value
        show(reads, 9)
    LIMIT = 5
    for value in (Celsius(2.0), 3, True, 0.5):
        FACTOR = value
        show(floats, 1.5)
    FACTOR = 2.0
