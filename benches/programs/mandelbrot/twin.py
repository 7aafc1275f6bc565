"""The same escape counts with `for` over `range`, tuple assignment and one function."""

from castiron import jit

N_SMALL = 16
N_BENCH = 450
EXPECTED_SMALL = 8279

RADIUS_SQUARED = 4.0


@jit
def run(n: int, limit: int = 100) -> int:
    total = 0
    for row in range(n):
        for col in range(n):
            cr, ci = 3.0 * col / n - 2.0, 2.0 * row / n - 1.0
            x, y = 0.0, 0.0
            for _ in range(limit):
                xx, yy = x * x, y * y
                if xx + yy > RADIUS_SQUARED:
                    break
                x, y = xx - yy + cr, 2.0 * x * y + ci
                total += 1
    return total
