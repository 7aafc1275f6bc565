"""The queens by bit masks: recursion over plain ints."""

from castiron import jit

N_SMALL = 6
N_BENCH = 12
EXPECTED_SMALL = 4


@jit
def place(full: int, cols: int, rising: int, falling: int) -> int:
    if cols == full:
        return 1
    found = 0
    free = full & ~(cols | rising | falling)
    while free:
        bit = free & -free
        free ^= bit
        found += place(full, cols | bit, (rising | bit) << 1, (falling | bit) >> 1)
    return found


@jit
def run(n: int) -> int:
    return place((1 << n) - 1, 0, 0, 0)
