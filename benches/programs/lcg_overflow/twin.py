"""The same numbers with `while`, masks and shifts instead of remainders, and the sums in one function."""

from castiron import jit

N_SMALL = 200
N_BENCH = 2_500_000
EXPECTED_SMALL = (235981728, 9223372036954776701)

MASK = (1 << 31) - 1


@jit
def step(state: int) -> int:
    return (state * 1103515245 + 12345) & MASK


@jit
def run(n: int) -> tuple[int, int]:
    state = 1
    acc = 0
    total = 9223372036854775807 - (n >> 1) * 1_000_003
    i = 0
    while i < n:
        state = step(state)
        value = state * state if (state >> 12) & 63 else state * state * state
        acc = (31 * acc + value) % 1_000_000_007
        total = total + 1_000_003 + i % 7
        i += 1
    return acc, total
