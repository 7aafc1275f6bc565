"""Tuple packing and unpacking, tuple parameters and results, unpacking errors."""
# native: pack, unpack, swap_three, of_tuple, nested, starless, length

from castiron import jit
from support import show


@jit
def pack(a: int, b: float) -> tuple[int, float]:
    return a, b


@jit
def unpack(pair: tuple[int, int]) -> int:
    a, b = pair
    return a * 10 + b


@jit
def swap_three(a: int, b: int, c: int) -> tuple[int, int, int]:
    a, b, c = c, a, b
    (a, b), c = (b, a), c
    return a, b, c


@jit
def of_tuple(point: tuple[float, float]) -> float:
    x, y = point
    return x * x + y * y


@jit
def nested(a: tuple[int, tuple[float, bool]]) -> float:
    i, (x, flag) = a
    return x + i if flag else x - i


@jit
def starless(a: int):
    x, y = a, a + 1
    t = (x, (y, None, 1.5))
    first, rest = t
    return rest, first


@jit
def length(pair: tuple[int, int]) -> int:
    return len(pair)


def main():
    show(pack, 1, 2.5)
    show(pack, 2**70, float("nan"))
    show(unpack, (3, 4))
    show(unpack, (2**63 - 1, 2**70))
    show(unpack, (True, False))
    show(swap_three, 1, 2, 3)
    show(swap_three, 1, 2**64, 3)
    show(of_tuple, (3.0, 4.0))
    show(of_tuple, (3, 4.0))
    show(nested, (1, (2.5, True)))
    show(nested, (1, (2.5, False)))
    show(starless, 5)
    show(starless, 2**63 - 1)
    show(length, (3, 4))
    pair = (5, 6)
    print(unpack(pair), pair)
