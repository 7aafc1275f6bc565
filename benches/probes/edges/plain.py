"""Small functions called with awkward arguments; the outcome must be CPython's (see CALLS in probe_peers.py)."""

import numpy as np
from numpy.typing import NDArray

from castiron import jit

N_SMALL = 1
N_BENCH = 1
EXPECTED_SMALL = 1


@jit
def pick(values: list[int], i: int) -> int:
    return values[i]


@jit
def pick_cell(values: NDArray[np.float64], i: int) -> float:
    return float(values[i])


@jit
def add(a: int, b: int) -> int:
    return a + b


@jit
def multiply(a: int, b: int) -> int:
    return a * b


@jit
def floor_divide(a: int, b: int) -> int:
    return a // b


@jit
def modulo(a: int, b: int) -> int:
    return a % b


@jit
def shift(a: int, b: int) -> int:
    return a << b


@jit
def divide(a: float, b: float) -> float:
    return a / b


@jit
def run(n: int) -> int:
    return n
