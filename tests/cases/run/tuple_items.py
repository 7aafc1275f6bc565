"""Items of tuples that annotations promise, read by index."""
# native: dot, across, last, named, deep, same, whole, kept, beyond, negative, given, looped, other

from castiron import jit
from support import show

Vector = tuple[float, float, float]


class Loud:
    def __repr__(self):
        return "Loud()"

    def __del__(self):
        print("gone")


@jit
def dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@jit
def across(n: int) -> float:
    total = 0.0
    a = (1.0, 2.0, 3.0)
    for i in range(n):
        total += dot(a, (float(i), 0.5, total))
        total %= 1000.0
    return total


@jit
def last(a: tuple[int, str, bool]) -> str:
    return a[1] * a[0] if a[-1] else a[-2]


@jit
def named(a: tuple[str, list[int]]) -> int:
    a[1].append(len(a[0]))
    return a[1][0] + a[1][-1]


@jit
def deep(a: tuple[Vector, tuple[Vector, int]]) -> float:
    return a[0][1] + a[1][0][2] * a[1][1]


@jit
def same(a: tuple[Vector, int]):
    inner = a[0]
    return inner is a[0], inner[2], inner


@jit
def whole(a: Vector):
    x = a[0]
    return x + 1.0, a, a[1]


@jit
def kept(a: tuple[int, object]):
    inside = a[1]
    a = (a[0] + 1, None)
    print("still")
    return inside is None, a[0]


@jit
def beyond(a: tuple[int, int], i: int) -> int:
    return a[1] + a[i]


@jit
def negative(a: tuple[int, int]) -> int:
    return a[-2] - a[-1]


@jit
def given(xs: list[tuple[int, float]]) -> float:
    total = 0.0
    for pair in xs:
        total += pair[0] * pair[1]
    return total


@jit
def looped(xs: list[Vector], by: Vector) -> float:
    total = 0.0
    for x in xs:
        total += dot(x, by) + x[2]
    return total


@jit
def other(a: tuple[int, float]) -> float:
    return a[0] + a[2]


def main():
    one = (1.0, 2.0, 3.0)
    show(dot, one, (4.0, 5.0, 6.0))
    show(dot, one, (4.0, float("nan"), 6.0))
    show(dot, one, (4.0, 5, 6.0))
    show(across, 100)
    show(last, (3, "ab", True))
    show(last, (3, "ab", False))
    show(named, ("abc", [4]))
    show(deep, (one, (one, 2**70)))
    show(deep, (one, (one, 7)))
    show(same, (one, 5))
    show(whole, one)
    show(kept, (1, Loud()))
    show(beyond, (1, 2), 0)
    show(beyond, (1, 2), 2)
    show(beyond, (1, 2**64), 1)
    show(negative, (1, 2))
    show(negative, (-(2**62), 2**62))
    show(given, [(1, 2.5), (3, 0.5)])
    show(given, [(1, 2.5), (3, 1), (2, 1.0)])
    show(given, [(1, 2.5), (3,)])
    show(given, [(1, 2.5), [2, 1.0]])
    show(looped, [one, (0.5, 0.25, 8.0)], one)
    show(looped, [one, (0.5, 0.25, 8)], one)
    show(other, (1, 2.0))
