"""Module constants of each scalar type, read in loops."""
# native: circle, masked, flagged, bounded, big

from castiron import jit
from support import INTS, show

PI = 3.141592653589793
MASK = 0xFFFF_FFFF
LIMIT = 10
FLAG = True
NOTHING = None
BIG = 2**80


@jit
def circle(r: float) -> float:
    return PI * r * r


@jit
def masked(n: int) -> int:
    return (n * 1103515245 + 12345) & MASK


@jit
def flagged(n: int):
    if FLAG and NOTHING is None:
        return n
    return NOTHING


@jit
def bounded(n: int) -> int:
    total = 0
    for i in range(LIMIT):
        total += i * n
    return total


@jit
def big(n: int) -> int:
    return n + BIG


def main():
    for r in (0.0, 1.0, 2.5, -0.0):
        show(circle, r)
    for n in INTS:
        show(masked, n)
        show(flagged, n)
        show(bounded, n)
        show(big, n)
