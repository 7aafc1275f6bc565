"""The power iteration with the matrix cell written out and comprehensions for the vectors."""

from math import sqrt

from castiron import jit

N_SMALL = 10
N_BENCH = 360
EXPECTED_SMALL = 1.2718440192507248


@jit
def times(v: list[float], transposed: bool) -> list[float]:
    out: list[float] = []
    for i in range(len(v)):
        total = 0.0
        for j, value in enumerate(v):
            row, s = (j, i + j) if transposed else (i, i + j)
            total += 1.0 / (s * (s + 1) // 2 + row + 1) * value
        out.append(total)
    return out


@jit
def run(n: int) -> float:
    u = [1.0 for _ in range(n)]
    v = u
    for _ in range(10):
        v = times(times(u, False), True)
        u = times(times(v, False), True)
    uv = vv = 0.0
    for a, b in zip(u, v):
        uv += a * b
        vv += b * b
    return sqrt(uv / vv)
