"""The same plate as lists of rows of floats."""

from castiron import jit

N_SMALL = 12
N_BENCH = 190
EXPECTED_SMALL = 7439.677986116043

SWEEPS = 40


@jit
def plate(n: int) -> list[list[float]]:
    rows = [[100.0] * n] + [[0.0] * n for _ in range(n - 1)]
    for j in range(n):
        rows[n - 1][j] = 25.0 * j / n
    return rows


@jit
def relax(source: list[list[float]], target: list[list[float]]) -> None:
    for i in range(1, len(source) - 1):
        above, here, below, out = source[i - 1], source[i], source[i + 1], target[i]
        for j in range(1, len(here) - 1):
            out[j] = 0.25 * (above[j] + below[j] + here[j - 1] + here[j + 1])


@jit
def run(n: int) -> float:
    front = plate(n)
    back = plate(n)
    for _ in range(SWEEPS // 2):
        relax(front, back)
        relax(back, front)
    total = 0.0
    for i, row in enumerate(front):
        for j, value in enumerate(row):
            total += value * (1 + (i + j) % 3)
    return total
