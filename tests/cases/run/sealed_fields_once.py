"""Fields that are read again, written in between, or read while something dies; tuples of numbers from loops."""
# native: squares, stored, between, two_names, gone, summed, searched, hit, items_of, of_made

from __future__ import annotations

import sys

import support
from support import show

from castiron import frozen, jit


@frozen
class Point:
    x: float
    y: float
    n: int = 0
    flag: bool = False


@frozen
class Holder:
    point: Point
    other: Point
    count: int


@frozen
class Noisy:
    x: float
    watched: Point

    def __del__(self):
        self.watched.x += 1.0
        self.watched.n += 1000


@frozen
class Pair:
    first: int
    second: float

    @jit
    def swapped(self, by: int) -> Pair:
        self.first += by
        return Pair(self.first, self.second + self.first)


@jit
def squares(points: list[Point]) -> float:
    total = 0.0
    for point in points:
        total += point.x * point.x + point.y * point.x + point.y * point.y
        point.x = point.x + point.y
        total += point.x * point.x
    return total


@jit
def stored(point: Point, by: float, times: int) -> float:
    total = 0.0
    for i in range(times):
        point.x = by
        point.n += 1
        if point.n % 2 == 0:
            point.flag = not point.flag
            by = point.x + point.n
        total += point.x + point.n
        if point.flag:
            total += 0.5
    return total


@jit
def between(holder: Holder, value: float) -> float:
    a = holder.point
    before = a.x
    holder.other.x = value
    after = a.x
    b = holder.point
    holder.count += 1
    return before + 10.0 * after + 100.0 * b.x + holder.count


@jit
def two_names(a: Point, b: Point, value: float) -> float:
    first = a.x
    b.x = value
    second = a.x
    a.x = first
    return second + b.x


@jit
def gone(watched: Point, turns: int) -> float:
    total = 0.0
    for i in range(turns):
        noisy = Noisy(1.5, watched)
        total += watched.x + noisy.x + noisy.x
        noisy = None
        total += watched.x + watched.n
    return total


@jit
def summed(points: list[Point | None]) -> float:
    total = 0.0
    for point in points:
        if point is not None:
            total += point.x + point.n
    return total


@jit
def searched(points: list[Point], wanted: Point, limit: int) -> tuple[int, float]:
    best = -1
    distance = 1e30
    steps = 1
    for i in range(len(points)):
        point = points[i]
        found = (point.x - wanted.x) * (point.x - wanted.x) + (point.y - wanted.y) * (point.y - wanted.y)
        steps = steps * limit
        if found < distance:
            best, distance = i, found
    return best, distance


@jit
def hit(points: list[Point], x: float, y: float, limit: int) -> float:
    index, distance = searched(points, Point(x, y), limit)
    again, far = searched(points, Point(y, x, limit), limit)
    if index < 0:
        return -1.0
    return points[index].x * 1000.0 + distance + again + far


@jit
def items_of(a: tuple[float, float, int], b: tuple[float, tuple[int, float]]) -> float:
    return a[0] * a[1] + a[2] + a[-1] + b[0] + b[1][0] * b[1][1]


@jit
def of_made(first: int, turns: int) -> list[Pair]:
    made = []
    for i in range(turns):
        pair = Pair(first, 0.5)
        made.append(pair)
        again = pair.swapped(i)
        pair.second += again.first + pair.first + again.second
        made.append(again)
    return made


class Loose(Point):
    """No sealed class."""


def points(count=5):
    return [Point(float(i), i * 0.5, i) for i in range(count)]


def main():
    sys.modules.setdefault(__name__, support)
    nan = float("nan")
    for _ in range(3):
        show(squares, points())
        show(stored, Point(1.0, 2.0), 3.0, 9)
        show(stored, Point(1.0, 2.0, 2**63 - 3), 3.0, 9)
        one, other = points(2)
        show(between, Holder(one, other, 3), 7.0)
        show(between, Holder(one, one, 3), 7.0)
        show(two_names, one, other, 9.0)
        show(two_names, one, one, 9.0)
        show(summed, [Point(1.0, 2.0), None, Point(2.0, 3.0, 4)])
        show(hit, points(), 2.25, 0.5, 3)
        show(hit, points(70), 2.25, 0.5, 3)
        show(hit, [], 2.25, 0.5, 3)
        show(items_of, (1.5, 2.5, 3), (0.5, (2, 1.5)))
        show(lambda: of_made(3, 5))
        watched = Point(0.0, 0.0)
        show(gone, watched, 5)
        show(lambda watched=watched: (watched.x, watched.n))
    shared = Point(nan, 1.0)
    show(squares, [shared, shared])
    show(lambda: shared.x is shared.x)
    show(lambda: between(Holder(Point(nan, 1.0), Point(2, 1.0), 3), nan))
    show(lambda: two_names(shared, shared, nan))
    show(squares, [Loose(1.0, 2.0), Point(2, 3.0)])
    show(lambda: summed([Loose(1.0, 2.0), Point(2, 3.0), Point.__new__(Point)]))
    show(lambda: hit([Point(1.0, 2.0), Point.__new__(Point)], 1.0, 2.0, 1))
    show(lambda: hit([Loose(1.0, 2.0), Point(1, True)], 1.0, 2.0, 1))
    show(hit, [Point(nan, nan), Point(2, 2.0)], nan, 2.0, 1)
    show(items_of, (1, 2, 3), (5, (2, nan)))
    show(items_of, (nan, 2.5, 2**70), (0.5, (2**64, 1)))
    show(lambda: of_made(2**63 - 4, 5))
