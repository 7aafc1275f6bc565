"""`and`, `or`, `not`, conditional expressions and the walrus: values, not only truth."""
# native: and_value, or_value, choose, nested, walrus, bools

from castiron import jit
from support import INTS, pairs, show


@jit
def and_value(a: int, b: int) -> int:
    return a and b


@jit
def or_value(a: int, b: int) -> int:
    return a or b


@jit
def choose(a: int, b: float):
    return a if a > b else b


@jit
def nested(a: int) -> int:
    return 1 if a < 0 else 2 if a == 0 else 3


@jit
def walrus(a: int) -> int:
    if (half := a // 2) > 3:
        return half
    return (other := half * 2) + other


@jit
def bools(a: bool, b: bool) -> tuple[bool, bool, bool, int, int, bool]:
    return a & b, a | b, a ^ b, a + b, -a, a is b


def main():
    for a, b in pairs(INTS, (0, 1, -5)):
        show(and_value, a, b)
        show(or_value, a, b)
    for a in INTS:
        show(choose, a, 0.5)
        show(nested, a)
        show(walrus, a)
    for a in (False, True):
        for b in (False, True):
            show(bools, a, b)
    show(and_value, True, False)
    show(or_value, False, True)
