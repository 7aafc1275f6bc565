"""Items that only move, and lists that stay as long as they are while a loop runs: until a signal handler changes them."""
# native: turn, shift, spread, sort, blend, scaled, exchange, cross, wait_for, walk, climb, flags, nested, product
# native: least, mixed_up, chain

import signal
import time

from castiron import jit
from support import show


class Loud:
    """Says when it dies."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name

    def __del__(self):
        print("gone", self.name)


class Sub(list):
    """A list that is not asked for its items in the usual way."""

    def __getitem__(self, index):
        return 10 * super().__getitem__(index)


@jit
def turn(xs: list[int], lo: int, hi: int):
    while lo < hi:
        xs[lo], xs[hi] = xs[hi], xs[lo]
        lo += 1
        hi -= 1


@jit
def exchange(xs: list[float], i: int, j: int):
    xs[i], xs[j] = xs[j], xs[i]


@jit
def cross(xs: list[int], ys: list[int], i: int):
    xs[i], ys[i] = ys[i], xs[i]


@jit
def shift(xs: list[int], count: int):
    first = xs[0]
    for i in range(count):
        xs[i] = xs[i + 1]
    xs[count] = first


@jit
def spread(to: list[float], source: list[float], n: int):
    for i in range(n):
        to[i] = source[i - 1]


@jit
def sort(xs: list[int]):
    for i in range(len(xs)):
        for j in range(len(xs) - 1 - i):
            if xs[j] > xs[j + 1]:
                xs[j], xs[j + 1] = xs[j + 1], xs[j]


@jit
def blend(xs: list[float], ys: list[float], factor: float, n: int):
    for i in range(n):
        xs[i] += factor * ys[i]


@jit
def scaled(xs: list[float], n: int) -> float:
    total = 0.0
    for i in range(n):
        total += xs[i] * 2.0
        if xs[i] < 0.0:
            total -= 1.0
    return total


@jit
def least(xs: list[float]) -> float:
    best = xs[0]
    for i in range(len(xs)):
        if xs[i] < best:
            best = xs[i]
    return best


@jit
def wait_for(xs: list[int], limit: int) -> int:
    turns = 0
    while xs[3] != 7 and turns < limit:
        turns += 1
    return xs[-1]


@jit
def walk(xs: list[int], limit: int) -> int:
    total = 0
    turns = 0
    while turns < limit:
        for i in range(4):
            total ^= xs[i]
        turns += 1
    return -1


@jit
def climb(rows: list[list[int]], limit: int) -> int:
    row = rows[0]
    turns = 0
    while turns < limit:
        for i in range(3):
            row[i] = row[i + 1]
        turns += 1
    return -1


@jit
def flags(octets: bytearray, limit: int) -> int:
    turns = 0
    while octets[5] == 0 and turns < limit:
        octets[2] = turns & 127
        turns += 1
    return octets[5]


@jit
def nested(grid: list[list[float]], n: int) -> float:
    total = 0.0
    for i in range(n):
        row = grid[i]
        for j in range(n):
            row[j] = row[j] * 0.5 + 1.0
            total += row[j]
    return total


@jit
def product(a: list[list[float]], b: list[list[float]], n: int):
    result = []
    for i in range(n):
        row_a = a[i]
        row = [0.0] * n
        for k in range(n):
            value = row_a[k]
            row_b = b[k]
            for j in range(n):
                row[j] += value * row_b[j]
        result.append(row)
    return result


@jit
def mixed_up(xs: list[int], ys: list[int], n: int):
    for i in range(n):
        kept = xs[i]
        ys[i] = kept
        xs[i], xs[i] = xs[-1 - i], xs[i]
    return kept


@jit
def chain(xs: list[int], n: int):
    for i in range(n):
        xs[xs[i]] = xs[i]


def changed(function, xs, *rest):
    show(function, xs, *rest)
    print(xs)


def ringing(act):
    """Run something while a signal handler waits to act once."""

    def ring(number, frame):
        act()

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.002)
    return before


def interrupted(act, function, *args):
    before = ringing(act)
    try:
        print(function.__name__, function(*args, 10**12))
    except IndexError as error:
        print(function.__name__, "raised", error)
    finally:
        time.sleep(0)
        signal.signal(signal.SIGALRM, before)


def more_than_fits(xs):
    """The list gets other items, and many more of them: they no longer fit where they were."""

    def act():
        xs[:] = [7] * 5000
        xs[-1] = 11

    return act


def main():
    for size in (0, 1, 2, 7, 400):
        changed(turn, list(range(1000, 1000 + size)), 0, size - 1)
    changed(turn, [1, 2, 3], 0, 5)
    changed(turn, [1, 2, 3], -3, -1)
    changed(turn, ["a", 2.5, Loud("item"), None], 0, 3)
    changed(turn, Sub([1, 2, 3]), 0, 2)
    nan = float("nan")
    xs = [nan, 1.5, True]
    for i, j in ((0, 1), (0, 0), (-1, 0), (2, 3), (3, 2), (-4, 0), (2**70, 0)):
        changed(exchange, xs, i, j)
    print(xs[0] is nan, xs[1] is nan, xs[2] is nan)
    xs, ys = [1, 2, 3], [2**70, 5.5, "x"]
    for i in (0, 1, 2, 3):
        show(cross, xs, ys, i)
    print(xs, ys)
    show(cross, xs, xs, 1)
    big = 10**6
    changed(shift, [big, 2, 2**65, "s", 1.5, False], 4)
    changed(shift, [Loud("first"), Loud("second"), 3], 2)
    changed(shift, [1, 2], 4)
    for to in ([0.0] * 5, [1] * 5, [None] * 5, [Loud("overwritten")] * 2 + [1.0] * 3, [0.0] * 3):
        show(spread, to, [0.5, nan, 2.5, 3, 1e300], 5)
        print(to)
    xs = [5, -3, 2**40, 5, 0, 99, -3]
    changed(sort, xs)
    changed(sort, [2.5, 1, True, 0.5])
    changed(sort, [3, "a", 1])
    for start in (1.5, nan, 2, "x", True, 2**70):
        xs = [0.5, 1.5, start, 3.5]
        kept = xs[1]
        changed(blend, xs, [1.0, 2.0, 3.0, 4.0], 0.5, 4)
        changed(blend, [0.5, 1.5, 2.5, 3.5], xs, 0.5, 5)
        changed(scaled, xs, 4)
        changed(least, xs)
        print(kept)
    show(blend, [1e308, 1.0], [1e308, 1.0], 10.0, 2)
    xs = [nan, 1.0]
    show(scaled, xs, 2)
    show(least, xs)
    print(least([nan, nan]) == 0, xs[0] is nan)
    for rows in ([[1.5] * 3 for _ in range(3)], [[1.5] * 3] * 3, [[1.5, 2, 0.5]] * 3, [[1.5] * 2] * 3):
        show(nested, rows, 3)
        print(rows)
    m = [[0.5 * i - j for j in range(4)] for i in range(4)]
    print(product(m, m, 4))
    m[2][1] = nan
    print(product(m, m, 4))
    m[2] = (1.0, 2.0, 3.0, 4.0)
    print(product(m, m, 4))
    show(product, m, m, 5)
    xs, ys = list(range(300, 310)), [0] * 10
    show(mixed_up, xs, ys, 10)
    print(xs, ys)
    show(mixed_up, xs, ys, 11)
    changed(chain, [3, 2, 1, 0, 4], 5)
    changed(chain, [3, 2, 9], 3)

    xs = [1, 2, 3, 4]
    interrupted(more_than_fits(xs), wait_for, xs)
    xs = [1, 2, 3, 4]
    interrupted(xs.clear, wait_for, xs)
    xs = [1, 2, 3, 4]
    interrupted(lambda: xs.__setitem__(slice(None), [1]), walk, xs)
    rows = [[1, 2, 3, 4]]
    interrupted(rows[0].clear, climb, rows)
    row = [1, 2, 3, 4]
    rows = [row]
    interrupted(lambda: row.__delitem__(slice(2, None)), climb, rows)
    octets = bytearray(10)
    interrupted(lambda: octets.__setitem__(slice(None), bytes([9]) * 5000), flags, octets)
    print(len(octets))
    octets = bytearray(10)
    interrupted(octets.clear, flags, octets)
