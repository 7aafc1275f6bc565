"""Float operators: signed zeros, infinities, NaNs, floor division and modulo."""
# native: add, sub, mul, floor_div, modulo, neg, absolute, both_div

from castiron import jit
from support import FLOATS, pairs, show


@jit
def add(a: float, b: float) -> float:
    return a + b


@jit
def sub(a: float, b: float) -> float:
    return a - b


@jit
def mul(a: float, b: float) -> float:
    return a * b


@jit
def floor_div(a: float, b: float) -> float:
    return a // b


@jit
def modulo(a: float, b: float) -> float:
    return a % b


@jit
def neg(a: float) -> float:
    return -a


@jit
def absolute(a: float) -> float:
    return abs(a)


@jit
def both_div(a: float, b: float) -> tuple[float, float]:
    return divmod(a, b)


def main():
    for a, b in pairs(FLOATS, FLOATS):
        for function in (add, sub, mul, floor_div, modulo, both_div):
            show(function, a, b)
    for a in FLOATS:
        show(neg, a)
        show(absolute, a)
    for a in (1, True, 2**70):
        show(add, a, 0.5)
        show(neg, a)
    nan = float("nan")
    print(add(nan, 1.0) is nan, absolute(nan) is nan)
