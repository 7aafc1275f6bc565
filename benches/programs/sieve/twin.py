"""The sieve over odd numbers only, in a list of truth values, with `while` loops."""

from castiron import jit

N_SMALL = 1000
N_BENCH = 5_000_000
EXPECTED_SMALL = (168, 997)


@jit
def run(n: int) -> tuple[int, int]:
    half = (n + 1) // 2
    composite = [False] * half
    i = 1
    while 2 * i * (i + 1) < half:
        if not composite[i]:
            step = 2 * i + 1
            j = 2 * i * (i + 1)
            while j < half:
                composite[j] = True
                j += step
        i += 1
    count, last = 1, 2
    for i in range(1, half):
        if not composite[i]:
            count, last = count + 1, 2 * i + 1
    return count, last
