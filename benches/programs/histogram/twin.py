"""The same bins over a list of ints, with a mask and `enumerate`."""

from castiron import jit

N_SMALL = 500
N_BENCH = 1_700_000
EXPECTED_SMALL = (64156, 4)

BINS = 256


@jit
def run(n: int) -> tuple[int, int]:
    counts = [0] * BINS
    state = 2026
    for _ in range(n):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        counts[state >> 23] += 1
    total = 0
    for place, count in enumerate(counts, 1):
        total += count * place
    return total, counts[BINS // 2]
