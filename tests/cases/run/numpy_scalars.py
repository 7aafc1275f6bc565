"""Numpy's scalars keep their own types and operators as arguments, results, operands and globals."""
# native: takes, scale, ratio, compare, power, identity, total, reads, gives, gives_any, mixed, floor

import warnings

from castiron import jit
from support import show

try:
    import numpy
except ImportError:
    numpy = None

LIMIT = 5
FACTOR = 2.0


@jit
def takes(a: object, n: int) -> object:
    return (a + n, n + a, a * 2.0, a < n, n == a, not a, 7 // a)


@jit
def scale(x: float, y: float) -> object:
    return x * y


@jit
def ratio(x: float, y: float) -> object:
    return x / y


@jit
def compare(x: float, y: float) -> object:
    if x < y:
        return "less"
    return (x == y, x != y, not x)


@jit
def power(x: float) -> object:
    return (x**2, -x, abs(x), x - 1, 1 - x)


@jit
def identity(x: float) -> float:
    return x


@jit
def total(n: int, x: float) -> object:
    result = 0.0
    for i in range(n):
        result = result + x * i
    return result


@jit
def reads(x: float) -> object:
    return (x * FACTOR, FACTOR - x, LIMIT + 1, LIMIT > x)


@jit
def gives(kind: object) -> float:
    return make(kind)


@jit
def gives_any(kind: object, n: int) -> object:
    made = make(kind)
    return (made, made + n, n - made)


@jit
def mixed(x: float, n: int) -> object:
    y = identity(x)
    return (y, identity(y) + n)


@jit
def floor(x: float, y: float) -> object:
    quotient = x // y
    return (quotient, x % y)


def make(kind):
    return kind(1.5)


def told(function, *args):
    """The call with the warnings that it gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        show(function, *args)
    print([f"{warning.category.__name__}: {warning.message}" for warning in caught])


def plain():
    """The functions run natively wherever numpy is missing too."""
    for function in (scale, ratio, compare, floor):
        show(function, 3.0, 0.5)
    show(takes, 1, 2)
    show(gives_any, float, 2)
    for function in (power, identity, reads):
        show(function, 2.5)
    show(total, 5, 0.5)
    show(gives, float)
    show(mixed, 0.5, 3)


def main():
    global LIMIT, FACTOR
    plain()
    if numpy is None:
        return
    doubles = (numpy.float64(1.5), numpy.float64("nan"), numpy.float64("inf"), numpy.float64(0.0))
    singles = (numpy.float32(1.5), numpy.int64(3), numpy.bool_(True))
    for value in doubles:
        for function in (scale, ratio, compare, floor):
            told(function, value, 2.0)
            told(function, 2.0, value)
            told(function, value, value)
        for function in (power, identity, reads):
            told(function, value)
        told(total, 4, value)
        told(mixed, value, 2)
    for value in (*doubles, *singles):
        told(takes, value, 2)
        told(gives_any, type(value), 2)
    told(gives, numpy.float64)
    with numpy.errstate(divide="raise"):
        told(ratio, numpy.float64(1.0), 0.0)
        told(ratio, 1.0, numpy.float64(0.0))
    for value in (*doubles, *singles):
        FACTOR = value
        told(reads, 1.5)
    FACTOR = 2.0
    for value in (numpy.int64(7), numpy.float64(7.5), numpy.int64(2**62)):
        LIMIT = value
        told(reads, 1.5)
    LIMIT = 5
    told(reads, 1.5)
