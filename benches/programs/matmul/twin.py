"""The matrix product with the inner product innermost, over flat lists."""

from castiron import jit

N_SMALL = 8
N_BENCH = 230
EXPECTED_SMALL = (-17.390625, -1.166015625)


@jit
def make_matrix(n: int, seed: float) -> list[float]:
    step = seed / n / n
    cells = [0.0] * (n * n)
    for i in range(n):
        for j in range(n):
            cells[i * n + j] = step * (i - j) * (i + j)
    return cells


@jit
def product_cell(a: list[float], b: list[float], n: int, i: int, j: int) -> float:
    total = 0.0
    for k in range(n):
        total += a[i * n + k] * b[k * n + j]
    return total


@jit
def run(n: int) -> tuple[float, float]:
    a = make_matrix(n, 1.0)
    b = make_matrix(n, 2.0)
    product = [product_cell(a, b, n, i, j) for i in range(n) for j in range(n)]
    trace = 0.0
    for i in range(n):
        trace += product[i * n + i]
    return trace, product[n // 2 * n + n // 3]
