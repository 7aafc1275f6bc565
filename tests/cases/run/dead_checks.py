"""What is known because a check did not fail holds only as long as the check is there."""
# native: always_too_large, unused_product

from castiron import jit
from support import INTS, show


@jit
def always_too_large(flag: float) -> int:
    return (0 - -9223372036854775808 if flag else 0) >> 1


@jit
def unused_product(a: int, b: int) -> int:
    square = a * a
    if a < 4611686018427387904:
        b += 1
    return a + (1 << 62) + b - b


def main():
    for flag in (0.0, -0.0, 1.5, float("nan"), float("inf")):
        show(always_too_large, flag)
    for a in INTS:
        show(unused_product, a, 3)
